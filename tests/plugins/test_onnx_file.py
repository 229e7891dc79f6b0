"""The reader of ONNX files, held against the package onnx (by what it read when the zoo was made), onnxruntime and arithmetic."""

from __future__ import annotations

import json
import os
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from plugins.classify import onnx_file, onnx_trust, wire
from plugins.classify.onnx_trust import Known
from tests.plugins import onnx_samples as samples
from tests.plugins.onnx_samples import ZOO, good, graph, message, model, node, number_field, value, weights, zoo_card
from viewer.core.errors import ModelUnusable

FACTS = json.loads((ZOO / "facts.json").read_text(encoding="utf-8"))
KNOWN = Known(10, 21, "onnxruntime 9.9")


def session(content: bytes | str) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def check(content: bytes, folder: Path = Path(), external: dict[str, str] | None = None) -> None:
    onnx_trust.check_content(onnx_file.facts_of(content, "bad.onnx"), folder, external or {}, KNOWN)


# --- reading ---


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_file_is_read_as_the_package_onnx_reads_it(name: str) -> None:
    found, wanted = onnx_file.facts(ZOO / f"{name}.onnx"), FACTS[name]
    assert (found.ir_version, found.producer, dict(found.opsets)) == (wanted["ir_version"], wanted["producer"], wanted["opsets"])
    for mine, theirs in ((found.graph.inputs, wanted["inputs"]), (found.outputs, wanted["outputs"])):
        assert [[v.name, v.dtype or f"{v.kind}_type", None if v.dims is None else list(v.dims)] for v in mine] == theirs
    assert [[n.op, n.domain, list(n.inputs), list(n.outputs), sorted(n.attributes)] for n in found.nodes] == wanted["nodes"]
    read = {w: found.array(w) for w in found.weights}
    assert {w: [v.dtype, list(v.dims)] for w, v in found.weights.items()} == {w: v[:2] for w, v in wanted["weights"].items()}
    assert {w for w, array in read.items() if array is None} == {w for w, v in found.weights.items() if v.is_external}
    for w, array in ((w, array) for w, array in read.items() if array is not None):
        assert [array.dtype.name, list(array.shape)] == wanted["weights"][w][:2]
        assert float(array.astype(np.float64).sum()) == pytest.approx(wanted["weights"][w][2], rel=1e-12)


@pytest.mark.parametrize("name", sorted(set(FACTS) - {"hungry_loading"}))
def test_inputs_and_outputs_are_those_of_a_session(name: str) -> None:
    found, running = onnx_file.facts(ZOO / f"{name}.onnx"), session(str(ZOO / f"{name}.onnx"))
    assert [(v.name, list(v.dims or ())) for v in found.inputs] == [(v.name, v.shape) for v in running.get_inputs()]
    assert [v.name for v in found.outputs] == [v.name for v in running.get_outputs()]


TYPED = [
    (1, message(4, struct.pack("<3f", 1.5, -2, 3)), np.array([1.5, -2, 3], np.float32)),
    (1, b"".join(wire.encoded(4 << 3 | 5) + struct.pack("<f", v) for v in (1.5, -2, 3)), np.array([1.5, -2, 3], np.float32)),
    (1, message(9, struct.pack("<3f", 1.5, -2, 3)), np.array([1.5, -2, 3], np.float32)),
    (11, message(10, struct.pack("<3d", 1e300, -2, 3)), np.array([1e300, -2, 3])),
    (7, message(7, b"".join(wire.encoded(v) for v in (-1, 2, 1 << 62))), np.array([-1, 2, 1 << 62])),
    (7, b"".join(number_field(7, v) for v in (-1, 2, 1 << 62)), np.array([-1, 2, 1 << 62])),
    (7, message(9, struct.pack("<3q", -1, 2, -(1 << 63))), np.array([-1, 2, -(1 << 63)])),
    (6, message(5, b"".join(wire.encoded(v) for v in (-5, 6, 300))), np.array([-5, 6, 300], np.int32)),
    (9, message(5, b"\1\0\1"), np.array([True, False, True])),
    (10, message(5, b"".join(wire.encoded(v) for v in (0x3E00, 0xC000, 0))), np.array([1.5, -2, 0], np.float16)),
    (10, message(9, np.array([1.5, -2, 0], "<f2").tobytes()), np.array([1.5, -2, 0], np.float16)),
    (13, message(11, b"".join(wire.encoded(v) for v in (1, 2, (1 << 64) - 1))), np.array([1, 2, (1 << 64) - 1], np.uint64)),
]


