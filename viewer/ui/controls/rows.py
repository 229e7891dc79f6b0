"""Rows of a form: label, control, reset. Each has ``value()``, ``set_value()``, ``reset()``, and signals for a change and its rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QStyledItemDelegate, QStyleOptionComboBox, QVBoxLayout, QWidget

from viewer.core.words import _
from viewer.ui.controls.buttons import IconButton
from viewer.ui.controls.labels import ElidedLabel, Hint, Label
from viewer.ui.controls.switch import Switch
from viewer.ui.theme import set_property, sizes

# Edge, padding and arrow of a combo box.
_BESIDE_WORDS = 34


class FormRow(QWidget):
    """What rows share: the label column, the line of controls, and the sentence under it when something is wrong."""

    validity_changed = Signal(bool)

    def __init__(self, label: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = label
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(sizes().hair)
        self._line = QHBoxLayout()
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(sizes().gap)
        outer.addLayout(self._line)
        self.caption = ElidedLabel(label, parent=self)
        self.caption.setFixedWidth(sizes().label_column)
        self._line.addWidget(self.caption)
        self._error = Label("", "error", wrap=True, parent=self)
        self._error.hide()
        outer.addWidget(self._error)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def is_valid(self) -> bool:
        return not self._error.text()

    def error(self) -> str:
        """The sentence under the field, "" if all is well."""
        return self._error.text()

    def set_error(self, sentence: str) -> None:
        """Show (or with "" take away) a sentence under the field; subclasses mark the field too."""
        was = self.is_valid()
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        if was != self.is_valid():
            self.validity_changed.emit(not sentence)

    def set_label_width(self, width: int) -> None:
        """Another width of the label column, where a form's longest label asks for it."""
        self.caption.setFixedWidth(width)

    def _add_reset(self) -> IconButton:
        name = _("Reset {label}").format(label=self.label)
        button = IconButton("rotate-ccw", name, size=sizes().icon_field, side=sizes().reset_column, tint="quiet", parent=self)
        button.clicked.connect(self.reset)
        self._line.addWidget(button)
        return button

    def reset(self) -> None:
        raise NotImplementedError


