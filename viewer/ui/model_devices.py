"""The devices that can run a model here, as forms offer them: tried once by a worker, when the first form asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from viewer.core.words import gettext as _
from viewer.session.apply import lane_limits

if TYPE_CHECKING:
    from viewer.ui.host import Host

SERVICE = "models.devices"


class ModelDevices(QObject):
    """``names`` holds the CPU, and once the worker has answered all others that work."""

    changed = Signal()

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._is_asked = False
        self.names: tuple[str, ...] = ("CPU",)

    def ask(self) -> None:
        """Have them tried, the first time; :attr:`changed` follows where there are more."""
        run = self._host.registry.service(SERVICE)
        if self._is_asked or not run:
            return
        self._is_asked = True
        job = self._host.pool.submit(run, {}, limits=lane_limits())  # a driver may hang
        # What is wrong with an installation is said where models are run, and in the settings.
        self._host.work.follow(job, _("Trying the devices"), self._take, lambda _error: None, quiet=True)

    def _take(self, found: tuple[Any, ...]) -> None:
        names = tuple(dict.fromkeys((*self.names, *(device.name for device in found if not device.reason))))
        if names != self.names:
            self.names = names
            self.changed.emit()
