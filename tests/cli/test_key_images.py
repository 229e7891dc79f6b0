"""``negatoscope key-images``: what a key object selection names becomes pictures, each of the very image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from viewer.cli.main import main

pytestmark = pytest.mark.usefixtures("qapp")
SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"


def write_selection(path: Path, files: list[Path], *, note: str = "") -> Path:
    """A key object selection of some files, by pydicom."""
    first = pydicom.dcmread(files[0], stop_before_pixels=True)
    ko = Dataset()
    ko.SOPClassUID, ko.SOPInstanceUID, ko.Modality = SELECTION, generate_uid(), "KO"
    ko.StudyInstanceUID, ko.SeriesInstanceUID, ko.PatientID = first.StudyInstanceUID, generate_uid(), first.get("PatientID", "")
    title = Dataset()
    title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning = "113000", "DCM", "Of Interest"
    ko.ConceptNameCodeSequence, ko.ValueType = [title], "CONTAINER"
    content = []
    for file in files:
        image = pydicom.dcmread(file, stop_before_pixels=True)
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
        item = Dataset()
        item.RelationshipType, item.ValueType, item.ReferencedSOPSequence = "CONTAINS", "IMAGE", [reference]
        content.append(item)
    if note:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113012", "DCM", "Key Object Description"
        text = Dataset()
        text.RelationshipType, text.ValueType, text.ConceptNameCodeSequence, text.TextValue = "CONTAINS", "TEXT", [code], note
        content.insert(0, text)
    ko.ContentSequence = content
    ko.file_meta = pydicom.dataset.FileMetaDataset()
    ko.file_meta.TransferSyntaxUID, ko.file_meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, SELECTION
    ko.file_meta.MediaStorageSOPInstanceUID = ko.SOPInstanceUID
    pydicom.dcmwrite(path, ko, enforce_file_format=True)
    return path


def by_height(folder: Path) -> list[Path]:
    """The files of an axial series from the feet upwards."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    return sorted(files, key=lambda p: float(pydicom.dcmread(p, stop_before_pixels=True).ImagePositionPatient[2]))


def run(*words: Any) -> int:
    return main(["key-images", *map(str, words)])


def test_each_image_named_becomes_a_picture_of_its_own_pixels(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ct_chest_lidc"
    files = by_height(folder)
    chosen = [files[41], files[7]]
    ko = write_selection(tmp_path / "ko.dcm", chosen, note="Nodule, left")
    out = tmp_path / "out"
    assert run(ko, folder, "--out", out, "--no-annotations") == 0
    written = sorted(out.iterdir())
    assert [p.name for p in written] == ["01_slice-042_nodule-left.png", "02_slice-008_nodule-left.png"]
    for path, file in zip(written, chosen, strict=True):
        dataset = pydicom.dcmread(file)
        values = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        center, width = (float(np.atleast_1d(v)[0]) for v in (dataset.WindowCenter, dataset.WindowWidth))
        expected = np.clip(((values - (center - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)  # LINEAR (D28)
        with Image.open(path) as image:
            found = np.asarray(image.convert("L"), dtype=float)
        assert np.abs(found - expected).max() <= 1.0


def test_what_is_not_there_is_said_and_nothing_is_overwritten(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = by_height(shared_data / "ct_chest_lidc")
    ko = write_selection(tmp_path / "ko.dcm", files[3:5])
    assert run(ko, shared_data / "mr_head_t1", "--out", tmp_path / "out") == 2
    assert "ko.dcm" in capsys.readouterr().err and not (tmp_path / "out").exists()
    (tmp_path / "there").mkdir()
    assert run(ko, shared_data / "ct_chest_lidc", "--out", tmp_path / "there") == 2
    assert "there" in capsys.readouterr().err and not list((tmp_path / "there").iterdir())
    assert run(files[0], shared_data / "ct_chest_lidc", "--out", tmp_path / "out") == 2
    one = tmp_path / "one"
    one.mkdir()
    (one / "a.dcm").write_bytes(files[3].read_bytes())
    assert run(ko, one, "--out", tmp_path / "part") == 0
    assert len(list((tmp_path / "part").iterdir())) == 1
    assert "1 of the images named is not there." in capsys.readouterr().err
