"""The list of windows in the view bar: the file's by name, the presets (greyed with the reason where they do not fit), the user's own, auto."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QStandardItemModel
from PySide6.QtWidgets import QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from viewer.core.colormaps import GREY
from viewer.core.render import full_window
from viewer.core.volume import Volume
from viewer.core.window import PET_PRESETS, VoiLut, Window, presets_of
from viewer.core.words import gettext as _
from viewer.session.view import ViewState, presets
from viewer.ui import theme
from viewer.ui.controls import Combo

_DIVIDER = 9
_ROOM = 48
NUMBERS = Qt.ItemDataRole.UserRole + 1
"""Role of a row's width and level, as text."""
MANUAL, AUTO, FULL, SAVE = "manual", "auto", "full", "save"


class _Rows(QStyledItemDelegate):
    """Rows, and between groups a line: the delegate of the stylesheet leaves an empty row there."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), _DIVIDER) if _is_divider(index) else hint

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        if not _is_divider(index):
            super().paint(painter, option, index)
            self._paint_numbers(painter, option, index)
            return
        place = option.rect  # type: ignore[attr-defined]
        painter.fillRect(QRect(place.left() + 6, place.center().y(), place.width() - 12, 1), QColor(theme.tokens().line))

    def _paint_numbers(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Width and level at the right, as other viewers list them: who knows the numbers need not know our name for them."""
        is_enabled = bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)
        tokens = theme.tokens()
        is_lit = bool(option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver))  # type: ignore[attr-defined]
        painter.save()
        painter.setFont(theme.font("small"))
        painter.setPen(QColor(tokens.disabled if not is_enabled else tokens.text if is_lit else tokens.text3))
        place = option.rect.adjusted(0, 0, -12, 0)  # type: ignore[attr-defined]
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(index.data(NUMBERS) or ""))
        painter.restore()


def _is_divider(index: QModelIndex | QPersistentModelIndex) -> bool:
    return bool(index.data(Qt.ItemDataRole.AccessibleDescriptionRole) == "separator")


