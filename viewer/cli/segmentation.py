"""``--segmentation``: the segments of a DICOM Segmentation or RT Structure Set, on the grid of the series that they are of."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from viewer.cli import choose, say
from viewer.core.errors import Refused
from viewer.core.volume import Volume
from viewer.core.words import _
from viewer.io.gate import harmless
from viewer.io.objects.layers import SegmentSet
from viewer.io.objects.read import KINDS, read_segments
from viewer.io.objects.referring import series_for
from viewer.io.series import Listing, SeriesEntry
from viewer.io.write.grids import save_array
from viewer.jobs.pool import Pool


def add_segmentation(parser: argparse.ArgumentParser, help_text: str) -> None:
    """The option."""
    parser.add_argument("--segmentation", metavar="ID|FILE", help=help_text)


def paths_of(args: argparse.Namespace) -> list[Path]:
    """Where to look: PATH, and the file that ``--segmentation`` may name."""
    named = Path(args.segmentation) if args.segmentation else None
    return [args.path, named] if named is not None and named.is_file() else [args.path]


def chosen(listing: Listing, args: argparse.Namespace) -> tuple[SeriesEntry, SeriesEntry]:
    """The segmentation that is meant, and the series that it goes on: ``--series``, else the one that it was made for.

    Raises
    ------
    Refused
        There is no such segmentation (the sentence lists those that are there), or its series is not there.
    """
    objects = [entry for entry in listing.series if entry.object_kind in KINDS]
    wanted = args.segmentation
    name = Path(wanted).name
    by_file = [e for e in objects if Path(wanted).is_file() and e.files[0].exists() and e.files[0].samefile(wanted)]
    found = by_file or [e for e in objects if e.id == wanted] or [e for e in objects if e.identity.series_uid == wanted]
    found = found or [e for e in objects if e.files[0].name == name]
    if len(found) != 1:
        said = _("There is no segmentation {id}.") if not found else _("There are several segmentations {id}.")
        if not objects:
            raise Refused(said.format(id=harmless(wanted)))
        text = _("{said} These are there for --segmentation:\n{ids}")
        raise Refused(text.format(said=said.format(id=harmless(wanted)), ids=choose.ids_of(objects)))
    entry = found[0]
    if args.series is not None:
        return entry, choose.choose(listing, args.series)
    choice = series_for(entry, listing.series)
    if choice.by == "frame":
        text = _("{name}: its own series is not here; {series} has its frame of reference and the same planes.")
        say.err(text.format(name=harmless(entry.title), series=harmless(choice.entry.title or choice.entry.id)))
    return entry, choice.entry


def read(entry: SeriesEntry, volume: Volume, pool: Pool) -> SegmentSet:
    """The segments; what is to be said of them goes to stderr."""
    found = read_segments(entry, volume.geometry, pool=pool)
    for note in found.notes:
        if note.is_warning:
            say.err(_("{name}: {warning}").format(name=harmless(entry.title), warning=note.text))
    return found


def save(path: Path, found: SegmentSet, volume: Volume, *, overwrite: bool) -> None:
    """Write the labels on the image's grid and list them; segments that overlap make several volumes of one file (4-D)."""
    if not found.layers:
        raise Refused(_("{name}: there is no segment in it.").format(name=harmless(found.name)))
    wide = any(layer.labels.dtype.itemsize > 1 for layer in found.layers)
    data = np.stack([layer.labels.astype(np.uint16 if wide else np.uint8, copy=False) for layer in found.layers])
    for sentence in save_array(path, data, volume.geometry, overwrite=overwrite, with_gaps=True, is_labels=True):
        say.err(_("{name}: {warning}").format(name=harmless(found.name), warning=sentence))
    if len(found.layers) > 1:
        text = _("{name}: its segments overlap: {count} volumes are written, so that each keeps every voxel.")
        say.err(text.format(name=harmless(found.name), count=len(found.layers)))
    for number, layer in enumerate(found.layers):
        for segment in layer.segments:
            text = _("{label}  {name}  {voxels} voxels") if len(found.layers) == 1 else _("{label}  {name}  {voxels} voxels  (volume {number})")
            line = text.format(label=segment.label, name=harmless(segment.name), voxels=found.voxels[segment.label], number=number)
            say.out(line)
