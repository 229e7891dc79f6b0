"""``negatoscope register``: where one series lies in another, as a transform or as a series on the other's grid."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from viewer.cli import choose, say
from viewer.cli.transform import ENDINGS, transform_bytes
from viewer.core.alignment import SAME_PLACE, degrees_of, distance_of
from viewer.core.errors import BadParameter
from viewer.core.registration import METRIC
from viewer.core.words import _
from viewer.io import open as opening
from viewer.io.gate import harmless
from viewer.io.save import ready_target, save_atomic
from viewer.io.series import SeriesEntry
from viewer.io.write import save_volume
from viewer.io.write.grids import ending_of
from viewer.jobs.pool import Pool
from viewer.session.aligning import middle, register, resampled


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("register", help=_("find where one series lies in another (rigid)"))
    parser.add_argument("moving", type=Path, metavar="MOVING", help=_("the series that is moved"))
    parser.add_argument("fixed", type=Path, metavar="FIXED", help=_("the series that stays where it is"))
    help_out = _("the transform as .json or .tfm (ITK), or MOVING on the grid of FIXED as .nii.gz, .nii, .nrrd or .mha")
    parser.add_argument("out", type=Path, metavar="OUT", help=help_out)
    parser.add_argument("--series", metavar="ID", help=_("the series of MOVING, by its id or UID as info lists them"))
    parser.add_argument("--fixed-series", metavar="ID", help=_("the series of FIXED"))
    parser.add_argument("--phase", type=int, metavar="N", help=_("the phase of MOVING, counted from 0"))
    parser.add_argument("--fixed-phase", type=int, metavar="N", help=_("the phase of FIXED, counted from 0"))
    parser.add_argument("--from-positions", action="store_true", help=_("start where the files say, and try no other place"))
    choose.add_force(parser)


def run(args: argparse.Namespace) -> int:
    """0; all that can go wrong is raised."""
    is_transform = args.out.suffix.lower() in ENDINGS
    if not is_transform:
        ending_of(args.out)
    ready_target(args.out, overwrite=args.force)
    moving_entry, fixed_entry = _entry(args.moving, args.series, args.phase), _entry(args.fixed, args.fixed_series, args.fixed_phase)
    if moving_entry.files and moving_entry.files == fixed_entry.files and moving_entry.id == fixed_entry.id:
        raise BadParameter(_("MOVING and FIXED are one series."))
    phases = args.phase or 0, args.fixed_phase or 0
    with Pool() as pool:
        moving, fixed = opening.load(moving_entry, pool=pool), opening.load(fixed_entry, pool=pool)
        start = SAME_PLACE if args.from_positions else None
        found = register(fixed, moving, pool=pool, fixed_phase=phases[1], moving_phase=phases[0], start=start)
    if is_transform:
        facts = {"method": "rigid", "metric": METRIC, "value": found.value, "moving": moving_entry.title, "fixed": fixed_entry.title}
        save_atomic(args.out, transform_bytes(args.out, found.matrix, facts), overwrite=args.force)
    else:
        for sentence in save_volume(args.out, resampled(fixed, moving, found.matrix, phase=phases[0]), phase=None, overwrite=args.force):
            say.err(_("{name}: {warning}").format(name=harmless(moving_entry.title), warning=sentence))
    center = middle(moving.geometry)
    text = _("moved by {mm:.2f} mm, turned by {degrees:.2f}°; mutual information {value:.4f}")
    say.out(text.format(mm=distance_of(found.matrix, center), degrees=degrees_of(found.matrix), value=found.value))
    if found.value <= found.start_value:
        say.err(_("No better place was found than the one where it started."))
    return 0


def _entry(path: Path, series: str | None, phase: int | None) -> SeriesEntry:
    entry = choose.choose(choose.find([path]), series)
    choose.check_phase(entry, phase)
    return entry
