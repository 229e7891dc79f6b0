"""Results that are no pictures: tables of numbers, and reports of classifiers and analyses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    """One class and its score in 0..1; at or over ``threshold`` it counts as found, None: there is no threshold for it."""

    name: str
    value: float
    threshold: float | None = None


Opinion = Literal["agree", "disagree", "unsure"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the person who looked at a report thinks of it."""

    opinion: Opinion
    label: str = ""
    """The class that the reader would have named; "" if none was given."""
    note: str = ""
    at: float = 0.0
    """Seconds since 1970, UTC."""


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
    strangeness: float | None = None
    """How unlike the images that the model was trained on; None where the model cannot tell."""
    strangeness_limit: float | None = None
    """Above it the image is unfamiliar: the scores mean nothing."""
    reading: Reading | None = None
    is_of_whole: bool = False
    """It speaks of all planes together; ``index`` is then the one in the middle."""

    @property
    def is_unfamiliar(self) -> bool:
        """The model has not seen such images."""
        return self.strangeness is not None and self.strangeness_limit is not None and not self.strangeness <= self.strangeness_limit

    def is_about(self, plane: int) -> bool:
        """Whether a plane is what it speaks of, or one of them."""
        return self.is_of_whole or self.index == plane

    @property
    def best(self) -> Score:
        """The class with the highest score."""
        return max(self.scores, key=lambda score: score.value)

    @property
    def usual_class(self) -> str:
        """The class that is explained where none is chosen: the positive one, else the one with the highest score."""
        return self.positive or self.best.name

    @property
    def is_disagreed_with(self) -> bool:
        """By the person who looked at it."""
        return self.reading is not None and self.reading.opinion == "disagree"

    @property
    def found(self) -> tuple[Score, ...]:
        """The classes at or over their threshold."""
        return tuple(score for score in self.scores if score.threshold is not None and score.value >= score.threshold)
