"""The card of the heat-map: on or off, how dense, of which class and by which method, and what it does not mean."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.api import Report
from viewer.api import gettext as _
from viewer.api.panel import HeatStrip, HeatWish, PanelHost, controls, heat, theme


class HeatCard(controls.Card):
    """What the view shows of the heat-maps of a report. It changes the view's wish, and asks its owner for maps that are not there yet."""

    compute_wanted = Signal(str, str)
    """(class, method)"""
    cancel_wanted = Signal()
    wish_changed = Signal()
    """Something else is wanted; where there is no such map the view stays as it is."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(_("Heat map"), parent=parent)
        self._host = panel_host.host
        self._report: Report | None = None
        self.switch = controls.Switch(_("Heat map"), checked=True, parent=self)
        self.switch.toggled.connect(lambda on: self._wish(is_shown=on))
        self.header.addWidget(self.switch)
        self.strip = QWidget(self)
        line = QHBoxLayout(self.strip)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.sizes().gap)
        line.addWidget(controls.Label(_("Low"), "caption", parent=self.strip))
        line.addWidget(HeatStrip(self.strip), 1)
        line.addWidget(controls.Label(_("High"), "caption", parent=self.strip))
        self.opacity = controls.NumberRow(_("Opacity"), 0, 100, 45, unit="%", parent=self)
        self.opacity.value_changed.connect(lambda percent: self._host.change_wish(overlay_opacity=percent / 100))
        tip = _("Below this share of its range the map is clear. It changes what is painted, and no score.")
        self.floor = controls.NumberRow(_("Show from"), 0, 95, 12, unit="%", tooltip=tip, parent=self)
        self.floor.value_changed.connect(lambda percent: self._host.change_wish(overlay_threshold=percent / 100))
        self.score = controls.ChoiceRow(_("Class"), [], parent=self)
        self.score.value_changed.connect(lambda name: self._wish(score=str(name)))
        self.method = controls.ChoiceRow(_("Method"), [], parent=self)
        self.method.value_changed.connect(lambda name: self._wish(method=str(name)))
        self.reason = controls.Hint("", parent=self)
        self.compute = controls.Button(_("Compute"), icon="flame", parent=self)
        self.compute.clicked.connect(self._ask)
        self.progress = controls.ProgressRow(parent=self)
        self.progress.cancel_requested.connect(self.cancel_wanted)
        self.words = controls.Hint("", parent=self)
        for part in (self.strip, self.opacity, self.floor, self.score, self.method, self.reason):
            self.add_row(part)
        self.body.addWidget(self.compute, 0, Qt.AlignmentFlag.AlignLeft)
        self.add_row(self.progress)
        self.add_row(self.words)
        self.progress.hide()

    def chosen(self) -> tuple[str, str]:
        """(class, method) that the rows stand at."""
        return str(self.score.value() or ""), str(self.method.value() or "")

    def show_report(self, panels: PanelHost, report: Report, *, has_exact: bool, is_busy: bool, why_not: str) -> None:
        """Follow a report and the view's wish.

        Parameters
        ----------
        panels : PanelHost
        report : Report
        has_exact : bool
            Whether an exact map can be asked for.
        is_busy : bool
            Whether one is being computed.
        why_not : str
            Why none can be computed now, in a sentence; "" if one can.
        """
        wish, document = self._host.wish, panels.document
        self._report = report
        self._show_choices(panels, report, wish.heat, has_exact=has_exact)
        shown = heat.map_of(document, report, wish.heat)
        reason = heat.why_not_shown(
            document, report, wish.heat, is_acquired=panels.state.layout.axis == 0, show_overlays=wish.show_overlays
        )  # fmt: skip
        # Of an image that the model does not know no map is offered, until its scores are shown all the same.
        is_held_back = report.is_unfamiliar and not wish.heat.is_unfamiliar_shown
        is_on = wish.heat.is_shown and wish.show_overlays and not is_held_back
        self._set(self.switch, is_on)
        theme.set_available(self.switch, _("The heat map is held back with the scores, until you choose “Show anyway”.") if is_held_back else "")
        is_missing = is_on and (shown is None or (shown.score, shown.method) != self.chosen())
        if is_missing and shown is not None:
            reason = _("There is none of this class by this method yet.")
        for part in (self.strip, self.opacity, self.floor):
            part.setVisible(is_on and not reason)
        self.score.setVisible(is_on and self.score.combo.count() > 1)
        self.method.setVisible(is_on)
        is_told = is_on or (is_held_back and wish.heat.is_shown and wish.show_overlays)
        self.reason.setText(reason if is_told else "")
        self.reason.setVisible(bool(self.reason.text()) and not is_busy)
        self.compute.setVisible(is_missing and not is_busy)
        theme.set_available(self.compute, why_not)
        self.progress.setVisible(is_busy)
        method = shown.method if shown is not None and not is_missing else ""
        told = ""
        if is_on and method in heat.METHOD_WORDS:
            told = _("{first} {second}").format(first=_(heat.CAUTION), second=_(heat.METHOD_WORDS[method]))
        if told and shown is not None and not report.is_unfamiliar and _is_below(report, shown.score):
            told = _("{first} {second}").format(first=told, second=_("The score is below its threshold; the colours span the map all the same."))
        self.words.setText(told)
        self.words.setVisible(bool(self.words.text()))
        if round(100 * wish.overlay_opacity) != self.opacity.value():
            self.opacity.set_value(100 * wish.overlay_opacity)
        if round(100 * wish.overlay_threshold) != self.floor.value():
            self.floor.set_value(100 * wish.overlay_threshold)

    def _show_choices(self, panels: PanelHost, report: Report, wish: HeatWish, *, has_exact: bool) -> None:
        names = [score.name for score in report.scores]
        made = heat.map_of(panels.document, report, wish)
        score = wish.score if wish.score in names else made.score if made is not None else report.usual_class
        self.score.set_choices([(name, _(name)) for name in names], report.usual_class)
        self.score.set_value(score)
        there = heat.methods_of(panels.document, report, score)
        offered = [method for method in heat.METHODS if method != "exact" or has_exact or "exact" in there]
        usual = there[0] if there else offered[0]
        self.method.set_choices([(method, _(heat.METHOD_TITLES[method])) for method in offered], usual)
        self.method.set_value(wish.method if wish.method in offered else usual)

    def _set(self, switch: controls.Switch, on: bool) -> None:
        was = switch.blockSignals(True)
        switch.setChecked(on)
        switch.blockSignals(was)
        switch.update()

    def _wish(self, **values: object) -> None:
        """Another heat-map is wanted in view; switching it on shows maps at all."""
        more = {"show_overlays": True} if values.get("is_shown") else {}
        self._host.change_wish(heat=replace(self._host.wish.heat, **values), **more)
        self.wish_changed.emit()

    def _ask(self) -> None:
        self.compute_wanted.emit(*self.chosen())


def _is_below(report: Report, name: str) -> bool:
    """Whether a class has a threshold and does not reach it: its map looks as bright as that of one which does."""
    return any(score.name == name and score.threshold is not None and score not in report.found for score in report.scores)
