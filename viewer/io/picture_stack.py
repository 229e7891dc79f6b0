"""A folder of pictures (PNG, JPEG, TIFF) as one stack, where the user asks for it and says the spacing.

Pictures stay single ones by default: that they lie on each other is known to nobody but the user.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import BadParameter, JobFailed, NegatoscopeError, OperationCancelled, UnreadableFile
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.provenance import Note
from viewer.core.sentence import sentence_of
from viewer.core.volume import Identity, Volume
from viewer.core.words import _, ngettext
from viewer.io import gate, picture_headers, pictures, upright
from viewer.io.beside import because, open_regular
from viewer.io.gate import harmless
from viewer.io.gather import gather
from viewer.io.grid import file_id
from viewer.io.kinds import HEAD
from viewer.io.picture_headers import Picture
from viewer.io.pictures import Decode
from viewer.io.series import Listing, Progress, Refusal, SeriesEntry
from viewer.io.stream import Stream
from viewer.io.values import settle
from viewer.jobs.pool import Limits, Pool

BATCH_BYTES = 16 << 20
_HOW = "stack"

Spacing = tuple[float | None, float | None, float | None]
"""Millimetres between columns, between rows, between planes; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The pictures in the order of the planes."""

    pictures: tuple[Picture, ...]
    spacing: Spacing
    notes: tuple[Note, ...] = ()


def parse_spacing(text: str) -> Spacing:
    """``0.5,0.5,1`` or ``0.5,0.5,?``: mm between columns, rows, planes. Raises BadParameter."""
    parts = [part.strip() for part in text.split(",")]
    found: list[float | None] = []
    for part in parts:
        if part.lower() in ("?", "unknown", ""):
            found.append(None)
            continue
        try:
            number = float(part)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and 1e-6 <= number <= 1e6):
            raise BadParameter(_("{text} is no distance in mm; give a number above 0, or ? where it is not known.").format(text=harmless(part)))
        found.append(number)
    if len(found) != 3:
        raise BadParameter(_("The spacing is three numbers in mm, between columns, rows and planes: 0.5,0.5,1 (? where one is not known)."))
    return found[0], found[1], found[2]


def how(spacing: Spacing) -> str:
    """What was asked for, in a word for the journal; :func:`find_again` understands it."""
    return " ".join([_HOW, *("?" if step is None else repr(step) for step in spacing)])


def find_again(files: Sequence[Path], asked: str) -> Listing:
    """The stack of a source's files as it was asked for. Raises UnreadableFile for words that are not from :func:`how`."""
    words = asked.split(" ")
    if len(words) != 4 or words[0] != _HOW:
        raise UnreadableFile(_("The history asks for images in a way that is not known: {how}.").format(how=harmless(asked)))
    return find(list(files), parse_spacing(",".join(words[1:])))


