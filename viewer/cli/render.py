"""``negatoscope render``: one plane as a PNG, drawn as the window would."""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from viewer.cli import choose, over, say, segmentation
from viewer.core.errors import BadParameter
from viewer.core.geometry import Plane, Triple
from viewer.core.oblique import Turn, turn_of, turned_about
from viewer.core.slab import parse_slab
from viewer.core.volume import Volume
from viewer.core.window import CT_PRESETS, Window, parse_window
from viewer.core.words import _
from viewer.io import open as opening
from viewer.io.gate import harmless
from viewer.io.objects.layers import SegmentSet
from viewer.io.save import ready_target, save_atomic
from viewer.jobs.pool import Pool
from viewer.session.attach import labels_step
from viewer.session.document import Document
from viewer.session.objects import drafts_of
from viewer.session.view import ViewWish, presets, resolve, why_no_mpr


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("render", help=_("write a picture of one plane as .png"))
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("out", type=Path, metavar="OUT.png")
    choose.add_choice(parser)
    choose.add_stack(parser)
    parser.add_argument("--plane", choices=get_args(Plane), default="acquired", help=_("the plane; acquired, as stored, if not given"))
    help_index = _("the slice, counted from 0; reformats from the patient's right, front and feet upwards; the middle one if not given")
    parser.add_argument("--index", type=int, metavar="N", help=help_index)
    help_turn = _(
        "turn the plane about an axis of the patient (right-left, front-back or feet-head), as in rl:30; may be given several times, in order"
    )
    parser.add_argument("--turn", type=turn_about, action="append", default=[], metavar="AXIS:DEGREES", help=help_turn)
    help_through = _("a place in mm of the patient (left, back, head) that the plane runs through")
    parser.add_argument("--through", type=place_of, metavar="X,Y,Z", help=help_through)
    help_slab = _("a slab: mip, minip or mean, a colon and its thickness in mm, as in mip:20")
    parser.add_argument("--slab", metavar="MODE:MM", help=help_slab)
    parser.add_argument("--window", metavar="WINDOW", help=_('a preset ("Lung"), "W400 C50" or CENTRE,WIDTH; that of the file if not given'))
    parser.add_argument("--size", type=size_of, metavar="WxH", help=_("size of the picture in pixels; one for each image pixel if not given"))
    parser.add_argument("--no-annotations", action="store_true", help=_("draw the image and nothing else"))
    parser.add_argument("--identity", action="store_true", help=_("write who was examined, where and when into the corners"))
    text = _("draw the segments of this DICOM Segmentation or RT Structure Set (by its id or file) over the series that they are of")
    segmentation.add_segmentation(parser, text)
    over.add_over(parser)
    choose.add_force(parser)


def run(args: argparse.Namespace) -> int:
    """0; all that can go wrong is raised."""
    # Before anything is read: a mistake in the words should not cost the reading.
    if args.out.suffix.lower() != ".png":
        raise BadParameter(_("{name}: a picture is written as .png. Give it that ending.").format(name=harmless(args.out.name)))
    ready_target(args.out, overwrite=args.force)
    over.check_over(args)
    if args.window is not None:
        _check_window(args.window)
    if args.slab is not None:
        args.slab = parse_slab(args.slab)
    if args.through is not None and args.index is not None:
        raise BadParameter(_("--index and --through both say which slice. Leave one of them out."))
    listing = choose.find(segmentation.paths_of(args), args)
    found = None
    if args.segmentation is not None:
        found, entry = segmentation.chosen(listing, args)
    else:
        entry = choose.choose(listing, args.series)
    choose.check_phase(entry, args.phase)
    with Pool() as pool:  # starts no process unless a picture must be decoded
        volume = opening.load(entry, pool=pool)
        segments = segmentation.read(found, volume, pool) if found is not None else None
        second = over.read_over(args, entry, volume, pool)
    data = png(volume, args, segments, second)
    save_atomic(args.out, data, overwrite=args.force)
    for warning in volume.warnings:
        say.err(_("{name}: {warning}").format(name=harmless(entry.title), warning=warning))
    return 0


