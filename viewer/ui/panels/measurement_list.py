"""Parts of a measuring panel: the list of measurements, their points as numbers, and the maps over the image."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, Qt
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QGridLayout, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from viewer.core.annotation import Annotation
from viewer.core.digits import measure_text
from viewer.core.geometry import Triple
from viewer.core.words import gettext as _
from viewer.session.history import Changes
from viewer.ui.controls import Button, Card, Hint, IconButton, Label, SectionTitle, TextRow
from viewer.ui.controls.number_field import Scale
from viewer.ui.form_rows import parse_place, place_field_text
from viewer.ui.panel_host import PanelHost
from viewer.ui.panels.measurements import (
    add_measurement,
    delete_measurement,
    finest,
    move_measurement,
    names_of,
    rename_measurement,
    show_measurement,
)
from viewer.ui.panels.result_tables import KEY_ROLE, GridModel, short_list
from viewer.ui.theme import font, set_available, sizes

_MOST_ROWS = 8


def tabular(face: QFont) -> QFont:
    """A font whose digits are equally wide."""
    face = QFont(face)
    face.setFeature(QFont.Tag("tnum"), 1)
    return face


class _Rows(QTableView):
    """Keeps Delete for itself while it has the focus: the window's key deletes the selected measurement of the view."""

    def __init__(self, panel_host: PanelHost, parent: QWidget) -> None:
        super().__init__(parent)
        self._panels = panel_host

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            delete_measurement(self._panels, str(self.currentIndex().data(KEY_ROLE) or ""))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            show_measurement(self._panels, str(self.currentIndex().data(KEY_ROLE) or ""))
        else:
            super().keyPressEvent(event)


