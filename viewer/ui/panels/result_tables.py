"""Tables over the document, as the results drawer and the panels show them: texts with the right digits, numbers to sort by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from viewer.core import digits
from viewer.core.report import Cell, Report, Table
from viewer.core.words import gettext as _
from viewer.session.document import Document
from viewer.session.readings import OPINION_TITLES
from viewer.session.view import ViewState
from viewer.ui.panels.measurements import finest, names_of, slice_of, value_text

Place = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
SORT_ROLE = Qt.ItemDataRole.UserRole
KEY_ROLE = Qt.ItemDataRole.UserRole + 1
_ROOT = QModelIndex()


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell: what is read, and what is sorted by (None: nothing was measured)."""

    text: str
    value: Cell
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table ready to be shown; ``keys`` names what each row is about."""

    title: str
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Shown, ...], ...] = ()
    keys: tuple[str, ...] = ()
    numeric: frozenset[int] = frozenset()
    """Columns of numbers: right and tabular."""


class GridModel(QAbstractTableModel):
    """A :class:`Grid` for a view. ``rename`` lets the first column be edited."""

    def __init__(self, parent: QObject | None = None, *, rename: Callable[[str, str], None] | None = None) -> None:
        super().__init__(parent)
        self._rename = rename
        self.grid = Grid("")

    def show(self, grid: Grid) -> None:
        """Show another table; nothing happens if it reads the same."""
        if grid == self.grid:
            return
        self.beginResetModel()
        self.grid = grid
        self.endResetModel()

    def row_of(self, key: str) -> int:
        """Row of a key, -1 if there is none."""
        return self.grid.keys.index(key) if key in self.grid.keys else -1

    def rowCount(self, parent: Place = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.grid.rows)

    def columnCount(self, parent: Place = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.grid.heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == _Role.DisplayRole:
            return self.grid.heads[section]
        if role == _Role.TextAlignmentRole:
            return self._side(section)
        return None

    def data(self, index: Place, role: int = _Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        cell = self.grid.rows[index.row()][index.column()]
        if role in (_Role.DisplayRole, _Role.EditRole):
            return cell.text
        if role == _Role.ToolTipRole:
            return cell.tip or None
        if role == _Role.TextAlignmentRole:
            return self._side(index.column())
        if role == SORT_ROLE:
            number = index.column() in self.grid.numeric
            return (float("-inf") if cell.value is None else cell.value) if number else cell.text.casefold()
        if role == KEY_ROLE:
            return self.grid.keys[index.row()]
        return None

    def flags(self, index: Place) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if self._rename is not None and index.column() == 0 else flags

    def setData(self, index: Place, value: Any, role: int = _Role.EditRole) -> bool:
        if role != _Role.EditRole or self._rename is None or index.column() != 0:
            return False
        self._rename(self.grid.keys[index.row()], str(value))
        return True

    def _side(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if column in self.grid.numeric else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter


def short_list(document: Document, root_id: str) -> Grid:
    """Name and value of each measurement of an image."""
    names = names_of(document, root_id)
    items = document.annotations_of(root_id)
    if not items:
        return Grid("")
    geometry = document.volume(root_id).geometry
    rows = tuple((Shown(names[i.id], names[i.id], names[i.id]), Shown(value_text(i, geometry), None)) for i in items)
    return Grid(_("On this image"), (_("Name"), _("Value")), rows, tuple(i.id for i in items), frozenset({1}))


def measurements_grid(document: Document, state: ViewState) -> Grid:
    """One row per measurement of the image in view, a column for each measure and unit that occurs."""
    items = document.annotations_of(state.root_id) if state.volume is not None else ()
    names = names_of(document, state.root_id) if items else {}
    measures = list(dict.fromkeys((m.name, m.unit) for item in items for m in item.measures))
    fine = finest(state.geometry)
    rows = []
    for item in items:
        number = slice_of(item, state)[1] + 1 if item.points else None
        found = {(m.name, m.unit): m.value for m in item.measures}
        cells = [Shown(names[item.id], names[item.id], names[item.id]), Shown(str(number or digits.DASH), number)]
        for name, unit in measures:
            cells.append(_number(name, unit, found[name, unit], fine) if (name, unit) in found else Shown("", None))
        rows.append(tuple(cells))
    heads = (_("Name"), _("Slice"), *(_head(name, unit) for name, unit in measures))
    return Grid(_("Measurements"), heads, tuple(rows), tuple(i.id for i in items), frozenset(range(1, len(heads))))


def table_grid(table: Table) -> Grid:
    """A table of results as it is."""
    numeric = frozenset(n for n in range(len(table.columns)) if not any(isinstance(row[n], str) for row in table.rows))
    rows = tuple(
        tuple(
            Shown(cell, cell, cell) if isinstance(cell, str) else _number(column.name, column.unit, cell, None)
            for column, cell in zip(table.columns, row, strict=True)
        )
        for row in table.rows
    )
    heads = tuple(_head(column.name, column.unit) for column in table.columns)
    return Grid(_(table.title), heads, rows, tuple(f"{table.id}#{n}" for n in range(len(rows))), numeric)


def reports_grid(reports: Sequence[Report], *, titles: Mapping[str, str] | None = None, phases: int = 1) -> Grid:
    """One row per report, a column for each class.

    Parameters
    ----------
    reports : sequence of Report
    titles : mapping of str to str, optional
        Titles of the images by id, where the reports are of several.
    phases : int
        How many there are; of several each row says which.
    """
    classes = list(dict.fromkeys(score.name for report in reports for score in report.scores))
    first = [_("Image")] if titles is not None else []
    where = [_("Slice"), *([_("Phase")] if phases > 1 else [])]
    heads = (
        *first, _("Model"), *where, *(_head(name, "%") for name in classes), _("Your reading"), _("Label"), _("Note"),
        _head(_("Time"), "ms"), _("Device"), _("Warnings"),
    )  # fmt: skip
    rows = []
    for report in reports:
        title = titles.get(report.volume_id, "") if titles is not None else ""
        plane = [Shown(str(report.index + 1), report.index + 1), *([Shown(str(report.phase + 1), report.phase + 1)] if phases > 1 else [])]
        rows.append((
            *([Shown(title, title, title)] if titles is not None else []), Shown(report.model, report.model, f"{report.model} {report.version}"),
            *plane, *_score_cells(report, classes), *_reading_cells(report),
            Shown(f"{report.milliseconds:.0f}", report.milliseconds), Shown(report.device, report.device), _warnings_cell(report),
        ))  # fmt: skip
    begin = len(first) + 1
    end = begin + len(where) + len(classes)
    numeric = frozenset((*range(begin, end), end + 3))
    return Grid(_("Classification"), heads, tuple(rows), tuple(report.id for report in reports), numeric)


def _score_cells(report: Report, classes: Sequence[str]) -> tuple[Shown, ...]:
    if report.is_unfamiliar:
        return tuple(Shown(digits.DASH, None, _("This model has not seen such images.")) for _name in classes)
    scores = {score.name: score.value for score in report.scores}
    return tuple(Shown(digits.score(scores.get(name)).removesuffix(" %"), scores.get(name)) for name in classes)


def _reading_cells(report: Report) -> tuple[Shown, ...]:
    reading = report.reading
    if reading is None:
        return Shown("", None), Shown("", None), Shown("", None)
    opinion = _(OPINION_TITLES[reading.opinion])
    return Shown(opinion, opinion), Shown(_(reading.label), reading.label), Shown(reading.note, reading.note, reading.note)


def _warnings_cell(report: Report) -> Shown:
    told = [_(warning) for warning in report.warnings]
    words = " ".join([_("This model has not seen such images."), *told] if report.is_unfamiliar else told)
    return Shown(words, words, words)


def _head(name: str, unit: str) -> str:
    return f"{_(name)} {digits.unit_words(unit)}" if unit else _(name)


def _number(name: str, unit: str, value: float | int | None, fine: float | None) -> Shown:
    if value is None:
        return Shown(digits.DASH, None, _("This could not be measured."))
    text = digits.by_name(name, value, unit, spacing=fine)
    return Shown(text.removesuffix(unit).rstrip() if unit else text, value)
