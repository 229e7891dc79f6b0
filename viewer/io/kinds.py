"""What a file is by its first bytes: the reader that it is for, or the sentence that says what else it is."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from viewer.core.errors import UnreadableFile
from viewer.core.words import _, mark
from viewer.io import inflate, metaimage, neuro, nifti, nrrd, picture_headers, zip_members
from viewer.io.beside import open_regular
from viewer.io.gate import harmless

HEAD = 4096
READERS = ("dicom", "nifti", "nrrd", "metaimage", "pictures", "neuro", "picture_stack")
# A file with such a name that is none of these is worth a word even inside a folder.
ENDINGS = (
    ".dcm", ".ima", ".dicom", ".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".mgh", ".mgz",
    ".mnc", ".par", ".rec", ".v", ".zip",
)  # fmt: skip
_SIDE_FILES = (".raw", ".zraw", ".img", ".img.gz")
_GZIPPED = (".nii.gz", ".hdr.gz", ".mgz", ".mgh.gz")
_UNPACK = mark("{name}: it is a {what} archive, which is not opened here. Unpack it and open the folder.")
_NOT_READ = mark("{name}: it is {what}, which no reader here can read. Convert it to DICOM or NIfTI first.")
_NO_IMAGE = mark("{name}: it is {what}, not a medical image.")
_PICTURE = mark("{name}: it is a {what} picture, which is not read here. Save it as PNG or TIFF.")
_MAGICS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", _NOT_READ, mark("an HDF5 file (MINC 2 and MATLAB 7.3 use it)")),
    (0, b"CDF\x01", _NOT_READ, mark("a NetCDF file (MINC 1 uses it)")),
    (0, b"CDF\x02", _NOT_READ, mark("a NetCDF file (MINC 1 uses it)")),
    (0, b"MATRIX7", _NOT_READ, mark("an ECAT 7 image")),
    (0, b"MATLAB 5.0", _NOT_READ, mark("a MATLAB file")),
    (0, b"\x93NUMPY", _NOT_READ, mark("a NumPy array")),
    (0, b"# vtk DataFile", _NOT_READ, mark("a VTK file")),
    (0, b"# === DATA DESCRIPTION FILE", _NOT_READ, mark("a Philips PAR header (PAR/REC)")),
    (0, b"mrtrix image", _NOT_READ, mark("an MRtrix image")),
    (257, b"ustar", _UNPACK, "tar"),
    (0, b"7z\xbc\xaf\x27\x1c", _UNPACK, "7z"),
    (0, b"Rar!\x1a\x07", _UNPACK, "RAR"),
    (0, b"\xfd7zXZ\0", _UNPACK, "xz"),
    (0, b"BZh", _UNPACK, "bzip2"),
    (0, b"\x28\xb5\x2f\xfd", _UNPACK, "Zstandard"),
    (0x8001, b"CD001", _UNPACK, "ISO"),
    (0, b"%PDF-", _NO_IMAGE, mark("a PDF document")),
    (0, b"{\\rtf", _NO_IMAGE, mark("a text document (RTF)")),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _NO_IMAGE, mark("an office document")),
    (4, b"ftyp", _NO_IMAGE, mark("a video (MP4) or an HEIF picture")),
    (0, b"\x1a\x45\xdf\xa3", _NO_IMAGE, mark("a video (Matroska or WebM)")),
    (8, b"AVI ", _NO_IMAGE, mark("a video (AVI)")),
    (0, b"\0\0\x01\xba", _NO_IMAGE, mark("a video (MPEG)")),
    (0, b"OggS", _NO_IMAGE, mark("a sound or a video (Ogg)")),
    (0, b"ID3", _NO_IMAGE, mark("a sound (MP3)")),
    (0, b"solid ", _NO_IMAGE, mark("a surface (STL)")),
    (0, b"ply\n", _NO_IMAGE, mark("a surface (PLY)")),
    (0, b"SQLite format 3\0", _NO_IMAGE, mark("a database (SQLite)")),
    (0, b"\x7fELF", _NO_IMAGE, mark("a program")),
    (0, b"MZ", _NO_IMAGE, mark("a program")),
    (0, b"<?xml", _NO_IMAGE, mark("an XML file")),
    (0, b"<html", _NO_IMAGE, mark("a web page")),
    (0, b"<!DOCTYPE html", _NO_IMAGE, mark("a web page")),
    (0, b"GIF8", _PICTURE, "GIF"),
    (0, b"BM", _PICTURE, "BMP"),
    (8, b"WEBP", _PICTURE, "WebP"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", _PICTURE, "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", _PICTURE, "JPEG 2000"),
    (0, b"\xff\x0a", _PICTURE, "JPEG XL"),
    (0, b"8BPS", _PICTURE, "Photoshop"),
)


def reader_of(head: bytes, inflated_head: Callable[[], bytes]) -> str | None:
    """The reader for a file's first bytes, None if it is no image; ``inflated_head`` is asked where they are gzipped."""
    from viewer.io import dicom

    if head[128:132] == b"DICM":  # first: the preamble may hold a TIFF header
        return "dicom"
    if picture_headers.format_of(head):
        return "pictures"
    if nrrd.looks_like(head):
        return "nrrd"
    if head[:2] == b"\x1f\x8b":
        head = inflated_head()
        return "nifti" if nifti.looks_like(head) else "neuro" if neuro.looks_like(head) else None
    if nifti.looks_like(head):
        return "nifti"
    if neuro.looks_like(head):
        return "neuro"
    if metaimage.looks_like(head):
        return "metaimage"
    return "dicom" if dicom.looks_like(head) else None


