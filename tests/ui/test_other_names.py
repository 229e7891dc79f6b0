"""Words of other viewers find our commands in the palette."""

from __future__ import annotations

from collections.abc import Callable

from viewer.ui.dialogs.palette import commands
from viewer.ui.window import Window


def test_words_of_other_viewers_find_our_commands(make_window: Callable[..., Window]) -> None:
    found = commands(make_window().actions_table)
    asked = {
        "mpr": "layout.mpr", "3x3": "layout.3x3", "compare": "layout.before_after", "cine": "view.cine", "w/l": "tool.window",
        "window level": "tool.window", "length": "tool.Measure/Distance", "screenshot": "file.export", "shortcuts": "help.keys",
    }  # fmt: skip
    for words, name in asked.items():
        assert name in {c.spec.id for c in found if c.rank(words.split()) is not None}, words
