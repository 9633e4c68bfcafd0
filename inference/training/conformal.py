"""Conformal calibration of quantile heads by held-out batches (Romano, Patterson, Candes 2019), per phase.

Each batch was predicted by heads that had not seen it. How far the truth lay outside p5 and p95, in units of the
head, gives the shift of each bound at which it covers 95 % on its side; pooled over the batches of a phase.
"""

from statistics import NormalDist

import numpy as np

SIDE = 0.95
FEWEST_BATCHES = 20
# A phase that is rare in training tells little of its own coverage: it is stretched by this at least.
RARE_ROWS = 500
RARE_FACTOR = 1.5


def offsets(phase, batch, low, high, truth):
    """{phase: {lower, upper}} to subtract from p5 and add to p95; phases with few batches take those of `all`."""
    result = {}
    pooled = _offsets(low, high, truth)
    for name in ("lag", "exponential", "decelerating", "stationary"):
        rows = phase == name
        enough = len(np.unique(batch[rows])) >= FEWEST_BATCHES
        result[name] = _offsets(low[rows], high[rows], truth[rows]) if enough else pooled
    result["all"] = pooled
    return result


def _offsets(low, high, truth):
    return {
        "lower": float(np.quantile(low - truth, SIDE)),
        "upper": float(np.quantile(truth - high, SIDE)),
    }


def widening(held_out):
    """{phase: factor}: from what the interval covered of batches unseen by heads and shifts to 90 %, as if normal."""
    result = {"all": _factor(held_out["coverageUnseen"])}
    for name in ("lag", "exponential", "decelerating", "stationary"):
        phase = held_out.get(name)
        if not phase:
            result[name] = result["all"]
        elif phase["rows"] < RARE_ROWS:
            result[name] = max(RARE_FACTOR, _factor(phase["coverageUnseen"]))
        else:
            result[name] = _factor(phase["coverageUnseen"])
    return result


def _factor(coverage):
    normal = NormalDist()
    return min(2.0, max(1.0, normal.inv_cdf(0.95) / normal.inv_cdf((1 + min(coverage, 0.999)) / 2)))
