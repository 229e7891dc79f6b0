"""Steps and changes: the whole undo machinery. A change knows how to apply and how to revert itself, and only copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from viewer.core.labels import LabelLayer
from viewer.core.volume import Volume
from viewer.core.words import gettext
from viewer.session.packing import Box, Packed, copy_into, pack

ItemKind = Literal["volume", "shown", "layer", "annotation", "table", "report", "overlay", "key_image", "alignment"]
ITEM_KINDS: tuple[ItemKind, ...] = ("volume", "shown", "layer", "annotation", "table", "report", "overlay", "key_image", "alignment")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text of the catalogue with the values of its fields: what a step keeps instead of a translated sentence."""

    key: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)

    def text(self) -> str:
        """In the language in use."""
        translated = {k: gettext(v) if isinstance(v, str) else v for k, v in self.values.items()}
        return gettext(self.key).format(**translated)


@dataclass(frozen=True, slots=True)
class Origin:
    """What made a step: an operation with its parameters and inputs, a tool, an import, or an edit by hand."""

    kind: Literal["operation", "tool", "import", "edit"]
    name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What the operation said of how its results came about, in whole sentences."""
    facts: tuple[tuple[str, str], ...] = ()
    """What it made them with: model, device ..."""


class State(Protocol):
    """What changes are applied to."""

    items: dict[ItemKind, dict[str, Any]]
    labels: dict[str, NDArray[Any]]
    order: dict[str, int]
    """When each item came to be: what is undone goes back to its old place in the lists."""


@dataclass(frozen=True, slots=True)
class ItemChange:
    """A frozen thing added (before None), removed (after None) or replaced."""

    kind: ItemKind
    id: str
    before: Any
    after: Any

    def apply(self, state: State) -> None:
        self._put(state, self.after)

    def revert(self, state: State) -> None:
        self._put(state, self.before)

    def _put(self, state: State, item: Any) -> None:
        items = state.items[self.kind]
        if item is None:
            items.pop(self.id, None)
        else:
            is_back = self.id not in items and self.id in state.order
            items[self.id] = item
            state.order.setdefault(self.id, len(state.order))
            if is_back:
                state.items[self.kind] = {key: items[key] for key in sorted(items, key=lambda key: state.order.get(key, -1))}
        if self.kind == "layer":
            fit_labels(state, self.id, item)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that only the history may be holding."""
        return sum(item.nbytes for item in (self.before, self.after) if isinstance(item, Volume))


@dataclass(frozen=True, slots=True)
class LabelsChange:
    """The changed box of a label layer, before and after."""

    layer_id: str
    box: Box
    before: Packed
    after: Packed

    def apply(self, state: State) -> None:
        copy_into(self.after, state.labels[self.layer_id][as_slices(self.box)])

    def revert(self, state: State) -> None:
        copy_into(self.before, state.labels[self.layer_id][as_slices(self.box)])

    @property
    def nbytes(self) -> int:
        return self.before.in_memory + self.after.in_memory


Change = ItemChange | LabelsChange


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the history: all changes of one action of the user."""

    id: str
    title: Phrase
    time: float
    origin: Origin
    changes: tuple[Change, ...]

    @property
    def nbytes(self) -> int:
        return sum(change.nbytes for change in self.changes)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a commit, undo or redo has changed; complete, so that a listener can decide "is this mine?" without asking back."""

    items: frozenset[tuple[ItemKind, str]] = frozenset()
    boxes: tuple[tuple[str, Box], ...] = ()
    """(layer id, box) of every changed part of a label layer."""
    history: bool = True
    """Whether the list of steps or the position in it changed (not so while a gesture is still going on)."""
    sources: bool = False
    """Whether something was opened or closed."""

    def touches(self, *kinds: ItemKind) -> bool:
        return any(kind in kinds for kind, _ in self.items)