def find(paths: Sequence[Path], spacing: Spacing, *, progress: Progress | None = None) -> Listing:
    """All pictures of one size under some paths as one stack, ordered as people count: img2 before img10.

    Pictures of other sizes or kinds, with several pages, or damaged ones are refused by name; at most one entry is found.
    """
    gathered = gather(paths)
    refused = list(gathered.refused)
    groups: dict[tuple[object, ...], list[tuple[Path, Picture]]] = defaultdict(list)
    skipped = list(gathered.skipped)
    files = sorted(gathered.files, key=lambda path: natural(str(path)))
    for number, path in enumerate(files):
        if progress:
            progress(number, len(files))
        try:
            with open_regular(path) as file:
                is_picture = picture_headers.format_of(file.read(HEAD)) is not None
            if not is_picture:
                skipped.append(path)
                continue
            picture = picture_headers.read(path)
            if len(picture.pages) > 1:
                pages = ngettext("{count} page", "{count} pages", len(picture.pages))
                raise UnreadableFile(
                    _("{name}: it holds {pages} and is a stack of its own; open it by itself.").format(name=harmless(path.name), pages=pages)
                )
            groups[(picture.rows, picture.columns, picture.samples, picture.bits, picture.is_inverted)].append((path, picture))
        except NegatoscopeError as error:
            refused.append(Refusal(path, sentence_of(error)))
        except OSError as error:
            refused.append(Refusal(path, _("{name}: {reason}.").format(name=harmless(path.name), reason=because(error))))
    if not groups:
        name = harmless(paths[0].name if len(paths) == 1 else "")
        refused.append(Refusal(paths[0], _("{name}: there is no picture (PNG, JPEG or TIFF) for a stack.").format(name=name)))
        return Listing((), tuple(refused), tuple(skipped))
    members = max(groups.values(), key=len)
    for others in groups.values():
        if others is not members:
            refused.extend(Refusal(path, _other(path, picture, members[0][1])) for path, picture in others)
    try:
        return Listing((_entry(members, spacing, paths),), tuple(refused), tuple(skipped))
    except NegatoscopeError as error:
        return Listing((), (*refused, Refusal(members[0][0], sentence_of(error))), tuple(skipped))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """The key for sorting names as people count."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name.casefold()) if part)


def load(entry: SeriesEntry, *, pool: Pool, progress: Progress | None = None, stream: Stream | None = None) -> Volume:
    """All planes; what cannot be decoded stays empty, with a badge and its reason."""
    plan: Plan = entry.plan
    _check(entry.files, plan)
    batches = _batches(entry, plan)
    jobs = [pool.submit("viewer.io.picture_stack:decode", {"requests": tuple(part)}, limits=_limits(part)) for part in batches]
    data: NDArray[Any] | None = None
    failed: list[str] = []
    done = 0
    try:
        for part, job in zip(batches, jobs, strict=True):
            if progress:
                progress(done, len(entry.files))
            for request, (pixels, reason) in zip(part, _outcome(part, job, pool), strict=True):
                if pixels is not None and data is None:
                    data = memory.allocate((1, len(entry.files), *request.shape[1:]), pixels.dtype)
                if pixels is None or data is None or not np.can_cast(pixels.dtype, data.dtype):
                    failed.append(
                        reason or _("{name}: its numbers are of another kind than those before.").format(name=harmless(Path(request.path).name))
                    )
                else:
                    data[0, done] = pixels[0]
                done += 1
    except BaseException:
        for job in jobs:
            job.cancel()
        raise
    if data is None:
        raise UnreadableFile(failed[0])
    return _volume(entry, plan, data, tuple(failed), _geometry(entry.shape, plan.spacing))


def load_plane(entry: SeriesEntry, plane: int, phase: int, *, pool: Pool) -> Volume:
    """One picture in its place."""
    plan: Plan = entry.plan
    request = _request(entry.files[plane], plan.pictures[plane])
    ((pixels, reason),) = _outcome([request], None, pool)
    if pixels is None:
        raise UnreadableFile(reason)
    place = _geometry(entry.shape, plan.spacing).cropped((plane, 0, 0), (1, *entry.shape[1:]))
    return _volume(entry, plan, pixels[None], (), place)


def decode(requests: tuple[Decode, ...]) -> tuple[tuple[NDArray[Any] | None, str], ...]:
    """In a worker: of each picture its pixels, or the reason why there are none."""
    found: list[tuple[NDArray[Any] | None, str]] = []
    for request in requests:
        try:
            found.append((pictures.decode(request), ""))
        except NegatoscopeError as error:
            found.append((None, sentence_of(error)))
    return tuple(found)


# --- inside --------------------------------------------------------------------------------------------------------


def _entry(members: list[tuple[Path, Picture]], spacing: Spacing, paths: Sequence[Path]) -> SeriesEntry:
    files = tuple(path for path, _picture in members)
    first = members[0][1]
    digest = hashlib.sha256(how(spacing).encode())
    for path in files:
        digest.update(file_id(path).encode())
    shape = (len(files), first.rows, first.columns)
    folder = paths[0] if len(paths) == 1 and paths[0].is_dir() else files[0].parent
    order = _("The planes are in the order of the pictures' names, numbers counted as numbers: {first} to {last}.")
    notes: tuple[Note, ...] = (
        Note("series", _("{count} pictures were put together on request; nothing in them says that they belong together.").format(count=len(files))),
        Note("series", order.format(first=harmless(files[0].name), last=harmless(files[-1].name))),
        Note("spacing", _spoken(spacing), is_warning=None in spacing),
    )
    if turned := sum(picture.orientation != upright.AS_STORED for _path, picture in members):
        text = ngettext(
            "{count} picture was turned as its file says that it is meant to be seen (EXIF orientation).",
            "{count} pictures were turned as their files say that they are meant to be seen (EXIF orientation).",
            turned,
        )
        notes = (*notes, Note("geometry", text))
    plan = Plan(tuple(picture for _path, picture in members), spacing, notes)
    return SeriesEntry(
        id=f"stack-{digest.hexdigest()[:16]}",
        reader="picture_stack",
        kind="volume" if len(files) > 1 else "image",
        files=files,
        identity=Identity(),
        title=harmless(folder.resolve().name) or harmless(files[0].name),
        shape=shape,
        is_color=first.samples == 3,
        geometry=_geometry(shape, spacing),
        warnings=tuple(dict.fromkeys(text for picture in plan.pictures for text in picture.warnings)),
        notes=notes,
        nbytes=_check(files, plan),
        plan=plan,
        how=how(spacing),
    )


def _spoken(spacing: Spacing) -> str:
    columns, rows, planes = (_("unknown") if step is None else f"{step:g} mm" for step in spacing)
    text = _("The spacing was asked for when the stack was opened: {columns} between columns, {rows} between rows, {planes} between planes.")
    return text.format(columns=columns, rows=rows, planes=planes)


def _geometry(shape: tuple[int, int, int], spacing: Spacing) -> Geometry:
    columns, rows, planes = spacing
    in_plane = columns is not None and rows is not None
    between = in_plane and planes is not None and shape[0] > 1
    steps = (planes or 1.0, rows or 1.0, columns or 1.0) if in_plane else (1.0, 1.0, 1.0)
    return Geometry(shape, spacing=steps if between else (1.0, *steps[1:]), is_patient=False, in_plane_known=in_plane, between_known=between)


def _other(path: Path, picture: Picture, first: Picture) -> str:
    def kind(p: Picture) -> str:
        return f"{p.columns} x {p.rows}, {_('colour') if p.samples == 3 else _('grey')}, {p.bits} bit"

    text = _("{name}: it is {found}, the stack is {wanted}; it was left out.")
    return text.format(name=harmless(path.name), found=kind(picture), wanted=kind(first))


def _check(files: tuple[Path, ...], plan: Plan) -> int:
    for path, picture in zip(files, plan.pictures, strict=True):
        pictures.check(path, picture)
    first = plan.pictures[0]
    return gate.check((len(files), first.rows, first.columns, first.samples), max(1, first.bits // 8), path=files[0])


def _request(path: Path, picture: Picture) -> Decode:
    shape = (1, picture.rows, picture.columns, *((3,) if picture.samples == 3 else ()))
    return Decode(str(path), picture.format, picture.pages, shape, picture.orientation)


def _batches(entry: SeriesEntry, plan: Plan) -> list[list[Decode]]:
    """Requests of about 16 MiB of pixels each, so that a job is worth its way."""
    requests = [_request(path, picture) for path, picture in zip(entry.files, plan.pictures, strict=True)]
    each = math.prod(requests[0].shape) * max(1, plan.pictures[0].bits // 8)
    count = max(1, BATCH_BYTES // each)
    return [requests[n : n + count] for n in range(0, len(requests), count)]


def _limits(part: Sequence[Decode]) -> Limits:
    needed = sum(math.prod(request.shape) for request in part) * 4
    return Limits(seconds=20 + 2 * needed / 10e6, address_space=pictures.BASE_ADDRESS_SPACE + 8 * needed)


def _outcome(part: Sequence[Decode], job: Any, pool: Pool) -> Sequence[tuple[NDArray[Any] | None, str]]:
    """What a batch gave; where its worker died, each picture once more by itself."""
    try:
        job = job or pool.submit("viewer.io.picture_stack:decode", {"requests": tuple(part)}, limits=_limits(part))
        found: Sequence[tuple[NDArray[Any] | None, str]] = job.result()
        return found
    except OperationCancelled:
        raise
    except JobFailed as error:
        if len(part) == 1:
            return [(None, f"{harmless(Path(part[0].path).name)}: {error}")]
        return [_outcome([request], None, pool)[0] for request in part]


def _volume(entry: SeriesEntry, plan: Plan, data: NDArray[Any], failed: tuple[str, ...], geometry: Geometry) -> Volume:
    return Volume(
        id=new_id("volume"),
        data=settle(data),
        geometry=geometry,
        kind="volume" if entry.kind == "volume" else "image",
        title=entry.title,
        identity=entry.identity,
        is_color=entry.is_color,
        is_inverted=plan.pictures[0].is_inverted,
        warnings=(*entry.warnings, *failed),
        badges=("INCOMPLETE",) if failed else (),
        notes=entry.notes,
    )
