"""DICOMDIR (CONVENTIONS D03): an index that may be wrong, incomplete or hostile, over files that speak for themselves."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from viewer.io import open as opening
from viewer.io.dicom import directory

DISC = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
KINDS = ("DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-nooffset", "DICOMDIR-nopatient", "DICOMDIR-reordered", "TINY_ALPHA/DICOMDIR")


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """A copy of pydicom's small disc: 31 files in 13 series."""
    folder = tmp_path / "disc"
    shutil.copytree(DISC, folder, ignore=shutil.ignore_patterns("TINY_ALPHA", "DICOMDIR-*", "README*"))
    return folder


def write(path: Path, names: list[list[str]]) -> Path:
    """A DICOMDIR that names files, written by pydicom."""
    dataset = Dataset()
    dataset.DirectoryRecordSequence = Sequence([Dataset() for _ in names])
    for item, parts in zip(dataset.DirectoryRecordSequence, names, strict=True):
        item.DirectoryRecordType = "IMAGE"
        item.ReferencedFileID = parts
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.SOPClassUID = "1.2.840.10008.1.3.10"
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("name", KINDS)
def test_d03_every_file_that_an_index_names_is_found(shared_data: Path, name: str) -> None:
    expected = json.loads((shared_data / "expected.json").read_text())[f"pydicom:dicomdirtests/{name}"]
    found = directory.read(DISC / name)
    assert len(found.files) == expected["referenced_files_present"]
    assert not found.missing
    assert not found.complaint


def test_d03_the_file_itself_opens_its_study(disc: Path) -> None:
    by_index, by_folder = opening.find([disc / "DICOMDIR"]), opening.find([disc])
    assert {f for e in by_index.series for f in e.files} == {Path(str(f)) for f in directory.read(disc / "DICOMDIR").files}
    assert {e.id for e in by_index.series} == {e.id for e in by_folder.series}
    assert not by_index.refused
    assert not by_folder.refused


def test_d03_a_folder_with_an_index_lists_nothing_twice(disc: Path) -> None:
    (disc / "extra").mkdir()
    listing = opening.find([disc, disc / "DICOMDIR"])
    files = [f for e in listing.series for f in e.files]
    assert len(files) == len(set(files)) == 31


def test_d03_missing_files_are_counted_and_the_rest_opens(disc: Path) -> None:
    gone = sorted((disc / "98892003" / "MR1").iterdir())
    for path in gone:
        path.unlink()
    for given in (disc, disc / "DICOMDIR"):
        listing = opening.find([given])
        assert sum(len(e.files) for e in listing.series) == 31 - len(gone)
        (refusal,) = listing.refused
        assert refusal.reason.startswith(f"DICOMDIR: {31 - len(gone)} of 31 files named in it are there; missing: 98892003/MR1/")


def test_d03_capitals_and_version_numbers_do_not_matter(disc: Path) -> None:
    for folder, _folders, names in os.walk(disc, topdown=False):
        for name in names:
            if name != "DICOMDIR":
                os.rename(Path(folder, name), Path(folder, name.lower() + (";1" if name.endswith("5") else "")))
        if Path(folder) != disc:
            os.rename(folder, folder[: -len(Path(folder).name)] + Path(folder).name.lower())
    found = directory.read(disc / "DICOMDIR")
    assert (len(found.files), len(found.missing)) == (31, 0)


def test_d03_with_none_of_its_files_there_the_folder_is_searched(shared_data: Path, tmp_path: Path) -> None:
    shutil.copy(shared_data / "single" / "DICOMDIR_fo-dicom", tmp_path / "DICOMDIR")
    shutil.copy(shared_data / "single" / "CT1_J2KI", tmp_path / "other")
    listing = opening.find([tmp_path / "DICOMDIR"])
    assert [f.name for e in listing.series for f in e.files] == ["other"]
    assert "0 of 20 files" in listing.refused[0].reason


@pytest.mark.parametrize(
    "parts",
    [["..", "SECRET"], ["..", "..", "etc", "passwd"], ["/etc/passwd"], ["C:", "X"], ["LINK", "SECRET"], ["SUB", "..", "..", "SECRET"], ["NUL"]],
)
def test_d03_names_that_lead_out_are_not_followed(disc: Path, parts: list[str]) -> None:
    shutil.copy(next((disc / "77654033").rglob("*/*")), disc.parent / "SECRET")
    (disc / "LINK").symlink_to(disc.parent)
    (disc / "SUB").mkdir()
    found = directory.read(write(disc / "DICOMDIR", [parts, ["77654033", "CR1", "6154"]]))
    assert [f.name for f in found.files] == ["6154"]
    assert len(found.refused) + len(found.missing) == 1
    listing = opening.find([disc / "DICOMDIR"])
    assert not any("SECRET" in str(f) for e in listing.series for f in e.files)
    assert "1 of 2" in listing.refused[0].reason


def test_d03_an_empty_or_damaged_index_costs_a_sentence_and_the_folder_opens(disc: Path) -> None:
    whole = (disc / "DICOMDIR").read_bytes()
    (disc / "DICOMDIR").write_bytes(whole[:3000])
    assert sum(len(e.files) for e in opening.find([disc]).series) == 31
    write(disc / "DICOMDIR", [])
    assert sum(len(e.files) for e in opening.find([disc / "DICOMDIR"]).series) == 31
