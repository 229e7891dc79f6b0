"""The Classify tab: the model and its card, warnings first, then the scores of the plane in view."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.api import Report, ngettext
from viewer.api import gettext as _
from viewer.api.models import ModelCard, fits, list_models
from viewer.api.panel import Changes, PanelHost, Step, ViewState, controls, digits, theme

OPERATION = "Classify/Classify"
_SHOWN_CLASSES = 5


class ScoreRows(QWidget):
    """Name, score and bar of every class; over the threshold in accent. More than eight classes: the first five and a button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.sizes().gap)
        self._parts: list[QWidget] = []
        self._all = False

    def show_report(self, report: Report) -> None:
        """Show the classes of a report, largest score first for many classes."""
        for part in self._parts:
            self._column.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = []
        scores = report.scores if len(report.scores) <= 2 else tuple(sorted(report.scores, key=lambda s: -s.value))
        shown = scores if self._all or len(scores) <= 8 else scores[:_SHOWN_CLASSES]
        for score in shown:
            counts = report.threshold is not None and (not report.positive or score.name == report.positive)
            self._add_row(score.name, score.value, report.threshold if counts else None)
        if len(shown) < len(scores):
            more = controls.Button(_("Show all {count}").format(count=len(scores)), variant="link", parent=self)
            more.clicked.connect(lambda: self._show_all(report))
            self._keep(more)

    def _show_all(self, report: Report) -> None:
        self._all = True
        self.show_report(report)

    def _add_row(self, name: str, value: float, threshold: float | None) -> None:
        over = threshold is not None and value >= threshold
        head = QWidget(self)
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(controls.Label(_(name), "strong" if over else "secondary", parent=head), 1)
        row.addWidget(controls.Label(digits.score(value), "strong" if over else "secondary", parent=head))
        self._keep(head)
        self._keep(controls.ScoreBar(_(name), value, threshold, parent=self))

    def _keep(self, part: QWidget) -> None:
        self._parts.append(part)
        self._column.addWidget(part)


