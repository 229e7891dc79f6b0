"""A card that is right, and ways to change one key of it."""

from __future__ import annotations

import copy
from typing import Any

CARD: dict[str, Any] = {
    "schema": 1, "name": "lungs", "title": "Lungs", "version": "1.0", "task": "binary", "file": "model.onnx", "sha256": "ab" * 32, "opset": 17,
    "benchmark": False, "positive": "Ill", "intended_use": "Tests.", "not_for": "Anything else.",
    "classes": [
        {"name": "Ill", "output": 0, "code": {"scheme": "SCT", "value": "39104002", "meaning": "Illness"}, "threshold": 0.5},
        {"name": "Well", "complement_of": "Ill"},
    ],
    "input": {"name": "film", "dtype": "float32", "layout": "NCHW", "height": 32, "width": 32, "channels": 1, "planes": "one", "depth": 1,
              "batch": "dynamic", "fit": "pad", "pad_value": 0.0, "interpolation": "bilinear", "antialias": True, "multiple": 1,
              "grey_only": False, "polarity": "bone-bright", "color_order": "RGB", "resize": "none"},
    "values": {"kind": "window", "center": 40.0, "width": 400.0, "low": 0.0, "high": 1.0, "unit": "HU", "eight_bit": "as-is",
               "percentiles": [1.0, 99.0], "out_range": [0.0, 255.0], "window": "file"},
    "normalisation": {"scale": 255.0, "mean": [0.5], "std": [0.25], "statistics": "fixed"},
    "output": {"name": "logit", "activation": "sigmoid", "temperature": 1.5, "calibrated": True, "prevalence": 0.5, "picture": "levels", "unit": ""},
    "explain": {"feature": "features", "weight": "w", "bias": "b"},
    "familiarity": {"kind": "distance", "output": "features", "threshold": 3.0, "mean": [0.0, 1.0], "scale": [1.0, 2.0]},
    "threshold": {"value": 0.5, "sensitivity": 0.9, "sensitivity_interval": [0.8, 1.0], "specificity": 0.8, "specificity_interval": [0.7, 0.9],
                  "chosen_on": "one half", "test_set": "none", "prevalence": 0.5},
    "applies": {"modality": ["CR", "DX"], "body_part": ["CHEST"], "view": ["PA"], "age_years": [1, 5]},
    "training": {"data": "noise", "licence": "CC0-1.0"}, "metrics": {"test": {"auc": 0.5}},
    "external": {"weights.bin": "cd" * 32},
}  # fmt: skip

SEQUENCE: dict[str, Any] = {
    "name": "course", "title": "Course", "version": "1.0", "task": "binary", "sha256": "ab" * 32,
    "classes": [{"name": "Ill", "output": 0}, {"name": "Well", "complement_of": "Ill"}],
    "input": {"layout": "NTF", "height": 24, "width": 24, "batch": 1},
    "encoder": {"file": "encoder.onnx", "sha256": "ef" * 32, "input": "plane", "output": "features", "layout": "NCHW"},
}  # fmt: skip
"""The card of a recurrent network behind an encoder."""


def changed(where: str, value: Any, card: dict[str, Any] = CARD) -> dict[str, Any]:
    """The card with another value at ``input.height`` or ``classes.1.name``; the value ``...`` takes the key away."""
    made = copy.deepcopy(card)
    *parents, last = [int(key) if key.isdigit() else key for key in where.split(".")]
    part: Any = made
    for key in parents:
        part = part[key]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return made


def multi_class(count: int = 3, **more: Any) -> dict[str, Any]:
    """A card of a model with several classes, of which one is true."""
    made = copy.deepcopy(CARD) | {"task": "multi-class", "classes": [{"name": f"Class {n}"} for n in range(count)], **more}
    made["output"]["activation"] = "softmax"
    del made["positive"]
    return made
