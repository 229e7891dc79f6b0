"""Series of CT slices written for the benchmarks: a phantom with noise, uncompressed or in any of the lossless syntaxes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 512
DIFFERENT = 25
"""Frames that differ; encoding is slow, so they are repeated."""
SYNTAXES = {
    "uncompressed": "1.2.840.10008.1.2.1",
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "HTJ2K": "1.2.840.10008.1.2.4.201",
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
}


def slices(count: int = DIFFERENT) -> list[NDArray[np.uint16]]:
    """Slices of a body with lungs, spine and vessels, HU + 1024, with the noise of a thin slice (sigma 20 HU)."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    found = []
    for number in range(count):
        grow = 1 + 0.1 * np.sin(number / 4)
        values = np.full((SIDE, SIDE), -1000.0)
        values[(x / 0.85) ** 2 + (y / 0.6) ** 2 < 1] = 40
        for side in (-1, 1):
            values[((x - 0.38 * side) / 0.27) ** 2 + (y / (0.42 * grow)) ** 2 < 1] = -850
        values[x**2 + (y - 0.4) ** 2 < 0.015 * grow] = 600
        values[(x - 0.05) ** 2 + (y + 0.1) ** 2 < 0.02] = 180
        values += np.where(values > -1000, rng.normal(0, 20, values.shape), rng.normal(0, 6, values.shape))
        found.append(np.clip(np.rint(values) + 1024, 0, 4095).astype(np.uint16))
    return found


def write(folder: Path, kind: str, count: int = 400, *, slope_step: float = 0.0) -> Path:
    """A series of ``count`` slices in ``folder / kind``, as a scanner writes them: one file a slice.

    With a ``slope_step`` each slice has its own rescale slope, as in PET.
    """
    from pydicom.encaps import encapsulate

    target = folder / kind.replace(" ", "-")
    target.mkdir()
    encode = _ENCODERS[kind]
    frames = [encode(frame) for frame in slices()]
    wrapped = frames if kind == "uncompressed" else [encapsulate([frame + b"\0" * (len(frame) % 2)]) for frame in frames]
    for number in range(count):
        dataset = _header(number, SYNTAXES[kind])
        dataset.RescaleSlope = f"{1 + slope_step * number:.6f}"
        dataset.PixelData = wrapped[number % len(wrapped)]
        dataset["PixelData"].VR = "OW" if kind == "uncompressed" else "OB"
        dataset["PixelData"].is_undefined_length = kind != "uncompressed"
        dataset.save_as(target / f"{number:04}.dcm", enforce_file_format=True)
    return target


def write_sparse(folder: Path, count: int) -> Path:
    """Uncompressed slices whose pixels are holes in the files: as many bytes to read as real ones, hardly any on the disk."""
    target = folder / "sparse"
    target.mkdir()
    nbytes = SIDE * SIDE * 2
    for number in range(count):
        dataset = _header(number, SYNTAXES["uncompressed"])
        path = target / f"{number:05}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        with path.open("ab") as file:
            file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, nbytes))
            file.truncate(file.tell() + nbytes)
    return target


def _header(number: int, syntax: str):  # type: ignore[no-untyped-def]
    from pydicom.dataset import Dataset, FileMetaDataset

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    for keyword, value in {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "SOPInstanceUID": f"1.2.826.0.1.3680043.8.498.{number + 1}", "StudyDate": "20200102",
        "Modality": "CT", "Manufacturer": "Made", "PatientName": "Made^Series", "PatientID": "M1", "KVP": 120,
        "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.70", "SeriesInstanceUID": "1.2.826.0.1.3680043.8.498.71",
        "FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.72", "SeriesNumber": 2, "InstanceNumber": number + 1, "SliceThickness": 1.0,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "ImagePositionPatient": [-180, -180, number], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [0.703125, 0.703125], "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": SIDE, "Columns": SIDE,
        "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0, "WindowCenter": 40, "WindowWidth": 400,
        "RescaleIntercept": -1024, "RescaleSlope": 1, "RescaleType": "HU",
    }.items():  # fmt: skip
        setattr(dataset, keyword, value)
    return dataset


# --- encoders ---------------------------------------------------------------------------------------------------------


def _plain(frame: NDArray[np.uint16]) -> bytes:
    return frame.astype("<u2").tobytes()


def _rle(frame: NDArray[np.uint16]) -> bytes:
    from imagecodecs import packbits_encode

    parts = []
    for half in (frame >> 8, frame & 255):
        packed = b"".join(packbits_encode(row.tobytes()) for row in half.astype(np.uint8))
        parts.append(packed + b"\0" * (len(packed) % 2))
    offsets = [64, 64 + len(parts[0])]
    return struct.pack("<16L", 2, *offsets, *[0] * 13) + b"".join(parts)


def _jpeg_ls(frame: NDArray[np.uint16]) -> bytes:
    from imagecodecs import jpegls_encode

    return bytes(jpegls_encode(frame))


def _htj2k(frame: NDArray[np.uint16]) -> bytes:
    from imagecodecs import htj2k_encode

    return bytes(htj2k_encode(frame, reversible=True))


def _jpeg_lossless(frame: NDArray[np.uint16]) -> bytes:
    from imagecodecs import ljpeg_encode

    return bytes(ljpeg_encode(frame, bitspersample=12))


def _jpeg_2000(frame: NDArray[np.uint16]) -> bytes:
    from openjpeg.utils import encode_array

    return bytes(encode_array(frame, bits_stored=12, photometric_interpretation=2))


_ENCODERS: dict[str, Callable[[NDArray[np.uint16]], bytes]] = {
    "uncompressed": _plain, "RLE": _rle, "JPEG-LS": _jpeg_ls, "HTJ2K": _htj2k, "JPEG lossless": _jpeg_lossless, "JPEG 2000": _jpeg_2000,
}  # fmt: skip
