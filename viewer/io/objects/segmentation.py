"""DICOM Segmentation (binary, fractional, label map) onto the grid of the image that it was made for.

The places come from the object's own functional groups, never from the order of its frames; planes without a frame are
empty (CONVENTIONS F06, D14; PS3.3 A.51, C.8.20).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import GeometryMismatch, UnreadableFile, UnsupportedFeature
from viewer.core.labels import Segment
from viewer.core.provenance import Note
from viewer.core.words import _, ngettext
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.header import Header
from viewer.io.objects.dataset import read_dataset
from viewer.io.objects.described import described_segments, named
from viewer.io.objects.layers import LayerBuilder, LayerDraft, Piece, SegmentSet, cropped
from viewer.io.objects.listing import LABEL_MAP, RegionsPlan
from viewer.io.objects.matching import Match, PixelGrid, Target, both_grids, match
from viewer.io.objects.pixels import frames_of
from viewer.io.series import Progress, SeriesEntry
from viewer.jobs.pool import Pool

SAME_PLACE_MM = 1e-3


@dataclass(frozen=True, slots=True)
class _Groups:
    """What the functional groups say: the grid of the frames, and for each frame its plane of that grid and its segment (0: a label map)."""

    grid: PixelGrid
    planes: tuple[int, ...]
    segments: tuple[int, ...]


def read_segmentation(entry: SeriesEntry, target: Target, *, pool: Pool, progress: Progress | None = None) -> SegmentSet:
    """All segments of a segmentation on an image's grid, with every voxel of each, however they overlap.

    Raises
    ------
    GeometryMismatch
        It lies in another frame of reference, its axes are not the image's, or nothing of it lies in the image.
    UnreadableFile, UnsupportedFeature, TooLarge
        With a sentence that names the file.
    """
    plan: RegionsPlan = entry.plan
    header = plan.header
    dataset = read_dataset(header.path)
    _check_frame_of_reference(header, entry, target)
    kind = elements.text(dataset, 0x00620001).upper() or ("LABELMAP" if header.sop_class == LABEL_MAP else "BINARY")
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise UnsupportedFeature(
            _('{name}: segmentations of the type "{kind}" are not known.').format(name=header.name, kind=elements.harmless(kind)[:20])
        )
    is_map = kind == "LABELMAP"
    groups = _groups(header, dataset, is_map)
    described, notes = described_segments(header, dataset)
    found = match(target, groups.grid, header.name)
    notes += _match_notes(target, groups.grid, found)
    if is_map:
        result, more = _label_map(header, dataset, groups, described, target, found, pool, progress)
    else:
        result, more = _segments(header, dataset, groups, described, target, found, pool, progress)
    return replace(result, notes=(*notes, *more), name=_name(entry, dataset))


def _name(entry: SeriesEntry, dataset: Dataset) -> str:
    encodings = elements.encodings(dataset)
    return elements.words(dataset, 0x0008103E, encodings) or elements.words(dataset, 0x00700080, encodings) or entry.title


def _check_frame_of_reference(header: Header, entry: SeriesEntry, target: Target) -> None:
    own, image = header.frame_uid, target.geometry.frame_uid
    if not target.geometry.is_patient:
        raise GeometryMismatch(_("{name}: the image has no places in the patient, so that nothing can be laid on it.").format(name=header.name))
    if own != image:
        text = _("{name}: it lies in the frame of reference {own}, the image in {image}. The two cannot be put together.")
        raise GeometryMismatch(
            text.format(name=header.name, own=elements.harmless(own) or _("(none)"), image=elements.harmless(image) or _("(none)"))
        )


def _groups(header: Header, dataset: Dataset, is_map: bool) -> _Groups:
    """The frames' places and segments. Raises UnreadableFile where one of them has none: a part of a segmentation would look whole."""
    name = header.name
    per_frame = elements.items(dataset, 0x52009230)
    shared = elements.first(dataset, 0x52009229)
    if not per_frame:
        raise UnreadableFile(_("{name}: it does not say where its frames lie (no functional groups). The file is damaged.").format(name=name))
    if not len(per_frame) == header.claimed_frames == header.frame_count:
        text = _("{name}: it says that it has {claimed} frames, describes {described} and holds {there}. A part would look whole: it was not opened.")
        raise UnreadableFile(text.format(name=name, claimed=header.claimed_frames, described=len(per_frame), there=header.frame_count))
    if header.pixels is None or not header.frames:
        raise UnreadableFile(_("{name}: it holds no pixels. The file is cut short or damaged.").format(name=name))
    frames = [header.frame(n) for n in range(header.frame_count)]
    if all(f.position is None for f in frames) and elements.first(per_frame[0], 0x0048021A) is not None:
        raise UnsupportedFeature(_("{name}: it was made for a whole-slide image; such images cannot be shown.").format(name=name))
    bad = [n for n, f in enumerate(frames) if f.position is None or f.orientation is None or f.spacing is None]
    if bad:
        text = _("{name}: frame {first} of {count} has no place, direction or pixel spacing ({bad} such frames). It was not opened.")
        raise UnreadableFile(text.format(name=name, first=bad[0] + 1, count=len(frames), bad=len(bad)))
    lead = frames[0]
    assert lead.orientation is not None
    assert lead.spacing is not None
    looks = {(f.orientation, f.spacing): n for n, f in reversed(list(enumerate(frames)))}
    for (orientation, spacing), n in looks.items():
        if not (np.allclose(orientation, lead.orientation, atol=1e-4) and np.allclose(spacing, lead.spacing, rtol=1e-4)):  # type: ignore[arg-type]
            text = _("{name}: its frame {number} has another direction or pixel spacing than its first; such segmentations cannot be opened.")
            raise UnsupportedFeature(text.format(name=name, number=n + 1))
    places = np.asarray([f.position for f in frames], dtype=np.float64)
    normal = np.cross(lead.orientation[:3], lead.orientation[3:])
    kept, planes = _different(places, normal)
    step, said = _step(kept @ normal, [shared, *per_frame[:1]])
    grid = PixelGrid(header.rows, header.columns, lead.spacing, lead.orientation, kept, step, said)
    numbers = [0] * len(frames) if is_map else [_segment_number(n, item, shared, name) for n, item in enumerate(per_frame)]
    return _Groups(grid, tuple(planes), tuple(numbers))