@pytest.mark.parametrize(("dtype", "data", "wanted"), TYPED)
def test_weights_are_read_however_they_are_written(dtype: int, data: bytes, wanted: np.ndarray) -> None:
    found = onnx_file.facts_of(good(constants=[weights("w", (3,), dtype, data)]), "m").array("w")
    assert found is not None
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)
    with_it = good(constants=[weights("w", (3,), dtype, data)], outputs=[value("w", (3,), dtype)], nodes=[])
    np.testing.assert_array_equal(session(with_it).run(["w"], {"image": np.zeros((1, 1, 4, 4), np.float32)})[0], wanted)


@pytest.mark.parametrize("data", [message(9, b"\0" * 11), message(9, b"\0" * 16), message(4, b"\0" * 7), message(4, b"\0" * 8), b""])
def test_weights_with_too_few_or_too_many_bytes_are_a_sentence(data: bytes) -> None:
    with pytest.raises(ModelUnusable, match=r"m is not an ONNX model, or is cut off or damaged"):
        onnx_file.facts_of(good(constants=[weights("w", (3,), 1, data)]), "m").array("w")


def test_a_constant_node_is_read_as_weights_are() -> None:
    attribute = message(5, message(1, b"value") + message(5, weights("", (2,), 1, message(9, struct.pack("<2f", 1, 2)))) + number_field(20, 4))
    listed = message(5, message(1, b"value_ints") + number_field(8, 3) + number_field(8, -4) + number_field(20, 7))
    content = good(nodes=[node("Constant", [], ["c"], attributes=attribute), node("Constant", [], ["d"], attributes=listed)], outputs=[value("c")])
    found = onnx_file.facts_of(content, "m")
    assert found.array("c") == pytest.approx([1, 2])
    assert found.array("d").tolist() == [3, -4]  # type: ignore[union-attr]
    assert found.array("image") is None


def test_inputs_with_weights_of_their_name_need_not_be_given() -> None:
    content = good(inputs=[value("image", ("N", 1, 4, 4)), value("w", (3,))], constants=[weights("w", (3,), 1, message(9, b"\0" * 12))])
    assert [v.name for v in onnx_file.facts_of(content, "m").inputs] == ["image"]


def test_classes_of_a_zipmap_are_known() -> None:
    assert onnx_file.facts(ZOO / "sklearn_forest_zipmap.onnx").labels_of("output_probability") == ("one", "two", "zero")
    assert onnx_file.facts(ZOO / "sklearn_logistic_zipmap.onnx").labels_of("output_probability") == (0, 1, 2)
    assert onnx_file.facts(ZOO / "torch_cnn.onnx").labels_of("logit") == ()


# --- one more output ---


@pytest.mark.parametrize("name", ["torch_cnn", "keras_four_blocks", "torch_cnn_lstm", "planted"])
def test_every_value_can_become_an_output_and_changes_no_other(name: str) -> None:
    content = (ZOO / f"{name}.onnx").read_bytes()
    found = onnx_file.facts_of(content, name)
    shape = [size if isinstance(size, int) else 2 for size in found.inputs[0].dims or ()]
    given = {found.inputs[0].name: np.random.default_rng(1).random(shape, np.float32)}
    before = session(content).run(None, given)
    for added in {out for n in found.nodes for out in n.outputs if n.op != "Constant" and out} - {v.name for v in found.outputs}:
        running = session(onnx_file.with_output(content, added))
        assert [v.name for v in running.get_outputs()] == [found.outputs[0].name, added]
        after = running.run(None, given)
        np.testing.assert_allclose(after[0], before[0], rtol=1e-5, atol=1e-6)
        assert len(after) == 2


def test_an_added_output_has_the_shape_that_the_file_gives_it() -> None:
    content = good(values=[value("b", ("N", 1, 4, 4))])
    added = session(onnx_file.with_output(content, "b")).get_outputs()[1]
    assert (added.name, added.shape, added.type) == ("b", ["N", 1, 4, 4], "tensor(float)")
    assert onnx_file.facts_of(onnx_file.with_output(content, "b"), "m").value("b").dims == ("N", 1, 4, 4)  # type: ignore[union-attr]


