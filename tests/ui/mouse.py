"""What a hand does with the mouse, whole: Qt's own double click leaves the button pressed, in the next test too."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget


def double_click(widget: QWidget, at: QPoint | None = None) -> None:
    """A double click of the left button, let go at its end; ``at``: by default the middle."""
    place = widget.rect().center() if at is None else at
    QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
