"""Run as a program: more than 20,000 Qt calls in threads and in paint, then a count of the references to None.

A Qt binding that loses references dies here (RELIABILITY: Qt and its range), where a short test would not notice. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot
from PySide6.QtGui import QPainterPath
from PySide6.QtWidgets import QApplication, QWidget

THREADS, SIGNALS, FRAMES, VOID_CALLS = 20, 2000, 300, 10_000


class Sender(QObject):
    sent = Signal(int)
    ended = Signal()

    @Slot()
    def work(self) -> None:
        for number in range(SIGNALS):
            self.sent.emit(number)
        self.ended.emit()


class Receiver(QObject):
    done = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.received = 0

    @Slot(int)
    def take(self, number: int) -> None:
        self.received += 1
        if self.received == THREADS * SIGNALS:
            self.done.emit()


def send_from_threads(application: QApplication) -> int:
    receiver = Receiver()
    receiver.done.connect(application.quit)
    threads, senders = [], []
    for _ in range(THREADS):
        thread, sender = QThread(), Sender()
        sender.moveToThread(thread)
        sender.sent.connect(receiver.take, Qt.ConnectionType.QueuedConnection)
        sender.ended.connect(thread.quit, Qt.ConnectionType.DirectConnection)
        thread.started.connect(sender.work)
        threads.append(thread)
        senders.append(sender)
    for thread in threads:
        thread.start()
    QTimer.singleShot(60_000, application.quit)  # a way out if signals are lost
    application.exec()
    for thread in threads:
        if not thread.wait(10_000):
            sys.exit("a thread did not end")
    return receiver.received


def paint_frames() -> int:
    view = pg.GraphicsLayoutWidget()
    view.resize(300, 300)
    plot = view.addPlot()
    image = pg.ImageItem(axisOrder="row-major")
    curve = pg.PlotCurveItem()
    plot.addItem(image)
    plot.addItem(curve)
    values = np.random.default_rng(1).integers(0, 255, (64, 64), dtype=np.uint8)
    for frame in range(FRAMES):
        image.setImage(np.roll(values, frame, 0), levels=(0, 255))
        curve.setData(values[frame % 64].astype(float))
        view.grab()
    view.close()
    return FRAMES


def drift_of_none() -> int:
    """References to None lost or gained by calls that return nothing."""
    widget, path = QWidget(), QPainterPath()
    before = sys.getrefcount(None)
    for number in range(VOID_CALLS // 2):
        widget.resize(100 + number % 2, 100)
        path.lineTo(number, 1.0)
    return sys.getrefcount(None) - before


def main() -> None:
    application = QApplication([])
    result = {"signals": send_from_threads(application), "frames": paint_frames(), "drift": drift_of_none()}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
