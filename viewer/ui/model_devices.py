"""The devices that can run a model here: tried by a worker, as this process knows no onnxruntime; once for forms, anew for the settings."""

from __future__ import annotations

from collections.abc import Callable
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
        if not self._is_asked:
            # What is wrong with an installation is said where models are run, and in the settings.
            self.try_all(lambda _found: None, lambda _error: None)

    def try_all(self, take: Callable[[tuple[Any, ...]], None], failed: Callable[[BaseException], None]) -> bool:
        """Have them tried now. ``take`` gets all that are known, each with the reason why it does not work; False where no plugin runs models."""
        run = self._host.registry.service(SERVICE)
        if not run:
            return False
        self._is_asked = True

        def done(found: tuple[Any, ...]) -> None:
            self._keep(found)
            take(found)

        job = self._host.pool.submit(run, {}, limits=lane_limits())  # a driver may hang
        self._host.work.follow(job, _("Trying the devices"), done, failed, quiet=True)
        return True

    def _keep(self, found: tuple[Any, ...]) -> None:
        names = tuple(dict.fromkeys((*self.names, *(device.name for device in found if not device.reason))))
        if names != self.names:
            self.names = names
            self.changed.emit()
