from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QPainterPath
from skimage.measure import find_contours

from viewer.draw import contours
from viewer.draw.contours import MOST_POINTS, Contour, Outlines, outline, path_of, simplified, smoothed, trace


def points_of(path: QPainterPath) -> list[tuple[float, float]]:
    return [(path.elementAt(i).y, path.elementAt(i).x) for i in range(path.elementCount())]  # type: ignore[attr-defined]


def masks() -> list[NDArray[np.bool_]]:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:40, :60]
    ring = ((y - 20) ** 2 + (x - 25) ** 2 < 300) & ((y - 20) ** 2 + (x - 25) ** 2 > 80)
    return [ring, rng.random((30, 20)) > 0.5, np.eye(7, dtype=bool), np.ones((4, 5), dtype=bool), np.fliplr(np.eye(6, dtype=bool))]


@pytest.mark.parametrize("number", range(5))
def test_boundaries_are_those_of_scikit_image(number: int) -> None:
    padded = np.pad(masks()[number], 1)
    points, begins = trace(padded)
    found = {tuple(p) for p in points.tolist()}
    lines = find_contours(padded.astype(float), 0.5, fully_connected="low")
    assert found == {tuple(p) for line in lines for p in line.tolist()}
    assert begins.sum() == len(lines)
    assert sorted(np.diff(np.append(np.flatnonzero(begins), len(points)))) == sorted(len(line) - 1 for line in lines)


@pytest.mark.parametrize("number", range(5))
def test_every_boundary_is_a_closed_walk_of_short_steps(number: int) -> None:
    points, begins = trace(np.pad(masks()[number], 1))
    for cycle in np.split(points, np.flatnonzero(begins)[1:]):
        steps = np.linalg.norm(np.roll(cycle, -1, axis=0) - cycle, axis=1)
        assert steps.max() <= 1.0


def test_an_outline_lies_around_its_pixels_in_picture_units() -> None:
    mask = np.zeros((10, 12), dtype=np.bool_)
    mask[2:5, 7:9] = True
    box = outline(mask).boundingRect()
    assert (box.top(), box.bottom(), box.left(), box.right()) == (2, 5, 7, 9)
    box = outline(mask, (3.0, 1.0)).boundingRect()
    assert (box.top(), box.bottom(), box.left(), box.right()) == (6, 15, 7, 9)


def test_one_pixel_keeps_its_outline_and_nothing_has_none() -> None:
    mask = np.zeros((3, 3), dtype=np.bool_)
    assert outline(mask).isEmpty()
    mask[1, 1] = True
    assert outline(mask).boundingRect().width() == 1


def test_smoothing_moves_by_less_than_half_a_pixel() -> None:
    points, begins = trace(np.pad(masks()[0], 1))
    assert 0 < np.linalg.norm(smoothed(points, begins) - points, axis=1).max() < 0.5


def test_paths_are_closed_one_by_one() -> None:
    points = np.array([[0, 0], [0, 1], [1, 1], [5, 5], [5, 6], [6, 5]], dtype=float)
    path = path_of(points, np.array([True, False, False, True, False, False]))
    assert points_of(path) == [(0, 0), (0, 1), (1, 1), (0, 0), (5, 5), (5, 6), (6, 5), (5, 5)]
    assert [path.elementAt(i).isMoveTo() for i in range(8)] == [True, False, False, False, True, False, False, False]  # type: ignore[attr-defined]


def test_salt_and_pepper_has_no_outline() -> None:
    noise = np.indices((300, 300)).sum(axis=0) % 2 == 0
    assert 4 * noise.sum() > MOST_POINTS
    assert outline(noise).isEmpty()


def distances(points: NDArray[np.float64], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each point to the closed line."""
    start, end = line, np.roll(line, -1, axis=0)
    along = end - start
    part = np.clip(((points[:, None] - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12), 0, 1)
    return np.linalg.norm(points[:, None] - (start + part[..., None] * along), axis=-1).min(axis=1)


@pytest.mark.parametrize("number", range(5))
def test_leaving_out_points_moves_the_line_by_less_than_a_fifth_of_a_pixel(number: int) -> None:
    points, begins = trace(np.pad(masks()[number], 1))
    points = smoothed(points, begins)
    fewer, starts = simplified(points, begins)
    assert starts.sum() == begins.sum()
    before, after = np.split(points, np.flatnonzero(begins)[1:]), np.split(fewer, np.flatnonzero(starts)[1:])
    for whole, part in zip(before, after, strict=True):
        assert {tuple(p) for p in part.tolist()} <= {tuple(p) for p in whole.tolist()}
        assert distances(whole, part).max() < 0.2


def test_a_round_outline_needs_less_than_half_its_points() -> None:
    y, x = np.mgrid[:150, :150]
    points, begins = trace((y - 75) ** 2 + (x - 75) ** 2 < 60**2)
    points = smoothed(points, begins)
    assert len(simplified(points, begins)[0]) < 0.5 * len(points)


def test_outlines_are_kept_by_slice_until_the_segments_change(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        contours, "contours_of", lambda state, document: asked.append(state.index) or (Contour(state.index, "#FFFFFF", QPainterPath()),)
    )
    kept, document = Outlines(most=2), SimpleNamespace()
    for index in (1, 2, 1, 2, 3, 1):
        (found,) = kept.of(SimpleNamespace(layers=("a",), layout="axial", index=index), document)
        assert found.label == index
    assert asked == [1, 2, 3, 1]
    kept.of(SimpleNamespace(layers=("b",), layout="axial", index=1), document)
    kept.of(SimpleNamespace(layers=("b",), layout="coronal", index=1), document)
    kept.clear()
    kept.of(SimpleNamespace(layers=("b",), layout="coronal", index=1), document)
    assert asked[4:] == [1, 1, 1]


def test_kept_outlines_are_limited_by_their_points_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = (SimpleNamespace(path=outline(masks()[0])),)
    monkeypatch.setattr(contours, "contours_of", lambda state, document: ring)
    size = ring[0].path.elementCount()
    kept = Outlines(most_points=3 * size)
    for index in range(20):
        kept.of(SimpleNamespace(layers=(), layout="axial", index=index), SimpleNamespace())
    assert 3 * size <= kept._points() <= 4 * size
