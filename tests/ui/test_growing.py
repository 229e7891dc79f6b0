"""A folder that is being read: rows come as they are found, can be looked at, and the final list decides."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import PATIENCE_MS, settle
from viewer.io import open as io_open
from viewer.io.series import Listing, Refusal, SeriesEntry
from viewer.ui.browser_rows import state_of
from viewer.ui.window import Window

FILES = 60


class Look:
    """A look into files that finds what the test tells it to find."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.words: queue.Queue[Any] = queue.Queue()

        def find(_paths: Sequence[Path], *, progress: Any, found: Any = None) -> Listing:
            done = 0
            while True:
                progress(done, 10_000)  # raises after Cancel
                try:
                    word = self.words.get(timeout=0.01)
                except queue.Empty:
                    continue
                if isinstance(word, int):
                    done = word
                elif isinstance(word, tuple):
                    found(Listing(*word))
                else:
                    return word

        monkeypatch.setattr(io_open, "find", find)


@pytest.fixture
def ct(shared_data: Path) -> SeriesEntry:
    """A real series of 60 planes, as it is found in the end."""
    (entry,) = (e for e in io_open.find([shared_data / "ct_chest_lidc"]).series if e.kind != "other")
    assert entry.shape[0] == FILES
    return entry


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    made = Look(monkeypatch)
    yield made
    made.words.put(Listing())


@pytest.fixture
def part(ct: SeriesEntry, shared_data: Path) -> SeriesEntry:
    """The same series when only its first 20 files are known."""
    (entry,) = (e for e in io_open.find(list(ct.files[:20])).series if e.kind != "other")
    assert (entry.id, entry.shape[0]) == (ct.id, 20)
    return entry


def rows(window: Window) -> list[tuple[str, int, bool]]:
    return [(r.entry.id, r.entry.shape[0], r.is_growing) for r in window.opener.rows()]


def listed(window: Window, qtbot: Any, count: int) -> None:
    qtbot.waitUntil(lambda: [r[1] for r in rows(window)] == [count], timeout=PATIENCE_MS)
    QApplication.processEvents()


def test_a_row_grows_with_what_is_found_and_says_so(window: Window, qtbot: Any, part: SeriesEntry, ct: SeriesEntry, look: Look) -> None:
    window.open_paths([Path("/study")])
    look.words.put(((part,),))
    listed(window, qtbot, 20)
    row = window.opener.rows()[0]
    assert row.is_growing and state_of(row)[2] == "20 images so far"
    assert window.host.root_id == ""  # nothing is pushed into the view before all is known
    look.words.put(((replace(ct, id="other-1"), ct),))
    qtbot.waitUntil(lambda: len(rows(window)) == 2, timeout=PATIENCE_MS)
    look.words.put(Listing((ct,)))
    settle(qtbot, window)
    assert rows(window) == [(ct.id, FILES, False)]  # the final list decides
    assert window.host.state.count == FILES


def test_progress_says_files_of_how_many_and_how_fast(window: Window, qtbot: Any, look: Look) -> None:
    window.open_paths([Path("/study")])
    look.words.put(1240)
    browser = window.browser
    qtbot.waitUntil(lambda: browser._reading_words.text() == "1,240 of 10,000 files", timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: browser._pace_words.text().endswith(" files/s"), timeout=PATIENCE_MS)
    assert browser.cancel.isVisible()
    assert browser.reading.toolTip().startswith("1,240 of 10,000 files, ")


def test_a_growing_series_shows_its_first_picture_when_clicked_and_all_of_it_when_the_look_is_over(
    window: Window, qtbot: Any, part: SeriesEntry, ct: SeriesEntry, look: Look
) -> None:
    window.open_paths([Path("/study")])
    look.words.put(((part,),))
    listed(window, qtbot, 20)
    index = window.browser._items[ct.id].index()
    qtbot.mouseClick(window.browser.tree.viewport(), Qt.MouseButton.LeftButton, pos=window.browser.tree.visualRect(index).center())
    qtbot.waitUntil(lambda: window.host.arriving is not None, timeout=PATIENCE_MS)
    window.view.grab()
    assert window.view._item.picture is not None and window.host.seen.count == 20
    place = window.host.seen.geometry.to_patient((window.host.seen.array_index, 0, 0))
    window.host.change_wish(index=window.host.seen.index)  # the user has been there
    look.words.put(Listing((ct,)))
    settle(qtbot, window)
    state = window.host.state
    assert state.count == FILES
    assert state.geometry.to_patient((state.array_index, 0, 0)) == pytest.approx(place, abs=1e-3)


