"""A small study, scripted gestures, and operations made for these tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from viewer.api import Annotations, Column, Draft, Image, Labels, Mask, Measure, Numbers, Overlay, Range, Refused, Verdict, Verdicts, operation
from viewer.core import memory
from viewer.core.annotation import Annotation
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.labels import LabelLayer, Segment, segment_color
from viewer.core.overlay import ScalarMap
from viewer.core.report import Report, Score, Table
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.session.document import Document
from viewer.session.history import ItemChange, Origin
from viewer.session.store import Store

SHAPE = (5, 7, 9)
GEOMETRY = Geometry(SHAPE, (-12.5, 4.0, 30.0), (3.0, 0.8, 0.6))


def make_volume(name: str = "volume-a", *, phases: int = 1, seed: int = 1, color: bool = False, geometry: Geometry = GEOMETRY) -> Volume:
    rng = np.random.default_rng(seed)
    if color:
        return Volume(name, rng.integers(0, 256, (phases, *geometry.shape, 3), dtype=np.uint8), geometry, is_color=True)
    data = rng.integers(-1000, 2000, (phases, *geometry.shape)).astype(np.int16)
    return Volume(name, data, geometry, unit="HU", identity=Identity(modality="CT"), windows=(Window(40, 400),))


def make_document(store: Store | None = None, *, history_bytes: int = 2 << 30, volume: Volume | None = None) -> Document:
    document = Document(store, history_bytes=history_bytes)
    document.add_source(volume or make_volume())
    return document


# --- gestures: each takes the document and an endless source of small numbers ---------------------------------------

Numbers_ = Callable[[int], int]


def _layer(document: Document, draw: Numbers_) -> LabelLayer | None:
    layers = document.items("layer")
    return layers[draw(len(layers))] if layers else None


def _box(draw: Numbers_) -> tuple[slice, slice, slice]:
    starts = [draw(n) for n in SHAPE]
    a, b, c = (slice(s, s + 1 + draw(n - s)) for s, n in zip(starts, SHAPE, strict=True))
    return a, b, c


def _mask(box: tuple[slice, slice, slice], draw: Numbers_) -> np.ndarray:
    shape = [s.stop - s.start for s in box]
    return np.random.default_rng(draw(50)).random(shape) < 0.6


def add_segment(document: Document, draw: Numbers_) -> None:
    layer = _layer(document, draw) if draw(3) else None
    with document.edit("Add segment") as edit:
        if layer is None:
            layer = LabelLayer(new_id("layer"), "Layer", GEOMETRY, "volume-a")
        label = layer.next_label() if draw(4) else 250 + draw(10)  # some beyond 8 bits
        edit.put(layer.with_segment(Segment(label, f"Segment {label}", segment_color(label))))


def change_segment(document: Document, draw: Numbers_) -> None:
    layer = _layer(document, draw)
    if layer is None or not layer.segments:
        return
    segment = layer.segments[draw(len(layer.segments))]
    changed = [
        replace(segment, name=f"Renamed {draw(5)}"), replace(segment, is_locked=not segment.is_locked),
        replace(segment, is_visible=not segment.is_visible), replace(segment, color="#010203"),
    ][draw(4)]  # fmt: skip
    with document.edit("Change {segment}", segment=segment.name) as edit:
        edit.put(layer.with_segment(changed))


def paint(document: Document, draw: Numbers_, *, end: str = "commit") -> None:
    layer = _layer(document, draw)
    if layer is None or not layer.segments:
        return
    edit = document.edit("Brush stroke")
    for _ in range(1 + draw(3)):
        box = _box(draw)
        label = 0 if draw(3) == 0 else layer.segments[draw(len(layer.segments))].label
        edit.paint(layer.id, box, _mask(box, draw), label)
    edit.commit() if end == "commit" else edit.cancel()


def write(document: Document, draw: Numbers_) -> None:
    layer = _layer(document, draw)
    if layer is None or not layer.segments:
        return
    known = np.array([0, *(s.label for s in layer.segments)], dtype=np.uint16)
    box = _box(draw)
    values = np.random.default_rng(draw(50)).choice(known, [s.stop - s.start for s in box])
    with document.edit("Write") as edit:
        edit.write(layer.id, tuple((s.start, s.stop) for s in box), values)  # type: ignore[arg-type]


def delete_segment(document: Document, draw: Numbers_) -> None:
    layer = _layer(document, draw)
    if layer is None or not layer.segments:
        return
    rest = layer.without_segment(layer.segments[draw(len(layer.segments))].label)
    with document.edit("Delete segment") as edit:
        edit.put(rest) if rest.segments or draw(2) else edit.remove("layer", layer.id)


def change_much_and_cancel(document: Document, draw: Numbers_) -> None:
    """A gesture that touches layers, labels and annotations in one go, and is dropped (or fails)."""
    edit = document.edit("Dropped")
    layer = _layer(document, draw)
    if layer is not None:
        edit.put(layer.with_segment(Segment(300, "Wide", "#ffffff")))
        box = _box(draw)
        edit.paint(layer.id, box, _mask(box, draw), 300)
        if draw(2):
            edit.remove("layer", layer.id)
    edit.put(Annotation(new_id("annotation"), "point", "volume-a", ((0.0, 0.0, 0.0),)))
    edit.cancel()


def fail(document: Document, draw: Numbers_) -> None:
    class Broken(Exception):
        pass

    try:
        with document.edit("Broken") as edit:
            layer = _layer(document, draw)
            if layer is not None:
                box = _box(draw)
                edit.paint(layer.id, box, _mask(box, draw), layer.segments[0].label if layer.segments else 1)
            raise Broken
    except Broken:
        pass


def put_annotation(document: Document, draw: Numbers_) -> None:
    known = document.items("annotation")
    name = known[draw(len(known))].id if known and draw(2) else new_id("annotation")
    item = Annotation(
        name, "distance", "volume-a", ((0.0, 1.0, float(draw(9))), (2.0, 3.5, 4.0)), measures=(Measure("length", float(draw(9)), "mm"),)
    )
    with document.edit("Distance") as edit:
        edit.put(item)


def remove_annotation(document: Document, draw: Numbers_) -> None:
    known = document.items("annotation")
    if known:
        with document.edit("Delete annotation") as edit:
            edit.remove("annotation", known[draw(len(known))].id)


def put_results(document: Document, draw: Numbers_) -> None:
    with document.edit("Results") as edit:
        edit.put(Table(new_id("table"), "T", (Column("a", "mm"),), ((1.5,), (None,), ("x",)), "volume-a", (("k", "v"),)))
        edit.put(Report(new_id("report"), "R", "volume-a", draw(5), 0, "m", "1", "t", (Score("yes", 0.5),), 0.4, "yes", "cpu", 3.5))


def derive(document: Document, draw: Numbers_) -> None:
    root = document.root_ids()[0]
    shown, current = document.item("shown", root), document.current(root)
    data = current.data if current.data.dtype == np.float32 else current.data.astype(np.float32)
    derived = current.derived(new_id("volume"), data + np.float32(draw(9)), unit="HU")
    overlay = ScalarMap(new_id("overlay"), "Map", root, GEOMETRY, np.full(SHAPE, draw(9), np.float32))
    changes = (
        ItemChange("volume", derived.id, None, derived),
        ItemChange("shown", root, shown, derived.id),
        ItemChange("overlay", overlay.id, None, overlay),
    )
    document.commit(
        document.step("Derived", changes, origin=Origin("operation", "Test/Derived", {"value": 3, "seed": ((1.0, 2.0, 3.0),)}, (current.id,)))
    )


def grow_labels(document: Document, draw: Numbers_) -> None:
    """Labels as an operation brings them: a new layer and its voxels in one step."""
    from viewer.session.history import labels_change

    layer = LabelLayer(new_id("layer"), "Grown", GEOMETRY, "volume-a", (Segment(1, "One", "#ff0000"), Segment(2, "Two", "#00ff00")))
    box = _box(draw)
    values = np.random.default_rng(draw(50)).integers(0, 3, [s.stop - s.start for s in box]).astype(np.uint8)
    change = labels_change(layer.id, np.zeros(SHAPE, np.uint8), tuple((s.start, s.stop) for s in box), values)  # type: ignore[arg-type]
    document.commit(document.step("Grow", (ItemChange("layer", layer.id, None, layer), *([change] if change else []))))


def empty(document: Document, draw: Numbers_) -> None:
    """Touches, but changes nothing: no step."""
    layer = _layer(document, draw)
    with document.edit("Nothing") as edit:
        if layer is not None:
            edit.put(layer)
            edit.write(layer.id, ((0, 2), (0, 2), (0, 2)), document.labels(layer.id)[:2, :2, :2].copy())


GESTURES: tuple[Callable[[Document, Numbers_], None], ...] = (
    add_segment, add_segment, change_segment, paint, paint, write, delete_segment, change_much_and_cancel, fail, put_annotation, remove_annotation,
    put_results, derive, grow_labels, empty, lambda d, draw: paint(d, draw, end="cancel"),
)  # fmt: skip


# --- operations --------------------------------------------------------------------------------------------------


@operation()
def add_value(image: Image, value: Annotated[float, Range(-1000, 1000, unit="value")] = 1.0) -> Image:
    """Add a value."""
    return image.like(image.values + np.float32(value))


@operation()
def same(image: Image) -> Image:
    """The image as it is."""
    return image


@operation()
def wide(image: Image) -> Image:
    """More than 16 bits."""
    return image.like(image.values.astype(np.int64) * 100)


@operation()
def above(image: Image, limit: Annotated[float, Range(unit="value")] = 0.0, within: Mask | None = None) -> Mask:
    """What is above a limit."""
    found = image.values > limit
    return image.mask(found if within is None else found & within.on(image))


@operation()
def thirds(image: Image, given: Labels | None = None, most: int = 3) -> Labels:
    """Labels by value; from the 256th on where ``most`` says so."""
    values = np.clip((image.values.astype(np.int64) + 1000) * most // 3000, 0, most - 1) + 1
    if given is not None:
        values = np.where(given.on(image) == 1, values, 0)
    return image.labels(values.astype(np.uint16), ("low", "mid"))


@operation()
def energy(image: Image) -> Overlay:
    """A map."""
    return image.overlay(np.abs(image.values), "Energy", image.unit)


@operation()
def finds(image: Image) -> Annotations:
    """Two shapes."""
    a, b = (tuple(float(c) for c in image.geometry.to_patient(i)) for i in ((0, 1, 1), (0, 3, 4)))
    return Annotations((Draft("line", (a, b), "Edge", (Measure("length", 3.0, "mm"),)), Draft("point", (a,))))  # type: ignore[arg-type]


@operation()
def numbers(image: Image) -> Numbers:
    """A table."""
    return Numbers("Mean", (Column("mean", image.unit),), ((float(image.values.mean()),),), (("planes", str(image.values.shape[0])),))


@operation()
def verdicts(image: Image) -> Verdicts:
    """One verdict a plane."""
    made = [Verdict("m", "1", "Model", "yes or no", (("yes", 0.25), ("no", 0.75)), 0.5, "yes", "cpu", 1.0, n) for n in range(len(image.values))]
    return Verdicts(tuple(made))


@operation()
def both(image: Image) -> tuple[Mask, Numbers]:
    """A mask and a table in one."""
    return image.mask(image.values > 0), Numbers("Count", (Column("n"),), ((int((image.values > 0).sum()),),))


@operation()
def declines(image: Image) -> Image:
    """Never does it."""
    raise Refused("This image is not for me. Choose another one.")


@operation()
def half_size(image: Image) -> Image:
    """Another grid than it says."""
    return image.like(image.values[:, ::2])


@dataclass(frozen=True, slots=True)
class Answer:
    text: str


def shared(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return memory.allocate(shape, dtype)
