"""Objects that are no pictures, in the browser: what they are called, who shows them, and what is said where nobody can."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from viewer.core.volume import Identity
from viewer.io.series import ObjectKind, SeriesEntry
from viewer.ui import objects
from viewer.ui.browser_rows import count_of, spare_icon
from viewer.ui.icons import icon_names
from viewer.ui.opening import Row
from viewer.ui.window import Window

ENTRY = SeriesEntry("object", "dicom", "other", (Path("/x/object.dcm"),), Identity(modality="RTDOSE", patient_id="P"), "Plan dose", (0, 0, 0))


def kinds() -> list[str]:
    return [kind for kind in get_args(ObjectKind) if kind]


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_of_object_has_a_name_and_an_icon(kind: Any) -> None:
    entry = replace(ENTRY, object_kind=kind)
    assert objects.object_name(entry) and count_of(entry) == objects.object_name(entry)
    assert spare_icon(Row(entry)) in icon_names()


def listed(window: Window, entry: SeriesEntry) -> None:
    window.opener._rows[entry.id] = Row(entry)
    window.opener.rows_changed.emit()
    QApplication.processEvents()


def choose(window: Window, qtbot: Any, entry: SeriesEntry, *, by_key: bool = False) -> None:
    tree, index = window.browser.tree, window.browser._items[entry.id].index()
    if by_key:
        tree.setFocus()
        tree.setCurrentIndex(index)
        qtbot.keyClick(tree, Qt.Key.Key_Return)
    else:
        qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualRect(index).center())


def test_a_click_says_what_an_object_is_though_a_file_beside_it_could_not_be_read(
    window: Window, qtbot: Any, shared_data: Path, tmp_path: Path, open_paths: Any
) -> None:
    for name in ("wave_dfl", "GH340.dcm"):
        (tmp_path / name).write_bytes((shared_data / "single" / name).read_bytes())
    open_paths(window, tmp_path)
    window.messages.clear_messages()
    assert len(window.opener.refused) == 1
    choose(window, qtbot, window.opener.rows()[0].entry)
    message = window.messages.message()
    assert message is not None and "curves are not drawn here" in message.text


@pytest.mark.parametrize("by_key", [False, True])
def test_activating_an_object_asks_the_one_who_shows_its_kind(window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch, by_key: bool) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setitem(objects.HANDLERS, "dose", lambda *what: asked.append(what))
    entry = replace(ENTRY, object_kind="dose")
    listed(window, entry)
    choose(window, qtbot, entry, by_key=by_key)
    assert asked == [(window.host, window.opener, entry)]
    assert window.messages.message() is None


def test_where_nobody_shows_a_kind_it_says_what_it_is(window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(objects.HANDLERS, "map", raising=False)
    entry = replace(ENTRY, object_kind="map", title="Perfusion")
    listed(window, entry)
    choose(window, qtbot, entry)
    message = window.messages.message()
    assert message is not None and message.text == "Perfusion (Parametric map) is listed, but cannot be shown."


def test_what_cannot_be_shown_now_is_said_and_the_window_goes_on(window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from viewer.core.errors import UnreadableFile

    def refuse(*_what: Any) -> None:
        raise UnreadableFile("object.dcm: its series is not open.")

    monkeypatch.setitem(objects.HANDLERS, "dose", refuse)
    entry = replace(ENTRY, object_kind="dose")
    listed(window, entry)
    choose(window, qtbot, entry)
    message = window.messages.message()
    assert message is not None and message.text == "object.dcm: its series is not open."
