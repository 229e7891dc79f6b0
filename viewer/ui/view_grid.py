"""The middle of the window: one or several slice views, arranged as the host's desk says, one of them active."""

from __future__ import annotations

from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QWidget

from viewer.core.words import gettext as _
from viewer.session.linking import NO_CROSS
from viewer.session.view import ViewWish
from viewer.ui import theme
from viewer.ui.host import Host
from viewer.ui.views.slice_view import SliceView

GAP = 2


class ViewGrid(QWidget):
    """Holds the views of the arrangement, and knows those in windows of their own.

    Views are made when they are first needed; those that an arrangement leaves over are taken apart.
    """

    made = Signal(object)
    """A SliceView that has just been made, for the window to connect."""
    active_view_changed = Signal()
    """``active_view`` is another one."""

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._host = host
        self._views: list[SliceView] = []
        self._outside: dict[int, SliceView] = {}
        self._maximised: int | None = None
        self._message = ""
        self.identity = True
        self.setAccessibleName(_("Views"))
        host.arranged.connect(self.arrange)
        host.views_changed.connect(self._show_wishes)
        host.activated.connect(self._show_active)
        host.document_changed.connect(self._take_changes)
        host.arriving_changed.connect(self._look_again)

    def begin(self) -> None:
        """Make the first views; whoever connects to ``made`` has done so."""
        self.arrange()

    # --- the views ---

    @property
    def views(self) -> tuple[SliceView, ...]:
        """All views by their number: those here, then those in windows of their own."""
        return (*self._views, *(self._outside[n] for n in sorted(self._outside)))

    @property
    def active_view(self) -> SliceView:
        active = self._host.desk.active
        return self._outside[active] if active in self._outside else self._views[min(active, len(self._views) - 1)]

    @property
    def is_maximised(self) -> bool:
        return self._maximised is not None

    def arrange(self) -> None:
        """Make as many views as the desk has, and put each in its place."""
        count = len(self._host.desk.arrangement.cells)
        self._maximised = None
        while len(self._views) > count:
            view = self._views.pop()
            view.set_document(None)
            view.hide()
            view.setParent(None)  # type: ignore[call-overload]
            view.deleteLater()
        while len(self._views) < count:
            view = self._make(len(self._views))
            self._views.append(view)
            view.setParent(self)
            view.show()
        self._renumber_outside(count)
        self._place()
        self.refresh()
        self._show_active()

    def add_outside(self, cell: int) -> SliceView:
        """The view of a further cell, for a window of its own."""
        view = self._make(cell)
        self._outside[cell] = view
        self.refresh()
        return view

    def remove_outside(self, view: SliceView) -> None:
        """Its window was closed."""
        number = next((n for n, other in self._outside.items() if other is view), None)
        if number is not None:
            del self._outside[number]
            view.set_document(None)
            self._host.remove_view(number)

    def _renumber_outside(self, first: int) -> None:
        self._outside = {first + n: self._outside[old] for n, old in enumerate(sorted(self._outside))}
        for n, view in self._outside.items():
            view.number = n + 1

    def _make(self, cell: int) -> SliceView:
        view = SliceView(number=cell + 1)
        view.set_document(self._host.document)
        view.set_identity(self.identity)
        view.wish_changed.connect(lambda wish: self._host.ask(view.number - 1, wish))
        view.pointed.connect(lambda position: self._host.point(view.number - 1, position))
        view.lines_turned.connect(lambda angle: self._host.turn(view.number - 1, angle))
        view.activated.connect(lambda: self._host.activate(view.number - 1))
        self.made.emit(view)
        return view

    # --- what they show ---

    def _take_changes(self, _changes: object) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Look at the document and the desk again."""
        self._show_wishes(frozenset(range(len(self._host.desk.wishes))))
        for view in self.views:
            view.refresh()

    def set_document(self) -> None:
        """The host has another document."""
        for view in self.views:
            view.set_arriving(None)
            view.set_message("")
            view.set_document(self._host.document, ViewWish())
        self._message = ""
        self._show_messages()

    @property
    def message(self) -> str:
        """What stands in the middle of the active view while that is empty."""
        return self._message

    def set_message(self, text: str) -> None:
        """A sentence in the middle of the active view, while that is empty."""
        self._message = text
        self._show_messages()

    def set_identity(self, is_shown: bool) -> None:
        """Whether the corners say who was examined."""
        self.identity = is_shown
        for view in self.views:
            view.set_identity(is_shown)

    def _show_wishes(self, cells: frozenset[int]) -> None:
        desk, views = self._host.desk, self.views
        if len(views) != len(desk.wishes):
            return  # they are being arranged
        for n in cells:
            views[n].set_arriving(self._host.arriving_in(n))
            views[n].set_wish(desk.wishes[n])
        if len(views) > 1 or desk.cursor is not None:
            states = [view.state for view in views]
            for n, (view, cross) in enumerate(zip(views, desk.crosses(states), strict=True)):
                view.set_cross(cross, is_turnable=desk.arrangement.planes)
                view.set_linked_by_hand(desk.is_linked_by_hand(n, states))
        else:  # a crosshair that was here before meant a place in something else
            views[0].set_cross(NO_CROSS, is_turnable=desk.arrangement.planes)
            views[0].set_linked_by_hand(False)
        self._show_messages()

    def _show_messages(self) -> None:
        many = len(self.views) > 1
        for n, view in enumerate(self.views):
            own = self._message if n == self._host.desk.active else ""
            view.set_message(own or self._host.desk.reason or (_("Drop a series here.") if many else ""))

    def _look_again(self) -> None:
        for n, view in enumerate(self.views):
            if self._host.arriving_in(n) is not None:
                view.look_again()

    def _show_active(self, _cell: int = 0) -> None:
        many = len(self.views) > 1
        active = self.active_view
        for view in self.views:
            view.set_active(many and view is active)
        self._show_messages()
        focus = QApplication.focusWidget()
        if isinstance(focus, SliceView) and focus is not active and focus in self.views:
            active.setFocus()
        self.active_view_changed.emit()

    # --- places ---

    def toggle_maximised(self, view: SliceView) -> None:
        """Give one view the whole room, or the others theirs back."""
        if view not in self._views or len(self._views) == 1:
            return
        self._maximised = None if self._maximised is not None else self._views.index(view)
        self._place()

    def _place(self) -> None:
        cells = self._host.desk.arrangement.cells
        if self._maximised is not None:
            for n, view in enumerate(self._views):
                view.setVisible(n == self._maximised)
            self._views[self._maximised].setGeometry(self.rect())
            return
        rows = max(c.row + c.rows for c in cells)
        columns = max(c.column + c.columns for c in cells)
        for view, cell in zip(self._views, cells, strict=True):
            left, right = self._edges(cell.column, cell.columns, columns, self.width())
            top, bottom = self._edges(cell.row, cell.rows, rows, self.height())
            view.setGeometry(QRect(left, top, right - left, bottom - top))
            view.show()

    @staticmethod
    def _edges(first: int, span: int, count: int, length: int) -> tuple[int, int]:
        room = length - GAP * (count - 1)
        return room * first // count + GAP * first, room * (first + span) // count + GAP * (first + span - 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._views:
            self._place()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.tokens().well))
