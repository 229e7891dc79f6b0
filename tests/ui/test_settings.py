"""The settings: each change counts at once and is kept, each page goes back, and nothing is left where that is wanted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from tests.ui.conftest import destroy
from tests.ui.window_samples import dialog_of, made_volume, put_volume
from viewer.core import geometry, labels, letters
from viewer.core.window import Window as ValueWindow
from viewer.draw import picture
from viewer.draw.overlay import shown_badges
from viewer.jobs.pool import Pool
from viewer.session.plugins import Plugin, Registry, discover
from viewer.session.settings import DEFAULTS, LEAVE_NOTHING, TRACES, Settings
from viewer.ui import theme
from viewer.ui.dialogs.settings import PAGES, SettingsDialog, open_settings
from viewer.ui.dialogs.settings_pages import PluginsPage
from viewer.ui.host import Host
from viewer.ui.views import mouse
from viewer.ui.window import Window


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What holds for the whole process goes back."""
    yield
    mouse._handling = None
    picture.use_smoothing(True)
    letters.use_letters("HF")
    labels.use_segment_colors()


def opened(window: Window, page: str) -> SettingsDialog:
    dialog = open_settings(window, page)
    QApplication.processEvents()
    return dialog


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_and_each_control_has_a_name(small_window: Window, page: str) -> None:
    dialog = opened(small_window, page)
    assert dialog.page.isVisible()
    assert dialog.tabs.button(page).hasFocus()
    for name in PAGES:
        dialog.show_page(name)
        assert [row for row in dialog.page.rows.values() if not row.accessibleName() and not row.findChildren(object)] == []


