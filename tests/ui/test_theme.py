"""Colours are told apart, the application takes a theme at any time, and nothing else names a colour."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFont, QPalette, QTextDocument
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

import viewer.ui
from viewer.ui import stylesheet
from viewer.ui import theme as look
from viewer.ui.controls import Button, ElidedLabel, Label, SearchField, TextField
from viewer.ui.theme import DARK, LIGHT, SIZES, Sizes, Tokens


@pytest.fixture(autouse=True)
def _themed(qapp: QApplication) -> Iterator[None]:
    look.apply_theme(qapp, "dark")
    yield
    look.apply_theme(qapp, "dark")


def _ratio(first: str, second: str) -> float:
    """WCAG 2.1 contrast by its definition, apart from the program's own."""

    def luminance(color: QColor) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (color.redF(), color.greenF(), color.blueF())]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    bright, dim = sorted((luminance(QColor(first)), luminance(QColor(second))), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


GROUNDS = ("window", "panel", "raised", "hover", "sel")
TEXT_PAIRS = [
    *(("text", ground) for ground in (*GROUNDS, "field", "pressed", "ok_bg", "warn_bg", "err_bg", "info_bg")),
    *(("text2", ground) for ground in GROUNDS),
    *(("text3", ground) for ground in ("window", "panel", "raised", "field")),
    *(("accent_text", ground) for ground in (*GROUNDS, "ok_bg", "warn_bg", "err_bg", "info_bg")),
    *((state, ground) for state in ("ok", "warn", "err", "busy") for ground in ("window", "panel", "raised")),
    *(("onaccent", ground) for ground in ("accent", "accent_hover", "accent_press")),
]
EDGE_PAIRS = [
    *(("line2", ground) for ground in ("window", "panel", "raised")),
    *(("accent", ground) for ground in GROUNDS),
    *((kind, f"{kind}_bg") for kind in ("ok", "warn", "err")),
    ("accent_text", "info_bg"),
]
# The ring of a filled accent button is ``text`` (2.8 to 1 on the accent in the light theme): it is told from the panel around it.


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
def test_words_in_use_reach_4_5_to_1(theme: Tokens) -> None:
    low = {pair: _ratio(getattr(theme, pair[0]), getattr(theme, pair[1])) for pair in TEXT_PAIRS}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
def test_edges_and_icons_reach_3_to_1(theme: Tokens) -> None:
    low = {pair: _ratio(getattr(theme, pair[0]), getattr(theme, pair[1])) for pair in EDGE_PAIRS}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 3.0} == {}


@pytest.mark.parametrize(("pair", "dark", "light"), [(("text", "window"), 14.9, 14.2), (("text3", "sel"), 3.8, 4.6), (("line2", "panel"), 3.7, 3.4)])
def test_contrast_gives_the_published_figures(pair: tuple[str, str], dark: float, light: float) -> None:
    for theme, figure in ((DARK, dark), (LIGHT, light)):
        assert look.contrast(getattr(theme, pair[0]), getattr(theme, pair[1])) == pytest.approx(figure, abs=0.051)
    assert look.contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
def test_grounds_are_nearly_neutral(theme: Tokens) -> None:
    for name in ("well", "window", "panel", "raised", "hover", "pressed", "field"):
        color = QColor(getattr(theme, name))
        channels = (color.red(), color.green(), color.blue())
        assert max(channels) - min(channels) <= 10, name


def test_colours_and_sizes_share_no_name() -> None:
    """The stylesheet fills in both by name; a shared one would put a number where a colour belongs."""
    assert {f.name for f in fields(Tokens)} & {f.name for f in fields(Sizes)} == set()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
def test_stylesheet_is_filled_in_and_names_its_pictures_with_forward_slashes(theme: Tokens) -> None:
    text = look.stylesheet(theme, SIZES)
    assert "$" not in text
    pictures = re.findall(r'url\("([^"]+)"\)', text)
    assert pictures
    assert all(Path(p).is_file() and "\\" not in p for p in pictures)
    assert not re.search(r"border[^;]*: \d+px (solid|dashed) \d", text)


def test_states_stand_after_sub_controls() -> None:
    assert re.findall(r":(?:focus|hover|disabled|pressed|checked)::", stylesheet.TEMPLATE) == []


def test_no_other_file_of_the_window_names_a_colour() -> None:
    folder = Path(viewer.ui.__file__).parent / "controls"
    named = {path.name for path in folder.rglob("*.py") if re.search(r'"#[0-9A-Fa-f]{6}"', path.read_text(encoding="utf-8"))}
    # A mask is drawn in black before it is tinted; that is checked, not shown.
    assert named <= {"dock_tabs.py"}


def test_every_palette_role_comes_from_the_tokens() -> None:
    known = {QColor(getattr(LIGHT, f.name)).name() for f in fields(Tokens) if f.name != "name"}
    made = look.palette(LIGHT)
    for role in QPalette.ColorRole:
        if role in (QPalette.ColorRole.NoRole, QPalette.ColorRole.NColorRoles):
            continue
        for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive, QPalette.ColorGroup.Disabled):
            assert made.color(group, role).name() in known, (role, group)
    assert made.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text).name() == LIGHT.disabled.lower()


def test_theme_changes_while_windows_are_open(qapp: QApplication, qtbot: QtBot) -> None:
    panel = QWidget()
    qtbot.addWidget(panel)
    button = Button("Apply", variant="primary", parent=panel)
    panel.show()
    qtbot.waitExposed(panel)
    with qtbot.waitSignal(look.theme(qapp).changed) as told:
        look.apply_theme(qapp, "light")
    assert told.args == [LIGHT]
    assert look.tokens() is LIGHT
    assert button.grab().toImage().pixelColor(5, 15).name() == LIGHT.accent.lower()
    look.apply_theme(qapp, "dark")
    assert button.grab().toImage().pixelColor(5, 15).name() == DARK.accent.lower()


