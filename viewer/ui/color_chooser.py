"""The chooser of colour maps: a preview strip and the name of each, and whether their meaning stands on the image."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from viewer.core.colormaps import TITLES, rgb32
from viewer.core.words import gettext as _
from viewer.ui import theme
from viewer.ui.actions import Actions
from viewer.ui.controls import Popover, SwitchRow, ToolGroup, divider
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.host import Host

_STRIP = QSize(120, 14)
_SMALL_STRIP = QSize(34, 10)


def paint_strip(painter: QPainter, place: QRectF, name: str) -> None:
    """The colours of a map from its lowest to its highest level."""
    colors = rgb32(name).reshape(1, 256).copy()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(place, QImage(colors.data, 256, 1, 1024, QImage.Format.Format_RGB32))
    painter.setPen(QPen(QColor(theme.tokens().line2), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(place.adjusted(0.5, 0.5, -0.5, -0.5))


class _Strip(QToolButton):
    """What the buttons with a strip share: the states of a tool."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def _paint_back(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t, rect = theme.tokens(), QRectF(self.rect())
        if self.isChecked():
            rounded(painter, rect, theme.sizes().radius, fill=t.sel, edge=t.sel_line)
        elif self.isEnabled() and (self.isDown() or self.underMouse()):
            rounded(painter, rect, theme.sizes().radius, fill=t.pressed if self.isDown() else t.hover)
        if self.hasFocus():
            focus_ring(painter, rect)


class MapRow(_Strip):
    """One colour map: its strip, its name."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.setCheckable(True)
        self.setText(_(TITLES[name]))
        self.setAccessibleName(_(TITLES[name]))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(theme.sizes().list_row)

    def sizeHint(self) -> QSize:
        return QSize(_STRIP.width() + 3 * theme.sizes().row_gap + QFontMetrics(theme.font()).horizontalAdvance(self.text()), theme.sizes().list_row)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_back(painter)
        gap = theme.sizes().row_gap
        paint_strip(painter, QRectF(gap, (self.height() - _STRIP.height()) / 2, _STRIP.width(), _STRIP.height()), self.name)
        painter.setFont(theme.font())
        painter.setPen(QColor(theme.tokens().text))
        words = QRectF(self.rect()).adjusted(_STRIP.width() + 2 * gap, 0, -gap, 0)
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(words.width()))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.end()


class MapButton(_Strip):
    """In the view bar: the strip of the map in use; opens the chooser."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = "grey"
        self.setFixedSize(_SMALL_STRIP.width() + 10, theme.sizes().target)
        self.show_map("grey")

    def show_map(self, name: str) -> None:
        """Follow the view."""
        self._name = name
        words = _("Colour map: {name}").format(name=_(TITLES.get(name, TITLES["grey"])))
        self.setAccessibleName(words)
        if self.isEnabled():
            self.setToolTip(words)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_back(painter)
        painter.setOpacity(1.0 if self.isEnabled() else 0.4)
        left, top = (self.width() - _SMALL_STRIP.width()) / 2, (self.height() - _SMALL_STRIP.height()) / 2
        paint_strip(painter, QRectF(left, top, _SMALL_STRIP.width(), _SMALL_STRIP.height()), self._name)
        painter.end()


class ColorChooser(Popover):
    """Follows the active view while it is open; a choice acts at once and can be compared with the next."""

    def __init__(self, host: Host, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(_("Colour map"), width=352, parent=parent)
        self._host = host
        self.rows = {name: MapRow(name, self.frame) for name in TITLES}
        for row in self.rows.values():
            row.clicked.connect(lambda _checked=False, name=row.name: self._choose(name))
        self.group = ToolGroup(tuple(self.rows.values()), columns=1, name=_("Colour map"), parent=self.frame)
        self.body.addWidget(self.group)
        self.body.addWidget(divider(self.frame))
        self.bar = SwitchRow(_("Colour bar"), True, tooltip=_("What the colours mean, on the image."), parent=self.frame)
        self.bar.value_changed.connect(lambda _value: actions["window.color_bar"].trigger())
        self.body.addWidget(self.bar)
        host.seen_changed.connect(self._refresh)

    def _refresh(self, _state: object = None) -> None:
        if self.isVisible():
            self._show()

    def open_at(self, opener: QWidget, **side: object) -> None:
        self._show()
        super().open_at(opener, **side)  # type: ignore[arg-type]
        self.rows[self._current()].setFocus(Qt.FocusReason.PopupFocusReason)

    def _current(self) -> str:
        return self._host.wish.color_map if self._host.wish.color_map in self.rows else "grey"

    def _show(self) -> None:
        for name, row in self.rows.items():
            row.setChecked(name == self._current())
        self.bar.set_value(self._host.wish.show_color_bar)

    def _choose(self, name: str) -> None:
        self._host.change_wish(color_map=name)
        self._show()
