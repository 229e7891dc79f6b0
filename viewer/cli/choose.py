"""From the words of a command line to the series and the phase that are meant."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from viewer.cli import say
from viewer.core.errors import BadParameter, Refused, UnreadableFile
from viewer.core.words import _, ngettext
from viewer.io import open as opening
from viewer.io import picture_stack
from viewer.io.gate import harmless
from viewer.io.picture_stack import Spacing, parse_spacing
from viewer.io.series import Listing, SeriesEntry


def add_choice(parser: argparse.ArgumentParser) -> None:
    """``--series`` and ``--phase``."""
    parser.add_argument("--series", metavar="ID", help=_("the series, by its id or UID as info lists them"))
    parser.add_argument("--phase", type=int, metavar="N", help=_("the phase, counted from 0"))


def add_force(parser: argparse.ArgumentParser) -> None:
    """``--force``."""
    parser.add_argument("--force", action="store_true", help=_("replace files that exist"))


def add_stack(parser: argparse.ArgumentParser) -> None:
    """``--stack`` and ``--spacing``."""
    parser.add_argument("--stack", action="store_true", help=_("take all pictures (PNG, JPEG, TIFF) under PATH as the planes of one stack"))
    help_spacing = _("with --stack: mm between columns, rows and planes, ? where one is not known; in pixels if not given")
    parser.add_argument("--spacing", metavar="X,Y,Z", help=help_spacing)


def asked_spacing(args: argparse.Namespace) -> Spacing | None:
    """The spacing of the stack that was asked for, None where none was. Raises BadParameter."""
    if not args.stack:
        if args.spacing is not None:
            raise BadParameter(_("--spacing goes with --stack: what a file says of its spacing is not overruled."))
        return None
    return parse_spacing(args.spacing) if args.spacing is not None else (None, None, None)


def look(paths: Sequence[Path], args: argparse.Namespace | None = None) -> Listing:
    """What is under the paths, as one stack of pictures where that was asked for (:func:`add_stack`)."""
    spacing = asked_spacing(args) if args is not None else None
    return opening.find(paths) if spacing is None else picture_stack.find(paths, spacing)


def find(paths: Sequence[Path], args: argparse.Namespace | None = None) -> Listing:
    """The same; what was refused is said on stderr, whether or not there is something else."""
    listing = look(paths, args)
    for refusal in listing.refused:
        say.err(refusal.reason)
    return listing


def choose(listing: Listing, series: str | None) -> SeriesEntry:
    """The one series that is meant.

    Raises
    ------
    UnreadableFile
        There is nothing with pixels.
    Refused
        There are several, or none of this id: the sentence lists the ids.
    """
    usable = [entry for entry in listing.series if entry.kind != "other"]
    if series is not None:
        return _by_name(listing, usable, series)
    if len(usable) == 1:
        return usable[0]
    if usable:
        found = ngettext("There is {count} series.", "There are {count} series.", len(usable))
        raise Refused(_("{found} Choose one with --series:\n{ids}").format(found=found, ids=ids_of(usable)))
    if len(listing.refused) == 1 and not listing.series:
        raise UnreadableFile(_("There is nothing to open."))  # the reason was said already
    raise UnreadableFile(_("There is no series with pictures here."))


def check_phase(entry: SeriesEntry, phase: int | None) -> None:
    """Raises BadParameter where the series has no such phase."""
    if phase is not None and not 0 <= phase < entry.phases:
        found = ngettext("the series has {count} phase", "the series has {count} phases", entry.phases)
        raise BadParameter(_("There is no phase {phase}: {found}, counted from 0.").format(phase=phase, found=found))


def ids_of(entries: Sequence[SeriesEntry]) -> str:
    """One line per series: id and title."""
    return "\n".join(f"  {entry.id}  {entry.identity.modality} {harmless(entry.title)}".rstrip() for entry in entries)


def _by_name(listing: Listing, usable: list[SeriesEntry], series: str) -> SeriesEntry:
    exact = [entry for entry in usable if entry.id == series]
    same_uid = exact or [entry for entry in usable if entry.identity.series_uid == series]
    if len(same_uid) == 1:
        return same_uid[0]
    if same_uid:
        raise Refused(_("The UID {uid} holds several series. Choose one with --series:\n{ids}").format(uid=harmless(series), ids=ids_of(same_uid)))
    if any(series in (entry.id, entry.identity.series_uid) for entry in listing.series):
        raise Refused(_("The series {id} has no pictures that could be shown.").format(id=harmless(series)))
    raise Refused(_("There is no series {id}. These are there for --series:\n{ids}").format(id=harmless(series), ids=ids_of(usable)))
