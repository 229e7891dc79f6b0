"""Segments that may overlap, put on as few label layers as hold every voxel of each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import Index
from viewer.core.labels import Segment
from viewer.core.provenance import Note
from viewer.io import gate

Corner = tuple[int, int]
Piece = tuple[Corner, NDArray[np.bool_]]
"""(row, column) of the first pixel of a mask on one plane, and the mask."""


@dataclass(frozen=True, slots=True)
class LayerDraft:
    """One label array on an image's grid, (planes, rows, columns) of uint8 or uint16, and what its labels mean."""

    labels: NDArray[Any] = field(repr=False)
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class SegmentSet:
    """All segments of one object on the grid of one image."""

    name: str
    layers: tuple[LayerDraft, ...]
    voxels: Mapping[int, int]
    """Voxels of each segment, by its label; labels are unique over all layers."""
    notes: tuple[Note, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(sorted((s for layer in self.layers for s in layer.segments), key=lambda s: s.label))


class LayerBuilder:
    """Takes segments one after the other; each goes whole to the first layer in which none of its voxels is taken.

    Parameters
    ----------
    shape : (planes, rows, columns)
        Of the image's grid.
    path : Path
        The file that is read, for the gate's sentences.
    """

    def __init__(self, shape: Index, path: Path) -> None:
        self._shape, self._path = shape, path
        self._labels: list[NDArray[Any]] = []
        self._segments: list[list[Segment]] = []
        self._voxels: dict[int, int] = {}

    def add(self, segment: Segment, pieces: Mapping[int, Sequence[Piece]]) -> int:
        """Put a segment down; ``pieces`` are its masks by plane, joined where they overlap. Returns its number of voxels."""
        joined = {plane: _joined(parts) for plane, parts in pieces.items() if parts}
        number = next((n for n in range(len(self._labels)) if self._is_free(n, joined)), len(self._labels))
        if number == len(self._labels):
            self._new_layer()
        if segment.label > np.iinfo(self._labels[number].dtype).max:
            gate.check(self._shape, 2, path=self._path)
            self._labels[number] = self._labels[number].astype(np.uint16)
        count = 0
        for plane, ((row, column), mask) in joined.items():
            part = self._labels[number][plane, row : row + mask.shape[0], column : column + mask.shape[1]]
            part[mask] = segment.label
            count += int(np.count_nonzero(mask))
        self._segments[number].append(segment)
        self._voxels[segment.label] = count
        return count

    def finished(self, name: str, notes: Sequence[Note]) -> SegmentSet:
        """All that was added."""
        layers = tuple(LayerDraft(labels, tuple(sorted(s, key=lambda x: x.label))) for labels, s in zip(self._labels, self._segments, strict=True))
        return SegmentSet(name, layers, dict(sorted(self._voxels.items())), tuple(notes))

    def _is_free(self, number: int, pieces: Mapping[int, Piece]) -> bool:
        labels = self._labels[number]
        return not any(
            labels[plane, row : row + mask.shape[0], column : column + mask.shape[1]][mask].any() for plane, ((row, column), mask) in pieces.items()
        )

    def _new_layer(self) -> None:
        gate.check(self._shape, 1, path=self._path)
        self._labels.append(np.zeros(self._shape, np.uint8))
        self._segments.append([])


def cropped(mask: NDArray[np.bool_], corner: Corner = (0, 0)) -> Piece | None:
    """A mask cut down to what is set, None if nothing is."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    inner = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return (corner[0] + int(rows[0]), corner[1] + int(columns[0])), inner.copy()


def _joined(parts: Sequence[Piece]) -> Piece:
    if len(parts) == 1:
        return parts[0]
    top, left = min(corner[0] for corner, _m in parts), min(corner[1] for corner, _m in parts)
    bottom = max(corner[0] + mask.shape[0] for corner, mask in parts)
    right = max(corner[1] + mask.shape[1] for corner, mask in parts)
    whole = np.zeros((bottom - top, right - left), np.bool_)
    for (row, column), mask in parts:
        whole[row - top : row - top + mask.shape[0], column - left : column - left + mask.shape[1]] |= mask
    return (top, left), whole
