"""``--over``: a second series laid over the one that is drawn, as the window's fusion does."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from viewer.cli import choose, say
from viewer.cli.transform import read_transform
from viewer.core.alignment import SAME_PLACE
from viewer.core.colormaps import TITLES
from viewer.core.errors import BadParameter, Refused
from viewer.core.volume import Volume
from viewer.core.window import Window, parse_window
from viewer.core.words import _
from viewer.io import open as opening
from viewer.io.gate import harmless
from viewer.io.series import SeriesEntry
from viewer.jobs.pool import Pool
from viewer.session.aligning import alignment_step, register
from viewer.session.document import Document
from viewer.session.fusion import FusionWish, Mode, is_other_patient, told_scale
from viewer.session.view import ViewState

_OPTIONS = ("over_series", "over_map", "over_opacity", "over_window", "over_mode", "align")


@dataclass(frozen=True, slots=True)
class Over:
    """The second volume, and how it is to lie over the first; ``matrix`` None: as the files say."""

    volume: Volume
    wish: FusionWish
    matrix: tuple[float, ...] | None = None
    is_registered: bool = False


def add_over(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--over", type=Path, metavar="PATH", help=_("lay a second series over it (fusion): PET on CT, a dose, a second MR"))
    parser.add_argument("--over-series", metavar="ID", help=_("the series of --over, by its id or UID as info lists them"))
    help_map = _("its colours; hot iron for PET, Inferno for a dose if not given")
    parser.add_argument("--over-map", choices=tuple(TITLES), help=help_map)
    parser.add_argument("--over-opacity", type=float, metavar="PART", help=_("how dense it is, from 0 to 1; 0.5 if not given"))
    parser.add_argument("--over-window", metavar="WINDOW", help=_('its window: "W400 C50" or CENTRE,WIDTH; in SUV where PET allows it'))
    parser.add_argument(
        "--over-mode", choices=get_args(Mode), help=_("blend, second less first, or the first left and the second right; blend if not given")
    )
    help_align = _("where nothing says how the two lie: positions (take those in the files), rigid (align them), or a transform of the verb register")
    parser.add_argument("--align", metavar="HOW", help=help_align)


def check_over(args: argparse.Namespace) -> None:
    """What can be said before anything is read. Raises BadParameter."""
    if args.over is None:
        named = next((name for name in _OPTIONS if getattr(args, name) is not None), "")
        if named:
            raise BadParameter(_("--{option} goes with --over.").format(option=named.replace("_", "-")))
        return
    if args.no_annotations:
        raise BadParameter(_("--no-annotations draws the image and nothing else, so --over does not go with it."))
    if args.over_opacity is not None and not 0 <= args.over_opacity <= 1:
        raise BadParameter(_("--over-opacity must be between 0 and 1."))
    if args.over_window is not None:
        parse_window(args.over_window)
    if args.align not in (None, "positions", "rigid"):
        read_transform(Path(args.align))


def read_over(args: argparse.Namespace, first: SeriesEntry, fixed: Volume, pool: Pool) -> Over | None:
    """The second series, read and aligned as asked; None where none was asked for."""
    if args.over is None:
        return None
    entry = choose.choose(choose.find([args.over]), args.over_series)
    if entry.id == first.id and entry.files == first.files:
        raise Refused(_("{name} cannot be laid over itself.").format(name=harmless(entry.title)))
    volume = opening.load(entry, pool=pool)
    if volume.id == fixed.id:
        raise Refused(_("{name} cannot be laid over itself.").format(name=harmless(entry.title)))
    if is_other_patient(fixed, volume):
        say.err(_("{name} names another patient than the image that it lies over.").format(name=harmless(entry.title)))
    mode: Mode = args.over_mode or "blend"
    window = _window(args.over_window, volume, mode) if args.over_window is not None else None
    wish = FusionWish(
        volume.id, mode, args.over_map, args.over_opacity if args.over_opacity is not None else FusionWish("").opacity,
        window=window if mode != "difference" else None, difference=window if mode == "difference" else None,
    )  # fmt: skip
    if args.align is None:
        return Over(volume, wish)
    if args.align == "positions":
        return Over(volume, wish, SAME_PLACE)
    if args.align == "rigid":
        return Over(volume, wish, register(fixed, volume, pool=pool).matrix, is_registered=True)
    return Over(volume, wish, read_transform(Path(args.align)))


def _window(text: str, volume: Volume, mode: Mode) -> Window:
    """The window that a text names, in the unit in which the picture tells it."""
    window, factor = parse_window(text), told_scale(volume, mode)[0]
    return window if factor == 1.0 else Window(window.center / factor, window.width / factor, "LINEAR_EXACT", window.name)


def put_over(document: Document, fixed: Volume, over: Over) -> FusionWish:
    """Take the second series into the document; the wish that shows it."""
    document.add_source(over.volume)
    if over.matrix is not None:
        document.commit(alignment_step(document, fixed, over.volume, over.matrix, "rigid" if over.is_registered else "positions"))
    return over.wish


def check_shown(state: ViewState) -> None:
    """Raises Refused with the reason where the second series would not be drawn: a picture without it would say that there is nothing."""
    fusion = state.fusion
    if fusion is None or not (fusion.reason or fusion.note):
        return
    hint = _("Say how with --align.") if fusion.link is None and not fusion.volume.is_color else ""
    raise Refused(" ".join(part for part in (fusion.reason or fusion.note, hint) if part))
