"""Loads the model that the next click would ask, once an image that it fits is on screen and nothing else goes on."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer

from viewer.core.errors import OperationCancelled
from viewer.core.words import gettext as _
from viewer.io.gate import available_ram
from viewer.session.apply import lane_limits
from viewer.ui.host import Host

SERVICE, LANE = "models.ready", "model"
"""A plugin's ``ready(model, device)``, and the lane of the operations that will find the model loaded."""
QUIET_MS = 1200
"""So long nothing has changed in the view, and nothing runs."""
LEAST_FREE_BYTES = 2 << 30
LONGEST_S = 60.0
"""A click on Classify waits behind it: half a gigabyte of weights takes five seconds."""


class LoadingAhead(QObject):
    """Never at the program's start, never where memory is short or jobs run in the window's own process; each model once for a device."""

    def __init__(self, host: Host, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._host = host
        self._loaded: dict[tuple[str, str, str], int | None] = {}
        """How often the lane's worker had been replaced when a model was loaded into it; None: it cannot be loaded."""
        self._has_started = False
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self._load)
        host.specs_ready.connect(self._begin)
        host.seen_changed.connect(self._wait)
        host.models.changed.connect(self._wait)
        host.work.changed.connect(self._wait)  # a run that was stopped has taken its worker along

    def stop(self) -> None:
        self._quiet.stop()

    def _begin(self) -> None:
        """The workers have started: that comes after the first picture."""
        self._has_started = True
        self._wait()

    def _wait(self, *_args: object) -> None:
        if self._has_started and self._host.state.volume is not None and not self._host.pool.inline:
            self._quiet.start()

    def _load(self) -> None:
        host, volume = self._host, self._host.state.volume
        model = host.models.model_for(volume) if volume is not None else None
        run = host.registry.service(SERVICE)
        device = str(host.settings.chosen("device")) or "auto"
        key = (model.name, model.sha256, device) if model is not None else ("", "", device)
        times = host.pool.replaced(LANE)
        if model is None or not run or self._loaded.get(key, -1) in (None, times):
            return
        if not host.work.is_idle:
            self._quiet.start()
            return
        if available_ram() < LEAST_FREE_BYTES:
            return
        self._loaded[key] = times
        limits = replace(lane_limits(), silence=LONGEST_S)
        title = _("Loading {model}").format(model=_(model.title))
        job = host.pool.submit(run, {"model": model.name, "device": device}, limits=limits, title=title, lane=LANE)

        def failed(error: BaseException) -> None:
            # What is wrong with a model is said when it is asked; one that closing all has stopped may be loaded again.
            if isinstance(error, OperationCancelled):
                self._loaded.pop(key, None)
            else:
                self._loaded[key] = None

        host.work.follow(job, title, lambda _result: None, failed, quiet=True)
