"""The list of jobs, opened from the status line: what runs, how far it is, and one thing to do about each."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.ui.controls import BusyRing, Button, ElidedLabel, EmptyState, IconLabel, Popover, ThinBar
from viewer.ui.dialogs.details import show_details
from viewer.ui.host import Host
from viewer.ui.theme import sizes
from viewer.ui.work import Task

WIDTH = 360
_MOST_HEIGHT = 420
_PICTURES = {"waiting": ("clock", "text2"), "done": ("circle-check", "ok"), "failed": ("circle-alert", "err"), "cancelled": ("x", "text2")}


def words_of(task: Task) -> str:
    """The line under a job's title."""
    if task.state == "waiting":
        return _("Waiting")
    if task.state == "failed":
        return task.error
    if task.state == "cancelled":
        return _("Cancelled")
    if task.state == "done":
        return _("Done in {seconds:.1f} s").format(seconds=max(0.1, task.ended - task.started))
    fraction = task.fraction
    if fraction is None:
        words = task.text or _("Running")
    elif task.total == 1000:  # a worker's job counts in thousandths
        words = task.text or _("{percent:.0f} %").format(percent=100 * fraction)
    else:
        words = _("{done} of {total}").format(done=task.done, total=task.total)
    left = task.seconds_left
    return _("{progress} · about {seconds:.0f} s left").format(progress=words, seconds=max(1.0, left)) if left is not None else words


def listed(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """What runs and waits first, then what failed, then what is done, the newest first."""
    places = {"running": 0, "waiting": 1, "failed": 2}
    return tuple(sorted(tasks, key=lambda task: (places.get(task.state, 3), -task.ended, task.started)))


class JobRow(QWidget):
    """One job: picture, title and action; a bar while it runs; a line of words."""

    cancel_wanted = Signal(str)
    forget_wanted = Signal(str)
    details_wanted = Signal(object)

    def __init__(self, task: Task, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._task = task
        self._ring = BusyRing(parent=self)
        self._picture = IconLabel("clock", parent=self)
        self._title = ElidedLabel(task.title, parent=self)
        self.action = Button("", variant="link", parent=self)
        self.action.clicked.connect(self._act)
        self._bar = ThinBar(name=task.title, parent=self)
        self._words = ElidedLabel("", "small", parent=self)
        head = QHBoxLayout()
        head.setSpacing(sizes().row_gap)
        head.addWidget(self._ring)
        head.addWidget(self._picture)
        head.addWidget(self._title, 1)
        head.addWidget(self.action)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(sizes().tight)
        column.addLayout(head)
        column.addWidget(self._bar)
        column.addWidget(self._words)
        self.show_task(task)

    def show_task(self, task: Task) -> None:
        """Follow the job; only what differs is touched."""
        self._task = task
        runs = task.state == "running"
        self._ring.setVisible(runs)
        self._picture.setVisible(not runs)
        if not runs:
            self._picture.set_picture(*_PICTURES[task.state])
        self._bar.setVisible(runs)
        self._bar.set_progress(task.done, task.total or None)
        self._words.setText(words_of(task))
        self._words.set_role("error" if task.state == "failed" else "small")
        words = _("Cancel") if task.state in ("running", "waiting") else _("Details") if task.details else _("Remove")
        if words != self.action.text():
            self.action.setText(words)
        self.action.setAccessibleName(_("{action}: {job}").format(action=words, job=task.title))
        self.setAccessibleName(_("{job}, {state}").format(job=task.title, state=words_of(task)))

    def _act(self) -> None:
        if self._task.state in ("running", "waiting"):
            self.cancel_wanted.emit(self._task.id)
            return
        if self._task.details:
            self.details_wanted.emit(self._task)
        # A failed job has been looked at, or waved away: it leaves the list either way.
        self.forget_wanted.emit(self._task.id)


class JobsPopover(Popover):
    """Follows the host's work while it is open."""

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(_("Jobs"), width=WIDTH, parent=parent)
        self._host = host
        self._rows: dict[str, JobRow] = {}
        self.empty = EmptyState(_("Nothing is running."), parent=self.frame)
        self.body.addWidget(self.empty)
        self._scroll = QScrollArea(self.frame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list = QWidget(self._scroll)
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(sizes().margin)
        self._column.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._scroll.setWidget(self._list)
        self._list.setAutoFillBackground(False)
        self._scroll.viewport().setAutoFillBackground(False)
        self.body.addWidget(self._scroll)
        host.work.changed.connect(self._take)
        # Time left counts down, and what is done leaves the list, without a word from the jobs.
        self._tick = QTimer(self)
        self._tick.setInterval(1000)
        self._tick.timeout.connect(lambda: self._take(self._host.work.tasks()))

    def rows(self) -> tuple[JobRow, ...]:
        return tuple(self._rows.values())

    def open_at(self, opener: QWidget, *, side: str = "below") -> None:
        self._show_tasks(self._host.work.tasks())
        super().open_at(opener, side=side)  # type: ignore[arg-type]

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tick.start()
        self._refit()

    def hideEvent(self, event: QHideEvent) -> None:
        self._tick.stop()
        super().hideEvent(event)

    def _take(self, tasks: tuple[Task, ...]) -> None:
        if self.isVisible():
            self._show_tasks(tasks)

    def _show_tasks(self, tasks: tuple[Task, ...]) -> None:
        tasks = listed(tasks)
        known = {task.id for task in tasks}
        gone = [task_id for task_id in self._rows if task_id not in known]
        for task_id in gone:
            row = self._rows.pop(task_id)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, task in enumerate(tasks):
            row = self._rows.get(task.id)
            if row is None:
                row = self._rows[task.id] = self._make(task)
            else:
                row.show_task(task)
            if self._column.indexOf(row) != place:
                self._column.insertWidget(place, row)
        self.empty.setVisible(not tasks)
        self._scroll.setVisible(bool(tasks))
        self._refit()

    def _make(self, task: Task) -> JobRow:
        row = JobRow(task, self._list)
        row.cancel_wanted.connect(self._host.work.cancel)
        row.forget_wanted.connect(self._host.work.forget)
        row.details_wanted.connect(self._show_details)
        return row

    def _refit(self) -> None:
        """As high as its rows; what opened above its opener keeps its lower edge."""
        bottom = self.geometry().bottom()
        self._column.activate()
        self._scroll.setFixedHeight(min(_MOST_HEIGHT, self._column.sizeHint().height()))
        self.adjustSize()
        if self.isVisible() and self.geometry().bottom() != bottom:
            self.move(QPoint(self.x(), bottom - self.height() + 1))

    def _show_details(self, task: Task) -> None:
        owner = self.parentWidget()
        self.close()
        if owner is not None:
            show_details(owner.window(), f"{task.title}: {task.error}", task.details)
