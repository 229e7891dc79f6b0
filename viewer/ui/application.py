"""From nothing to a running window, and back: the one place that makes the Qt application for the window."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from viewer.core.errors import Refused
from viewer.core.words import gettext as _
from viewer.draw.guard import check_qt
from viewer.session.settings import Settings, data_folder
from viewer.ui import theme
from viewer.ui.first_frame import FirstFrame
from viewer.ui.garbage import GarbageCollector

# What takes time to import is imported once the first frame stands on the screen.
if TYPE_CHECKING:
    from viewer.io.picture_stack import Spacing

# Imported by the workers while they wait, so that the first operation does not have to.
WARM = ("numpy", "viewer.io.dicom.decode", "imagecodecs", "openjpeg.utils", "scipy.ndimage", "skimage.filters", "skimage.segmentation", "SimpleITK")


def check_display() -> None:
    """Refuse with a sentence where Qt would abort: on a machine without a display."""
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        raise Refused(_("There is no display to open a window on. The other verbs work without one: negatoscope --help."))


def run(
    paths: Sequence[Path], *, demo: bool = False, safe_mode: bool = False, colors: str | None = None, stack: Spacing | None = None, speak: str = ""
) -> int:
    """Open the window and run until it is closed; the exit code.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders to open.
    demo : bool
        Open the sample study instead.
    safe_mode : bool
        Load no plugins but the built-in ones, and do not restore the layout.
    colors : "dark", "light" or "system", optional
        The theme; the remembered one if left out.
    stack : (float or None, float or None, float or None), optional
        All pictures under ``paths`` are one stack of this spacing (mm between columns, rows, planes).
    speak : str
        The language, one of ``viewer.ui.language.CHOICES``; the remembered one if left out.
    """
    check_qt()
    check_display()
    os.umask(0o077)  # what the program remembers is for the user alone
    with (data_folder() / "crash.log").open("a") as crash_log:
        faulthandler.enable(crash_log)
        # While threads look into files the window waits up to this long for each of its turns; the usual 5 ms add up to dropped frames.
        sys.setswitchinterval(0.001)
        application = QApplication.instance() or QApplication(sys.argv[:1])
        application.setApplicationName("negatoscope")
        settings = Settings()
        theme.apply_theme(application, colors or settings.chosen("theme"), text_scale=max(1.0, min(2.0, settings.chosen("text_scale"))))
        garbage = GarbageCollector(application)
        frame = FirstFrame(settings, restore=not safe_mode)
        frame.show_now()
        from viewer.jobs.pool import Pool

        pool = Pool(warm=WARM)
        if paths:
            pool.start_one()
        from viewer.io import archive
        from viewer.session.plugins import discover
        from viewer.ui import faults, language
        from viewer.ui.host import Host
        from viewer.ui.window import Window

        archive.sweep()
        faulty = language.speak(application, speak or language.chosen(settings))
        host = Host(discover(settings.get("plugins", []), safe_mode=safe_mode), pool, settings)
        window = Window(host, restore=not safe_mode)
        garbage.leave_out_what_is()
        faults.install(host)
        frame.give_way(window)
        language.tell(host, faulty)
        if demo:
            QTimer.singleShot(0, window.commands.open_sample)
        elif paths:
            QTimer.singleShot(0, lambda: window.open_paths(list(paths), stack=stack))
        code = application.exec()
        faults.uninstall()
        garbage.close()
        for top in application.topLevelWidgets():  # the window, or the one that took its place in another language
            if isinstance(top, Window):
                top.deleteLater()
        faulthandler.disable()
    return int(code)
