"""Cards and images for tests of the classifier: a card is a small mapping, changed part by part."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.model_card import ModelCard, card_of

TWO = ({"name": "Square", "output": 0}, {"name": "No square", "complement_of": "Square"})


def card_with(*, folder: str | Path = "m", **parts: Any) -> ModelCard:
    """A binary card of 8x8 grey squares, taken as they are; ``input={...}``, ``values={...}`` and so on change it."""
    text: dict[str, Any] = {
        "name": "m", "title": "Squares", "version": "1", "task": "binary", "sha256": "0" * 64, "classes": list(TWO),
        "input": {"height": 8, "width": 8, **parts.pop("input", {})}, "output": {"activation": "sigmoid", **parts.pop("output", {})},
    }  # fmt: skip
    return card_of({**text, **parts}, Path(folder))


def image_with(values: np.ndarray, **facts: Any) -> Image:
    """An image of one or several planes (a last axis of 3: in colour), on a plain grid unless ``geometry`` is given."""
    is_color = values.ndim >= 3 and values.shape[-1] == 3 and values.dtype == np.uint8
    volume = values if values.ndim == (4 if is_color else 3) else values[None]
    geometry = facts.pop("geometry", None) or Geometry(volume.shape[:3], is_patient=False, in_plane_known=False)
    return replace(Image(volume, geometry, range=(float(volume.min()), float(volume.max()))), **facts)


ZOO = Path(__file__).parents[1] / "models" / "zoo"


def zoo_card(name: str, folder: Path, **parts: Any) -> ModelCard:
    """A card for a model of the zoo, which is put beside it: ``folder/name/model.onnx``."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    content = (ZOO / f"{name}.onnx").read_bytes()
    (place / "model.onnx").write_bytes(content)
    return card_with(folder=place, name=name.replace("_", "-"), sha256=hashlib.sha256(content).hexdigest(), **parts)


def bare(card: ModelCard, inputs: np.ndarray, output: str = "") -> np.ndarray:
    """What onnxruntime gives for an input, called directly."""
    session = onnxruntime.InferenceSession(str(card.model_path), providers=["CPUExecutionProvider"])
    return session.run([output] if output else None, {session.get_inputs()[0].name: inputs})[0]