def test_an_output_is_not_added_twice_and_never_one_that_is_not_there() -> None:
    content = good()
    assert onnx_file.with_output(content, "logit") == content
    with pytest.raises(ModelUnusable, match='m has no value named "nowhere"'):
        onnx_file.with_output(content, "nowhere", file="m")


# --- what is no model ---


@pytest.mark.parametrize(
    "content", [b"This is not an ONNX model.\n" * 10, b"\x08\x07\x12\x04test\x3a\xff\xff\xff\xff\x0f" + b"\0" * 64, b"\xff" * 50, b"\0"]
)
def test_what_is_not_onnx_costs_a_sentence_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "thing.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"thing\.onnx is not an ONNX model"):
        onnx_file.facts(path)


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").touch()
    with pytest.raises(ModelUnusable, match=r"m\.onnx is empty"):
        onnx_file.facts(tmp_path / "m.onnx")


@pytest.mark.parametrize("name", ["torch_cnn", "sklearn_logistic_zipmap", "hangs"])
def test_a_file_cut_off_anywhere_is_refused(name: str) -> None:
    content = (ZOO / f"{name}.onnx").read_bytes()
    for end in range(0, len(content), 7):
        with pytest.raises(ModelUnusable):
            check(content[:end])


def test_changed_bytes_are_read_or_refused_and_nothing_else() -> None:
    chance = random.Random(5)
    names = ("hangs", "torch_cnn_lstm", "sklearn_logistic_zipmap", "keras_four_blocks")
    refused = 0
    for turn in range(1200):
        content = bytearray((ZOO / f"{names[turn % len(names)]}.onnx").read_bytes())
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(min(len(content), 3000))
            content[place] = chance.choice((0xFF, 0x80, 0, chance.randrange(256)))
        try:
            check(bytes(content))
        except ModelUnusable:
            refused += 1
    assert 0 < refused < 1200


def test_two_graphs_are_none_for_protobuf_would_merge_what_was_not_checked() -> None:
    whole = good()
    twice = whole + message(7, graph([node("Evil", ["image"], ["x"], domain="evil")]))
    with pytest.raises(ModelUnusable, match="damaged"):
        onnx_file.facts_of(twice, "m")


@pytest.mark.parametrize(
    ("name", "start", "words"),
    [
        ("net.pt", b"PK\x03\x04" + b"\0" * 26 + b"archive/data.pkl", r"net\.pt is a PyTorch file.*torch\.onnx\.export"),
        ("net.onnx", b"PK\x03\x04" + b"\0" * 26 + b"archive/data.pkl", "PyTorch"),
        ("net.pth", b"\x80\x02\x8a\n", "PyTorch"),
        ("net.pkl", b"\x80\x04\x95\x00", r"pickle.*skl2onnx"),
        ("net.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 20, r"Keras.*tf2onnx"),
        ("net.keras", b"PK\x03\x04" + b"\0" * 26 + b"metadata.json", r"Keras.*tf2onnx"),
        ("net.tflite", b"\x1c\0\0\0TFL3" + b"\0" * 20, r"TensorFlow Lite.*--tflite"),
        ("net.zip", b"PK\x03\x04" + b"\0" * 26 + b"model.onnx", "ZIP archive"),
        ("net.ort", b"\x1c\0\0\0ORTM" + b"\0" * 20, "onnxruntime's own format"),
        ("net.safetensors", struct.pack("<q", 40) + b'{"__metadata__":{}}' + b"\0" * 30, "weights only"),
    ],
)
def test_models_of_another_kind_are_named_with_what_to_do(tmp_path: Path, name: str, start: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(start)
    with pytest.raises(ModelUnusable, match=words):
        onnx_file.facts(tmp_path / name)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").symlink_to(ZOO / "torch_cnn.onnx")
    with pytest.raises(ModelUnusable, match="link"):
        onnx_file.facts(tmp_path / "m.onnx")


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"m\.onnx cannot be read"):
        onnx_file.facts(tmp_path / "m.onnx")


def test_a_file_over_two_gib_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "m.onnx").open("wb") as file:
        file.write(good())
        file.truncate((2 << 30) + 1)
    with pytest.raises(ModelUnusable, match="larger than 2 GiB"):
        onnx_file.facts(tmp_path / "m.onnx")


