"""Conformal calibration of quantile heads by held-out batches (Romano, Patterson, Candes 2019), per phase.

Each batch was predicted by heads that had not seen it. How far the truth lay outside p5 and p95, in units of the
head, gives the shift of each bound at which it covers 95 % on its side; pooled over the batches of a phase.
"""

import numpy as np

SIDE = 0.95
FEWEST_BATCHES = 20


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
