"""The message bar: one sentence at a time about what happened, with up to two links; it never covers the image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QSizePolicy, QWidget

from viewer.core.words import _
from viewer.ui.controls.buttons import Button, IconButton
from viewer.ui.controls.card import KIND_ICONS, IconLabel, Kind
from viewer.ui.controls.labels import Badge, ElidedLabel
from viewer.ui.theme import set_property, sizes

Link = tuple[str, Callable[[], object]]
_LIFETIME_MS = 6000
_MOST_WAITING = 50


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence of a kind, with what its links do."""

    kind: Kind
    text: str
    links: tuple[Link, ...] = ()
    about: str = ""
    """Id of what it is about; "" for anything."""

    @property
    def stays(self) -> bool:
        """Warnings and errors stay until they are closed."""
        return self.kind in ("warn", "err")


class MessageBar(QFrame):
    """Shows messages; takes no room while there is none.

    A new message takes the place of an ok or info one. Warnings and errors stay until closed: further ones wait behind the
    first (a badge counts them), and an ok or info that comes meanwhile is shown before them and then gives way. Ok and info
    leave after six seconds, not counted while the pointer is over the bar or the focus in it. A message equal to one that is
    shown or waiting is not added again.
    """

    changed = Signal(object)
    """The message shown now, or None."""

    def __init__(self, *, lifetime_ms: int = _LIFETIME_MS, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "message")
        self._shown: Message | None = None
        self._waiting: list[Message] = []
        s = sizes()
        self.setFixedHeight(s.message_bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(s.margin, 0, s.row_gap, 0)
        row.setSpacing(s.row_gap)
        self._icon = IconLabel("info", parent=self)
        row.addWidget(self._icon)
        self._label = ElidedLabel("", parent=self)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row.addWidget(self._label, 1)
        self._count = Badge("", parent=self)
        row.addWidget(self._count)
        self._links = [Button("", variant="link", parent=self) for _at in range(2)]
        for link in self._links:
            link.clicked.connect(self._link_clicked)
            row.addWidget(link)
        self._close = IconButton("x", _("Close message"), parent=self)
        self._close.clicked.connect(self.close_message)
        row.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(lifetime_ms)
        self._timer.timeout.connect(self.close_message)
        QApplication.instance().focusChanged.connect(self._focus_changed)  # type: ignore[union-attr]
        self.hide()

    def show_message(self, kind: Kind, text: str, links: Sequence[Link] = (), *, about: str = "") -> None:
        """Show a message, or let it wait its turn.

        Parameters
        ----------
        kind : "ok", "info", "warn" or "err"
        text : str
            One sentence.
        links : up to two of (words, called on click)
            A click on a link closes the message too.
        about : str
            Id of what it is about, for `keep_about`.
        """
        if kind not in KIND_ICONS:
            raise ValueError(f'a message is ok, info, warn or err, not "{kind}"')
        if len(links) > len(self._links):
            raise ValueError("a message has at most two links")
        message = Message(kind, text, tuple(links), about)
        if self._shown is not None and self._shown.stays:
            alike = [m for m in (self._shown, *self._waiting) if (m.kind, m.text, m.about) == (kind, text, about)]
            if alike:
                return
            if message.stays:
                self._waiting.append(message)
                del self._waiting[_MOST_WAITING:]
                self._show_count()
                return
            self._waiting.insert(0, self._shown)
        self._show(message)

    def message(self) -> Message | None:
        """What is shown now."""
        return self._shown

    def waiting(self) -> int:
        """How many warnings and errors wait behind it."""
        return len(self._waiting)

    def take_messages(self) -> tuple[Message, ...]:
        """All messages, the one shown first, for another bar to show; this one is empty after it."""
        found = (*([self._shown] if self._shown is not None else []), *self._waiting)
        self.clear_messages()
        return found

    def close_message(self) -> None:
        """Take away what is shown; the next one comes, or the bar goes."""
        self._show(self._waiting.pop(0) if self._waiting else None)

    def keep_about(self, shown: str) -> None:
        """Take away the messages about something else than what is shown now."""
        self._waiting = [message for message in self._waiting if message.about in ("", shown)]
        if self._shown is not None and self._shown.about not in ("", shown):
            self.close_message()
        else:
            self._show_count()

    def clear_messages(self) -> None:
        """Take away everything."""
        self._waiting.clear()
        self._show(None)

    def _show(self, message: Message | None) -> None:
        self._shown = message
        self._timer.stop()
        if message is None:
            self.hide()
            self.changed.emit(None)
            return
        set_property(self, "kind", message.kind)
        self._icon.set_picture(KIND_ICONS[message.kind], "accent_text" if message.kind == "info" else message.kind)
        self._label.setText(message.text)
        self.setAccessibleName(message.text)
        for at, link in enumerate(self._links):
            link.setVisible(at < len(message.links))
            link.setText(message.links[at][0] if at < len(message.links) else "")
        self._show_count()
        self.show()
        self._restart()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, message.text))
        self.changed.emit(message)

    def _show_count(self) -> None:
        count = len(self._waiting)
        self._count.setText(f"+{count}")
        self._count.setToolTip(_("{count} more messages").format(count=count))
        self._count.setVisible(count > 0)

    def _restart(self) -> None:
        focus = QApplication.focusWidget()
        held = self.underMouse() or (focus is not None and self.isAncestorOf(focus))
        if self._shown is None or self._shown.stays or held:
            self._timer.stop()
        else:
            self._timer.start()

    def _link_clicked(self) -> None:
        at = self._links.index(self.sender())  # type: ignore[arg-type]
        if self._shown is None or at >= len(self._shown.links):
            return
        call = self._shown.links[at][1]
        self.close_message()
        call()

    def _focus_changed(self, _old: QWidget | None, _new: QWidget | None) -> None:
        self._restart()

    def enterEvent(self, event: QEvent) -> None:
        super().enterEvent(event)  # type: ignore[arg-type]
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._restart()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_message()
        else:
            super().keyPressEvent(event)
