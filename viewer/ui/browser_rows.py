"""How the browser's rows are grouped, worded and painted: studies with their series, and the files that could not be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPainterPath
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from viewer.core.ids import new_id
from viewer.core.layout import layout_of
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.draw.corners import iso_date, person
from viewer.draw.picture import thumbnail
from viewer.io.series import SeriesEntry
from viewer.session.alone import first_state
from viewer.session.document import Document
from viewer.session.view import STANDARD_PLANES
from viewer.ui import icons
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.objects import HANDLERS, ICONS, object_count, object_name
from viewer.ui.opening import Row
from viewer.ui.theme import font, sizes, tokens

KIND_ROLE = Qt.ItemDataRole.UserRole + 1
DATA_ROLE = Qt.ItemDataRole.UserRole + 2
PICTURE_ROLE = Qt.ItemDataRole.UserRole + 3
Index = QModelIndex | QPersistentModelIndex
STUDY_HEIGHT, LINE_HEIGHT = 42, 32
_FORMATS = {"nifti": "NIfTI", "nrrd": "NRRD"}


@dataclass(frozen=True, slots=True)
class Study:
    """The head of a group: who, what, when."""

    key: tuple[str, ...]
    name: str
    what: str
    date: str
    words: str
    """All that the filter looks into, in small letters."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row that is only words: files that could not be read."""

    text: str
    details: str


def study_key(entry: SeriesEntry) -> tuple[str, ...]:
    """What keeps series together: the study of a patient; for files that do not say, their folder."""
    who = entry.identity
    if who.study_uid or who.patient_id or who.patient_name:
        return "study", who.patient_id or who.patient_name, who.study_uid
    return "folder", str(entry.archive or entry.files[0].parent) if entry.files else ""


def study_of(key: tuple[str, ...], entries: list[SeriesEntry]) -> Study:
    """The words of a group."""
    first = entries[0].identity
    if key[0] == "folder":
        name = entries[0].files[0].parent.name if entries[0].files else ""
        kinds = ", ".join(dict.fromkeys(badge_of(entry) for entry in entries))
        return Study(key, name or _("Files"), kinds, "", f"{name} {key[-1]}".casefold())
    modalities = "/".join(dict.fromkeys(e.identity.modality for e in entries if e.identity.modality and e.kind != "other"))
    modalities = modalities or first.modality
    what = " ".join(part for part in (modalities, first.study_description or first.body_part.lower()) if part)
    date = iso_date(first.study_date)
    words = " ".join((person(first.patient_name), first.patient_name, first.patient_id, what, date, first.study_date, first.accession)).casefold()
    return Study(key, person(first.patient_name) or first.patient_id or _("No name"), what, date, words)


def title_of(entry: SeriesEntry) -> str:
    """The series' description, else what its reader calls it; of objects that are no pictures what they are."""
    if entry.kind == "other" and entry.object_kind and not (object_count(entry) and entry.identity.series_description):
        return entry.title
    description = entry.identity.series_description
    # The title is the description, and what tells the parts of a series apart.
    shown = entry.title if entry.title.startswith(description) else description
    return shown or _("Series {number}").format(number=entry.identity.series_number).strip()


def badge_of(entry: SeriesEntry) -> str:
    """The modality, else the kind of file."""
    ending = entry.files[0].suffix.lstrip(".").upper() if entry.files else ""
    return entry.identity.modality or _FORMATS.get(entry.reader, "") or ending or _("Image")


def count_of(entry: SeriesEntry) -> str:
    """How many images, frames or phases."""
    if entry.kind == "other":
        return object_count(entry) or object_name(entry) or _("No image")
    if entry.kind == "cine":
        return ngettext("{count} frame", "{count} frames", entry.phases)
    images = ngettext("{count} image", "{count} images", entry.shape[0])
    if entry.phases > 1:
        return _("{images}, {phases}").format(images=images, phases=ngettext("{count} phase", "{count} phases", entry.phases))
    return images


def state_of(row: Row) -> tuple[str, str, str]:
    """Icon, token and words of the second line where the row is not at rest: ("", "", "") if it is."""
    if row.error:
        return "circle-alert", "err", row.error
    if row.is_growing:
        return "loader-circle", "busy", _("{count} so far").format(count=count_of(row.entry))
    if row.is_loading:
        return "loader-circle", "busy", _("Opening")
    return "", "", ""


def spare_icon(row: Row) -> str:
    """What stands in the thumbnail's place while there is none."""
    if row.entry.kind == "other":
        return ICONS.get(row.entry.object_kind, "images")
    return "loader-circle" if row.is_loading else "file"


def spoken(row: Row) -> str:
    """The row in words, for assistive technology and as its tooltip."""
    entry = row.entry
    parts = [title_of(entry), f"{badge_of(entry)}, {count_of(entry)}"]
    parts += [row.error] if row.error else [_("More may be found")] if row.is_growing else [_("Opening")] if row.is_loading else []
    return "\n".join((*parts, *(_(warning) for warning in entry.warnings)))