def _different(places: NDArray[np.float64], normal: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[int]]:
    """The different places from the lowest up, and which of them each frame is at."""
    heights = places @ normal
    order = np.argsort(heights, kind="stable")
    kept: list[int] = []
    planes = [0] * len(places)
    for n in order:
        near = None
        for k in range(len(kept) - 1, -1, -1):
            if heights[n] - heights[kept[k]] >= SAME_PLACE_MM:
                break
            if np.abs(places[kept[k]] - places[n]).max() < SAME_PLACE_MM:
                near = k
                break
        if near is None:
            kept.append(int(n))
            near = len(kept) - 1
        planes[int(n)] = near
    return places[kept], planes


def _step(heights: NDArray[np.float64], holders: Sequence[Dataset | None]) -> tuple[float, float | None]:
    """Distance of neighbouring planes, and whether the file says so; else the smallest there is, else the thickness, else 1 mm."""
    measures = [m for holder in holders if holder is not None and (m := elements.first(holder, 0x00289110)) is not None]
    said = next((abs(s) for m in measures if (s := elements.number(m, 0x00180088))), None)
    thickness = next((t for m in measures if (t := elements.number(m, 0x00180050)) and t > 0), None)
    gaps = np.diff(np.sort(heights))
    gaps = gaps[gaps > SAME_PLACE_MM]
    if not gaps.size:
        return said or thickness or 1.0, said
    smallest = float(gaps.min())
    # A wrong element would join planes or tear them apart: it counts only where the places are multiples of it.
    if said is not None and (said > smallest * 1.05 or abs(smallest / said - round(smallest / said)) > 0.05):
        said = None
    return said or smallest, said


