"""Operations that give heat-maps and reports without a model, for tests of what becomes of them."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from viewer.api import Choice, Geometry, Image, Overlay, Verdict, Verdicts, operation

CELLS = (3, 2)


def cells(image: Image, planes: int = 1) -> Geometry:
    """A coarse grid over planes of an image."""
    _planes, rows, columns = image.geometry.shape
    down, across = rows / CELLS[0], columns / CELLS[1]
    place = image.geometry.to_patient((0, (down - 1) / 2, (across - 1) / 2))
    spacing = (image.geometry.spacing[0], image.geometry.spacing[1] * down, image.geometry.spacing[2] * across)
    return Geometry((planes, *CELLS), tuple(float(c) for c in place), spacing, image.geometry.direction)


def verdict(index: int, *, maps: tuple[Overlay, ...] = (), model: str = "m") -> Verdict:
    scores = (("Yes", 0.8), ("No", 0.2))
    return Verdict(model, "1", "Model", "binary", scores, 0.5, "Yes", "CPU", 1.0, index, maps=maps)


def a_map(geometry: Geometry, *, score: str = "Yes", method: str = "exact", model: str = "m", seed: int = 0) -> Overlay:
    values = np.random.default_rng(seed).normal(size=geometry.shape).astype(np.float32)
    return Overlay(values, geometry, score, method=method, score=score, model=model)


@operation(preview="none")
def judge(image: Image) -> Verdicts:
    """A report on each plane, with a heat-map of each class."""
    grid = cells(image)
    planes = image.geometry.shape[0]
    moved = []
    for n in range(planes):
        origin = np.add(grid.origin, image.geometry.to_patient((n, 0, 0)) - image.geometry.to_patient((0, 0, 0)))
        moved.append(Geometry(grid.shape, tuple(float(c) for c in origin), grid.spacing, grid.direction))
    return Verdicts(tuple(verdict(n, maps=(a_map(moved[n], seed=n), a_map(moved[n], score="No", seed=n + 50))) for n in range(planes)))


@operation(preview="none", reads_original=True)
def explain(
    image: Image, method: Annotated[str, Choice(("exact", "occlusion", "rise"))] = "occlusion", seed: int = 1, model: str = "m"
) -> Overlay:  # fmt: skip
    """A heat-map of each plane, in one array."""
    return a_map(cells(image, image.geometry.shape[0]), method=method, seed=seed, model=model)
