"""Everything over the picture, in screen space, the same in the window and in an export: outlines, annotations, corner texts, letters, badges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from viewer.core.annotation import Annotation
from viewer.core.badges import shown
from viewer.core.layout import Placement
from viewer.core.letters import shown_letters
from viewer.core.words import _, mark
from viewer.draw.color_bar import draw_color_bar
from viewer.draw.contours import Contour
from viewer.draw.corners import Corners, corners, top_left
from viewer.draw.crosshair import draw_cross
from viewer.draw.figures import round_length
from viewer.draw.fusion import draw_curtain, draw_reason
from viewer.draw.maps import drawn_heat
from viewer.draw.picture import is_smooth
from viewer.draw.ruler import draw_rulers
from viewer.draw.shapes import draw_annotations, draw_contours, draw_seeds
from viewer.draw.text import LETTER_INK, Style, draw_text, elided, text_height, text_width
from viewer.session.linking import NO_CROSS, Cross
from viewer.session.view import TextLevel, ViewState

INSET = 10.0
RIGHT_INSET = 22.0
# Under this width or height the texts give way, the least important first.
SMALL_VIEW = 220.0
TINY_VIEW = 110.0
NARROW_VIEW = 300.0

# Badges that limit measuring, and what a heat-map says, are amber with a triangle.
LIMITING = frozenset({"INCOMPLETE", "NO GEOMETRY", "UNCALIBRATED", "AT DETECTOR", "EST. MAG", "TILT", "MOSAIC", "RESAMPLED", "UNFAMILIAR"})
PERMANENT = frozenset({"NEURO"})
KEY_IMAGE, NO_DIAGNOSIS, UNFAMILIAR = mark("KEY IMAGE"), mark("NOT FOR DIAGNOSIS"), mark("UNFAMILIAR")
RAISED = QColor(0x25, 0x27, 0x2B, 230)
WARN, TEXT = "#E8B04B", "#E6E8EB"
_SIGN = 13.0
"""Room for the triangle."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What is painted besides the state: what belongs to a moment, or to an export."""

    contours: tuple[Contour, ...] = ()
    shapes: tuple[Annotation, ...] = ()
    """What a tool shows meanwhile."""
    probe: str = ""
    """The value under the pointer, with unit."""
    identity: bool = True
    handles: bool = True
    is_preview: bool = False
    cross: Cross = NO_CROSS
    """Lines of other views and the crosshair."""
    is_turnable: bool = False
    """Whether those lines have handles."""
    is_linked_by_hand: bool = False
    """Whether the view follows another by the user's word alone."""
    has_ruler: bool = False
    is_key_image: bool = False


NO_EXTRAS = Extras()


def paint_overlay(painter: QPainter, state: ViewState, rect: QRectF, scale: float = 1.0, extras: Extras = NO_EXTRAS) -> None:
    """Paint everything over the picture.

    Parameters
    ----------
    painter : QPainter
        In logical pixels of the view or of the export.
    state : ViewState
        With a volume; an empty one paints nothing.
    rect : QRectF
        The viewport, whose upper left corner is at (0, 0).
    scale : float
        Of texts and lines; 1 in the window.
    extras : Extras
    """
    if state.volume is None:
        return
    painter.save()
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.setClipRect(rect)
    placement = state.placement((rect.width(), rect.height()))
    draw_contours(painter, extras.contours, placement, scale)
    if state.fusion is not None:
        draw_curtain(painter, state, placement, rect, scale, with_handle=extras.handles)
        draw_reason(painter, state, rect, scale, identity=extras.identity)
    draw_annotations(painter, state.annotations, state, placement, rect, scale, handles=extras.handles)
    draw_annotations(painter, extras.shapes, state, placement, rect, scale, handles=extras.handles)
    draw_seeds(painter, state, placement, scale)
    if extras.cross is not NO_CROSS:
        draw_cross(painter, extras.cross, placement, rect, scale, with_handles=extras.is_turnable)
    if state.text != "none":
        _draw_texts(painter, state, rect, scale, extras, placement)
    else:
        _draw_badges(painter, shown_badges(state, rect, painter.device().devicePixelRatio(), scale, extras), scale)
    if extras.has_ruler and min(rect.width(), rect.height()) / scale >= TINY_VIEW:
        draw_rulers(painter, state, placement, rect, scale)
    painter.restore()