# --- what may not be run: each beside the good twin ---


def test_the_good_twin_passes() -> None:
    check(good())
    assert session(good()).run(None, {"image": np.ones((1, 1, 4, 4), np.float32)})[0].shape == (1, 1, 4, 4)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (good(ir_version=11), r"format 11; onnxruntime 9\.9 knows up to 10"),
        (good(opset=22), r"opset 22; onnxruntime 9\.9 knows up to 21"),
        (number_field(1, 8) + message(8, number_field(2, 17)), "no graph"),
        (good(inputs=[]), "takes no input"),
        (good(outputs=[]), "no output"),
        (good(nodes=[node("Abs", ["image"], ["logit"], domain="evil.ops")], domains=[("evil.ops", 1)]), r"operator Abs of evil\.ops"),
        (good(nodes=[node("EPContext", ["image"], ["logit"], domain="com.microsoft")]), "operator EPContext of com.microsoft"),
        (good(inputs=[value("image", ("N", 1, 1 << 21, 4))]), r"image as N x 1 x 2097152 x 4"),
        (good(inputs=[value("image", (1 << 20, 1 << 20, 4, 4))]), "no size to be run here"),
        (good(constants=[weights("w", (1 << 19, 1 << 19))]), "declares w as"),
        (samples.nested(9), "deeper than 8"),
    ],
)
def test_what_may_not_be_run_is_refused_in_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(ModelUnusable, match=words) as caught:
        check(content)
    assert "bad.onnx" in str(caught.value)


def test_eight_graphs_within_another_are_read() -> None:
    check(samples.nested(7))


def test_operators_in_the_body_of_a_loop_and_of_a_function_are_looked_at_too() -> None:
    inner = graph([node("Evil", ["x"], ["y"], domain="evil")])
    attribute = message(5, message(1, b"body") + message(6, inner) + number_field(20, 5))
    with pytest.raises(ModelUnusable, match="Evil"):
        check(good(nodes=[node("Loop", ["image"], ["logit"], attributes=attribute)]))
    function = message(1, b"F") + message(10, b"local") + message(7, node("Evil", ["x"], ["y"], domain="evil"))
    with pytest.raises(ModelUnusable, match="Evil"):
        check(good() + message(25, function))


def test_functions_that_the_file_brings_may_be_called() -> None:
    function = message(1, b"F") + message(10, b"local") + message(7, node("Abs", ["x"], ["y"]))
    check(good(nodes=[node("F", ["image"], ["logit"], domain="local")]) + message(25, function))
    with pytest.raises(ModelUnusable, match="operator G of local"):
        check(good(nodes=[node("G", ["image"], ["logit"], domain="local")]) + message(25, function))


def test_microsofts_operators_that_only_compute_are_let_through() -> None:
    check(good(nodes=[node("FusedConv", ["image"], ["logit"], domain="com.microsoft")], domains=[("com.microsoft", 1)]))


def test_too_many_nodes_are_refused() -> None:
    with pytest.raises(ModelUnusable, match="more than 200000 nodes"):
        onnx_file.facts_of(good(nodes=[node("Abs", ["image"], ["logit"])] * 200_001), "m")


# --- weights in other files ---

DATA = np.arange(3, dtype="<f4").tobytes()
SHA = __import__("hashlib").sha256(DATA).hexdigest()


def outside(location: str = "w.bin", **more: str) -> bytes:
    return good(constants=[weights("w", (3,), external={"location": location, **more})])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w.bin").write_bytes(DATA)
    return tmp_path


def test_listed_weights_beside_the_model_are_taken(folder: Path) -> None:
    check(outside(), folder, {"w.bin": SHA})
    check(outside(offset="0", length="12"), folder, {"w.bin": SHA})


@pytest.mark.parametrize(
    "location", ["../w.bin", "/etc/passwd", "sub/w.bin", "..", ".", "", "C:\\w.bin", "..\\w.bin", "*/_ORT_MEM_ADDR_/*", "w.bin\0x"]
)
def test_weights_outside_of_the_folder_are_refused_even_if_listed(folder: Path, location: str) -> None:
    with pytest.raises(ModelUnusable, match="outside of its folder"):
        check(outside(location), folder, {location: SHA})


