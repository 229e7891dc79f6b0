"""PNG, JPEG and TIFF: sizes from the header here, pixels decoded by Pillow or tifffile in a worker process.

A resolution in a picture's header (DPI) is that of a print, not of a patient: the spacing is unknown, but for ImageJ's.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import NegatoscopeError, UnreadableFile
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.provenance import Note
from viewer.core.sentence import sentence_of
from viewer.core.volume import Identity, Volume
from viewer.core.words import _
from viewer.io import gate, picture_headers, upright
from viewer.io.beside import because
from viewer.io.gate import harmless
from viewer.io.grid import file_id, title_of
from viewer.io.picture_headers import Format, Picture
from viewer.io.series import EntryKind, Listing, Progress, Refusal, SeriesEntry
from viewer.io.stream import Stream
from viewer.io.values import settle
from viewer.jobs.pool import Limits, Pool

_pillow_lock = threading.Lock()

# Pillow, tifffile and its codecs, mapped.
BASE_ADDRESS_SPACE = 2 << 30


@dataclass(frozen=True, slots=True)
class Decode:
    """What a worker is asked for: everything in it can be pickled."""

    path: str
    format: Format
    pages: tuple[int, ...]
    shape: tuple[int, ...]
    """(pages, rows, columns[, 3]) as they are meant to be seen."""
    orientation: int = upright.AS_STORED

    @property
    def stored_size(self) -> tuple[int, int]:
        """Rows and columns of the file."""
        rows, columns = self.shape[1:3]
        return (columns, rows) if upright.swaps_sides(self.orientation) else (rows, columns)


def scan(files: list[Path], *, progress: Progress | None = None) -> Listing:
    """Each file is one series."""
    series: list[SeriesEntry] = []
    refused: list[Refusal] = []
    for number, path in enumerate(files):
        if progress:
            progress(number, len(files))
        try:
            series.append(_entry(path, picture_headers.read(path)))
        except NegatoscopeError as error:
            refused.append(Refusal(path, sentence_of(error)))
        except OSError as error:
            refused.append(Refusal(path, _("{name}: {reason}.").format(name=harmless(path.name), reason=because(error))))
    return Listing(tuple(series), tuple(refused))


def load(entry: SeriesEntry, *, pool: Pool, progress: Progress | None = None, stream: Stream | None = None) -> Volume:
    """All pixels of a picture or a stack."""
    picture: Picture = entry.plan
    return _volume(entry, picture, entry.shape, _decoded(entry, picture, pool))


def load_plane(entry: SeriesEntry, plane: int, phase: int, *, pool: Pool) -> Volume:
    """One page."""
    picture: Picture = entry.plan
    page = picture.pages[phase if picture.are_phases else plane]
    alone = replace(picture, pages=(page,))
    return _volume(entry, alone, (1, picture.rows, picture.columns), _decoded(entry, alone, pool))


def _entry(path: Path, picture: Picture) -> SeriesEntry:
    count = len(picture.pages)
    kind: EntryKind = "image" if count == 1 else "cine" if picture.are_phases else "volume"
    needed = check(path, picture)
    return SeriesEntry(
        id=file_id(path),
        reader="pictures",
        kind=kind,
        files=(path,),
        identity=Identity(),
        title=title_of(path),
        shape=(1 if picture.are_phases else count, picture.rows, picture.columns),
        phases=count if picture.are_phases else 1,
        is_color=picture.samples == 3,
        geometry=_own_frame((1 if picture.are_phases else count, picture.rows, picture.columns), picture),
        warnings=picture.warnings,
        notes=_notes(picture),
        nbytes=needed,
        plan=picture,
    )


def check(path: Path, picture: Picture) -> int:
    """Ask the gate for what a picture's header promises. Returns the bytes of its pixels."""
    shape = (len(picture.pages), picture.rows, picture.columns, picture.samples)
    item = max(1, picture.bits // 8)
    if not picture.is_compressed:
        # Rows of fewer than 8 bits a pixel are packed.
        needed = gate.check(shape, item, path=path)
        rows, columns = picture.stored_size
        packed = len(picture.pages) * rows * ((columns * picture.stored_samples * picture.bits + 7) // 8)
        if packed > picture.data_bytes:
            promised, there = gate.amount(packed), gate.amount(picture.data_bytes)
            text = _("{name}: the header promises {promised} of pixels, but only {there} are there. The file is cut short or damaged.")
            raise UnreadableFile(text.format(name=harmless(path.name), promised=promised, there=there))
        return needed
    ratio = gate.LOSSY_RATIO if picture.format == "jpeg" else 1032
    return gate.check(shape, item, path=path, available=picture.data_bytes, ratio=ratio)


def _own_frame(shape: tuple[int, int, int], picture: Picture) -> Geometry:
    """A place of its own, in pixels unless ImageJ has said what a pixel is."""
    found = picture.calibration
    if found.columns is None or found.rows is None:
        return Geometry(shape, is_patient=False, in_plane_known=False, between_known=False)
    spacing = (found.planes or 1.0, found.rows, found.columns)
    return Geometry(shape, spacing=spacing, is_patient=False, between_known=found.planes is not None and shape[0] > 1)


def _notes(picture: Picture) -> tuple[Note, ...]:
    stored = _("{format}, {columns} x {rows} pixels, {samples} of {bits} bit.")
    samples = _("colour") if picture.samples == 3 else _("grey")
    kind = picture.format.upper()
    found = [Note("file", stored.format(format=kind, columns=picture.columns, rows=picture.rows, samples=samples, bits=picture.bits))]
    if picture.orientation != upright.AS_STORED:
        text = _("Shown as the file says that it is meant to be seen: {how} (EXIF orientation {number}).")
        found.append(Note("geometry", text.format(how=_(upright.HOW[picture.orientation]), number=picture.orientation)))
    decoder = "tifffile" if picture.format == "tiff" else "Pillow"
    found.append(Note("decoding", _("Decoded by {name}, in a process of its own.").format(name=decoder)))
    said = picture.calibration
    if said.columns is not None and said.rows is not None:
        text = _("{rows:.4g} mm between rows, {columns:.4g} mm between columns: from ImageJ's description, in the unit {unit}.")
        found.append(Note("spacing", text.format(rows=said.rows, columns=said.columns, unit=harmless(said.unit))))
    elif picture.dots_per_inch:
        text = _("The resolution of {dots:.4g} dots per inch was not used: it is that of a print, not of a patient.")
        found.append(Note("ignored", text.format(dots=picture.dots_per_inch)))
    return tuple(found)


def _decoded(entry: SeriesEntry, picture: Picture, pool: Pool) -> NDArray[Any]:
    path = entry.files[0]
    needed = check(path, picture)
    shape = (len(picture.pages), picture.rows, picture.columns, *((3,) if picture.samples == 3 else ()))
    limits = Limits(seconds=20 + 2 * needed / 10e6, address_space=BASE_ADDRESS_SPACE + 8 * needed)
    request = Decode(str(path), picture.format, picture.pages, shape, picture.orientation)
    result: NDArray[Any] = pool.submit("viewer.io.pictures:decode", {"request": request}, limits=limits).result()
    return result


def _volume(entry: SeriesEntry, picture: Picture, shape: tuple[int, int, int], pixels: NDArray[Any]) -> Volume:
    data = pixels[:, None] if picture.are_phases else pixels[None]
    grid_shape = (1, *shape[1:]) if picture.are_phases else shape
    return Volume(
        id=new_id("volume"),
        data=settle(data),
        geometry=_own_frame(grid_shape, picture),
        kind="image" if entry.kind == "image" else "cine" if entry.kind == "cine" else "volume",
        title=entry.title,
        identity=entry.identity,
        is_color=picture.samples == 3,
        is_inverted=picture.is_inverted,
        warnings=picture.warnings,
        notes=entry.notes,
    )


def decode(request: Decode) -> NDArray[Any]:
    """Pixels (pages, rows, columns[, 3]), in a worker process. Raises UnreadableFile for all that a decoder may say."""
    path = Path(request.path)
    try:
        pixels = _tiff(request) if request.format == "tiff" else _pillow(request)
    except NegatoscopeError:
        raise
    except (Exception, RecursionError) as error:
        why = harmless(str(error)[:200])
        raise UnreadableFile(
            _("{name}: the picture could not be decoded ({why}). The file is damaged.").format(name=harmless(path.name), why=why)
        ) from error
    if pixels.shape != request.shape:
        found, said = pixels.shape, request.shape
        raise UnreadableFile(
            _("{name}: its pixels are {found}, not {said} as its header says. The file is damaged.").format(
                name=harmless(path.name), found=found, said=said
            )
        )
    return pixels


def _pillow(request: Decode) -> NDArray[Any]:
    import warnings

    from PIL import Image

    # The limit and the filter of warnings are the process's. Where there are no workers, that is the program's own, and two threads
    # that each put back what they found would leave one picture's limit to all that follow.
    with _pillow_lock:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, math.prod(request.shape)
        try:
            return _pillow_pixels(request, Image, warnings)
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _pillow_pixels(request: Decode, pillow: Any, warnings: Any) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        with pillow.open(request.path, formats=[request.format.upper()]) as image:
            image.load()
            if len(request.shape) == 4:
                return np.ascontiguousarray(upright.turned(np.asarray(image.convert("RGB")), request.orientation))[None]
            grey = image if image.mode in ("L", "I;16", "I;16B", "I", "F") else image.convert("L")
            pixels = np.ascontiguousarray(upright.turned(np.asarray(grey), request.orientation))
            return pixels[None].astype(pixels.dtype.newbyteorder("="), copy=False)


def _tiff(request: Decode) -> NDArray[Any]:
    import logging

    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it quotes a damaged file's tags on stderr; what fails is raised
    with tifffile.TiffFile(request.path) as file:
        first = _page(file.pages[request.pages[0]], request)
        result = memory.allocate(request.shape, first.dtype)
        result[0] = upright.turned(first, request.orientation)
        for place, number in enumerate(request.pages[1:], 1):
            result[place] = upright.turned(_page(file.pages[number], request), request.orientation)
        return result


def _page(page: Any, request: Decode) -> NDArray[Any]:
    """Grey as stored; colour as RGB of 8 bits."""
    height, width = request.stored_size
    if (page.imagelength, page.imagewidth) != (height, width):
        raise UnreadableFile(
            _("{name}: a page is not {width} x {height} as its header says. The file is damaged.").format(
                name=harmless(Path(request.path).name), width=width, height=height
            )
        )
    photometric = int(page.photometric)
    if photometric == 6 and page.compression in (6, 7):  # JPEG: the decoder gives RGB
        photometric = 2
    pixels = page.asarray()
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8)
    if pixels.ndim == 3 and page.planarconfig == 2:
        pixels = np.moveaxis(pixels, 0, -1)
    if len(request.shape) == 3:
        return np.asarray(pixels if pixels.ndim == 2 else pixels[..., 0])
    if photometric == 3:  # palette: three tables of 16 bits, the high byte counts
        return np.asarray((page.colormap[:, pixels] >> 8).astype(np.uint8).transpose(1, 2, 0))
    if photometric not in (2, 6):
        raise UnreadableFile(
            _("{name}: this kind of TIFF colours is not supported (photometric {photometric}).").format(
                name=harmless(Path(request.path).name), photometric=photometric
            )
        )
    if pixels.dtype.kind == "f":
        pixels = np.clip(np.nan_to_num(pixels), 0, 1) * 255
    elif pixels.dtype.itemsize > 1:
        pixels = pixels >> (8 * pixels.dtype.itemsize - 8)
    rgb = np.ascontiguousarray(pixels[..., :3].astype(np.uint8))
    return _from_ycbcr(rgb) if photometric == 6 else rgb


def _from_ycbcr(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R BT.601, full range, as TIFF's YCbCr has it by default."""
    y, cb, cr = (pixels[..., n].astype(np.float64) - (128 if n else 0) for n in range(3))
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], -1)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
