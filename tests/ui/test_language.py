"""The language changes at once: same document, views, history, panel and tool, other words; nothing of the old window stays."""

from __future__ import annotations

import ast
import gc
import re
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QWidget
from shiboken6 import isValid

from tests.ui.conftest import destroy
from tests.ui.window_samples import PATIENCE_MS, dialog_of, made_volume, put_volume, settle
from viewer.core import words

if TYPE_CHECKING:
    from viewer.ui.window import Window

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def _in_english(qapp: QApplication) -> Iterator[None]:
    from viewer.ui import language

    yield
    language.speak(qapp, "en")


@pytest.fixture
def switch(qtbot: Any) -> Iterator[Callable[[Window, str], Window]]:
    """Choose a language in the menu; the window that comes."""
    from viewer.ui.window import Window

    made: list[Window] = []
    gone: list[Window] = []

    def switched(window: Window, name: str) -> Window:
        window.actions_table[f"language.{name}"].trigger()

        def new() -> list[Window]:
            return [w for w in QApplication.topLevelWidgets() if isinstance(w, Window) and w.isVisible() and w is not window]

        qtbot.waitUntil(lambda: bool(new()), timeout=PATIENCE_MS)
        made.extend(new())
        gone.append(window)
        qtbot.waitUntil(lambda: not isValid(window), timeout=PATIENCE_MS)
        settle(qtbot, made[-1])
        return made[-1]

    yield switched
    for window in made:
        destroy(window)
    for window in gone:
        window.__dict__.clear()  # pytest holds the shell until after the look at what is left


def shown_words(window: QWidget) -> list[str]:
    return [w.text() for w in window.findChildren(QWidget) if w.isVisible() and isinstance(w, QLabel | QPushButton) and w.text()]


def test_all_words_of_the_window_change_at_once(window: Window, switch: Any) -> None:
    assert "Open folder" in shown_words(window) and not any(HAN.search(t) for t in shown_words(window))
    new = switch(window, "zh_CN")
    assert words.language() == "zh_CN"
    latin = [t for t in shown_words(new) if not HAN.search(t) and "Ctrl" not in t]
    assert "打开文件夹" in shown_words(new)
    assert [t for t in latin if re.search(r"[a-z]{3}", t)] == []
    assert new.actions_table["file.open_folder"].text() == "打开文件夹"
    back = switch(new, "en")
    assert "Open folder" in shown_words(back) and not any(HAN.search(t) for t in shown_words(back))


def test_what_is_open_stays_open_with_its_history_view_panel_and_tool(window: Window, switch: Any, qtbot: Any) -> None:
    volume = put_volume(window, made_volume())
    host = window.host
    with host.document.edit("Measure a distance") as edit:
        edit.put(made_annotation(volume.id))
    host.change_wish(index=3, zoom=2.0)
    window.dock.show_panel("measure")
    window.tooling.pick("pan")
    window.results.setVisible(True)
    window.resize(1111, 700)
    window.grid.set_identity(False)
    host.say("warn", words.gettext("Nothing is open."))
    document, wish, position = host.document, host.wish, host.document.history.position
    new = switch(window, "zh_CN")
    assert new.host is host and host.document is document and host.document.history.position == position
    assert host.wish == wish and new.view.state.volume is volume and new.view.state.index == 3
    assert new.dock.current_name == "measure" and new.tooling.name == "pan"
    assert new.results.isVisible() and new.size().width() == 1111 and not new.grid.identity
    assert new.messages.message().text == "尚未打开任何内容。"
    host.undo()
    QApplication.processEvents()  # the actions follow at the end of the event
    assert host.document.history.position == position - 1
    assert not new.actions_table["edit.undo"].isEnabled()


def made_annotation(volume_id: str) -> Any:
    from viewer.core.annotation import Annotation
    from viewer.core.ids import new_id

    return Annotation(new_id("annotation"), "distance", volume_id, ((0.0, 0.0, 0.0), (5.0, 0.0, 0.0)))


def test_what_was_entered_in_a_form_is_there_again(window: Window, switch: Any) -> None:
    from viewer.ui.panels.operation_panel import OperationPanel

    put_volume(window, made_volume())
    window.show_operation("Enhance/Gaussian")
    panel = window.dock.panel("enhance").findChild(OperationPanel) or window.dock.panel("enhance")
    panel.form.set_values({"sigma": 3.5})
    new = switch(window, "zh_CN")
    panel = new.dock.panel("enhance").findChild(OperationPanel) or new.dock.panel("enhance")
    assert panel.name == "Enhance/Gaussian" and panel.form.values()["sigma"] == 3.5
    assert panel.chooser.currentText() == words.gettext("Gaussian")