class History:
    """The steps in order, and how many of them are in force. Only the document moves it."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self.position = 0

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(tuple(self._steps))

    def __getitem__(self, index: int) -> Step:
        return self._steps[index]

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    @property
    def next_undo(self) -> Step | None:
        return self._steps[self.position - 1] if self.position > 0 else None

    @property
    def next_redo(self) -> Step | None:
        return self._steps[self.position] if self.position < len(self._steps) else None

    @property
    def nbytes(self) -> int:
        """Bytes of arrays that the steps hold in memory."""
        return sum(step.nbytes for step in self._steps)

    def append(self, step: Step) -> None:
        """Put a step at the position; what was undone before is gone."""
        del self._steps[self.position :]
        self._steps.append(step)
        self.position += 1

    def replace(self, index: int, step: Step) -> None:
        """Swap a step for one that means the same (its arrays moved to the store)."""
        self._steps[index] = step


def changes_of(step: Step) -> Changes:
    """What a step touches."""
    items: set[tuple[ItemKind, str]] = set()
    boxes: list[tuple[str, Box]] = []
    for change in step.changes:
        if isinstance(change, ItemChange):
            items.add((change.kind, change.id))
        else:
            boxes.append((change.layer_id, change.box))
    return Changes(frozenset(items), tuple(boxes))


def as_slices(box: Box) -> tuple[slice, slice, slice]:
    """A box as slices."""
    (a, b), (c, d), (e, f) = box
    return slice(a, b), slice(c, d), slice(e, f)


def as_box(slices: tuple[slice, slice, slice]) -> Box:
    """Slices, with start and stop, as a box."""
    a, b, c = slices
    return (int(a.start), int(a.stop)), (int(b.start), int(b.stop)), (int(c.start), int(c.stop))


def union(one: Box | None, other: Box) -> Box:
    """The smallest box that holds both."""
    if one is None:
        return other
    (a, b), (c, d), (e, f) = ((min(p[0], q[0]), max(p[1], q[1])) for p, q in zip(one, other, strict=True))
    return (a, b), (c, d), (e, f)


def bounding_box(mask: NDArray[Any]) -> Box | None:
    """The smallest box that holds every non-zero voxel, None if there is none."""
    planes = np.flatnonzero(mask.any(axis=(1, 2)))
    if planes.size == 0:
        return None
    inner = mask[planes[0] : planes[-1] + 1]
    flat: NDArray[Any] = np.any(inner, axis=0)
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    return (int(planes[0]), int(planes[-1]) + 1), (int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)


def labels_change(layer_id: str, labels: NDArray[Any], box: Box, after: NDArray[Any]) -> LabelsChange | None:
    """The change that brings ``labels[box]`` to ``after``, cut down to what differs; None if nothing does."""
    before = labels[as_slices(box)]
    differs = bounding_box(before != after)
    if differs is None:
        return None
    inside = as_slices(differs)
    (a, b), (c, d), (e, f) = ((o[0] + i[0], o[0] + i[1]) for o, i in zip(box, differs, strict=True))
    kind = np.result_type(before, after)  # a step that brings the 256th segment widens the labels
    packed = (pack(values[inside].astype(kind, copy=False), split=False) for values in (before, after))
    return LabelsChange(layer_id, ((a, b), (c, d), (e, f)), *packed)


def filled_layer(layer: LabelLayer, box: Box, values: NDArray[Any]) -> LabelsChange | None:
    """The change that fills an empty layer with the labels of a box; None if there are none."""
    inside = bounding_box(values)
    if inside is None:
        return None
    part = values[as_slices(inside)]
    kind = labels_type(layer)
    place = [(a + i, a + j) for (a, _), (i, j) in zip(box, inside, strict=True)]
    empty = np.zeros(part.shape, kind)
    change = labels_change(layer.id, empty, ((0, part.shape[0]), (0, part.shape[1]), (0, part.shape[2])), part.astype(kind))
    return replace(change, box=(place[0], place[1], place[2])) if change else None


def fit_labels(state: State, layer_id: str, layer: LabelLayer | None) -> None:
    """Keep a layer's array in step with its description: made with it, gone with it, 16 bits from the 256th segment on."""
    if layer is None:
        state.labels.pop(layer_id, None)
        return
    kind = labels_type(layer)
    held = state.labels.get(layer_id)
    if held is None:
        state.labels[layer_id] = np.zeros(layer.geometry.shape, kind)
    elif held.dtype != kind:
        state.labels[layer_id] = held.astype(kind)


def labels_type(layer: LabelLayer) -> type[np.uint8 | np.uint16]:
    """The number type that a layer's labels need."""
    return np.uint16 if any(s.label > 255 for s in layer.segments) else np.uint8
