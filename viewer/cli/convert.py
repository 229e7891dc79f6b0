"""``negatoscope convert``: one series as a NIfTI, NRRD or MetaImage file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from viewer.cli import choose, say, segmentation
from viewer.core import memory
from viewer.core.volume import Volume
from viewer.core.words import _
from viewer.io import gate
from viewer.io import open as opening
from viewer.io.gate import harmless
from viewer.io.save import ready_target
from viewer.io.write import save_volume
from viewer.io.write.grids import ending_of
from viewer.jobs.pool import Pool


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("convert", help=_("write a series as .nii.gz, .nii, .nrrd or .mha"))
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("out", type=Path, metavar="OUT")
    choose.add_choice(parser)
    choose.add_stack(parser)
    parser.add_argument(
        "--unit", metavar="UNIT", help=_("write the values in another unit that the file allows: SUVbw of PET; that of the file if not given")
    )
    choose.add_force(parser)
    text = _("write a series that misses planes too, with empty planes in their place")
    parser.add_argument("--resample", action="store_true", help=text)
    text = _(
        "write the segments of this DICOM Segmentation or RT Structure Set (by its id or file) on the grid of their series, instead of the series"
    )
    segmentation.add_segmentation(parser, text)


def in_unit(volume: Volume, unit: str, path: Path) -> Volume:
    """The volume with its values in another unit, as float32. Raises Refused with the reason where the file (``path``) does not allow it."""
    if volume.unit.lower() == unit.lower() and unit:
        return volume
    scale = volume.scale(unit)
    gate.check(volume.data.shape, 4, path=path)
    data = memory.allocate(volume.data.shape, np.float32)
    for cell in np.ndindex(*volume.data.shape[:2]):
        data[cell] = volume.data[cell] * np.float64(scale.factor)
    return volume.derived(f"{volume.id}-{scale.unit}", data, unit=scale.unit, padding=None)


def run(args: argparse.Namespace) -> int:
    """0; all that can go wrong is raised."""
    # Before anything is read: a mistake in OUT should not cost the reading.
    ending_of(args.out)
    ready_target(args.out, overwrite=args.force)
    if args.segmentation is not None:
        return _convert_segmentation(args)
    entry = choose.choose(choose.find([args.path], args), args.series)
    choose.check_phase(entry, args.phase)
    with Pool() as pool:  # starts no process unless a picture must be decoded
        volume = opening.load(entry, pool=pool)
    if args.unit is not None:
        volume = in_unit(volume, args.unit, args.path)
    said = save_volume(args.out, volume, phase=args.phase, overwrite=args.force, with_gaps=args.resample)
    for sentence in said:
        say.err(_("{name}: {warning}").format(name=harmless(entry.title), warning=sentence))
    # A file of numbers has no place for what is to be said of them.
    of_values = (note.text for note in volume.notes if note.topic == "values" and note.is_warning)
    for warning in (*volume.warnings, *of_values):
        say.err(_("{name}: {warning}").format(name=harmless(entry.title), warning=warning))
    return 0


def _convert_segmentation(args: argparse.Namespace) -> int:
    found, entry = segmentation.chosen(choose.find(segmentation.paths_of(args), args), args)
    with Pool() as pool:
        volume = opening.load(entry, pool=pool)
        segments = segmentation.read(found, volume, pool)
    segmentation.save(args.out, segments, volume, overwrite=args.force)
    return 0
