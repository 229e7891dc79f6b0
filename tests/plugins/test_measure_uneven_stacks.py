"""Measures on stacks that lean or have uneven gaps: exact, or refused. Expected values by arithmetic on the planes' own places."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from plugins.measure.drag import in_plane_of
from plugins.measure.segment import segment_statistics
from plugins.segment.stamp import stamp
from viewer.api import Geometry, Image, Mask
from viewer.core.annotation import Annotation
from viewer.core.measure import measure_annotation
from viewer.core.volume import Volume
from viewer.session.planes import plane_geometry

LEAN = float(np.tan(np.radians(20)))


def grid(heights: tuple[float, ...], lean: float, *, known: bool) -> Geometry:
    origins = tuple((10.0, -20.0 + lean * h, 30.0 + h) for h in heights)
    return Geometry((len(heights), 30, 20), origins[0], (float(np.median(np.diff(heights))), 0.5, 2.0), between_known=known, plane_origins=origins)


LEANING = grid(tuple(3.0 * n for n in range(12)), LEAN, known=True)
UNEVEN = grid((0.0, 3.0, 6.0, 9.0, 18.0, 21.0), 0.0, known=False)


def numbers(geometry: Geometry, inside: np.ndarray) -> dict[str, Any]:
    image = Image(np.ones(geometry.shape, np.float32), geometry)
    found = segment_statistics(image, mask=Mask(inside, geometry))
    return {c.head: v for c, v in zip(found.columns, found.rows[0], strict=True)}


def ellipse(geometry: Geometry, axis: int) -> Annotation:
    centre = np.array([3.0, 10.0, 8.0])
    others = [n for n in range(3) if n != axis]
    ends = [centre + np.eye(3)[n] * 2 for n in others]
    points = tuple(tuple(float(c) for c in geometry.to_patient(p)) for p in (centre, *ends))
    return Annotation("a", "ellipse", "v", points, axis)  # type: ignore[arg-type]


def measured(annotation: Annotation, geometry: Geometry) -> dict[str, float | None]:
    volume = Volume("v", np.ones((1, *geometry.shape), np.int16), geometry)
    return {m.name: m.value for m in measure_annotation(annotation, volume).measures}


def test_volume_and_diameter_of_a_leaning_stack_are_those_of_the_true_places() -> None:
    inside = np.zeros(LEANING.shape, bool)
    inside[2:10, 5:9, 3:6] = True
    found = numbers(LEANING, inside)
    # The area of a pixel times the distance along the normal, however far the planes are shifted.
    assert found["Volume (mm³)"] == pytest.approx(np.count_nonzero(inside) * 3.0 * 0.5 * 2.0)
    places = LEANING.to_patient(np.argwhere(inside))
    apart = max(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(places, 2))
    assert found["Longest diameter (mm)"] == pytest.approx(apart, abs=1e-9)
    assert apart > 1.05 * float(np.linalg.norm([7 * 3.0, 3 * 0.5, 2 * 2.0]))  # what a rectangular grid would have said


def test_the_surface_of_a_leaning_stack_is_that_of_the_leaning_block() -> None:
    tall = grid(tuple(3.0 * n for n in range(40)), 1.0, known=True)
    geometry = replace(tall, shape=(40, 200, 100))
    inside = np.zeros(geometry.shape, bool)
    inside[2:38, 50:150, 20:80] = True
    a, b, h = 60 * 2.0, 100 * 0.5, 36 * 3.0
    expected = 2 * a * b + 2 * b * h + 2 * a * h * float(np.sqrt(2))  # a rectangular block would have a fifth less
    assert numbers(geometry, inside)["Surface area (mm²)"] == pytest.approx(expected, rel=0.05)


def test_d59_across_uneven_planes_nothing_is_measured_and_in_a_plane_everything() -> None:
    inside = np.zeros(UNEVEN.shape, bool)
    inside[1:5, 5:9, 3:6] = True
    found = numbers(UNEVEN, inside)
    assert (found["Volume (mm³)"], found["Longest diameter (mm)"], found["Surface area (mm²)"]) == (None, None, None)
    flat = UNEVEN.cropped((2, 0, 0), (1, 30, 20))
    assert next(v for k, v in numbers(flat, inside[2:3]).items() if "mm²" in k) == pytest.approx(12 * 0.5 * 2.0)
    coronal = plane_geometry(UNEVEN, 1, 6)
    assert next(v for k, v in numbers(coronal, np.ones(coronal.shape, bool)).items() if "mm²" in k) is None


@pytest.mark.parametrize(("geometry", "axis", "is_known"), [(UNEVEN, 0, True), (UNEVEN, 1, False), (LEANING, 0, True), (LEANING, 1, False)])
def test_an_ellipse_has_an_area_only_where_the_grid_is_square(geometry: Geometry, axis: int, is_known: bool) -> None:
    found = measured(ellipse(geometry, axis), geometry)
    assert found["Area"] == (pytest.approx(np.pi * (2 * 0.5) * (2 * 2.0)) if is_known else None)


def test_a_distance_across_a_leaning_stack_is_true_and_across_an_uneven_one_refused() -> None:
    def line(geometry: Geometry) -> Annotation:
        ends = [tuple(float(c) for c in geometry.to_patient(i)) for i in ((0, 4, 4), (5, 4, 4))]
        return Annotation("a", "distance", "v", (ends[0], ends[1]), 1)  # type: ignore[arg-type]

    assert measured(line(LEANING), LEANING)["Length"] == pytest.approx(15 * np.hypot(1, LEAN))
    assert measured(line(UNEVEN), UNEVEN)["Length"] is None


def test_the_end_of_a_line_stays_in_the_drawn_plane_of_a_leaning_stack() -> None:
    start, end = (tuple(float(c) for c in LEANING.to_patient(i)) for i in ((0, 4, 4), (7, 4, 9)))
    np.testing.assert_allclose(in_plane_of(start, end, LEANING, 1), end, atol=1e-9)  # type: ignore[arg-type]


@pytest.mark.parametrize("geometry", [LEANING, UNEVEN, LEANING.permuted((2, 0, 1))], ids=["leaning", "uneven", "permuted"])
def test_a_ball_brush_covers_what_is_within_its_radius_of_the_line(geometry: Geometry) -> None:
    axis = geometry.plane_axis
    middle = [n // 2 for n in geometry.shape]
    first, last = list(middle), list(middle)
    last[(axis + 1) % 3] += 3
    ends = [np.asarray(geometry.to_patient(p)) for p in (first, last)]
    made = stamp(geometry, tuple(ends[0].tolist()), tuple(ends[1].tolist()), axis, 7.0, ball=True)
    assert made is not None
    covered = np.zeros(geometry.shape, bool)
    covered[made.box] = made.mask
    places = geometry.to_patient(np.stack(np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij"), -1))
    way = ends[1] - ends[0]
    share = np.clip((places - ends[0]) @ way / (way @ way), 0, 1)
    away = np.linalg.norm(places - ends[0] - share[..., None] * way, axis=-1)
    assert covered[away < 6.999].all()
    assert not covered[away > 7.001].any()
    assert np.count_nonzero(covered.any(axis=tuple(n for n in range(3) if n != axis))) > 2
