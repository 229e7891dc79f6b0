"""The element tree of any file: every element that pydicom finds, named and readable; hostile files cost a sentence."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from viewer.core.errors import UnreadableFile
from viewer.io.dicom.tag_words import as_text, haystack, is_identity, matching, name_of, title_of, value_of, whole_value_of
from viewer.io.dicom.tags import ITEM, KEPT_BYTES, MAX_DEPTH, Tags, read_tags

PACKAGE = Path(pydicom.__file__).parent / "data"
# pydicom stops at the cut and lists nothing; SC_rgb_jpeg: pydicom corrects the VR of compressed pixels.
OTHERWISE = {"emri_small_jpeg_2k_lossless_too_short.dcm", "SC_rgb_jpeg.dcm"}
SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "big endian": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
}


def theirs(dataset: Dataset) -> set[tuple[Any, ...]]:
    """(path of sequences and items, tag, VR, number of items) by pydicom's own iteration."""
    found = set()

    def walk(inner: Dataset, path: tuple[Any, ...]) -> None:
        for element in inner:
            nested = element.VR == "SQ"
            found.add((path, int(element.tag), str(element.VR), len(element.value) if nested else None))
            for number, item in enumerate(element.value if nested else (), 1):
                walk(item, (*path, (int(element.tag), number)))

    walk(dataset, ())
    return found


def ours(tags: Tags) -> set[tuple[Any, ...]]:
    found = set()
    for row in tags.rows:
        if row.tag == ITEM or row.tag >> 16 == 2:
            continue
        path, place = [], row.parent
        while place >= 0:
            item = tags.rows[place]
            path.append((tags.rows[item.parent].tag, item.number))
            place = tags.rows[item.parent].parent
        found.add((tuple(reversed(path)), row.tag, row.vr, row.number if row.vr == "SQ" else None))
    return found


def packaged() -> list[Path]:
    folders = (PACKAGE / "test_files", PACKAGE / "charset_files")
    return sorted(p for folder in folders for p in folder.rglob("*") if p.suffix == ".dcm" or p.name.startswith("DICOMDIR"))


def pairs(files: list[Path]) -> list[tuple[str, set[Any], set[Any]]]:
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in files:
            try:
                tags = read_tags(path)
            except UnreadableFile:
                continue
            if path.name not in OTHERWISE and not path.is_dir():
                found.append((path.name, ours(tags), theirs(pydicom.dcmread(path, force=True))))
    return found


def test_every_element_of_every_packaged_file_is_listed_as_pydicom_iterates_them() -> None:
    compared = pairs(packaged())
    assert [name for name, mine, other in compared if mine != other] == []
    assert len(compared) > 100


def test_every_element_of_every_shared_file_is_listed_as_pydicom_iterates_them(shared_data: Path) -> None:
    compared = pairs(sorted((shared_data / "single").iterdir()))
    assert [name for name, mine, other in compared if mine != other] == []
    assert len(compared) > 70


def test_values_agree_with_the_oracles_of_every_file(shared_data: Path) -> None:
    expected = json.loads((shared_data / "expected.json").read_text())
    wanted = {"transfer_syntax": 0x00020010, "sop_class": 0x00080016, "modality": 0x00080060}
    seen = 0
    for name, facts in expected.items():
        if not name.startswith("single/") or facts.get("kind") != "dicom-file":
            continue
        values = {row.tag: value_of(row).split(" ")[0] for row in read_tags(shared_data / name).rows if row.depth == 0}
        for key, tag in wanted.items():
            if facts.get(key) and tag in values:
                assert values[tag] == facts[key].strip(), (name, key)
                seen += 1
    assert seen > 150


def made(tmp_path: Path, syntax: str, **values: Any) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    path = tmp_path / "made.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_values_read_the_same_in_every_encoding(tmp_path: Path, syntax: str) -> None:
    code = Dataset()
    code.CodeValue, code.CodeMeaning = "T-1", "Lung"
    path = made(
        tmp_path, syntax, PatientName="Doe^Jane", Rows=3, PixelSpacing=["0.5", "2"], RealWorldValueSlope=0.25, FrameIncrementPointer=0x00181063,
        AnatomicRegionSequence=Sequence([code, code]), SmallestImagePixelValue=65535, PixelRepresentation=0,
    )  # fmt: skip
    rows = {row.tag: row for row in read_tags(path).rows if row.depth == 0}
    assert value_of(rows[0x00020010]).startswith(syntax + " (")
    assert value_of(rows[0x00100010]) == "Doe^Jane"
    assert value_of(rows[0x00280010]) == "3"
    assert value_of(rows[0x00280030]) == "0.5\\2"
    assert value_of(rows[0x00409225]) == "0.25"
    assert value_of(rows[0x00280009]) == "(0018,1063)"
    assert (rows[0x00280106].vr, value_of(rows[0x00280106])) == ("US", "65535")
    assert value_of(rows[0x00082218]) == "2 items"
    lines = as_text(read_tags(path).rows).splitlines()
    assert "  Item 2" in lines and "    (0008,0104) LO Code Meaning: Lung" in lines


