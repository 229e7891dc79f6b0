"""The dry run: what a bare model gives on the slice in view, with its card as it stands, before it is added."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget
from shiboken6 import isValid

from viewer.core import digits
from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.images import Image
from viewer.core.sentence import sentence_of
from viewer.core.words import gettext as _
from viewer.session.apply import Scope, image_of, lane_limits
from viewer.session.model_facts import TriedModel
from viewer.ui.controls import Button, ElidedLabel, Hint, Label, NoteBox, ProgressRow, ScoreBar, SectionTitle
from viewer.ui.host import Host
from viewer.ui.theme import set_available, sizes

SERVICE = "models.try"
_SIDE = 160
_MOST_SCORES = 5


class ModelTrial(QWidget):
    """A button, and what came of it. ``card``: gives the card as it stands, and why there is none yet."""

    def __init__(self, host: Host, path: Path, card: Callable[[], tuple[dict[str, Any], str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._host, self._path, self._card = host, path, card
        self._task = ""
        self._place: tempfile.TemporaryDirectory[str] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(sizes().margin, 0, 0, 0)
        column.setSpacing(sizes().row_gap)
        column.addWidget(SectionTitle(_("Dry run"), parent=self))
        column.addWidget(Hint(_("On the slice in view, with the answers as they stand. Nothing is kept."), parent=self))
        self.go = Button(_("Try it"), icon="play", parent=self)
        self.go.clicked.connect(self.start)
        column.addWidget(self.go)
        self.progress = ProgressRow(parent=self)
        self.progress.cancel_requested.connect(self.cancel)
        self.progress.hide()
        column.addWidget(self.progress)
        self.failed = NoteBox("err", parent=self)
        column.addWidget(self.failed)
        self.result = QWidget(self)
        self._build_result()
        column.addWidget(self.result)
        column.addStretch(1)
        self.result.hide()
        self.refresh()

    @property
    def is_running(self) -> bool:
        return bool(self._task)

    def take_change(self) -> None:
        """The answers have changed: what was tried is of before."""
        self.outdated.setVisible(not self.result.isHidden())
        self.refresh()

    def refresh(self) -> None:
        """Whether it can be tried now."""
        set_available(self.go, self._reason())

    def start(self) -> None:
        """Run it in a worker."""
        card, reason = self._card()
        given = self._image()
        if reason or given is None:
            return
        image, plane = given
        self.failed.show_note("err", "")
        self.progress.start(_("Trying the model"))
        self.result.hide()
        arguments = {"path": str(self._path), "card": card, "image": image, "plane": plane, "device": self._host.settings.chosen("device")}
        # Made and removed here: a worker that is ended leaves behind what it has made.
        self._place = tempfile.TemporaryDirectory(prefix="negatoscope-", ignore_cleanup_errors=True)
        arguments["place"] = self._place.name
        job = self._host.pool.submit(self._host.registry.service(SERVICE), arguments, limits=lane_limits())
        task = self._host.work.follow(job, _("Trying {name}").format(name=self._path.name), self._show, self._fail, quiet=True)
        self._task = task if self._host.work.is_running(task) else ""
        had_focus = self.go.hasFocus()
        self.refresh()
        # Of a button that is off Qt gives the keyboard to the next one: the one that closes the dialog.
        if had_focus and self._task:
            self.progress.cancel.setFocus()

    def cancel(self) -> None:
        """Stop a run; its result counts no more."""
        self._host.work.cancel(self._task)

    # --- what is there ---

    def _image(self) -> tuple[Image, int] | None:
        state = self._host.seen
        volume = self._host.document.volume(self._host.root_id) if self._host.root_id else None
        if volume is None or state.volume is None or state.layout.axis != 0:
            return None
        return image_of(volume, Scope("volume", phase=state.phase), state.phase), state.array_index

    def _reason(self) -> str:
        if self._task:
            return _("It is running. Cancel stops it.")
        if self._host.why_closed or self._host.state.volume is None:
            return self._host.why_closed or _("Open an image first.")
        if self._image() is None:
            return _("Models look at slices as they were acquired. Choose As acquired in the View menu.")
        return self._card()[1]

    # --- what came of it ---

    def _build_result(self) -> None:
        column = QVBoxLayout(self.result)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(sizes().row_gap)
        self.outdated = NoteBox("info", _("The answers have changed since. Try it again."), parent=self.result)
        column.addWidget(self.outdated)
        self.picture = _picture_label(_("The input as the model gets it"), self.result)
        column.addWidget(self.picture)
        self.fed = Label("", "caption", wrap=True, parent=self.result)
        column.addWidget(self.fed)
        self.given = _picture_label(_("The picture that the model gives"), self.result)
        column.addWidget(self.given)
        self._scores = QVBoxLayout()
        self._scores.setSpacing(sizes().tight)
        column.addLayout(self._scores)
        self.raw = ElidedLabel("", "small", parent=self.result)
        column.addWidget(self.raw)
        self.spent = Label("", "caption", parent=self.result)
        column.addWidget(self.spent)
        self.warnings = NoteBox("warn", parent=self.result)
        column.addWidget(self.warnings)

    def _show(self, tried: TriedModel) -> None:
        if not self._over():
            return
        size = " × ".join(map(str, tried.fed_size))
        self.fed.setText(_("Input: {size}").format(size=size))
        _show_pixels(self.picture, tried.fed)
        _show_pixels(self.given, tried.given)
        while self._scores.count():
            widget = self._scores.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        card = self._card()[0]
        limit, positive = card.get("threshold", {}).get("value"), card.get("positive", "")
        best = sorted(tried.scores, key=lambda pair: -pair[1])[:_MOST_SCORES] if len(tried.scores) > _MOST_SCORES else tried.scores
        for name, value in best:
            self._scores.addWidget(_score_line(name, value, limit if positive in ("", name) else None, self.result))
        self.raw.setText(_("Output: {numbers}").format(numbers=tried.raw))
        self.spent.setText(_("{time:.0f} ms · {device}").format(time=tried.milliseconds, device=tried.device))
        self.warnings.show_note("warn", "\n".join(_(sentence) for sentence in (*((tried.note,) if tried.note else ()), *tried.warnings)))
        self.result.show()
        self.refresh()
        self.outdated.hide()

    def _fail(self, error: BaseException) -> None:
        if not self._over():
            return
        if not isinstance(error, OperationCancelled):
            self.failed.show_note("err", sentence_of(error) if isinstance(error, NegatoscopeError) else str(error))
        self.refresh()

    def _over(self) -> bool:
        """Tidy up; False once the dialog is gone."""
        self._task = ""
        if self._place is not None:
            self._place.cleanup()
            self._place = None
        if not isValid(self):
            return False
        had_focus = self.progress.cancel.hasFocus()
        self.refresh()
        if had_focus:
            self.go.setFocus()
        self.progress.hide()
        return True


def _score_line(name: str, value: float, threshold: float | None, parent: QWidget) -> QWidget:
    line = QWidget(parent)
    column = QVBoxLayout(line)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    head = QHBoxLayout()
    head.addWidget(ElidedLabel(name, parent=line), 1)
    head.addWidget(Label(digits.score(value), parent=line))
    column.addLayout(head)
    column.addWidget(ScoreBar(name, value, threshold, parent=line))
    return line


def _picture_label(name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setProperty("role", "image")
    label.setFixedSize(_SIDE, _SIDE)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setAccessibleName(name)
    label.setToolTip(name)
    return label


def _show_pixels(label: QLabel, pixels: NDArray[np.uint8] | None) -> None:
    """Each pixel a square: what is seen is what there is."""
    label.setVisible(pixels is not None)
    if pixels is None:
        return
    rows, columns = pixels.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if pixels.ndim == 2 else QImage.Format.Format_RGB888
    image = QImage(pixels.data, columns, rows, pixels.strides[0], kind).copy()
    ratio = label.devicePixelRatioF()
    side = round(_SIDE * ratio)
    picture = QPixmap.fromImage(image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation))
    picture.setDevicePixelRatio(ratio)
    label.setPixmap(picture)