def series_words(entry: SeriesEntry) -> str:
    """What the filter looks into, in small letters."""
    return " ".join((title_of(entry), entry.title, badge_of(entry), entry.identity.series_number, entry.identity.body_part)).casefold()


def thumbnail_image(volume: Volume, document: Document, side: int) -> QImage:
    """The picture of a one-plane volume in a square of ``side`` pixels, the way up that its view shows it.

    Pixels that the square has no room for are left out first: a chest film has ten million, a thumbnail a few thousand.
    """
    rows, columns = volume.geometry.shape[1:]
    step = max(1, min(rows, columns) // (2 * side))
    if step > 1:
        data = volume.data[:, :, ::step, ::step]
        between, row_mm, column_mm = volume.geometry.spacing
        geometry = replace(volume.geometry, shape=data.shape[1:4], spacing=(between, row_mm * step, column_mm * step))
        volume = replace(volume, id=new_id("volume"), root_id="", data=data.copy(), geometry=geometry, indices=None)
    state = first_state(volume)
    if not volume.identity.series_uid and volume.geometry.is_patient:
        plane = next(p for p in STANDARD_PLANES if volume.geometry.axis_of(p) == 0)
        state = replace(state, plane=plane, layout=layout_of(volume.geometry, plane, pixel_aspect=volume.pixel_aspect))
    return thumbnail(state, document, side)


class RowDelegate(QStyledItemDelegate):
    """Paints studies (42 px), series (58 px with their thumbnail) and lines (32 px)."""

    def __init__(self, shown_id: Callable[[], str], parent: Any) -> None:
        """``shown_id``: entry id of the series in the active view."""
        super().__init__(parent)
        self._shown_id = shown_id
        self.is_strip = False
        """Whether there is room for thumbnails only."""

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        grown = sizes().body / 13
        if self.is_strip:
            return QSize(sizes().thumbnail, {"study": sizes().margin, "series": sizes().series_row, "line": LINE_HEIGHT}[index.data(KIND_ROLE)])
        heights = {"study": round(STUDY_HEIGHT * grown), "series": sizes().series_row, "line": round(LINE_HEIGHT * grown)}
        return QSize(100, heights[index.data(KIND_ROLE)])

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        kind: Literal["study", "series", "line"] = index.data(KIND_ROLE)
        rect = QRect(option.rect)  # type: ignore[attr-defined]
        state = option.state  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        box = QRectF(rect.adjusted(sizes().gap, 0, -sizes().gap, 0))
        value = index.data(DATA_ROLE)
        is_shown = kind == "series" and value.entry.id == self._shown_id()
        if is_shown:
            rounded(painter, box, sizes().radius, fill=tokens().sel)
        elif state & QStyle.StateFlag.State_MouseOver:
            rounded(painter, box, sizes().radius, fill=tokens().hover)
        if self.is_strip:
            self._paint_strip(painter, rect, kind, value, index.data(PICTURE_ROLE))
        elif kind == "study":
            self._paint_study(painter, rect, value, bool(state & QStyle.StateFlag.State_Open))
        elif kind == "series":
            self._paint_series(painter, rect, value, index.data(PICTURE_ROLE), is_shown)
        else:
            self._paint_line(painter, rect, value)
        if state & QStyle.StateFlag.State_HasFocus:
            focus_ring(painter, box)
        painter.restore()

    def _paint_strip(self, painter: QPainter, rect: QRect, kind: str, value: Any, picture: QImage | None) -> None:
        """Without words: a line between studies, thumbnails, and a sign where something is wrong."""
        t, s = tokens(), sizes()
        if kind == "study":
            painter.fillRect(QRect(rect.left() + s.gap, rect.center().y(), rect.width() - 2 * s.gap, 1), QColor(t.line))
            return
        if kind == "line":
            _icon(painter, "circle-alert", QPointF(rect.center()) - QPointF(s.icon_row / 2, s.icon_row / 2), s.icon_row, t.err)
            return
        place = QRectF(rect.center().x() - s.thumbnail / 2, rect.center().y() - s.thumbnail / 2, s.thumbnail, s.thumbnail)
        _thumbnail(painter, place, picture, spare_icon(value))
        icon, token, _said = state_of(value)
        if icon:
            _icon(painter, icon, place.bottomRight() - QPointF(s.icon_field, s.icon_field), s.icon_field, getattr(t, token))

    def _paint_study(self, painter: QPainter, rect: QRect, study: Study, is_open: bool) -> None:
        t, s = tokens(), sizes()
        side = s.icon_field
        place = QPointF(rect.left() + s.margin, rect.center().y() - side / 2 + 1)
        _icon(painter, "chevron-down" if is_open else "chevron-right", place, side, t.text2)
        left = rect.left() + s.margin + side + s.gap
        width = rect.right() - s.margin - left
        first, second = font("body", bold=True), font("small")
        heights = QFontMetrics(first).height(), QFontMetrics(second).height()
        top = rect.center().y() - sum(heights) // 2 + 1
        _words(painter, QRect(left, top, width, heights[0]), study.name, first, t.text)
        line = QRect(left, top + heights[0], width, heights[1])
        # Dates never elide: what the study is gives way.
        date = f" · {study.date}" if study.date and study.what else study.date
        wide = QFontMetrics(second).horizontalAdvance(date)
        what = QFontMetrics(second).elidedText(study.what, Qt.TextElideMode.ElideRight, max(0, width - wide))
        _words(painter, line, what + date, second, t.text2)

    def _paint_series(self, painter: QPainter, rect: QRect, row: Row, picture: QImage | None, is_shown: bool) -> None:
        t, s = tokens(), sizes()
        is_object = row.entry.object_kind in HANDLERS
        is_other = row.entry.kind == "other" and not is_object
        side = s.thumbnail
        place = QRectF(rect.left() + s.margin, rect.top() + (rect.height() - side) / 2, side, side)
        _thumbnail(painter, place, picture, spare_icon(row))
        left = round(place.right()) + s.margin - 2
        width = rect.right() - s.margin - left
        first, second = font("body"), font("small")
        heights = QFontMetrics(first).height(), QFontMetrics(second).height() + s.tight
        top = rect.center().y() - (sum(heights) + s.gap) // 2 + 1
        _words(painter, QRect(left, top, width, heights[0]), title_of(row.entry), first, t.disabled if is_other else t.text)
        middle = top + heights[0] + s.gap + heights[1] // 2
        if row.entry.warnings and not row.error:
            width -= s.icon_field + s.tight
            _icon(painter, "triangle-alert", QPointF(left + width + s.tight, middle - s.icon_field / 2), s.icon_field, t.warn)
        icon, token, words = state_of(row)
        if icon:
            _icon(painter, icon, QPointF(left, middle - s.icon_field / 2), s.icon_field, getattr(t, token))
            color = t.text if is_shown else getattr(t, token)
            left, width = left + s.icon_field + s.gap, width - s.icon_field - s.gap
        else:
            taken = _badge(painter, left, middle, badge_of(row.entry), t.disabled if is_other else t.text2)
            words, color = count_of(row.entry), t.text if is_shown else t.disabled if is_other else t.text2
            left, width = left + taken + s.row_gap, width - taken - s.row_gap
        _words(painter, QRect(left, middle - heights[1] // 2, width, heights[1]), words, second, color)

    def _paint_line(self, painter: QPainter, rect: QRect, line: Line) -> None:
        t, s = tokens(), sizes()
        _icon(painter, "circle-alert", QPointF(rect.left() + s.margin, rect.center().y() - s.icon_row / 2 + 1), s.icon_row, t.err)
        left = rect.left() + s.margin + s.icon_row + s.gap
        _words(painter, QRect(left, rect.top(), rect.right() - s.margin - left, rect.height()), line.text, font("small"), t.text2)


def _icon(painter: QPainter, name: str, place: QPointF, side: int, color: str) -> None:
    painter.drawPixmap(QPointF(round(place.x()), round(place.y())), icons.pixmap(name, side, color, painter.device().devicePixelRatio()))


def _words(painter: QPainter, box: QRect, text: str, face: Any, color: str) -> None:
    painter.setFont(face)
    painter.setPen(QColor(color))
    line = QFontMetrics(face).elidedText(text, Qt.TextElideMode.ElideRight, max(0, box.width()))
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line.replace("\n", " "))


def _badge(painter: QPainter, left: int, middle: int, text: str, color: str) -> int:
    face = font("caption", bold=True)
    metrics = QFontMetrics(face)
    width, height = metrics.horizontalAdvance(text) + 2 * sizes().gap, metrics.height() + sizes().tight
    box = QRectF(left, middle - height / 2, width, height)
    rounded(painter, box, sizes().radius_badge, fill=tokens().raised, edge=tokens().line)
    painter.setFont(face)
    painter.setPen(QColor(color))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    return width


def _thumbnail(painter: QPainter, place: QRectF, picture: QImage | None, spare: str) -> None:
    # A picture lies on black in both themes; an icon does not, it would be dark on dark in the light one.
    rounded(painter, place, sizes().radius_badge, fill=tokens().image if picture is not None else tokens().field)
    if picture is None:
        side = sizes().icon_bar
        _icon(painter, spare, place.center() - QPointF(side / 2, side / 2), side, tokens().text3)
        return
    path = QPainterPath()
    path.addRoundedRect(place, sizes().radius_badge, sizes().radius_badge)
    painter.save()
    painter.setClipPath(path)
    painter.drawImage(place, picture)
    painter.restore()
