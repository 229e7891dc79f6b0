"""The card with a report: the scores, the threshold to play with, how well the model did at its own, and what it got to see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from plugins.classify import performance
from viewer.api import Report
from viewer.api import gettext as _
from viewer.api.panel import PanelHost, ScoreRows, controls, over_threshold, theme

_FED_SIDE = 132


class ReportCard(controls.Card):
    """What a model said of the plane in view. The slider of the threshold changes what is shown here and nothing else."""

    fed_wanted = Signal()
    """The picture of what the model got is to be shown."""
    shown_anyway = Signal()
    """The scores of an image that the model does not know are to be shown."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(wraps=True, parent=parent)
        self._panels = panel_host
        self._report: Report | None = None
        self._what_if: tuple[str, dict[str, float]] = ("", {})
        self._open: set[str] = set()
        """Reports whose scores are shown although the model does not know such images."""
        self.scores = ScoreRows(self)
        self.show_anyway = controls.Button(_("Show anyway"), variant="link", parent=self)
        self.show_anyway.clicked.connect(self._show_anyway)
        self.which = controls.ChoiceRow(_("Threshold of"), [], parent=self)
        self.which.value_changed.connect(self._show_threshold)
        tip = _("What would be found at another threshold: here only. The report and what is exported keep that of the model.")
        self.threshold = controls.NumberRow(_("Threshold"), 0.0, 1.0, 0.5, step=0.01, tooltip=tip, parent=self)
        self.threshold.value_changed.connect(self._try_threshold)
        self.figures = controls.Hint("", parent=self)
        self.measured = controls.Label("", "caption", wrap=True, parent=self)
        self.fed = controls.Button(_("Model input"), variant="link", checkable=True, parent=self)
        self.fed.setToolTip(_("The picture that went into the model: windowed, fitted and made smaller as its card says."))
        self.fed.toggled.connect(self._toggle_fed)
        self.picture = controls.Label("", parent=self)
        self.picture.setProperty("role", "image")
        self.picture.setAccessibleName(_("Model input"))
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setFixedSize(_FED_SIDE, _FED_SIDE)
        self.fed_words = controls.Hint("", parent=self)
        self.source = controls.ElidedLabel("", "caption", parent=self)
        self.source.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.copy_source = QAction(_("Copy model and checksum"), self.source)
        self.copy_source.triggered.connect(self._copy_source)
        self.source.addAction(self.copy_source)
        for part in (self.scores, self.which, self.threshold):
            self.add_row(part)
        words = QVBoxLayout()
        words.setSpacing(theme.sizes().tight)
        words.addWidget(self.figures)
        words.addWidget(self.measured)
        self.body.addLayout(words)
        for link in (self.show_anyway, self.fed):
            link.setProperty("compact", True)
        origin = QHBoxLayout()
        origin.addWidget(self.source, 1)
        origin.addWidget(self.fed)
        self.body.addLayout(origin)
        self.body.insertWidget(1, self.show_anyway, 0, Qt.AlignmentFlag.AlignRight)
        for part in (self.picture, self.fed_words):
            self.body.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        self._toggle_fed(False)

    @property
    def is_veiled(self) -> bool:
        """Whether the scores are held back because the model has not seen such images."""
        return self._report is not None and self.veils(self._report)

    def veils(self, report: Report) -> bool:
        """Whether it would hold the scores of a report back."""
        return report.is_unfamiliar and report.id not in self._open

    def show_report(self, report: Report) -> None:
        """Show a report; a threshold that was tried belongs to the one before."""
        if self._what_if[0] != report.id:
            self._what_if = (report.id, {})
        is_new = report != self._report
        self._report = report
        if is_new:
            self._show_choices(report)
        self._show_scores()
        self.set_caption(_("{time} · {device}").format(time=time_text(report.milliseconds), device=report.device))
        self.caption.setToolTip(_device_words(report))
        self._show_source(report)

    def show_picture(self, levels: np.ndarray[Any, Any] | None, words: str) -> None:
        """The picture as it went in, (rows, columns) or with a last axis of 3, 8 bits; None while it is not known, ``words`` under it."""
        self.fed_words.setText(words)
        self.fed_words.setVisible(bool(words) and self.fed.isChecked())
        if levels is None:
            self.picture.clear()
            return
        rows, columns = levels.shape[:2]
        data = np.ascontiguousarray(levels)
        kind = QImage.Format.Format_RGB888 if data.ndim == 3 else QImage.Format.Format_Grayscale8
        image = QImage(data.data, columns, rows, columns * (3 if data.ndim == 3 else 1), kind).copy()
        ratio = self.devicePixelRatioF()
        side = round(_FED_SIDE * ratio)
        # Small pictures are shown as the pixels that they are.
        how = Qt.TransformationMode.FastTransformation if rows <= side and columns <= side else Qt.TransformationMode.SmoothTransformation
        pixmap = QPixmap.fromImage(image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, how))
        pixmap.setDevicePixelRatio(ratio)
        self.picture.setPixmap(pixmap)

    # --- the scores ---

    def what_if(self) -> Report | None:
        """The report with the thresholds that are tried."""
        report = self._report
        if report is None:
            return None
        if self.is_veiled or report.is_unfamiliar:
            return replace(report, threshold=None, scores=tuple(replace(score, threshold=None) for score in report.scores))
        tried = self._what_if[1]
        return replace(report, scores=tuple(replace(score, threshold=tried.get(score.name, score.threshold)) for score in report.scores))

    def _show_scores(self) -> None:
        report, shown = self._report, self.what_if()
        assert report is not None
        assert shown is not None
        self.set_title(title_of(shown), _what_scores_are(report) if not self.is_veiled else "")
        self.scores.show_report(shown, is_veiled=self.is_veiled)
        self.show_anyway.setVisible(self.is_veiled)
        has_threshold = bool(_thresholds(report)) and not report.is_unfamiliar
        self.which.setVisible(has_threshold and len(set(_thresholds(report).values())) > 1)
        self.threshold.setVisible(has_threshold)
        figures = "" if report.is_unfamiliar else performance.sentence_of(report)
        if figures and self._what_if[1]:
            kept = _("The tried threshold holds here only; its figures are not known.")
            figures = _("{first} {second}").format(first=figures, second=kept)
        self.figures.setText(figures.replace(" %", "\u00a0%").replace("% CI ", "%\u00a0CI\u00a0"))  # no line begins with the sign
        self.figures.setToolTip(performance.prevalence_of(report))
        self.figures.setVisible(bool(figures))
        self.measured.setText(performance.origin_of(report))
        self.measured.setVisible(bool(figures) and bool(self.measured.text()))

    def _show_choices(self, report: Report) -> None:
        limits = _thresholds(report)
        if limits:
            self.which.set_choices([(name, _(name)) for name in limits])
            self._show_threshold()

    def _show_threshold(self, _value: object = None) -> None:
        if self._report is None:
            return
        limits = _thresholds(self._report)
        name = str(self.which.value()) if len(set(limits.values())) > 1 else next(iter(limits))
        self.threshold.set_default(limits[name])
        self.threshold.set_value(self._what_if[1].get(name, limits[name]))

    def _try_threshold(self, value: float) -> None:
        if self._report is None:
            return
        limits = _thresholds(self._report)
        names = (str(self.which.value()),) if len(set(limits.values())) > 1 else tuple(limits)
        tried = {**self._what_if[1], **dict.fromkeys(names, value)}
        tried = {name: limit for name, limit in tried.items() if self.threshold.value() != self.threshold.default() or name not in names}
        self._what_if = (self._report.id, tried)
        self._show_scores()

    def _show_anyway(self) -> None:
        if self._report is not None:
            self._open.add(self._report.id)
            self._show_scores()
            self.shown_anyway.emit()

    def _show_source(self, report: Report) -> None:
        checksum = dict(report.facts).get("sha256", "")
        # The version of an added model may be the head of its checksum.
        parts = dict.fromkeys((report.model, report.version, checksum[:8]))
        self.source.setText(" ".join(part for part in parts if part))
        self.source.set_tooltip(f"sha256 {checksum}" if checksum else "")

    def _copy_source(self) -> None:
        if self._report is not None:
            self._panels.copy_text(_source_words(self._report))
            self._panels.host.say("ok", _("Model and checksum copied."))

    def _toggle_fed(self, is_open: bool) -> None:
        self.picture.setVisible(is_open)
        self.fed_words.setVisible(is_open and bool(self.fed_words.text()))
        if is_open:
            self.fed_wanted.emit()


