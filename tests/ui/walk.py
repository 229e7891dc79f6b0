"""A walk through every state of the window that holds widgets: ``python -m tests.ui.walk LANGUAGE WIDTH HEIGHT`` prints what is wrong.

In a process of its own, since Qt takes the scale of the screen (``QT_SCALE_FACTOR``) once for the whole process.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NO_FONT = "No font here has all characters of this language."
PANELS = ("enhance", "segment", "measure", "classify", "history")
# They open a dialog of the system, which is not ours and waits for an answer; or end, or change what is walked through.
LEFT_OUT = {
    "file.open_folder", "file.open_file", "file.open_stack", "file.add_overlay", "file.add_segmentation", "file.sample", "file.quit",
    "file.close_all", "layout.detach", "view.full_screen", "analysis.classify", "analysis.classify_all", "models.add",
}  # fmt: skip


def main(language: str, width: int, height: int) -> int:
    """Walk, and print each complaint with the state that it is about; the exit code says whether there were any."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="negatoscope-walk-") as name:
        folder = Path(name)
        for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            os.environ[variable] = name
        from PySide6.QtCore import qInstallMessageHandler
        from PySide6.QtGui import QCursor
        from PySide6.QtWidgets import QApplication

        from viewer.core import words
        from viewer.session.plugins import discover
        from viewer.ui import language as spoken
        from viewer.ui import theme
        from viewer.ui.scenes_check import missing_glyphs
        from viewer.ui.scenes_stage import FAR_AWAY, Stage

        qInstallMessageHandler(lambda _kind, _context, text: None if text.startswith("This plugin") else print(f"Qt: {text}"))
        application = QApplication(["negatoscope"])
        QCursor.setPos(FAR_AWAY)
        theme.set_reduced_motion(True)
        theme.apply_theme(application, "dark")
        spoken.speak(application, language)
        if missing_glyphs("".join(words.every_text()), theme.font()):
            print(NO_FONT)
            return 0
        stage = Stage(folder, discover(), size=(width, height))
        found, states = 0, 0
        for state, sentences in walk(stage):
            states += 1
            for sentence in sentences:
                found += 1
                print(f"{state}: {sentence}")
        ratio = stage.window.devicePixelRatio()
        stage.close()
    print(f"{states} states, {found} complaints, {ratio:g} device pixels to a pixel")
    return 1 if found else 0


def walk(stage: Any) -> Iterator[tuple[str, list[str]]]:
    """(state, what is wrong in it): nothing open, then with images, through panels, forms, bars, popovers, menus and dialogs."""
    window = stage.window
    look = Looker(stage)
    for name in PANELS:
        window.dock.show_panel(name)
        yield f"nothing open, {name}", look()
    yield from dialogs(stage, look, "nothing open")
    fill(stage)
    for name in PANELS:
        window.dock.show_panel(name)
        yield f"open, {name}", look()
    for entry in window.host.registry.operations:
        window.show_operation(entry.name)
        yield f"form of {entry.name}", look()
    for entry in window.host.registry.tools:
        window.tooling.pick(entry.name)
        yield f"tool {entry.name}", look()
    window.tooling.pick("window")
    window.show_results()
    yield "results", look()
    window.show_results(False)
    for kind in ("ok", "info", "warn", "err"):
        window.messages.clear_messages()
        window.host.say(kind, window.actions_table["edit.undo"].text(), (("Undo", window.host.undo),), details="x" if kind == "err" else "")
        yield f"message {kind}", look()
    window.messages.clear_messages()
    window._open_jobs()
    yield "jobs", look()
    window.jobs.close()
    for layout in ("2x2", "mpr", "3x3", "1x1"):
        window.actions_table[f"layout.{layout}"].trigger()
        yield f"layout {layout}", look()
    yield from dialogs(stage, look, "open")
    window.actions_table["edit.settings"].trigger()
    settings = look.top()
    for page in ("general", "view", "segment", "models", "plugins", "privacy", "keys"):
        settings.show_page(page)
        yield f"settings, {page}", look()
    settings.close()
    for tab in ("screenshot", "mask", "measurements", "recipe"):
        window.open_export(tab)
        yield f"export, {tab}", look()
        look.top().close()


def dialogs(stage: Any, look: Looker, when: str) -> Iterator[tuple[str, list[str]]]:
    """Every command that brings something up over the window."""
    window = stage.window
    for spec in window.actions_table.specs():
        action = window.actions_table[spec.id]
        if spec.id in LEFT_OUT or spec.id.startswith(("language.", "operation.", "edit.undo", "edit.redo")) or not action.isEnabled():
            continue
        if not (
            spec.opens_dialog
            or spec.id.startswith(("help.", "edit.settings", "view.explain", "view.tags", "layout.choose", "window.histogram", "fusion."))
        ):
            continue
        before = look.tops()
        action.trigger()
        stage.settle()
        if look.tops() != before or spec.id == "window.histogram":
            yield f"{when}, {spec.id}", look()
        for top in look.tops()[1:]:
            top.close()
        if spec.id == "window.histogram":
            action.trigger()


def fill(stage: Any) -> None:
    """The sample study, a mask with locked, hidden and long-named segments, a measurement, a step."""
    import numpy as np

    from viewer.core.annotation import Annotation
    from viewer.core.labels import LabelLayer, Segment, segment_color

    stage.open_sample()
    window = stage.window
    document, root = window.host.document, window.host.root_id
    volume = document.volume(root)
    names = ("Lung", "Aorta", "A structure whose name is longer than any row of the list has room for")
    segments = tuple(Segment(n, name, segment_color(n), is_locked=n == 1, is_visible=n != 2) for n, name in enumerate(names, 1))
    with document.edit("Add segments") as edit:
        edit.put(LabelLayer("layer", "Segments", volume.geometry, root, segments))
    with document.edit("Paint") as edit:
        edit.paint("layer", (slice(50, 51), slice(50, 65), slice(50, 75)), np.ones((1, 15, 25), np.bool_), 3)
    middle = tuple(float(x) for x in volume.geometry.to_patient((50.0, 60.0, 60.0)))
    with document.edit("Measure a distance") as edit:
        edit.put(Annotation("annotation", "distance", root, (middle, (middle[0] + 20.0, middle[1], middle[2]))))
    window.tooling.select("annotation")
    stage.settle()


class Looker:
    """Looks at what is shown, once nothing moves any more."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage

    def tops(self) -> tuple[Any, ...]:
        from viewer.ui.scenes_check import shown_windows

        return shown_windows(self._stage.window)

    def top(self) -> Any:
        """What stands over all others."""
        return self.tops()[-1]

    def __call__(self) -> list[str]:
        from PySide6.QtWidgets import QApplication

        from viewer.ui.scenes_check import complaints, unreached

        # What is still being laid out is not looked at yet.
        found: list[str] = []
        for _turn in range(20):
            end = time.monotonic() + 0.05
            while time.monotonic() < end:
                QApplication.processEvents()
            found = [*complaints(self._stage.window), *unreached(self.top())]
            if not found:
                break
        return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