def shown_badges(
    state: ViewState, rect: QRectF, pixel_ratio: float, scale: float = 1.0, extras: Extras = NO_EXTRAS
) -> tuple[tuple[str, QRectF], ...]:
    """The badges that :func:`paint_overlay` paints, by their names, and where.

    One row under the lines at the top left; what does not fit is left out from the end. Which way round the picture hangs is said in a
    view without texts and in a tiny one too (C07). ``pixel_ratio``: pixels of the device for a logical one.
    """
    if state.volume is None:
        return ()
    if state.text == "none" or min(rect.width(), rect.height()) / scale < TINY_VIEW:
        # A heat-map never stands without its warning; where there are texts they have it.
        is_explained = bool(drawn_heat(state))
        is_strange = is_explained and state.report is not None and state.report.is_unfamiliar
        names = (
            *(name for name in state.badges if name in PERMANENT),
            *((NO_DIAGNOSIS,) if is_explained else ()),
            *((UNFAMILIAR,) if is_strange else ()),
        )
        return _in_a_row(names, rect, rect.top() + INSET * scale, scale)
    percent = state.placement((rect.width(), rect.height())).zoom * pixel_ratio * 100
    names = (
        *(name for name in state.badges if name in PERMANENT),
        *(("Preview",) if extras.is_preview else ()),
        *((KEY_IMAGE,) if extras.is_key_image else ()),
        *state.badges,
        *(("MANUAL LINK",) if extras.is_linked_by_hand else ()),
        *(("INTERPOLATED",) if percent > 100.5 and is_smooth() else ()),
    )
    _style, step = _type(rect, scale)
    above = top_left(state, identity=extras.identity, level=_top_level(state, rect, scale))
    y = rect.top() + INSET * scale + step * min(_room(rect, step, scale), len(above)) + 4 * scale
    return _in_a_row(tuple(dict.fromkeys(names)), rect, y, scale)


def _in_a_row(names: tuple[str, ...], rect: QRectF, y: float, scale: float) -> tuple[tuple[str, QRectF], ...]:
    x = rect.left() + INSET * scale
    found: list[tuple[str, QRectF]] = []
    for name in names:
        width = text_width(shown(name), Style(11 * scale, is_bold=True)) + (_SIGN * scale if _has_sign(name) else 0.0) + 12 * scale
        if x + width > rect.right() - RIGHT_INSET * scale:
            break
        found.append((name, QRectF(x, y, width, 18 * scale)))
        x += width + 4 * scale
    return tuple(found)


def _draw_texts(painter: QPainter, state: ViewState, rect: QRectF, scale: float, extras: Extras, placement: Placement) -> None:
    ratio = painter.device().devicePixelRatio()
    texts = corners(state, zoom_percent=placement.zoom * ratio * 100, probe=extras.probe, identity=extras.identity, level=_level(state, rect, scale))
    if (top := _top_level(state, rect, scale)) != _level(state, rect, scale):
        brief = corners(state, zoom_percent=100, identity=extras.identity, level=top)
        texts = replace(texts, top_left=brief.top_left, top_right=brief.top_right)
    style, step = _type(rect, scale)
    badges = shown_badges(state, rect, ratio, scale, extras)
    bar = _scale_bar(state, placement, rect, scale) if min(rect.width(), rect.height()) / scale >= TINY_VIEW else None
    beside = bar[0] + text_width(bar[1], style) + 14 * scale if bar is not None else 0.0
    _draw_corners(painter, texts, rect, style, step, scale, badges_end=badges[-1][1].right() if badges else 0.0, bar_width=beside)
    _draw_letters(painter, state, rect, scale)
    _draw_badges(painter, badges, scale)
    if min(rect.width(), rect.height()) / scale >= TINY_VIEW:
        if bar is not None:
            _draw_scale_bar(painter, bar, rect, style, rect.bottom() - (INSET + 4) * scale - step * len(texts.bottom_right), scale)
        draw_color_bar(painter, state, rect, style, scale, right_inset=RIGHT_INSET * scale)