def title_of(report: Report) -> str:
    """How many classes were found, or of a model with one positive class whether it was."""
    over = over_threshold(report)
    limits = _thresholds(report)
    if report.positive and report.positive in limits:
        words = _("{name}: above threshold") if report.positive in over else _("{name}: below threshold")
        return words.format(name=_(report.positive))
    if limits:
        return _("{over} of {count} above threshold").format(over=len(over), count=len(report.scores))
    return _("Scores")


def time_text(milliseconds: float) -> str:
    """``45 ms``, ``1.2 s``."""
    return _("{time:.0f} ms").format(time=milliseconds) if milliseconds < 1000 else _("{time:.1f} s").format(time=milliseconds / 1000)


def _source_words(report: Report) -> str:
    """Name, version and whole checksum of the model, in two lines."""
    checksum = dict(report.facts).get("sha256", "")
    return "\n".join([f"{report.model} {report.version}".strip(), *([f"sha256 {checksum}"] if checksum else [])])


def _thresholds(report: Report) -> dict[str, float]:
    return {score.name: score.threshold for score in report.scores if score.threshold is not None}


def _device_words(report: Report) -> str:
    if report.device == "CPU":
        return _("The processor did the work, with all its cores: no graphics card can be used, or none is wanted.")
    return _("{device} did the work. Another device can be chosen in the settings.").format(device=report.device)


def _what_scores_are(report: Report) -> str:
    # Calibration holds for images like those it was made with; a warning says that this may be none.
    is_probability = report.is_calibrated and not report.warnings and not report.is_unfamiliar
    return _("Probability, as the model was calibrated.") if is_probability else _("A score, not a probability for this image.")
