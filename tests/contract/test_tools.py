"""What every mouse tool inherits by being registered: a gesture is one step or none, a cancel leaves nothing, undo restores."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.core.annotation import Annotation
from viewer.core.geometry import Triple
from viewer.core.labels import LabelLayer, Segment
from viewer.core.operation import load
from viewer.core.tool import Gesture, Pointer, Tool
from viewer.core.volume import Volume
from viewer.session.document import Document
from viewer.session.history import Origin

sys.path.insert(0, str(Path(__file__).parent))
from contract_samples import GEOMETRY, REGISTRY, made_volume

TOOLS = {entry.name: entry.run for entry in REGISTRY.tools}
every_tool = pytest.mark.parametrize("name", sorted(TOOLS))
every_axis = pytest.mark.parametrize("axis", [0, 1, 2])
LONGEST_EVENT_S = 0.05
"""Ten times what an event may take, since other work runs on the machine of the tests."""


class Host:
    """The least that satisfies ToolHost, on a real document."""

    def __init__(self, *, segments: bool = True, locked: bool = False) -> None:
        self.document = Document()
        self.document.add_source(made_volume())
        self.phase, self.label = 0, 1
        self.said: list[str] = []
        self.points: list[Triple] = []
        self._pending: LabelLayer | None = None
        if segments:
            with self.document.edit("Segments") as edit:
                edit.put(
                    LabelLayer(
                        "layer-a", "Layer", GEOMETRY, "volume-a", (Segment(1, "One", "#ff0000", is_locked=locked), Segment(2, "Two", "#00ff00"))
                    )
                )
                edit.write("layer-a", ((0, 6), (0, 40), (0, 44)), np.full(GEOMETRY.shape, 1, np.uint8))
                edit.write("layer-a", ((2, 4), (10, 30), (10, 30)), np.full((2, 20, 20), 2, np.uint8))

    @property
    def volume(self) -> Volume:
        return self.document.current("volume-a")

    @property
    def original(self) -> Volume:
        return self.document.volume("volume-a")

    @property
    def layer(self) -> LabelLayer | None:
        layers = self.document.layers_of("volume-a")
        return layers[0] if layers else None

    def labels(self) -> NDArray[Any] | None:
        return self.document.labels(self.layer.id) if self.layer else None

    def ensure_segment(self) -> tuple[LabelLayer, int]:
        if self.layer is not None:
            return self.layer, self.label
        self._pending = LabelLayer("layer-new", "Segments", GEOMETRY, "volume-a", (Segment(1, "Segment 1", "#ff0000"),))
        return self._pending, 1

    def begin(self, title: str, **values: Any) -> Gesture:
        edit = self.document.edit(title, origin=Origin("tool"), **values)
        if self._pending is not None:
            edit.put(self._pending)
            self._pending = None
        return edit

    def add_point(self, position: Triple) -> None:
        self.points.append(position)

    def remove_point_near(self, position: Triple, distance: float) -> bool:
        near = [p for p in self.points if np.linalg.norm(np.subtract(p, position)) <= distance]
        if near:
            self.points.remove(near[0])
        return bool(near)

    def annotations(self) -> tuple[Annotation, ...]:
        return self.document.annotations_of("volume-a")

    def say(self, text: str) -> None:
        self.said.append(text)


def pointer(axis: int, row: float, column: float, **keys: bool) -> Pointer:
    """A place on the middle plane along an axis; row and column as fractions of the plane's sides."""
    index = [0.0, 0.0, 0.0]
    first, second = (a for a in (0, 1, 2) if a != axis)
    index[axis] = float(GEOMETRY.shape[axis] // 2)
    index[first], index[second] = row * (GEOMETRY.shape[first] - 1), column * (GEOMETRY.shape[second] - 1)
    x, y, z = (float(c) for c in GEOMETRY.to_patient(index))
    return Pointer((x, y, z), (index[0], index[1], index[2]), axis, 0.2, **keys)


def drag(tool: Tool, host: Host, axis: int, way: list[tuple[float, float]], *, end: str = "release", **keys: bool) -> None:
    slowest = 0.0
    for number, place in enumerate(way):
        at = pointer(axis, *place, **keys)
        began = time.perf_counter()
        tool.press(host, at) if number == 0 else tool.move(host, at)
        slowest = max(slowest, time.perf_counter() - began)
        for shape in tool.shapes(host, at):
            assert all(np.isfinite(shape.points).ravel())
    if end == "release":
        tool.release(host, pointer(axis, *way[-1], **keys))
    else:
        tool.cancel(host)
    assert slowest < LONGEST_EVENT_S


WAY = [(0.2, 0.2), (0.4, 0.3), (0.6, 0.7), (0.8, 0.75)]


def test_every_tool_of_every_manifest_is_there_with_a_name_a_picture_and_a_help() -> None:
    assert len(TOOLS) >= 5
    icons = {p.stem for p in (Path(__file__).parents[2] / "resources" / "icons").glob("*.svg")}
    keys = [entry.key for entry in REGISTRY.tools if entry.key]
    assert len(keys) == len(set(keys))
    for entry in REGISTRY.tools:
        assert entry.help
        assert entry.title
        assert entry.icon in icons
        tool = load(entry.run)()
        assert tool.options is None or dataclasses.is_dataclass(tool.options)


@every_tool
@every_axis
def test_a_drag_is_one_step_at_most_and_undo_restores_bit_for_bit(name: str, axis: int) -> None:
    host, tool = Host(), load(TOOLS[name])()
    host.label = 2
    before, count, voxels = host.document.state_hash(), len(host.document.history), host.original.data.copy()
    drag(tool, host, axis, WAY)
    steps = len(host.document.history) - count
    assert steps <= 1
    if steps or not host.points:
        assert steps == 1, "a drag over the middle of the image does something"
        after = host.document.state_hash()
        assert host.document.history[-1].title.text()
        host.document.undo()
        assert host.document.state_hash() == before
        host.document.redo()
        assert host.document.state_hash() == after
    np.testing.assert_array_equal(host.original.data, voxels)


@every_tool
@every_axis
def test_escape_in_the_middle_leaves_nothing_behind(name: str, axis: int) -> None:
    host, tool = Host(), load(TOOLS[name])()
    host.label = 2
    before, count = host.document.state_hash(), len(host.document.history)
    drag(tool, host, axis, WAY, end="cancel")
    assert host.document.state_hash() == before
    assert len(host.document.history) == count
    tool.cancel(host)
    drag(tool, host, axis, WAY)  # and it can be used again
    assert len(host.document.history) <= count + 1


@every_tool
def test_the_first_gesture_in_an_image_without_segments_is_one_step_or_says_why_not(name: str) -> None:
    host, tool = Host(segments=False), load(TOOLS[name])()
    before = host.document.state_hash()
    drag(tool, host, 0, WAY)
    assert len(host.document.history) == 1 or host.said or host.points
    host.document.go_to(0)
    assert host.document.state_hash() == before


@every_tool
def test_locked_segments_stay_whatever_is_drawn(name: str) -> None:
    host, tool = Host(locked=True), load(TOOLS[name])()
    locked = host.document.labels("layer-a") == 1
    for label in (1, 2):
        for keys in ({}, {"control": True}, {"shift": True}):
            host.label = label
            drag(tool, host, 0, WAY, **keys)
            np.testing.assert_array_equal(host.document.labels("layer-a") == 1, locked)


@every_tool
def test_places_beyond_the_image_and_a_release_without_a_press_do_no_harm(name: str) -> None:
    host, tool = Host(), load(TOOLS[name])()
    host.label = 2
    before = host.document.state_hash()
    tool.move(host, pointer(0, 0.5, 0.5))
    tool.release(host, pointer(0, 0.5, 0.5))
    assert host.document.state_hash() == before
    count = len(host.document.history)
    drag(tool, host, 0, [(-3.0, -3.0), (0.5, 0.5), (4.0, 4.0)])
    assert len(host.document.history) <= count + 1
    host.document.go_to(count)
    assert host.document.state_hash() == before
    assert tool.shapes(host, None) is not None


@every_tool
def test_a_click_is_a_click(name: str) -> None:
    host, tool = Host(), load(TOOLS[name])()
    host.label = 2
    count = len(host.document.history)
    drag(tool, host, 0, [(0.5, 0.5)])
    assert len(host.document.history) <= count + 1
    assert host.document.undo() in (True, False)
    with host.document.edit("Nothing is left open"):
        pass