def test_weights_that_the_card_does_not_list_are_refused(folder: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"w\.bin, which its card does not list"):
        check(outside(), folder)


def test_weights_with_another_checksum_are_refused(folder: Path) -> None:
    with pytest.raises(ModelUnusable, match="checksum is not the card's"):
        check(outside(), folder, {"w.bin": SHA[::-1]})


@pytest.mark.parametrize("make", ["symlink_to", "hardlink_to"])
def test_linked_weights_are_refused(folder: Path, make: str) -> None:
    getattr(folder / "linked.bin", make)(folder / "w.bin")
    with pytest.raises(ModelUnusable, match="which is a link"):
        check(outside("linked.bin"), folder, {"linked.bin": SHA})


def test_missing_weights_are_said(folder: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"gone\.bin, which cannot be read"):
        check(outside("gone.bin"), folder, {"gone.bin": SHA})


@pytest.mark.parametrize("place", [{"offset": "4"}, {"length": "11"}, {"offset": "-4"}, {"offset": "99999999999999999999"}, {"length": "x"}])
def test_places_that_do_not_lie_within_the_other_file_are_refused(folder: Path, place: dict[str, str]) -> None:
    with pytest.raises(ModelUnusable, match="no such bytes"):
        check(outside(**place), folder, {"w.bin": SHA})


def test_weights_of_an_attribute_are_looked_at_too(folder: Path) -> None:
    attribute = message(5, message(1, b"value") + message(5, weights("", (3,), external={"location": "/etc/passwd"})) + number_field(20, 4))
    with pytest.raises(ModelUnusable, match="outside of its folder"):
        check(good(nodes=[node("Constant", [], ["logit"], attributes=attribute)]), folder)


# --- against the card ---


@pytest.mark.parametrize(
    ("content", "spec", "words"),
    [
        (good(), {"height": 4, "width": 5}, r"NCHW of \? x 1 x 4 x 5; the model takes \? x 1 x 4 x 4"),
        (good(), {"height": 4, "width": 4, "channels": 3}, "NCHW of"),
        (good(), {"height": 4, "width": 4, "layout": "NHWC"}, "NHWC of"),
        (good(), {"height": 4, "width": 4, "depth": 4, "layout": "NCDHW"}, "NCDHW of"),
        (good(), {"height": 4, "width": 4, "dtype": "uint8"}, "takes uint8; the model takes float32"),
        (good(), {"height": 4, "width": 4, "name": "film"}, r'names the input "film"; the model takes image'),
        (good(inputs=[value("image", None)]), {"height": "any", "width": "any"}, "leaves open what size"),
        (good(inputs=[value("image", ("N", 1, 4, 4)), value("age", (1,))]), {"height": 4, "width": 4}, "image, age: more than the one"),
        (good(inputs=[value("image", ("N", 1, 4, 4)), value("age", (1,))]), {"height": 4, "width": 4, "name": "age"}, "more than the one"),
    ],
)
def test_what_is_not_as_the_card_says_is_one_sentence(tmp_path: Path, content: bytes, spec: dict[str, Any], words: str) -> None:
    card = zoo_card(tmp_path, "m", content=content, takes=spec)
    with pytest.raises(ModelUnusable, match=words):
        onnx_trust.check_card(onnx_file.facts_of(content, "m"), card)


@pytest.mark.parametrize("dims", [None, (None, None, None, None), ("N", "C", "H", "W")])
def test_where_all_is_free_the_cards_size_will_do(tmp_path: Path, dims: Any) -> None:
    content = good(inputs=[value("image", dims)])
    onnx_trust.check_card(onnx_file.facts_of(content, "m"), zoo_card(tmp_path, "m", content=content, takes={"height": 4, "width": 4}))


def test_an_output_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "m", content=good(), takes={"height": 4, "width": 4}, gives={"name": "scores"})
    with pytest.raises(ModelUnusable, match='names the output "scores"; the model gives logit'):
        onnx_trust.check_card(onnx_file.facts_of(good(), "m"), card)


@pytest.mark.parametrize(
    ("name", "wanted"), [("sklearn_logistic", "probabilities"), ("sklearn_forest_zipmap", "output_probability"), ("segment_argmax", "labels")]
)
def test_without_a_name_scores_are_judged_and_not_labels(tmp_path: Path, name: str, wanted: str) -> None:
    assert onnx_trust.output_name(onnx_file.facts(ZOO / f"{name}.onnx"), zoo_card(tmp_path, name)) == wanted


