"""A model held against its card in a worker before it is copied: loaded as it would be used, in a folder that goes afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from viewer.core.words import gettext as _
from viewer.session.apply import lane_limits
from viewer.ui.host import Host

SERVICE = "models.check"


def check_then(host: Host, path: Path, card: Mapping[str, Any], go_on: Callable[[], object], on_error: Callable[[BaseException], None]) -> str:
    """Load the file ``path`` as ``card`` says; ``go_on`` if it can be, else ``on_error`` with a sentence. The task's id."""
    # Made and removed here: a worker that is ended leaves behind what it has made.
    place = tempfile.TemporaryDirectory(prefix="negatoscope-", ignore_cleanup_errors=True)

    def good(_device: str) -> None:
        place.cleanup()
        go_on()

    def bad(error: BaseException) -> None:
        place.cleanup()
        on_error(error)

    job = host.pool.submit(host.registry.service(SERVICE), {"path": str(path), "card": dict(card), "place": place.name}, limits=lane_limits())
    return host.work.follow(job, _("Checking {name}").format(name=path.name), good, bad, quiet=True)
