"""The scalar maps over the image in view, as a list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.core.overlay import ScalarMap
from viewer.core.words import gettext as _
from viewer.session.attach import place_on
from viewer.session.heat import caption, is_heat
from viewer.session.history import Changes, ItemChange
from viewer.ui.controls import ElidedLabel, IconButton, Label, NumberRow, SectionTitle
from viewer.ui.panel_host import PanelHost
from viewer.ui.theme import sizes


class MapList(QWidget):
    """The scalar maps of the image: shown or hidden (one step each), removed, and how dense they are painted. Hidden while there is none."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panel_host
        self._shown: tuple[ScalarMap, ...] = ()
        self.rows: list[QWidget] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(sizes().tight)
        column.addWidget(SectionTitle(_("Maps"), parent=self))
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        column.addLayout(self._list)
        self.opacity = NumberRow(_("Opacity"), 0, 100, 45, unit="%", parent=self)
        self.opacity.value_changed.connect(self._set_opacity)
        column.addWidget(self.opacity)
        host = panel_host.host
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self.refresh)
        host.view_changed.connect(self._take_view)
        self.refresh()

    def refresh(self) -> None:
        """Read the document anew."""
        # Those of reports are in the panel that shows the report.
        maps = tuple(item for item in self._panels.document.overlays_of(self._panels.root_id) if not item.report_id)
        if maps != self._shown:
            self._shown = maps
            for row in self.rows:
                self._list.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = [self._row(item) for item in maps]
            for row in self.rows:
                self._list.addWidget(row)
        self.setVisible(bool(maps))
        percent = round(100 * self._panels.host.wish.overlay_opacity)
        if maps and percent != self.opacity.value():
            self.opacity.set_value(percent)

    def _row(self, item: ScalarMap) -> QWidget:
        row = QWidget(self)
        row.setFixedHeight(sizes().list_row)
        row.setProperty("map", item.id)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(sizes().tight)
        line.addWidget(ElidedLabel(caption(item) if is_heat(item) else _(item.name), "" if item.is_visible else "hint", parent=row), 1)
        if not self._is_on_grid(item):
            other = Label(_("Other grid"), "small", parent=row)
            other.setToolTip(_("It lies on another grid than the image; what is drawn is interpolated."))
            line.addWidget(other)
        if item.unit:
            line.addWidget(Label(item.unit, "small", parent=row))
        words = _("Hide {name}") if item.is_visible else _("Show {name}")
        eye = IconButton("eye" if item.is_visible else "eye-off", words.format(name=_(item.name)), parent=row)
        eye.setObjectName("eye")
        eye.clicked.connect(self._toggle)
        line.addWidget(eye)
        remove = IconButton("trash-2", _("Remove {name}").format(name=_(item.name)), parent=row)
        remove.setObjectName("remove")
        remove.clicked.connect(self._remove)
        line.addWidget(remove)
        return row

    def _is_on_grid(self, item: ScalarMap) -> bool:
        """Whether its voxels are voxels of the image."""
        image = self._panels.document.volume(item.volume_id).geometry
        return place_on(image, item.geometry, np.broadcast_to(np.float32(0), item.geometry.shape)) is not None

    def _item(self) -> ScalarMap | None:
        """The map of the row whose button was pressed."""
        item: ScalarMap | None = self._panels.document.item("overlay", str(self.sender().parent().property("map")))
        return item

    def _toggle(self) -> None:
        item = self._item()
        if item is not None:
            self._commit("Show or hide {name}", item, replace(item, is_visible=not item.is_visible))

    def _remove(self) -> None:
        item = self._item()
        if item is not None:
            self._commit("Delete {name}", item, None)

    def _commit(self, title: str, before: ScalarMap, after: ScalarMap | None) -> None:
        document = self._panels.document
        with self._panels.host.reporting():
            document.commit(document.step(title, (ItemChange("overlay", before.id, before, after),), name=before.name))

    def _set_opacity(self, percent: float) -> None:
        self._panels.host.change_wish(overlay_opacity=percent / 100)

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("overlay") or changes.sources:
            self.refresh()

    def _take_view(self, _state: object) -> None:
        self.refresh()