def test_style_is_fusion(qapp: QApplication) -> None:
    qapp.setStyleSheet("")
    assert qapp.style().name() == "fusion"


def test_system_without_an_answer_is_dark(qapp: QApplication) -> None:
    assert look.apply_theme(qapp, "system") is DARK


def test_set_property_restyles_at_once(qtbot: QtBot) -> None:
    label = Label("42 is too much", "hint")
    qtbot.addWidget(label)
    label.show()
    look.set_property(label, "role", "error")
    assert label.palette().color(label.foregroundRole()).name() == DARK.err.lower()


def test_roles_set_the_type_size_and_keep_tabular_figures(qtbot: QtBot) -> None:
    label = Label("12.5", "caption")
    qtbot.addWidget(label)
    label.show()
    assert label.font().pixelSize() == SIZES.caption
    assert label.font().featureValue(QFont.Tag("tnum")) == 1
    head = Label("Export", "title")
    qtbot.addWidget(head)
    head.show()
    assert (head.font().pixelSize(), head.font().weight()) == (15, QFont.Weight.DemiBold)


def test_set_available_gives_the_reason_and_the_tooltip_back(qtbot: QtBot) -> None:
    button = Button("Export", tooltip="Export the view")
    qtbot.addWidget(button)
    look.set_available(button, "Open an image first.")
    assert (button.isEnabled(), button.toolTip()) == (False, "Open an image first.")
    look.set_available(button, "There is nothing to export.")
    look.set_available(button)
    assert (button.isEnabled(), button.toolTip()) == (True, "Export the view")
    button.setToolTip("Export the picture")
    look.set_available(button, "Open an image first.")
    look.set_available(button)
    assert button.toolTip() == "Export the picture"


@pytest.mark.parametrize("text", ["<b>Net</b>", '<img src="file:///tmp/x.png">', "plain < text & more", "two\nlines <i>x</i>", ""])
def test_tooltips_show_what_looks_like_markup_letter_by_letter(qtbot: QtBot, text: str) -> None:
    label = ElidedLabel("Net")
    qtbot.addWidget(label)
    label.set_tooltip(text)
    button = Button("Export")
    qtbot.addWidget(button)
    look.set_available(button, text)
    for tip in (label.toolTip(), button.toolTip()):
        shown = QTextDocument()
        (shown.setHtml if tip.startswith("<") else shown.setPlainText)(tip)  # as Qt itself decides
        assert shown.toPlainText() == text


def test_focus_does_not_change_the_size_of_buttons_and_fields(qtbot: QtBot) -> None:
    panel = QWidget()
    qtbot.addWidget(panel)
    parts = [Button("A", parent=panel), Button("A", variant="primary", parent=panel), TextField("a", parent=panel), SearchField("f", parent=panel)]
    panel.show()
    panel.activateWindow()
    for part in parts:
        before = part.sizeHint()
        part.setFocus()
        qtbot.waitUntil(part.hasFocus)
        assert part.sizeHint() == before
    assert parts[0].sizeHint().height() == SIZES.button
    assert parts[2].height() == SIZES.field_height


def test_larger_text_gives_larger_heights(qapp: QApplication, qtbot: QtBot) -> None:
    look.apply_theme(qapp, "dark", text_scale=1.5)
    button = Button("Apply")
    qtbot.addWidget(button)
    button.show()
    assert button.sizeHint().height() == 45
    assert look.sizes().radius == SIZES.radius
    label = Label("x", "caption")
    qtbot.addWidget(label)
    label.show()
    assert label.font().pixelSize() == 16


def test_plain_widgets_follow_the_theme_too(qtbot: QtBot) -> None:
    button = QPushButton("Close")
    qtbot.addWidget(button)
    button.show()
    assert button.sizeHint().height() == SIZES.button
    label = QLabel("x")
    qtbot.addWidget(label)
    label.show()
    assert label.palette().color(label.foregroundRole()).name() == DARK.text.lower()


def test_unwritable_cache_folder_is_no_hindrance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wall = tmp_path / "wall"
    wall.write_text("a file where a folder is wanted")
    with monkeypatch.context() as patched:
        patched.setattr(look.platformdirs, "user_cache_path", lambda _name: wall / "negatoscope")
        patched.setattr(look, "_spare_folder", lambda: tmp_path / "spare")
        path = Path(look.tinted_file("check", "#123456"))
    assert path.parent == tmp_path / "spare"
    assert "#123456" in path.read_text()


GARBAGE = """
import gc
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QDialog, QPushButton, QVBoxLayout, QWidget
from viewer.ui.theme import apply_theme

class Collects(QWidget):
    def changeEvent(self, event):
        if event.type() == QEvent.Type.StyleChange:
            gc.collect()

app = QApplication([])
apply_theme(app, "dark")
gc.disable()
kept = []
for number in range(200):
    dialog = QDialog()
    QVBoxLayout(dialog).addWidget(QPushButton("x"))
    dialog.itself = dialog
    dialog.show()
    kept.append(Collects())
    kept[-1].show()
del dialog
before = len(app.topLevelWidgets())
apply_theme(app, "light")
gc.collect()
print(before, len(app.topLevelWidgets()))
"""


def test_garbage_collected_while_the_theme_changes_is_no_crash() -> None:
    done = subprocess.run([sys.executable, "-c", GARBAGE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["400", "200"]), done.stderr[-2000:]
