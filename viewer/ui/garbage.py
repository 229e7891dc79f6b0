"""Cyclic garbage is collected on the window's thread only.

Python runs its collector in whichever thread has just made much. A widget, timer or painter that goes there goes beside the
window's thread, which may be using it: the program dies, now and then, somewhere else.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

INTERVAL_MS = 250


class GarbageCollector(QObject):
    """While it lives, Python collects nothing by itself; a timer does, when the thresholds of ``gc`` ask for it.

    Make it on the window's thread, before the program is imported: looking through modules again and again takes a tenth of that.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.collect_due)
        self._timer.start()

    def leave_out_what_is(self) -> None:
        """Never look through what exists now (modules, classes, the window) again."""
        gc.freeze()

    def collect_due(self) -> None:
        """Collect up to the oldest generation whose count is over its threshold; all of them (tens of ms) not while a button is held down."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        if not thresholds[0]:
            return
        is_dragging = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        for generation in (1, 0) if is_dragging else (2, 1, 0):
            if counts[generation] > thresholds[generation]:
                gc.collect(generation)
                return

    def close(self) -> None:
        """Let Python collect by itself again, as before."""
        self._timer.stop()
        gc.unfreeze()
        if self._was_on:
            gc.enable()