def _segment_number(number: int, item: Dataset, shared: Dataset | None, name: str) -> int:
    for holder in (item, shared):
        identification = elements.first(holder, 0x0062000A) if holder is not None else None
        found = elements.integer(identification, 0x0062000B) if identification is not None else None
        if found is not None and 1 <= found <= 65535:
            return found
    raise UnreadableFile(_("{name}: frame {number} does not say which segment it is of. It was not opened.").format(name=name, number=number + 1))


def _match_notes(target: Target, grid: PixelGrid, found: Match) -> list[Note]:
    if found.is_exact:
        text = _("the segmentation's voxels are those of the image")
        if found.largest_offset_mm > SAME_PLACE_MM:
            text = _("the segmentation's voxels are those of the image, at most {apart:.2g} mm beside them")
        notes = [Note("geometry", text.format(apart=found.largest_offset_mm))]
    else:
        own, image = both_grids(target, grid)
        text = _(
            "the segmentation's grid ({own}) is not the image's ({image}): each voxel of the image takes the segment that its centre lies in"
            " (nearest neighbour)"
        )
        notes = [Note("geometry", text.format(own=own, image=image), is_warning=True)]
    outside = sum(1 for pairs in found.pairs if not pairs)
    if outside:
        notes.append(
            Note(
                "ignored",
                ngettext(
                    "{count} plane of the segmentation lies outside the image", "{count} planes of the segmentation lie outside the image", outside
                ),
                is_warning=True,
            )
        )
    return notes


def _segments(
    header: Header, dataset: Dataset, groups: _Groups, described: Mapping[int, Segment], target: Target, found: Match, pool: Pool,
    progress: Progress | None,
) -> tuple[SegmentSet, list[Note]]:  # fmt: skip
    """Binary and fractional segmentations: a mask for each frame."""
    notes: list[Note] = []
    threshold = 1
    if elements.text(dataset, 0x00620001).upper() == "FRACTIONAL":
        threshold, note = _threshold(header, dataset)
        notes.append(note)
    described = dict(described)
    frames_by: dict[int, list[int]] = defaultdict(list)
    for n, segment in enumerate(groups.segments):
        frames_by[segment].append(n)
    unknown = [n for n in frames_by if n not in described]
    for label in unknown:
        described[label] = named(label, len(described) + 1)
    if unknown:
        notes.append(
            Note(
                "file",
                ngettext("{count} segment has voxels, but is not described", "{count} segments have voxels, but are not described", len(unknown)),
                is_warning=True,
            )
        )
    shape = target.geometry.shape
    builder = LayerBuilder((shape[found.order[0]], shape[found.order[1]], shape[found.order[2]]), header.path)
    done, lost, repeated = 0, 0, 0
    for label in sorted(described):
        pieces: dict[int, list[Piece]] = defaultdict(list)
        used: set[int] = set()
        for n, pixels in frames_of(header, frames_by.get(label, []), pool=pool):
            if progress is not None:
                progress(done, len(groups.segments))
            done += 1
            repeated += groups.planes[n] in used
            used.add(groups.planes[n])
            mask = pixels >= threshold
            kept = 0
            for pair in found.pairs[groups.planes[n]]:
                inside = pair.taken(mask)
                kept += int(np.count_nonzero(inside))
                piece = cropped(inside, pair.first)
                if piece is not None:
                    pieces[pair.plane].append(piece)
            lost += int(np.count_nonzero(mask)) - kept if found.is_exact else 0
        builder.add(described[label], pieces)
    notes += _left_out(lost, repeated)
    result = builder.finished("", ())
    notes += _empty(result)
    return _turned_back(result, found), notes


def _threshold(header: Header, dataset: Dataset) -> tuple[int, Note]:
    """Fractions count from half of their maximum up; what they are fractions of is said."""
    most = elements.integer(dataset, 0x0062000E) or (1 << header.bits_stored) - 1
    threshold = max(1, math.ceil(most / 2))
    if elements.text(dataset, 0x00620010).upper() == "OCCUPANCY":
        text = _("its values are the part of each voxel that a segment fills: shown from half ({threshold} of {most}) up")
    else:
        text = _("its values are probabilities: shown from half ({threshold} of {most}) up")
    return threshold, Note("values", text.format(threshold=threshold, most=most), is_warning=True)


