"""The heads of the model: what each predicts, from which columns, in which unit.

A head predicts the residual of the equations in units of the filter's own standard deviation:
(true ln OD600 - ln OD600 of the equations) / scale, or minutes for the time to depletion.
"""

HORIZONS = ("PT30S", "PT30M", "PT1H", "PT2H")
QUANTILES = (("p5", 0.05), ("p50", 0.5), ("p95", 0.95))
TARGETS = ("PT0S", *HORIZONS, "depletion")
HEAD_NAMES = {
    "PT0S": "od-now",
    "PT30S": "od-30s",
    "PT30M": "od-30m",
    "PT1H": "od-1h",
    "PT2H": "od-2h",
    "depletion": "depletion",
}
# A head for depletion learns from where the time to it can be told at all.
FARTHEST_DEPLETION_MINUTES = 360.0


def head_name(target: str, quantile: str) -> str:
    return f"{HEAD_NAMES[target]}-{quantile}"
