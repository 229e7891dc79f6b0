"""The Preview switch of a form: runs the operation on the slice in view, a moment after the last change; the latest wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from viewer.core.errors import NegatoscopeError
from viewer.core.words import gettext as _
from viewer.session.apply import Call
from viewer.ui.controls import Badge, SwitchRow
from viewer.ui.host import Host

_DELAY_MS = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """A preview that is wanted; equal keys give equal previews, so they are not computed twice."""

    key: object
    prepare: Callable[[], Call]


class LivePreview(SwitchRow):
    """Asks its owner what to preview, and says how it went.

    Parameters
    ----------
    host : Host
    ask : callable
        Gives what is to be previewed now, or None.
    """

    started = Signal()
    arrived = Signal()
    failed = Signal(object)
    ended = Signal()
    """It is off, by whoever's hand."""

    def __init__(self, host: Host, ask: Callable[[], Asked | None], parent: QWidget | None = None) -> None:
        super().__init__(_("Preview"), tooltip=_("Shows the result on this slice. Nothing is changed."), parent=parent)
        self._host, self._ask = host, ask
        self._key: object = None
        self.approximate = Badge(_("approximate"), parent=self)
        self.approximate.setToolTip(_("The preview knows this slice alone: it is near to the result, not equal to it."))
        self._line.insertWidget(1, self.approximate)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self._run)
        self.value_changed.connect(self._switched)
        host.preview_changed.connect(self._take)

    def restart(self) -> None:
        """Something changed: preview again, if the switch is on."""
        if self.value():
            self._timer.start()

    def turn_off(self) -> None:
        """Take the preview away, if there is one."""
        self._timer.stop()
        had, was_on, self._key = self._key is not None, self.value(), None
        self.set_value(False)
        if had:
            self._host.clear_preview()
        if had or was_on:
            self.ended.emit()

    def _switched(self, on: bool) -> None:
        if on:
            self._timer.start()
        else:
            self.turn_off()

    def _run(self) -> None:
        asked = self._ask() if self.value() else None
        if asked is None or asked.key == self._key:
            return
        self._key = asked.key
        try:
            call = asked.prepare()
        except NegatoscopeError as err:
            self.failed.emit(err)
            return
        self.started.emit()
        self._host.preview(call, self._arrived, self.failed.emit)

    def _arrived(self, _result: object) -> None:
        self.arrived.emit()

    def _take(self, shown: object) -> None:
        if shown is None and self._key is not None:
            # Someone else took it away: another image, Esc in the window, another panel.
            self._key = None
            self.turn_off()