def _label_map(
    header: Header, dataset: Dataset, groups: _Groups, described: Mapping[int, Segment], target: Target, found: Match, pool: Pool,
    progress: Progress | None,
) -> tuple[SegmentSet, list[Note]]:  # fmt: skip
    """Label maps: the stored value of a pixel is the number of its segment."""
    notes: list[Note] = []
    shape = target.geometry.shape
    turned = (shape[found.order[0]], shape[found.order[1]], shape[found.order[2]])
    wide = header.bits_allocated > 8
    if header.bits_allocated not in (8, 16):
        text = _("{name}: a label map of {bits} bits for a pixel is none that DICOM has.")
        raise UnreadableFile(text.format(name=header.name, bits=header.bits_allocated))
    gate.check(turned, 2 if wide else 1, path=header.path)
    background = elements.integer(dataset, 0x00280120) or 0
    labels = np.zeros(turned, np.uint16 if wide else np.uint8)
    lost, repeated = 0, 0
    used: set[int] = set()
    for done, (n, pixels) in enumerate(frames_of(header, range(header.frame_count), pool=pool)):
        if progress is not None:
            progress(done, header.frame_count)
        repeated += groups.planes[n] in used
        used.add(groups.planes[n])
        pixels = np.where(pixels == background, 0, pixels).astype(labels.dtype) if background else pixels
        kept = 0
        for pair in found.pairs[groups.planes[n]]:
            inside = pair.taken(pixels)
            kept += int(np.count_nonzero(inside))
            row, column = pair.first
            part = labels[pair.plane, row : row + inside.shape[0], column : column + inside.shape[1]]
            np.copyto(part, inside, where=inside != 0)
        lost += int(np.count_nonzero(pixels)) - kept if found.is_exact else 0
    notes += _left_out(lost, repeated)
    counts = np.zeros(1 << (16 if wide else 8), np.int64)
    for plane in labels:
        counts += np.bincount(plane.ravel(), minlength=counts.size)
    segments = dict(described)
    unknown = [int(n) for n in np.flatnonzero(counts) if n and int(n) not in segments]
    for label in unknown:
        segments[label] = named(label, len(segments) + 1)
    if unknown:
        notes.append(
            Note(
                "file",
                ngettext("{count} segment has voxels, but is not described", "{count} segments have voxels, but are not described", len(unknown)),
                is_warning=True,
            )
        )
    if wide and all(label <= 255 for label in segments):
        labels = labels.astype(np.uint8)
    draft = LayerDraft(labels, tuple(segments[label] for label in sorted(segments)))
    voxels = {label: int(counts[label]) if label < counts.size else 0 for label in sorted(segments)}
    result = SegmentSet("", (draft,) if segments else (), voxels)
    notes += _empty(result)
    return _turned_back(result, found), notes


def _left_out(lost: int, repeated: int) -> list[Note]:
    notes = []
    if lost:
        notes.append(
            Note(
                "ignored",
                ngettext(
                    "{count} voxel of it lies outside the image and is left out", "{count} voxels of it lie outside the image and are left out", lost
                ),
                is_warning=True,
            )
        )
    if repeated:
        notes.append(
            Note(
                "file",
                ngettext(
                    "{count} frame lies where another of its segment lies: they were joined",
                    "{count} frames lie where another of their segment lies: they were joined",
                    repeated,
                ),
                is_warning=True,
            )
        )
    return notes


def _empty(result: SegmentSet) -> list[Note]:
    names = [s.name for s in result.segments if not result.voxels[s.label]]
    if not names:
        return []
    shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    return [Note("file", _("segments without a voxel: {names}").format(names=shown), is_warning=len(names) == len(result.segments))]


def _turned_back(result: SegmentSet, found: Match) -> SegmentSet:
    """The labels with their axes in the image's order."""
    if found.order == (0, 1, 2):
        return result
    back = [found.order.index(axis) for axis in range(3)]
    turned: list[Any] = [replace(layer, labels=np.ascontiguousarray(layer.labels.transpose(back))) for layer in result.layers]
    return replace(result, layers=tuple(turned))
