"""Icons exist, can be drawn, follow the theme and are crisp."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import viewer.ui
from viewer.core.resources import resource
from viewer.ui import icons
from viewer.ui.controls import IconButton
from viewer.ui.theme import DARK, LIGHT, apply_theme


@pytest.fixture(autouse=True)
def _themed(qapp: QApplication) -> Iterator[None]:
    apply_theme(qapp, "dark")
    yield
    apply_theme(qapp, "dark")


def _inks(image: QImage) -> set[str]:
    """Colours of the fully covered pixels."""
    pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return {p.name() for p in pixels if p.alpha() == 255}


@pytest.mark.parametrize("name", icons.icon_names())
def test_every_icon_draws_something_within_its_grid(name: str) -> None:
    picture = icons.pixmap(name, 24, "#ff0000", 3.0).toImage()
    assert picture.width() == 72
    inked = sum(picture.pixelColor(x, y).alpha() > 128 for x in range(0, 72, 2) for y in range(0, 72, 2))
    assert 8 < inked < 700
    border = [picture.pixelColor(i, j).alpha() for i in range(72) for j in (0, 71)] + [
        picture.pixelColor(j, i).alpha() for i in range(72) for j in (0, 71)
    ]
    assert max(border) == 0, "it touches the edge of its grid"
    text = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    assert 'stroke="currentColor"' in text
    assert 'stroke-width="2"' in text
    assert 'viewBox="0 0 24 24"' in text


def test_every_icon_named_in_the_program_is_there() -> None:
    known = set(icons.icon_names())
    named: set[str] = set()
    for path in Path(viewer.ui.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'(?:set_icon\([\w.]+, |IconButton\(|IconLabel\(|ToolButton\(|icon=|icons\.pixmap\()"([a-z0-9-]+)"', text))
    assert named - known == set()


def test_licence_and_version_are_beside_the_icons() -> None:
    assert "ISC License" in resource("icons", "LICENSE").read_text(encoding="utf-8")
    assert "1.62.0" in resource("icons", "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("mode", "state", "token"),
    [
        (QIcon.Mode.Normal, QIcon.State.Off, "text2"),
        (QIcon.Mode.Active, QIcon.State.Off, "text"),
        (QIcon.Mode.Disabled, QIcon.State.Off, "disabled"),
        (QIcon.Mode.Normal, QIcon.State.On, "accent_text"),
        (QIcon.Mode.Disabled, QIcon.State.On, "disabled"),
    ],
)
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_states_have_their_colours_at_every_scale(mode: QIcon.Mode, state: QIcon.State, token: str, scale: int) -> None:
    picture = icons.icon("square", size=20).pixmap(QSize(20, 20), scale, mode, state)
    assert picture.width() == 20 * scale
    assert picture.devicePixelRatio() == scale
    inks = _inks(picture.toImage())
    wanted = QColor(getattr(DARK, token))
    if scale > 1:
        assert inks
        assert all(abs(QColor(i).red() - wanted.red()) <= 2 and abs(QColor(i).blue() - wanted.blue()) <= 2 for i in inks)


def test_same_icon_is_made_once_and_again_after_a_theme_change(qapp: QApplication) -> None:
    first = icons.icon("hand")
    assert icons.icon("hand") is first
    apply_theme(qapp, "light")
    second = icons.icon("hand")
    assert second is not first
    inks = _inks(second.pixmap(QSize(16, 16), 3.0).toImage())
    assert QColor(LIGHT.text2).name() in inks


def test_buttons_follow_a_theme_change(qapp: QApplication, qtbot: QtBot) -> None:
    button = IconButton("square", "Square")
    qtbot.addWidget(button)
    apply_theme(qapp, "light")
    assert QColor(LIGHT.text2).name() in _inks(button.icon().pixmap(QSize(16, 16), 3.0).toImage())


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match='no icon "no-such-icon"'):
        icons.icon("no-such-icon")
    with pytest.raises(ValueError, match="tint"):
        icons.icon("hand", tint="pink")


def test_an_actions_icon_is_made_when_it_is_about_to_be_seen(qapp: QApplication) -> None:
    action = QAction("Square")
    icons.promise_icon(action, "square")
    assert action.icon().isNull()
    apply_theme(qapp, "light")
    icons.renew(action)
    assert action.icon().isNull()  # nobody sees it: a change of the theme makes none either
    icons.keep_promise(action)
    assert QColor(LIGHT.text2).name() in _inks(action.icon().pixmap(QSize(16, 16), 3.0).toImage())
    apply_theme(qapp, "dark")
    icons.renew(action)
    assert QColor(DARK.text2).name() in _inks(action.icon().pixmap(QSize(16, 16), 3.0).toImage())
