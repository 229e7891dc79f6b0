"""From nothing to a painted window with a picture in it, in a fresh process, against a bare PySide6 window with numpy imported.

The program's own start runs as it is (``viewer.ui.application.run`` with what is to be opened); the process says so and ends after the
first frame of the view that shows a volume. All are started in turns; the figures are wall time and suffer from what else runs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.table import Row

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "ct_chest_lidc"
ROUNDS = 7
LONGEST_S = 30.0
ROOT = Path(__file__).resolve().parents[1]
BARE = """
import sys
import numpy
from PySide6.QtCore import QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QWidget
class Bare(QWidget):
    def paintEvent(self, event):
        QPainter(self).fillRect(self.rect(), 0)
        print("painted", flush=True)
        QTimer.singleShot(0, QApplication.quit)
app = QApplication(sys.argv)
bare = Bare()
bare.resize(1280, 800)
bare.show()
app.exec()
"""
OURS = """
import os, sys
from pathlib import Path
from viewer.ui.views.slice_view import SliceView
stock = SliceView.paintEvent
def watched(self, event):
    stock(self, event)
    if self.state is not None and self.state.volume is not None:
        print("painted", flush=True)
        os._exit(0)
SliceView.paintEvent = watched
from viewer.ui.application import run
run([Path(sys.argv[1])])
"""
FRAME = """
import os
from viewer.ui.first_frame import FirstFrame
stock = FirstFrame.paintEvent
def watched(self, event):
    stock(self, event)
    print("painted", flush=True)
    os._exit(0)
FirstFrame.paintEvent = watched
from viewer.ui import application
application.run([])
"""
EMPTY = """
import os
from PySide6.QtWidgets import QApplication
from viewer.ui import application
from viewer.ui.window import Window
shown = Window.showEvent
def watched(self, event):
    from PySide6.QtCore import QTimer
    shown(self, event)
    QTimer.singleShot(0, lambda: (self.repaint(), print("painted", flush=True), os._exit(0)))
Window.showEvent = watched
application.run([])
"""


def rows() -> list[Row]:
    """The first window, and the first picture."""
    with tempfile.TemporaryDirectory() as folder:
        from PIL import Image

        picture = Path(folder) / "picture.png"
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (512, 512), dtype=np.uint8)).save(picture)
        env = {
            **os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT), "HOME": folder, "XDG_CONFIG_HOME": f"{folder}/config",
            "XDG_DATA_HOME": f"{folder}/data", "XDG_CACHE_HOME": f"{folder}/cache",
        }  # fmt: skip
        scripts = {"bare": [BARE], "frame": [FRAME], "window": [EMPTY], "picture": [OURS, str(picture)]}
        if REAL.is_dir():
            scripts["series"] = [OURS, str(REAL)]
        times: dict[str, list[float]] = {name: [] for name in scripts}
        for turn in range(ROUNDS + 1):
            for name, arguments in scripts.items():
                spent = _until_painted(arguments, env)
                if turn:  # the first fills the caches of the disk
                    times[name].append(spent)
    bare = statistics.median(times.pop("bare"))
    words = {
        "frame": "start to the first painted frame of the window",
        "window": "start to the whole window, painted",
        "picture": "start to the first picture, a PNG through a worker",
        "series": "start to the first picture, a chest CT",
    }
    return [
        Row(
            words[name],
            statistics.median(spent),
            rival="bare PySide6 window, numpy",
            rival_figure=bare,
            at_most=1.6 if name == "frame" else None,
            limit=700 if name in ("picture", "series") else None,
        )
        for name, spent in times.items()
    ]


def _until_painted(arguments: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True)
    assert process.stdout is not None
    watch = threading.Timer(LONGEST_S, process.kill)
    watch.start()
    line = process.stdout.readline()
    spent = (time.perf_counter() - began) * 1000
    watch.cancel()
    _, errors = process.communicate(timeout=30)
    if line.strip() != "painted":
        raise RuntimeError(f"nothing was painted: {errors[-2000:]}")
    return spent
