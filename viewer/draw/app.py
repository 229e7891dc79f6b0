"""A Qt application for painting without a window: QPainter text aborts without one."""

from __future__ import annotations

import os

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QGuiApplication

from viewer.draw.guard import check_qt

_kept: list[QCoreApplication] = []


def ensure_application() -> QCoreApplication:
    """The application that runs, else a new one that needs no display; it lives until the process ends."""
    running = QCoreApplication.instance()
    if running is not None:
        return running
    check_qt()
    # Even where there is a display: a command must not depend on it, and Qt aborts if it cannot be reached.
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    _kept.append(QGuiApplication(["negatoscope"]))
    return _kept[0]
