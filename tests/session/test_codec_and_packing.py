"""Items as JSON and arrays as packed bytes: everything comes back as it was, damage is named, nothing else gets in or out."""

from __future__ import annotations

import dataclasses
import json
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from viewer.core import memory
from viewer.core.annotation import Annotation, Measure
from viewer.core.errors import UnreadableFile
from viewer.core.geometry import Geometry
from viewer.core.graphics import GraphicPlane, Shutter
from viewer.core.key_image import KeyImage
from viewer.core.labels import LabelLayer, Segment
from viewer.core.overlay import ScalarMap
from viewer.core.report import Column, Report, Score, Table
from viewer.core.slab import Slab
from viewer.core.volume import Identity, ValueScale, Volume
from viewer.core.window import VoiLut, Window
from viewer.session import codec
from viewer.session.history import ItemChange, LabelsChange, Origin, Phrase, Step
from viewer.session.packing import copy_into, pack, unpack

GRID = Geometry((2, 3, 4), (1.5, -2.0, 3.0), (2.0, 0.5, 0.25), (0.6, -0.8, 0.0, 0.8, 0.6, 0.0, 0.0, 0.0, -1.0), frame_uid="1.2.3")
UNEVEN = dataclasses.replace(GRID, between_known=False, plane_origins=((1.5, -2.0, 3.0), (1.5, 0.1, 0.0)))
ARRAYS = hnp.arrays(
    st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.float32, np.bool_]),
    hnp.array_shapes(min_dims=3, max_dims=4, max_side=6),
    fill=st.nothing(),
)


def items() -> list[Any]:
    window = Window(40, 400.5, "SIGMOID", "Größe \ud83d \u4e2d")
    volume = Volume(
        "volume-a", np.arange(24, dtype=np.int16).reshape(1, 2, 3, 4), GRID, unit="HU", title="CT",
        identity=Identity(patient_name="Müller^Änne", modality="CT"),
        windows=(window,), voi_luts=(VoiLut(0.0, (1, 2, 3), 8, "L"),), padding=(-2000.0, -1999.0), patient_orientation=("L", "P"),
        phase_labels=("a",), phase_seconds=(0.5,), warnings=("w",), badges=("B",), facts=MappingProxyType({"k": "v"}), parent_id="p", root_id="r",
        plane_windows=((window, None),), scales=(ValueScale("SUVbw", 2.5e-4, "how", "SUV est."),), scale_problem="why",
        graphics=(GraphicPlane(0, 1, 2, "region", "n", np.full((3, 1), 0xA0, np.uint8)),),
        shutter=Shutter((0, 2, 1, 3), (1.0, 1.5, 2.0), ((0, 0), (0, 3), (2, 0)), np.full((3, 1), 0x40, np.uint8), 128),
    )  # fmt: skip
    annotation = Annotation(
        "annotation-a",
        "ellipse",
        "volume-a",
        ((1.0, 2.0, 3.0), (0.1, 1e-300, -0.0)),
        2,
        1,
        "n",
        (Measure("area", None, "mm²"), Measure("mean", 1.5, "HU")),
    )
    return [
        volume, annotation, LabelLayer("layer-a", "L", GRID, "volume-a", (Segment(1, "One", "#ff0000", False, True, "code"),)),
        ScalarMap("overlay-a", "Energy", "volume-a", GRID, np.full((2, 3, 4), np.nan, np.float32), "HU", "magma", 1, False),
        Table("table-a", "T", (Column("a", "mm"), Column("b")), (("x", 1.5), (None, 3), (float("nan"), float("-inf"))), "volume-a", (("k", "v"),)),
        Report("report-a", "R", "volume-a", 1, 0, "m", "1", "t", (Score("yes", 0.25),), None, "", "cpu", 1.25, ("w",), True, (("k", "v"),), "b"),
        KeyImage("key-a", "volume-a", "coronal", 1, 7, 2, (1.0, 0.0, 0.0, 0.0, 0.6, 0.8, 0.0, -0.8, 0.6), (1.5, -2.0, 3.25), (0.0, 0.8, 0.6),
            Slab("mip", 2.5), window, "HU", 1, True, 3, True, False, "N", "Of Interest"),
        GRID, UNEVEN, UNEVEN.permuted((2, 0, 1)), "a text", "$packed", None, True, 3, 1.5,
    ]  # fmt: skip