def inflated_head(path: Path) -> bytes:
    """The first bytes of a gzipped file, inflated. Raises UnreadableFile where the file should be an image and its stream is damaged."""
    with open_regular(path) as file:
        try:
            return next(inflate.pieces(file, "gzip", path=path), b"")[: nifti.LONGEST_HEADER]
        except UnreadableFile:
            if path.name.lower().endswith(_GZIPPED):
                raise
            return b""


def inflated_part(head: bytes) -> bytes:
    """What the first bytes of a gzip stream hold, as far as they go; b"" if they are damaged."""
    try:
        return next(inflate.pieces(io.BytesIO(head), "gzip", path=Path()), b"")[: nifti.LONGEST_HEADER]
    except UnreadableFile:
        return b""


def why_not(path: Path) -> str:
    """What a file is that is no image for any reader here, in a sentence."""
    name = harmless(path.name)
    with open_regular(path) as file:
        head = file.read(max(HEAD, 0x8001 + 5))
    if not head:
        return _("{name}: the file is empty (0 bytes).").format(name=name)
    if zip_members.is_zip(head):
        return _("{name}: it is a ZIP archive among other files. Open it by itself.").format(name=name)
    if head[:2] == b"\x1f\x8b":
        inside = _named(inflated_part(head), name)
        if inside and "tar" in inside:
            return inside
        return _("{name}: it is a gzipped file that holds no image (NIfTI or MGH).").format(name=name)
    if named := _named(head, name):
        return named
    if path.name.lower().endswith(_SIDE_FILES):
        return _("{name}: it holds voxels without a header. Open the header beside it (.hdr, .mhd or .nhdr).").format(name=name)
    what = _("a text file") if _is_text(head[:HEAD]) else _("no kind of file that is known here")
    return _("{name}: it is {what}, not an image (DICOM, NIfTI, NRRD, MetaImage, MGH, Analyze, PNG, JPEG or TIFF).").format(name=name, what=what)


def _named(head: bytes, name: str) -> str:
    for place, magic, sentence, what in _MAGICS:
        if head[place : place + len(magic)] == magic:
            return _(sentence).format(name=name, what=_(what))
    return ""


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(c.isprintable() or c.isspace() for c in text)
