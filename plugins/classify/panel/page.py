"""The Classify tab: the model and its card, warnings first, then the scores of the slice in view, where they come from, and all slices."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

from plugins.classify.panel.fed_picture import FedPicture
from plugins.classify.panel.heat_card import HeatCard
from plugins.classify.panel.message import ResultMessage
from plugins.classify.panel.model_head import ModelHead
from plugins.classify.panel.model_words import is_whole, misfit, unknown, warnings_of
from plugins.classify.panel.reading_bar import ReadingBar
from plugins.classify.panel.report_card import ReportCard
from plugins.classify.panel.runs import CLASSIFY, HEAT_MAP, Runs
from plugins.classify.panel.series_card import SeriesCard, has_frames
from viewer.api import Opinion, Report
from viewer.api import gettext as _
from viewer.api.models import ModelCard
from viewer.api.panel import Changes, PanelHost, Task, ViewState, controls, give_reading, report_in_view, theme, toggled, why_not_read


class ClassifyPanel(controls.PanelPage):
    """Asks a model about the slice in view, and shows what the document knows of it."""

    def __init__(self, panel_host: PanelHost) -> None:
        super().__init__(name=_("Classify"))
        self._panels = panel_host
        self._key: tuple[object, ...] = ()
        self._is_stale = False
        self._is_all = False
        self._runs = Runs(panel_host, self)
        self._runs.changed.connect(self.refresh)
        self._runs.lasting.connect(self._show_busy)
        self._message = ResultMessage(panel_host)
        self._runs.done.connect(self._message.tell)
        self._fed = FedPicture(panel_host)
        self._build()
        host = panel_host.host
        host.view_changed.connect(self._take_view)
        host.active_changed.connect(self._take_image)
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self._take_document)
        host.work.changed.connect(self._take_tasks)
        host.models.changed.connect(self._fill_models)
        self._fill_models()

    def _build(self) -> None:
        self.empty = controls.EmptyState("", parent=self)
        self.model_list = self.empty.add_button(controls.Button(_("Model list"), parent=self.empty))
        self.model_list.clicked.connect(lambda: self._panels.show_models(""))
        self.head = ModelHead(self._panels, self)
        self.head.again_wanted.connect(self.classify_current)
        self.head.chosen.connect(self._runs.clear_failure)
        self.unusable = controls.Hint("", parent=self)
        self.failed = controls.NoteBox("err", parent=self)
        self.details = self.failed.add_link(_("Details"))
        self.details.clicked.connect(lambda: self._panels.show_details(*self._runs.failure))
        self.warnings = controls.NoteBox("warn", parent=self)
        self.progress = controls.ProgressRow(parent=self)
        self.progress.cancel_requested.connect(self._runs.cancel)
        self.run_button = controls.Button(_("Classify"), icon="scan-search", variant="primary", parent=self)
        self.run_button.clicked.connect(self.classify_current)
        self.card = ReportCard(self._panels, self)
        self.card.fed_wanted.connect(lambda: self._show_fed(again=True))
        self.card.shown_anyway.connect(self.refresh)
        self.heat = HeatCard(self._panels, self)
        self.heat.compute_wanted.connect(self._compute_heat)
        self.heat.cancel_wanted.connect(self._runs.cancel)
        self.heat.wish_changed.connect(self.refresh)
        self.series = SeriesCard(self)
        self.series.run_wanted.connect(self.classify_all)
        self.series.slice_wanted.connect(self._go_to)
        self.series.disagreements_wanted.connect(self._panels.show_disagreements)
        self.reading = ReadingBar(self)
        self.reading.opinion_pressed.connect(self.give_opinion)
        self.reading.noted.connect(self._note)
        asking = (self.empty, self.head, self.unusable, self.failed, self.warnings, self.progress, self.run_button)
        for part in (*asking, self.card, self.series, self.heat):
            self.add(part)
        self.body.addStretch(1)
        self.add_to_foot(self.reading)

    # --- what the window calls ---

    def classify_current(self) -> None:
        """Ask the model about the slice in view: F5 and the button in the top bar come here."""
        self._run("slice")

    def classify_all(self) -> None:
        """Ask about every slice of the phase in view, or every frame of a cine."""
        self._run("phases" if has_frames(self._panels.state) else "volume")

    def give_opinion(self, opinion: Opinion) -> None:
        """Agree, disagree or be unsure about the result in view; the same again takes it back."""
        report = self.report
        reason = self._why_no_reading(report)
        if report is None or reason:
            self._panels.host.say("info", reason)
            return
        with self._panels.host.reporting():
            give_reading(self._panels.document, report.id, toggled(report, opinion))

    @property
    def model(self) -> ModelCard | None:
        """The one that is asked."""
        return self.head.model

    @property
    def report(self) -> Report | None:
        """The newest report of the chosen model on the slice in view."""
        model = self.model
        return report_in_view(self._panels.document, self._panels.state, model.name) if model is not None else None

    @property
    def is_running(self) -> bool:
        return self._runs.is_running

    # --- running ---

    def _reason(self, *, is_all: bool = False) -> str:
        """Why the model cannot be asked now, as a sentence; "" if it can."""
        if self._panels.state.volume is None:
            return str(self._panels.host.why_closed)
        if self.model is None:
            return _("No model is installed.")
        if self._runs.is_running:
            return _("It is running. Cancel stops it.")
        if is_all and (reason := self._panels.host.models.why_not(self._panels.state.volume)):
            return reason  # as in the menu; one slice can be asked about anyway
        if not is_all and self._plane() < 0 and not is_whole(self.model):
            return _("Models look at slices as they were acquired. Choose As acquired in the View menu.")
        return ""

    def _run(self, scope: str) -> None:
        model, reason = self.model, self._reason(is_all=scope != "slice")
        if reason or model is None:
            self._panels.host.say("info", reason)
            return
        # Exact maps come in the same run.
        if is_whole(model):
            scope = "volume"
        self._is_all = scope != "slice"
        given = {"model": model.name, "explain": True}
        if scope == "slice" and model.input.planes == "neighbours":  # all planes are handed over, and one is asked about
            self._runs.start(CLASSIFY, {**given, "plane": self._plane()}, "volume")
        else:
            self._runs.start(CLASSIFY, given, scope)

    def _compute_heat(self, score: str, method: str) -> None:
        model, reason = self.model, self._reason()
        if reason or model is None:
            self._panels.host.say("info", reason)
            return
        given = {"model": model.name, "score": score, "method": method}
        if model.input.planes == "one":
            self._runs.start(HEAT_MAP, given, "slice")
        else:
            self._runs.start(HEAT_MAP, {**given, "plane": self._plane()}, "volume")

    def _show_busy(self) -> None:
        runs = self._runs
        if runs.name == HEAT_MAP:
            self.heat.progress.start(_("Computing, about {seconds} s").format(seconds=runs.guess_s(HEAT_MAP)))
        elif self._is_all:
            words = _("Classifying {count} frames") if runs.scope == "phases" else _("Classifying {count} slices")
            self.progress.start(words.format(count=runs.planes))
        else:
            self.progress.start(_("Classifying, about {seconds} s").format(seconds=runs.guess_s(CLASSIFY)))
        self.refresh()

    def _take_tasks(self, tasks: tuple[Task, ...]) -> None:
        task = self._runs.follow(tasks)
        if task is None or not task.total or (self._runs.scope == "slice" and self._runs.name == CLASSIFY):
            return
        left = task.seconds_left
        remaining = _("about {seconds} s left").format(seconds=max(1, round(left))) if left is not None else ""
        bar = self.heat.progress if self._runs.name == HEAT_MAP else self.progress
        bar.set_progress(task.done, task.total, remaining=remaining)

    # --- what is known ---

    def _plane(self) -> int:
        """The plane of the array in view; -1 for a reformat, of which no report speaks."""
        state = self._panels.state
        return state.array_index if state.volume is not None and state.layout.axis == 0 else -1

    def _reports(self) -> dict[int, Report]:
        """The newest report of the chosen model on each plane of the phase in view, or on each frame of a cine."""
        state, model = self._panels.state, self.model
        if state.volume is None or model is None:
            return {}
        found = [report for report in self._panels.document.reports_of(state.root_id) if report.model == model.name]
        if has_frames(state):
            return {report.phase: report for report in found}
        return {report.index: report for report in found if report.phase == state.phase}

    # --- showing ---

    def _fill_models(self) -> None:
        shelf = self._panels.host.models
        self.head.fill()
        self.unusable.setText(_("Not usable: {reasons}").format(reasons=" ".join(_(reason) for _name, reason in shelf.broken)))
        self.refresh()

    def refresh(self) -> None:
        """Show what the document says of the slice in view."""
        focused = QApplication.focusWidget()
        state, model = self._panels.state, self.model
        self._key, self._is_stale = self._view_key(state), False
        is_usable = state.volume is not None and model is not None
        reports, report = self._reports(), self.report
        self.head.follow(is_running=self._runs.is_shown, has_report=report is not None, why_not=self._reason())
        self.empty.setVisible(not is_usable)
        self.model_list.setVisible(state.volume is not None and model is None)
        if state.volume is None:
            reading = self._panels.host.why_closed if self._panels.host.arriving is not None else ""
            self.empty.set_text(reading or _("Open an image to use Classify."), _("A model says what it sees, how sure it is, and whether it fits."))
        elif model is None:
            self.empty.set_text(_("No model installed."))
        self.head.setVisible(is_usable)
        self.unusable.setVisible(bool(self._panels.host.models.broken) and state.volume is not None)
        self._show_run(state, model, report)
        is_asking = self._runs.is_shown and self._runs.name == CLASSIFY and self._runs.scope == "slice"
        self.card.setVisible(report is not None and not is_asking)
        self.heat.setVisible(report is not None and not is_asking)
        if report is not None:
            self._show_report(report)
        is_cine = has_frames(state)
        several = state.volume is not None and model is not None and (is_cine or state.volume.geometry.shape[0] > 1) and not is_whole(model)
        self.series.setVisible(several)
        if several:
            self.series.show_reports(state, reports, state.phase if is_cine else self._plane(), self._reason(is_all=True))
        self.reading.show_report(report, self._why_no_reading(report))
        self._keep_focus(focused)

    def _keep_focus(self, focused: QWidget | None) -> None:
        """Keep the keyboard near a control that went: else Qt hands it to the next one, and Space would say Agree or ask about all slices."""
        if focused is None or not self.isAncestorOf(focused) or (focused.isVisible() and focused.isEnabled()):
            return
        heat = (self.heat.progress.cancel, self.heat.compute, self.heat.method.combo, self.heat.switch)
        asking = (self.progress.cancel, self.run_button, self.head.again, self.head.models)
        for part in (*heat, *asking) if self.heat.isAncestorOf(focused) else asking:
            if part.isVisible() and part.isEnabled():
                part.setFocus()
                return

    def _show_run(self, state: ViewState, model: ModelCard | None, report: Report | None) -> None:
        is_usable = state.volume is not None and model is not None
        self.failed.show_note("err", self._runs.failure[0] if is_usable else "")
        self.details.setVisible(bool(self._runs.failure[1]))
        self.progress.setVisible(self._runs.is_shown and self._runs.name == CLASSIFY)
        before = misfit(model, state.volume) if model is not None and state.volume is not None else ""
        open_question = unknown(model, state.volume) if model is not None and state.volume is not None and not before else ""
        if report is None and open_question:
            self.warnings.show_note("info", open_question)
        else:
            told = warnings_of(report) if report is not None else before
            aside = _("The model was asked about the image as it was opened. What is shown has been processed since.")
            parts = (told, aside if report is not None and state.is_processed else "")
            self.warnings.show_note("warn" if told else "info", "\n".join(part for part in parts if part))
        self.run_button.setText(_("Classify anyway") if before else _("Classify"))
        self.run_button.setVisible(is_usable and report is None and not self._runs.is_shown)
        theme.set_available(self.run_button, self._reason())

    def _show_report(self, report: Report) -> None:
        self.card.show_report(report)
        if self.card.fed.isChecked():
            self._show_fed()
        model, wish = self.model, self._panels.host.wish.heat
        if (wish.model, wish.is_unfamiliar_shown) != (report.model, not self.card.is_veiled):
            self._panels.host.change_wish(heat=replace(wish, model=report.model, is_unfamiliar_shown=not self.card.is_veiled))
        has_exact = model is not None and bool(model.explain.feature)
        self.heat.show_report(self._panels, report, has_exact=has_exact, is_busy=self._runs.is_heat_shown, why_not=self._reason())

    def _show_fed(self, *, again: bool = False) -> None:
        state, report = self._panels.state, self.report
        if state.volume is not None and report is not None:
            self._fed.ask(report, self.card.show_picture, again=again)

    def _why_no_reading(self, report: Report | None) -> str:
        """Why nothing can be said of the result in view, as a sentence; "" if it can."""
        if report is not None:
            return why_not_read(report, is_shown_anyway=not self.card.veils(report))
        return str(self._panels.host.why_closed) if self._panels.state.volume is None else _("Classify this image first.")

    def _note(self, report_id: str, label: str, note: str) -> None:
        report: Report | None = self._panels.document.item("report", report_id)
        if report is not None and report.reading is not None:
            with self._panels.host.reporting():
                give_reading(self._panels.document, report_id, report.reading.opinion, label=label, note=note)

    def _go_to(self, index: int) -> None:
        plane = {"plane": "acquired"} if self._plane() < 0 else {}
        where = {"phase": index} if has_frames(self._panels.state) else {"index": index}
        self._panels.host.change_wish(**where, **plane)

    # --- following ---

    def _view_key(self, state: ViewState) -> tuple[object, ...]:
        wish = self._panels.host.wish
        seen = (wish.heat, wish.show_overlays, wish.overlay_opacity, wish.overlay_threshold)
        return state.root_id if state.volume is not None else "", state.is_processed, state.layout.axis, state.index, state.phase, seen

    def _take_view(self, state: ViewState) -> None:
        # Comes with every move of a window too, which changes nothing here.
        if self._view_key(state) != self._key:
            self.refresh()

    def _take_image(self, _root_id: str) -> None:
        self._runs.clear_failure()
        self.refresh()

    def _take_changes(self, changes: Changes) -> None:
        if not (changes.touches("report", "overlay") or changes.sources):
            return
        if self._runs.is_running:  # the end of the run follows most often, and shows it with all else
            self._is_stale = True
            QTimer.singleShot(0, self, self._catch_up)
        else:
            self.refresh()

    def _catch_up(self) -> None:
        if self._is_stale:
            self.refresh()

    def _take_document(self) -> None:
        self._runs.forget()
        self.refresh()


def build(panel_host: PanelHost) -> QWidget:
    """The panel, as the manifest names it."""
    return ClassifyPanel(panel_host)
