"""How one image lies over another: a rigid move of places, by hand or computed, kept with what made it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viewer.core.cut import Cut
from viewer.core.geometry import Triple, rotation

Method = Literal["hand", "positions", "rigid"]
"""By hand; the positions that stand in the files taken for those of one frame; registered by :mod:`viewer.core.registration`."""

SAME_PLACE: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
"""The move that moves nothing."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the places of a second image lie in the first.

    Parameters
    ----------
    id : str
        :func:`alignment_id` of the two: there is one alignment of a pair.
    volume_id, moving_id : str
        The opened (root) volumes: the first, which stays where it is, and the second.
    matrix : sixteen numbers, row by row
        Takes (x, y, z, 1) of the second to the first; a turn and a shift, LPS mm.
    method : "hand", "positions" or "rigid"
    fixed_frame, moving_frame : str
        Their frames of reference (UIDs), "" where there is none.
    metric : str
        What was made as alike as possible; "" where nothing was computed.
    value : float
        What of it was reached.
    """

    id: str
    volume_id: str
    moving_id: str
    matrix: tuple[float, ...]
    method: Method
    fixed_frame: str = ""
    moving_frame: str = ""
    metric: str = ""
    value: float = 0.0

    def __post_init__(self) -> None:
        turn = np.asarray(self.matrix, dtype=np.float64)
        if turn.shape != (16,) or not np.isfinite(turn).all():
            raise ValueError(f"a move needs sixteen numbers, not {self.matrix}")
        turn = turn.reshape(4, 4)
        if np.abs(turn[:3, :3] @ turn[:3, :3].T - np.eye(3)).max() > 1e-6 or np.linalg.det(turn[:3, :3]) < 0:
            raise ValueError(f"{self.matrix} is not a turn and a shift")


def alignment_id(fixed_id: str, moving_id: str) -> str:
    """The id of the alignment of two opened volumes."""
    return f"{fixed_id}<{moving_id}"


def inverse(matrix: tuple[float, ...]) -> tuple[float, ...]:
    """The move back."""
    move = as_array(matrix)
    turn = move[:3, :3].T
    return as_matrix(turn, -turn @ move[:3, 3])


def chained(first: tuple[float, ...], then: tuple[float, ...]) -> tuple[float, ...]:
    """One move for two, one after the other."""
    both = as_array(then) @ as_array(first)
    # Many small moves one after the other must not become a shear.
    u, _s, v = np.linalg.svd(both[:3, :3])
    return as_matrix(u @ v, both[:3, 3])


def moved(matrix: tuple[float, ...], places: ArrayLike) -> NDArray[np.float64]:
    """Places (..., 3) after a move."""
    move = as_array(matrix)
    return np.asarray(np.asarray(places, dtype=np.float64) @ move[:3, :3].T + move[:3, 3])


def moved_cut(matrix: tuple[float, ...], cut: Cut) -> Cut:
    """A cut after a move."""
    turn = as_array(matrix)[:3, :3]
    return replace(cut, origin=_triple(moved(matrix, cut.origin)), right=_triple(turn @ cut.right), down=_triple(turn @ cut.down))


def rigid(*, shift: ArrayLike = (0.0, 0.0, 0.0), degrees: ArrayLike = (0.0, 0.0, 0.0), center: ArrayLike = (0.0, 0.0, 0.0)) -> tuple[float, ...]:
    """A move: turned about a center, about x, then y, then z (right-handed, in degrees), then shifted in mm."""
    a, b, c = (math.radians(float(angle)) for angle in np.asarray(degrees, dtype=np.float64))
    about_x = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_y = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    about_z = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    turn = about_z @ about_y @ about_x
    middle = np.asarray(center, dtype=np.float64)
    return as_matrix(turn, middle - turn @ middle + np.asarray(shift, dtype=np.float64))


def turned_about(axis: ArrayLike, degrees: float, center: ArrayLike) -> tuple[float, ...]:
    """A move: turned about any axis (right-handed) through a center."""
    turn, middle = rotation(axis, degrees), np.asarray(center, dtype=np.float64)
    return as_matrix(turn, middle - turn @ middle)


def parts(matrix: tuple[float, ...], center: ArrayLike) -> tuple[Triple, Triple]:
    """Shift (mm) and angles (degrees about x, y, z) that :func:`rigid` makes a move of, for a center."""
    turn = as_array(matrix)[:3, :3]
    about_y = math.asin(max(-1.0, min(1.0, -float(turn[2, 0]))))
    about_x, about_z = math.atan2(turn[2, 1], turn[2, 2]), math.atan2(turn[1, 0], turn[0, 0])
    shift = moved(matrix, center) - np.asarray(center, dtype=np.float64)
    return _triple(shift), _triple(np.degrees((about_x, about_y, about_z)))


def degrees_of(matrix: tuple[float, ...]) -> float:
    """By how many degrees a move turns, about whatever axis."""
    turn = as_array(matrix)[:3, :3]
    # Of a small angle the cosine says little: the sine is taken from the other half of the matrix.
    sine = np.linalg.norm([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2
    return math.degrees(math.atan2(float(sine), (float(np.trace(turn)) - 1) / 2))


def distance_of(matrix: tuple[float, ...], center: ArrayLike) -> float:
    """How far a move takes a place, in mm."""
    return float(np.linalg.norm(moved(matrix, center) - np.asarray(center, dtype=np.float64)))


def as_array(matrix: tuple[float, ...]) -> NDArray[np.float64]:
    """A move as (4, 4)."""
    return np.asarray(matrix, dtype=np.float64).reshape(4, 4)


def as_matrix(turn: ArrayLike, shift: ArrayLike) -> tuple[float, ...]:
    """Turn (3, 3) and shift (3,) as the sixteen numbers of a move."""
    whole = np.eye(4)
    whole[:3, :3], whole[:3, 3] = turn, shift
    return tuple(float(n) for n in whole.ravel())


def _triple(values: NDArray[np.float64]) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