def _level(state: ViewState, rect: QRectF, scale: float) -> TextLevel:
    narrow = min(rect.width(), rect.height()) / scale
    return "none" if narrow < TINY_VIEW else "short" if narrow < SMALL_VIEW else state.text


def _top_level(state: ViewState, rect: QRectF, scale: float) -> TextLevel:
    """The level of the upper corners, which are the first to give way: who and when, in a view of which there are many."""
    level = _level(state, rect, scale)
    return "short" if level == "full" and rect.width() / scale < NARROW_VIEW else level


def _type(rect: QRectF, scale: float) -> tuple[Style, float]:
    """Type of the corner texts, and from line to line."""
    small = rect.width() / scale < 420
    return Style((11 if small else 12) * scale), (15 if small else 17) * scale


def _room(rect: QRectF, step: float, scale: float) -> int:
    """Lines that a corner has room for."""
    return int((rect.height() - 2 * INSET * scale) / 2 / step)


def _draw_corners(
    painter: QPainter, texts: Corners, rect: QRectF, style: Style, step: float, scale: float, *, badges_end: float, bar_width: float
) -> None:  # fmt: skip
    left, right = rect.left() + INSET * scale, rect.right() - RIGHT_INSET * scale
    room = _room(rect, step, scale)
    top, bottom = rect.top() + INSET * scale, rect.bottom() - INSET * scale - text_height(style)
    bold = Style(style.size, is_bold=True)
    # From the edges inwards: row 0 is the first one above and the last one below, and has the letter in its middle.
    lower_left, lower_right = (tuple(reversed(side[-room:] if room else ())) for side in (texts.bottom_left, texts.bottom_right))
    # The badges stand across the two rows under the lines at the left, the scale bar in the row above those at the right.
    under, over = len(texts.top_left[:room]), len(lower_right)
    aside = 11 * scale
    middle = rect.center().x() - aside
    for ones, others, y, down in ((texts.top_left[:room], texts.top_right[:room], top, step), (lower_left, lower_right, bottom, -step)):
        for row in range(max(len(ones), len(others))):
            one, other = (side[row] if row < len(side) else "" for side in (ones, others))
            first = bold if down > 0 and row == 0 else style
            width = right - left
            if down > 0 and badges_end and row in (under, under + 1):
                width -= badges_end - left
            elif down < 0 and row == over:
                width -= bar_width
            one, other = side_by_side(one, other, first, style, width, (middle - left, right - middle - 2 * aside) if row == 0 else None)
            draw_text(painter, left, y + row * down, one, first)
            draw_text(painter, right, y + row * down, other, style, align="right")


@lru_cache(maxsize=512)
def side_by_side(one: str, other: str, first: Style, style: Style, width: float, most: tuple[float, float] | None = None) -> tuple[str, str]:
    """What of two texts has room in one row: whole if it can be, else without their last parts, else cut with dots.

    Parameters
    ----------
    one, other : str
        At the left and at the right end; their parts are set off by two blanks.
    first, style : Style
        Of each.
    width : float
        Of the row.
    most : (float, float), optional
        What each may take, where a letter stands between them; None: the two share the row as they need.
    """
    half = (width - 8.0) / 2
    limits = most or (half, half)
    while True:
        wide, its = text_width(one, first), text_width(other, style)
        if (wide <= limits[0] and its <= limits[1]) if most else wide + its + 8.0 <= width:
            return one, other
        # The last part of the longer one goes first, while it has one.
        if (shorter := _shorter(one)) and (wide >= its or not _shorter(other) or most) and wide > (limits[0] if most else 0):
            one = shorter
        elif (shorter := _shorter(other)) and its > (limits[1] if most else 0):
            other = shorter
        else:
            ends = limits if most else (max(half, width - 8.0 - its), max(half, width - 8.0 - wide))
            return elided(one, first, ends[0]), elided(other, style, ends[1])


