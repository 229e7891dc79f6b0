"""The document: everything that is in work, and the one way to change it.

All data changes by committing a :class:`Step` and in no other way; labels are written through :meth:`Document.edit`.
A document belongs to one thread (the window's, or the script's).
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.alignment import Alignment
from viewer.core.annotation import Annotation
from viewer.core.errors import NegatoscopeError, Refused
from viewer.core.ids import new_id
from viewer.core.key_image import KeyImage
from viewer.core.labels import LabelLayer
from viewer.core.overlay import ScalarMap
from viewer.core.report import Report, Table
from viewer.core.volume import Volume
from viewer.core.words import _
from viewer.session import codec
from viewer.session.edit import Edit
from viewer.session.history import ITEM_KINDS, Change, Changes, History, ItemChange, ItemKind, LabelsChange, Origin, Phrase, Step, changes_of
from viewer.session.signal import Signal
from viewer.session.store import Evicted, Store


@dataclass(frozen=True, slots=True)
class Source:
    """Where an opened volume came from, so that it can be read again and recognised."""

    volume_id: str
    files: tuple[Path, ...] = ()
    series_id: str = ""
    fingerprint: str = ""
    """Hash over sizes, times and ends of the files; "" for what was made in memory."""
    how: str = ""
    """What was asked for when it was opened, as :attr:`viewer.io.series.SeriesEntry.how`."""


@dataclass
class _State:
    items: dict[ItemKind, dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in ITEM_KINDS})
    labels: dict[str, NDArray[Any]] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)


class Document:
    """Volumes, label layers, annotations, tables, reports, overlays, and one history for all of them.

    Parameters
    ----------
    store : Store, optional
        The journal. Without one the history is in memory only.
    history_bytes : int
        Bound on the arrays that the history holds in memory; beyond it the oldest come back from the store when undone.
    """

    def __init__(self, store: Store | None = None, *, history_bytes: int = 2 << 30) -> None:
        self._state = _State()
        self._sources: dict[str, Source] = {}
        self._revisions: dict[str, int] = {}
        self._edit: Edit | None = None
        self.history = History()
        self.store = store
        self.history_bytes = history_bytes
        self.changed: Signal[Changes] = Signal()
        self.views: dict[str, Any] = {}
        """What each view shows. Kept with the document, but no step: undo never scrolls."""

    # --- reading ---

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(self._sources.values())

    def source(self, root_id: str) -> Source:
        return self._sources[root_id]

    def root_ids(self) -> tuple[str, ...]:
        """Ids of the opened volumes, in the order of opening."""
        return tuple(self._sources)

    def has_volume(self, volume_id: str) -> bool:
        return volume_id in self._state.items["volume"]

    def volume(self, volume_id: str) -> Volume:
        """A volume by id; one that was set aside for want of memory is read back from the store."""
        held = self._state.items["volume"][volume_id]
        if isinstance(held, Evicted):
            assert self.store is not None
            held = self.store.read_item(held)
            self._state.items["volume"][volume_id] = held
        assert isinstance(held, Volume)
        return held

    def current(self, root_id: str) -> Volume:
        """What is shown for an opened volume: the last volume derived from it, else itself."""
        return self.volume(self._state.items["shown"].get(root_id, root_id))

    def original(self, volume_id: str) -> Volume:
        """The opened volume at the start of a volume's chain: what measurements read."""
        return self.volume(self.volume(volume_id).root_id)

    def layer(self, layer_id: str) -> LabelLayer:
        layer: LabelLayer = self._state.items["layer"][layer_id]
        return layer

    def has_layer(self, layer_id: str) -> bool:
        return layer_id in self._state.items["layer"]

    def layers_of(self, root_id: str) -> tuple[LabelLayer, ...]:
        return tuple(x for x in self._state.items["layer"].values() if x.volume_id == root_id)

    def labels(self, layer_id: str) -> NDArray[Any]:
        """A read-only view of a layer's labels (planes, rows, columns); never keep it across an edit."""
        view = self._state.labels[layer_id].view()
        view.flags.writeable = False
        return view

    def annotations_of(self, root_id: str) -> tuple[Annotation, ...]:
        return tuple(x for x in self._state.items["annotation"].values() if x.volume_id == root_id)

    def reports_of(self, root_id: str) -> tuple[Report, ...]:
        return tuple(x for x in self._state.items["report"].values() if x.volume_id == root_id)

    def tables_of(self, root_id: str) -> tuple[Table, ...]:
        return tuple(x for x in self._state.items["table"].values() if x.volume_id == root_id)

    def overlays_of(self, root_id: str) -> tuple[ScalarMap, ...]:
        return tuple(x for x in self._state.items["overlay"].values() if x.volume_id == root_id)

    def key_images_of(self, root_id: str) -> tuple[KeyImage, ...]:
        return tuple(x for x in self._state.items["key_image"].values() if x.volume_id == root_id)

    def alignments(self) -> tuple[Alignment, ...]:
        """How images lie over each other, of all pairs that were aligned."""
        return tuple(self._state.items["alignment"].values())

    def items(self, kind: ItemKind) -> tuple[Any, ...]:
        """All items of a kind, in the order in which they came to be."""
        return tuple(self.volume(i) if kind == "volume" else item for i, item in tuple(self._state.items[kind].items()))

    def item(self, kind: ItemKind, item_id: str) -> Any | None:
        return self.volume(item_id) if kind == "volume" and self.has_volume(item_id) else self._state.items[kind].get(item_id)

    def roots_of(self, step: Step) -> frozenset[str]:
        """Ids of the opened volumes that a step is about, as far as they can be told without what is not there now."""
        roots: set[str] = set()
        for change in step.changes:
            if isinstance(change, LabelsChange):
                if self.has_layer(change.layer_id):
                    roots.add(self.layer(change.layer_id).volume_id)
            elif change.kind == "shown":
                roots.add(change.id)
            elif change.kind != "volume":
                roots.add((change.before if change.after is None else change.after).volume_id)
        return frozenset(roots)

    def revision(self, layer_id: str) -> int:
        """Goes up with every change of a layer's labels or segments; a job compares it to see whether its target moved on."""
        return self._revisions.get(layer_id, 0)

    def state_hash(self) -> str:
        """Hash over every voxel, label and item: equal states are equal bit for bit. Slow; for tests and recovery."""
        digest = hashlib.sha256()
        for kind in ITEM_KINDS:
            for item_id in sorted(self._state.items[kind]):
                arrays: list[Any] = []
                text = codec.encode(self.item(kind, item_id), lambda array, arrays=arrays: arrays.append(array) or len(arrays))  # type: ignore[misc]
                digest.update(f"{kind}:{item_id}:{text}\n".encode())
                for array in arrays:
                    _update(digest, array)
        for layer_id in sorted(self._state.labels):
            digest.update(layer_id.encode())
            _update(digest, self._state.labels[layer_id])
        return digest.hexdigest()

    # --- opening and closing: no steps ---

    def add_source(self, volume: Volume, source: Source | None = None) -> None:
        """Take in an opened volume. Opening is no step of the history, but the store knows of it."""
        source = source or Source(volume.id)
        self._sources[volume.id] = source
        self._state.items["volume"][volume.id] = volume
        if self.store is not None:
            self.store.add_source(source)
        self.changed.emit(Changes(frozenset({("volume", volume.id)}), history=False, sources=True))

    def close(self) -> None:
        """End the store in order; nothing is left to recover."""
        if self._edit is not None:
            self._edit.cancel()
        if self.store is not None:
            self.store.close(discard=True)
            self.store = None

    # --- changing ---

    @property
    def is_editing(self) -> bool:
        """Whether an edit is open: until it ends nothing can be committed, undone or redone."""
        return self._edit is not None

    def commit(self, step: Step) -> None:
        """Apply a finished step, append it to the history, hand it to the store, tell the listeners once."""
        self._no_open_edit()
        if not step.changes:
            return
        self._walk(step.changes, forwards=True)
        self._append(step)

    def amend(self, step: Step) -> None:
        """Put a step in the place of the newest one in force, as if that had never been; what was undone is gone, and listeners are told once.

        Raises Refused where there is no step in force.
        """
        self._no_open_edit()
        last = self.history.next_undo
        if last is None:
            raise Refused(_("There is no step to amend."))
        self._walk(last.changes[::-1], forwards=False)
        try:
            self._walk(step.changes, forwards=True)
        except BaseException:
            self._walk(last.changes, forwards=True)
            raise
        self.history.position -= 1
        self.history.append(step)
        if self.store is not None:
            self.store.add_step(self.history.position, step)
        both = changes_of(step)
        self._tell(replace(both, items=both.items | changes_of(last).items, boxes=(*both.boxes, *changes_of(last).boxes)))

    def edit(self, title: str, *, origin: Origin | None = None, **values: str | int | float) -> Edit:
        """Start a change of labels or items: a context manager, or a gesture to be ended with ``commit`` or ``cancel``."""
        self._no_open_edit()
        self._edit = Edit(self, self._state, Phrase(title, values), origin or Origin("edit"))
        return self._edit

    def step(self, title: str, changes: tuple[Change, ...], *, origin: Origin | None = None, **values: str | int | float) -> Step:
        """A step made now."""
        return Step(new_id("step"), Phrase(title, values), time.time(), origin or Origin("edit"), changes)

    def undo(self) -> bool:
        """Take the last step back; False if there is none."""
        self._no_open_edit()
        step = self.history.next_undo
        if step is None:
            return False
        self._walk(step.changes[::-1], forwards=False)
        self.history.position -= 1
        self._moved(step)
        return True

    def redo(self) -> bool:
        """Bring back the step that was undone last; False if there is none."""
        self._no_open_edit()
        step = self.history.next_redo
        if step is None:
            return False
        self._walk(step.changes, forwards=True)
        self.history.position += 1
        self._moved(step)
        return True

    def go_to(self, position: int) -> None:
        """Undo or redo until ``position`` steps are in force."""
        position = max(0, min(position, len(self.history)))
        while self.history.position > position:
            self.undo()
        while self.history.position < position:
            self.redo()

    # --- used by Edit ---

    def _end_edit(self, step: Step | None) -> None:
        """An edit is over; its changes, if any, are applied already."""
        self._edit = None
        if step is not None:
            self._append(step)

    def _tell(self, changes: Changes) -> None:
        self._raise_revisions(changes)
        self.changed.emit(changes)

    # --- inside ---

    def _walk(self, changes: tuple[Change, ...], *, forwards: bool) -> None:
        """Apply or revert all of them, or none: an array that cannot be read back leaves everything as it was."""
        done: list[Change] = []
        try:
            for change in changes:
                done.append(change)
                change.apply(self._state) if forwards else change.revert(self._state)
        except BaseException:
            for number, change in enumerate(reversed(done)):
                # The one that failed may be half done: its other side is put back as far as there is one.
                with contextlib.suppress(*([KeyError, NegatoscopeError] if number == 0 else [])):
                    change.revert(self._state) if forwards else change.apply(self._state)
            raise

    def _append(self, step: Step) -> None:
        self.history.append(step)
        if self.store is not None:
            self.store.add_step(self.history.position, step)
        self._tell(changes_of(step))

    def _moved(self, step: Step) -> None:
        if self.store is not None:
            self.store.set_position(self.history.position)
        self._tell(changes_of(step))

    def _raise_revisions(self, changes: Changes) -> None:
        for layer_id in {layer_id for layer_id, _box in changes.boxes} | {i for k, i in changes.items if k == "layer"}:
            self._revisions[layer_id] = self.revision(layer_id) + 1

    def _no_open_edit(self) -> None:
        if self._edit is not None:
            raise Refused(_("Finish or cancel what is being drawn first."))

    def trim_memory(self) -> None:
        """Beyond the bound, drop the oldest arrays that the store has from memory; to be called when the store is idle.

        Raises SaveFailed, and drops nothing, when the store cannot write.
        """
        excess = self.history.nbytes - self.history_bytes
        store = self.store
        if excess <= 0 or store is None:
            return
        shown = set(self._state.items["shown"].values()) | set(self._sources)
        for index, step in enumerate(self.history):
            if excess <= 0 or index >= self.history.position - 1:
                return
            slim, freed = store.slim(step, keep=shown)
            if freed:
                self.history.replace(index, slim)
                excess -= freed
                for change in slim.changes:
                    if isinstance(change, ItemChange) and isinstance(change.after, Evicted) and change.id in self._state.items[change.kind]:
                        self._state.items[change.kind][change.id] = change.after


def _update(digest: Any, array: NDArray[Any]) -> None:
    digest.update(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array))