class Shelf:
    """Where the arrays of an item go, packed."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def keep(self, array: Any) -> int:
        self.kept.append(array if not isinstance(array, np.ndarray) else pack(array))
        return len(self.kept) - 1

    def get(self, number: int, packed: bool) -> Any:
        return self.kept[number] if packed else unpack(self.kept[number], shared=True)


def there_and_back(value: Any) -> Any:
    shelf = Shelf()
    return codec.decode(codec.encode(value, shelf.keep), shelf.get)


def assert_equal(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_equal(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b)
    else:
        assert one == other or (one != one and other != other)
        assert repr(one) == repr(other)


@pytest.mark.parametrize("item", items(), ids=lambda item: type(item).__name__)
def test_every_kind_of_item_comes_back_as_it_was(item: Any) -> None:
    assert_equal(there_and_back(item), item)


def test_a_step_comes_back_with_its_origin_and_its_changes() -> None:
    volume, annotation, layer, *_ = items()
    labels = LabelsChange("layer-a", ((0, 1), (1, 3), (2, 4)), pack(np.zeros((1, 2, 2), np.uint16)), pack(np.full((1, 2, 2), 300, np.uint16)))
    origin = Origin(
        "operation",
        "Segment/Threshold",
        MappingProxyType({"low": -1.5, "seed": ((1.0, 2.0, 3.0),), "mask": None, "n": np.int64(3)}),
        ("volume-a", "layer-a#1"),
    )
    changes = (
        ItemChange("layer", layer.id, None, layer),
        labels,
        ItemChange("annotation", annotation.id, annotation, None),
        ItemChange("volume", volume.id, None, volume),
    )
    step = Step("step-a", Phrase("Grow {segment}", MappingProxyType({"segment": "One", "n": 3})), 1234.5, origin, changes)
    again = there_and_back(step)
    assert (again.id, again.title, again.time, again.changes) == (step.id, step.title, step.time, step.changes)
    assert dict(again.origin.parameters) == {"low": -1.5, "seed": ((1.0, 2.0, 3.0),), "mask": None, "n": 3}
    np.testing.assert_array_equal(unpack(again.changes[1].after), np.full((1, 2, 2), 300))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=12
    )
)
def test_any_plain_value_comes_back(value: Any) -> None:
    assert_equal(there_and_back(value), value)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 1j, pack, Exception("x")], ids=lambda v: type(v).__name__)
def test_what_has_no_place_in_a_history_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot be kept"):
        codec.encode(value, Shelf().keep)


@pytest.mark.parametrize(
    "text", ["", "{", "[1", '{"$":"Exit"}', '{"$":"Segment"}', '{"$":"Segment","label":1,"name":"a","color":"b","extra":1}', '{"x":1}', "[" * 100_000,
             '{"$map":[[1]]}', '{"$float":"x"}', '{"$":"Geometry","shape":[0,0,0]}', '{"$":"os.system","command":"x"}']
)  # fmt: skip
def test_a_damaged_entry_is_named(text: str) -> None:
    with pytest.raises(UnreadableFile, match="damaged"):
        codec.decode(text, Shelf().get)


def test_the_text_is_canonical() -> None:
    segment = Segment(1, "é", "#ff0000")
    text = codec.encode({"b": segment, "a": 1.0}, Shelf().keep)
    assert text == codec.encode({"b": segment, "a": 1.0}, Shelf().keep)
    assert text.isascii()
    assert json.loads(text)["$map"][0][0] == "b", "maps keep their order"


@given(ARRAYS, st.booleans())
def test_arrays_come_back_bit_for_bit(array: np.ndarray, split: bool) -> None:
    packed = pack(array, split=split)
    again = unpack(packed)
    assert again.dtype == array.dtype
    assert again.tobytes() == array.tobytes()
    assert packed == pack(array.copy(), split=split)
    target = np.zeros((array.shape[0] + 2, *array.shape[1:]), array.dtype)
    copy_into(packed, target[1:-1])
    assert target[1:-1].tobytes() == array.tobytes()
    assert not target[0].any()
    assert not target[-1].any()


@given(ARRAYS)
def test_views_and_other_orders_are_packed_as_what_they_show(array: np.ndarray) -> None:
    for view in (array[::-1], np.moveaxis(array, 0, -1), np.asfortranarray(array), array[:, ::2]):
        np.testing.assert_array_equal(unpack(pack(view)), view)


def test_labels_are_copied_into_a_wider_layer() -> None:
    target = np.full((2, 3, 4), 300, np.uint16)
    copy_into(pack(np.full((2, 3, 4), 7, np.uint8), split=False), target)
    assert (target == 7).all()


def test_an_unpacked_volume_can_be_shared() -> None:
    assert memory.locate(unpack(pack(np.ones((2, 3, 4), np.int16)), shared=True)) is not None


@pytest.mark.parametrize("place", [0, 10, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    packed = pack(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    blob = bytearray(packed.blob)
    blob[place] ^= 4
    packed._blob = bytes(blob)
    with pytest.raises(UnreadableFile, match="checksum"):
        unpack(packed)


def test_forgotten_bytes_are_fetched_again_and_count_for_nothing() -> None:
    packed = pack(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))
    blob = packed.blob
    asked: list[int] = []
    packed.forget(lambda: asked.append(1) or blob)  # type: ignore[func-returns-value]
    assert packed.in_memory == 0
    np.testing.assert_array_equal(unpack(packed), np.arange(60).reshape(3, 4, 5))
    assert asked == [1]


def test_a_sentence_is_kept_by_its_key_and_said_in_the_language_of_who_reads_it_again() -> None:
    from viewer.core import words
    from viewer.core.provenance import Note
    from viewer.core.sentence import whole

    note = Note(
        "geometry", whole(words.gettext("{name}: {reason}").format(name="CT {x:>9}", reason=words.ngettext("{count} plane", "{count} planes", 3)))
    )
    words.use("zh_CN")
    try:
        text = codec.encode(note, lambda _array: 0)
        back = codec.decode(text, lambda _number, _packed: None)
        assert str(back.text) == str(note.text) == "CT {x:>9}：3 个层面。"
    finally:
        words.use("en")
    assert codec.encode(note, lambda _array: 0) == text, "the same in every language"
    assert str(back.text) == "CT {x:>9}: 3 planes."


@pytest.mark.parametrize("key", ["{a:>999999999}", "{a.__class__}", "{a[0]}", "{a!r:9999999}", "{b}", "{"])
def test_a_sentence_of_a_damaged_entry_fills_in_nothing_but_plain_fields(key: str) -> None:
    with pytest.raises(UnreadableFile):
        codec.decode(json.dumps({"$say": [key, "", {"$map": [["a", 1]]}]}), lambda _number, _packed: None)
