"""Containers: a card with a title, a coloured box for a warning or error, a page of a panel, and what stands where there is nothing."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from viewer.core.words import _
from viewer.ui import icons
from viewer.ui.controls.buttons import Button, IconButton
from viewer.ui.controls.labels import ElidedLabel, Hint, KeyCap, Label
from viewer.ui.theme import set_property, sizes, theme, tokens

Kind = Literal["ok", "info", "warn", "err"]
KIND_ICONS = {"ok": "circle-check", "info": "info", "warn": "triangle-alert", "err": "circle-alert"}


def divider(parent: QWidget | None = None, *, vertical: bool = False) -> QFrame:
    """A line of 1 px."""
    line = QFrame(parent)
    line.setProperty("role", "divider")
    if vertical:
        line.setFixedWidth(sizes().hairline)
    else:
        line.setFixedHeight(sizes().hairline)
    return line


class IconLabel(QLabel):
    """An icon that only shows something; it follows the theme. ``name`` says it in words ("" where words stand beside it)."""

    def __init__(self, icon: str, *, size: int | None = None, token: str = "text2", name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._length = size or sizes().icon_row
        self._icon, self._token = icon, token
        self.setAccessibleName(name)
        self.setFixedSize(self._length, self._length)
        theme().changed.connect(self._draw)
        self._draw()

    def set_picture(self, icon: str, token: str = "text2") -> None:
        """Another icon, in the colour of another token."""
        self._icon, self._token = icon, token
        self._draw()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._draw()
        return super().event(event)

    def _draw(self, _tokens: object = None) -> None:
        color = getattr(tokens(), self._token)
        self.setPixmap(icons.pixmap(self._icon, self._length, color, self.devicePixelRatioF()))


class NoteBox(QFrame):
    """A box with an icon and whole sentences, for warnings and errors inside of panels. Hidden while it has no text."""

    def __init__(self, kind: Kind = "warn", text: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "box")
        s = sizes()
        row = QHBoxLayout(self)
        row.setContentsMargins(s.margin - 2, s.row_gap, s.margin - 2, s.row_gap)
        row.setSpacing(s.row_gap)
        self._icon = IconLabel(KIND_ICONS[kind], parent=self)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(s.tight)
        row.addLayout(column, 1)
        self._label = Label("", wrap=True, parent=self)
        column.addWidget(self._label)
        self._column = column
        self.show_note(kind, text)

    def text(self) -> str:
        return self._label.text()

    def show_note(self, kind: Kind, text: str) -> None:
        """Show another text, or with "" hide the box."""
        set_property(self, "kind", kind)
        self._icon.set_picture(KIND_ICONS[kind], "accent_text" if kind == "info" else kind)
        self._label.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))

    def add_link(self, text: str) -> Button:
        """A link under the text, such as Details."""
        link = Button(text, variant="link", parent=self)
        self._column.addWidget(link, 0, Qt.AlignmentFlag.AlignRight)
        return link


class Card(QFrame):
    """A raised box: title with info button, a line of help, what ``body`` holds, and a foot for its buttons.

    ``info_requested`` comes from the info button, which is there only with ``info=True``. A title that is itself the message
    takes a second line (``wraps=True``); others end in dots where they have no room.
    """

    info_requested = Signal()

    def __init__(
        self,
        title: str = "",
        *,
        help: str = "",  # noqa: A002 the word that forms use
        info: bool = False,
        wraps: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        s = sizes()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(s.margin, s.margin, s.margin, s.margin)
        outer.setSpacing(s.row_gap)
        self.header = QHBoxLayout()
        self.header.setSpacing(s.gap)
        self.title: Label = Label(title, "section", wrap=True, parent=self) if wraps else ElidedLabel(title, "section", parent=self)
        self.header.addWidget(self.title, 1)
        self.caption = Label("", "caption", parent=self)
        self.header.addWidget(self.caption)
        self.info = IconButton("info", _("About {title}").format(title=title) if title else _("About"), parent=self)
        self.info.clicked.connect(self.info_requested)
        self.info.setVisible(info)
        self.header.addWidget(self.info)
        outer.addLayout(self.header)
        self.title.setVisible(bool(title))
        self.help = Hint(help, parent=self)
        self.help.setVisible(bool(help))
        outer.addWidget(self.help)
        self.note = NoteBox("err", parent=self)
        outer.addWidget(self.note)
        self.body = QVBoxLayout()
        self.body.setSpacing(s.row_gap)
        outer.addLayout(self.body)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(s.row_gap)
        self.result = ElidedLabel("", "caption", parent=self)
        self.foot.addWidget(self.result, 1)
        outer.addLayout(self.foot)
        self.result.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def set_title(self, text: str, help: str = "") -> None:  # noqa: A002 the word that forms use
        self.title.setText(text)
        self.title.setVisible(bool(text))
        self.info.set_name(_("About {title}").format(title=text))
        self.help.setText(help)
        self.help.setVisible(bool(help))
        self._place_caption()

    def set_caption(self, text: str) -> None:
        """Quiet words at the right of the title, such as "2 seeds"."""
        self.caption.setText(text)
        self._place_caption()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_caption()

    def _place_caption(self) -> None:
        """Beside the first line of a title of two lines; centred on a single one, as lines of Chinese are taller."""
        if self.title.wordWrap():
            s = sizes()
            room = self.width() - 2 * s.margin - s.gap - self.caption.sizeHint().width()
            is_one = self.title.fontMetrics().horizontalAdvance(self.title.text()) <= room
            self.header.setAlignment(self.caption, Qt.AlignmentFlag(0) if is_one else Qt.AlignmentFlag.AlignTop)

    def set_result(self, text: str) -> None:
        """Quiet words at the left of the foot: size and time of the result."""
        self.result.setText(text)

    def set_error(self, text: str) -> None:
        """A red box at the top of the card; "" takes it away."""
        self.note.show_note("err", text)

    def add_row(self, row: QWidget) -> None:
        self.body.addWidget(row)

    def add_button(self, button: Button) -> Button:
        """Add a button to the foot, at the right; the words on the left get the rest."""
        self.result.show()
        self.foot.addWidget(button)
        return button


class EmptyState(QWidget):
    """Why there is nothing here, and what to do next.

    Parameters
    ----------
    title, text : str
        One sentence each.
    icon : str
        With an icon it is the large form for the middle of the window (44 px picture, headline, buttons, keys); without one the
        small form at the top of a panel.
    """

    def __init__(self, title: str, text: str = "", *, icon: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        s, large = sizes(), bool(icon)
        side = Qt.AlignmentFlag.AlignHCenter if large else Qt.AlignmentFlag.AlignLeft
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(s.row_gap if large else s.tight)
        if large:
            outer.addStretch(1)
            outer.addWidget(IconLabel(icon, size=s.icon_empty, token="text3", parent=self), 0, side)
            outer.addSpacing(s.row_gap)
        self.title = Label(title, "headline" if large else "secondary", wrap=True, parent=self)
        self.title.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        outer.addWidget(self.title)
        self.text = Label(text, "secondary" if large else "hint", wrap=True, parent=self)
        self.text.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        self.text.setVisible(bool(text))
        outer.addWidget(self.text)
        self.buttons = self._row(outer, large, s.row_gap)
        self.keys = self._row(outer, large, s.gap)
        outer.addStretch(1)

    def _row(self, outer: QVBoxLayout, centred: bool, spacing: int) -> QHBoxLayout:
        holder = QWidget(self)
        holder.hide()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, sizes().row_gap, 0, 0)
        row.setSpacing(spacing)
        outer.addWidget(holder, 0, Qt.AlignmentFlag.AlignHCenter if centred else Qt.AlignmentFlag.AlignLeft)
        return row

    def set_text(self, title: str, text: str = "") -> None:
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))

    def add_button(self, button: Button) -> Button:
        self.buttons.addWidget(button)
        self.buttons.parentWidget().show()
        return button

    def add_key(self, keys: str, meaning: str) -> None:
        """A key cap and what it does, such as Ctrl+O "open"."""
        if self.keys.count():
            self.keys.addSpacing(sizes().row_gap)
        self.keys.addWidget(KeyCap(keys, parent=self))
        self.keys.addWidget(Label(meaning, "small", parent=self))
        self.keys.parentWidget().show()