class WindowList(Combo):
    """Emits what is to be changed of the wish.

    Signals
    -------
    wanted(dict)
        Fields of a ViewWish.
    save_wanted()
        The window in use is to be kept as a preset.
    """

    wanted = Signal(object)
    save_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(name=_("Window preset"), parent=parent)
        self._values: list[Any] = []
        self._known: tuple[object, ...] = ()
        self._state: ViewState | None = None
        self._tip = ""
        self.setMaxVisibleItems(32)
        self.setItemDelegate(_Rows(self))
        self.activated.connect(self._choose)

    def forget(self) -> None:
        """Nothing is shown any more, or the presets have changed: the list is made anew when it is shown again."""
        self.clear()
        self._values, self._known, self._state = [], (), None

    def follow(self, state: ViewState, root: Volume, own: tuple[Window, ...], profile: str) -> None:
        """Show what the view shows; ``root`` is the opened volume behind its own, ``own`` are the user's presets for it."""
        if state.volume is None:
            self.forget()
            return
        self._state = state
        key = (state.volume.id, own, profile)
        if key != self._known:
            self.forget()
            self._state, self._known = state, key
            self._fill(state.volume, root, own, profile)
        self.setCurrentIndex(self._chosen(state))
        self.setToolTip(f"{self.currentText()}\n{self._tip}")

    def menu(self, parent: QWidget) -> QMenu:
        """The same list as a menu, for where the pointer is."""
        made = QMenu(_("Windows"), parent)
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        for number, value in enumerate(self._values):
            if value is None:
                made.addSeparator()
                continue
            action = made.addAction(self.itemText(number))
            action.setCheckable(True)
            action.setChecked(number == self.currentIndex())
            action.setEnabled(model.item(number).isEnabled())
            action.setToolTip(model.item(number).toolTip())
            action.triggered.connect(partial(self._choose, number))
        made.setToolTipsVisible(True)
        made.setEnabled(bool(self._values))
        return made

    def _fill(self, volume: Volume, root: Volume, own: tuple[Window, ...], profile: str) -> None:
        self._offer(_("Manual"), MANUAL)
        has_curves = any(isinstance(one, VoiLut) for row in volume.plane_windows for one in row)
        if has_curves:
            self._offer(_("As the files say"), 0)
        for number, lut in list(enumerate(volume.voi_luts))[1 if has_curves else 0 :]:
            self._offer(lut.name or _("LUT of the file {number}").format(number=number + 1), number)
        for number, window in enumerate(root.windows if volume.unit == root.unit else ()):
            self._offer(window.name or _("File {number}").format(number=number + 1), window)
        fitting, reason = presets(volume, profile)
        self._divide()
        for window in fitting or presets_of(profile):
            self._offer(_(window.name), window, _(reason))
        if own:
            self._divide()
            for window in own:
                self._offer(window.name, window)
        self._divide()
        is_grey = not volume.is_color
        self._offer(_("Auto"), AUTO)
        colour = "" if is_grey else _("This is a colour image.")
        self._offer(_("Full range of values"), FULL, colour)
        self._offer(_("Save this window…"), SAVE, colour)
        self._tip = _(reason) if reason else _("Windows of the file first, then presets (keys 1 to 9).")
        view = self.view()
        widest = max(self.fontMetrics().horizontalAdvance(self.itemText(n)) for n in range(self.count()))
        numbers = max(QFontMetrics(theme.font("small")).horizontalAdvance(self.itemData(n, NUMBERS) or "") for n in range(self.count()))
        view.setMinimumWidth(widest + numbers + _ROOM)

    def _offer(self, words: str, value: Any, reason: str = "") -> None:
        self.addItem(words)
        self._values.append(value)
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        item = model.item(self.count() - 1)
        if isinstance(value, Window):
            item.setData(f"{value.width:g} / {value.center:g}", NUMBERS)
        if reason:
            item.setEnabled(False)
            item.setToolTip(reason)
            item.setData(reason, Qt.ItemDataRole.AccessibleDescriptionRole)
        elif isinstance(value, Window):
            item.setToolTip(_("{name}: W {width:g}  L {center:g}").format(name=words, width=value.width, center=value.center))

    def _divide(self) -> None:
        self.insertSeparator(self.count())
        self._values.append(None)

    def _chosen(self, state: ViewState) -> int:
        """Which of them is in use; the first, "Manual", where none is."""
        if state.is_plane_window:
            assert state.volume is not None
            first = 0 if 0 in self._values else next(iter(state.volume.windows), MANUAL)
            return self._values.index(first) if first in self._values else 0
        if state.is_auto:
            return self._values.index(AUTO)
        if state.display is not None and state.display.lut is not None:
            assert state.volume is not None
            luts = state.volume.voi_luts
            return self._values.index(luts.index(state.display.lut) if state.display.lut in luts else 0)  # one of a plane counts as the first
        now, model = state.window, self.model()
        assert isinstance(model, QStandardItemModel)
        same = [
            number
            for number, value in enumerate(self._values)
            if isinstance(value, Window)
            and (value.center, value.width, value.function) == (now.center, now.width, now.function)
            and model.item(number).isEnabled()
        ]
        if same:  # of several with the same numbers the one whose name stands in the corner
            return next((number for number in same if self._values[number].name == now.name), same[0])
        return self._values.index(FULL) if now.name == "Full range" else 0

    def _choose(self, index: int, _checked: bool = False) -> None:
        value, state = self._values[index], self._state
        if state is None or state.volume is None or value is None:
            return
        volume = state.volume
        if value == SAVE:
            self.setCurrentIndex(self._chosen(state))
            self.save_wanted.emit()
        elif value == MANUAL:
            self.setCurrentIndex(self._chosen(state))
        elif value == AUTO:
            self.wanted.emit({"window": None, "lut": None, "is_auto": True})
        elif value == FULL:
            self.wanted.emit({"window": full_window(volume), "window_unit": volume.unit, "lut": None, "is_auto": False})
        elif isinstance(value, int):
            of_planes = value == 0 and bool(volume.plane_windows)  # each plane its own
            self.wanted.emit({"window": None, "window_unit": None, "lut": None if of_planes else value, "is_auto": False})
        elif volume.plane_windows and not volume.voi_luts and volume.windows[:1] == (value,):
            self.wanted.emit({"window": None, "window_unit": None, "lut": None, "is_auto": False})  # each plane its own
        else:
            is_pet = value in PET_PRESETS and state.display is not None and state.display.color_map == GREY
            looks = {"is_inverted": True} if is_pet else {}
            self.wanted.emit({"window": value, "window_unit": volume.unit, "lut": None, "is_auto": False, **looks})