def test_settings_open_from_the_menu_and_by_key(small_window: Window, qtbot: Any) -> None:
    qtbot.keyClick(small_window.view, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert isinstance(dialog_of(small_window), SettingsDialog)


def test_the_theme_changes_at_once_and_is_kept(small_window: Window, settings: Settings) -> None:
    page = opened(small_window, "general").page
    page.theme.combo.setCurrentIndex(1)
    assert theme.tokens() is theme.LIGHT
    assert Settings(settings.path).chosen("theme") == "light"
    page.reset()
    assert theme.tokens() is theme.DARK
    assert page.theme.value() == "dark"


def test_the_profile_of_the_settings_is_that_of_keys_and_mouse(small_window: Window) -> None:
    page = opened(small_window, "general").page
    page.profile.combo.setCurrentIndex(2)
    assert small_window.keyboard.profile.name == "weasis"
    assert mouse.handling().gestures["right"] == "nothing"
    page.reset()
    assert mouse.handling().gestures["right"] == "zoom"


def test_corner_text_and_opacity_count_in_all_views_and_for_what_is_opened_next(small_window: Window, settings: Settings) -> None:
    small_window.host.arrange("1x2")
    opened(small_window, "view").page.text.combo.setCurrentIndex(1)
    opened(small_window, "segment").page.opacity.field.setText("60")
    small_window.findChildren(SettingsDialog)[-1].page.opacity.set_value(60)
    settings.set("label_opacity", 0.6)
    assert {(wish.text, wish.label_opacity) for wish in small_window.host.desk.wishes} == {("short", 0.6)}
    other = put_volume(small_window, made_volume(title="other"))
    assert small_window.host.wish.volume_id == other.id
    assert (small_window.host.wish.text, small_window.host.wish.label_opacity) == ("short", 0.6)


def test_without_smoothing_pixels_are_squares_and_no_badge_says_otherwise(small_window: Window, settings: Settings) -> None:
    small_window.host.change_wish(zoom=8.0, text="full", window=ValueWindow(1230, 80), window_unit="HU")

    def greys() -> int:
        QApplication.processEvents()
        image = small_window.view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        return len({image.pixelColor(x, image.height() // 2 + 3).red() for x in range(image.width() // 2 - 80, image.width() // 2 + 80)})

    def badges() -> list[str]:
        view = small_window.view
        return [name for name, _box in shown_badges(view.state, QRectF(0, 0, *view.viewport_size), 1.0)]

    smooth = greys()
    assert "INTERPOLATED" in badges()
    settings.set("smooth", False)
    # 160 pixels of the screen are 20 or 21 of the image's columns of 8, and no grey between them.
    assert greys() <= 21 < smooth
    assert "INTERPOLATED" not in badges()


def test_letters_of_head_and_feet_are_those_of_the_settings(small_window: Window, settings: Settings) -> None:
    assert letters.shown_letters(geometry.letters((0, 0, 1))) == "H"
    settings.set("letters", "SI")
    assert letters.shown_letters(geometry.letters((0, 0, 1))) == "S"


def test_colours_of_new_segments_are_the_users(small_window: Window) -> None:
    page = opened(small_window, "segment").page
    page.set_color(0, "#112233")
    first = small_window.tooling.add_segment()
    assert small_window.host.document.layer(first.layer_id).segment(first.label).color == "#112233"
    second = small_window.tooling.add_segment()
    assert small_window.host.document.layer(second.layer_id).segment(second.label).color == labels.SEGMENT_COLORS[1]
    page.reset()
    assert labels.segment_color(1) == labels.SEGMENT_COLORS[0]


def test_a_plugin_that_is_not_built_in_is_switched_for_this_version_only(tmp_path: Path, settings: Settings, qtbot: Any, themed: Any) -> None:
    other = Plugin("vessels", "Vessels", "1.2", is_builtin=False, is_enabled=False)
    host = Host(Registry((*discover().plugins, other)), Pool(inline=True), settings, journal=False)
    page = PluginsPage(host)
    qtbot.addWidget(page)
    assert not page.switches["enhance"].switch.isEnabled()
    page.switches["vessels"].switch.click()
    assert settings.chosen("plugins") == ["vessels==1.2"]
    page.switches["vessels"].switch.click()
    assert settings.chosen("plugins") == []
    host.close()


# --- RELIABILITY 12 ---


def marked(folder: Path, mark: bytes) -> list[Path]:
    """Files under a folder that hold the mark in name or content."""
    return [path for path in folder.rglob("*") if path.is_file() and (mark in path.read_bytes() or mark in os.fsencode(path.name))]


@pytest.mark.parametrize("leaves_nothing", [False, True])
def test_r12_nothing_is_left_during_and_after_a_session_where_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, themed: Any, leaves_nothing: bool
) -> None:
    home = tmp_path / "home"
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home / name))
    settings = Settings()
    settings.set(LEAVE_NOTHING, leaves_nothing)
    host = Host(discover(), Pool(inline=True), settings)
    window = Window(host)
    window.show()
    put_volume(window, made_volume(title="Kowalewski"))
    window.tooling.add_segment("Kowalewski")
    host.settings.add_recent(Path("/images/Kowalewski"))
    settings.set("last_folder", "/images/Kowalewski")
    if host.document.store is not None:
        host.document.store.flush()
    during = marked(home, b"Kowalewski")
    assert bool(during) is not leaves_nothing
    assert settings.get("last_folder", "") == "/images/Kowalewski"  # still at hand while the program runs
    destroy(window)
    if leaves_nothing:
        assert marked(home, b"Kowalewski") == []
        assert not list((home / "XDG_DATA_HOME").rglob("*.nego"))


def test_r12_switching_it_on_wipes_what_was_remembered_and_says_so(small_window: Window, settings: Settings) -> None:
    settings.add_recent(Path("/images/a"))
    settings.set("last_folder", "/images/a")
    page = opened(small_window, "privacy").page
    page.nothing.switch.click()
    assert settings.recent() == ()
    assert not set(Settings(settings.path)._values) & set(TRACES)
    settings.add_recent(Path("/images/b"))
    assert settings.recent() == ()
    message = small_window.messages.message()
    assert message is not None
    assert "Nothing is left on this computer" in message.text
    page.reset()
    settings.add_recent(Path("/images/b"))
    assert settings.recent() == (Path("/images/b"),)


def test_r12_forget_wipes_and_lists_what_it_wiped(small_window: Window, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    left = tmp_path / "data" / "negatoscope" / "journals" / "crashed.nego"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"")
    settings.add_recent(Path("/images/a"))
    settings.set("theme", "light")
    page = opened(small_window, "privacy").page
    page.forget.click()
    assert "recent folders and files" in page.told.text()
    assert "crashed" in page.told.text()
    assert not left.exists()
    assert settings.recent() == ()
    assert settings.chosen("theme") == "light"
    page.forget.click()
    assert page.told.text() == "There was nothing to forget."


# --- the file ---


def test_settings_that_make_no_sense_count_as_not_set(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('theme = 7\nsmooth = "yes"\nletters = "SI"\n', encoding="utf-8")
    read = Settings(path)
    assert (read.chosen("theme"), read.chosen("smooth"), read.chosen("letters")) == ("dark", True, "SI")
    assert set(DEFAULTS) >= {"language", "theme", "profile"}


def test_who_watches_is_told_once_and_only_while_it_lives(tmp_path: Path) -> None:
    class Listener:
        def __init__(self) -> None:
            self.told: list[str] = []

        def hear(self, key: str) -> None:
            self.told.append(key)

    settings, listener = Settings(tmp_path / "settings.toml"), Listener()
    settings.watch(listener.hear)
    settings.set("theme", "light")
    settings.set("theme", "light")
    assert listener.told == ["theme"]
    told = listener.told
    del listener
    settings.set("theme", "dark")
    assert told == ["theme"]
