"""The foot of the Classify tab: what the reader thinks of the result, in a click, with a label and a note."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QIcon, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.api import Reading, Report
from viewer.api import gettext as _
from viewer.api.panel import OPINION_TITLES, OPINIONS, controls, theme

_PAUSE_MS = 250
"""What was typed is taken after a pause so long; sooner when the field is left."""
_ICONS = {"agree": "check", "disagree": "x", "unsure": "circle-question-mark"}


class ReadingBar(QWidget):
    """Three buttons, one of them checked once there is a reading; then a label and a note. It tells what is wanted, and changes nothing itself."""

    opinion_pressed = Signal(str)
    """The opinion whose button was pressed."""
    noted = Signal(str, str, str)
    """(id of the report, label, note), after a pause in typing, when a field is left, by Enter, or when another report comes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        s = theme.sizes()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(s.gap)
        head = QHBoxLayout()
        head.addWidget(controls.Label(_("Your reading"), "small", parent=self), 1)
        head.addWidget(controls.Label(_("Not for diagnosis"), "caption", parent=self))
        column.addLayout(head)
        line = QHBoxLayout()
        line.setSpacing(s.gap)
        self.buttons: dict[str, controls.Button] = {}
        for opinion in OPINIONS:
            button = controls.Button(_(OPINION_TITLES[opinion]), icon=_ICONS[opinion], checkable=True, parent=self)
            button.clicked.connect(lambda _checked=False, opinion=opinion: self._press(opinion))
            self.buttons[opinion] = button
            line.addWidget(button, 1)
        column.addLayout(line)
        self._icons = {opinion: button.icon() for opinion, button in self.buttons.items()}
        self.more = QWidget(self)
        fields = QHBoxLayout(self.more)
        fields.setContentsMargins(0, 0, 0, 0)
        fields.setSpacing(s.gap)
        self.label = controls.Combo(name=_("Label"), parent=self.more)
        self.label.setEditable(True)
        self.label.setInsertPolicy(controls.Combo.InsertPolicy.NoInsert)
        edit = self.label.lineEdit()
        edit.setPlaceholderText(_("Label"))
        edit.setAccessibleName(_("Label"))
        self.label.setToolTip(_("The class that you would have named: one of the model's, or your own words."))
        edit.editingFinished.connect(self._note)
        self.label.activated.connect(self._note)
        self.note = controls.TextField("", name=_("Note"), placeholder=_("Note"), parent=self.more)
        self.note.editingFinished.connect(self._note)
        fields.addWidget(self.label, 1)
        fields.addWidget(self.note, 1)
        column.addWidget(self.more)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._note)
        for field in (edit, self.note):
            field.textEdited.connect(self._pause.start)
        self._shown: tuple[str, Reading | None] = ("", None)
        self.show_report(None, "")

    def show_report(self, report: Report | None, reason: str) -> None:
        """The reading of a report; ``reason`` is why nothing can be said of it, or that there is none."""
        reading = report.reading if report is not None else None
        for opinion, button in self.buttons.items():
            theme.set_available(button, reason)
            button.setChecked(reading is not None and reading.opinion == opinion)
        for field in (self.label, self.note):
            theme.set_available(field, reason)
        self.more.setVisible(reading is not None)
        shown, before = (report.id if report is not None else "", reading), self._shown
        if shown == before:
            return
        left = self.written() if before[1] is not None and before[0] != shown[0] else ("", "")
        self._shown = shown
        if report is not None and reading is not None and not (before[0] == shown[0] and self._is_writing(before[1], reading)):
            self._pause.stop()
            self._fill(report, reading)
        if before[1] is not None and before[0] != shown[0] and left != (before[1].label, before[1].note):
            self.noted.emit(before[0], *left)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._make_room()

    def _make_room(self) -> None:
        """Where the words do not fit with their icons they stand alone: words are never cut."""
        for opinion, button in self.buttons.items():
            button.setIcon(self._icons[opinion])
        wanted = sum(button.sizeHint().width() for button in self.buttons.values()) + (len(self.buttons) - 1) * theme.sizes().gap
        if wanted > self.width():
            for button in self.buttons.values():
                button.setIcon(QIcon())

    def _is_writing(self, before: Reading | None, now: Reading) -> bool:
        """Whether the fields go before what the document has: what is typed stays as it is, its spaces and the place of the cursor too.

        After an undo they do not, else what is half typed would take that back.
        """
        if before is None or now.at < before.at:
            return False
        return self._pause.isActive() or self.written() == (now.label, now.note)

    def _fill(self, report: Report, reading: Reading) -> None:
        self.label.blockSignals(True)
        self.label.clear()
        for score in report.scores:
            self.label.addItem(_(score.name), score.name)
        known = self.label.findData(reading.label)
        self.label.setCurrentIndex(known)
        self.label.setEditText(_(reading.label) if known >= 0 else reading.label)
        self.label.blockSignals(False)
        self.note.setText(reading.note)

    def written(self) -> tuple[str, str]:
        """(label, note) as they stand in the fields; a label of the model's by its own name, not its translation."""
        text = self.label.currentText().strip()
        known = self.label.findText(text)
        return (str(self.label.itemData(known)) if known >= 0 else text), self.note.text().strip()

    def hideEvent(self, event: QHideEvent) -> None:
        if self._pause.isActive():
            self._note()
        super().hideEvent(event)

    def _press(self, opinion: str) -> None:
        if self._pause.isActive():
            self._note()
        # What is in force is shown by the document's answer, not by the click.
        button = self.buttons[opinion]
        button.setChecked(not button.isChecked())
        self.opinion_pressed.emit(opinion)

    def _note(self, _index: object = None) -> None:
        self._pause.stop()
        if self._shown[1] is not None:
            self.noted.emit(self._shown[0], *self.written())
