"""The fast ways to a header (own walk, files told by their siblings) come to what pydicom comes to, or leave the file to it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import data_store
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from viewer.core.errors import NegatoscopeError
from viewer.io.beside import open_descriptor
from viewer.io.dicom.header import Header, read_header
from viewer.io.dicom.parse import Beginning, looks_like, parse
from viewer.io.dicom.quiet import collected
from viewer.io.dicom.siblings import Siblings
from viewer.io.dicom.walk import Elements, NotPlain, TopElements, walk

PLANE = np.arange(12, dtype=np.int16).reshape(3, 4)


def dicom_files(data: Path) -> Iterator[Path]:
    """Every DICOM file of the shared data, of pydicom and of its data package."""
    for root in (data, Path(str(pydicom.__file__)).parent / "data", Path(str(data_store.__file__)).parent):
        for path in sorted(root.rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    if looks_like(file.read(4096)):
                        yield path


def by_pydicom(path: Path) -> Header | str:
    try:
        return read_header(path, by_walk=False)
    except NegatoscopeError as error:
        return str(error)


def by_walk(path: Path) -> Header | str:
    try:
        return read_header(path)
    except NegatoscopeError as error:
        return str(error)


def by_sibling(siblings: Siblings, path: Path) -> Header | str:
    descriptor, state = open_descriptor(path)
    try:
        return siblings.read(path, Beginning(descriptor, state, os.read(descriptor, siblings.first_bytes)))
    except NegatoscopeError as error:
        return str(error)
    finally:
        os.close(descriptor)


def test_header_is_pydicoms_on_every_file(shared_data: Path) -> None:
    walked, files = 0, 0
    for path in dicom_files(shared_data):
        assert by_walk(path) == by_pydicom(path), path
        files += 1
        try:
            walked += isinstance(parse(path).dataset, TopElements)
        except NegatoscopeError:
            continue
    assert files > 500
    # The rest is big endian, deflated, without preamble or out of order.
    assert walked > 0.9 * files


def assert_same(ours: Elements, truth: Dataset, where: str) -> None:
    """Every element of a data set, and of the items in it, byte for byte."""
    assert set(ours.places) == set(map(int, truth._dict)), where
    for tag in ours.places:
        raw = truth.get_item(tag, keep_deferred=True)
        sequence = ours[tag].value if (raw.VR or ours.get_item(tag).VR) == "SQ" else None
        if sequence is None:
            if not raw.is_raw:
                continue  # pydicom converts the meta header's length and syntax at once
            assert (ours.get_item(tag).VR, ours.get_item(tag).value) == (raw.VR, raw.value or b""), f"{where} {tag:08x}"
            continue
        items = truth[tag].value
        assert len(sequence) == len(items)
        for number, (item, true_item) in enumerate(zip(sequence, items, strict=True)):
            if isinstance(item, Elements):
                assert_same(item, true_item, f"{where} {tag:08x}[{number}]")


def test_every_element_of_every_file_is_pydicoms(shared_data: Path) -> None:
    compared = 0
    for path in dicom_files(shared_data):
        content = path.read_bytes()
        try:
            ours = walk(content, len(content))
        except NotPlain:
            continue
        with collected():
            truth = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            assert_same(ours.file_meta, truth.file_meta, path.name)
            assert_same(ours, truth, path.name)
        compared += 1
    assert compared > 450


@pytest.mark.parametrize("folder", ["ct_chest_lidc", "mr_head_t1", "petctmr_sts001/ct", "petctmr_sts001/mr_t1", "petctmr_sts001/pet_raw", "single"])
def test_files_told_by_their_siblings_have_pydicoms_headers(shared_data: Path, folder: str) -> None:
    siblings = Siblings()
    for path in sorted((shared_data / folder).iterdir()):
        with path.open("rb") as file:
            if not looks_like(file.read(4096)):
                continue
        assert by_sibling(siblings, path) == by_pydicom(path), path


def test_most_files_of_a_series_are_told_by_their_siblings(shared_data: Path, monkeypatch) -> None:
    siblings, in_full = Siblings(), []
    real = Siblings._in_full
    monkeypatch.setattr(Siblings, "_in_full", lambda self, path, beginning: in_full.append(path) or real(self, path, beginning))
    for path in sorted((shared_data / "ct_chest_lidc").iterdir()):
        by_sibling(siblings, path)
    assert len(in_full) < 10


CHANGES: dict[str, Callable[[int], dict[str, Any]]] = {
    "window and its function": lambda n: {"WindowCenter": 40 + n, "WindowWidth": 100, "VOILUTFunction": ("LINEAR", "SIGMOID")[n % 2]},
    "rescale and its type": lambda n: {"RescaleSlope": 1 + n, "RescaleIntercept": -n, "RescaleType": ("HU", "US")[n % 2]},
    "day and time": lambda n: {"ContentDate": f"2024010{1 + n % 2}", "ContentTime": f"{100000 + 7 * n}", "AcquisitionTime": f"{100000 + n}"},
    "number and patient": lambda n: {"InstanceNumber": n, "PatientID": f"P{n % 2}", "PatientName": "Längste^Name" * (1 + n % 3)},
    "place and direction": lambda n: {"ImagePositionPatient": [0, n % 3, 1.5 * n], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0][:: 1 - 2 * (n % 2)]},
    "one place that is none": lambda n: {"ImagePositionPatient": [0, 0, 1e9 if n == 3 else n], "WindowCenter": n},
    "one slope that is none": lambda n: {"RescaleSlope": n % 5, "RescaleIntercept": 3, "WindowCenter": n, "WindowWidth": [n, 7]},
    "size and bits": lambda n: {"BitsStored": 12 + n % 2, "Rows": 3 - n % 2, "ImagePositionPatient": [0, 0, n]},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_one_file_says_is_never_taken_for_its_sibling(write_dicom, name: str) -> None:
    siblings = Siblings()
    paths = [write_dicom(f"{n:02}", PLANE + n, **CHANGES[name](n)) for n in range(16)]
    for path in paths:
        assert by_sibling(siblings, path) == by_pydicom(path), path.name
    # None of them was told wrongly and only mended by the comparison that is made once.
    assert siblings._layouts
    assert all(layout.is_usable for layout in siblings._known.values())


def test_encapsulated_siblings_have_their_own_fragments(shared_data: Path, tmp_path: Path) -> None:
    content = (shared_data / "single" / "IM-0001-0001-0001.dcm").read_bytes()
    uid = pydicom.dcmread(shared_data / "single" / "IM-0001-0001-0001.dcm").SOPInstanceUID.encode()
    siblings = Siblings()
    for n in range(6):
        path = tmp_path / str(n)
        path.write_bytes(content.replace(uid, uid[:-1] + str(n).encode()) if n < 5 else content[:-30_000])
        assert by_sibling(siblings, path) == by_pydicom(path)


def mutants(seed: random.Random, whole: bytes, count: int) -> Iterator[bytes]:
    for _ in range(count):
        mutant = bytearray(whole)
        end = min(len(mutant) - 64, seed.choice((400, 2000, 8000, len(mutant))))
        for _ in range(seed.randint(1, 3)):
            place = seed.randrange(end)
            action = seed.randrange(6)
            if action == 0:
                mutant[place] = seed.randrange(256)
            elif action == 1:
                mutant[place : place + 4] = b"\xff" * 4
            elif action == 2:
                del mutant[place : place + seed.randint(1, 20)]
            elif action == 3:
                mutant[place:place] = mutant[max(0, place - 16) : place]
            elif action == 4:
                mutant[place] = (mutant[place] + seed.choice((-2, -1, 1, 2))) % 256
            else:
                mutant[place : place + 2] = seed.choice((b"SQ", b"UN", b"OB", b"\xfe\xff", b"\0\0", b"UT", b"\xe0\x7f"))
        yield bytes(mutant)


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_files_come_to_the_same_header_or_the_same_sentence(shared_data: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    sources = [path for path in dicom_files(shared_data) if path.stat().st_size < 200_000]
    path = tmp_path / "mutant"
    for source in chance.sample(sources, 60):
        for mutant in mutants(chance, source.read_bytes(), 5):
            path.write_bytes(mutant)
            assert by_walk(path) == by_pydicom(path), source


@pytest.mark.parametrize("folder", ["ct_chest_lidc", "petctmr_sts001/pet_raw"])
def test_mutated_siblings_come_to_the_same_header_or_the_same_sentence(shared_data: Path, tmp_path: Path, folder: str) -> None:
    chance = random.Random(3)
    files = sorted((shared_data / folder).iterdir())
    siblings = Siblings()
    for file in files[:12]:
        by_sibling(siblings, file)
    path = tmp_path / "mutant"
    for file in files[12:42]:
        for mutant in mutants(chance, file.read_bytes(), 10):
            path.write_bytes(mutant)
            assert by_sibling(siblings, path) == by_pydicom(path), file


VALUES = st.one_of(
    st.tuples(st.just("LO"), st.text("abc ", max_size=9)),
    st.tuples(st.just("DS"), st.floats(-1e3, 1e3).map(lambda v: f"{v:.6g}")),
    st.tuples(st.just("US"), st.integers(0, 65535)),
    st.tuples(st.just("FD"), st.floats(-1, 1)),
    st.tuples(st.just("UN"), st.binary(max_size=12).map(lambda v: v + b"\0" * (len(v) % 2))),
    st.tuples(st.just("OB"), st.binary(max_size=12).map(lambda v: v + b"\0" * (len(v) % 2))),
)
LEVELS = st.recursive(
    st.dictionaries(st.integers(0x1010, 0x10FF), VALUES, max_size=5),
    lambda inner: st.dictionaries(st.integers(0x1010, 0x10FF), VALUES | st.tuples(st.just("SQ"), st.lists(inner, max_size=3)), max_size=5),
    max_leaves=12,
)


def made(level: dict[int, tuple[str, Any]], is_open: bool) -> Dataset:
    dataset = Dataset()
    for element, (vr, value) in sorted(level.items()):
        # A private block, and public sequences: implicit files do not say what a private element is.
        tag = 0x00400275 if vr == "SQ" and 0x00400275 not in dataset else 0x00090000 | element
        dataset.add_new(tag, vr, Sequence([made(item, is_open) for item in value]) if vr == "SQ" else value)
        if vr == "SQ":
            dataset[tag].is_undefined_length = is_open
            for item in dataset[tag].value:
                item.is_undefined_length_sequence_item = is_open
    return dataset


@given(LEVELS, st.booleans(), st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]))
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_nesting_open_or_closed_is_walked_as_pydicom_does(tmp_path: Path, level: dict[int, Any], is_open: bool, syntax: str) -> None:
    dataset = made(level, is_open)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.7", "1.2.3", "OT"
    path = tmp_path / "made.dcm"
    with collected():
        dataset.save_as(path, enforce_file_format=True)
        content = path.read_bytes()
        truth = pydicom.dcmread(path)
        try:
            ours = walk(content, len(content))
        except NotPlain:
            # An implicit file does not say that an empty open element of a private tag is a sequence.
            assert is_open
            assert syntax == ImplicitVRLittleEndian
        else:
            assert_same(ours, truth, "made")
    assert by_walk(path) == by_pydicom(path)


@pytest.mark.parametrize("kept", [140, 200, 600, 1200])
def test_a_cut_header_is_left_to_pydicom(shared_data: Path, kept: int) -> None:
    content = next((shared_data / "ct_chest_lidc").iterdir()).read_bytes()[:kept]
    with pytest.raises(NotPlain):
        walk(content, len(content))
