"""The card of a series: the score of one class along the slices, or along the frames of a cine, with a way to the highest, and the button that
asks about all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from viewer.api import Report, digits
from viewer.api import gettext as _
from viewer.api.panel import ScorePlot, ViewState, controls, slice_of_plane, theme


class SeriesCard(controls.Card):
    """All slices of the phase in view; of one slice in several phases (a cine), all of these."""

    run_wanted = Signal()
    slice_wanted = Signal(int)
    """Number from 0, as shown; of a cine the frame."""
    disagreements_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_("All slices"), parent=parent)
        self.plot = ScorePlot(self)
        self.plot.slice_wanted.connect(self.slice_wanted)
        self.highest = controls.Button("", variant="link", parent=self)
        self.highest.clicked.connect(lambda: self.slice_wanted.emit(int(self.highest.property("slice"))))
        self.disagreements = controls.Button("", variant="link", parent=self)
        self.disagreements.clicked.connect(self.disagreements_wanted)
        self.add_row(self.plot)
        for link in (self.highest, self.disagreements):
            self.body.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        self.run = self.add_button(controls.Button(_("Classify all slices"), parent=self))
        self.run.clicked.connect(self.run_wanted)

    def show_reports(self, state: ViewState, reports: Mapping[int, Report], plane: int, why_not: str) -> None:
        """The reports by plane, ``plane`` in view (-1: none), and why no more can be asked for; of a cine by frame, and the frame in view."""
        assert state.volume is not None
        is_cine = has_frames(state)
        every = _("All frames") if is_cine else _("All slices")
        self.run.setText(_("Classify all frames") if is_cine else _("Classify all slices"))
        theme.set_available(self.run, why_not)
        # Scores of images that the model does not know mean nothing, beside others least of all.
        known = {number: report for number, report in reports.items() if not report.is_unfamiliar}
        has_plot = len(known) > 1
        self.plot.setVisible(has_plot)
        self.highest.setVisible(has_plot)
        disagreed = sum(report.is_disagreed_with for report in reports.values())
        self.disagreements.setText(_("Disagreements: {number}").format(number=disagreed))
        self.disagreements.setVisible(disagreed > 0 and len(reports) > 1)
        planes = state.volume.phases if is_cine else state.volume.geometry.shape[0]
        self.set_caption(_("{known} of {count}").format(known=len(reports), count=planes))
        if not has_plot:
            unknown = len(reports) - len(known)
            self.set_title(every, _("The model has not seen such images.") if unknown > 1 else "")
            return
        first = next(iter(known.values()))
        name = first.usual_class
        threshold = next((score.threshold for score in first.scores if score.name == name), None)
        along = sorted((number if is_cine else slice_of_plane(state, number), _score(report, name)) for number, report in known.items())
        self.set_title((_("{name} along the frames") if is_cine else _("{name} along the slices")).format(name=_(name)))
        self.plot.show_values(_(name), along, planes, threshold, has_frames=is_cine)
        self.plot.show_slice(-1 if plane < 0 else plane if is_cine else slice_of_plane(state, plane))
        index, value = max(along, key=lambda pair: pair[1])
        self.highest.setProperty("slice", index)
        words = _("Highest: {score} in frame {number}") if is_cine else _("Highest: {score} on slice {number}")
        self.highest.setText(words.format(score=digits.score(value), number=index + 1))


def has_frames(state: ViewState) -> bool:
    """Whether the image is one slice in several phases: then these are what is gone through, as slices are elsewhere."""
    return state.volume is not None and state.volume.geometry.shape[0] == 1 and state.volume.phases > 1


def _score(report: Report, name: str) -> float:
    return next((score.value for score in report.scores if score.name == name), 0.0)
