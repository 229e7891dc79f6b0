"""The command "Classify all open images": those that a model fits, one after the other beside the window, and one step for all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from viewer.core.errors import NegatoscopeError
from viewer.core.report import Report
from viewer.core.words import gettext as _
from viewer.core.words import mark, ngettext
from viewer.session.batch import Outcome, Target, moved, run_each
from viewer.session.document import Document
from viewer.session.history import Change, ItemChange, Origin
from viewer.session.repeats import in_place

if TYPE_CHECKING:
    from viewer.ui.opening import Row
    from viewer.ui.window import Window

OPERATION = "Classify/Classify"
_TITLE = mark("Classify all open images")
_LOOK_MS = 100


class ClassifyOpen(QObject):
    """One run at a time; Cancel, in the list of jobs, keeps what is done so far."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._host = window, window.host
        self._task = ""

    def run(self) -> None:
        """Ask about every listed image that a model fits; those that were not read yet are read."""
        host = self._host
        if host.work.is_running(self._task):
            host.say("info", _("It is running. Cancel stops it."))
            return
        if not host.models.offered:
            host.say("info", _("No model is installed."))
            return
        targets, unfit = self._targets()
        if not targets:
            host.say("info", _("No model fits any of the open images."), details="\n".join(unfit))
            return
        document, device = host.document, str(host.settings.chosen("device"))
        with host.reporting():
            spec = host.registry.spec(OPERATION, host.pool)

            def work(progress: Callable[[int, int], None]) -> tuple[tuple[Outcome, ...], bool]:
                return run_each(targets, spec, host.pool, device=device, progress=progress)

            def done(result: tuple[tuple[Outcome, ...], bool]) -> None:
                host.when_still(document, lambda: self._take(document, *result, unfit))

            title = ngettext("Classifying {count} image", "Classifying {count} images", len(targets))
            self._task = host.work.run_thread(work, title, done, host.report)

    def _targets(self) -> tuple[list[Target], list[str]]:
        """What is asked about, and sentences about what no model is for."""
        host, targets, unfit = self._host, list[Target](), list[str]()
        listed = [row for row in self._window.opener.rows() if row.entry.kind != "other"]
        known = {row.root_id for row in listed if row.root_id}
        for row in listed:
            volume = host.document.volume(row.root_id) if row.root_id else None
            self._sort(_name_of(row), volume, row, targets, unfit)
        for root_id in host.document.root_ids():  # made by a script, or by a test
            if root_id not in known:
                volume = host.document.volume(root_id)
                self._sort(volume.title or root_id, volume, None, targets, unfit)
        return targets, unfit

    def _sort(self, name: str, volume: Any, row: Row | None, targets: list[Target], unfit: list[str]) -> None:
        image = volume if volume is not None else row.entry if row is not None else None
        models = self._host.models
        reason, model = models.why_not(image), models.model_for(image)
        if reason or model is None:
            unfit.append(_("{name}: {reason}").format(name=name, reason=reason))
        else:
            given = {"model": model.name, "explain": True}
            targets.append(Target(name, given, volume, row.entry if row is not None and volume is None else None))

    # --- the end ---

    def _take(self, document: Document, outcomes: tuple[Outcome, ...], is_stopped: bool, unfit: list[str]) -> None:
        if any(self._is_read_elsewhere(outcome) for outcome in outcomes):  # one of the two is the image; it comes first
            QTimer.singleShot(_LOOK_MS, self, lambda: self._host.when_still(document, lambda: self._take(document, outcomes, is_stopped, unfit)))
            return
        changes: list[Change] = []
        failed = [outcome for outcome in outcomes if outcome.reason]
        good = [outcome for outcome in outcomes if not outcome.reason]
        for outcome in good:
            changes += self._changes(outcome)
        if changes:
            step = document.step(_TITLE, tuple(changes), origin=Origin("operation", OPERATION))
            try:
                document.commit(in_place(document, step))
            except NegatoscopeError as err:
                self._host.report(err)
                return
        self._tell(good, failed, unfit, is_stopped, has_step=bool(changes))

    def _is_read_elsewhere(self, outcome: Outcome) -> bool:
        entry = outcome.target.entry
        row = self._window.opener.row(entry.id) if entry is not None else None
        return row is not None and row.is_loading and not outcome.reason

    def _changes(self, outcome: Outcome) -> tuple[Change, ...]:
        """What an outcome brings; the image that was read for it joins the document, unless it was opened meanwhile."""
        volume, entry = outcome.volume, outcome.target.entry
        if volume is None or entry is None or outcome.source is None:
            return outcome.changes
        root_id = self._window.opener.take_read(entry.id, volume, outcome.source)
        return outcome.changes if root_id == volume.id else moved(outcome.changes, root_id) if root_id else ()

    def _tell(self, good: list[Outcome], failed: list[Outcome], unfit: list[str], is_stopped: bool, *, has_step: bool) -> None:
        parts = [_("Stopped.")] if is_stopped else []
        parts.append(ngettext("Classified {count} image.", "Classified {count} images.", len(good)))
        reports = [c.after for outcome in good for c in outcome.changes if isinstance(c, ItemChange) and isinstance(c.after, Report)]
        strange = len({report.volume_id for report in reports if report.is_unfamiliar})
        known = [report for report in reports if not report.is_unfamiliar]
        # One that has no threshold puts none above or below it.
        if any(score.threshold is not None for report in known for score in report.scores):
            parts.append(_("Above the threshold: {count}.").format(count=len({report.volume_id for report in known if report.found})))
        if told := len({report.volume_id for report in reports if report.warnings}):
            parts.append(_("With warnings: {count}.").format(count=told))
        if strange:
            some = ngettext("The model has not seen the like of {count} of them.", "The model has not seen the like of {count} of them.", strange)
            parts.append(some if strange < len(good) else _("This model has not seen such images."))
        if unfit:
            parts.append(ngettext("No model is for {count} other.", "No model is for {count} others.", len(unfit)))
        if failed:
            parts.append(ngettext("{count} failed.", "{count} failed.", len(failed)))
        text = reduce(lambda first, second: _("{first} {second}").format(first=first, second=second), parts)
        details = [_("{name}: {reason}").format(name=outcome.target.name, reason=_(outcome.reason)) for outcome in failed]
        step = self._host.document.history.next_undo
        links: list[tuple[str, Callable[[], None]]] = []
        if has_step and step is not None:
            # Two links have room: where something failed its details are one.
            links = [*([] if failed else [(_("Undo"), partial(self._host.undo_if_last, step.id))]), (_("Show results"), self._show)]
        told_more = "\n".join([*details, *unfit]) if failed else ""
        self._host.say("warn" if failed or strange else "ok" if good else "info", text, tuple(links), details=told_more)

    def _show(self) -> None:
        self._window.show_results()
        self._window.results.show_reports()


def _name_of(row: Row) -> str:
    entry = row.entry
    return entry.title or (entry.files[0].name if entry.files else entry.id)
