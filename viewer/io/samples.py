"""The sample study: a made CT of a chest with known answers, and real images where their package is installed.

The real ones come with ``pydicom-data`` (the extra ``demo``); without it, smaller ones that come with pydicom stand in.
Nothing is ever fetched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.core.words import mark
from viewer.io.thorax import GEOMETRY, NODULE, NOISE_SD_HU, PROBES_MM, TISSUES_HU, Nodule, make_values

if TYPE_CHECKING:
    from viewer.io.dicom.library import Dataset

__all__ = [
    "GEOMETRY", "IDENTITY", "NODULE", "NOISE_SD_HU", "PHANTOM_FOLDER", "PROBES_MM", "REAL_IMAGES", "TISSUES_HU", "Nodule",
    "phantom_volume", "sample_paths", "write_phantom",
]  # fmt: skip

PHANTOM_FOLDER = "ct-thorax-phantom-1"
"""Name of the phantom's folder; its number rises when the phantom's numbers change."""

REAL_IMAGES: tuple[tuple[str, ...], ...] = (
    ("RG1_UNCR.dcm",),  # chest film of an adult: MONOCHROME1, pixel spacing 0
    ("693_UNCR.dcm", "CT_small.dcm"),  # CT of a head
    ("MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm"),  # MR of an abdomen
    ("emri_small.dcm", "MR_small.dcm"),  # enhanced MR, ten frames
    ("color3d_jpeg_baseline.dcm", "examples_ybr_color.dcm"),  # ultrasound cine
    ("US1_UNCR.dcm", "examples_rgb_color.dcm"),  # ultrasound in colour
    ("liver.dcm", "liver_1frame.dcm"),  # segmentation
)
"""What each real image may be, best first."""


def _uid(name: str) -> str:
    """A UID that is the same at every run (PS3.5 B.2: a UUID as one number)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{PHANTOM_FOLDER} {name}').int}"


IDENTITY = Identity(
    patient_id="PHANTOM-1",
    patient_name="Phantom^Thorax",
    patient_sex="O",
    study_uid=_uid("study"),
    study_date="20260101",
    study_time="120000",
    study_description="Made phantom, not a person",
    series_uid=_uid("series"),
    series_number="1",
    series_description="CT thorax phantom",
    modality="CT",
    body_part="CHEST",
)
_WINDOWS = (Window(40.0, 400.0, name="MEDIASTINUM"), Window(-600.0, 1500.0, name="LUNG"))


def phantom_volume() -> Volume:
    """The phantom in memory, in HU: the values and the place that :func:`write_phantom`'s files hold."""
    return Volume(
        id=IDENTITY.series_uid,
        data=make_values()[None],
        geometry=replace(GEOMETRY, frame_uid=_uid("frame")),
        unit="HU",
        title=IDENTITY.series_description,
        identity=IDENTITY,
        windows=_WINDOWS,
        facts=MappingProxyType({mark("Slice thickness"): f"{GEOMETRY.spacing[0]:g} mm"}),
    )


def write_phantom(folder: Path) -> Path:
    """Write the phantom as a CT series of one file a plane and return its folder.

    A folder that is there already, whole, is left as it is: it appears under its name only when all is written.
    """
    target = folder / PHANTOM_FOLDER
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{PHANTOM_FOLDER}-", dir=folder))
    try:
        unfinished.chmod(0o755)
        _write_series(unfinished)
        try:
            os.replace(unfinished, target)
        except OSError:
            if not target.is_dir():  # else another process was faster, with the same files
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _write_series(folder: Path) -> None:
    import numpy as np

    from viewer.io.dicom.library import UID, CTImageStorage, ExplicitVRLittleEndian

    stored = (make_values().astype(np.int32) + 1024).astype(np.uint16)
    dataset = _common_elements()
    for number, plane in enumerate(stored):
        uid = UID(_uid(f"plane {number}"))
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = uid
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        x, y, z = (float(c) for c in GEOMETRY.to_patient((number, 0, 0)))
        dataset.InstanceNumber = number + 1
        dataset.ImagePositionPatient = [_decimal(x), _decimal(y), _decimal(z)]
        dataset.SliceLocation = _decimal(z)
        dataset.PixelData = plane.tobytes()
        dataset.save_as(folder / f"CT{number + 1:04d}.dcm", enforce_file_format=True)


def _decimal(value: float) -> str:
    return f"{value:.6g}"


def _common_elements() -> Dataset:
    """What all files of the series share."""
    from viewer.io.dicom.library import Dataset, FileMetaDataset

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    _, rows, columns = GEOMETRY.shape
    between, down, across = GEOMETRY.spacing
    elements: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["DERIVED", "SECONDARY", "AXIAL"],
        "QualityControlImage": "YES",  # PS3.3 C.12.1.1: an image of a phantom
        "Manufacturer": "negatoscope",
        "InstitutionName": "None: a made image",
        "PatientID": IDENTITY.patient_id,
        "PatientName": IDENTITY.patient_name,
        "PatientSex": IDENTITY.patient_sex,
        "PatientBirthDate": "",
        "StudyInstanceUID": IDENTITY.study_uid,
        "StudyID": "1",
        "StudyDate": IDENTITY.study_date,
        "StudyTime": IDENTITY.study_time,
        "StudyDescription": IDENTITY.study_description,
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "SeriesInstanceUID": IDENTITY.series_uid,
        "SeriesNumber": IDENTITY.series_number,
        "SeriesDescription": IDENTITY.series_description,
        "Modality": IDENTITY.modality,
        "BodyPartExamined": IDENTITY.body_part,
        "PatientPosition": "HFS",
        "FrameOfReferenceUID": _uid("frame"),
        "PositionReferenceIndicator": "",
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [_decimal(down), _decimal(across)],
        "SliceThickness": _decimal(between),
        "SpacingBetweenSlices": _decimal(between),
        "KVP": "120",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "RescaleSlope": "1",
        "RescaleIntercept": "-1024",
        "RescaleType": "HU",
        "WindowCenter": [_decimal(window.center) for window in _WINDOWS],
        "WindowWidth": [_decimal(window.width) for window in _WINDOWS],
        "WindowCenterWidthExplanation": [window.name for window in _WINDOWS],
    }
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def sample_paths(folder: Path) -> list[Path]:
    """Paths to open for the sample study: the phantom, written into ``folder``, then the real images that are installed."""
    return [write_phantom(folder), *filter(None, map(_first_installed, REAL_IMAGES))]


def _first_installed(names: tuple[str, ...]) -> Path | None:
    from pydicom.data import get_testdata_file

    for name in names:
        path = get_testdata_file(name, download=False)  # with downloads it would wait for the network
        if path:
            return Path(str(path))
    return None