class MeasurementList(QWidget):
    """The list "On this image": name and value. A click selects and brings the slice into view, F2 renames, Delete removes."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panel_host
        self._following, self._are_shown = False, True
        s = sizes()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(s.tight)
        head = QHBoxLayout()
        head.setSpacing(s.tight)
        head.addWidget(SectionTitle(_("On this image"), parent=self), 1)
        self.visible = IconButton("eye", _("Show or hide the measurements"), parent=self)
        self.visible.clicked.connect(self._toggle_visible)
        self.rename = IconButton("pencil", _("Rename the measurement (F2)"), parent=self)
        self.rename.clicked.connect(self.rename_selected)
        self.delete = IconButton("trash-2", _("Delete the measurement"), parent=self)
        self.delete.clicked.connect(self._delete)
        for button in (self.visible, self.rename, self.delete):
            head.addWidget(button)
        column.addLayout(head)
        self.hint = Hint(_("No measurements yet. Drag one on the image, or add one and type its places."), parent=self)
        column.addWidget(self.hint)
        self.model = GridModel(self, rename=self._take_name)
        self.table = self._make_table()
        column.addWidget(self.table)
        host = panel_host.host
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self.refresh)
        host.active_changed.connect(self._take_image)
        host.view_changed.connect(self._take_view)
        panel_host.tooling.selected_changed.connect(self._select)
        self.refresh()

    def refresh(self) -> None:
        """Read the document anew."""
        root_id = self._panels.root_id
        self._following = True
        self.model.show(short_list(self._panels.document, root_id))
        self._following = False
        rows = self.model.rowCount()
        self.hint.setVisible(rows == 0)
        self.table.setVisible(rows > 0)
        s = sizes()
        # A row more than fits shows half, so that it is seen that the list goes on.
        shown = rows if rows <= _MOST_ROWS else _MOST_ROWS + 0.5
        self.table.setFixedHeight(round(self.table.horizontalHeader().sizeHint().height() + shown * s.list_row) + s.hair)
        self._select(self._panels.tooling.selected_id)

    def _make_table(self) -> QTableView:
        table = _Rows(self._panels, self)
        table.setAccessibleName(_("Measurements on this image"))
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.DoubleClicked)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(sizes().list_row)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.setFont(tabular(font("body")))
        self.model.modelReset.connect(self._stretch)
        table.selectionModel().currentRowChanged.connect(self._row_chosen)
        table.clicked.connect(self._row_clicked)
        return table

    def _stretch(self) -> None:
        if self.model.columnCount():
            self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def _row_chosen(self, current: QModelIndex, _before: object = None) -> None:
        if not self._following and current.isValid():
            show_measurement(self._panels, str(current.data(KEY_ROLE)))

    def _row_clicked(self, index: QModelIndex) -> None:
        show_measurement(self._panels, str(index.data(KEY_ROLE)))

    def _select(self, annotation_id: str) -> None:
        row = self.model.row_of(annotation_id)
        selection = self.table.selectionModel()
        self._following = True
        if row < 0:
            selection.clear()
        elif self.table.currentIndex().row() != row or not selection.hasSelection():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            selection.setCurrentIndex(self.model.index(row, 0), flags)
            self.table.scrollTo(self.model.index(row, 0))
        self._following = False
        self._show_eye()
        for button in (self.rename, self.delete):
            set_available(button, "" if row >= 0 else _("Select a measurement first."))
        set_available(self.visible, "" if self.model.rowCount() else _("There are no measurements."))

    def _take_name(self, annotation_id: str, name: str) -> None:
        rename_measurement(self._panels, annotation_id, name)

    def rename_selected(self) -> None:
        """Write the selected measurement's name in place."""
        row = self.model.row_of(self._panels.tooling.selected_id)
        if row >= 0:
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
            self.table.edit(self.model.index(row, 0))

    def _delete(self) -> None:
        delete_measurement(self._panels, self._panels.tooling.selected_id)

    def _toggle_visible(self) -> None:
        host = self._panels.host
        host.change_wish(show_annotations=not host.wish.show_annotations)
        self._select(self._panels.tooling.selected_id)

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("annotation") or changes.sources:
            self.refresh()

    def _take_image(self, _root_id: str) -> None:
        self.refresh()

    def _take_view(self, _state: object) -> None:
        if self._panels.host.wish.show_annotations != self._are_shown:
            self._show_eye()

    def _show_eye(self) -> None:
        self._are_shown = self._panels.host.wish.show_annotations
        self.visible.set_picture("eye" if self._are_shown else "eye-off")


