"""How a DICOM file may be written (CONVENTIONS D01 to D05) and mixed up (RELIABILITY C26, C27, C34, C35): made here byte by byte."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.io import dicom
from viewer.io import open as opening

PLANE = np.arange(-6, 6, dtype=np.int16).reshape(3, 4)
EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED = (f"1.2.840.10008.1.2{end}" for end in (".1", "", ".2", ".1.99"))
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
OPEN = b"\xff\xff\xff\xff"


def element(tag: int, vr: str, value: bytes | str | int, syntax: str = EXPLICIT) -> bytes:
    """PS3.5 7.1, written anew: nothing of pydicom, nothing of the program."""
    order = ">" if syntax == BIG_ENDIAN else "<"
    content = struct.pack(order + "H", value) if isinstance(value, int) else value.encode() if isinstance(value, str) else value
    content += (b"\0" if vr in ("UI", "OW", "UN") else b" ") * (len(content) % 2)
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if syntax == IMPLICIT:
        return head + struct.pack("<I", len(content)) + content
    if vr in ("OW", "SQ", "UN"):
        return head + vr.encode() + b"\0\0" + struct.pack(order + "I", len(content)) + content
    return head + vr.encode() + struct.pack(order + "H", len(content)) + content


def meta(syntax: str) -> bytes:
    content = element(0x00020002, "UI", SECONDARY) + element(0x00020003, "UI", "1.2.9") + element(0x00020010, "UI", syntax)
    return element(0x00020000, "UL", struct.pack("<I", len(content))) + content


def body(syntax: str = EXPLICIT, **changes: tuple[str, Any] | bytes) -> bytes:
    """A small secondary capture; ``x00280030=("DS", "1\\\\2")`` adds or replaces an element, bytes stand as they are."""
    order = ">" if syntax == BIG_ENDIAN else "<"
    listed: dict[int, tuple[str, Any] | bytes] = {
        0x00080016: ("UI", SECONDARY), 0x00080018: ("UI", "1.2.9"), 0x00080060: ("CS", "CT"),
        0x00100010: ("PN", "Test^Case"), 0x00100020: ("LO", "P1"),
        0x0020000D: ("UI", "1.2.3"), 0x0020000E: ("UI", "1.2.4"), 0x00200013: ("IS", "1"), 0x00280002: ("US", 1), 0x00280004: ("CS", "MONOCHROME2"),
        0x00280010: ("US", 3), 0x00280011: ("US", 4), 0x00280100: ("US", 16), 0x00280101: ("US", 16), 0x00280102: ("US", 15), 0x00280103: ("US", 1),
        0x7FE00010: ("OW", PLANE.astype(order + "i2").tobytes()),
    }  # fmt: skip
    listed |= {int(name[1:], 16): value for name, value in changes.items()}
    return b"".join(value if isinstance(value, bytes) else element(tag, *value, syntax) for tag, value in sorted(listed.items()))


def whole(syntax: str = EXPLICIT, **changes: tuple[str, Any] | bytes) -> bytes:
    return bytes(128) + b"DICM" + meta(syntax) + body(syntax, **changes)


def write(folder: Path, content: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def only(path: Path) -> Any:
    (entry,) = opening.find([path]).series
    return entry


FORMS = {
    "as the standard has it": whole(),
    "a preamble that looks like a TIFF": b"II*\0" + bytes(124) + whole()[128:],
    "no preamble": meta(EXPLICIT) + body(),
    "no meta header, explicit": body(),
    "no meta header, implicit": body(IMPLICIT),
    "no meta header, big endian": body(BIG_ENDIAN),
    "implicit": whole(IMPLICIT),
    "big endian": whole(BIG_ENDIAN),
    "deflated": bytes(128) + b"DICM" + meta(DEFLATED) + zlib.compress(body(), wbits=-15),
    "meta header without its length": bytes(128) + b"DICM" + meta(EXPLICIT)[12:] + body(),
    "meta header with a wrong length": bytes(128) + b"DICM" + meta(EXPLICIT)[:8] + b"\x02\0\0\0" + meta(EXPLICIT)[12:] + body(),
    "preamble, no meta header": bytes(128) + b"DICM" + body(IMPLICIT),
}


@pytest.mark.parametrize("form", FORMS)
def test_d01_the_same_image_in_every_form_of_file(tmp_path: Path, inline_pool, form: str) -> None:
    entry = only(write(tmp_path, FORMS[form]))
    assert np.array_equal(dicom.load(entry, pool=inline_pool).values[0], PLANE)
    assert (entry.identity.patient_name, entry.identity.modality, entry.id) == ("Test^Case", "CT", "1.2.4")


def test_d01_a_stripped_real_file_has_the_same_pixels(shared_data: Path, tmp_path: Path, inline_pool) -> None:
    source = next((shared_data / "ct_chest_lidc").iterdir())
    bare = write(tmp_path, source.read_bytes()[132:])
    assert np.array_equal(dicom.load(only(bare), pool=inline_pool).values, dicom.load(only(source), pool=inline_pool).values)


@pytest.mark.parametrize("name", ["IM0001", "image.ima", "picture.png", "1.2.840.113619", "notes.txt", "volume.nii.gz", "DICOM.zip"])
def test_d02_the_name_says_nothing(tmp_path: Path, name: str) -> None:
    assert only(write(tmp_path, whole(), name)).reader == "dicom"


def test_d02_other_files_of_a_folder_are_counted_and_those_called_dicom_get_a_sentence(tmp_path: Path) -> None:
    for name in ("a.dcm", "b", "c.txt"):
        write(tmp_path, b"no image at all", name)
    write(tmp_path, whole(), "d")
    listing = opening.find([tmp_path])
    assert [e.files[0].name for e in listing.series] == ["d"]
    assert [p.name for p in listing.skipped] == ["b", "c.txt"]
    assert [r.path.name for r in listing.refused] == ["a.dcm"]


ESC = b"\x1b"
# PS3.5 Annex H (Japanese), I (Korean), J (Chinese in Unicode, GB18030, GBK), K (GB2312): Python's own codecs make the bytes where they can.
NAMES: dict[str, tuple[str, bytes, str]] = {
    "H.3.1": (
        "\\ISO 2022 IR 87",
        b"Yamada^Tarou=" + ESC + b"$B;3ED" + ESC + b"(B^" + ESC + b"$BB@O:" + ESC + b"(B=" + ESC + b"$B$d$^$@" + ESC + b"(B^" + ESC
        + b"$B$?$m$&" + ESC + b"(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    "H.3.2": (
        "ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=" + ESC + b"$B;3ED" + ESC + b"(J^" + ESC + b"$BB@O:" + ESC + b"(J=" + ESC + b"$B$d$^$@" + ESC + b"(J^" + ESC
        + b"$B$?$m$&" + ESC + b"(J",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    ),
    "I.2": (
        "\\ISO 2022 IR 149",
        b"Hong^Gildong=" + ESC + b"$)C\xfb\xf3^" + ESC + b"$)C\xd1\xce\xd4\xd7=" + ESC + b"$)C\xc8\xab^" + ESC + b"$)C\xb1\xe6\xb5\xbf",
        "Hong^Gildong=洪^吉洞=홍^길동",
    ),
    "J.1 UTF-8": ("ISO_IR 192", "Wang^XiaoDong=王^小東=".encode(), "Wang^XiaoDong=王^小東"),
    "J.2 GB18030": ("GB18030", "Wang^XiaoDong=王^小东=".encode("gb18030"), "Wang^XiaoDong=王^小东"),
    "J.3 GBK": ("GBK", "Wang^XiaoDong=王^小东=".encode("gbk"), "Wang^XiaoDong=王^小东"),
    "K GB2312": ("\\ISO 2022 IR 58", b"Zhang^XiaoDong=" + ESC + b"$)A\xd5\xc5^" + ESC + b"$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东"),
    "Latin 1": ("ISO_IR 100", "Buc^Jérôme".encode("latin-1"), "Buc^Jérôme"),
    "Latin 2": ("ISO_IR 101", "Wałęsa".encode("iso8859_2"), "Wałęsa"),
    "Latin 5": ("ISO_IR 148", "Çavuşoğlu".encode("iso8859_9"), "Çavuşoğlu"),
    "Cyrillic": ("ISO_IR 144", "Люкceмбypг".encode("iso8859_5"), "Люкceмбypг"),
    "Greek": ("ISO_IR 126", "Διονυσιος".encode("iso8859_7"), "Διονυσιος"),
    "Arabic": ("ISO_IR 127", "قباني^لنزار".encode("iso8859_6"), "قباني^لنزار"),
    "Hebrew": ("ISO_IR 138", "שרון^דבורה".encode("iso8859_8"), "שרון^דבורה"),
    "Thai": ("ISO_IR 166", "นามสกุล".encode("tis_620"), "นามสกุล"),
    "only the second group": ("ISO_IR 192", "=王^小東".encode(), "=王^小東"),
    "none, ASCII": ("", b"Plain^Name", "Plain^Name"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_d04_c35_names_in_every_character_set_to_the_letter(tmp_path: Path, name: str) -> None:
    declared, content, expected = NAMES[name]
    entry = only(write(tmp_path, whole(x00080005=("CS", declared), x00100010=("PN", content))))
    assert entry.identity.patient_name == expected
    assert only(write(tmp_path, whole(IMPLICIT, x00080005=("CS", declared), x00100010=("PN", content)), "implicit")).identity.patient_name == expected


@pytest.mark.parametrize("declared", ["", "ISO_IR 192", "ISO_IR 999", "nonsense\\\\", "ISO 2022 IR 87"])
def test_d04_a_wrong_or_missing_character_set_shows_marks_and_never_fails(tmp_path: Path, declared: str) -> None:
    changes: dict[str, Any] = {"x00080005": ("CS", declared)} if declared else {}
    entry = only(write(tmp_path, whole(**changes, x00100010=("PN", b"M\xfcller^\xff\xfe" + ESC + b"$"))))
    assert entry.identity.patient_name.startswith("M")
    assert "ller" in entry.identity.patient_name
    assert ESC.decode() not in entry.identity.patient_name


@pytest.mark.parametrize(
    ("slope", "intercept", "expected"),
    [
        (" 2.0 ", "-1 ", PLANE * 2.0 - 1),
        ("2.00000000000000000000", "+00000000000000000001", PLANE * 2.0 + 1),
        ("2e0", " -1E+0", PLANE * 2.0 - 1),
        ("", "", PLANE),
        ("2\\3", "0", PLANE * 2.0),
        ("2\0", "0\0", PLANE * 2.0),
    ],
)
def test_d05_numbers_that_break_the_rules_are_read(tmp_path: Path, inline_pool, slope: str, intercept: str, expected: np.ndarray) -> None:
    entry = only(write(tmp_path, whole(x00281052=("DS", intercept), x00281053=("DS", slope), x00200013=("IS", "  7 "))))
    assert np.array_equal(dicom.load(entry, pool=inline_pool).values[0], expected)
    assert entry.plan.headers[0].instance == 7
    assert not entry.warnings


@pytest.mark.parametrize("slope", ["1,5", "abc", "0", "nan", "inf"])
def test_d05_c27_what_is_no_number_is_said_once_and_not_guessed(tmp_path: Path, inline_pool, slope: str) -> None:
    for n in range(3):
        write(tmp_path, whole(x00281052=("DS", "0"), x00281053=("DS", slope), x00080018=("UI", f"1.2.9.{n}")), str(n))
    (entry,) = opening.find([tmp_path]).series
    assert sum("rescale slope" in warning for warning in entry.warnings) == 1
    assert np.array_equal(dicom.load(entry, pool=inline_pool).values[0], PLANE)


@pytest.mark.parametrize("spacing", ["-0.5\\0.5", "0\\0", "0,5\\0,5", "0.5", "nan\\nan"])
def test_d05_a_spacing_that_is_none_leaves_lengths_unknown(tmp_path: Path, spacing: str) -> None:
    entry = only(write(tmp_path, whole(x00280030=("DS", spacing))))
    assert not entry.geometry.in_plane_known
    assert any("spacing" in warning for warning in entry.warnings)


ITEM = b"\xfe\xff\x00\xe0" + OPEN + element(0x00091011, "LO", "inside") + b"\xfe\xff\x0d\xe0\0\0\0\0"
IMPLICIT_ITEM = b"\xfe\xff\x00\xe0" + OPEN + element(0x00091011, "LO", "inside", IMPLICIT) + b"\xfe\xff\x0d\xe0\0\0\0\0"
END = b"\xfe\xff\xdd\xe0\0\0\0\0"
PRIVATE = {
    "sequence": (EXPLICIT, b"\x09\0\x10\x10SQ\0\0" + OPEN + ITEM + END),
    "unknown": (EXPLICIT, b"\x09\0\x10\x10UN\0\0" + OPEN + IMPLICIT_ITEM + END),
    "two deep": (EXPLICIT, b"\x09\0\x10\x10SQ\0\0" + OPEN + ITEM[:8] + b"\x09\0\x10\x10SQ\0\0" + OPEN + ITEM + END + ITEM[-8:] + END),
    "no item": (EXPLICIT, b"\x09\0\x10\x10SQ\0\0" + OPEN + END),
    "implicit": (IMPLICIT, b"\x09\0\x10\x10" + OPEN + IMPLICIT_ITEM + END),
}


@pytest.mark.parametrize("kind", PRIVATE)
def test_d05_private_sequences_of_undefined_length_do_not_hide_the_image(tmp_path: Path, inline_pool, kind: str) -> None:
    syntax, content = PRIVATE[kind]
    private = element(0x00090010, "LO", "SOMEBODY", syntax) + content
    entry = only(write(tmp_path, whole(syntax, x00090010=private)))
    assert np.array_equal(dicom.load(entry, pool=inline_pool).values[0], PLANE)
    assert entry.identity.patient_id == "P1"


@pytest.mark.parametrize(
    ("tag", "vr", "values"),
    [
        ("x00100020", "LO", ("P1", "P2")),
        ("x00100021", "LO", ("Hospital A", "Hospital B")),
        ("x00100030", "DA", ("19500101", "19510101")),
        ("x00100010", "PN", ("One^Person", "Other^Person")),
        ("x0020000D", "UI", ("1.2.3", "1.2.33")),
    ],
)
def test_c26_two_persons_or_studies_under_one_series_uid_stay_apart_and_it_is_said(
    tmp_path: Path, tag: str, vr: str, values: tuple[str, str]
) -> None:
    for n in range(6):
        place = {"x00200032": ("DS", f"0\\0\\{n}"), "x00200037": ("DS", "1\\0\\0\\0\\1\\0"), "x00080018": ("UI", f"1.2.9.{n}")}
        write(tmp_path, whole(**place, **{tag: (vr, values[n % 2])}), str(n))
    first, second = opening.find([tmp_path]).series
    assert [sorted(path.name for path in entry.files) for entry in (first, second)] == [["0", "2", "4"], ["1", "3", "5"]]
    assert first.id != second.id
    assert all(any("same series UID" in warning for warning in entry.warnings) for entry in (first, second))
    assert all(any(note.is_warning and "same series UID" in note.text for note in entry.notes) for entry in (first, second))


def test_c26_one_name_in_two_manners_of_writing_is_one_person(tmp_path: Path) -> None:
    for n, name in enumerate(("DOE^JANE", "Doe^Jane^^", "Doe^Jane ")):
        place = {"x00200032": ("DS", f"0\\0\\{n}"), "x00200037": ("DS", "1\\0\\0\\0\\1\\0"), "x00080018": ("UI", f"1.2.9.{n}")}
        write(tmp_path, whole(**place, x00100010=("PN", name)), str(n))
    (entry,) = opening.find([tmp_path]).series
    assert len(entry.files) == 3


def test_one_series_of_one_person_says_how_many_files_it_is_of(tmp_path: Path) -> None:
    for n in range(3):
        place = {"x00200032": ("DS", f"0\\0\\{n}"), "x00200037": ("DS", "1\\0\\0\\0\\1\\0"), "x00080018": ("UI", f"1.2.9.{n}")}
        write(tmp_path, whole(**place), str(n))
    write(tmp_path, bytes(128) + b"DICM", "empty.dcm")
    listing = opening.find([tmp_path])
    (entry,) = listing.series
    assert not entry.warnings
    (note,) = [note.text for note in entry.notes if note.topic == "file"]
    assert note.startswith("3 files")
    assert any("1 file of the same folder could not be read" in note.text for note in entry.notes)
    assert [refusal.path.name for refusal in listing.refused] == ["empty.dcm"]


NOT_UNDERSTOOD = {
    "JPIP deflate": bytes(128) + b"DICM" + meta("1.2.840.10008.1.2.4.95") + zlib.compress(body(), wbits=-15),
    "a syntax of nobody": bytes(128) + b"DICM" + meta("1.2.3.4.5.6") + zlib.compress(body(), wbits=-15),
    "deflated in name only": bytes(128) + b"DICM" + meta(DEFLATED) + body(),
    "deflated and cut": (bytes(128) + b"DICM" + meta(DEFLATED) + zlib.compress(body(), wbits=-15))[:-40],
    "meta header alone": bytes(128) + b"DICM" + meta(EXPLICIT),
    "an unknown syntax over a plain image": bytes(128) + b"DICM" + meta("1.2.3.4.5.6") + body(),
}


@pytest.mark.parametrize("form", NOT_UNDERSTOOD)
def test_c34_what_is_not_understood_is_refused_and_never_an_empty_study(tmp_path: Path, form: str) -> None:
    listing = opening.find([write(tmp_path, NOT_UNDERSTOOD[form])])
    assert listing.series == ()
    (refusal,) = listing.refused
    assert refusal.reason.startswith("file")
    assert refusal.reason.endswith(".")


@pytest.mark.parametrize("last", [b"Test^", b"P1", b"MONO"])
def test_a_file_cut_in_its_header_is_listed_with_the_reason(tmp_path: Path, last: bytes) -> None:
    write(tmp_path, whole()[: whole().index(last) + len(last) - 1], "cut")
    write(tmp_path, whole(x00080018=("UI", "1.2.9.1")), "good")
    listing = opening.find([tmp_path])
    assert {entry.files[0].name: entry.kind for entry in listing.series} == {"good": "image", "cut": "other"}
    (cut,) = [entry for entry in listing.series if entry.files[0].name == "cut"]
    assert any("cut short" in warning for warning in cut.warnings)