def test_numbers_on_the_wire_are_read_at_once_as_one_by_one() -> None:
    chance = random.Random(3)
    numbers = [chance.getrandbits(chance.randint(1, 63)) * chance.choice((1, -1)) for _ in range(500)]
    packed = b"".join(wire.encoded(n) for n in numbers)
    assert wire.varints(packed, (0, len(packed))).tolist() == numbers
    at = 0
    for n in numbers:
        found, at = wire.varint(packed, at, len(packed))
        assert wire.signed(found) == n


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 66, 3000])
def test_long_lists_of_numbers_are_read_whatever_their_length(count: int) -> None:
    chance = random.Random(count)
    whole = [chance.getrandbits(chance.choice((3, 7, 8, 20, 40, 62))) * chance.choice((1, -1)) for _ in range(count)]
    parts = np.random.default_rng(count).normal(size=count).astype(np.float32)
    texts = [str(n).encode() for n in whole]
    numbers = message(1, b"w") + b"".join(number_field(8, n) for n in whole) + number_field(20, 7)
    floats = message(1, b"f") + b"".join(b"\x3d" + n.tobytes() for n in parts) + number_field(20, 6)
    named = message(1, b"t") + b"".join(message(9, n) for n in texts) + number_field(20, 8)
    attributes = b"".join(message(5, attribute) for attribute in (numbers, floats, named))
    found = onnx_file.facts_of(good(nodes=[node("Abs", ["image"], ["logit"], attributes=attributes)]), "m").nodes[0].attributes
    assert found["w"] == tuple(whole)
    assert found["f"] == tuple(parts.tolist())
    assert found["t"] == tuple(texts)


def test_a_graph_cannot_hide_behind_other_values_of_its_attribute() -> None:
    evil = graph([node("Evil", ["x"], ["y"], domain="evil")])
    long = b"".join(number_field(8, n) for n in range(200))
    for values in (
        long + message(6, evil),
        long + message(11, evil) + long,
        message(6, evil) + number_field(3, 1),
        message(11, evil) + number_field(8, 1),
    ):
        attribute = message(5, message(1, b"body") + values + number_field(20, 5))
        with pytest.raises(ModelUnusable, match="two kinds of values"):
            check(good(nodes=[node("Abs", ["image"], ["logit"], attributes=attribute)]))


@pytest.mark.parametrize("field", [2, 3])
@pytest.mark.parametrize("packed", [b"", b"\x01\x02\x03\x04\x05\x06\x07\x08"])
def test_a_single_number_that_is_none_or_several_is_refused(field: int, packed: bytes) -> None:
    attribute = message(5, message(1, b"alpha") + message(field, packed))
    with pytest.raises(ModelUnusable, match=f"damaged .field {field} at byte"):
        onnx_file.facts_of(good(nodes=[node("Abs", ["image"], ["logit"], attributes=attribute)]), "m")


def test_reading_costs_no_more_than_the_file(tmp_path: Path) -> None:
    # 64 MiB of weights are passed over, not copied: the file is read once.
    content = good(constants=[weights("w", (1 << 10, 1 << 14), 1, message(9, os.urandom(1 << 16) * (1 << 10)))])
    found = onnx_file.facts_of(content, "m")
    assert found.content is content
    assert found.array("w").base is not None  # type: ignore[union-attr]
    assert found.light().content == b""
    assert model(graph())


def test_sparse_weights_and_defaults_of_functions_are_looked_at_too(folder: Path) -> None:
    elsewhere = weights("i", (3,), samples.INT64, external={"location": "/etc/passwd"})
    sparse = message(1, weights("w", (3,), 1, message(9, b"\0" * 12))) + message(2, elsewhere) + number_field(3, 9)
    with pytest.raises(ModelUnusable, match="sparse tensor"):
        check(model(graph([], [value("image")], [value("w")]) + message(15, sparse)))
    default = message(1, b"value") + message(5, weights("", (3,), external={"location": "/etc/passwd"})) + number_field(20, 4)
    function = message(1, b"F") + message(10, b"local") + message(11, default)
    with pytest.raises(ModelUnusable, match="outside of its folder"):
        check(good() + message(25, function), folder)
