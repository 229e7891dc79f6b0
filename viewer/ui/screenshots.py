"""Pictures of the window in all its states: ``python -m viewer.ui.screenshots OUT``. Each is looked over for cut words and unnamed controls."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SETS = {"dark": "A", "light": "C"}
"""Folder of each theme's pictures."""
FONT = "Inter"
NOW = 1_767_780_240.0
"""The clock of all pictures, 2026-01-07 10:04 UTC."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pictures; 0 if all were made and nothing is wrong with any, 2 if the font is missing."""
    parser = argparse.ArgumentParser(prog="python -m viewer.ui.screenshots", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--theme", choices=tuple(SETS), default="dark")
    parser.add_argument("--only", default="", metavar="WORDS", help="only chapters whose name holds one of these words (a,b)")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="negatoscope-pictures-") as name:
        folder = Path(name)
        _live_in(folder)
        return _make(options.out / SETS[options.theme], folder, options.theme, tuple(w for w in options.only.split(",") if w))


def _live_in(folder: Path) -> None:
    """Nothing of the user's is read or written, and it is always the same moment."""
    places = {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
    for variable, part in places.items():
        (folder / part).mkdir(mode=0o700)
        os.environ[variable] = str(folder / part)
    os.environ["TZ"] = "UTC"
    time.tzset()
    time.time = lambda: NOW  # type: ignore[assignment]  steps take their time from here; nothing waits by it


def _make(out: Path, folder: Path, mode: str, only: tuple[str, ...]) -> int:
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtGui import QCursor, QFontDatabase
    from PySide6.QtWidgets import QApplication

    from viewer.draw.guard import check_qt
    from viewer.session.plugins import discover
    from viewer.ui import theme
    from viewer.ui.scenes import CHAPTERS
    from viewer.ui.scenes_stage import FAR_AWAY

    check_qt()
    qInstallMessageHandler(_say)
    application = QApplication.instance() or QApplication(["negatoscope"])
    assert isinstance(application, QApplication)
    application.setApplicationName("negatoscope")
    if FONT not in QFontDatabase.families():
        print(
            f"The font {FONT} is not installed, and with another font every picture differs. On Debian: apt-get install fonts-inter", file=sys.stderr
        )
        return 2
    application.setCursorFlashTime(0)
    QCursor.setPos(FAR_AWAY)
    theme.set_reduced_motion(True)
    theme.apply_theme(application, mode)  # type: ignore[arg-type]
    out.mkdir(parents=True, exist_ok=True)
    registry = discover()
    wrong: list[str] = []
    number = made = 0
    for chapter in CHAPTERS:
        if only and not any(word in chapter.__name__ for word in only):
            number += 100  # the names of the rest would shift; a part run is for looking only
            continue
        for name, found in _pictures(chapter, folder, registry, out, number):
            number, made = number + 1, made + 1
            wrong += [f"{name}: {sentence}" for sentence in found]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(f"{made} pictures in {out}, {len(wrong)} complaints")
    return 1 if wrong else 0


def _say(_kind: object, _context: object, text: str) -> None:
    if not text.startswith("This plugin does not support"):  # of the offscreen platform, which has no window manager
        print(f"Qt: {text}", file=sys.stderr)


def _pictures(chapter: object, folder: Path, registry: object, out: Path, number: int) -> Iterator[tuple[str, list[str]]]:
    """Play one chapter; each state that it yields becomes a picture."""
    from viewer.ui.scenes_check import complaints
    from viewer.ui.scenes_stage import Stage

    made: list[Stage] = []

    def stage(**options: object) -> Stage:
        while made:
            made.pop().close()
        made.append(Stage(folder, registry, **options))  # type: ignore[arg-type]
        return made[-1]

    try:
        for state in chapter(stage):  # type: ignore[operator]
            number += 1
            name = f"{number:02d}-{state}.png"
            pixmap = made[-1].picture()
            if not pixmap.save(str(out / name)):
                raise OSError(f"{out / name} cannot be written.")
            yield name, complaints(made[-1].window)
    finally:
        while made:
            made.pop().close()


if __name__ == "__main__":
    sys.exit(main())