def test_cancel_keeps_what_was_found_and_says_so(window: Window, qtbot: Any, part: SeriesEntry, look: Look) -> None:
    window.open_paths([Path("/study")])
    look.words.put(((part,), (Refusal(Path("bad.dcm"), "bad.dcm is cut off."),)))
    listed(window, qtbot, 20)
    qtbot.waitUntil(lambda: window.browser.cancel.isVisible(), timeout=PATIENCE_MS)
    qtbot.mouseClick(window.browser.cancel, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert rows(window) == [(part.id, 20, False)]
    message = window.messages.message()
    assert message is not None and "the 1 series found so far" in message.text
    assert not window.browser.reading.isVisible()
    assert [r.reason for r in window.opener.refused] == ["bad.dcm is cut off."]
    window.opener.show(part.id)
    settle(qtbot, window)
    assert window.host.state.count == 20


def test_closing_all_while_a_folder_is_read_leaves_nothing_of_it(window: Window, qtbot: Any, part: SeriesEntry, look: Look) -> None:
    window.open_paths([Path("/study")])
    look.words.put(((part,),))
    listed(window, qtbot, 20)
    window.commands.close_all()
    settle(qtbot, window)
    assert rows(window) == [] and window.host.root_id == ""


def test_files_that_could_not_be_read_stay_listed_when_more_is_opened(window: Window, qtbot: Any, look: Look) -> None:
    for number in range(2):
        window.open_paths([Path("/study")])
        look.words.put(Listing((), tuple(Refusal(Path(f"{number}-{n}.dcm"), f"{number}-{n}.dcm is cut off.") for n in range(2))))
        settle(qtbot, window)
    window.messages.clear_messages()
    assert len(window.opener.refused) == 4
    tree = window.browser.tree
    tree.setFocus()
    tree.setCurrentIndex(window.browser.model.index(window.browser.model.rowCount() - 1, 0))
    qtbot.keyClick(tree, Qt.Key.Key_Return)
    from tests.ui.window_samples import dialog_of

    dialog = dialog_of(window)
    assert dialog.text.toPlainText().splitlines()[-1] == "1-1.dcm is cut off."
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().count("cut off") == 4


def test_what_could_not_be_read_does_not_come_back_after_closing_all(window: Window, qtbot: Any, part: SeriesEntry, look: Look) -> None:
    window.open_paths([Path("/study")])
    look.words.put(((part,), (Refusal(Path("bad.dcm"), "bad.dcm is cut off."),)))
    listed(window, qtbot, 20)
    window.commands.close_all()
    settle(qtbot, window)
    assert window.opener.refused == () and window.browser.empty.isVisible()
    assert window.messages.message() is None  # nothing is listed, so nothing is said of what is listed


def test_a_second_look_does_not_take_progress_and_cancel_from_the_first(
    window: Window, qtbot: Any, part: SeriesEntry, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.open_paths([Path("/study")])
    look.words.put(1240)
    browser = window.browser
    qtbot.waitUntil(lambda: browser._reading_words.text() == "1,240 of 10,000 files", timeout=PATIENCE_MS)
    first = io_open.find
    monkeypatch.setattr(io_open, "find", lambda *_args, **_options: Listing())
    window.open_paths([Path("/quick")])
    qtbot.waitUntil(lambda: len(window.opener._host.work._held) == 1, timeout=PATIENCE_MS)
    monkeypatch.setattr(io_open, "find", first)
    assert window.opener.is_scanning
    look.words.put(1300)
    qtbot.waitUntil(lambda: browser._reading_words.text() == "1,300 of 10,000 files" and browser.cancel.isVisible(), timeout=PATIENCE_MS)
    qtbot.mouseClick(browser.cancel, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert not window.opener.is_scanning and not browser.reading.isVisible()


def test_what_a_second_look_knows_so_far_does_not_shorten_a_whole_series(
    window: Window, qtbot: Any, part: SeriesEntry, ct: SeriesEntry, look: Look
) -> None:
    other = replace(ct, id="other")
    window.open_paths([Path("/study")])
    look.words.put(Listing((other, ct)))
    settle(qtbot, window)
    assert [r[1] for r in rows(window)] == [FILES, FILES]
    window.open_paths([Path("/study")])
    look.words.put(((replace(part, id="other"), part, replace(part, id="new")),))
    qtbot.waitUntil(lambda: len(rows(window)) == 3, timeout=PATIENCE_MS)
    window.opener.cancel_scan()
    settle(qtbot, window)
    assert {r[0]: r[1] for r in rows(window)} == {"other": FILES, ct.id: FILES, "new": 20}