class MeasurementForm(Card):
    """The points of the selected measurement as numbers, and new measurements without dragging."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(_("Places"), help=_("Drag the handles in the view, or type places here."), parent=parent)
        self._panels = panel_host
        self.rows: list[TextRow] = []
        self._places = 0
        self._length = Scale(0.01, None)
        self._shown: Annotation | None = None
        self.features = QWidget(self)
        self._grid = QGridLayout(self.features)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(sizes().tight)
        self._grid.setColumnStretch(0, 1)
        self.features.hide()
        self.add_row(self.features)
        self.add_distance = self.add_button(Button(_("Add distance"), parent=self))
        self.add_ellipse = self.add_button(Button(_("Add ellipse"), parent=self))
        self.add_distance.clicked.connect(self._add_distance)
        self.add_ellipse.clicked.connect(self._add_ellipse)
        panel_host.host.document_changed.connect(self._take_changes)
        panel_host.host.document_replaced.connect(self.refresh)
        panel_host.tooling.selected_changed.connect(self._take_selected)
        self.refresh()

    def refresh(self) -> None:
        """Show the selected measurement as it is now."""
        item = self._panels.document.item("annotation", self._panels.tooling.selected_id)
        if item == self._shown and (item is None) == (not self.rows):
            return
        same_kind = item is not None and self._shown is not None and (item.id, item.shape) == (self._shown.id, self._shown.shape)
        self._shown = item
        if not same_kind:
            for row in self.rows:
                self.body.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = self._make_rows(item) if item is not None else []
            for at, row in enumerate(self.rows):
                self.body.insertWidget(at, row)
            self.features.setVisible(item is not None)
        if item is not None:
            self._show_values(item)
            self._show_features(item)
            self.set_title(names_of(self._panels.document, item.volume_id).get(item.id, ""), self.help.text())
        else:
            self.set_title(_("Places"), self.help.text())

    def _make_rows(self, item: Annotation) -> list[TextRow]:
        geometry = self._panels.document.volume(item.volume_id).geometry
        names = {"ellipse": (_("Centre"),), "circle": (_("Centre"),), "point": (_("Place"),)}.get(item.shape, (_("Start"), _("End")))
        hint = _("x, y, z in {unit}").format(unit=geometry.unit)
        rows = [TextRow(name, placeholder=hint, check=self._check_place, parent=self) for name in names]
        halves = {"ellipse": (_("Half axis 1"), _("Half axis 2")), "circle": (_("Radius"),)}.get(item.shape, ())
        self._length = Scale(0.01, None, 0.1, 2, False, geometry.unit)
        rows += [TextRow(name, placeholder=geometry.unit, check=partial(self._length.problem, name), parent=self) for name in halves]
        for row in rows:
            row.settled.connect(self._take_typed)
        self._places = len(names)
        return rows

    def _show_values(self, item: Annotation) -> None:
        for row, place in zip(self.rows[: self._places], item.points, strict=False):
            row.set_value(place_field_text(place))
        for row, end in zip(self.rows[self._places :], item.points[1:], strict=False):
            row.set_value(self._length.text(float(np.linalg.norm(np.subtract(end, item.points[0])))))

    def _show_features(self, item: Annotation) -> None:
        """Every measure by name and value, with the digits of the table."""
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        fine = finest(self._panels.document.volume(item.volume_id).geometry)
        for at, measure in enumerate(item.measures):
            name, value = Label(_(measure.name), "small", parent=self.features), Label(measure_text(measure, spacing=fine), parent=self.features)
            value.setFont(tabular(value.font()))
            self._grid.addWidget(name, at, 0)
            self._grid.addWidget(value, at, 1, Qt.AlignmentFlag.AlignRight)

    def _check_place(self, text: str) -> str:
        return "" if parse_place(text) is not None else _("A place has three numbers: x, y, z.")

    def _take_typed(self, _value: object = None) -> None:
        item = self._shown
        if item is None or not all(row.is_valid() for row in self.rows):
            return
        points = self._typed_points(item)
        geometry = self._panels.document.volume(item.volume_id).geometry
        along = geometry.to_index(np.asarray(points))[:, item.axis]
        if np.ptp(along) > 0.5:
            self.rows[-1].set_error(_("All places of a measurement lie on one slice."))
            return
        move_measurement(self._panels, item.id, points)

    def _typed_points(self, item: Annotation) -> tuple[Triple, ...]:
        """The points that the rows say; a row that was not touched keeps its point to the last bit."""
        typed = []
        for row, old in zip(self.rows[: self._places], item.points, strict=False):
            place = parse_place(row.value())
            typed.append(old if place is None or row.value() == place_field_text(old) else place)
        lengths = [row.value() for row in self.rows[self._places :]]
        if not lengths:
            return tuple(typed)
        ends = []
        for text, end in zip(lengths if len(lengths) == 2 else lengths * 2, item.points[1:], strict=True):
            arm = np.subtract(end, item.points[0])
            length = float(np.linalg.norm(arm))
            factor = 1.0 if text == self._length.text(length) else (self._length.parse(text) or length) / length
            x, y, z = (float(c) for c in np.asarray(typed[0]) + arm * factor)
            ends.append((x, y, z))
        return (typed[0], *ends)

    def _add_distance(self) -> None:
        add_measurement(self._panels, "distance")

    def _add_ellipse(self) -> None:
        add_measurement(self._panels, "ellipse")

    def _take_selected(self, _annotation_id: str) -> None:
        self.refresh()

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("annotation"):
            self.refresh()
