"""Buttons: text buttons in four variants, icon-only buttons, and tools with their icon over their name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFontMetrics, QIcon, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QButtonGroup, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QStyleOptionButton, QToolButton, QWidget

from viewer.ui import icons
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.theme import font, sizes, tokens

Variant = Literal["plain", "primary", "tint", "link"]
_TINT_OF = {"plain": "text", "primary": "onaccent", "tint": "link", "link": "link"}


class Button(QPushButton):
    """A button with words, and an icon before them if wanted. At most one ``primary`` per panel or dialog."""

    def __init__(
        self,
        text: str,
        *,
        icon: str = "",
        variant: Variant = "plain",
        checkable: bool = False,
        tooltip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setProperty("variant", variant)
        self.setCheckable(checkable)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoDefault(False)
        self.setToolTip(tooltip)
        if icon:
            icons.set_icon(self, icon, size=sizes().icon_row, tint=_TINT_OF[variant])
        if variant == "link":
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def initStyleOption(self, option: QStyleOptionButton) -> None:
        super().initStyleOption(option)
        if not self.icon().isNull() and self.text():
            # Qt leaves no room between icon and words.
            option.text = " " + option.text

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        # The variant's weight is the stylesheet's; without polishing first the hint would be that of the plain one.
        self.ensurePolished()
        hint = super().sizeHint()
        if not self.icon().isNull() and self.text():
            hint.setWidth(hint.width() + self.fontMetrics().horizontalAdvance(" "))
        return hint

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class _PaintedButton(QToolButton):
    """What icon buttons and tools share: the states, painted (a stylesheet cannot stack icon and words as wanted)."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAutoRaise(True)

    def _paint_back(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t, rect = tokens(), QRectF(self.rect())
        if self.isEnabled():
            if self.isDown():
                rounded(painter, rect, sizes().radius, fill=t.pressed)
            elif self.isChecked():
                rounded(painter, rect, sizes().radius, fill=t.sel, edge=t.sel_line)
            elif self.underMouse():
                rounded(painter, rect, sizes().radius, fill=t.hover)
        if self.hasFocus():
            focus_ring(painter, rect)

    def _icon_state(self) -> tuple[QIcon.Mode, QIcon.State]:
        state = QIcon.State.On if self.isChecked() else QIcon.State.Off
        if not self.isEnabled():
            return QIcon.Mode.Disabled, state
        return (QIcon.Mode.Active if self.underMouse() or self.isDown() else QIcon.Mode.Normal), state

    def _paint_icon(self, painter: QPainter, place: QRect) -> None:
        mode, state = self._icon_state()
        picture = self.icon().pixmap(place.size(), self.devicePixelRatioF(), mode, state)
        painter.drawPixmap(place, picture)

    def _words_color(self) -> str:
        t = tokens()
        if not self.isEnabled():
            return t.disabled
        if self.isChecked():
            return t.accent_text
        return t.text if self.underMouse() or self.isDown() else t.text2


class IconButton(_PaintedButton):
    """A button that is only an icon; ``name`` is its tooltip and its name for assistive technology."""

    def __init__(
        self,
        icon: str,
        name: str,
        *,
        size: int | None = None,
        side: int | None = None,
        tint: str = "rest",
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._side = side or sizes().target
        icons.set_icon(self, icon, size=size or sizes().icon_row, tint=tint)
        self.setFixedSize(self._side, max(self._side, sizes().target))
        self.setCheckable(checkable)
        self.set_name(name)

    def set_name(self, name: str) -> None:
        """Change what the button says it does (play becomes pause)."""
        self.setToolTip(name)
        self.setAccessibleName(name)

    def set_picture(self, icon: str, *, tint: str = "rest") -> None:
        """Change the icon, keeping its size."""
        icons.set_icon(self, icon, size=self.iconSize().width(), tint=tint)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_back(painter)
        size = self.iconSize()
        place = QRect(QPoint((self.width() - size.width()) // 2, (self.height() - size.height()) // 2), size)
        self._paint_icon(painter, place)


class ToolButton(_PaintedButton):
    """A tool that shows its name: icon over caption.

    Parameters
    ----------
    icon, caption : str
    kind : "bar" or "panel"
        In the top bar (icon 20, as wide as its caption) or among a panel's tools (icon 18, four to a row).
    """

    def __init__(
        self,
        icon: str,
        caption: str,
        *,
        kind: Literal["bar", "panel"] = "bar",
        checkable: bool = False,
        tooltip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._caption_shown = True
        self.setText(caption)
        self.setCheckable(checkable)
        self.setToolTip(tooltip or caption)
        icons.set_icon(self, icon, size=sizes().icon_bar if kind == "bar" else sizes().icon_tab)
        wide = QSizePolicy.Policy.Fixed if kind == "bar" else QSizePolicy.Policy.Expanding
        self.setSizePolicy(wide, QSizePolicy.Policy.Fixed)

    @classmethod
    def of_action(cls, action: QAction, *, kind: Literal["bar", "panel"] = "bar", parent: QWidget | None = None) -> ToolButton:
        """A tool that shows and triggers an action: its words, icon (``icons.set_icon``), tooltip, checked and enabled state."""
        icons.keep_promise(action)
        button = cls(action.property("iconName") or "circle-dot", action.iconText(), kind=kind, parent=parent)
        size = button.iconSize()
        button.setDefaultAction(action)
        button.setIconSize(size)
        return button

    def set_caption_shown(self, shown: bool) -> None:
        """Leave the caption out where the window is narrow; the tooltip still names the tool."""
        self._caption_shown = shown
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        s = sizes()
        if not self._caption_shown:
            return QSize(36, 36)
        words = QFontMetrics(font("caption")).horizontalAdvance(self.text())
        room = 2 * s.row_gap if self._kind == "bar" else s.tight
        return QSize(max(52, words + room), s.tool)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_back(painter)
        size, face = self.iconSize(), font("caption")
        metrics = QFontMetrics(face)
        words = metrics.height() if self._caption_shown else 0
        gap = sizes().tight if self._caption_shown else 0
        top = (self.height() - size.height() - gap - words) // 2
        self._paint_icon(painter, QRect(QPoint((self.width() - size.width()) // 2, top), size))
        if not self._caption_shown:
            return
        painter.setFont(face)
        painter.setPen(QColor(self._words_color()))
        line = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - 2)
        painter.drawText(QRect(0, top + size.height() + gap, self.width(), words), Qt.AlignmentFlag.AlignCenter, line)


class ToolGroup(QWidget):
    """Tools that share one tab stop: Tab enters at the checked (or first live) one, arrows move, Space or Enter presses.

    Parameters
    ----------
    buttons : tools in reading order
    columns : int
        0 for one row; a panel's tools stand four to a row.
    name : str
        Name of the group for assistive technology.
    """

    def __init__(self, buttons: Sequence[QToolButton], *, columns: int = 0, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._buttons = list(buttons)
        self._columns = columns
        if columns:
            grid = QGridLayout(self)
            for at, button in enumerate(self._buttons):
                grid.addWidget(button, at // columns, at % columns)
            for column in range(columns):
                grid.setColumnStretch(column, 1)
            grid.setHorizontalSpacing(sizes().tight)
            grid.setVerticalSpacing(sizes().tight)
            grid.setContentsMargins(0, 0, 0, 0)
        else:
            row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(sizes().tight)
            for button in self._buttons:
                row.addWidget(button)
        for button in self._buttons:
            button.installEventFilter(self)
            button.toggled.connect(self._set_stops)
        self._set_stops()

    def buttons(self) -> tuple[QToolButton, ...]:
        return tuple(self._buttons)

    def _set_stops(self, _checked: bool = False) -> None:
        live = [b for b in self._buttons if b.isEnabled()] or self._buttons
        stop = next((b for b in live if b.isChecked()), live[0] if live else None)
        for button in self._buttons:
            only_click = Qt.FocusPolicy.ClickFocus
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if button is stop else only_click)

    def eventFilter(self, watched: object, event: object) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QKeyEvent.Type.KeyPress and watched in self._buttons:
            return self._key(self._buttons.index(watched), event)
        if hasattr(event, "type") and event.type() == QKeyEvent.Type.EnabledChange:
            self._set_stops()
        return False

    def _key(self, at: int, event: QKeyEvent) -> bool:
        key, down = Qt.Key, self._columns or 1
        if event.key() in (key.Key_Return, key.Key_Enter):
            self._buttons[at].click()
            return True
        step = {key.Key_Left: -1, key.Key_Right: 1, key.Key_Up: -down, key.Key_Down: down}.get(key(event.key()))
        if step is None:
            return False
        to = at + step
        while 0 <= to < len(self._buttons):
            button = self._buttons[to]
            if button.isEnabled() and button.isVisible():
                button.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
            to += step
        return True


class Segmented(QWidget):
    """One of a few, all in sight: equal buttons in a row, one checked. Left and Right choose."""

    value_changed = Signal(object)

    def __init__(self, choices: Sequence[tuple[object, str]], *, value: object = None, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._values = [choice[0] for choice in choices]
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(sizes().gap)
        for at, (_value, words) in enumerate(choices):
            button = Button(words, checkable=True, parent=self)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._group.addButton(button, at)
            row.addWidget(button, 1)
        self.set_value(self._values[0] if value is None else value)
        self._group.idToggled.connect(self._toggled)

    def value(self) -> object:
        return self._values[self._group.checkedId()]

    def set_value(self, value: object) -> None:
        self._group.button(self._values.index(value)).setChecked(True)

    def button(self, value: object) -> Button:
        """The button of a value, for what the owner says about it alone (why it cannot be chosen)."""
        found = self._group.button(self._values.index(value))
        assert isinstance(found, Button)
        return found

    def _toggled(self, at: int, checked: bool) -> None:
        if checked:
            self.value_changed.emit(self._values[at])