class ScorePlot(QWidget):
    """The score of one class along the planes; a click, or Left and Right, goes to a plane."""

    plane_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: list[tuple[int, float]] = []
        self._threshold: float | None = None
        self._at = -1
        self.setFixedHeight(72)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_values(self, name: str, values: list[tuple[int, float]], threshold: float | None, at: int) -> None:
        """``values``: (plane, score); ``at``: the plane in view."""
        self._values, self._threshold, self._at = values, threshold, at
        self.setAccessibleName(_("{name} along {count} planes").format(name=name, count=len(values)))
        self.setToolTip(_("{name} along the planes. Click to go to one.").format(name=name))
        self.update()

    def _x(self, plane: int) -> float:
        last = max(1, self._values[-1][0])
        return 4 + (self.width() - 8) * plane / last

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._values:
            return
        t = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(t.line2))
        painter.setBrush(QColor(t.field))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.sizes().radius, theme.sizes().radius)
        high = self.height() - 8

        def y(value: float) -> float:
            return 4 + high * (1 - value)

        if self._threshold is not None:
            painter.setPen(QColor(t.text3))
            painter.drawLine(QPointF(4, y(self._threshold)), QPointF(self.width() - 4, y(self._threshold)))
        painter.setPen(QColor(t.accent))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(self._x(plane), y(value)) for plane, value in self._values]))
        here = next((value for plane, value in self._values if plane == self._at), None)
        if here is not None:
            painter.setBrush(QColor(t.text))
            painter.setPen(QColor(t.field))
            painter.drawEllipse(QPointF(self._x(self._at), y(here)), 4, 4)
        if self.hasFocus():
            painter.setPen(QColor(t.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.sizes().radius, theme.sizes().radius)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._values:
            nearest = min(self._values, key=lambda pair: abs(self._x(pair[0]) - event.position().x()))
            self.plane_wanted.emit(nearest[0])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        planes = [plane for plane, _value in self._values]
        if step and self._at in planes:
            self.plane_wanted.emit(planes[max(0, min(len(planes) - 1, planes.index(self._at) + step))])
        else:
            super().keyPressEvent(event)


class ClassifyPanel(controls.PanelPage):
    """One button, one card; the document holds the reports."""

    def __init__(self, panel_host: PanelHost) -> None:
        super().__init__(name=_("Classify"))
        self._panels = panel_host
        self._task = ""
        self._error = ""
        self._cards, self._broken = list_models()
        self.models = controls.Combo(name=_("Model"), parent=self)
        for card in self._cards:
            self.models.addItem(card.title, card.name)
            self.models.setItemData(self.models.count() - 1, card.title, Qt.ItemDataRole.ToolTipRole)
        self.models.currentIndexChanged.connect(lambda _index: self.refresh())
        self.info = controls.IconButton("info", _("About this model"), parent=self)
        self.info.clicked.connect(self._show_card)
        self.empty = controls.EmptyState("", "", parent=self)
        self.run_button = controls.Button(_("Classify"), icon="scan-search", variant="primary", parent=self)
        self.run_button.clicked.connect(self.classify_current)
        self.all_button = controls.Button(_("All planes"), parent=self)
        self.all_button.clicked.connect(self.classify_all)
        self.progress = controls.ProgressRow(parent=self)
        self.progress.cancel_requested.connect(self._cancel)
        self.failed = controls.NoteBox("err", "", parent=self)
        self.misfit = controls.NoteBox("warn", "", parent=self)
        self.warnings = controls.NoteBox("warn", "", parent=self)
        self.card = controls.Card("", parent=self)
        self.scores = ScoreRows(self)
        self.card.add_row(self.scores)
        self.plot_card = controls.Card(_("All planes"), parent=self)
        self.plot = ScorePlot(self)
        self.plot.plane_wanted.connect(self._go_to_plane)
        self.plot_card.add_row(self.plot)
        self._build()
        host = panel_host.host
        host.view_changed.connect(lambda _state: self.refresh())
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self.refresh)
        host.work.changed.connect(self._show_tasks)
        self.refresh()

    def _build(self) -> None:
        head = QWidget(self)
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.sizes().gap)
        row.addWidget(self.models, 1)
        row.addWidget(self.info)
        self.head = head
        buttons = QWidget(self)
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.sizes().row_gap)
        row.addWidget(self.run_button, 1)
        row.addWidget(self.all_button, 1)
        self.buttons = buttons
        for part in (self.empty, head, self.misfit, buttons, self.progress, self.failed, self.warnings, self.card, self.plot_card):
            self.add(part)
        self.body.addStretch(1)
        self.add_to_foot(controls.Label(_("Not for diagnosis"), "caption", parent=self))

    # --- what the window calls ---

    def classify_current(self) -> None:
        """Ask the model about the plane in view: F5 and the button in the top bar come here."""
        self._run("slice")

    def classify_all(self) -> None:
        """Ask about every plane of the phase in view."""
        self._run("volume")

    # --- inside ---

    @property
    def model(self) -> ModelCard | None:
        """The chosen model."""
        index = self.models.currentIndex()
        return self._cards[index] if 0 <= index < len(self._cards) else None

    def _run(self, scope: str) -> None:
        host, model = self._panels.host, self.model
        if model is None or self._panels.state.volume is None or self._task:
            return
        self._error = ""
        with host.reporting():
            call = host.prepare(OPERATION, {"model": model.name}, host.scope(scope))
            task = host.run(call, self._done, self._fail)
            # In a pool that runs inline the job is over before its id is known.
            self._task = task if host.work.is_running(task) else ""
            self.progress.start(_("Classifying"))
        self.refresh()

    def _cancel(self) -> None:
        self._panels.host.work.cancel(self._task)

    def _done(self, step: Step | None) -> None:
        self._task = ""
        self.refresh()
        report = self._report()
        if step is not None and report is not None:
            best = next((s for s in report.scores if s.name == report.positive), max(report.scores, key=lambda s: s.value))
            words = _("Classified: {name} {score}.").format(name=_(best.name), score=digits.score(best.value))
            self._panels.host.say("ok", words, ((_("Undo"), self._panels.host.undo),))

    def _fail(self, error: BaseException) -> None:
        self._task = ""
        self._error = str(error)
        self.refresh()

    def _show_tasks(self, tasks: Any) -> None:
        task = next((t for t in tasks if t.id == self._task), None)
        if task is not None:
            self.progress.set_progress(task.done, task.total or None)

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("report") or changes.sources:
            self.refresh()

    def _reports(self) -> tuple[Report, ...]:
        root, model = self._panels.root_id, self.model
        if not root or model is None:
            return ()
        phase = self._panels.state.phase
        return tuple(r for r in self._panels.document.reports_of(root) if r.model == model.name and r.phase == phase)

    def _plane(self) -> int:
        """The plane in view; -1 for a reformat, of which no report speaks."""
        state = self._panels.state
        return state.array_index if state.layout.axis == 0 else -1

    def _report(self) -> Report | None:
        """The newest report on the plane in view."""
        plane = self._plane()
        found = [r for r in self._reports() if r.index == plane]
        return found[-1] if found else None

    def _go_to_plane(self, plane: int) -> None:
        layout = self._panels.state.layout
        self._panels.host.change_wish(index=layout.array_index(plane))

    def refresh(self) -> None:
        """Show what the document says of the plane in view."""
        state, model = self._panels.state, self.model
        is_open, busy = state.volume is not None, bool(self._task)
        self._show_emptiness(is_open)
        for part in (self.head, self.buttons):
            part.setVisible(is_open and model is not None)
        reason = _("A plane is being classified.") if busy else "" if self._plane() >= 0 else _("Classify works on planes as acquired.")
        theme.set_available(self.run_button, reason)
        several = is_open and state.volume.geometry.shape[0] > 1
        self.all_button.setVisible(several)
        theme.set_available(self.all_button, _("A plane is being classified.") if busy else "")
        self.progress.setVisible(busy)
        self.failed.show_note("err", self._error if is_open else "")
        self._show_fit(state)
        report = self._report() if is_open else None
        self.warnings.show_note("warn", "\n".join(_(w) for w in report.warnings) if report is not None else "")
        self.card.setVisible(report is not None)
        if report is not None:
            self._show_report(report)
        self._show_plot(is_open)

    def _show_emptiness(self, is_open: bool) -> None:
        self.empty.setVisible(not is_open or self.model is None)
        if not is_open:
            self.empty.set_text(_("Open an image to use Classify."), _("A model says what it sees, how sure it is, and whether it fits."))
        elif self.model is None:
            self.empty.set_text(_("No model installed."), " ".join(reason for _name, reason in self._broken))

    def _show_fit(self, state: ViewState) -> None:
        model, volume = self.model, state.volume
        words = ""
        if model is not None and volume is not None and not fits(model, volume) and self._report() is None:
            wanted = ", ".join(model.modalities)
            words = _("This model is for {wanted}; this image is {found}.").format(wanted=wanted, found=volume.identity.modality)
        self.misfit.show_note("warn", words)

    def _show_report(self, report: Report) -> None:
        over = sum(1 for s in report.scores if report.threshold is not None and s.value >= report.threshold and s.name in (report.positive, s.name))
        if report.positive and report.threshold is not None:
            positive = next(s for s in report.scores if s.name == report.positive)
            above = positive.value >= report.threshold
            title = _("{name}: above the threshold") if above else _("{name}: below the threshold")
            title = title.format(name=_(report.positive))
        else:
            title = ngettext("{count} above threshold", "{count} above threshold", over)
        calibrated = report.is_calibrated and not report.warnings
        what = _("Probability, calibrated on the model's own test films") if calibrated else _("Score, not a probability for this image")
        self.card.set_title(title, what)
        self.card.set_caption(_("{time:.0f} ms · {device}").format(time=report.milliseconds, device=report.device))
        self.scores.show_report(report)

    def _show_plot(self, is_open: bool) -> None:
        newest: dict[int, Report] = {r.index: r for r in self._reports() if r.batch} if is_open else {}
        self.plot_card.setVisible(len(newest) > 1)
        if len(newest) > 1:
            first = next(iter(newest.values()))
            name = first.positive or first.scores[0].name
            values = sorted((i, next(s.value for s in r.scores if s.name == name)) for i, r in newest.items())
            self.plot_card.set_title(_("{name} along the planes").format(name=_(name)))
            self.plot.show_values(_(name), values, first.threshold, self._plane())

    def _show_card(self) -> None:
        model = self.model
        if model is not None:
            self._panels.show_details(model.title, card_text(model))


def card_text(model: ModelCard) -> str:
    """The card as plain lines: what a person has to know before trusting it."""
    card = model.card
    training, test, threshold = card.get("training", {}), card.get("metrics", {}).get("test", {}), card.get("threshold", {})
    applies = card.get("applies", {})
    lines = [
        f"{model.title}", f"{model.name} {model.version}", "",
        _("For: {text}").format(text=card.get("intended_use", "–")), _("Not for: {text}").format(text=card.get("not_for", "–")), "",
        _("Classes: {names}").format(names=", ".join(_(c) for c in model.classes)),
        _("Modality {modality}; body part {part}; view {view}; age {age}").format(
            modality=", ".join(model.modalities) or "–", part=", ".join(applies.get("body_part", [])) or "–",
            view=", ".join(applies.get("view", [])) or "–", age="–".join(str(a) for a in applies.get("age_years", [])) or "–",
        ),
        "",
        _("Training data: {text}").format(text=training.get("data", "–")), _("Licence: {text}").format(text=training.get("licence", "–")),
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