def _shorter(text: str) -> str:
    """Without its last part; "" where there is only one."""
    return text[: max(0, text.rfind("  "))]


def _draw_letters(painter: QPainter, state: ViewState, rect: QRectF, scale: float) -> None:
    volume = state.volume
    if volume is None:
        return
    style = Style(14 * scale, is_bold=True, ink=LETTER_INK)
    height = text_height(style)
    left, top, right, bottom = (shown_letters(side) for side in state.layout.edge_letters(volume.geometry, volume.patient_orientation))
    middle = rect.center()
    draw_text(painter, rect.left() + INSET * scale, middle.y() - height / 2, left, style)
    draw_text(painter, rect.right() - RIGHT_INSET * scale, middle.y() - height / 2, right, style, align="right")
    draw_text(painter, middle.x(), rect.top() + (INSET - 2) * scale, top, style, align="center")
    draw_text(painter, middle.x(), rect.bottom() - (INSET - 2) * scale - height, bottom, style, align="center")


def _draw_badges(painter: QPainter, badges: tuple[tuple[str, QRectF], ...], scale: float) -> None:
    for name, box in badges:
        limits = _limits(name)
        style = Style(11 * scale, is_bold=True, ink=WARN if limits else TEXT, has_halo=False)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(RAISED)
        painter.drawRoundedRect(box, 4 * scale, 4 * scale)
        middle = QPointF(box.left() + 11 * scale, box.center().y())
        if limits:
            _draw_triangle(painter, middle, 4.5 * scale)
        elif name == KEY_IMAGE:
            _draw_bookmark(painter, middle, scale)
        left = box.left() + (_SIGN * scale if _has_sign(name) else 0.0) + 6 * scale
        draw_text(painter, left, box.top() + (box.height() - text_height(style)) / 2, shown(name), style)


def _limits(badge: str) -> bool:
    return badge.split(":")[0] in LIMITING


def _has_sign(badge: str) -> bool:
    return badge == KEY_IMAGE or _limits(badge)


def _draw_bookmark(painter: QPainter, center: QPointF, scale: float) -> None:
    """The sign of a key image, in the colour of its mark on the slider."""
    painter.setBrush(QColor(LETTER_INK))
    corners_of = ((-3.0, -5.0), (3.0, -5.0), (3.0, 5.0), (0.0, 2.0), (-3.0, 5.0))
    painter.drawPolygon(QPolygonF([center + QPointF(x * scale, y * scale) for x, y in corners_of]))


def _draw_triangle(painter: QPainter, center: QPointF, radius: float) -> None:
    painter.setBrush(QColor(WARN))
    painter.drawPolygon(QPolygonF([center + QPointF(0, -radius), center + QPointF(radius, radius * 0.8), center + QPointF(-radius, radius * 0.8)]))


def _scale_bar(state: ViewState, placement: Placement, rect: QRectF, scale: float) -> tuple[float, str] | None:
    """How long the scale bar is in the view, a round length, and what it says; None where the pixel spacing is not known."""
    if not state.geometry.in_plane_known:
        return None
    px_per_mm = placement.zoom / state.layout.unit_length
    length = round_length(min(120 * scale, rect.width() / 4) / px_per_mm)
    text = _("{length:g} cm").format(length=length / 10) if length >= 10 else _("{length:g} mm").format(length=length)
    return length * px_per_mm, text


def _draw_scale_bar(painter: QPainter, bar: tuple[float, str], rect: QRectF, style: Style, y: float, scale: float) -> None:
    """The bar at the right edge, above the texts."""
    width, text = bar
    right = rect.right() - RIGHT_INSET * scale
    line = QPolygonF([QPointF(right - width, y - 4 * scale), QPointF(right - width, y), QPointF(right, y), QPointF(right, y - 4 * scale)])
    for color, thickness in ((QColor(0, 0, 0, 215), 4.0), (QColor("#F2F4F6"), 1.5)):
        painter.setPen(QPen(color, thickness * scale))
        painter.drawPolyline(line)
    draw_text(painter, right - width - 6 * scale, y - text_height(style) + 2 * scale, text, style, align="right")
