"""Chest films as DICOM files, made by pydicom."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid


def film_dataset(values: NDArray[Any], bits: int, **more: Any) -> Dataset:
    """A DX film of values (rows, columns) or (rows, columns, 3), with further elements by their keywords."""
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.1")
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = generate_uid()
    file.StudyInstanceUID, file.SeriesInstanceUID = generate_uid(), generate_uid()
    file.Modality, file.BodyPartExamined, file.ViewPosition, file.PatientAge = "DX", "CHEST", "PA", "003Y"
    file.Rows, file.Columns = values.shape[:2]
    file.SamplesPerPixel = 3 if values.ndim == 3 else 1
    file.PhotometricInterpretation = "RGB" if values.ndim == 3 else "MONOCHROME2"
    if values.ndim == 3:
        file.PlanarConfiguration = 0
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = (8 if bits == 8 else 16), bits, bits - 1, int(values.min() < 0)
    for name, value in more.items():
        setattr(file, name, value)
    stored = values.transpose(2, 0, 1) if more.get("PlanarConfiguration") else values
    mask = (1 << bits) - 1  # no sign beyond the bits that are stored
    raw = (stored.astype(np.int64) & mask).astype("u1" if file.BitsAllocated == 8 else "<u2").tobytes()
    file.add_new(0x7FE00010, "OW", raw + b"\0" * (len(raw) % 2))
    return file
