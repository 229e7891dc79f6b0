"""A view of one slice: shows what a wish resolves to, and turns gestures into wishes. No arithmetic on voxels here, no document writes.

The picture and all that stands over it are painted by ``draw``, by the same functions as an export. A ``ViewBox`` is left
out on purpose: its range would be a second truth beside ``Placement``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)  # fmt: skip
from PySide6.QtWidgets import QWidget

from viewer.core.annotation import Annotation
from viewer.core.layout import NO_AXIS, Point
from viewer.core.tool import Tool, ToolHost
from viewer.draw.contours import Contour, Outlines, preview_contours
from viewer.draw.corners import view_name
from viewer.draw.fusion import is_on_curtain
from viewer.draw.overlay import Extras, paint_overlay
from viewer.draw.picture import Picture, Preview, compose
from viewer.session.arriving import Arriving
from viewer.session.linking import NO_CROSS, Cross
from viewer.session.view import EMPTY, Readable, ViewState, ViewWish, resolve
from viewer.ui import theme
from viewer.ui.views.arrival import draw_sentence, draw_waiting, prepare_arriving, probe_arriving
from viewer.ui.views.badge_tip import show_meaning
from viewer.ui.views.commands import COMMANDS
from viewer.ui.views.drop_target import DropTarget
from viewer.ui.views.mouse import BuiltIn, Mouse
from viewer.ui.views.navigator import Navigator
from viewer.ui.views.picture_item import PictureItem
from viewer.ui.views.probe import probe_at
from viewer.ui.views.tool_hand import ToolHand

_REST_MS = 60


class SliceView(ToolHand, DropTarget, pg.GraphicsView):  # type: ignore[misc]
    """One view.

    Signals
    -------
    wish_changed(ViewWish)
        The user changed what is shown; the view shows it already.
    pointer_moved(Probe or None)
        What is under the pointer, None when it leaves the image.
    activated(), double_clicked(), menu_wanted(QPoint global), files_dropped(tuple of Path)
    failed(Exception)
        A tool raised; its gesture is cancelled.
    rate_turned(int)
        Shift+wheel while ``is_playing``: steps faster or slower.
    refused(str)
        Why a tool cannot be used on what is shown.
    options_changed()
        Shift+wheel changed the radius in the options of the tool in hand.
    pointed(Triple)
        The crosshair is to go to this place: the crosshair tool's drag, or a move with Shift held.
    lines_turned(float)
        The lines of the other planes are to turn by this angle, in radians clockwise.
    series_dropped(str)
        A series of the browser (entry id) was dropped here.
    """

    wish_changed = Signal(object)
    pointer_moved = Signal(object)
    activated = Signal()
    double_clicked = Signal()
    menu_wanted = Signal(object)
    files_dropped = Signal(object)
    failed = Signal(object)
    options_changed = Signal()
    refused = Signal(str)
    rate_turned = Signal(int)
    pointed = Signal(object)
    lines_turned = Signal(float)
    series_dropped = Signal(str)

    _item: PictureItem | None = None  # GraphicsView calls resizeEvent inside its own __init__

    def __init__(self, parent: QWidget | None = None, *, number: int = 1) -> None:
        super().__init__(parent, background="#000000")
        self.number = number
        self.wish = ViewWish()
        self.state: ViewState = EMPTY
        self.tool: BuiltIn | Tool = "window"
        self.identity = True
        self._document: Readable | None = None
        self._host: ToolHost | None = None
        self._mouse = Mouse()
        self._message = ""
        self.is_playing = False
        self.cross = NO_CROSS
        self.is_turnable = False
        self._is_linked_by_hand = False
        self._arriving: Arriving | None = None
        self._is_active = False
        self._preview: tuple[tuple[object, ...], Preview] | None = None
        self._picture_key: tuple[object, ...] | None = None
        self._contours_key: tuple[object, ...] | None = None
        self._contours: tuple[Contour, ...] = ()
        self._outlines = Outlines()
        self._shapes: tuple[Annotation, ...] = ()
        self._hovered: tuple[Point, Qt.KeyboardModifier] | None = None
        self._probe_text = ""
        self._is_rough = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._refine)
        self._item = PictureItem()
        self.scene().addItem(self._item)
        self.navigator = Navigator(self)
        self.setViewportUpdateMode(self.ViewportUpdateMode.FullViewportUpdate)
        self.setCacheMode(self.CacheModeFlag.CacheNone)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(QSize(96, 96))
        self._rename()

    # --- what is shown ---

    @property
    def viewport_size(self) -> Point:
        """Width and height in logical pixels."""
        return max(1.0, float(self.viewport().width())), max(1.0, float(self.viewport().height()))

    @property
    def document(self) -> Readable | None:
        return self._document

    def set_document(self, document: Readable | None, wish: ViewWish | None = None) -> None:
        """Show another document (None: nothing), by another wish if given."""
        self._document = document
        self.wish = wish or ViewWish()
        self.refresh()

    @property
    def arriving(self) -> Arriving | None:
        """The series that is shown while it is being read."""
        return self._arriving

    @property
    def is_dragging(self) -> bool:
        """Whether a button is held down for a tool."""
        return self._mouse.drag is not None

    @property
    def is_arriving(self) -> bool:
        """Whether what is shown is still being read: it can be looked at, and nothing else."""
        return self._arriving is not None and self.state.volume is not None

    def set_arriving(self, arriving: Arriving | None) -> None:
        """Show what there is of a series that is still being read, in place of the document; None ends it."""
        if arriving is not self._arriving:
            self.cancel_gesture()
            self._arriving = arriving
            self._picture_key = self._contours_key = None
            self.refresh()

    def look_again(self) -> None:
        """More of the series that is being read is there."""
        if self._hovered is not None:
            self._read_pointer(*self._hovered)
        self.viewport().update()

    def set_wish(self, wish: ViewWish) -> None:
        """Show this; emits nothing."""
        if wish != self.wish:
            self.wish = wish
            self.refresh()

    def take(self, wish: ViewWish) -> None:
        """Show what the user asks for, and say so."""
        if wish != self.wish:
            self.set_wish(wish)
            self.wish_changed.emit(wish)

    def refresh(self) -> None:
        """Look at the document again, after it changed. Only what differs is made anew."""
        old = self.state
        source: Readable | None = self._arriving if self._arriving is not None else self._document
        self.state = resolve(self.wish, source) if source is not None else replace(EMPTY, text=self.wish.text)
        self.navigator.look()
        if self.state == old:
            return
        self._is_rough = self.state.slab is not None and self.state.layout.axis == NO_AXIS
        if self._is_rough:  # a turned slab takes long: coarse while things move, whole once they rest
            self._rest.start()
        if self._preview is not None and self._preview[0] != self._slice_key():
            self._preview = None  # of another slice
        if self.state.volume is None:
            self._prepare()  # let go of the old volume now: a hidden view is not painted
        if self._hovered is not None:
            self._read_pointer(*self._hovered)
        self._rename()
        self.viewport().update()

    def _refine(self) -> None:
        self._is_rough = False
        self.viewport().update()

    def run(self, command: str) -> None:
        """A command of :data:`viewer.ui.views.commands.COMMANDS`."""
        if self.state.volume is not None:
            with_ratio = {"pixel_ratio": self.devicePixelRatioF()} if command == "zoom.full_size" else {}
            self.take(COMMANDS[command](self.wish, self.state, self.viewport_size, **with_ratio))

    def set_preview(self, preview: Preview | Any | None) -> None:
        """Show the plane that an operation would give in place of the real one, with a badge; None ends it.

        An array is taken as a :class:`Preview` of an image, of bool as one of labels. It goes when another slice is shown;
        one of another size (a late answer for another slice) is dropped at once.
        """
        if preview is not None and not isinstance(preview, Preview):
            preview = Preview(preview, "labels" if preview.dtype.kind == "b" else "image")
        shape = [n for axis, n in enumerate(self.state.geometry.shape) if axis != self.state.layout.axis]
        if preview is not None and (self.state.volume is None or list(preview.values.shape[:2]) != shape):
            preview = None
        if preview is None and self._preview is None:
            return
        self._preview = (self._slice_key(), preview) if preview is not None else None
        self._picture_key = self._contours_key = None
        self.viewport().update()

    def set_message(self, text: str) -> None:
        """A sentence in the middle of an empty view."""
        self._message = text
        self.viewport().update()

    def set_active(self, is_active: bool) -> None:
        """Whether to draw the frame of the active one among several views."""
        if is_active != self._is_active:
            self._is_active = is_active
            self.viewport().update()

    def set_cross(self, cross: Cross, *, is_turnable: bool = False) -> None:
        """Lines of other views and the crosshair; ``is_turnable``: the lines have handles."""
        if (cross, is_turnable) != (self.cross, self.is_turnable):
            self.cross, self.is_turnable = cross, is_turnable
            self.viewport().update()

    def set_linked_by_hand(self, is_linked: bool) -> None:
        """Whether the view follows another by the user's word alone: a badge says so."""
        if is_linked != self._is_linked_by_hand:
            self._is_linked_by_hand = is_linked
            self.viewport().update()

    def set_identity(self, is_shown: bool) -> None:
        """Whether the corners say who was examined."""
        self.identity = is_shown
        self.viewport().update()

    # --- pointer ---

    def is_on_curtain(self, at: Point) -> bool:
        """Whether a point of the viewport is on the line between the two images of a fusion."""
        state = self.state
        return state.volume is not None and is_on_curtain(state, state.placement(self.viewport_size), QRectF(0, 0, *self.viewport_size), *at)

    def show_curtain_cursor(self, at: Point) -> None:
        """The pointer over that line says that it can be moved."""
        if self.is_on_curtain(at):
            self.viewport().setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.viewport().unsetCursor()

    def hover(self, at: Point, modifiers: Qt.KeyboardModifier) -> None:
        """The pointer is here, with or without a button down."""
        self._hovered = (at, modifiers)
        self._read_pointer(at, modifiers)
        if self._mouse.drag is None and self._host is not None and self.state.volume is not None:
            self._show_shapes(self._pointer(at, modifiers))

    def _read_pointer(self, at: Point, _modifiers: Qt.KeyboardModifier) -> None:
        if self.state.volume is None or self._document is None:
            return
        point = self.state.placement(self.viewport_size).to_picture(at)
        found = probe_arriving(self.state, self._arriving, point) if self._arriving is not None else probe_at(self.state, self._document, point)
        text = found.lines if found is not None else ""
        if text != self._probe_text:
            self._probe_text = text
            self.viewport().update()
        self.pointer_moved.emit(found)

    @property
    def lens_source(self) -> tuple[Picture | None, tuple[Contour, ...], Point | None, str]:
        """What the magnifier shows: picture, outlines, where the pointer is, the value there."""
        picture = self._item.picture if self._item is not None else None
        return picture, self._contours, self._hovered[0] if self._hovered is not None else None, self._probe_text

    # --- painting ---

    def _slice_key(self) -> tuple[object, ...]:
        state = self.state
        return state.volume.id if state.volume is not None else "", state.layout.axis, state.array_index, state.phase

    def _prepare(self) -> None:
        item, state, document = self._item, self.state, self._document
        if item is None:
            return
        preview = self._preview[1] if self._preview is not None else None
        item.state = state
        if state.volume is None or document is None:
            item.picture, self._picture_key, self._contours, self._contours_key = None, None, (), None
            self._outlines.clear()
            return
        if self._arriving is not None:
            self._contours, self._picture_key = (), prepare_arriving(item, self._arriving, state, self._picture_key)
            return
        key: tuple[object, ...] = (state.picture_key, self._is_rough)
        if self._picture_key != key:
            item.picture = compose(state, document, preview=preview, coarse=2 if self._is_rough else 1, over=item.picture)
            self._picture_key = key
        key = (state.layers, state.layout, state.index)
        if self._contours_key != key:
            self._contours = self._outlines.of(state, document)
            if preview is not None and preview.kind == "labels":
                self._contours += preview_contours(preview.values, preview.color, state)
            self._contours_key = key

    def paintEvent(self, event: QPaintEvent) -> None:
        self._prepare()
        super().paintEvent(event)

    def drawForeground(self, painter: QPainter, _rect: QRectF) -> None:
        painter.save()
        painter.resetTransform()
        rect = QRectF(0, 0, *self.viewport_size)
        if self.state.volume is None:
            draw_sentence(painter, rect, self._message)
        else:
            paint_overlay(painter, self.state, rect, 1.0, self._extras())
            if self._arriving is not None and self._item is not None and self._item.picture is None:
                draw_waiting(painter, rect)
            self.navigator.paint(painter, rect)
        if self._is_active or self.hasFocus():
            painter.setPen(QPen(QColor(theme.tokens().accent if self._is_active else theme.tokens().line2), 2 if self._is_active else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(1, 1, -1, -1) if self._is_active else rect.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.restore()

    def _extras(self) -> Extras:
        return Extras(
            self._contours, self._shapes, self._probe_text, self.identity, is_preview=self._preview is not None,
            cross=self.cross, is_turnable=self.is_turnable, is_linked_by_hand=self._is_linked_by_hand,
            has_ruler=self.navigator.has_ruler, is_key_image=self.navigator.key_image is not None,
        )  # fmt: skip

    def _rename(self) -> None:
        name = view_name(self.state, self.number)
        if name != self.accessibleName():
            self.setAccessibleName(name)

    def close(self) -> bool:
        """Close as any widget does: pyqtgraph's own ``close`` takes the scene apart under its items and crashes."""
        return bool(QWidget.close(self))

    # --- events ---

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            show_meaning(self, self._extras(), event)
            return True
        if isinstance(event, QNativeGestureEvent) and self.state.volume is not None:
            self._mouse.pinch(self, event)
            return True
        return bool(super().viewportEvent(event))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if self._item is not None:
            self._item.resize(self.viewport_size)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.activated.emit()
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.activated.emit()
        self._mouse.press(self, event)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse.move(self, event)
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._mouse.release(self, event)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._mouse.double_click(self, event):
            self._mouse.press(self, event)  # the second of two quick clicks with a tool
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.state.volume is not None:
            self._mouse.wheel(self, event)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        if self._probe_text:
            self._probe_text = ""
            self.viewport().update()
        self.pointer_moved.emit(None)
        self._show_shapes(None)
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_wanted.emit(self.mapToGlobal(QPoint(self.width() // 2, self.height() // 2)))
        event.accept()  # the mouse's comes with the release

    def event(self, event: QEvent) -> bool:
        # In the middle of a drag Esc ends that, whatever else its key does.
        is_key = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if is_key and event.key() == Qt.Key.Key_Escape and self.is_dragging:
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._mouse.drag is not None:
            self.cancel_gesture()
        else:
            event.ignore()  # the keys belong to the actions of the window
            return
        event.accept()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.ignore()
