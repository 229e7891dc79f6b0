"""The standard's list of elements is had without pydicom as a whole, and is the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.charset import convert_encodings
from pydicom.datadict import DicomDictionary, dictionary_VR
from pydicom.uid import UID, ImplicitVRLittleEndian, UID_dictionary

from viewer.io.dicom import dictionary

QUICK = """
import sys
from pathlib import Path
from viewer.io import open as io_open
listing = io_open.find([Path(p) for p in sys.argv[1:]])
print(len(listing.series), len(listing.refused), sorted(n for n in sys.modules if n.partition(".")[0] == "pydicom")[:3])
"""


def test_every_element_has_the_vr_that_pydicom_gives() -> None:
    assert len(DicomDictionary) > 4000
    assert {tag: dictionary.dictionary_vr(tag) for tag in DicomDictionary} == {tag: dictionary_VR(tag) for tag in DicomDictionary}


@pytest.mark.parametrize(("tag", "vr"), [(0x60020010, "US"), (0x60023000, "OB or OW"), (0x00091001, ""), (0x00080002, "")])
def test_repeating_groups_are_known_and_private_or_unknown_elements_have_none(tag: int, vr: str) -> None:
    assert dictionary.dictionary_vr(tag) == vr


def test_every_uid_has_the_name_that_pydicom_gives() -> None:
    assert len(UID_dictionary) > 400
    assert {uid: dictionary.uid_name(uid) for uid in (*UID_dictionary, "1.2.3")} == {uid: UID(uid).name for uid in (*UID_dictionary, "1.2.3")}


@pytest.mark.parametrize("names", list(dictionary._SETS))
def test_character_sets_are_those_that_pydicom_gives(names: tuple[str, ...]) -> None:
    assert dictionary.usual_encodings(names) == tuple(convert_encodings(list(names)))


def test_pydicom_is_asked_where_it_keeps_the_list_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionary, "_carried", lambda file, name: {})
    dictionary.dictionary_vr.cache_clear()
    try:
        assert dictionary.dictionary_vr(0x00280010) == "US"
        assert dictionary.uid_name("1.2.840.10008.1.2") == "Implicit VR Little Endian"
    finally:
        dictionary.dictionary_vr.cache_clear()


def test_plain_series_are_listed_without_pydicom(write_dicom, tmp_path: Path) -> None:
    """The first picture of the day does not wait for it."""
    for number in range(3):
        write_dicom(
            f"plane {number}", np.zeros((3, 4), np.uint16), InstanceNumber=number + 1, SeriesDescription=None, SpecificCharacterSet="ISO_IR 100"
        )
    implicit = pydicom.dcmread(tmp_path / "plane 0")
    implicit.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    implicit.save_as(tmp_path / "implicit.dcm", implicit_vr=True, little_endian=True)
    done = subprocess.run([sys.executable, "-c", QUICK, *map(str, tmp_path.glob("[pi]*"))], capture_output=True, text=True, timeout=60, check=False)
    count, refused, modules = done.stdout.split(" ", 2)
    assert (int(count) > 0, refused, modules.strip()) == (True, "0", "[]"), done.stderr