def test_d04_text_is_read_in_its_character_set_and_cannot_act_on_the_screen(tmp_path: Path) -> None:
    path = made(
        tmp_path, SYNTAXES["explicit"], SpecificCharacterSet="ISO_IR 192", PatientName="Müller^\u202eJörg", PatientComments="one\r\ntwo\x1b[31m"
    )
    rows = {row.tag: row for row in read_tags(path).rows}
    assert value_of(rows[0x00100010]) == "Müller^\N{REPLACEMENT CHARACTER}Jörg"
    assert value_of(rows[0x00104000]) == "one ↵ two\N{REPLACEMENT CHARACTER}[31m"
    assert whole_value_of(rows[0x00104000]) == "one\ntwo\N{REPLACEMENT CHARACTER}[31m"
    japanese = {row.tag: row for row in read_tags(PACKAGE / "charset_files" / "chrH32.dcm").rows}
    assert value_of(japanese[0x00100010]) == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"


def test_a_character_set_inside_an_item_holds_for_that_item_only() -> None:
    rows = read_tags(PACKAGE / "charset_files" / "chrSQEncoding.dcm").rows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        item = pydicom.dcmread(PACKAGE / "charset_files" / "chrSQEncoding.dcm")[0x00321064][0]
    nested = next(row for row in rows if row.tag == 0x00100010 and row.depth)
    assert value_of(nested) == str(item.PatientName)


