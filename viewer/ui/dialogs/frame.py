"""What the dialogs share: a rounded box with its own title line, a body, and a foot for the buttons."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QMouseEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.ui.controls import Button, ElidedLabel, IconButton, divider
from viewer.ui.theme import sizes

_EDGE = 24


class Dialog(QDialog):
    """A dialog over its window. It goes when it is closed; Esc closes it.

    Parameters
    ----------
    title : str
        Also its name. Without one there is no title line, and ``name`` is wanted.
    width, height : int
        Logical pixels; a height of 0 is what the content needs. Both give way to a smaller window.
    """

    def __init__(self, title: str = "", *, name: str = "", width: int = 480, height: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint | Qt.WindowType.NoDropShadowWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title or name)
        self.setAccessibleName(title or name)
        self._wanted = QSize(width, height)
        s = sizes()
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        self.frame = QFrame(self)
        self.frame.setProperty("role", "popover")
        around.addWidget(self.frame)
        self._outer = QVBoxLayout(self.frame)
        self._outer.setContentsMargins(s.wide, s.margin, s.wide, s.margin)
        self._outer.setSpacing(s.margin)
        self.title: ElidedLabel | None = None
        self.close_button: IconButton | None = None
        if title:
            head = QHBoxLayout()
            self.title = ElidedLabel(title, "title", parent=self.frame)
            head.addWidget(self.title, 1)
            self.close_button = IconButton("x", _("Close"), parent=self.frame)
            self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.close_button.clicked.connect(self.reject)
            head.addWidget(self.close_button)
            self._outer.addLayout(head)
        self.body = QVBoxLayout()
        self.body.setSpacing(s.row_gap)
        self._outer.addLayout(self.body, 1)
        self.foot: QHBoxLayout | None = None

    def add_buttons(self, *buttons: Button, caption: str = "") -> None:
        """Buttons at the right of the foot, the last one the main one; a quiet word at its left."""
        if self.foot is None:
            self._outer.addWidget(divider(self.frame))
            self.foot = QHBoxLayout()
            self.foot.setSpacing(sizes().row_gap)
            self._outer.addLayout(self.foot)
            self.foot.addWidget(ElidedLabel(caption, "caption", parent=self.frame), 1)
        for button in buttons:
            self.foot.addWidget(button)

    def place(self) -> QPoint:
        """Where to open: in the middle of the window."""
        owner = self.parentWidget()
        area = owner.window().frameGeometry() if owner is not None else self.screen().availableGeometry()
        return area.center() - QPoint(self.width() // 2, self.height() // 2)

    def refit(self) -> None:
        """Take the size that is wanted, as far as the window has room."""
        owner = self.parentWidget()
        room = (owner.window().size() if owner is not None else self.screen().availableSize()) - QSize(2 * _EDGE, 2 * _EDGE)
        width = min(self._wanted.width(), room.width())
        self.setFixedWidth(width)
        height = self._wanted.height()
        if not height:
            layout = self.layout()
            self._outer.activate()
            height = layout.heightForWidth(width) if layout is not None and layout.hasHeightForWidth() else self.sizeHint().height()
        self.setFixedHeight(min(height, room.height()))

    def showEvent(self, event: QShowEvent) -> None:
        self.refit()
        self.move(self.place())
        super().showEvent(event)

    def done(self, result: int) -> None:
        owner, was_active = self.parentWidget(), self.isActiveWindow()
        super().done(result)
        # Not every system gives the keyboard back; it may belong to the next dialog by now.
        window = owner.window() if owner is not None else None
        if was_active and window is not None and window.isVisible() and QApplication.activeModalWidget() in (None, window):
            window.activateWindow()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # Without the system's frame the box itself is what one drags.
        handle = self.windowHandle()
        if event.button() == Qt.MouseButton.LeftButton and handle is not None and self.title is not None:
            handle.startSystemMove()
        super().mousePressEvent(event)
