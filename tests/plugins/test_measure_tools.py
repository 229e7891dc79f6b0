"""Drawing and changing measurements with the mouse, held against a host that keeps what it is given."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugins.measure.distance import Distance
from plugins.measure.drag import DrawTool
from plugins.measure.ellipse import Ellipse
from viewer.api import Geometry
from viewer.api.tool import Annotation, Pointer
from viewer.core.operation import describe, load
from viewer.core.volume import Volume

MANIFEST = tomllib.loads((Path(__file__).parents[2] / "plugins" / "measure" / "plugin.toml").read_text())
DIRECTION = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)
GEOMETRY = Geometry((12, 60, 80), origin=(10.0, -20.0, 30.0), spacing=(3.0, 0.7, 0.5), direction=DIRECTION)


class FakeGesture:
    """Shows changes at once, as the document does; a commit makes one step."""

    def __init__(self, host: FakeHost) -> None:
        self.host, self.before = host, dict(host.items)

    def put(self, item: Annotation) -> None:
        self.host.items[item.id] = item

    def paint(self, *_: Any) -> int:
        raise NotImplementedError

    def commit(self) -> None:
        if self.host.items != self.before:
            self.host.steps += 1

    def cancel(self) -> None:
        self.host.items = self.before


class FakeHost:
    layer, label = None, 0

    def __init__(self, geometry: Geometry = GEOMETRY, phases: int = 1, phase: int = 0) -> None:
        data = np.random.default_rng(0).integers(0, 1000, (phases, *geometry.shape)).astype(np.int16)
        self.original = self.volume = Volume("root", data, geometry, unit="HU")
        self.phase = phase
        self.items: dict[str, Annotation] = {}
        self.steps = 0

    def begin(self, title: str, **values: object) -> FakeGesture:
        assert title.format(**values)
        return FakeGesture(self)

    def annotations(self) -> tuple[Annotation, ...]:
        return tuple(self.items.values())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AssertionError(f"the tool asked for {name}")


def at(host: FakeHost, index: tuple[float, float, float], axis: int = 0, pixel: float = 0.1, **keys: bool) -> Pointer:
    x, y, z = host.volume.geometry.to_patient(index).tolist()
    return Pointer((x, y, z), index, axis, pixel, **keys)


def drag(tool: DrawTool, host: Any, *pointers: Pointer) -> None:
    tool.press(host, pointers[0])
    for pointer in pointers[1:]:
        tool.move(host, pointer)
    tool.release(host, pointers[-1])


def only(host: FakeHost) -> Annotation:
    assert len(host.items) == 1
    return next(iter(host.items.values()))


def measures(item: Annotation) -> dict[str, float | None]:
    return {m.name: m.value for m in item.measures}


@pytest.mark.parametrize(("axis", "end"), [(0, (5, 30, 50)), (1, (9, 10, 50)), (2, (9, 30, 20))])
def test_a_drag_draws_a_distance_in_one_step(axis: int, end: tuple[float, float, float]) -> None:
    host = FakeHost(phases=3, phase=2)
    start = (5.0, 10.0, 20.0)
    drag(Distance(), host, at(host, start, axis), at(host, (5, 12, 22), axis), at(host, end, axis))
    item = only(host)
    expected = np.linalg.norm((np.array(end) - start) * GEOMETRY.spacing)
    assert host.steps == 1
    assert (item.shape, item.axis, item.phase, item.volume_id) == ("distance", axis, 2, "root")
    assert measures(item) == {"Length": pytest.approx(expected)}
    np.testing.assert_allclose(item.points, GEOMETRY.to_patient([start, end]), atol=1e-9)


def test_the_rubber_band_is_shown_and_not_kept() -> None:
    host, tool = FakeHost(), Distance()
    tool.press(host, at(host, (5, 10, 20)))
    tool.move(host, at(host, (5, 30, 50)))
    band = tool.shapes(host, None)
    assert [measures(b)["Length"] for b in band] == [pytest.approx(math.hypot(14, 15))]
    assert host.items == {}
    tool.cancel(host)
    assert tool.shapes(host, None) == ()
    tool.release(host, at(host, (5, 30, 50)))
    assert (host.items, host.steps) == ({}, 0)


def test_a_click_draws_nothing() -> None:
    host = FakeHost()
    for tool in (Distance(), Ellipse()):
        drag(tool, host, at(host, (5, 10, 20)), at(host, (5, 10, 20.2)))
    assert (host.items, host.steps) == ({}, 0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_shift_keeps_a_distance_to_steps_of_15_degrees(axis: int) -> None:
    host = FakeHost()
    end = [5.0 + 4, 10.0 + 17, 20.0 + 23]
    end[axis] = (5.0, 10.0, 20.0)[axis]
    drag(Distance(), host, at(host, (5, 10, 20), axis), at(host, (end[0], end[1], end[2]), axis, shift=True))
    index = GEOMETRY.to_index(np.asarray(only(host).points))
    moves = (index[1] - index[0]) * GEOMETRY.spacing
    first, second = (n for n in (2, 1, 0) if n != axis)
    angle = math.degrees(math.atan2(moves[second], moves[first]))
    assert abs(angle / 15 - round(angle / 15)) < 1e-9
    assert abs(moves[axis]) < 1e-9
    assert np.linalg.norm(moves) == pytest.approx(np.linalg.norm((np.array(end) - (5, 10, 20)) * GEOMETRY.spacing))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_ellipse_fills_the_box_from_corner_to_corner(axis: int) -> None:
    host = FakeHost()
    end = [9.0, 30.0, 60.0]
    end[axis] = (5.0, 10.0, 20.0)[axis]
    drag(Ellipse(), host, at(host, (5, 10, 20), axis), at(host, (end[0], end[1], end[2]), axis))
    item = only(host)
    sides = (np.array(end) - (5, 10, 20)) * GEOMETRY.spacing
    others = [n for n in (2, 1, 0) if n != axis]
    np.testing.assert_allclose(item.points[0], GEOMETRY.to_patient(np.mean([end, (5, 10, 20)], axis=0)), atol=1e-9)
    halves = np.linalg.norm(np.asarray(item.points[1:]) - np.asarray(item.points[0]), axis=1)
    np.testing.assert_allclose(halves, [abs(sides[n]) / 2 for n in others])
    assert measures(item)["Area"] == pytest.approx(math.pi * halves[0] * halves[1])
    assert measures(item)["Mean"] is not None
    assert host.steps == 1


def test_shift_makes_a_circle() -> None:
    host = FakeHost()
    drag(Ellipse(), host, at(host, (5, 10, 20)), at(host, (5, 30, 60), shift=True))
    halves = np.linalg.norm(np.asarray(only(host).points[1:]) - np.asarray(only(host).points[0]), axis=1)
    np.testing.assert_allclose(halves, 10.0)


def test_a_thin_ellipse_keeps_an_inside() -> None:
    host = FakeHost()
    drag(Ellipse(), host, at(host, (5, 10, 20)), at(host, (5, 10, 60)))
    area = measures(only(host))["Area"]
    assert area is not None
    assert area > 0


def test_a_handle_moves_the_end_in_one_step_without_a_jump() -> None:
    host = FakeHost()
    drag(Distance(), host, at(host, (5, 10, 20)), at(host, (5, 30, 50)))
    before = only(host)
    # Taken 0.3 mm beside the end, within 8 pixels of 0.1 mm.
    drag(Distance(), host, at(host, (5, 30, 50.6)), at(host, (5, 33, 55.6)), at(host, (5, 40, 60.6)))
    after = only(host)
    assert host.steps == 2
    assert (after.id, after.points[0]) == (before.id, before.points[0])
    np.testing.assert_allclose(after.points[1], GEOMETRY.to_patient((5, 40, 60)), atol=1e-9)
    assert measures(after)["Length"] == pytest.approx(math.hypot(30 * 0.7, 40 * 0.5))


def test_an_ellipse_is_changed_by_the_other_end_of_its_axis_and_measured_anew() -> None:
    host = FakeHost()
    drag(Ellipse(), host, at(host, (5, 10, 20)), at(host, (5, 30, 60)))
    drag(Ellipse(), host, at(host, (5, 20, 20)), at(host, (5, 20, 10)))
    item = only(host)
    halves = np.linalg.norm(np.asarray(item.points[1:]) - np.asarray(item.points[0]), axis=1)
    np.testing.assert_allclose(halves, [15.0, 7.0])
    assert measures(item)["Area"] == pytest.approx(math.pi * 105)
    assert measures(item)["Mean"] is not None


def test_taking_a_handle_without_moving_is_no_step() -> None:
    host = FakeHost()
    drag(Distance(), host, at(host, (5, 10, 20)), at(host, (5, 30, 50)))
    before = dict(host.items)
    drag(Distance(), host, at(host, (5, 30, 50.5)), at(host, (5, 35, 50)), at(host, (5, 30, 50.5)))
    assert (host.items, host.steps) == (before, 1)


def test_esc_puts_a_moved_handle_back() -> None:
    host, tool = FakeHost(), Distance()
    drag(tool, host, at(host, (5, 10, 20)), at(host, (5, 30, 50)))
    before = dict(host.items)
    tool.press(host, at(host, (5, 30, 50)))
    tool.move(host, at(host, (5, 40, 60)))
    assert host.items != before
    tool.cancel(host)
    assert (host.items, host.steps) == (before, 1)


def test_handles_of_other_planes_and_views_are_left_alone() -> None:
    host = FakeHost()
    drag(Distance(), host, at(host, (5, 10, 20)), at(host, (5, 30, 50)))
    first = only(host)
    drag(Distance(), host, at(host, (6, 30, 50)), at(host, (6, 40, 60)))
    drag(Distance(), host, at(host, (5, 30, 50), axis=1), at(host, (8, 30, 60), axis=1))
    assert len(host.items) == 3
    assert host.items[first.id] == first


def test_scrolling_meanwhile_keeps_the_shape_in_its_plane() -> None:
    host = FakeHost()
    drag(Distance(), host, at(host, (5, 10, 20)), at(host, (8, 30, 50)))
    np.testing.assert_allclose(GEOMETRY.to_index(np.asarray(only(host).points))[:, 0], 5, atol=1e-9)


def test_without_spacing_a_distance_is_in_pixels() -> None:
    host = FakeHost(Geometry((1, 60, 80), is_patient=False, in_plane_known=False, between_known=False))
    drag(Distance(), host, at(host, (0, 10, 20)), at(host, (0, 13, 24)))
    assert [(m.value, m.unit) for m in only(host).measures] == [(5.0, "px")]


def test_a_large_ellipse_has_its_values_only_at_the_end() -> None:
    host, tool = FakeHost(Geometry((1, 700, 800), spacing=(1.0, 0.5, 0.5))), Ellipse()
    tool.press(host, at(host, (0, 10, 10)))
    tool.move(host, at(host, (0, 690, 790)))
    assert list(measures(tool.shapes(host, None)[0])) == ["Area", "Perimeter"]
    tool.release(host, at(host, (0, 690, 790)))
    assert measures(only(host))["Pixels"] == pytest.approx(math.pi * 340 * 390, rel=1e-3)


def test_the_manifest_names_what_is_there() -> None:
    for entry in MANIFEST["operation"]:
        spec = describe(entry["name"], entry["run"], "measure")
        assert spec.help
        assert all(p.label for p in spec.parameters)
    assert [e["name"] for e in MANIFEST["operation"]] == [
        "Measure/Segment statistics", "Measure/Sobel", "Measure/Hough lines", "Measure/Hough circles", "Measure/Gabor",
    ]  # fmt: skip
    icons = Path(__file__).parents[2] / "resources" / "icons"
    for entry in MANIFEST["tool"]:
        tool = load(entry["run"])()
        assert isinstance(tool, DrawTool)
        assert tool.options is None
        assert (icons / f"{entry['icon']}.svg").is_file()
