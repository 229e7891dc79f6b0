"""Brush, eraser and seeds with a host of the test's own; areas against formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from plugins.segment.brush import RIM, Brush, BrushOptions, Eraser, EraserOptions
from plugins.segment.seeds import Seeds
from plugins.segment.stamp import stamp
from tests.plugins.enhance_segment_samples import SPACING, oblique
from viewer.api import Geometry, Triple
from viewer.api.tool import Box, Pointer, Tool, ToolHost
from viewer.core.labels import LabelLayer, Segment
from viewer.core.volume import Volume

SHAPE = (9, 60, 80)


@dataclass
class Stroke:
    host: Host
    title: str
    before: NDArray[np.uint8]

    def paint(self, layer_id: str, box: Box, mask: NDArray[np.bool_], label: int) -> int:
        assert layer_id == "layer"
        part = self.host.array[box]
        assert mask.shape == part.shape
        locked = [s.label for s in self.host.known.segments if s.is_locked]
        change = mask & (part != label) & ~np.isin(part, locked)
        part[change] = label
        return int(change.sum())

    def commit(self) -> None:
        if not np.array_equal(self.before, self.host.array):
            self.host.steps.append(self.title)

    def cancel(self) -> None:
        self.host.array[...] = self.before


@dataclass
class Host:
    geometry: Geometry = field(default_factory=lambda: oblique(SHAPE))
    segments: tuple[Segment, ...] = (Segment(1, "Liver", "#ff0000"), Segment(2, "Kidney", "#00ff00"))
    label: int = 1
    phase: int = 0
    has_layer: bool = True
    steps: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    points: list[Triple] = field(default_factory=list)
    open: int = 0

    def __post_init__(self) -> None:
        self.volume = Volume("v", np.zeros((1, *self.geometry.shape), np.int16), self.geometry)
        self.array = np.zeros(self.geometry.shape, np.uint8)
        self.known = LabelLayer("layer", "Segments", self.geometry, "v", self.segments)

    @property
    def layer(self) -> LabelLayer | None:
        return self.known if self.has_layer else None

    def labels(self) -> NDArray[Any] | None:
        view = self.array.view()
        view.setflags(write=False)
        return view if self.has_layer else None

    def ensure_segment(self) -> tuple[LabelLayer, int]:
        self.has_layer = True
        return self.known, self.label

    def begin(self, title: str, **values: object) -> Stroke:
        return Stroke(self, title.format(**values), self.array.copy())

    def add_point(self, position: Triple) -> None:
        self.points.append(position)

    def remove_point_near(self, position: Triple, distance: float) -> bool:
        near = [p for p in self.points if math.dist(p, position) <= distance]
        if near:
            self.points.remove(min(near, key=lambda p: math.dist(p, position)))
        return bool(near)

    def say(self, text: str) -> None:
        self.said.append(text)

    def at(self, plane: float, row: float, column: float, axis: int = 0, **keys: bool) -> Pointer:
        x, y, z = self.geometry.to_patient((plane, row, column))
        return Pointer((float(x), float(y), float(z)), (plane, row, column), axis, 0.5, **keys)


def drag(tool: Any, host: Host, *places: Pointer) -> None:
    real = cast(ToolHost, host)
    tool.press(real, places[0])
    for place in places[1:]:
        tool.move(real, place)
    tool.release(real, places[-1])


def brush(radius: float = 4.0, shape: Any = "disc") -> Brush:
    tool = Brush()
    tool.options = BrushOptions(radius, shape)
    return tool


def within(geometry: Geometry, start: Triple, end: Triple, radius: float) -> NDArray[np.bool_]:
    """Voxels whose centres lie within a radius of a line, by their places in space."""
    places = geometry.to_patient(np.moveaxis(np.indices(geometry.shape), 0, -1))
    a, way = np.asarray(start), np.asarray(end) - np.asarray(start)
    share = np.clip(((places - a) @ way) / max(float(way @ way), 1e-30), 0, 1)
    return cast(NDArray[np.bool_], np.linalg.norm(places - a - share[..., None] * way, axis=-1) <= radius)


# --- brush ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_disc_is_round_in_mm_on_the_plane_of_the_view(axis: int) -> None:
    host = Host()
    pointer = host.at(4, 30, 40, axis)
    drag(brush(6.1), host, pointer)
    want = within(host.geometry, pointer.position, pointer.position, 6.1)
    only = np.zeros(SHAPE, bool)
    only[tuple(slice(n, n + 1) if k == axis else slice(None) for k, n in enumerate((4, 30, 40)))] = True
    assert np.array_equal(host.array == 1, want & only)
    area = (host.array == 1).sum() * np.prod([s for k, s in enumerate(SPACING) if k != axis])
    assert area == pytest.approx(math.pi * 6.1**2, rel=0.15)


def test_ball_reaches_the_planes_beside_it() -> None:
    host = Host()
    pointer = host.at(4, 30, 40)
    drag(brush(7.05, "ball"), host, pointer)
    assert np.array_equal(host.array == 1, within(host.geometry, pointer.position, pointer.position, 7.05))
    assert (host.array == 1).any(axis=(1, 2)).sum() == 5


@given(
    st.integers(0, 2), st.floats(0.3, 9), st.booleans(),
    st.tuples(st.floats(-5, 65), st.floats(-5, 85)), st.tuples(st.floats(-5, 65), st.floats(-5, 85)),
)  # fmt: skip
def test_stamp_is_the_capsule_between_two_places(
    axis: int, radius: float, ball: bool, first: tuple[float, float], second: tuple[float, float]
) -> None:
    geometry = oblique((12, 40, 50))
    ends = []
    for a, b in (first, second):
        index = [a, b]
        index.insert(axis, 7.0)
        ends.append(tuple(float(c) for c in geometry.to_patient(index)))
    made = stamp(geometry, ends[0], ends[1], axis, radius, ball=ball)  # type: ignore[arg-type]
    got = np.zeros(geometry.shape, bool)
    if made is not None:
        got[made.box] = made.mask
    # A hair of tolerance at the rim, and the voxels under the ends whatever the radius.
    sure, possible = (within(geometry, ends[0], ends[1], radius + d) for d in (-1e-3, 1e-3))  # type: ignore[arg-type]
    if not ball:
        plane = np.arange(geometry.shape[axis]) == 7
        sure, possible = (m & plane.reshape([-1 if k == axis else 1 for k in range(3)]) for m in (sure, possible))
    for end in ends:
        under = geometry.nearest(end)
        if under is not None:
            sure[under] = possible[under] = True
    assert not (sure & ~got).any()
    assert not (got & ~possible).any()


def test_drag_leaves_no_gap_and_is_one_step() -> None:
    host = Host()
    places = [host.at(4, 10, 5), host.at(4, 12, 60), host.at(4, 50, 70)]
    drag(brush(2.03), host, *places)
    want = np.zeros(SHAPE, bool)
    for a, b in ((0, 1), (1, 2)):
        want |= within(host.geometry, places[a].position, places[b].position, 2.03)
    want[np.arange(SHAPE[0]) != 4] = False
    assert np.array_equal(host.array == 1, want)
    assert host.steps == ["Brush stroke: Liver"]


def test_click_with_the_smallest_brush_paints_the_voxel_under_it() -> None:
    host = Host()
    drag(brush(0.1), host, host.at(4.3, 10.4, 20.45))
    assert list(map(tuple, np.argwhere(host.array))) == [(4, 10, 20)]


def test_scrolling_during_a_drag_does_not_smear_between_planes() -> None:
    host = Host()
    drag(brush(1.0), host, host.at(3, 10, 10), host.at(4, 50, 70))
    assert not host.array[4, 20:40].any()
    assert host.array[4, 50, 70] == 1


def test_control_erases_the_active_segment_only() -> None:
    host = Host()
    host.array[4] = 1
    host.array[4, :, 40:] = 2
    drag(brush(3.0), host, host.at(4, 30, 40, control=True))
    assert not (host.array == 1)[within(host.geometry, host.at(4, 30, 40).position, host.at(4, 30, 40).position, 3.0)].any()
    assert (host.array[4, :, 40:] == 2).all()
    assert host.steps == ["Erase: Liver"]


def test_cancel_puts_everything_back_and_later_moves_do_nothing() -> None:
    host = Host()
    tool = brush()
    real = cast(ToolHost, host)
    tool.press(real, host.at(4, 30, 40))
    assert host.array.any()
    tool.cancel(real)
    tool.move(real, host.at(4, 10, 10))
    tool.release(real, host.at(4, 10, 10))
    assert not host.array.any()
    assert host.steps == []


def test_locked_segment_is_not_painted_and_named() -> None:
    host = Host(segments=(Segment(1, "Liver", "#ff0000", is_locked=True),))
    drag(brush(), host, host.at(4, 30, 40), host.at(4, 30, 50))
    assert not host.array.any()
    assert host.said == ["Liver is locked."]


def test_hidden_segment_is_painted_and_named() -> None:
    host = Host(segments=(Segment(1, "Liver", "#ff0000", is_visible=False),))
    drag(brush(), host, host.at(4, 30, 40), host.at(4, 30, 50))
    assert host.array.any()
    assert host.said == ["Liver is hidden; it is painted all the same."]


def test_locked_neighbour_is_kept_and_named_once_a_stroke() -> None:
    host = Host(segments=(Segment(1, "Liver", "#ff0000"), Segment(2, "Kidney", "#00ff00", is_locked=True)))
    host.array[4, :, 42:] = 2
    drag(brush(), host, host.at(4, 30, 40), host.at(4, 30, 50), host.at(4, 40, 50))
    assert (host.array[4, :, 42:] == 2).all()
    assert (host.array == 1).any()
    assert host.said == ["Kidney is locked."]


def test_first_stroke_in_an_image_without_segments_asks_for_one() -> None:
    host = Host(has_layer=False)
    drag(brush(), host, host.at(4, 30, 40))
    assert host.array[4, 30, 40] == 1


def test_pointer_outside_the_image_paints_what_reaches_in() -> None:
    host = Host()
    drag(brush(3.0), host, host.at(4, -2, 40))
    assert np.array_equal(host.array[4] == 1, within(host.geometry, host.at(4, -2, 40).position, host.at(4, -2, 40).position, 3.0)[4])
    drag(brush(1.0), host, host.at(4, -40, 40))
    assert len(host.steps) == 1


def test_rim_is_an_ellipse_of_the_radius_in_the_plane_of_the_view() -> None:
    host = Host()
    for axis in (0, 1, 2):
        (rim,) = brush(6.0).shapes(cast(ToolHost, host), host.at(4, 30, 40, axis))
        centre, *ends = (np.asarray(p) for p in rim.points)
        assert (rim.id, rim.shape, rim.axis, rim.color) == (RIM, "ellipse", axis, "#ff0000")
        np.testing.assert_allclose(centre, host.at(4, 30, 40).position)
        for end in ends:
            assert np.linalg.norm(end - centre) == pytest.approx(6.0)
            assert (end - centre) @ host.geometry.vector(axis) == pytest.approx(0, abs=1e-9)
        assert (ends[0] - centre) @ (ends[1] - centre) == pytest.approx(0, abs=1e-9)
    assert brush().shapes(cast(ToolHost, host), None) == ()


# --- eraser --------------------------------------------------------------------------------------------------------


def test_eraser_takes_the_active_segment_or_all() -> None:
    host = Host(segments=(Segment(1, "Liver", "#f00"), Segment(2, "Kidney", "#0f0"), Segment(3, "Spine", "#00f", is_locked=True)))
    host.array[4, :, :30], host.array[4, :, 30:50], host.array[4, :, 50:] = 1, 2, 3
    eraser = Eraser()
    eraser.options = EraserOptions(10.0, "disc", "active segment")
    drag(eraser, host, host.at(4, 30, 30))
    assert (host.array[4, :, 30:50] == 2).all()
    assert host.array[4, 30, 29] == 0
    eraser.options = EraserOptions(20.0, "disc", "all segments")
    drag(eraser, host, host.at(4, 30, 40))
    assert host.array[4, 30, 49] == 0
    assert (host.array[4, :, 50:] == 3).all()
    assert host.said == ["Spine is locked."]
    assert host.steps == ["Erase: Liver", "Erase"]


def test_eraser_says_so_where_there_is_nothing_to_erase() -> None:
    host = Host(has_layer=False)
    drag(Eraser(), host, host.at(4, 30, 40))
    assert host.said == ["There is no segment to erase."]
    assert host.steps == []


# --- seeds ---------------------------------------------------------------------------------------------------------


def test_click_adds_a_seed_and_shift_click_removes_the_nearest() -> None:
    host = Host()
    tool = Seeds()
    drag(tool, host, host.at(4, 10, 10))
    drag(tool, host, host.at(4, 13, 10))
    assert len(host.points) == 2
    drag(tool, host, host.at(4, 12, 10, shift=True))
    np.testing.assert_allclose(host.points, [host.at(4, 10, 10).position])
    drag(tool, host, host.at(4, 50, 70, shift=True))
    drag(tool, host, host.at(4, 10, 95))
    assert host.said == ["There is no seed to remove here.", "Click inside the image."]
    assert len(host.points) == 1


def test_tools_are_tools() -> None:
    tools: list[Tool] = [Brush(), Eraser(), Seeds()]
    assert [type(t.options).__name__ for t in tools] == ["BrushOptions", "EraserOptions", "NoneType"]
