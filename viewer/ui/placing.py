"""Where the window stood and how it was divided: remembered when it closes, taken up when it opens, on the screens that are there."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QWidget

from viewer.core.words import gettext as _
from viewer.session.settings import Settings
from viewer.ui.controls import Splitter

_SEEN = 64
"""So many pixels of the title's width must lie on some screen for the window to be found."""


def remember(window: QMainWindow, divider: Splitter, settings: Settings, parts: dict[str, QWidget]) -> None:
    """Write down the place and size of the window, the widths of its parts and which of them (by name) are hidden."""
    settings.set("window", bytes(window.saveGeometry().toBase64().data()).decode())
    settings.set("screen", list(window.screen().geometry().getRect()))
    settings.set("splitter", divider.sizes())
    settings.set("hidden", [name for name, part in parts.items() if part.isHidden()])


def restore(window: QMainWindow, divider: Splitter, settings: Settings, parts: dict[str, QWidget]) -> str:
    """Take up what was remembered; what cannot be read is passed over. Returns a sentence where the window had to be moved."""
    said = ""
    state = settings.get("window", "")
    if isinstance(state, str) and state and window.restoreGeometry(QByteArray.fromBase64(state.encode())):
        screens = QGuiApplication.screens()
        said = bring_back(window, [screen.availableGeometry() for screen in screens])
        was_on = settings.get("screen", [])
        if was_on and was_on not in [list(screen.geometry().getRect()) for screen in screens]:
            said = said or _moved()  # Qt has brought it back by itself, and says nothing
    sizes = settings.get("splitter", [])
    if isinstance(sizes, list) and len(sizes) == divider.count() and all(isinstance(s, int) and s > 0 for s in sizes):
        divider.setSizes(sizes)
    hidden = settings.get("hidden", [])
    if isinstance(hidden, list):
        for name, part in parts.items():
            if name in hidden:
                part.hide()
    return said


def bring_back(window: QWidget, screens: list[QRect]) -> str:
    """Move a window that stands on no screen onto the first one; the sentence to say then, "" if it can be seen."""
    head = QRect(window.x(), window.y(), window.width(), 32)
    for screen in screens:
        seen = head.intersected(screen)
        if seen.width() >= _SEEN and seen.height() > 8:
            return ""
    first = screens[0]
    window.resize(min(window.width(), first.width()), min(window.height(), first.height()))
    window.move(first.center() - window.rect().center())
    return _moved()


def _moved() -> str:
    return _("The screen on which this window was last is not connected. The window was moved to this one.")
