"""What a model's file says of itself, read without running it: the shapes that go in and come out, and what is written beside them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.core.model_card import CARD_FILE, MODEL_FILE

Length = int | None
"""Of an axis; None where the graph leaves it open."""
FEEDABLE = ("float32", "float16", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")

PROBABILITIES = "Probabilities"
"""An end that is no activation by name: numbers from 0 to 1, which add up to 1."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a graph. ``activation``: of the node that gives it, or PROBABILITIES; ``kind`` "map": names with scores (ZipMap)."""

    name: str
    dtype: str
    shape: tuple[Length, ...]
    activation: str = ""
    kind: str = "tensor"

    @property
    def words(self) -> str:
        """``image, float32, ? × 224 × 224 × 3``."""
        size = " × ".join("?" if n is None else str(n) for n in self.shape)
        return ", ".join(part for part in (self.name, self.dtype, size) if part)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a model's file says of itself, read without running it."""

    stem: str
    sha256: str
    nbytes: int
    opset: int
    """Of ONNX's own operators; 0 where all are of another domain, as those of trees are."""
    producer: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    is_recurrent: bool = False
    feature: str = ""
    """Name of the tensor whose places can be weighed exactly for a heat-map; "" where the graph does not end so."""
    reduction: int = 1
    """How many pixels of the input lie, in a row, in one of the smallest map within: a picture comes back whole where that divides its size."""
    input_is_scaled: bool = False
    """Whether the graph itself brings 0 to 255 to what its network takes."""
    version: str = ""
    title: str = ""
    classes: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    external: tuple[tuple[str, str], ...] = ()
    """Files beside it that hold weights, with their checksums."""


@dataclass(frozen=True, slots=True)
class TriedModel:
    """What a run on one image gave, before the model has been added."""

    scores: tuple[tuple[str, float], ...]
    """Class names with scores from 0 to 1; empty where a picture comes out."""
    raw: str
    """The first numbers of the output, as they came."""
    device: str
    note: str
    milliseconds: float
    fed: NDArray[np.uint8] | None
    """The input as a small picture, (rows, columns) or (rows, columns, 3); None where it is none."""
    fed_size: tuple[int, ...]
    """Axes of the input."""
    given: NDArray[np.uint8] | None = None
    """The picture that came out, in the same form; None where scores do."""
    warnings: tuple[str, ...] = ()


def is_model_path(names: Collection[str], suffix: str, *, is_folder: bool) -> bool:
    """Whether what was dropped is a model: a file ``.onnx``, or a folder that holds one or a card.

    Parameters
    ----------
    names : collection of str
        What is in the folder.
    suffix : str
        Of the file.
    """
    if not is_folder:
        return suffix.lower() == ".onnx"
    return MODEL_FILE in names or CARD_FILE in names
