"""The last net: exceptions from slots, threads and finalizers become one notice each, never a silent death."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, QtMsgType, Signal, qInstallMessageHandler

from viewer.core.words import gettext as _
from viewer.ui.host import Host

_log = logging.getLogger("negatoscope")
_SAME_FAULT_SHOWN = 3
_IGNORED = ("This plugin does not support propagateSizeHints",)


class _Net(QObject):
    caught = Signal(str, str)

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._counts: dict[str, int] = {}
        self.caught.connect(self._tell)

    def _tell(self, text: str, details: str) -> None:
        self._counts[text] = self._counts.get(text, 0) + 1
        if self._counts[text] <= _SAME_FAULT_SHOWN:
            self._host.say("err", _("Something went wrong inside: {fault}").format(fault=text), details=details)


_net: list[_Net] = []


def install(host: Host) -> None:
    """Catch what nobody caught, from now on."""
    net = _Net(host)
    _net.append(net)

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.exit(130)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        _log.error("uncaught %s", kind.__name__)
        net.caught.emit(f"{kind.__name__}: {error}", details)  # queued if this is another thread

    sys.excepthook = hook
    threading.excepthook = lambda args: hook(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
    sys.unraisablehook = lambda args: _log.error("unraisable %s", type(args.exc_value).__name__)
    qInstallMessageHandler(_take_qt_message)


def uninstall() -> None:
    """Put Python's own hooks back."""
    _net.clear()
    sys.excepthook, threading.excepthook, sys.unraisablehook = sys.__excepthook__, threading.__excepthook__, sys.__unraisablehook__
    qInstallMessageHandler(None)


def _take_qt_message(kind: QtMsgType, _context: Any, text: str) -> None:
    if not text.startswith(_IGNORED):
        _log.warning("Qt: %s", text) if kind != QtMsgType.QtDebugMsg else _log.debug("Qt: %s", text)
