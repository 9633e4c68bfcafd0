"""LightGBM to ONNX without a row that takes another branch.

LightGBM keeps thresholds as doubles, ONNX as float32 rounded to nearest, so that a value between the two would go
the other way. A float32 feature is <= a double threshold exactly when it is <= that threshold rounded towards minus
infinity to float32: so each threshold is rounded like that in the text model before it is converted.
"""

import numpy as np
import lightgbm as lgb
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType


def with_float32_thresholds(booster: lgb.Booster) -> lgb.Booster:
    lines = []
    for line in booster.model_to_string().splitlines():
        if line.startswith("tree_sizes="):
            continue
        if line.startswith("threshold="):
            values = [floor_float32(float(text)) for text in line[len("threshold=") :].split()]
            line = "threshold=" + " ".join(repr(float(value)) for value in values)
        lines.append(line)
    return lgb.Booster(model_str="\n".join(lines) + "\n")


def floor_float32(value: float) -> np.float32:
    nearest = np.float32(value)
    if float(nearest) > value:
        return np.nextafter(nearest, np.float32(-np.inf))
    return nearest


def to_onnx(booster: lgb.Booster, name: str, columns: int) -> bytes:
    converted = convert_lightgbm(
        with_float32_thresholds(booster),
        name=name,
        zipmap=False,
        target_opset=15,
        initial_types=[("x", FloatTensorType([None, columns]))],
    )
    return converted.SerializeToString()
