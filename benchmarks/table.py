"""Rows of the benchmarks' table, and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; smaller is better. What it is held against was measured in the same run, or is a fixed limit."""

    what: str
    figure: float
    unit: str = "ms"
    rival: str = ""
    """Who or what ``rival_figure`` is of."""
    rival_figure: float | None = None
    at_most: float | None = None
    """The largest ratio of figure to rival figure that is asked for."""
    limit: float | None = None
    """The largest figure that is asked for, in the same unit."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.figure / self.rival_figure if self.rival_figure else None

    @property
    def is_met(self) -> bool | None:
        """Whether all that is asked for is met; None where nothing is asked for."""
        asked = []
        if self.limit is not None:
            asked.append(self.figure <= self.limit)
        if self.at_most is not None and self.ratio is not None:
            asked.append(self.ratio <= self.at_most)
        return all(asked) if asked else None


HEAD = ("", "what", "here", "beside it", "ratio", "asked for", "")
_RIGHT = (False, False, True, True, True, False, False)


def table(named: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """The rows of all benchmarks under one head; a benchmark's name stands at its first row."""
    lines = [HEAD]
    notes = []
    for name, rows in named:
        for number, row in enumerate(rows):
            lines.append((name if number == 0 else "", row.what, *_cells(row)))
            if row.note:
                notes.append(f"{name}, {row.what}: {row.note}")
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    printed = [
        "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(line, widths, _RIGHT, strict=True)).rstrip()
        for line in lines
    ]
    printed.insert(1, "-" * max(map(len, printed)))
    return "\n".join([*printed, *(["", *notes] if notes else [])])


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    beside = f"{row.rival} {_number(row.rival_figure)} {row.unit}" if row.rival_figure is not None else ""
    asked = []
    if row.limit is not None:
        asked.append(f"<= {_number(row.limit)} {row.unit}")
    if row.at_most is not None:
        asked.append(f"<= {row.at_most:g} x")
    verdict = {True: "ok", False: "OVER", None: ""}[row.is_met]
    ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
    return (f"{_number(row.figure)} {row.unit}", beside, ratio, " and ".join(asked), verdict)


def _number(value: float | None) -> str:
    """Three digits that count: 0.123, 4.56, 78.9, 1234."""
    if value is None:
        return ""
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"
