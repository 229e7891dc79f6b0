"""The layout chooser: how the middle of the window is divided, what the views do together, and slabs."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QGridLayout, QToolButton, QWidget

from viewer.core.slab import MOST_MM, Slab
from viewer.core.words import gettext as _
from viewer.session.desk import ARRANGEMENTS, Arrangement
from viewer.ui import theme
from viewer.ui.actions import Actions
from viewer.ui.controls import NumberRow, Popover, SectionTitle, Segmented, SwitchRow
from viewer.ui.host import Host

_PICTURE = QSize(40, 28)
_CAPTIONS = {"mpr": "MPR", "mpr_four": "MPR 2×2"}
_LINKS = ("link.scroll", "link.cursor", "link.zoom", "link.pan", "link.window", "link.by_offset", "view.crosshair")


class LayoutPopover(Popover):
    """Follows the desk while it is open; every change acts at once."""

    def __init__(self, host: Host, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(_("Layout"), width=332, parent=parent)
        self._host, self._actions = host, actions
        self.buttons: dict[str, QToolButton] = {}
        grid = QGridLayout()
        grid.setSpacing(theme.sizes().tight)
        for n, arrangement in enumerate(ARRANGEMENTS.values()):
            button = QToolButton(self)
            button.setProperty("role", "layout")
            button.setCheckable(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setText(_CAPTIONS.get(arrangement.name) or arrangement.name.replace("x", "×"))
            button.setFont(theme.font("caption"))
            button.setFixedSize(54, 56)
            button.setIconSize(_PICTURE)
            button.setAccessibleName(_(arrangement.title))
            button.clicked.connect(lambda _checked=False, name=arrangement.name: self._pick(name))
            self.buttons[arrangement.name] = button
            grid.addWidget(button, n // 5, n % 5)
        grid.setColumnStretch(5, 1)
        self.body.addLayout(grid)
        self.body.addWidget(SectionTitle(_("Together")))
        self.switches: dict[str, SwitchRow] = {}
        for name in _LINKS:
            action = actions[name]
            row = SwitchRow(action.iconText(), parent=self)
            row.setToolTip(action.toolTip())
            row.value_changed.connect(lambda _value, name=name: self._switch(name))
            self.switches[name] = row
            self.body.addWidget(row)
        self.body.addWidget(SectionTitle(_("Slab")))
        self.mode = Segmented([("off", _("One plane")), ("mip", "MIP"), ("minip", "MinIP"), ("mean", _("Mean"))], name=_("Slab"), parent=self)
        self.mode.value_changed.connect(self._set_mode)
        self.body.addWidget(self.mode)
        self.thickness = NumberRow(_("Thickness"), 0.5, MOST_MM, 10.0, unit="mm", step=1.0, log=True, parent=self)
        self.thickness.value_changed.connect(self._set_thickness)
        self.body.addWidget(self.thickness)
        host.arranged.connect(self._show)
        host.view_changed.connect(self._take_view)

    def _take_view(self, _state: object) -> None:
        self._show()

    def open_at(self, opener: QWidget, **side: object) -> None:
        self._show(is_opening=True)
        super().open_at(opener, **side)  # type: ignore[arg-type]

    def _show(self, *, is_opening: bool = False) -> None:
        if not (is_opening or self.isVisible()):
            return
        desk, slab = self._host.desk, self._host.wish.slab
        for name, button in self.buttons.items():
            action = self._actions[f"layout.{name}"]
            button.setChecked(name == desk.arrangement.name)
            button.setEnabled(action.isEnabled())
            button.setToolTip(action.toolTip())
            button.setIcon(_picture(ARRANGEMENTS[name], name == desk.arrangement.name, self.devicePixelRatioF()))
        for name, row in self.switches.items():
            row.set_value(getattr(desk.links, "lines" if name == "view.crosshair" else name.partition(".")[2]))
        action = self._actions["slab.mip"]
        self.mode.set_value(slab.mode if slab is not None else "off")
        theme.set_available(self.mode, "" if action.isEnabled() else action.toolTip())
        theme.set_available(self.thickness, "" if slab is not None else _("Choose MIP, MinIP or mean first."))
        if slab is not None and abs(float(self.thickness.value()) - slab.mm) > 1e-6:
            self.thickness.set_value(slab.mm)

    def _pick(self, name: str) -> None:
        self._actions[f"layout.{name}"].trigger()
        self._show()

    def _switch(self, name: str) -> None:
        self._actions[name].trigger()

    def _set_mode(self, mode: object) -> None:
        self._actions[f"slab.{mode}"].trigger()
        self._show()

    def _set_thickness(self, _value: object) -> None:
        slab = self._host.wish.slab
        if slab is not None and self.thickness.is_valid():
            self._host.change_wish(slab=Slab(slab.mode, float(self.thickness.value())))


def _picture(arrangement: Arrangement, is_chosen: bool, ratio: float) -> QIcon:
    """The cells as they will lie."""
    tokens = theme.tokens()
    picture = QPixmap(_PICTURE * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(QColor(0, 0, 0, 0))
    painter = QPainter(picture)
    rows = max(c.row + c.rows for c in arrangement.cells)
    columns = max(c.column + c.columns for c in arrangement.cells)
    width, height = _PICTURE.width(), _PICTURE.height()
    for cell in arrangement.cells:
        left, right = round(width * cell.column / columns), round(width * (cell.column + cell.columns) / columns)
        top, bottom = round(height * cell.row / rows), round(height * (cell.row + cell.rows) / rows)
        color = {"axial": "#FF5A52", "sagittal": "#FFD54A", "coronal": "#5BD06C"}.get(cell.plane or "")
        painter.fillRect(left, top, right - left - 2, bottom - top - 2, QColor(tokens.accent_text if is_chosen else tokens.text2))
        if color:  # a plane shows in its own colour, as its line does
            painter.fillRect(left, top, right - left - 2, 4, QColor(color))
    painter.end()
    return QIcon(picture)
