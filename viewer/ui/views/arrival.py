"""What a view does while its series is still being read: the plane if it is there, "Reading …" if not, and which slices are there."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from viewer.core.layout import Point
from viewer.core.render import to_rgb32
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.draw.picture import picture_of
from viewer.draw.text import Style, draw_text, text_height
from viewer.session.arriving import Arriving
from viewer.session.hand import stack_size
from viewer.session.view import ViewState
from viewer.ui import theme
from viewer.ui.views.picture_item import PictureItem
from viewer.ui.views.probe import Probe, probe_at

_WIDEST = 420


def shown_plane(arriving: Arriving, state: ViewState) -> Volume | None:
    """The plane that a state shows, as a volume of one plane; None while it is not there."""
    if state.volume is None or state.layout.axis != 0:
        return None
    return arriving.plane(state.phase, state.array_index)


def prepare_arriving(item: PictureItem, arriving: Arriving, state: ViewState, known: object) -> tuple[object, ...] | None:
    """Give the item the picture of the shown plane, or none: never that of another plane.

    ``known``: what this returned for the picture that the item has.
    """
    plane = shown_plane(arriving, state)
    if plane is None:
        item.picture = None
        return None
    key = (*state.picture_key, plane.id)
    if key != known or item.picture is None:
        item.picture = picture_of(to_rgb32(state.layout.turned(plane.data[0, 0]), state.display))
    return key


def probe_arriving(state: ViewState, arriving: Arriving, point: Point) -> Probe | None:
    """What is at a picture point of a plane that is there."""
    plane = shown_plane(arriving, state)
    return probe_at(state, arriving, point, plane.data[0, 0]) if plane is not None else None


def arrived_ranges(arriving: Arriving, state: ViewState) -> tuple[tuple[int, int], ...]:
    """Slices that are there, in the order in which they are counted on screen: (first, one past the last) of each run."""
    if state.volume is None:
        return ()
    if state.count == 1:  # frames
        ready = np.array([arriving.ready(phase)[:1].any() for phase in range(stack_size(state))])
    else:
        ready = arriving.ready(state.phase)
        ready = ready[::-1] if state.layout.flip_axis else ready
    edges = np.flatnonzero(np.diff(np.concatenate(([False], ready, [False])).astype(np.int8)))
    return tuple((int(a), int(b)) for a, b in edges.reshape(-1, 2))


def reading_text(arriving: Arriving, state: ViewState) -> str:
    """``Reading: 120 of 400 images``."""
    if not arriving.is_streaming:
        return _("Reading …")
    done = sum(stop - first for first, stop in arrived_ranges(arriving, state))
    return _("Reading: {done} of {count} images").format(done=done, count=stack_size(state))


def draw_waiting(painter: QPainter, rect: QRectF) -> None:
    """The word in the middle of the view while its plane is not there."""
    style = Style(15, ink=theme.DARK.text2)  # the view is black in both themes
    draw_text(painter, rect.center().x(), rect.center().y() - text_height(style) / 2, _("Reading …"), style, align="center")


def draw_sentence(painter: QPainter, rect: QRectF, text: str) -> None:
    """A sentence in the middle of an empty view, in lines that are not too long to read."""
    if not text:
        return
    face = theme.font("title")
    painter.setFont(face)
    painter.setPen(QColor(theme.DARK.text2))
    width = min(_WIDEST, rect.width() - 4 * theme.sizes().margin)
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    box = QFontMetrics(face).boundingRect(0, 0, int(width), 10_000, int(flags), text)
    painter.drawText(QRectF(rect.center().x() - width / 2, rect.center().y() - box.height() / 2, width, box.height() + 2), int(flags), text)
