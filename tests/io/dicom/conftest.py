"""DICOM files made in the test, with pydicom."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

HERE = str(Path(__file__).parent)
CT = "1.2.840.10008.5.1.4.1.1.2"


def _stand_in(syntax: str) -> str:
    """A syntax that pydicom can write, of the same length in the file, for those younger than its dictionary."""
    if UID(syntax).name != syntax:
        return syntax
    return "1.2.840.10008.1.2.4.50" if len(syntax) <= 22 else "1.2.840.10008.1.2.4.100"


@pytest.fixture
def write_dicom(tmp_path: Path) -> Callable[..., Path]:
    """Write one classic image: ``write(name, stored, SeriesInstanceUID=..., ...)``; a keyword of None leaves it out."""

    def write(name: str, stored: np.ndarray | bytes, *, syntax: str = ExplicitVRLittleEndian, **changes: Any) -> Path:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        values: dict[str, Any] = {
            "SOPClassUID": CT, "SOPInstanceUID": generate_uid(), "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4",
            "FrameOfReferenceUID": "1.2.3.5", "Modality": "CT", "PatientID": "P1", "PatientName": "Test^Case", "InstanceNumber": 1,
            "ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.5, 2.0],
            "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "PixelRepresentation": 0,
        }  # fmt: skip
        if isinstance(stored, np.ndarray):
            bits = stored.dtype.itemsize * 8
            shape = stored.shape[:-1] if changes.get("SamplesPerPixel") == 3 else stored.shape
            values |= {"Rows": shape[-2], "Columns": shape[-1], "BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1}
            values["PixelRepresentation"] = int(stored.dtype.kind == "i")
            if len(shape) == 3:
                values["NumberOfFrames"] = shape[0]
        values |= changes
        for keyword, value in values.items():
            if value is not None:
                setattr(dataset, keyword, value)
        little = syntax != "1.2.840.10008.1.2.2"
        content = stored if isinstance(stored, bytes) else stored.astype(stored.dtype.newbyteorder("<" if little else ">")).tobytes()
        dataset.PixelData = content + b"\0" * (len(content) % 2)
        known = _stand_in(syntax)
        dataset.file_meta.TransferSyntaxUID = known
        is_packed = UID(known).is_encapsulated or UID(known).is_deflated
        dataset["PixelData"].VR = "OB" if dataset.BitsAllocated <= 8 or is_packed else "OW"
        dataset["PixelData"].is_undefined_length = UID(known).is_encapsulated
        path = tmp_path / name
        dataset.save_as(path, enforce_file_format=True)
        if known != syntax:
            path.write_bytes(path.read_bytes().replace(known.encode(), syntax.encode().ljust(len(known), b"\0"), 1))
        return path

    return write


@pytest.fixture
def write_rle_series(write_dicom: Callable[..., Path]) -> Callable[..., list[Path]]:
    """Write ``count`` files f0, f1 ... in RLE, one plane each; plane n holds ``n`` more than ``ramp``."""

    def write(count: int) -> list[Path]:
        pixels = {"Rows": 8, "Columns": 8, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}
        place = {"syntax": "1.2.840.10008.1.2.5", **pixels}
        return [
            write_dicom(f"f{n}", encapsulate([rle_of(ramp() + n)]), ImagePositionPatient=[0, 0, n], InstanceNumber=n, **place) for n in range(count)
        ]

    return write


def ramp() -> np.ndarray:
    return ((np.arange(64, dtype=np.uint16).reshape(8, 8) * 3) % 200).astype(np.uint16)


def rle_of(stored: np.ndarray) -> bytes:
    """One 16-bit frame as literal PackBits runs (PS3.5 Annex G)."""
    parts = []
    for part in (stored >> 8, stored & 255):
        raw = part.astype(np.uint8).tobytes()
        packed = b"".join(bytes([len(raw[n : n + 128]) - 1]) + raw[n : n + 128] for n in range(0, len(raw), 128))
        parts.append(packed + b"\0" * (len(packed) % 2))
    return struct.pack("<16L", 2, 64, 64 + len(parts[0]), *[0] * 13) + b"".join(parts)


@pytest.fixture
def bad_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers import ``bad_codecs`` from here."""
    monkeypatch.syspath_prepend(HERE)
