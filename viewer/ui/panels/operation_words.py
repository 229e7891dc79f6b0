"""What the operation panel says of a run: what came out, how long it took, how far it is."""

from __future__ import annotations

from viewer.core.sentence import joined
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.session.history import ItemChange, Step
from viewer.ui.panel_host import PanelHost
from viewer.ui.work import Task


def broken_text(panels: PanelHost, name: str) -> str:
    """Why an operation that was not described cannot be used; "" if nothing is known against it."""
    reason = panels.registry.broken.get(name)
    return _("This operation cannot be used: {reason}").format(reason=reason) if reason else ""


def time_text(seconds: float) -> str:
    """``0.42 s``, ``12.3 s``."""
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"


def size_text(step: Step, worked_on: tuple[int, int, int]) -> str:
    """What a result amounts to: shapes, rows, or the size of what was worked on."""
    items = [c for c in step.changes if isinstance(c, ItemChange)]
    shapes = sum(c.kind == "annotation" for c in items)
    rows = sum(len(c.after.rows) for c in items if c.kind == "table" and c.after is not None)
    if shapes:
        return ngettext("{count} shape", "{count} shapes", shapes)
    if rows:
        return ngettext("{count} row", "{count} rows", rows)
    made = next((c.after for c in items if c.kind == "volume" and isinstance(c.after, Volume)), None)
    # A grid of its own, as of super-resolution, is what came out.
    planes, height, width = worked_on if made is None or worked_on[0] != made.geometry.shape[0] else made.geometry.shape
    return f"{width} × {height}" if planes == 1 else f"{width} × {height} × {planes}"


def warning_text(step: Step) -> str:
    """What the operation said of how its results came about; "" if nothing."""
    return joined(step.origin.warnings, " ")


def applied_text(step: Step) -> str:
    """That a step was applied, and what is to be said of it."""
    if not step.origin.warnings:
        return _("{step} applied.").format(step=step.title.text())
    return _("{step} applied. {warning}").format(step=step.title.text(), warning=warning_text(step))


def progress_texts(task: Task) -> tuple[str, str]:
    """What a running job says, and about how long it will take."""
    percent = round(100 * task.done / task.total)
    left = task.seconds_left
    remaining = _("about {seconds} s left").format(seconds=max(1, round(left))) if left is not None else ""
    return _("Working: {text}").format(text=task.text) if task.text else _("Working, {percent} %").format(percent=percent), remaining
