"""Words that are only read: titles, hints, badges, keys, and a label that elides."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from viewer.ui.theme import plain_tip, set_property

Role = Literal["", "headline", "title", "section", "strong", "secondary", "quiet", "hint", "caption", "small", "error", "warning", "badge", "key"]


class Label(QLabel):
    """A label with one of the theme's roles. Text is always plain: names in files may hold markup."""

    def __init__(self, text: str = "", role: Role = "", *, wrap: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setWordWrap(wrap)
        if role:
            self.setProperty("role", role)

    def set_role(self, role: Role) -> None:
        set_property(self, "role", role)


class ElidedLabel(Label):
    """A label that ends in dots where it has no room, never widens its parent, and then has all of it in its tooltip."""

    def __init__(
        self,
        text: str = "",
        role: Role = "",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("", role, parent=parent)
        self._mode = mode
        self._own_tooltip = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._update_tooltip()

    def set_tooltip(self, text: str) -> None:
        """A tooltip of its own; where the text is cut it stands before it, unless the tooltip holds it."""
        self._own_tooltip = text
        self._update_tooltip()

    def is_elided(self) -> bool:
        return self._shown() != self.text()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_tooltip()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._update_tooltip()

    def _shown(self) -> str:
        line = self.text().replace("\n", " ")
        return self.fontMetrics().elidedText(line, self._mode, max(0, self.contentsRect().width()))

    def _update_tooltip(self) -> None:
        if hasattr(self, "_own_tooltip"):
            is_told = not self.is_elided() or self.text() in self._own_tooltip
            parts = (self._own_tooltip,) if is_told else (self.text(), self._own_tooltip)
            self.setToolTip(plain_tip("\n".join(part for part in parts if part)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        flags = int(self.alignment().value) | int(Qt.TextFlag.TextSingleLine.value)
        self.style().drawItemText(painter, self.contentsRect(), flags, self.palette(), self.isEnabled(), self._shown(), self.foregroundRole())


class SectionTitle(ElidedLabel):
    """Head of a part of a panel, 13 px 600."""

    def __init__(self, text: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(text, "section", parent=parent)


class Hint(Label):
    """One or two quiet lines of help under or over a control."""

    def __init__(self, text: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(text, "hint", wrap=True, parent=parent)


class Badge(Label):
    """A word in a small box: a modality, "Current", "Preview"; ``kind`` colours the word, never the only sign."""

    def __init__(self, text: str, *, kind: Literal["", "ok", "warn", "err", "busy"] = "", parent: QWidget | None = None) -> None:
        super().__init__(text, "badge", parent=parent)
        self.setProperty("kind", kind)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


class KeyCap(Label):
    """A key or combination as text, such as Ctrl+K."""

    def __init__(self, keys: str, *, parent: QWidget | None = None) -> None:
        super().__init__(keys, "key", parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