def test_private_tags_are_named_where_their_owner_is_known(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(made(tmp_path, SYNTAXES["implicit"]))
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", "1000")
    dataset.private_block(0x0019, "NOBODY KNOWS", create=True).add_new(1, "LO", "secret")
    dataset.save_as(tmp_path / "private.dcm")
    rows = {row.tag: row for row in read_tags(tmp_path / "private.dcm").rows}
    assert (rows[0x0019100C].creator, rows[0x0019100C].vr) == ("SIEMENS MR HEADER", "IS")
    assert title_of(rows[0x0019100C]) == name_of(0x0019100C, "SIEMENS MR HEADER") != ""
    assert title_of(rows[0x00191101]) == "Private tag of NOBODY KNOWS"
    assert value_of(rows[0x00191101]) == "secret"
    assert title_of(rows[0x00190010]) == "Private Creator"


def test_long_and_binary_values_are_shortened_with_their_size(tmp_path: Path) -> None:
    path = made(
        tmp_path, SYNTAXES["explicit"], EncapsulatedDocument=bytes(range(256)) * 1000, TextValue="x" * 5000, PixelData=b"\0" * 70, BitsAllocated=8
    )
    rows = {row.tag: row for row in read_tags(path).rows}
    assert value_of(rows[0x00420011]).startswith("00 01 02 03") and value_of(rows[0x00420011]).endswith("… (256,000 bytes)")
    assert len(rows[0x00420011].value) == KEPT_BYTES < rows[0x00420011].length
    assert value_of(rows[0x0040A160]) == "x" * 200 + "… (5000 bytes)"
    assert whole_value_of(rows[0x0040A160]) == "x" * 5000
    assert value_of(rows[0x7FE00010]) == "pixels, 70 bytes" and rows[0x7FE00010].value == b""


def test_encapsulated_pixels_are_counted_and_not_read() -> None:
    path = PACKAGE / "test_files" / "SC_rgb_rle_2frame.dcm"
    row = next(row for row in read_tags(path).rows if row.tag == 0x7FE00010)
    fragments = list(pydicom.encaps.generate_fragments(pydicom.dcmread(path).PixelData))[1:]
    assert (row.number, row.length, row.value) == (len(fragments), sum(len(f) for f in fragments), b"")


def test_search_finds_by_tag_name_keyword_and_value_and_keeps_what_holds_the_find(shared_data: Path) -> None:
    tags = read_tags(shared_data / "single" / "made_gsps.dcm")
    for words in ("0028,1051", "00281051", "window width", "WindowWidth", "width 1500", "DS 1500"):
        found = [tags.rows[n].tag for n in matching(tags, words)]
        assert found[:2] == [0x00283110, ITEM] and 0x00281051 in found, words
    assert matching(tags, "teapot") == []
    assert matching(tags, "width", [haystack(row) for row in tags.rows]) == matching(tags, "width")


def test_identity_is_marked() -> None:
    rows = {row.tag: row for row in read_tags(PACKAGE / "test_files" / "CT_small.dcm").rows}
    assert [is_identity(rows[tag]) for tag in (0x00100010, 0x00100020, 0x00080090, 0x00280010)] == [True, True, True, False]


# --- hostile files -------------------------------------------------------------------------------------------------


def explicit(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    long = vr in (b"OB", b"SQ", b"UN")
    return struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr) + struct.pack("<HI" if long else "<H", *((0, size) if long else (size,))) + value


def hostile(tmp_path: Path, *parts: bytes) -> Tags:
    path = tmp_path / "hostile.dcm"
    meta = explicit(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")
    path.write_bytes(bytes(128) + b"DICM" + meta + explicit(0x00080060, b"CS", b"CT") + b"".join(parts))
    return read_tags(path)


def test_nesting_without_end_stops_at_a_depth_and_says_so(tmp_path: Path) -> None:
    opened = explicit(0x00081140, b"SQ", b"", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    tags = hostile(tmp_path, opened * 20_000)
    assert max(row.depth for row in tags.rows) <= MAX_DEPTH
    assert any("deep" in note for note in tags.notes)


def test_lengths_beyond_the_file_cost_a_sentence_and_no_memory(tmp_path: Path) -> None:
    tags = hostile(tmp_path, explicit(0x00420011, b"OB", b"abc", 0xFFFFFFFE))
    assert (tags.rows[-1].length, tags.rows[-1].value) == (3, b"abc")
    assert tags.notes == ("(0042,0011) claims 4.0 GiB, and 3 bytes are left: the file is cut short or damaged.",)


def test_a_sequence_of_rubbish_does_not_hide_what_follows(tmp_path: Path) -> None:
    tags = hostile(tmp_path, explicit(0x00081140, b"SQ", b"rubbish!rubbish!"), explicit(0x00100010, b"PN", b"Doe^Jane"))
    assert value_of(tags.rows[-1]) == "Doe^Jane"
    assert any("no item" in note for note in tags.notes)


def test_rubbish_in_the_group_before_the_data_set_stops_the_list_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "meta.dcm"
    path.write_bytes(bytes(128) + b"DICM" + explicit(0x00020002, b"UI", b"1.2\0") + explicit(0x00020100, b"SQ", b"rubbish!", 0xFFFFFFFF))
    tags = read_tags(path)
    assert [row.tag for row in tags.rows] == [0x00020002, 0x00020100] and "no item" in tags.notes[0]


def test_more_elements_than_can_be_listed_are_cut_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.io.dicom.tags.MAX_ROWS", 100)
    tags = hostile(tmp_path, *(explicit(0x00090000 + n, b"CS", b"") for n in range(200)))
    assert len(tags.rows) == 100
    assert any("more than 100 elements" in note for note in tags.notes)


def test_bad_files_are_listed_or_refused_in_a_sentence(tmp_path: Path, shared_data: Path) -> None:
    subprocess.run([sys.executable, str(shared_data / "make_bad.py"), str(tmp_path)], check=True, capture_output=True)
    read, refused = 0, []
    for path in sorted(p for p in tmp_path.rglob("*") if p.is_file() and not p.is_symlink()):
        try:
            tags = read_tags(path)
        except UnreadableFile as refusal:
            refused.append(str(refusal))
            continue
        assert all(value_of(row).isprintable() for row in tags.rows)
        read += 1
    assert read > 10
    assert all(sentence.endswith(".") for sentence in refused)


@pytest.mark.parametrize("cut", range(0, 2964, 61))
def test_a_file_cut_anywhere_is_listed_up_to_there(tmp_path: Path, cut: int) -> None:
    content = (PACKAGE / "test_files" / "reportsi.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(content[:cut])
    try:
        rows = read_tags(tmp_path / "cut.dcm").rows
    except UnreadableFile:
        assert cut < 140
        return
    whole = read_tags(PACKAGE / "test_files" / "reportsi.dcm").rows
    assert [row.tag for row in rows] == [row.tag for row in whole][: len(rows)]
