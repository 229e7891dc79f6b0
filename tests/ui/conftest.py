"""A whole window on settings of its own, closed and looked after; images to show in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QMainWindow
from shiboken6 import isValid

from tests.ui.panel_samples import Parts, make_parts
from viewer.session.settings import Settings
from viewer.ui.theme import apply_theme, set_reduced_motion, theme

# The window itself is imported where it is made: tests of single controls do without it.
if TYPE_CHECKING:
    from viewer.ui.window import Window


@pytest.fixture(autouse=True)
def own_hand(qapp: QApplication) -> Iterator[None]:
    """Mouse, gestures and presets are those of the whole program: what a test does to them goes with it."""
    from viewer.ui.views import mouse
    from viewer.ui.views.commands import use_presets

    yield
    use_presets("default")
    mouse._handling = None
    assert qapp.mouseButtons() == Qt.MouseButton.NoButton, "this test leaves a mouse button pressed, for the next one too"


@pytest.fixture
def themed(qapp: QApplication) -> Iterator[QApplication]:
    """The dark theme; what the test puts in its place goes with it."""
    owner = theme(qapp)
    owner.use("dark", 1.0)
    QCursor.setPos(QPoint(4000, 4000))  # offscreen the pointer sits in a corner, over a button
    yield qapp
    if (owner.mode, owner.text_scale) != ("dark", 1.0):
        owner.use("dark", 1.0)


@pytest.fixture
def calm(qapp: QApplication) -> Iterator[None]:
    """The dark theme without motion, for controls and panels on their own."""
    apply_theme(qapp, "dark")
    set_reduced_motion(True)
    yield
    set_reduced_motion(None)


@pytest.fixture
def frame(qtbot: Any, request: pytest.FixtureRequest) -> QMainWindow:
    """A window for one panel, of the size ``FRAME`` of the test's module."""
    window = QMainWindow()
    window.resize(*request.module.FRAME)
    qtbot.addWidget(window)
    return window


@pytest.fixture
def parts(tmp_path: Path, frame: QMainWindow) -> Iterator[Parts]:
    """What a panel is given, without the window."""
    made = make_parts(tmp_path, frame)
    yield made
    made.host.close_all()
    made.host.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.toml")


@pytest.fixture
def make_window(themed: QApplication, qtbot: Any, settings: Settings) -> Iterator[Callable[..., Window]]:
    """Makes windows of a size, each on a host of its own; they are closed after the test, and nothing of them may stay."""
    from tests.ui.window_samples import PATIENCE_MS, settle
    from viewer.jobs.pool import Pool
    from viewer.session.plugins import discover
    from viewer.ui.host import Host
    from viewer.ui.window import Window

    made: list[Window] = []

    def make(width: int = 1280, height: int = 800) -> Window:
        window = Window(Host(discover(), Pool(inline=True), settings, journal=False))
        made.append(window)
        window.resize(width, height)
        with qtbot.waitSignal(window.host.specs_ready, timeout=PATIENCE_MS):
            window.show()
        window.activateWindow()
        qtbot.waitExposed(window)
        settle(qtbot, window)
        return window

    yield make
    while made:
        destroy(made.pop())
    assert [w for w in themed.topLevelWidgets() if isinstance(w, Window)] == []


def destroy(window: Window) -> None:
    """Close a window and have Qt take it apart with its host."""
    if not isValid(window):
        return  # the test did it
    host = window.host
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    host.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    window.__dict__.clear()  # pytest holds the shell until after the look at what is left


@pytest.fixture
def window(make_window: Callable[..., Window]) -> Window:
    """A window of 1280 x 800 with nothing open."""
    return make_window()


@pytest.fixture
def open_paths(qtbot: Any) -> Callable[..., None]:
    """Opens paths in a window and waits until all is read."""
    from tests.ui.window_samples import settle

    def open_them(window: Window, *paths: Path) -> None:
        window.open_paths(paths)
        settle(qtbot, window)

    return open_them


@pytest.fixture
def ct_window(window: Window, shared_data: Path, open_paths: Callable[..., None]) -> Window:
    """A window with a real CT of 60 planes."""
    open_paths(window, shared_data / "ct_chest_lidc")
    assert window.host.state.volume is not None
    return window


@pytest.fixture
def small_window(window: Window) -> Window:
    """A window with a small made CT of 5 planes, that no file holds."""
    from tests.ui.window_samples import made_volume, put_volume

    put_volume(window, made_volume())
    return window
