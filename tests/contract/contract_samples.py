"""Images, parameters and bad inputs that fit any operation: what is registered is tested, without a line of its own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from viewer.core.geometry import Geometry
from viewer.core.images import Image, Labels, Mask
from viewer.core.operation import OperationSpec, ParameterSpec
from viewer.core.volume import Identity, ValueScale, Volume
from viewer.session.models import own_folder
from viewer.session.plugins import Registry, discover
from viewer.session.statistics import value_range

REGISTRY: Registry = discover()
NAMES = tuple(entry.name for entry in REGISTRY.operations)
_S = 0.35
GEOMETRY = Geometry((6, 40, 44), (-20.0, 15.0, 7.0), (2.0, 0.9, 0.8), (np.cos(_S), -np.sin(_S), 0.0, np.sin(_S), np.cos(_S), 0.0, 0.0, 0.0, 1.0))
ZOO = Path(__file__).parents[1] / "models" / "zoo"
CLASSIFIER = "pneumonia-cxr-28"
MODELS = {"image": "denoise", "segmentation": "segment_softmax"}
CARD = """name = "{name}"
title = "{name}"
version = "1.0.0"
task = "{task}"
sha256 = "{sha256}"
classes = [{{ name = "Middle", output = 1 }}, {{ name = "Bright", output = 2 }}]
[input]
height = "any"
width = "any"
[normalisation]
scale = 255.0
"""
CENTER, OTHER = (3, 20, 22), (3, 8, 8)


def spec_of(name: str) -> OperationSpec:
    return REGISTRY.spec(name)


def made_volume(*, name: str = "volume-a", planes: int = 6, dtype: Any = np.int16, color: bool = False, padding: bool = False) -> Volume:
    """Two bright balls and noise in HU, the borders of it padded where asked."""
    rng = np.random.default_rng(5)
    geometry = GEOMETRY if planes == 6 else GEOMETRY.cropped((3, 0, 0), (planes, 40, 44))
    z, y, x = np.ogrid[3 - planes // 2 : 3 - planes // 2 + planes, :40, :44]
    values = np.full(geometry.shape, -200.0)
    values[((z - 3) * 2) ** 2 + (y - 20) ** 2 + (x - 22) ** 2 < 100] = 300
    values[((z - 3) * 2) ** 2 + (y - 8) ** 2 + (x - 8) ** 2 < 25] = 500
    values += rng.normal(0, 15, geometry.shape)
    if dtype == np.uint8:
        values = np.clip(values / 4 + 60, 0, 255)
    if padding:
        values[:, :, :5] = -2000
    data = values.astype(dtype)[None]
    if color:
        data = np.repeat(np.clip(values / 4 + 60, 0, 255).astype(np.uint8)[None, ..., None], 3, axis=-1)
    identity = Identity(modality="CT", body_part="CHEST")
    return Volume(
        name, data, geometry, unit="" if color else "HU", identity=identity, is_color=color, padding=(-2000, -2000) if padding else None,
        scales=(ValueScale("SUVbw", 0.25),),
    )  # fmt: skip


def image_of(volume: Volume) -> Image:
    return Image(
        volume.values, volume.geometry, volume.unit, value_range(volume), volume.padding, modality="CT", body_part="CHEST", scales=volume.scales
    )


def mask_on(geometry: Geometry) -> Mask:
    """The larger ball, with a hole, and a speck."""
    planes = geometry.shape[0]
    y, x = np.ogrid[:40, :44]
    values = np.broadcast_to((y - 20) ** 2 + (x - 22) ** 2 < 81, geometry.shape).copy()
    values[planes // 2, 20, 22] = False
    values[planes // 2, 2:4, 2:4] = True
    return Mask(values, geometry)


def labels_on(geometry: Geometry) -> Labels:
    values = np.zeros(geometry.shape, np.uint8)
    values[:, 18:22, 20:24], values[:, 7:9, 7:9], values[:, 30:34, 2:40] = 1, 2, 3
    return Labels(values, geometry)


def good_parameters(spec: OperationSpec, geometry: Geometry) -> dict[str, Any]:
    """What a user would give: a seed, a mask, labels where they are asked for; defaults for the rest."""
    place = tuple(float(c) for c in GEOMETRY.to_patient(CENTER))
    given: dict[str, Any] = {"points": (place,), "mask": mask_on(geometry), "labels": labels_on(geometry)}
    return {**{p.name: given[p.type] for p in spec.parameters if p.type in given}, **models_for(spec)}


def models_for(spec: OperationSpec) -> dict[str, str]:
    """A model for each parameter that names one."""
    given = {p.name: MODELS[p.model_task] for p in spec.parameters if p.model_task}
    return given or ({"model": CLASSIFIER} if any(p.name == "model" for p in spec.parameters) else {})


def add_models() -> None:
    """Put the networks for pictures and for label maps into the folder of the user's own models."""
    for task, name in MODELS.items():
        folder = own_folder() / name
        folder.mkdir(parents=True)
        content = (ZOO / f"{name}.onnx").read_bytes()
        (folder / "model.onnx").write_bytes(content)
        (folder / "card.toml").write_text(CARD.format(task=task, name=name, sha256=hashlib.sha256(content).hexdigest()), encoding="utf-8")


def bad_values(parameter: ParameterSpec) -> list[Any]:
    """What every parameter of its type must refuse."""
    if parameter.type in ("int", "float"):
        bad: list[Any] = ["much", "", float("nan"), float("inf"), "nan", True, [1, 2], object()]
        bad += [] if parameter.low is None else [parameter.low - 1, f"{parameter.low - 1}"]
        bad += [] if parameter.high is None else [parameter.high + 1, f"{parameter.high + 1}"]
        bad += [1.5] if parameter.type == "int" else []
        bad += [] if parameter.is_optional else [None]
        return bad
    return {
        "bool": ["perhaps", 2, None],
        "choice": ["no such choice", 3, None],
        "points": ["1,2", "a,b,c", ((1.0, 2.0),), (("nan", 0, 0),), ((float("inf"), 0.0, 0.0),), "1,2,3,4"],
        "mask": [3, "yes", np.ones((2, 2)), labels_on(GEOMETRY)],
        "labels": [3, "yes", np.ones((2, 2)), mask_on(GEOMETRY)],
        "image": [3, "yes", np.ones((2, 2))],
        "text": [3, 1.5, ("a",)],
    }[parameter.type]