def test_the_settings_change_it_too_and_it_is_remembered(window: Window, switch: Any) -> None:
    new = switch(window, "zh_CN")
    assert new.host.settings.get("language", "") == "zh_CN"
    assert new.actions_table["language.zh_CN"].isChecked() and not new.actions_table["language.en"].isChecked()
    new.actions_table["language.zh_CN"].trigger()  # once more: nothing happens, and it stays checked
    assert new.actions_table["language.zh_CN"].isChecked() and new.isVisible()


def test_chosen_in_the_settings_dialog_it_counts_at_once_and_the_dialog_stays_open(window: Window, switch: Any) -> None:
    window.actions_table["edit.settings"].trigger()
    dialog = dialog_of(window)
    dialog.page.language.combo.setCurrentIndex(2)
    dialog.page.language.settled.emit("zh_CN")
    new = switch(window, "zh_CN")
    again = dialog_of(new)
    assert again.page.language.value() == "zh_CN" and again.page.language.label == "语言"
    again.reject()


def test_views_in_windows_of_their_own_stay_there(window: Window, switch: Any) -> None:
    volume = put_volume(window, made_volume())
    window.layout_commands.detach()
    window.host.show_volume(volume.id)
    cells = len(window.host.desk.wishes)
    new = switch(window, "zh_CN")
    assert len(new.host.desk.wishes) == cells == 2 and len(new.grid.views) == 2
    own = new.grid.views[1].window()
    assert own is not new and own.isVisible() and "视图 2" in own.windowTitle()
    own.close()
    assert len(new.host.desk.wishes) == 1


def test_the_menu_names_each_language_in_itself(window: Window) -> None:
    menu = window.top_bar.build_menu()
    parts = [part for part in menu.findChildren(QMenu) if part.title() == "Language"]
    assert [a.text() for a in parts[0].actions()] == ["Language of the system", "English", "简体中文"]
    menu.deleteLater()


def test_dialogs_of_qt_itself_speak_it(window: Window, switch: Any) -> None:
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Cancel"
    new = switch(window, "zh_CN")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "取消"
    switch(new, "en")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Cancel"


def test_nothing_of_the_window_before_listens_any_more(window: Window, switch: Any) -> None:
    put_volume(window, made_volume())
    for name in ("segment", "measure", "classify", "enhance", "history"):
        window.dock.show_panel(name)
    new = switch(window, "zh_CN")
    gc.collect()
    # Errors in slots fail a test: widgets that are gone would raise here.
    new.host.change_wish(index=1)
    new.host.set_wish(new.host.wish)
    new.tooling.pick("zoom")
    new.opener.rows_changed.emit()
    new.host.close_all()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()


def test_nothing_of_the_window_before_is_kept(window: Window, switch: Any) -> None:
    part = weakref.ref(window.dock)
    new = switch(window, "zh_CN")
    window.__dict__.clear()
    gc.collect()
    assert part() is None and new.dock is not None


def test_what_runs_ends_in_the_new_window(window: Window, switch: Any, qtbot: Any) -> None:
    put_volume(window, made_volume())
    window.show_operation("Enhance/Gaussian")
    go_on, told = threading.Event(), []
    window.host.work.run_thread(lambda _progress: go_on.wait(20), "x", told.append, told.append)
    window.actions_table["language.zh_CN"].trigger()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE_MS)
    assert isValid(window)  # what was begun in it may still call it back
    go_on.set()
    new = switch(window, "zh_CN")
    assert told == [True] and new.isVisible()


def test_a_catalogue_that_is_damaged_is_said_in_the_message_bar(window: Window, tmp_path: Path) -> None:
    from viewer.core.catalogue import Fault
    from viewer.ui import language

    language.tell(window.host, (Fault(tmp_path / "ui.po", 7, "a string has no end."),))
    assert window.messages.message().text == "1 translation is damaged and stays English."


def test_signals_of_the_host_are_connected_to_methods() -> None:
    """A lambda would stay connected when its widget is gone with a window of another language."""
    root = Path(__file__).resolve().parents[2]
    owners = ("host", "_host", "opener", "_opener", "tooling", "_tooling", "work", "recents")
    found = []
    for path in [*(root / "viewer" / "ui").rglob("*.py"), *(root / "plugins").rglob("*.py")]:
        if path.name.startswith("scenes") or path.name in ("opening.py", "loading.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect"):
                continue
            signal = node.func.value
            owner = signal.value if isinstance(signal, ast.Attribute) else None
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if name in owners and node.args and not isinstance(node.args[0], ast.Attribute):
                found.append(f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}")
    assert found == []
