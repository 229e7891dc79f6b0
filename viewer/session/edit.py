"""The one door that writes labels: it records while it writes, ends as one step, or puts everything back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.alignment import Alignment
from viewer.core.annotation import Annotation
from viewer.core.errors import Refused
from viewer.core.ids import new_id
from viewer.core.key_image import KeyImage
from viewer.core.labels import LabelLayer
from viewer.core.overlay import ScalarMap
from viewer.core.report import Report, Table
from viewer.core.words import _
from viewer.session.history import (
    Change,
    Changes,
    ItemChange,
    ItemKind,
    LabelsChange,
    Origin,
    Phrase,
    State,
    Step,
    as_box,
    as_slices,
    bounding_box,
    labels_change,
    labels_type,
    union,
)
from viewer.session.packing import Box

if TYPE_CHECKING:
    from viewer.session.document import Document

_KINDS: dict[type, ItemKind] = {
    Annotation: "annotation", LabelLayer: "layer", Report: "report", Table: "table", ScalarMap: "overlay", KeyImage: "key_image",
    Alignment: "alignment",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Written:
    """Labels as they were before a write."""

    layer_id: str
    box: Box
    before: NDArray[Any]


class Edit:
    """A change in the making; made by ``Document.edit``. Satisfies :class:`viewer.core.tool.Gesture`."""

    def __init__(self, document: Document, state: State, title: Phrase, origin: Origin) -> None:
        self._document, self._state, self.title, self.origin = document, state, title, origin
        self._log: list[_Written | ItemChange] = []
        self._open = True

    def __enter__(self) -> Edit:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._open:
            self.commit() if kind is None else self.cancel()

    def paint(self, layer_id: str, box: tuple[slice, slice, slice], mask: NDArray[np.bool_], label: int) -> int:
        """Give the voxels of ``mask`` (the shape of ``box``) a label, 0 erases; locked segments are kept. Returns how many changed."""
        self._check_open()
        labels = self._state.labels[layer_id][box]
        layer: LabelLayer = self._state.items["layer"][layer_id]
        allowed = mask & (labels != label)
        for segment in layer.segments:
            if segment.is_locked:
                allowed &= labels != segment.label
        count = int(np.count_nonzero(allowed))
        if count:
            self._record(layer_id, as_box(box))
            labels[allowed] = label
            self._document._tell(Changes(boxes=((layer_id, as_box(box)),), history=False))
        return count

    def write(self, layer_id: str, box: Box, values: NDArray[Any]) -> None:
        """Replace a box of labels. Raises ValueError for a label that the layer's number type cannot hold."""
        self._check_open()
        target = self._state.labels[layer_id][as_slices(box)]
        if values.dtype != target.dtype and values.size and not (values.min() >= 0 and values.max() <= np.iinfo(target.dtype).max):
            raise ValueError(f"labels up to {values.max()} in a layer of {target.dtype}")
        self._record(layer_id, box)
        target[...] = values
        self._document._tell(Changes(boxes=((layer_id, box),), history=False))

    def put(self, item: Alignment | Annotation | LabelLayer | Report | Table | ScalarMap | KeyImage) -> None:
        """Add an item, or replace the one with its id. Voxels of a segment that a layer no longer has are erased with it."""
        self._check_open()
        if isinstance(item, LabelLayer):
            kept = {s.label for s in item.segments}
            self._erase(item.id, [s.label for s in self._segments(item.id) if s.label not in kept])
        self._change_item(_KINDS[type(item)], item.id, item)

    def remove(self, kind: ItemKind, item_id: str) -> None:
        """Take an item out; a layer goes with its voxels, a report with its heat-maps."""
        self._check_open()
        if item_id in self._state.items[kind]:
            if kind == "layer":
                self._empty(item_id)
            if kind == "report":
                for item in [m for m in self._state.items["overlay"].values() if m.report_id == item_id]:
                    self._change_item("overlay", item.id, None)
            self._change_item(kind, item_id, None)

    def commit(self) -> None:
        """End as one step; no step, and what was undone before kept, if nothing changed. Once it is over: nothing."""
        if not self._open:
            return
        try:
            changes = self._changes()
        except BaseException:
            self.cancel()
            raise
        self._open = False
        step = Step(new_id("step"), self.title, time.time(), self.origin, changes) if changes else None
        self._document._end_edit(step)

    def cancel(self) -> None:
        """Put everything back; no step."""
        if not self._open:
            return
        self._open = False
        # Strictly backwards: a layer must be there, and wide enough, when its labels come back.
        for done in reversed(self._log):
            if isinstance(done, _Written):
                self._state.labels[done.layer_id][as_slices(done.box)] = done.before
            else:
                done.revert(self._state)
        items = frozenset((c.kind, c.id) for c in self._log if isinstance(c, ItemChange))
        boxes = tuple((w.layer_id, w.box) for w in self._log if isinstance(w, _Written))
        self._document._end_edit(None)
        self._document._tell(Changes(items, boxes, history=False))

    def _check_open(self) -> None:
        if not self._open:
            raise Refused(_("This change is over already; start a new one."))

    def _segments(self, layer_id: str) -> tuple[Any, ...]:
        layer = self._state.items["layer"].get(layer_id)
        return layer.segments if layer is not None else ()

    def _erase(self, layer_id: str, gone: list[int]) -> None:
        for label in gone:
            labels = self._state.labels[layer_id]
            found = labels == label
            box = bounding_box(found)
            if box is not None:
                self._record(layer_id, box)
                labels[found] = 0
                self._document._tell(Changes(boxes=((layer_id, box),), history=False))

    def _empty(self, layer_id: str) -> None:
        labels = self._state.labels[layer_id]
        box = bounding_box(labels)
        if box is not None:
            self._record(layer_id, box)
            labels[as_slices(box)] = 0

    def _record(self, layer_id: str, box: Box) -> None:
        self._log.append(_Written(layer_id, box, self._state.labels[layer_id][as_slices(box)].copy()))

    def _change_item(self, kind: ItemKind, item_id: str, item: Any) -> None:
        change = ItemChange(kind, item_id, self._state.items[kind].get(item_id), item)
        self._log.append(change)
        change.apply(self._state)
        self._document._tell(Changes(frozenset({(kind, item_id)}), history=False))

    def _changes(self) -> tuple[Change, ...]:
        first: dict[tuple[ItemKind, str], Any] = {}
        for done in self._log:
            if isinstance(done, ItemChange):
                first.setdefault((done.kind, done.id), done.before)
        items = [
            ItemChange(kind, item_id, before, self._state.items[kind].get(item_id))
            for (kind, item_id), before in first.items()
            if before != self._state.items[kind].get(item_id)
        ]
        labels: list[Change] = []
        for layer_id in dict.fromkeys(w.layer_id for w in self._log if isinstance(w, _Written)):
            existed = first.get(("layer", layer_id), self) is not None
            if existed or layer_id in self._state.labels:
                change = self._labels_change(layer_id)
                if change is not None:
                    labels.append(change)
        # Layers come to be, and grow to 16 bits, before their labels are written; they go, and shrink, after.
        late = [c for c in items if c.after is None or _narrows(c)]
        return (*(c for c in items if c not in late), *labels, *late)

    def _labels_change(self, layer_id: str) -> LabelsChange | None:
        written = [w for w in self._log if isinstance(w, _Written) and w.layer_id == layer_id]
        box: Box = written[0].box
        for entry in written:
            box = union(box, entry.box)
        kinds = [w.before.dtype for w in written]
        now = self._state.labels.get(layer_id)
        kind = np.result_type(*kinds, *([] if now is None else [now.dtype]))
        after = np.zeros([stop - start for start, stop in box], kind) if now is None else now[as_slices(box)].astype(kind, copy=False)
        start = [edge[0] for edge in box]
        before = after.copy()
        for entry in reversed(written):
            inside = tuple(slice(a - s, b - s) for (a, b), s in zip(entry.box, start, strict=True))
            before[inside] = entry.before
        whole = tuple((0, n) for n in before.shape)
        change = labels_change(layer_id, before, (whole[0], whole[1], whole[2]), after)
        if change is None:
            return None
        (a, b), (c, d), (e, f) = ((edge[0] + s, edge[1] + s) for edge, s in zip(change.box, start, strict=True))
        return LabelsChange(layer_id, ((a, b), (c, d), (e, f)), change.before, change.after)


def _narrows(change: ItemChange) -> bool:
    before, after = change.before, change.after
    is_layer = isinstance(before, LabelLayer) and isinstance(after, LabelLayer)
    return is_layer and np.dtype(labels_type(after)).itemsize < np.dtype(labels_type(before)).itemsize