def png(volume: Volume, args: argparse.Namespace, segments: SegmentSet | None = None, second: over.Over | None = None) -> bytes:
    """The picture that the words ask for."""
    from viewer.draw.screenshot import png_bytes, screenshot

    document = Document()
    document.add_source(volume)
    if segments is not None:
        document.commit(labels_step(volume, drafts_of(segments), segments.name))
    window = window_for(volume, args.window) if args.window is not None else None
    wish = ViewWish(
        volume.id, plane=args.plane, index=args.index, turn=_turn(volume, args), place=args.through, slab=args.slab,
        phase=args.phase or 0, window=window,
    )  # fmt: skip
    if (wish.turn is not None or wish.slab is not None) and (reason := why_no_mpr(volume)):
        raise BadParameter(reason)
    if second is not None:
        wish = replace(wish, fusion=over.put_over(document, volume, second))
        over.check_shown(resolve(wish, document))
    state = resolve(wish, document)
    count = state.count
    if args.through is not None and not -0.5 <= state.slice_at(args.through) < count - 0.5:
        raise BadParameter(_("The place {place} lies outside of the image.").format(place="{:g}, {:g}, {:g}".format(*args.through)))
    if args.index is not None and not 0 <= args.index < count:
        said = _("There is no slice {index}: the {plane} plane has {count}, counted from 0.")
        raise BadParameter(said.format(index=args.index, plane=_(args.plane), count=count))
    image = screenshot(document, wish, args.size, annotations=not args.no_annotations, identity=args.identity)
    return png_bytes(image)


def _turn(volume: Volume, args: argparse.Namespace) -> Turn | None:
    """The turn of the plane that the words ask for, from how the plane lies unturned; None where it is not turned."""
    if not args.turn:
        return None
    turn = turn_of(volume.geometry, args.plane)
    for axis, degrees in args.turn:
        turn = turned_about(turn, axis, degrees)
    return turn


def window_for(volume: Volume, text: str) -> Window:
    """The window that a text names for a volume: one of the file's own, a preset that fits, or numbers.

    Raises
    ------
    BadParameter
        It is none, its width is not positive, or it is a preset for another kind of image.
    """
    fitting, reason = presets(volume)
    own = tuple(window for window in volume.windows if window.name)
    window = parse_window(text, (*own, *CT_PRESETS))
    is_preset = window in CT_PRESETS and window not in own
    # Where the file does not say what its values are, the user may know.
    if is_preset and not fitting and (volume.unit or volume.identity.modality or volume.is_color):
        raise BadParameter(_('The window "{name}" does not fit: {reason} Write CENTRE,WIDTH.').format(name=window.name, reason=_(reason)))
    return window


def _check_window(text: str) -> None:
    """Numbers can be judged before anything is read; names only when the file's own are known."""
    if re.fullmatch(r"[\sWwCcLl,.\deE+-]*\d[\sWwCcLl,.\deE+-]*", text):
        parse_window(text)


_AXES: dict[str, Triple] = {"rl": (1.0, 0.0, 0.0), "ap": (0.0, 1.0, 0.0), "fh": (0.0, 0.0, 1.0)}


def turn_about(text: str) -> tuple[Triple, float]:
    """``rl:30`` as the axis from right to left and 30 degrees (right-handed); ``ap`` runs from front to back, ``fh`` from feet to head."""
    name, _colon, angle = text.strip().lower().partition(":")
    try:
        degrees = float(angle)
    except ValueError:
        degrees = math.nan
    if name not in _AXES or not math.isfinite(degrees):
        said = _('the turn "{text}" is not understood; write {axes}, a colon and degrees, as in rl:30')
        raise argparse.ArgumentTypeError(said.format(text=text, axes=", ".join(_AXES)))
    return _AXES[name], degrees


def place_of(text: str) -> Triple:
    """``12.5,-30,45`` as a place."""
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        x = y = z = math.nan
    if not all(math.isfinite(c) for c in (x, y, z)):
        raise argparse.ArgumentTypeError(_('the place "{text}" is not understood; write X,Y,Z in mm, as in 12.5,-30,45').format(text=text))
    return x, y, z


def size_of(text: str) -> tuple[int, int]:
    """``1024x768`` as (1024, 768)."""
    found = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text.strip())
    if not found or not (int(found[1]) and int(found[2])):
        raise argparse.ArgumentTypeError(_('the size "{text}" is not understood; write WxH, as in 1024x768').format(text=text))
    return int(found[1]), int(found[2])
