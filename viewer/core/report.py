"""Results that are no pictures: tables of numbers, and reports of classifiers and analyses."""

from __future__ import annotations

from dataclasses import dataclass

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, and the unit of its numbers ("" for texts and pure numbers)."""

    name: str
    unit: str = ""

    @property
    def head(self) -> str:
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of results; numbers are unrounded, None is "could not be measured"."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    volume_id: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    """Where the numbers come from: image, segment, grid, library ..."""


@dataclass(frozen=True, slots=True)
class Score:
    """One class and its score in 0..1."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a classifier said of one image (one plane of one phase)."""

    id: str
    title: str
    volume_id: str
    index: int
    phase: int
    model: str
    version: str
    task: str
    scores: tuple[Score, ...]
    threshold: float | None
    positive: str
    """Name of the class that the threshold is about; "" for more than two classes."""
    device: str
    milliseconds: float
    warnings: tuple[str, ...] = ()
    is_calibrated: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    batch: str = ""
    """Shared by the reports of one "all planes" run."""
