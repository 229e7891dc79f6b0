"""The one door that writes labels: it records while it writes, ends as one step, or puts everything back."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.annotation import Annotation
from viewer.core.ids import new_id
from viewer.core.labels import LabelLayer
from viewer.core.report import Report, Table
from viewer.session.history import Change, Changes, ItemChange, ItemKind, LabelsChange, Origin, Phrase, State, Step, as_box, as_slices, fit_labels, labels_change, union
from viewer.session.packing import Box

if TYPE_CHECKING:
    from viewer.session.document import Document

_KINDS: dict[type, ItemKind] = {Annotation: "annotation", LabelLayer: "layer", Report: "report", Table: "table"}


class Edit:
    """A change in the making; made by ``Document.edit``. Satisfies :class:`viewer.core.tool.Gesture`."""

    def __init__(self, document: Document, state: State, title: Phrase, origin: Origin) -> None:
        self._document, self._state, self.title, self.origin = document, state, title, origin
        self._written: list[tuple[str, Box, NDArray[Any]]] = []
        self._items: dict[tuple[ItemKind, str], Any] = {}
        self._open = True

    def __enter__(self) -> Edit:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._open:
            self.commit() if kind is None else self.cancel()

    def paint(self, layer_id: str, box: tuple[slice, slice, slice], mask: NDArray[np.bool_], label: int) -> int:
        """Give the voxels of ``mask`` (the shape of ``box``) a label, 0 erases; locked segments are kept. Returns how many changed."""
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
        """Replace a box of labels."""
        self._record(layer_id, box)
        self._state.labels[layer_id][as_slices(box)] = values
        self._document._tell(Changes(boxes=((layer_id, box),), history=False))

    def put(self, item: Annotation | LabelLayer | Report | Table) -> None:
        """Add an item, or replace the one with its id."""
        self._change_item(_KINDS[type(item)], item.id, item)

    def remove(self, kind: ItemKind, item_id: str) -> None:
        """Take an item out. A layer must have been emptied (``write`` zeros) before."""
        if item_id in self._state.items[kind]:
            self._change_item(kind, item_id, None)

    def commit(self) -> None:
        """End as one step; no step, and what was undone before kept, if nothing changed."""
        self._open = False
        changes = self._changes()
        step = Step(new_id("step"), self.title, time.time(), self.origin, changes) if changes else None
        self._document._end_edit(step)

    def cancel(self) -> None:
        """Put everything back; no step."""
        if not self._open:
            return
        self._open = False
        for layer_id, box, before in reversed(self._written):
            if layer_id in self._state.labels:
                self._state.labels[layer_id][as_slices(box)] = before
        for (kind, item_id), before in reversed(self._items.items()):
            ItemChange(kind, item_id, None, before).apply(self._state)
        touched = Changes(frozenset(self._items), tuple((i, b) for i, b, _ in self._written), history=False)
        self._document._end_edit(None)
        self._document._tell(touched)

    def _record(self, layer_id: str, box: Box) -> None:
        self._written.append((layer_id, box, self._state.labels[layer_id][as_slices(box)].copy()))

    def _change_item(self, kind: ItemKind, item_id: str, item: Any) -> None:
        self._items.setdefault((kind, item_id), self._state.items[kind].get(item_id))
        if item is None:
            self._state.items[kind].pop(item_id, None)
        else:
            self._state.items[kind][item_id] = item
        if kind == "layer":
            fit_labels(self._state, item_id, item)
        self._document._tell(Changes(frozenset({(kind, item_id)}), history=False))

    def _changes(self) -> tuple[Change, ...]:
        items: list[Change] = [
            ItemChange(kind, item_id, before, self._state.items[kind].get(item_id))
            for (kind, item_id), before in self._items.items()
            if before != self._state.items[kind].get(item_id)
        ]
        labels: list[Change] = []
        for layer_id in dict.fromkeys(i for i, _, _ in self._written):
            change = self._labels_change(layer_id)
            if change is not None:
                labels.append(change)
        # Layers come to be before their labels are written, and go after they were emptied.
        added = [c for c in items if isinstance(c, ItemChange) and c.after is not None]
        removed = [c for c in items if isinstance(c, ItemChange) and c.after is None]
        return (*added, *labels, *removed)

    def _labels_change(self, layer_id: str) -> LabelsChange | None:
        box: Box | None = None
        for written_id, written_box, _ in self._written:
            if written_id == layer_id:
                box = union(box, written_box)
        assert box is not None
        if layer_id in self._state.labels:
            after = self._state.labels[layer_id][as_slices(box)]
        else:
            kind = np.result_type(*(values.dtype for i, _, values in self._written if i == layer_id))
            after = np.zeros([stop - start for start, stop in box], kind)
        start = [edge[0] for edge in box]
        before = after.copy()
        for written_id, written_box, values in reversed(self._written):
            if written_id == layer_id:
                inside = tuple(slice(a - s, b - s) for (a, b), s in zip(written_box, start, strict=True))
                before[inside] = values
        whole = tuple((0, n) for n in before.shape)
        change = labels_change(layer_id, before, (whole[0], whole[1], whole[2]), after)
        if change is None:
            return None
        (a, b), (c, d), (e, f) = ((edge[0] + s, edge[1] + s) for edge, s in zip(change.box, start, strict=True))
        return LabelsChange(layer_id, ((a, b), (c, d), (e, f)), change.before, change.after)
