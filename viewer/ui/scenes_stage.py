"""Where pictures of the window are made: a real window on settings of its own, driven by mouse, keys and the host."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QCursor, QImage, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from viewer.core.geometry import Triple
from viewer.io.samples import PHANTOM_FOLDER, sample_paths
from viewer.jobs.pool import Pool
from viewer.session.plugins import Plugin, Registry
from viewer.session.settings import Settings
from viewer.ui.host import Host
from viewer.ui.scenes_check import shown_windows
from viewer.ui.views.slice_view import SliceView
from viewer.ui.window import Window

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
PATIENCE_S = 60.0
FAR_AWAY = QPoint(4000, 4000)


class Stage:
    """A window, and hands for it.

    Parameters
    ----------
    folder : Path
        Where settings, the sample study and files made on the spot are.
    registry : Registry
    size : (int, int)
        Of the window, in logical pixels.
    workers : int
        0 runs operations in this process, one after the other; what is to be seen while it runs needs a worker.
    extra : sequence of functions
        Each is given the folder and makes one more plugin.
    """

    def __init__(
        self,
        folder: Path,
        registry: Registry,
        *,
        size: tuple[int, int] = (1280, 800),
        workers: int = 0,
        extra: Sequence[Callable[[Path], Plugin]] = (),
    ) -> None:
        self.folder = folder
        registry = Registry((*registry.plugins, *(make(folder) for make in extra)))
        settings = Settings(folder / f"settings-{time.monotonic_ns()}.toml")
        pictures = folder / "home" / "Pictures"
        pictures.mkdir(parents=True, exist_ok=True)
        settings.set("export_folder", str(pictures))
        self.host = Host(registry, Pool(workers) if workers else Pool(inline=True), settings, journal=False)
        self.window = Window(self.host, restore=False)
        self.window.resize(*size)
        self.window.show()
        self.window.activateWindow()
        self.wait(lambda: all(registry.known_spec(o.name) or o.name in registry.broken for o in registry.operations), "the operations are described")
        self.settle()

    # --- time ---

    def wait(self, is_done: Callable[[], Any], what: str) -> None:
        """Let the window work until something is so. Raises TimeoutError naming it."""
        end = time.monotonic() + PATIENCE_S
        while not is_done():
            if time.monotonic() > end:
                raise TimeoutError(f"It was waited {PATIENCE_S:.0f} s in vain until {what}.")
            QTest.qWait(5)

    def settle(self) -> None:
        """Until nothing runs and nothing moves."""
        self.wait(lambda: not self.host.work._held and not self.window.opener.is_scanning, "all jobs are done")
        self.rest()

    def rest(self) -> None:
        """Until two pictures in a row are equal; jobs may go on."""
        before, end = self._looks(), time.monotonic() + 3
        while time.monotonic() < end:
            QTest.qWait(20)
            now = self._looks()
            if now == before:
                return
            before = now

    def _looks(self) -> list[QImage]:
        return [w.grab().toImage() for w in shown_windows(self.window)]

    # --- opening ---

    def sample(self) -> dict[str, Path]:
        """The files of the sample study by name; "phantom" is the folder of the CT."""
        return {"phantom" if p.name == PHANTOM_FOLDER else p.name: p for p in sample_paths(self.folder / "sample")}

    def open(self, *paths: Path) -> None:
        self.window.open_paths(paths)
        self.settle()

    def open_sample(self, show: str = "CT thorax phantom") -> None:
        """Open the whole sample study and show one series of it, by a part of its words."""
        self.open(*self.sample().values())
        self.show(show)

    def show(self, words: str) -> None:
        """Show the series whose description or first file holds the words."""
        for row in self.window.opener.rows():
            entry = row.entry
            if words in entry.title or words in entry.identity.series_description or any(words in str(f) for f in entry.files[:1]):
                self.window.opener.show(entry.id)
                self.settle()
                return
        raise LookupError(f'No series of the browser holds "{words}".')

    # --- hands ---

    def press(self, button: QWidget) -> None:
        """Click a button or any other widget in its middle."""
        QTest.mouseClick(button, LEFT, NONE, button.rect().center())
        QCursor.setPos(FAR_AWAY)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE, *, on: QWidget | None = None) -> None:
        QTest.keyClick(on or self.window.view, key, modifiers)

    def type(self, field: QWidget, text: str, *, enter: bool = False) -> None:
        """Replace what is in a field."""
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(field, text)
        if enter:
            QTest.keyClick(field, Qt.Key.Key_Return)

    def trigger(self, action_id: str) -> None:
        """Run a command of the action table, as its menu item does."""
        self.window.actions_table[action_id].trigger()

    def turn_to(self, position: Triple) -> None:
        """Show the slice that a place lies on."""
        state = self.host.state
        self.host.change_wish(index=round(state.slice_at(position)))

    def click(self, position: Triple, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.rest()
        QTest.mouseClick(self.window.view.viewport(), LEFT, modifiers, at(self.window.view, position))

    def drag(self, *positions: Triple, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """Press at the first place, move over the others, release at the last."""
        self.rest()  # what is still to be laid out would move the view under the pointer
        view = self.window.view
        drag(view, [at(view, p) for p in positions], modifiers)

    # --- the end ---

    def picture(self) -> QPixmap:
        """The window with all that stands over it, as on the screen."""
        self.rest()
        first, *others = shown_windows(self.window)
        pixmap = first.grab()
        painter = QPainter(pixmap)
        origin = first.mapToGlobal(QPoint(0, 0))
        for other in others:
            painter.drawPixmap(other.mapToGlobal(QPoint(0, 0)) - origin, other.grab())
        painter.end()
        return pixmap

    def close(self) -> None:
        for other in shown_windows(self.window)[1:]:
            other.close()
        self.window.close()
        self.window.deleteLater()
        self.host.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def at(view: SliceView, position: Triple) -> QPoint:
    """Where in the viewport a place is painted."""
    x, y = view.state.placement(view.viewport_size).to_viewport(view.state.point_of(position))
    return QPoint(round(x), round(y))


def drag(view: SliceView, points: Sequence[QPoint], modifiers: Qt.KeyboardModifier = NONE) -> None:
    """A drag with the left button through points of the viewport."""
    port = view.viewport()
    QTest.mousePress(port, LEFT, modifiers, points[0])
    for start, end in pairwise(points):
        for part in (0.5, 1.0):
            QTest.mouseMove(port, start + (end - start) * part)
            QApplication.processEvents()
    QTest.mouseRelease(port, LEFT, modifiers, points[-1])
