"""Where the second image lies, in numbers, and the rest of its look: the popover of the fusion bar."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.core.alignment import SAME_PLACE, parts, rigid
from viewer.core.words import gettext as _
from viewer.session.aligning import middle
from viewer.session.fusion import usual_difference, usual_window
from viewer.ui import theme
from viewer.ui.controls import Button, Label, NumberRow, SectionTitle, SwitchRow
from viewer.ui.controls.popover import Popover
from viewer.ui.fusing import Fusing
from viewer.ui.host import Host

_FARTHEST = 2000.0
_MOST = 1e9
_WIDTH = 340


class FusionPlace(Popover):
    """Shift and angles of the second image (each settled number is one step), alignment, window and low values."""

    def __init__(self, host: Host, fusing: Fusing, parent: QWidget | None = None) -> None:
        super().__init__(_("Second image"), width=_WIDTH, parent=parent)
        self._host, self._fusing = host, fusing
        self.how = Label("", "hint", wrap=True, parent=self)
        self.body.addWidget(self.how)
        self.shift = [
            NumberRow(words, -_FARTHEST, _FARTHEST, 0.0, unit="mm", step=0.1, slider=False, tooltip=tip, parent=self)
            for words, tip in (
                (_("To the left"), _("Shift towards the patient's left; below 0 towards the right.")),
                (_("To the back"), _("Shift towards the patient's back; below 0 towards the front.")),
                (_("To the head"), _("Shift towards the patient's head; below 0 towards the feet.")),
            )
        ]
        self.angles = [
            NumberRow(words, -180.0, 180.0, 0.0, unit="°", step=0.1, slider=False, tooltip=tip, parent=self)
            for words, tip in (
                (_("About left–right"), _("Turn about the axis from right to left, through the middle of the second image.")),
                (_("About front–back"), _("Turn about the axis from front to back, through the middle of the second image.")),
                (_("About feet–head"), _("Turn about the axis from feet to head, through the middle of the second image.")),
            )
        ]
        self.body.addWidget(SectionTitle(_("Place"), parent=self))
        widest = max(row.field.width() for row in (*self.shift, *self.angles))
        for row in (*self.shift, *self.angles):
            row.field.setFixedWidth(widest)
            row.set_label_width(132)
            row.settled.connect(self._place)
            self.body.addWidget(row)
        self.align = Button(_("Align (rigid)"), parent=self)
        self.align.clicked.connect(self._align)
        self.undo_alignment = Button(_("As the files say"), parent=self)
        self.undo_alignment.clicked.connect(fusing.remove_alignment)
        line = QHBoxLayout()
        line.setSpacing(theme.sizes().gap)
        line.addWidget(self.align)
        line.addWidget(self.undo_alignment)
        self.body.addLayout(line)
        self.body.addWidget(SectionTitle(_("Look"), parent=self))
        self.clear_low = SwitchRow(_("Clear where low"), False, parent=self)
        self.clear_low.setToolTip(_("Low values are clear and high ones dense, as of a dose or heat map; off: all are alike."))
        self.clear_low.value_changed.connect(lambda on: None if self._silent else fusing.change(follows_value=bool(on)))
        self.body.addWidget(self.clear_low)
        self.window_rows = [
            NumberRow(words, low, _MOST, 1.0, step=0.01, slider=False, tooltip=tip, parent=self)
            for words, low, tip in (
                (_("Window width"), 1e-9, _("The range of values from the first colour to the last.")),
                (_("Window level"), -_MOST, _("The value in the middle of the colours.")),
            )
        ]
        for row in self.window_rows:
            row.field.setFixedWidth(widest)
            row.set_label_width(132)
            row.settled.connect(self._window)
            self.body.addWidget(row)
        self.own = Button(_("Usual window"), parent=self)
        self.own.setToolTip(_("The window of the file, SUV 0 to 6 for PET, from 0 up for a dose."))
        self.own.clicked.connect(lambda: fusing.change(window=None, window_unit=None, is_auto=False, difference=None))
        self.auto = Button(_("Auto window"), parent=self)
        self.auto.setToolTip(_("1st to 99th percentile of the second image."))
        self.auto.clicked.connect(lambda: fusing.change(window=None, window_unit=None, is_auto=True, difference=None))
        self.swap = Button(_("Exchange the two"), parent=self)
        self.swap.setToolTip(_("Show the second image, with this one over it."))
        self.swap.clicked.connect(self._exchange)
        line = QHBoxLayout()
        line.setSpacing(theme.sizes().gap)
        line.addWidget(self.own)
        line.addWidget(self.auto)
        self.body.addLayout(line)
        self.body.addWidget(self.swap)
        self._silent = False
        fusing.aligning_changed.connect(self._show_progress)

    def refresh(self) -> None:
        """Show where it is."""
        shown, volume = self._fusing.shown, self._host.state.volume
        if shown is None or volume is None or shown.volume.is_color:
            return
        self._silent = True
        shift, degrees = parts(shown.matrix, middle(shown.volume.geometry))
        for row, value in zip((*self.shift, *self.angles), (*shift, *degrees), strict=True):
            if not row.field.hasFocus() or not row.field.isModified():
                row.set_value(round(value, 1) + 0.0)
            reason = self._fusing.why_no_nudge()
            row.setEnabled(not reason)
        self.how.setText(self._how())
        theme.set_available(self.align, "" if self._fusing.is_aligning else self._fusing.why_no_alignment())
        is_aligned = shown.link is not None and shown.link.alignment is not None
        theme.set_available(self.undo_alignment, "" if is_aligned else _("The second image lies where its file says."))
        self.clear_low.set_value(shown.follows_value)
        window = shown.told_window
        usual = usual_difference(volume) if shown.mode == "difference" and not volume.is_color else usual_window(shown.volume)
        factor = shown.scale[0]
        for row, value, default in zip(self.window_rows, (window.width, window.center), (usual.width * factor, usual.center * factor), strict=True):
            row.set_default(default)
            if not row.field.hasFocus() or not row.field.isModified():
                row.set_value(round(value, 2))
        self._silent = False

    def _how(self) -> str:
        shown = self._fusing.shown
        item = shown.link.alignment if shown is not None and shown.link is not None else None
        if item is None:
            return _("Both lie in one frame of reference.")
        if item.method == "rigid":
            return _("Registered: rigid, by {metric} ({value:.3f}).").format(metric=_(item.metric), value=item.value)
        if item.method == "positions":
            return _("The positions in the two files are taken for those of one frame.")
        return _("Placed by hand.")

    def _show_progress(self, thousandths: int) -> None:
        words = _("Align (rigid)") if thousandths < 0 else _("Cancel, {percent} %").format(percent=thousandths // 10)
        self.align.setText(words)
        self.refresh()

    def _align(self) -> None:
        if self._fusing.is_aligning:
            self._fusing.cancel_aligning()
        else:
            self._fusing.align()

    def _exchange(self) -> None:
        self.close()
        self._fusing.exchange()

    def _window(self, *_value: object) -> None:
        if not self._silent and all(row.is_valid() for row in self.window_rows):
            self._fusing.set_window(*(float(row.value()) for row in self.window_rows))

    def _place(self, *_value: object) -> None:
        shown = self._fusing.shown
        if self._silent or shown is None or self._fusing.why_no_nudge() or not all(row.is_valid() for row in (*self.shift, *self.angles)):
            return
        center = middle(shown.volume.geometry)
        now = [*parts(shown.matrix, center)[0], *parts(shown.matrix, center)[1]]
        # Only what was typed is taken: the others keep the digits that the fields do not show.
        wanted = [
            float(row.value()) if not math.isclose(float(row.value()), round(value, 1) + 0.0, abs_tol=1e-9) else value
            for row, value in zip((*self.shift, *self.angles), now, strict=True)
        ]
        matrix = rigid(shift=wanted[:3], degrees=wanted[3:], center=center)
        self._fusing.place(matrix if any(wanted) else SAME_PLACE)
