"""The slice slider of a view under the pointer: wide where the pointer is, dragged, and telling what its marks are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QHelpEvent, QImage, QMouseEvent, QPainter
from PySide6.QtWidgets import QToolTip

from viewer.core.words import gettext as _
from viewer.draw.slice_bar import SliceBar, groove, ground_of, index_at, paint_slice_bar, strip, thumb, y_of
from viewer.session import hand
from viewer.session.document import Document
from viewer.session.marks import Mark, Run, point_marks, scans_of, segment_runs
from viewer.ui.views.arrival import arrived_ranges

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView

_SCAN_AFTER_MS, _SCAN_SLICE_S = 120, 0.004
_MARK_REACH_PX = 5.0


class SliceSlider(QObject):
    """Stands between the pointer and the view's viewport: what happens on the slider never reaches the tool in hand."""

    def __init__(self, view: SliceView) -> None:
        super().__init__(view)
        self._is_over = False
        self._held: float | None = None
        """While it is dragged: how far above the thumb's middle it was taken."""
        self._marks: tuple[Mark, ...] = ()
        self._runs: tuple[Run, ...] = ()
        self._seen: object = None
        self._marked: object = None
        self._ground: tuple[object, QImage] | None = None
        self._segment: tuple[str, int] | None = None
        self._scan = QTimer(self)
        self._scan.setSingleShot(True)
        self._scan.timeout.connect(self._look_for_segments)
        view.viewport().installEventFilter(self)

    @property
    def _view(self) -> SliceView:
        # Not kept: Qt keeps a child for its parent, and with a way back the two would never go.
        return cast("SliceView", self.parent())

    # --- what it shows ---

    def bar(self) -> SliceBar | None:
        """What is painted now; None where there is nothing to scroll through, or nothing is to be seen of it."""
        view = self._view
        count = hand.stack_size(view.state) if view.state.volume is not None else 0
        if count < 2:
            return None
        arriving = view.arriving
        arrived = arrived_ranges(arriving, view.state) if arriving is not None else None
        marks, runs = (self._marks, self._runs) if arriving is None else ((), ())
        return SliceBar(count, hand.stack_index(view.state), marks, runs, arrived, self.is_wide)

    @property
    def is_wide(self) -> bool:
        """Whether the pointer is on it, or holds it."""
        return self._is_over or self._held is not None

    def paint(self, painter: QPainter, rect: QRectF) -> None:
        """Paint it over the view; without corner texts it is there only under the pointer."""
        bar = self.bar()
        if bar is not None and (self.is_wide or self._view.state.text != "none"):
            ratio = painter.device().devicePixelRatio()
            # Compared by identity first: marks that stay are the same tuple.
            key = (bar.marks, bar.runs, bar.arrived, bar.count, bar.is_wide, rect.width(), rect.height(), ratio)
            if self._ground is None or key != self._ground[0]:
                self._ground = key, ground_of(rect, bar, ratio)
            paint_slice_bar(painter, rect, bar, ground=self._ground[1])

    def look(self) -> None:
        """The view or its document may have changed: mark anew what must be. Cheap where nothing has."""
        view = self._view
        document, state = view.document, view.state
        if not isinstance(document, Document) or state.volume is None or view.arriving is not None:
            self._show((), ())
            self._seen = self._marked = None
            return
        root_id = state.root_id
        items = (document.key_images_of(root_id), document.annotations_of(root_id), document.reports_of(root_id))
        # Compared by identity first: a thousand findings cost less here than one of them costs to be placed.
        marked = (*items, state.volume.id, state.layout, state.phase)
        marks = self._marks if marked == self._marked else point_marks(document, state)
        self._marked = marked
        seen = (state.root_id, state.layout.axis, state.layout.flip_axis, state.layers, self._segment)
        if seen != self._seen:
            self._seen = seen
            self._scan.start(_SCAN_AFTER_MS if state.layers else 0)
        self._show(marks, self._runs if state.layers else ())

    def set_segment(self, segment: tuple[str, int] | None) -> None:
        """Mark the slices of this segment (layer id, label) alone; of all of them where it is None or not in view."""
        if segment != self._segment:
            self._segment = segment
            self.look()

    def _look_for_segments(self) -> None:
        document, state = self._view.document, self._view.state
        if not isinstance(document, Document) or state.volume is None or not state.layers:
            self._show(self._marks, ())
            return
        if document.is_editing:  # a stroke is being drawn: what it leaves is looked up when it ends
            self._scan.start(_SCAN_AFTER_MS)
            return
        waiting = [scan for _layer, scan in scans_of(document, state) if not scan.is_done]
        if waiting:
            waiting[0].go_on(document, _SCAN_SLICE_S)
            self._scan.start(0 if not waiting[0].is_done else 1)
            return
        self._show(self._marks, segment_runs(document, state, self._segment))

    def _show(self, marks: tuple[Mark, ...], runs: tuple[Run, ...]) -> None:
        if (marks, runs) != (self._marks, self._runs):
            self._marks, self._runs = marks, runs
            self._view.viewport().update()

    # --- the pointer ---

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            return self._move(event)
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick) and isinstance(event, QMouseEvent):
            return self._press(event)
        if kind == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            return self._release(event)
        if kind == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            return self._tell(event)
        if kind == QEvent.Type.Leave:
            self._set_over(False)
        return False

    def _rect(self) -> QRectF:
        return QRectF(0, 0, *self._view.viewport_size)

    def _is_on(self, at: QPointF) -> bool:
        bar = self.bar()
        place = strip(self._rect(), bar) if bar is not None else None
        return place is not None and place.contains(at)

    def _press(self, event: QMouseEvent) -> bool:
        if event.button() != Qt.MouseButton.LeftButton or self._view.is_dragging or not self._is_on(event.position()):
            return self._held is not None
        bar = self.bar()
        if bar is None:
            return False
        self._view.activated.emit()
        self._view.setFocus(Qt.FocusReason.MouseFocusReason)
        self._set_over(True)
        bar, rect, at = replace(bar, is_wide=True), self._rect(), event.position()
        place, held = groove(rect, bar), thumb(rect, bar)
        self._held = 0.0
        mark = self._mark_at(bar, at)
        if mark is not None and place is not None and at.x() < place.left():
            self._go(mark)
        elif held is not None and held.top() <= at.y() <= held.bottom():
            self._held = held.center().y() - at.y()
        else:
            self._go(index_at(rect, bar, at.y()))
        event.accept()
        return True

    def _move(self, event: QMouseEvent) -> bool:
        if self._held is not None:
            bar = self.bar()
            if bar is not None:
                self._go(index_at(self._rect(), replace(bar, is_wide=True), event.position().y() + self._held))
            event.accept()
            return True
        self._set_over(event.buttons() == Qt.MouseButton.NoButton and self._is_on(event.position()))
        return False

    def _release(self, event: QMouseEvent) -> bool:
        if self._held is None or event.button() != Qt.MouseButton.LeftButton:
            return self._held is not None
        self._held = None
        self._set_over(self._is_on(event.position()))
        self._view.viewport().update()
        event.accept()
        return True

    def _set_over(self, is_over: bool) -> None:
        if is_over != self._is_over:
            self._is_over = is_over
            self._view.viewport().setCursor(Qt.CursorShape.ArrowCursor) if is_over else self._view.viewport().unsetCursor()
            self._view.viewport().update()

    def _go(self, index: int) -> None:
        view = self._view
        if view.state.volume is not None:
            view.take(replace(view.wish, phase=index) if view.state.count == 1 else replace(view.wish, index=index))

    # --- words ---

    def _mark_at(self, bar: SliceBar, at: QPointF) -> int | None:
        """The slice of the mark that is nearest to a height, if one is near."""
        rect = self._rect()
        near = [(abs(y_of(rect, bar, mark.index) - at.y()), mark.index) for mark in bar.marks]
        distance, index = min(near, default=(_MARK_REACH_PX + 1, -1))
        return index if distance <= _MARK_REACH_PX else None

    def _tell(self, event: QHelpEvent) -> bool:
        at = QPointF(event.pos())
        bar = self.bar()
        if bar is None or not self._is_on(at):
            return False
        QToolTip.showText(event.globalPos(), self.words_at(at), self._view.viewport())
        event.accept()
        return True

    def words_at(self, at: QPointF) -> str:
        """What the slider says at a point: the slice there, and what lies on it."""
        from viewer.ui.views.mark_words import words_of_mark

        bar = self.bar()
        if bar is None:
            return ""
        index = self._mark_at(bar, at)
        index = index_at(self._rect(), bar, at.y()) if index is None else index
        is_frame = self._view.state.count == 1
        head = _("Frame {number} / {count}") if is_frame else _("Slice {number} / {count}")
        lines = [head.format(number=index + 1, count=bar.count)]
        document = self._view.document
        if isinstance(document, Document):
            lines += [words_of_mark(document, mark) for mark in bar.marks if mark.index == index]
        lines += [run.name for run in bar.runs if run.first <= index <= run.last]
        return "\n".join(lines)
