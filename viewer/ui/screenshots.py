"""Pictures of the window in all its states: ``python -m viewer.ui.screenshots OUT``. Each is looked over for cut words and unnamed controls."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FONTS = ("Inter", "Noto Sans CJK SC")
NOW = 1_767_780_240.0
"""The clock of all pictures, 2026-01-07 10:04 UTC."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the pictures of one set have in common."""

    theme: str
    language: str
    size: tuple[int, int]
    """Of the window, in logical pixels."""
    scale: int = 1
    """Device pixels for each of them."""


SETS = {"A": Look("dark", "en", (1280, 800)), "B": Look("dark", "zh_CN", (1280, 720), 2), "C": Look("light", "en", (1280, 800))}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pictures; 0 if all were made and nothing is wrong with any, 2 if a font is missing."""
    parser = argparse.ArgumentParser(prog="python -m viewer.ui.screenshots", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--set", choices=tuple(SETS), default="", help="one set of the three")
    parser.add_argument("--only", default="", metavar="WORDS", help="only chapters whose name holds one of these words (a,b)")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if not options.set:
        return _make_all(options.out, options.only)
    look = SETS[options.set]
    # Qt takes it when the application is made, once for the whole process.
    os.environ["QT_SCALE_FACTOR"] = str(look.scale)
    with tempfile.TemporaryDirectory(prefix="negatoscope-pictures-") as name:
        folder = Path(name)
        _live_in(folder)
        _look_at_a_screen(folder, look)
        return _make(options.out / options.set, folder, look, tuple(w for w in options.only.split(",") if w))


def _make_all(out: Path, only: str) -> int:
    """Every set in a process of its own; the worst of their exit codes."""
    worst = 0
    for name in SETS:
        command = [sys.executable, "-m", "viewer.ui.screenshots", str(out), "--set", name, "--only", only]
        worst = max(worst, subprocess.run(command, check=False).returncode)
        if worst == 2:  # a missing font is missing for all
            break
    return worst


def _live_in(folder: Path) -> None:
    """Nothing of the user's is read or written, and it is always the same moment."""
    places = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
    for variable, part in places.items():
        (folder / part).mkdir(mode=0o700)
        os.environ[variable] = str(folder / part)
    os.environ["TZ"] = "UTC"
    time.tzset()
    time.time = lambda: NOW  # type: ignore[assignment]  steps take their time from here; nothing waits by it


def _look_at_a_screen(folder: Path, look: Look) -> None:
    """A screen as large as the window: on the offscreen platform's own of 800 x 800 menus and popovers stand elsewhere than on a desk."""
    if os.environ["QT_QPA_PLATFORM"] != "offscreen":
        return
    width, height = (side * look.scale for side in look.size)
    screen = {"name": "desk", "x": 0, "y": 0, "width": width, "height": height, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    file = folder / "screen.json"
    file.write_text(json.dumps({"synchronousWindowSystemEvents": False, "windowFrameMargins": False, "screens": [screen]}), encoding="utf-8")
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={file}"


def _make(out: Path, folder: Path, look: Look, only: tuple[str, ...]) -> int:
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtGui import QCursor, QFontDatabase
    from PySide6.QtWidgets import QApplication

    from viewer.core import words
    from viewer.draw.guard import check_qt
    from viewer.session.plugins import discover
    from viewer.ui import language, theme
    from viewer.ui.scenes import CHAPTERS
    from viewer.ui.scenes_check import missing_glyphs
    from viewer.ui.scenes_stage import FAR_AWAY

    check_qt()
    qInstallMessageHandler(_say)
    application = QApplication.instance() or QApplication(["negatoscope"])
    assert isinstance(application, QApplication)
    application.setApplicationName("negatoscope")
    missing = [name for name in FONTS if name not in QFontDatabase.families()]
    if missing:
        print(
            f"Without the fonts {', '.join(missing)} every picture differs, and Chinese becomes boxes. "
            "On Debian: tools/system-libraries.sh screenshots, or apt-get install fonts-inter fonts-noto-cjk",
            file=sys.stderr,
        )
        return 2
    application.setCursorFlashTime(0)
    QCursor.setPos(FAR_AWAY)
    theme.set_reduced_motion(True)
    theme.apply_theme(application, look.theme)  # type: ignore[arg-type]
    language.speak(application, look.language)
    out.mkdir(parents=True, exist_ok=True)
    registry = discover()
    # What is painted into the view is no widget's text: all that the language can say is looked at.
    boxes = missing_glyphs("".join(words.every_text()), theme.font())
    wrong = [f"No font has these characters: {boxes}"] if boxes else []
    number = made = 0
    for chapter in CHAPTERS:
        if only and not any(word in chapter.__name__ for word in only):
            number += 100  # the names of the rest would shift; a part run is for looking only
            continue
        for name, found in _pictures(chapter, folder, registry, out, number, look):
            number, made = number + 1, made + 1
            wrong += [f"{name}: {sentence}" for sentence in found]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(f"{made} pictures in {out}, {len(wrong)} complaints")
    return 1 if wrong else 0


def _say(_kind: object, _context: object, text: str) -> None:
    if not text.startswith("This plugin does not support"):  # of the offscreen platform, which has no window manager
        print(f"Qt: {text}", file=sys.stderr)


def _pictures(chapter: object, folder: Path, registry: object, out: Path, number: int, look: Look) -> Iterator[tuple[str, list[str]]]:
    """Play one chapter; each state that it yields becomes a picture."""
    from viewer.ui.scenes_check import complaints
    from viewer.ui.scenes_stage import Stage

    made: list[Stage] = []

    def stage(**options: object) -> Stage:
        while made:
            made.pop().close()
        made.append(Stage(folder, registry, **{"size": look.size, **options}))  # type: ignore[arg-type]
        return made[-1]

    try:
        for state in chapter(stage):  # type: ignore[operator]
            number += 1
            name = f"{number:02d}-{state}.png"
            pixmap = made[-1].picture()
            if not pixmap.save(str(out / name)):
                raise OSError(f"{out / name} cannot be written.")
            yield name, complaints(made[-1].window, glyphs=True)
    finally:
        while made:
            made.pop().close()


if __name__ == "__main__":
    sys.exit(main())
