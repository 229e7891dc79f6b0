"""A button that takes the next key: pressed once it listens, and says which key came."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from viewer.core.words import gettext as _
from viewer.session.profile import normal_key
from viewer.ui.controls import Button

_MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr, Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock)


def key_of(event: QKeyEvent) -> str:
    """The key of an event in the form of the key files; "" for a modifier alone or a key that has no name there."""
    if event.key() in _MODIFIERS or event.key() == Qt.Key.Key_unknown:
        return ""
    key = Qt.Key.Key_Tab if event.key() == Qt.Key.Key_Backtab else event.key()
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    try:
        return normal_key(QKeySequence(int(key) | held.value).toString(QKeySequence.SequenceFormat.PortableText))
    except ValueError:
        return ""


class KeyRecorder(Button):
    """Esc ends listening, and so does another control that gets the focus."""

    recorded = Signal(str)
    """The key, in the form of the key files."""

    is_listening = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", icon="keyboard", parent=parent)
        self._listen(False)
        self.clicked.connect(lambda: self._listen(not self.is_listening))

    def _listen(self, on: bool) -> None:
        self.is_listening = on
        self.setText(_("Press the key…") if on else _("Record a key"))
        self.setToolTip(_("Esc ends recording.") if on else _("Then press the key that is to do this."))

    def event(self, event: QEvent) -> bool:
        if self.is_listening and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()  # no action of the window is to run meanwhile
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._take(event)  # before Qt moves the focus by Tab
                return True
        return super().event(event)

    def _take(self, event: QKeyEvent) -> None:
        event.accept()
        if event.key() == Qt.Key.Key_Escape and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self._listen(False)
        elif found := key_of(event):
            self._listen(False)
            self.recorded.emit(found)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._listen(False)
        super().focusOutEvent(event)
