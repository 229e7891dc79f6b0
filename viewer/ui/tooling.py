"""The tool in hand, and what it works with: the active segment, the seeds, and the gesture that is going on.

This is the window's side of :class:`viewer.core.tool.ToolHost`; plugin tools never see a widget.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from viewer.core.annotation import Annotation
from viewer.core.geometry import Triple
from viewer.core.ids import new_id
from viewer.core.labels import LabelLayer, Segment, next_number, segment_color
from viewer.core.operation import load
from viewer.core.tool import Gesture, Tool
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import mark
from viewer.session.apply import SegmentRef
from viewer.session.history import Changes, Origin
from viewer.session.plugins import ToolEntry
from viewer.ui.host import Host
from viewer.ui.nudge_tool import NAME as NUDGE
from viewer.ui.nudge_tool import Nudge
from viewer.ui.region_window import NAME as REGION_WINDOW
from viewer.ui.region_window import RegionWindow

_OWN = (REGION_WINDOW, NUDGE)
"""Tools of the window itself, which are no plugin's."""
BUILT_IN = ("window", "pan", "zoom", "scroll", "crosshair")


class Tooling(QObject):
    """One checked tool in the whole window; one active segment per image."""

    tool_changed = Signal(str)
    """Name of the tool in hand: one of BUILT_IN, or a plugin tool's permanent name."""
    segment_changed = Signal(object)
    """SegmentRef of the active segment, or None."""
    selected_changed = Signal(str)
    """Id of the selected annotation, "" for none."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._name = "window"
        self._tool: Tool | None = None
        self._entry: ToolEntry | None = None
        self._made: dict[str, Tool] = {REGION_WINDOW: RegionWindow(host), NUDGE: Nudge(host)}
        self._active: dict[str, SegmentRef] = {}
        self._selected = ""
        self._known: set[str] = set()
        self._pending: tuple[LabelLayer, SegmentRef] | None = None
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self._forget)
        host.active_changed.connect(self._announce)

    # --- which tool ---

    @property
    def name(self) -> str:
        return self._name

    @property
    def tool(self) -> Tool | None:
        """The plugin tool in hand; None while a built-in one is."""
        return self._tool

    @property
    def entry(self) -> ToolEntry | None:
        return self._entry

    def pick(self, name: str) -> None:
        """Take a tool in hand; the one before is put away, and its gesture dropped."""
        if name == self._name:
            return
        if self._tool is not None:
            self._tool.cancel(self)
        if name in BUILT_IN:
            self._tool = self._entry = None
        elif name in _OWN:
            self._tool, self._entry = self._made[name], None
        else:
            self._entry = next(t for t in self._host.registry.tools if t.name == name)
            if name not in self._made:
                made: Tool = load(self._entry.run)()
                self._made[name] = made
            self._tool = self._made[name]
        self._name = name
        self.tool_changed.emit(name)

    def own(self, name: str) -> Tool:
        """A tool of the window itself."""
        return self._made[name]

    def cancel(self) -> bool:
        """Esc: drop the gesture; a plugin tool is put away. False if there was nothing to do."""
        if self._tool is None:
            return False
        self._tool.cancel(self)
        self.pick("window")
        return True

    # --- segments ---

    @property
    def active(self) -> SegmentRef | None:
        """The active segment of the image that is shown."""
        found = self._active.get(self._host.root_id)
        if found is not None and self._host.document.has_layer(found.layer_id) and self._host.document.layer(found.layer_id).segment(found.label):
            return found
        return None

    def set_active(self, segment: SegmentRef | None) -> None:
        if segment is None:
            self._active.pop(self._host.root_id, None)
        else:
            self._active[self._host.root_id] = segment
        self.segment_changed.emit(self.active)

    def add_segment(self, name: str = "") -> SegmentRef:
        """A new, empty segment in the active layer (a new layer if there is none); becomes active. One step."""
        layer, label = self._with_new_segment(name)
        with self._host.document.edit("Add {segment}", segment=layer.segments[-1].name) as edit:
            edit.put(layer)
        ref = SegmentRef(layer.id, label)
        self.set_active(ref)
        return ref

    def _with_new_segment(self, name: str) -> tuple[LabelLayer, int]:
        """The active layer, else the last that fits, else a new one, with one more segment; nothing is written."""
        document, volume = self._host.document, self.volume
        layers = [x for x in document.layers_of(self._host.root_id) if x.geometry.same_grid(volume.geometry)]
        active = self.active
        layer = document.layer(active.layer_id) if active else layers[-1] if layers else None
        if layer is None:
            layer = LabelLayer(new_id("layer"), _("Segments"), volume.geometry, self._host.root_id)
        label, words = layer.next_label(), _("Segment {number}")
        number = next_number(document.layers_of(self._host.root_id), words)
        return layer.with_segment(Segment(label, name or words.format(number=number), segment_color(number))), label

    # --- annotations ---

    @property
    def selected_id(self) -> str:
        return self._selected

    def select(self, annotation_id: str) -> None:
        """Select a measurement (it shows its handles); "" selects none."""
        if annotation_id != self._selected:
            self._selected = annotation_id
            self._host.change_wish(selected_id=annotation_id)
            self.selected_changed.emit(annotation_id)

    # --- viewer.core.tool.ToolHost ---

    @property
    def volume(self) -> Volume:
        volume = self._host.state.volume
        assert volume is not None
        return volume

    @property
    def original(self) -> Volume:
        return self._host.document.original(self.volume.id)

    @property
    def phase(self) -> int:
        return self._host.state.phase

    @property
    def layer(self) -> LabelLayer | None:
        active = self.active
        return self._host.document.layer(active.layer_id) if active else None

    @property
    def label(self) -> int:
        active = self.active
        return active.label if active else 0

    def labels(self) -> NDArray[Any] | None:
        layer = self.layer
        return self._host.document.labels(layer.id) if layer else None

    def ensure_segment(self) -> tuple[LabelLayer, int]:
        active = self.active
        if active is not None:
            return self._host.document.layer(active.layer_id), active.label
        # Not in the document yet: it comes with the gesture that needs it, so that the two are one step.
        layer, label = self._with_new_segment("")
        self._pending = (layer, SegmentRef(layer.id, label))
        return layer, label

    def begin(self, title: str, **values: Any) -> Gesture:
        name = self._entry.name if self._entry else self._name
        pending, self._pending = self._pending, None  # if this gesture may not begin, the next one is not to bring it
        gesture = self._host.document.edit(title, origin=Origin("tool", name), **values)
        if pending is not None:
            layer, ref = pending
            gesture.put(layer)
            self.set_active(ref)
        return gesture

    def add_point(self, position: Triple) -> None:
        self._host.change_wish(seeds=(*self._host.wish.seeds, position))

    def remove_point_near(self, position: Triple, distance: float) -> bool:
        seeds = self._host.wish.seeds
        if not seeds:
            return False
        apart = [float(np.linalg.norm(np.subtract(seed, position))) for seed in seeds]
        nearest = int(np.argmin(apart))
        if apart[nearest] > distance:
            return False
        self._host.change_wish(seeds=seeds[:nearest] + seeds[nearest + 1 :])
        return True

    def annotations(self) -> tuple[Annotation, ...]:
        return self._host.document.annotations_of(self._host.root_id)

    def say(self, text: str) -> None:
        self._host.say("info", text)

    # --- inside ---

    def _take_changes(self, changes: Changes) -> None:
        if changes.history:
            self._follow_new(changes)
        if self._selected and ("annotation", self._selected) in changes.items and self._host.document.item("annotation", self._selected) is None:
            self.select("")

    def _follow_new(self, changes: Changes) -> None:
        """A segment that just came to be becomes the active one; one that went is active no more."""
        root = self._host.root_id
        for kind, item_id in changes.items:
            if kind == "layer" and self._host.document.has_layer(item_id):
                layer = self._host.document.layer(item_id)
                is_new = item_id not in self._known
                self._known.add(item_id)
                if layer.volume_id == root and layer.segments and (is_new or self.active is None):
                    self._active[root] = SegmentRef(layer.id, layer.segments[0].label)
        if changes.touches("layer"):
            self.segment_changed.emit(self.active)

    def _forget(self) -> None:
        self._active.clear()
        self._known.clear()
        self._selected = ""

    def _announce(self, _root_id: str) -> None:
        if self._tool is not None:
            self._tool.cancel(self)
        self.select("")
        self.segment_changed.emit(self.active)


def rename_segment(host: Host, ref: SegmentRef, **changes: Any) -> None:
    """Change a segment's name, colour, visibility or lock, as one step."""
    layer = host.document.layer(ref.layer_id)
    segment = layer.segment(ref.label)
    if segment is None:
        return
    changed = replace(segment, **changes)
    titles = {
        "name": mark("Rename to {segment}"),
        "color": mark("Colour of {segment}"),
        "is_visible": mark("Show or hide {segment}"),
        "is_locked": mark("Lock or unlock {segment}"),
    }
    title = titles.get(next(iter(changes)), mark("Change {segment}"))
    with host.reporting(), host.document.edit(title, segment=changed.name) as edit:
        edit.put(layer.with_segment(changed))


def delete_segment(host: Host, ref: SegmentRef) -> None:
    """Remove a segment and its voxels, as one step."""
    document = host.document
    layer = document.layer(ref.layer_id)
    segment = layer.segment(ref.label)
    if segment is None:
        return
    with host.reporting(), document.edit("Delete {segment}", segment=segment.name) as edit:
        rest = layer.without_segment(ref.label)
        # The voxels go with what they belong to.
        if rest.segments:
            edit.put(rest)
        else:
            edit.remove("layer", layer.id)
