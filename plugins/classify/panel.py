"""The Classify tab: the model and its card, warnings first, then the scores of the slice in view, and of all slices."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from plugins.classify import fitness
from viewer.api import OperationCancelled, Report
from viewer.api import gettext as _
from viewer.api.models import ModelCard, list_models
from viewer.api.panel import (
    Changes,
    PanelHost,
    ScorePlot,
    ScoreRows,
    Step,
    Task,
    ViewState,
    controls,
    digits,
    over_threshold,
    reports_in,
    slice_of_plane,
    theme,
)

OPERATION = "Classify/Classify"
_FIRST_GUESS_S = 2.0
"""How long a first run takes, with the libraries to be loaded; later ones are guessed from the one before."""


class ClassifyPanel(controls.PanelPage):
    """Asks a model about the slice in view, and shows what the document knows of it."""

    def __init__(self, panel_host: PanelHost) -> None:
        super().__init__(name=_("Classify"))
        self._panels = panel_host
        self._task, self._last_step, self._is_all = "", "", False
        self._started, self._guess_s = 0.0, _FIRST_GUESS_S
        self._failure = ("", "")
        self._key: tuple[object, ...] = ()
        self._cards, self._broken = list_models()
        self._build()
        host = panel_host.host
        host.view_changed.connect(self._take_view)
        host.active_changed.connect(self._take_image)
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self._take_document)
        host.work.changed.connect(self._take_tasks)
        self.refresh()

    def _build(self) -> None:
        self.empty = controls.EmptyState("", parent=self)
        self.head = QWidget(self)
        row = QHBoxLayout(self.head)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.sizes().tight)
        self.models = controls.Combo(name=_("Model"), parent=self.head)
        for card in self._cards:
            self.models.addItem(f"{_(card.title)} {card.version}", card.name)
        self.models.currentIndexChanged.connect(self._choose)
        self.info = controls.IconButton("info", _("About this model"), parent=self.head)
        self.info.clicked.connect(self._show_card)
        self.again = controls.IconButton("refresh-cw", _("Classify again"), parent=self.head)
        self.again.clicked.connect(self.classify_current)
        row.addWidget(self.models, 1)
        row.addWidget(self.info)
        row.addWidget(self.again)
        self.unusable = controls.Hint(_("Not usable: {reasons}").format(reasons=" ".join(reason for _name, reason in self._broken)), parent=self)
        self.failed = controls.NoteBox("err", parent=self)
        self.details = self.failed.add_link(_("Details"))
        self.details.clicked.connect(self._show_failure)
        self.warnings = controls.NoteBox("warn", parent=self)
        self.progress = controls.ProgressRow(parent=self)
        self.progress.cancel_requested.connect(self._cancel)
        self.run_button = controls.Button(_("Classify"), icon="scan-search", variant="primary", parent=self)
        self.run_button.clicked.connect(self.classify_current)
        self.card = controls.Card(parent=self)
        self.scores = ScoreRows(self.card)
        self.card.add_row(self.scores)
        self.source = controls.ElidedLabel("", "caption", parent=self.card)
        self.card.add_row(self.source)
        self.all_card = controls.Card(_("All slices"), parent=self)
        self.plot = ScorePlot(self.all_card)
        self.plot.slice_wanted.connect(self._go_to)
        self.highest = controls.Button("", variant="link", parent=self.all_card)
        self.highest.clicked.connect(self._go_to_highest)
        self.all_card.add_row(self.plot)
        self.all_card.body.addWidget(self.highest, 0, Qt.AlignmentFlag.AlignLeft)
        self.all_button = self.all_card.add_button(controls.Button(_("Classify all slices"), parent=self.all_card))
        self.all_button.clicked.connect(self.classify_all)
        for part in (self.empty, self.head, self.unusable, self.failed, self.warnings, self.progress, self.run_button, self.card, self.all_card):
            self.add(part)
        self.body.addStretch(1)
        self.add_to_foot(controls.Label(_("Not for diagnosis"), "caption", parent=self))

    # --- what the window calls ---

    def classify_current(self) -> None:
        """Ask the model about the slice in view: F5 and the button in the top bar come here."""
        self._run("slice")

    def classify_all(self) -> None:
        """Ask about every slice of the phase in view."""
        self._run("volume")

    @property
    def model(self) -> ModelCard | None:
        """The chosen model."""
        index = self.models.currentIndex()
        return self._cards[index] if 0 <= index < len(self._cards) else None

    @property
    def is_running(self) -> bool:
        return bool(self._task)

    # --- running ---

    def _reason(self, *, is_all: bool = False) -> str:
        """Why the model cannot be asked now, as a sentence; "" if it can."""
        state = self._panels.state
        if state.volume is None:
            return self._panels.host.why_closed
        if self.model is None:
            return _("No model is installed.")
        if self._task:
            return _("It is running. Cancel stops it.")
        if not is_all and self._plane() < 0:
            return _("Models look at slices as they were acquired. Choose As acquired in the View menu.")
        return ""

    def _run(self, scope: str) -> None:
        host, model, is_all = self._panels.host, self.model, scope == "volume"
        reason = self._reason(is_all=is_all)
        if reason or model is None:
            host.say("info", reason)
            return
        self._failure = ("", "")
        with host.reporting():
            call = host.prepare(OPERATION, {"model": model.name}, host.scope(scope))
            self._is_all, self._started = is_all, time.monotonic()
            words = _("Classifying {count} slices").format(count=call.images[0].geometry.shape[0])
            self.progress.start(words if is_all else _("Classifying, about {seconds} s").format(seconds=max(1, round(self._guess_s))))
            task = host.run(call, self._done, self._failed)
            # In a pool that runs inline the job is over before its id is known.
            self._task = task if host.work.is_running(task) else ""
        self.refresh()

    def _cancel(self) -> None:
        self._panels.host.work.cancel(self._task)

    def _done(self, step: Step | None) -> None:
        self._task = ""
        if not self._is_all:
            self._guess_s = time.monotonic() - self._started
        self.refresh()
        reports = reports_in(step) if step is not None else ()
        if step is not None and reports:
            self._last_step = step.id
            self._panels.host.say("ok", summary(reports), ((_("Undo"), self._undo),))

    def _undo(self) -> None:
        """Take back what the message is about, unless something came after it."""
        host = self._panels.host
        step = host.document.history.next_undo
        if step is not None and step.id == self._last_step:
            host.undo()
        else:
            host.say("info", _("Something was done after it. Use the history to go back."))

    def _failed(self, error: BaseException) -> None:
        self._task = ""
        if not isinstance(error, OperationCancelled):
            self._failure = (str(error), str(getattr(error, "details", "")))
        self.refresh()

    def _take_tasks(self, tasks: tuple[Task, ...]) -> None:
        task = next((t for t in tasks if t.id == self._task), None)
        if task is not None and self._is_all and task.total:
            left = task.seconds_left
            remaining = _("about {seconds} s left").format(seconds=max(1, round(left))) if left is not None else ""
            self.progress.set_progress(task.done, task.total, remaining=remaining)

    # --- what is known ---

    def _plane(self) -> int:
        """The plane of the array in view; -1 for a reformat, of which no report speaks."""
        state = self._panels.state
        return state.array_index if state.volume is not None and state.layout.axis == 0 else -1

    def _reports(self) -> dict[int, Report]:
        """The newest report of the chosen model on each plane of the phase in view."""
        state, model = self._panels.state, self.model
        if state.volume is None or model is None:
            return {}
        found = self._panels.document.reports_of(state.root_id)
        return {report.index: report for report in found if report.model == model.name and report.phase == state.phase}

    # --- showing ---

    def refresh(self) -> None:
        """Show what the document says of the slice in view."""
        state, model = self._panels.state, self.model
        self._key = self._view_key(state)
        is_usable, is_busy = state.volume is not None and model is not None, bool(self._task)
        reports = self._reports()
        report = reports.get(self._plane())
        self.empty.setVisible(not is_usable)
        if state.volume is None:
            reading = self._panels.host.why_closed if self._panels.host.arriving is not None else ""
            self.empty.set_text(reading or _("Open an image to use Classify."), _("A model says what it sees, how sure it is, and whether it fits."))
        elif model is None:
            self.empty.set_text(_("No model installed."))
        self.head.setVisible(is_usable)
        self.unusable.setVisible(bool(self._broken) and state.volume is not None)
        self.again.setVisible(report is not None)
        theme.set_available(self.again, self._reason())
        theme.set_available(self.models)
        self.models.setToolTip(_(model.title) if model is not None else "")
        theme.set_available(self.models, _("It is running. Cancel stops it.") if is_busy else "")
        self.failed.show_note("err", self._failure[0] if is_usable else "")
        self.details.setVisible(bool(self._failure[1]))
        self.progress.setVisible(is_busy)
        self._show_warnings(state, model, report)
        self.run_button.setVisible(is_usable and report is None and not is_busy)
        theme.set_available(self.run_button, self._reason())
        self.card.setVisible(report is not None and not (is_busy and not self._is_all))
        if report is not None:
            self._show_report(report)
        self._show_all(state, reports)

    def _show_warnings(self, state: ViewState, model: ModelCard | None, report: Report | None) -> None:
        """Those of the report; before there is one, whether the model is for such images."""
        misfit = fitness.modality_warning(model, state.volume.identity.modality) if model is not None and state.volume is not None else ""
        told = report.warnings if report is not None else (misfit,) if misfit else ()
        self.warnings.show_note("warn", "\n".join(_(sentence) for sentence in told))
        self.run_button.setText(_("Classify anyway") if misfit else _("Classify"))

    def _show_report(self, report: Report) -> None:
        over = len(over_threshold(report))
        if report.positive and report.threshold is not None:
            title = (_("{name}: above the threshold") if over else _("{name}: below the threshold")).format(name=_(report.positive))
        elif report.threshold is not None:
            title = _("{over} of {count} above threshold").format(over=over, count=len(report.scores))
        else:
            title = _("Scores")
        # Calibration holds for images like those it was made with; a warning says that this may be none.
        is_probability = report.is_calibrated and not report.warnings
        self.card.set_title(
            title, _("Probability, as the model was calibrated.") if is_probability else _("Score. For this image it is no probability.")
        )
        self.card.set_caption(_("{time} · {device}").format(time=_time_text(report.milliseconds), device=report.device))
        self.scores.show_report(report)
        checksum = dict(report.facts).get("sha256", "")
        self.source.setText(" ".join(part for part in (report.model, report.version, checksum[:8]) if part))
        self.source.set_tooltip(f"sha256 {checksum}" if checksum else "")

    def _show_all(self, state: ViewState, reports: dict[int, Report]) -> None:
        several = state.volume is not None and self.model is not None and state.volume.geometry.shape[0] > 1
        self.all_card.setVisible(several)
        if state.volume is None or not several:
            return
        theme.set_available(self.all_button, self._reason(is_all=True))
        has_plot = len(reports) > 1
        self.plot.setVisible(has_plot)
        self.highest.setVisible(has_plot)
        planes = state.volume.geometry.shape[0]
        self.all_card.set_caption(_("{known} of {count}").format(known=len(reports), count=planes))
        if not has_plot:
            self.all_card.set_title(_("All slices"))
            return
        first = next(iter(reports.values()))
        name = first.positive or max(first.scores, key=lambda score: score.value).name
        threshold = first.threshold if not first.positive or name == first.positive else None
        along = sorted((slice_of_plane(state, plane), _score(report, name)) for plane, report in reports.items())
        self.all_card.set_title(_("{name} along the slices").format(name=_(name)))
        self.plot.show_values(_(name), along, planes, threshold)
        self.plot.show_slice(slice_of_plane(state, self._plane()) if self._plane() >= 0 else -1)
        index, value = max(along, key=lambda pair: pair[1])
        self.highest.setProperty("slice", index)
        self.highest.setText(_("Highest: {score} on slice {number}").format(score=digits.score(value), number=index + 1))

    def _go_to(self, index: int) -> None:
        if self._plane() < 0:
            self._panels.host.change_wish(plane="acquired", index=index)
        else:
            self._panels.host.change_wish(index=index)

    def _go_to_highest(self) -> None:
        self._go_to(int(self.highest.property("slice")))

    def _show_card(self) -> None:
        model = self.model
        if model is not None:
            self._panels.show_details(_(model.title), card_text(model))

    def _show_failure(self) -> None:
        self._panels.show_details(*self._failure)

    # --- following ---

    def _view_key(self, state: ViewState) -> tuple[object, ...]:
        return state.root_id if state.volume is not None else "", state.layout.axis, state.index, state.phase

    def _choose(self, _index: int) -> None:
        self._failure = ("", "")
        self.refresh()

    def _take_view(self, state: ViewState) -> None:
        # Comes with every move of a window too, which changes nothing here.
        if self._view_key(state) != self._key:
            self.refresh()

    def _take_image(self, _root_id: str) -> None:
        self._failure = ("", "")
        self.refresh()

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("report") or changes.sources:
            self.refresh()

    def _take_document(self) -> None:
        self._task, self._failure = "", ("", "")
        self.refresh()


def classify_current(panel_host: PanelHost) -> None:
    """Bring the panel to the front and ask its model about the slice in view. One step, which can be undone."""
    panel = panel_host.show_panel("classify")
    if isinstance(panel, ClassifyPanel):
        panel.classify_current()


def summary(reports: tuple[Report, ...]) -> str:
    """What a run found, in one sentence."""
    first = reports[0]
    told = any(report.warnings for report in reports)
    if len(reports) == 1:
        best = max(first.scores, key=lambda score: score.value)
        words = _("Classified, with warnings: {name} {score}.") if told else _("Classified: {name} {score}.")
        return words.format(name=_(best.name), score=digits.score(best.value))
    name = first.positive or max(first.scores, key=lambda score: score.value).name
    count = sum(name in over_threshold(report) for report in reports)
    words = (
        _("Classified {total} slices, with warnings: {name} above the threshold on {count}.")
        if told
        else _("Classified {total} slices: {name} above the threshold on {count}.")
    )
    return words.format(total=len(reports), name=_(name), count=count)


def _score(report: Report, name: str) -> float:
    return next((score.value for score in report.scores if score.name == name), 0.0)


def _time_text(milliseconds: float) -> str:
    return _("{time:.0f} ms").format(time=milliseconds) if milliseconds < 1000 else _("{time:.1f} s").format(time=milliseconds / 1000)


def card_text(model: ModelCard) -> str:
    """The card as plain lines: what a person has to know before trusting it."""
    card = model.card
    training, test, threshold = card.get("training", {}), card.get("metrics", {}).get("test", {}), card.get("threshold", {})
    applies = card.get("applies", {})
    lines = [
        _(model.title), f"{model.name} {model.version}", "",
        _("For: {text}").format(text=_(card.get("intended_use", "–"))), _("Not for: {text}").format(text=_(card.get("not_for", "–"))), "",
        _("Classes: {names}").format(names=", ".join(_(c) for c in model.classes)),
        _("Modality {modality}; body part {part}; view {view}; age {age}").format(
            modality=", ".join(model.modalities) or "–", part=", ".join(applies.get("body_part", [])) or "–",
            view=", ".join(applies.get("view", [])) or "–", age="–".join(str(a) for a in applies.get("age_years", [])) or "–",
        ),
        "",
        _("Training data: {text}").format(text=_(training.get("data", "–"))), _("Licence: {text}").format(text=training.get("licence", "–")),
    ]  # fmt: skip
    if test:
        lines.append(
            _("Test set ({films} films): AUC {auc}, accuracy {accuracy}").format(**{k: test.get(k, "–") for k in ("films", "auc", "accuracy")})
        )
    if threshold:
        words = _("Threshold {value}: sensitivity {sensitivity}, specificity {specificity}")
        lines.append(words.format(**{k: threshold.get(k, "–") for k in ("value", "sensitivity", "specificity")}))
    return "\n".join([*lines, "", f"sha256 {model.sha256}"])


def build(panel_host: PanelHost) -> QWidget:
    """The panel, as the manifest names it."""
    return ClassifyPanel(panel_host)
