"""``negatoscope [open]``: the window. The one verb that reaches into ``viewer.ui``."""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
from pathlib import Path
from typing import Any

from viewer.core.words import _

# Imported by the workers while they wait, so that the first operation does not have to.
WARM = ("numpy", "scipy.ndimage", "skimage.filters", "skimage.segmentation", "SimpleITK")


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("open", help=_("open the window"))
    parser.add_argument("paths", type=Path, nargs="*", metavar="PATH")
    parser.add_argument("--demo", action="store_true", help=_("open the sample study"))
    parser.add_argument("--safe-mode", action="store_true", help=_("load no plugins but the built-in ones, and forget the layout"))
    parser.add_argument("--theme", choices=("dark", "light", "system"), help=_("colours of the window"))


def run(args: argparse.Namespace) -> int:
    """Runs until the window is closed."""
    from viewer.draw.guard import check_qt

    check_qt()
    os.umask(0o077)  # what the program remembers is for the user alone
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from viewer.jobs.pool import Pool
    from viewer.session.plugins import discover
    from viewer.session.settings import Settings, data_folder
    from viewer.ui import faults, theme
    from viewer.ui.host import Host
    from viewer.ui.window import Window

    crash_log = (data_folder() / "crash.log").open("a")
    faulthandler.enable(crash_log)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    application.setApplicationName("negatoscope")
    settings = Settings()
    theme.apply_theme(application, args.theme or settings.get("theme", "dark"))  # type: ignore[arg-type]
    registry = discover(settings.get("plugins", []), safe_mode=args.safe_mode)
    host = Host(registry, Pool(2, warm=WARM), settings)
    window = Window(host, restore=not args.safe_mode)
    faults.install(host)
    window.show()
    if args.demo:
        QTimer.singleShot(0, window.open_sample)
    elif args.paths:
        QTimer.singleShot(0, lambda: window.open_paths(args.paths))
    code = application.exec()
    faults.uninstall()
    window.deleteLater()
    faulthandler.disable()
    crash_log.close()
    return int(code)
