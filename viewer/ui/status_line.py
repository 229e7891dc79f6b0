"""The status line: what is under the pointer, the active segment, jobs, how the image is fitted."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.ui import theme
from viewer.ui.controls import BusyRing, ElidedLabel, IconLabel, Label, ThinBar
from viewer.ui.host import Host
from viewer.ui.tooling import Tooling
from viewer.ui.views.arrival import reading_text
from viewer.ui.work import Task


class JobsIndicator(QWidget):
    """Ring, words and a bar while something runs; a click opens the list of jobs."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(_("Jobs"))
        self.setToolTip(_("Show the jobs"))
        self._ring = BusyRing(size=14, parent=self)
        self._failed = IconLabel("circle-alert", size=14, token="err", parent=self)
        self._words = Label("", "small", parent=self)
        self._bar = ThinBar(name=_("Progress"), parent=self)
        self._bar.setFixedWidth(72)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(6)
        for part in (self._ring, self._failed, self._words, self._bar):
            row.addWidget(part)
        self.show_tasks(())

    def show_tasks(self, tasks: tuple[Task, ...]) -> None:
        """Say how many run, how far the first is, how many failed."""
        running = [t for t in tasks if t.state in ("running", "waiting")]
        failed = [t for t in tasks if t.state == "failed"]
        self.setVisible(bool(running or failed))
        self._ring.setVisible(bool(running))
        self._bar.setVisible(bool(running))
        self._failed.setVisible(bool(failed) and not running)
        if running:
            self._words.setText(ngettext("{count} job", "{count} jobs", len(running)))
            self._bar.set_progress(running[0].done, running[0].total or None)
        elif failed:
            self._words.setText(_("{count} failed").format(count=len(failed)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class StatusLine(QFrame):
    """One line, never a dialog."""

    def __init__(self, host: Host, tooling: Tooling, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "status")
        self.setFixedHeight(theme.sizes().status_line)
        self._host, self._tooling = host, tooling
        self._is_probing = False
        self.probe = ElidedLabel(_("No image"), "small", parent=self)
        self.probe.setMinimumWidth(380)
        self.segment = ElidedLabel("", "small", parent=self)
        self.saving = Label("", "small", parent=self)
        self.jobs = JobsIndicator(self)
        self.fit = Label("", "small", parent=self)
        self.disclaimer = ElidedLabel(_("Research and education only – not for diagnosis"), "caption", parent=self)
        self.disclaimer.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(16)
        row.addWidget(self.probe, 3)
        row.addWidget(self.segment, 1)
        row.addWidget(self.disclaimer, 2)
        row.addWidget(self.saving)
        row.addWidget(self.jobs)
        row.addWidget(self.fit)
        host.seen_changed.connect(self._show_view)
        host.arriving_changed.connect(self._show_seen)
        host.work.changed.connect(self.jobs.show_tasks)
        tooling.segment_changed.connect(self._show_segment)
        self._show_view(host.seen)

    def show_probe(self, text: str) -> None:
        """What is under the pointer; "" when it is not over the image."""
        self._is_probing = bool(text)
        self.probe.setText(text if text else self._rest())

    def _rest(self) -> str:
        volume, arriving = self._host.seen.volume, self._host.arriving
        if volume is None:
            return _("No image")
        if arriving is not None:
            return reading_text(arriving, self._host.seen)
        return _("No pixel size in this image. Lengths are in px.") if not volume.geometry.in_plane_known else ""

    def _show_seen(self) -> None:
        self._show_view(self._host.seen)

    def _show_view(self, state) -> None:
        self.fit.setText("" if state.volume is None else _("Fit to window") if state.zoom is None else "")
        store = self._host.document.store
        self.saving.setText(_("Saving …") if store is not None and store.behind_s > 1 else "")
        if not self._is_probing:
            self.probe.setText(self._rest())

    def _show_segment(self, ref) -> None:
        found = self._host.document.layer(ref.layer_id).segment(ref.label) if ref is not None else None
        self.segment.setText(_("Segment: {name}").format(name=found.name) if found else "")
