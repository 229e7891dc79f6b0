"""Labels as PNG: the numbers themselves, grey, one picture or a numbered set in a folder. No text inside, no identity."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import BadParameter
from viewer.core.geometry import Geometry
from viewer.core.words import _
from viewer.io.gate import harmless
from viewer.io.picture_headers import PNG_MAGIC, read
from viewer.io.save import save_atomic, save_folder


def save_mask_picture(path: Path, labels: NDArray[Any], geometry: Geometry, *, plane: int | None = None, overwrite: bool = False) -> None:
    """Write labels (planes, rows, columns) as PNG.

    A single plane (or ``plane``) becomes the file ``path``; several planes become a new folder of that name without its
    ending, with one numbered picture per plane, counted from 0 as everywhere.
    """
    if plane is None and labels.shape[0] == 1:
        plane = 0
    if plane is not None:
        if not 0 <= plane < labels.shape[0]:
            raise BadParameter(_("There is no plane {plane}: the mask has {count}, counted from 0.").format(plane=plane, count=labels.shape[0]))
        if path.suffix.lower() != ".png":
            raise BadParameter(_("{name}: a picture of a mask is written as .png. Choose this ending.").format(name=harmless(path.name)))
        save_atomic(path, png(labels[plane], geometry), overwrite=overwrite, validate=_validate)
        return
    digits = max(4, len(str(labels.shape[0] - 1)))

    def fill(folder: Path) -> None:
        for number, picture in enumerate(labels):
            save_atomic(folder / f"{number:0{digits}d}.png", png(picture, geometry), validate=_validate)

    save_folder(path.with_suffix("") if path.suffix.lower() == ".png" else path, fill)


def png(picture: NDArray[Any], geometry: Geometry) -> bytes:
    """A grey PNG of 8 bits, 16 where a value is beyond 255, of (rows, columns) or a colour one of (rows, columns, 3) uint8."""
    is_color = picture.ndim == 3
    most = int(picture.max()) if picture.size else 0
    if picture.dtype.kind not in "bui" or most > (255 if is_color else 65535) or int(picture.min()) < 0:
        raise ValueError(f"a picture of {picture.dtype} up to {most}")
    wide = most > 255
    rows, columns = picture.shape[:2]
    lines = np.ascontiguousarray(picture, dtype=">u2" if wide else np.uint8).reshape(rows, -1).view(np.uint8)
    filtered = np.zeros((rows, lines.shape[1] + 1), np.uint8)  # filter 0 before each line
    filtered[:, 1:] = lines
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 16 if wide else 8, 2 if is_color else 0, 0, 0, 0))]
    if geometry.in_plane_known and geometry.shape[1:] == (rows, columns):
        per_meter = [round(1000 / s) for s in (geometry.spacing[2], geometry.spacing[1])]
        if all(0 < n < 2**31 for n in per_meter):
            chunks.append(_chunk(b"pHYs", struct.pack(">IIB", *per_meter, 1)))
    chunks += [_chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6)), _chunk(b"IEND", b"")]
    return PNG_MAGIC + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _validate(path: Path) -> None:
    read(path)
