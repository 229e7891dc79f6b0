"""One small, good file of each kind that is read, made here; and mutants of them, the same at every run."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from tests.io.objects import object_samples

BASE = "1.2.840.10008.1.2"
CT = "1.2.840.10008.5.1.4.1.1.2"
WIDE = (np.arange(256, dtype=np.uint16) * 15).reshape(16, 16)
NARROW = (np.arange(256) % 251).astype(np.uint8).reshape(16, 16)
TINY = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def _rle(frame: np.ndarray) -> bytes:
    """Two byte planes of literal runs (PS3.5 Annex G)."""
    parts = []
    for plane in (frame >> 8, frame & 255):
        raw = plane.astype(np.uint8).tobytes()
        parts.append(b"".join(bytes([127]) + raw[n : n + 128] for n in range(0, len(raw), 128)))
    return struct.pack("<16L", 2, 64, 64 + len(parts[0]), *[0] * 13) + b"".join(parts)


def _deflated_frame(frame: np.ndarray) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(frame.astype("<u2").tobytes()) + engine.flush()


# Of each compressed syntax: bits, and the frame's stream.
_STREAMS: dict[str, tuple[int, Callable[[], bytes]]] = {
    ".5": (16, lambda: _rle(WIDE)),
    ".8.1": (16, lambda: _deflated_frame(WIDE)),
    ".4.50": (8, lambda: bytes(imagecodecs.jpeg8_encode(NARROW))),
    ".4.51": (12, lambda: bytes(imagecodecs.jpeg8_encode(WIDE, bitspersample=12))),
    ".4.57": (16, lambda: bytes(imagecodecs.ljpeg_encode(WIDE))),
    ".4.70": (16, lambda: bytes(imagecodecs.jpeg8_encode(WIDE, lossless=True, predictor=1, bitspersample=16))),
    ".4.80": (16, lambda: bytes(imagecodecs.jpegls_encode(WIDE))),
    ".4.81": (16, lambda: bytes(imagecodecs.jpegls_encode(WIDE, level=2))),
    ".4.90": (16, lambda: bytes(imagecodecs.jpeg2k_encode(WIDE, codecformat="j2k", reversible=True))),
    ".4.91": (16, lambda: bytes(imagecodecs.jpeg2k_encode(WIDE, codecformat="j2k", level=40))),
    ".4.201": (16, lambda: bytes(imagecodecs.htj2k_encode(WIDE, reversible=True))),
    ".4.202": (16, lambda: bytes(imagecodecs.htj2k_encode(WIDE, reversible=True))),
    ".4.203": (16, lambda: bytes(imagecodecs.htj2k_encode(WIDE, reversible=False))),
}
SYNTAXES = ("", ".1", ".2", ".1.99", *_STREAMS)


def dicom(syntax: str = ".1", *, sop_class: str = CT, **changes: object) -> bytes:
    """One CT slice of 16 x 16 in a transfer syntax (what follows 1.2.840.10008.1.2)."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    # pydicom does not know 8.1 yet: written under another name of the same length.
    dataset.file_meta.TransferSyntaxUID = BASE + (".4.90" if syntax == ".8.1" else syntax)
    bits, stream = _STREAMS.get(syntax, (16, None))
    values: dict[str, object] = {
        "SOPClassUID": sop_class, "SOPInstanceUID": "1.2.3.4.1", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4",
        "FrameOfReferenceUID": "1.2.3.5", "Modality": "CT", "PatientID": "P1", "PatientName": "Test^Case", "InstanceNumber": 1,
        "ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.5, 2.0], "RescaleSlope": 1,
        "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 400, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "PixelRepresentation": 0, "Rows": 16, "Columns": 16, "BitsAllocated": 8 if bits == 8 else 16, "BitsStored": bits, "HighBit": bits - 1,
    }  # fmt: skip
    for keyword, value in (values | changes).items():
        setattr(dataset, keyword, value)
    dataset.PixelData = encapsulate([stream()]) if stream else WIDE.astype(">u2" if syntax == ".2" else "<u2").tobytes()
    dataset["PixelData"].VR = "OB" if stream else "OW"
    dataset["PixelData"].is_undefined_length = stream is not None
    whole = _saved(dataset)
    return whole.replace(f"{BASE}.4.90".encode(), f"{BASE}.8.1\0".encode()) if syntax == ".8.1" else whole