class Combo(QComboBox):
    """A combo box that leaves the wheel to the panel unless it has the focus, and does not widen its panel."""

    def __init__(self, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        # The default one paints the list as a menu and passes over the stylesheet.
        self.setItemDelegate(QStyledItemDelegate(self))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(sizes().field_height)
        self._whole = ""
        self.currentTextChanged.connect(self._tell_whole)

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        # The style cuts without dots.
        option.currentText = option.fontMetrics.elidedText(option.currentText, Qt.TextElideMode.ElideRight, self.width() - _BESIDE_WORDS)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell_whole()

    def _tell_whole(self, _text: str = "") -> None:
        """What has no room is said whole by the tooltip, where the owner has not given another."""
        if self.toolTip() not in ("", self._whole):
            return
        is_cut = self.fontMetrics().horizontalAdvance(self.currentText()) > self.width() - _BESIDE_WORDS
        self._whole = self.currentText() if is_cut else ""
        self.setToolTip(self._whole)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceRow(FormRow):
    """One of several named values, as a combo box.

    Parameters
    ----------
    choices : sequence of (value, words)
    default : object
        One of the values; None takes the first.
    """

    value_changed = Signal(object)
    settled = Signal(object)

    def __init__(
        self, label: str, choices: Sequence[tuple[object, str]], default: object = None, *, tooltip: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(label, parent=parent)
        self._values: list[object] = []
        self.combo = Combo(name=label, parent=self)
        self.caption.setBuddy(self.combo)
        self._line.addWidget(self.combo, 1)
        self._reset = self._add_reset()
        self._default: object = None
        self.set_choices(choices, default)
        self.combo.currentIndexChanged.connect(self._changed)
        self.caption.set_tooltip(tooltip)

    def set_choices(self, choices: Sequence[tuple[object, str]], default: object = None) -> None:
        """Other choices, without any signal; the value stays if it is still there."""
        kept = self.value() if self._values else default
        was = self.combo.blockSignals(True)
        self.combo.clear()
        self._values = [value for value, _words in choices]
        self.combo.addItems([words for _value, words in choices])
        self._default = default if default in self._values else (self._values[0] if self._values else None)
        self.combo.setCurrentIndex(self._values.index(kept if kept in self._values else self._default) if self._values else -1)
        self.combo.blockSignals(was)
        self._reset.setEnabled(self.value() != self._default)

    def value(self) -> object:
        at = self.combo.currentIndex()
        return self._values[at] if 0 <= at < len(self._values) else None

    def set_value(self, value: object) -> None:
        """Show a value without any signal; ValueError if it is none of the choices."""
        was = self.combo.blockSignals(True)
        try:
            self.combo.setCurrentIndex(self._values.index(value))
        finally:
            self.combo.blockSignals(was)
        self._reset.setEnabled(self.value() != self._default)

    def set_default(self, value: object) -> None:
        """What Reset goes back to, one of the choices."""
        self._default = value
        self._reset.setEnabled(self.value() != self._default)

    def reset(self) -> None:
        if self._default is not None:
            self.combo.setCurrentIndex(self._values.index(self._default))

    def _changed(self, _at: int) -> None:
        self._reset.setEnabled(self.value() != self._default)
        self.value_changed.emit(self.value())
        self.settled.emit(self.value())


class SwitchRow(FormRow):
    """Words on the left, a switch at the right edge; a click on the words switches too. ``help`` is a line under both."""

    value_changed = Signal(bool)
    settled = Signal(bool)

    def __init__(self, label: str, default: bool = False, *, help: str = "", tooltip: str = "", parent: QWidget | None = None) -> None:  # noqa: A002 the word that forms use
        super().__init__(label, parent=parent)
        self._default = default
        self.caption.setMinimumWidth(0)
        self.caption.setMaximumWidth(16_777_215)
        self.caption.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.caption.set_tooltip(tooltip)
        self.switch = Switch(label, checked=default, parent=self)
        self.switch.toggled.connect(self._changed)
        self._line.addWidget(self.switch)
        self._help = Hint(help, parent=self)
        self._help.setVisible(bool(help))
        layout = self.layout()
        if layout is not None:
            layout.addWidget(self._help)

    def set_label_width(self, width: int) -> None:
        """The words take what room there is."""

    def value(self) -> bool:
        return self.switch.isChecked()

    def set_value(self, value: bool) -> None:
        was = self.switch.blockSignals(True)
        self.switch.setChecked(value)
        self.switch.blockSignals(was)
        self.switch.update()

    def reset(self) -> None:
        self.switch.setChecked(self._default)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.caption.geometry().contains(event.position().toPoint()):
            self.switch.click()

    def _changed(self, on: bool) -> None:
        self.value_changed.emit(on)
        self.settled.emit(on)


class TextField(QLineEdit):
    """A field for words, of the theme's height."""

    def __init__(self, text: str = "", *, name: str = "", placeholder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setFixedHeight(sizes().field_height)

    def set_error(self, wrong: bool) -> None:
        set_property(self, "state", "error" if wrong else "")


class TextRow(FormRow):
    """A line of words. ``check`` is given the text and returns what is wrong with it as a sentence, or ""."""

    value_changed = Signal(str)
    settled = Signal(str)

    def __init__(
        self,
        label: str,
        default: str = "",
        *,
        placeholder: str = "",
        check: Callable[[str], str] | None = None,
        tooltip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(label, parent=parent)
        self._default = self._settled_value = default
        self._check = check
        self.field = TextField(default, name=label, placeholder=placeholder, parent=self)
        self.caption.setBuddy(self.field)
        self.caption.set_tooltip(tooltip)
        self.field.textEdited.connect(self._typed)
        self.field.editingFinished.connect(self._commit)
        self._line.addWidget(self.field, 1)

    def value(self) -> str:
        return self.field.text()

    def set_value(self, value: str) -> None:
        self.field.setText(value)
        self._settled_value = value
        self.set_error(self._check(value) if self._check else "")

    def reset(self) -> None:
        self.field.setText(self._default)
        self._typed(self._default)
        self._commit()

    def set_error(self, sentence: str) -> None:
        super().set_error(sentence)
        self.field.set_error(bool(sentence))

    def _typed(self, text: str) -> None:
        self.set_error(self._check(text) if self._check else "")
        if self.is_valid():
            self.value_changed.emit(text)

    def _commit(self) -> None:
        if self.is_valid() and self.value() != self._settled_value:
            self._settled_value = self.value()
            self.settled.emit(self._settled_value)
