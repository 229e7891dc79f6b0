"""Results as CSV (for spreadsheets) and JSON (for programs): units in the head, numbers unrounded, nothing that is NaN.

Neither changes with the language: what the program itself has named is in English.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from viewer.core.annotation import Annotation
from viewer.core.errors import BadParameter
from viewer.core.ids import new_id
from viewer.core.report import Cell, Column, Reading, Report, Table
from viewer.core.sentence import english
from viewer.core.words import _
from viewer.io.gate import harmless
from viewer.io.save import save_atomic

ENDINGS = (".csv", ".json")


def save_tables(path: Path, tables: Sequence[Table], *, overwrite: bool = False) -> None:
    """Write tables as ``.csv`` (one after another, an empty line between) or ``.json``."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BadParameter(_("{name}: tables are written as .csv or .json. Choose one of these endings.").format(name=harmless(path.name)))
    text = csv_text(tables) if ending == ".csv" else json_text(tables)
    # Excel takes UTF-8 for what it is only with the mark in front.
    save_atomic(path, text.encode("utf-8-sig" if ending == ".csv" and not text.isascii() else "utf-8"), overwrite=overwrite)


def csv_text(tables: Sequence[Table]) -> str:
    """Comma separated, a decimal point, a head line with units for each table."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for number, table in enumerate(tables):
        if number:
            out.write("\r\n")
        writer.writerow([_harmless_cell(Column(english(column.name), column.unit).head) for column in table.columns])
        writer.writerows([_csv_cell(cell) for cell in row] for row in table.rows)
    return out.getvalue()


def json_text(tables: Sequence[Table]) -> str:
    """``{"tables": [{"title", "columns": [{"name", "unit"}], "rows": [[...]], "facts": {}}]}``"""
    content = [
        {
            "title": english(table.title),
            "columns": [{"name": english(column.name), "unit": column.unit} for column in table.columns],
            "rows": [[plain(cell) for cell in row] for row in table.rows],
            "facts": english(dict(table.facts)),
        }
        for table in tables
    ]
    return json.dumps({"tables": content}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(cell: Any) -> Cell:
    """A cell as JSON can hold it: numpy's numbers as Python's, NaN and infinities as None."""
    if cell is None or isinstance(cell, str | bool):
        return english(cell)  # type: ignore[no-any-return]
    value = cell.item() if hasattr(cell, "item") else cell
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) else str(value)


def annotations_table(annotations: Sequence[Annotation], unit_of: Callable[[str], str], title: str = "Measurements") -> Table:
    """One row per annotation: name, shape, phase, its points, and a column for each measure and unit that occurs.

    ``unit_of`` gives the unit of places (mm or px) of a volume's id.
    """
    measures = list(dict.fromkeys((m.name, m.unit) for a in annotations for m in a.measures))
    count = max((len(a.points) for a in annotations), default=0)
    units = {unit_of(a.volume_id) for a in annotations}
    unit = units.pop() if len(units) == 1 else ""
    columns = [Column("Name"), Column("Shape"), Column("Phase")]
    columns += [Column(f"{axis}{n}", unit) for n in range(1, count + 1) for axis in "xyz"]
    columns += [Column(name, unit) for name, unit in measures]
    rows = []
    for annotation in annotations:
        places: list[Cell] = [coordinate for point in annotation.points for coordinate in point]
        places += [None] * (3 * count - len(places))
        found = {(m.name, m.unit): m.value for m in annotation.measures}
        rows.append((annotation.name, annotation.shape, annotation.phase, *places, *(found.get(key) for key in measures)))
    return Table(new_id("table"), title, tuple(columns), tuple(rows))


def reports_table(reports: Sequence[Report], title: str = "Classification") -> Table:
    """One row per report, one column per class; then what is to be known of the model, and what the reader said."""
    classes = list(dict.fromkeys(score.name for report in reports for score in report.scores))
    figures = [(name, column) for name, column in _FIGURES if any(name in dict(report.facts) for report in reports)]
    columns = (
        Column("Title"), Column("Plane"), Column("Phase"), Column("Model"), Column("Version"), *(Column(name) for name in classes),
        Column("Threshold"), Column("Device"), Column("Time", "ms"), Column("Warnings"), Column("Found"), Column("Thresholds"),
        Column("Calibrated"), Column("Unfamiliar"), Column("Strangeness"), Column("Strangeness limit"), Column("SHA-256"),
        *(Column(column) for _name, column in figures), Column("Reading"), Column("Label"), Column("Note"), Column("Read at (UTC)"),
    )  # fmt: skip
    rows = []
    for r in reports:
        scores, facts = {score.name: score.value for score in r.scores}, dict(r.facts)
        values = tuple(scores.get(name) for name in classes)
        rows.append((
            r.title, r.index, r.phase, r.model, r.version, *values, r.threshold, r.device, r.milliseconds, " ".join(english(r.warnings)),
            "; ".join(score.name for score in r.found), _limits(r), _yes(r.is_calibrated), _yes(r.is_unfamiliar), r.strangeness, r.strangeness_limit,
            facts.get("sha256", ""), *(facts.get(name, "") for name, _column in figures), *_reading(r.reading),
        ))  # fmt: skip
    return Table(new_id("table"), title, tuple(columns), tuple(rows), facts=(("notice", NOTICE),))


NOTICE = "Research and education only. Not for diagnosis."
_FIGURES = (
    ("sensitivity", "Sensitivity"), ("sensitivity interval", "Sensitivity, 95 % interval"), ("specificity", "Specificity"),
    ("specificity interval", "Specificity, 95 % interval"), ("test set", "Measured on"), ("test prevalence", "Prevalence there"),
    ("prevalence", "Prevalence assumed"),
)  # fmt: skip


def _limits(report: Report) -> str:
    """The thresholds of the classes that have one: ``Nodule 0.5; Effusion 0.4``."""
    return "; ".join(f"{score.name} {score.threshold:g}" for score in report.scores if score.threshold is not None)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _reading(reading: Reading | None) -> tuple[Cell, Cell, Cell, Cell]:
    if reading is None:
        return "", "", "", ""
    moment = datetime.fromtimestamp(reading.at, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    return reading.opinion, reading.label, reading.note, moment


def _csv_cell(cell: Any) -> str:
    value = plain(cell)
    if value is None:
        return ""
    return _harmless_cell(value) if isinstance(value, str) else repr(value)


def _harmless_cell(text: str) -> str:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