def _saved(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def dicomdir(names: tuple[str, ...] = ("IM1", "SUB\\IM2", "MISSING")) -> bytes:
    """A table of contents; what it names is beside it or not."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = BASE + ".1"
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.1.3.10", "1.2.3.9"
    records = []
    for name in names:
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", name.split("\\")
        record.ReferencedSOPInstanceUIDInFile = "1.2.3.4.1"
        records.append(record)
    dataset.DirectoryRecordSequence = Sequence(records)
    return _saved(dataset)


def nifti(version: int = 1, *, magic: bytes = b"", data: bytes | None = None) -> bytes:
    """A header by hand, and 24 voxels."""
    head = bytearray(352 if version == 1 else 544)
    if version == 1:
        struct.pack_into("<i", head, 0, 348)
        struct.pack_into("<8h", head, 40, 3, 4, 3, 2, 1, 1, 1, 1)
        struct.pack_into("<2h", head, 70, 4, 16)
        struct.pack_into("<8f", head, 76, 1, 1, 2, 3, 1, 1, 1, 1)
        struct.pack_into("<3f", head, 108, 352, 1, 0)
        struct.pack_into("<2h", head, 252, 0, 1)
        struct.pack_into("<12f", head, 280, 1, 0, 0, -5, 0, 2, 0, -6, 0, 0, 3, -7)
        head[344:348] = magic or b"n+1\0"
    else:
        struct.pack_into("<i8s2h", head, 0, 540, magic or b"n+2\0\r\n\x1a\n", 4, 16)
        struct.pack_into("<8q", head, 16, 3, 4, 3, 2, 1, 1, 1, 1)
        struct.pack_into("<8d", head, 104, 1, 1, 2, 3, 1, 1, 1, 1)
        struct.pack_into("<q2d", head, 168, 544, 1, 0)
        struct.pack_into("<2i", head, 344, 0, 1)
        struct.pack_into("<12d", head, 400, 1, 0, 0, -5, 0, 2, 0, -6, 0, 0, 3, -7)
    return bytes(head) + (TINY.astype("<i2").tobytes() if data is None else data)


def nrrd(encoding: str = "raw") -> bytes:
    head = "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 3 2\nspace directions: (1,0,0) (0,2,0) (0,0,3)\n"
    head += f"kinds: domain domain domain\nendian: little\nencoding: {encoding}\nspace origin: (1,2,3)\n\n"
    data = TINY.astype("<i2").tobytes()
    return head.encode() + {"raw": data, "gzip": gzip.compress(data, mtime=0), "ascii": " ".join(map(str, TINY.ravel())).encode()}[encoding]


def metaimage(*, is_compressed: bool = False) -> bytes:
    data = TINY.astype("<i2").tobytes()
    data = zlib.compress(data) if is_compressed else data
    head = f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = {is_compressed}\n"
    head += (f"CompressedDataSize = {len(data)}\n" if is_compressed else "") + "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 1 2 3\n"
    return (head + "ElementSpacing = 1 2 3\nDimSize = 4 3 2\nElementType = MET_SHORT\nElementDataFile = LOCAL\n").encode() + data


def mgh() -> bytes:
    head = struct.pack(">7ih", 1, 4, 3, 2, 1, 4, 0, 1) + struct.pack(">15f", 1, 2, 3, -1, 0, 0, 0, 0, -1, 0, 1, 0, 5, 6, 7)
    return head.ljust(284, b"\0") + TINY.astype(">i2").tobytes()


def analyze() -> bytes:
    head = bytearray(348)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<i", head, 32, 16384)
    struct.pack_into("<8h", head, 40, 3, 4, 3, 2, 1, 0, 0, 0)
    struct.pack_into("<2h", head, 70, 4, 16)
    struct.pack_into("<8f", head, 76, 0, 1, 2, 3, 0, 0, 0, 0)
    return bytes(head)


def picture(kind: str, values: np.ndarray = NARROW) -> bytes:
    out = io.BytesIO()
    Image.fromarray(values).save(out, kind)
    return out.getvalue()


def tiff(**options: object) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, np.stack([WIDE, WIDE + 1]), photometric="minisblack", metadata=None, software=False, **options)
    return out.getvalue()


def zipped(members: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in (members or {"a/film.png": picture("png"), "IM1": dicom(), "b.nii": nifti(), "notes.txt": b"words"}).items():
            file.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def segmentation(folder: Path) -> bytes:
    grid = object_samples.Grid()
    frames = [object_samples.Frame((np.indices((11, 13)).sum(0) % 3 == n % 2).astype(np.uint8), grid.place(n, 0, 0), 1 + n % 2) for n in range(3)]
    return object_samples.write_segmentation(folder / "seg.dcm", frames, grid).read_bytes()


def structures(folder: Path) -> bytes:
    grid = object_samples.Grid()
    outlines = [np.array([grid.place(k, *corner) for corner in ((1, 1), (1, 8), (8, 8), (8, 1))]) for k in range(3)]
    contours = [object_samples.contour(points) for points in outlines]
    return object_samples.write_structures(folder / "rtstruct.dcm", [("Organ", contours), ("Other", contours[:1])]).read_bytes()


PLAIN: dict[str, tuple[str, Callable[[], bytes]]] = {
    **{f"dicom{syntax}": ("a.dcm", lambda syntax=syntax: dicom(syntax)) for syntax in SYNTAXES},
    "nifti1": ("a.nii", nifti),
    "nifti1 gz": ("a.nii.gz", lambda: gzip.compress(nifti(), mtime=0)),
    "nifti2": ("a.nii", lambda: nifti(2)),
    "nifti pair": ("a.hdr", lambda: nifti(magic=b"ni1\0", data=b"")),
    "nrrd": ("a.nrrd", nrrd),
    "nrrd gz": ("a.nrrd", lambda: nrrd("gzip")),
    "nrrd text": ("a.nrrd", lambda: nrrd("ascii")),
    "mha": ("a.mha", metaimage),
    "mha zlib": ("a.mha", lambda: metaimage(is_compressed=True)),
    "mgh": ("a.mgh", mgh),
    "mgz": ("a.mgz", lambda: gzip.compress(mgh(), mtime=0)),
    "analyze": ("a.hdr", analyze),
    "png": ("a.png", lambda: picture("png")),
    "jpeg": ("a.jpg", lambda: picture("jpeg")),
    "tiff": ("a.tif", tiff),
    "tiff deflate": ("a.tif", lambda: tiff(compression="zlib")),
    "zip": ("a.zip", zipped),
    "dicomdir": ("DICOMDIR", dicomdir),
}
"""Of each kind its file's name and its bytes. Of pairs the header: the voxels lie beside it (:func:`beside`)."""
OBJECTS: dict[str, Callable[[Path], bytes]] = {"segmentation": segmentation, "structures": structures}


def beside(folder: Path) -> None:
    """The other half of pairs, and one of the files that the DICOMDIR names."""
    (folder / "a.img").write_bytes(TINY.astype("<i2").tobytes() + bytes(400))
    (folder / "IM1").write_bytes(dicom())


def mutants(whole: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Files with one to six faults: bytes changed, runs of 0xFF, pieces cut out or doubled, ends cut, lengths made senseless."""
    chance = random.Random(f"{seed} {len(whole)} {zlib.crc32(whole)}")
    lengths = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFF, 0x10000)
    for _ in range(count):
        mutant = bytearray(whole)
        for _fault in range(chance.choice((1, 1, 1, 2, 3, 6))):
            if not mutant:
                break
            place = chance.randrange(len(mutant))
            match chance.randrange(7):
                case 0:
                    mutant[place] ^= 1 << chance.randrange(8)
                case 1:
                    mutant[place] = chance.randrange(256)
                case 2:
                    mutant[place : place + chance.randint(1, 8)] = b"\xff" * chance.randint(1, 8)
                case 3:
                    del mutant[place : place + chance.randint(1, 60)]
                case 4:
                    mutant[place:place] = mutant[max(0, place - chance.randint(1, 60)) : place]
                case 5:
                    del mutant[place:]
                case _:
                    place &= ~1
                    mutant[place : place + 4] = chance.choice(lengths).to_bytes(4, chance.choice(("little", "big")))
        yield bytes(mutant)
