"""No word is cut and no control is without a name, over the main states at the usual and at the least size of the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from viewer.core.labels import LabelLayer, Segment, segment_color
from viewer.ui import screenshots
from viewer.ui.controls import Button, ElidedLabel, Label
from viewer.ui.scenes_check import complaints, shown_windows
from viewer.ui.window import Window

SIZES = ((1280, 800), (960, 600))
PANELS = ("enhance", "segment", "measure", "classify", "history")


@pytest.fixture
def filled(make_window: Callable[..., Window]) -> Callable[[tuple[int, int]], Window]:
    """Windows with a made CT, three segments (one locked, one hidden, one with a long name) and two steps."""
    from tests.ui.window_samples import made_volume, put_volume

    def make(size: tuple[int, int]) -> Window:
        window = make_window(*size)
        volume = put_volume(window, made_volume())
        names = ("Lung", "Aorta", "A structure whose name is longer than any row of the list has room for")
        segments = tuple(Segment(n, name, segment_color(n), is_locked=n == 1, is_visible=n != 2) for n, name in enumerate(names, 1))
        document = window.host.document
        with document.edit("Add segments") as edit:
            edit.put(LabelLayer("layer", "Segments", volume.geometry, volume.id, segments))
        with document.edit("Paint") as edit:
            edit.paint("layer", (slice(2, 3), slice(5, 20), slice(5, 30)), np.ones((1, 15, 25), np.bool_), 3)
        QApplication.processEvents()
        return window

    return make


def settled(window: Window) -> list[str]:
    for _ in range(3):
        QApplication.processEvents()
    return complaints(window)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_while_nothing_is_open(make_window: Callable[..., Window], size: tuple[int, int]) -> None:
    window = make_window(*size)
    for name in PANELS:
        window.dock.show_panel(name)
        assert settled(window) == [], name


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_in_the_panels(filled: Callable[[tuple[int, int]], Window], size: tuple[int, int]) -> None:
    window = filled(size)
    for name in PANELS:
        window.dock.show_panel(name)
        assert settled(window) == [], name
    window.show_results()
    assert settled(window) == []


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_in_any_form(filled: Callable[[tuple[int, int]], Window], size: tuple[int, int]) -> None:
    window = filled(size)
    seen = 0
    for entry in window.host.registry.operations:
        if entry.menu == "Classify":
            continue
        window.show_operation(entry.name)
        assert settled(window) == [], entry.name
        seen += 1
    assert seen > 15


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("action", ["file.export", "help.palette", "help.keys", "help.about", "file.close_all"])
def test_nothing_is_cut_in_a_dialog(filled: Callable[[tuple[int, int]], Window], size: tuple[int, int], action: str, qtbot: Any) -> None:
    window = filled(size)
    window.actions_table[action].trigger()
    qtbot.waitUntil(lambda: len(shown_windows(window)) == 2)
    assert settled(window) == []
    dialog = shown_windows(window)[1]
    assert dialog.width() <= size[0]
    assert dialog.height() <= size[1]
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(shown_windows(window)) == 1)


# --- the check itself ---


@pytest.fixture
def page(qtbot: Any, themed: QApplication) -> Iterator[QWidget]:
    made = QWidget()
    made.resize(300, 200)
    QVBoxLayout(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.deleteLater()


def put(page: QWidget, *widgets: QWidget) -> None:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    page.layout().addLayout(row)  # type: ignore[union-attr]
    QApplication.processEvents()


def test_a_cut_label_is_found_and_one_that_elides_with_a_tooltip_is_not(page: QWidget) -> None:
    words = "Words that are much longer than the room for them"
    label, elided = Label(words), ElidedLabel(words)
    for widget in (label, elided):
        widget.setFixedWidth(80)
    put(page, label, elided)
    found = complaints(page)
    assert len(found) == 1
    assert words in found[0]
    elided.setToolTip("")
    assert any("has no tooltip" in sentence for sentence in complaints(page))


def test_a_wrapped_label_without_height_is_found(page: QWidget) -> None:
    label = Label("A sentence that takes three or four lines where there is room for one of them only", wrap=True)
    label.setFixedSize(120, 18)
    put(page, label)
    assert any("of height" in sentence for sentence in complaints(page))


def test_a_cut_button_and_an_unnamed_field_are_found(page: QWidget) -> None:
    button = Button("Export everything")
    button.setFixedWidth(60)
    put(page, button, QLineEdit())
    found = complaints(page)
    assert any("Export everything" in sentence for sentence in found)
    assert any("has no name" in sentence for sentence in found)


def test_controls_that_lie_over_each_other_are_found(page: QWidget) -> None:
    first, second = QPushButton("One", page), QPushButton("Two", page)
    for button in (first, second):
        button.setGeometry(10, 10, 80, 28)
        button.show()
    assert any("over each other" in sentence for sentence in complaints(page))


def test_without_the_font_no_picture_is_made(themed: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(QFontDatabase, "families", staticmethod(lambda *_: ["DejaVu Sans"]))
    assert screenshots._make(tmp_path / "out", tmp_path, screenshots.SETS["A"], ()) == 2
    said = capsys.readouterr().err
    assert "fonts-inter" in said and "fonts-noto-cjk" in said
    assert not (tmp_path / "out").exists()


def test_characters_that_no_font_has_are_found(page: QWidget) -> None:
    put(page, Label("plain"), Label("\U0010fffd private"))
    found = complaints(page, glyphs=True)
    assert len(found) == 1 and "no font has: \U0010fffd" in found[0]
