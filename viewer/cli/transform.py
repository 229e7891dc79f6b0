"""Moves of places as files: .json, and ITK's text format (.tfm), in which a transform leads from the fixed image to the moving one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from viewer.core.alignment import SAME_PLACE, Alignment, as_array, as_matrix, inverse
from viewer.core.errors import BadParameter, UnreadableFile
from viewer.core.words import _
from viewer.io.gate import harmless

ENDINGS = (".json", ".tfm")
_MOST_BYTES = 1 << 20
_AFFINE = "AffineTransform_double_3_3"


def transform_bytes(path: Path, matrix: tuple[float, ...], facts: dict[str, object]) -> bytes:
    """A move (moving to fixed) in the format of a file's ending."""
    if path.suffix.lower() == ".json":
        rows = [list(matrix[n : n + 4]) for n in range(0, 16, 4)]
        return (json.dumps({"matrix": rows, "from": "moving", "to": "fixed", "space": "LPS mm", **facts}, indent=1) + "\n").encode()
    back = as_array(inverse(matrix))
    numbers = " ".join(repr(float(n)) for n in (*back[:3, :3].ravel(), *back[:3, 3]))
    return f"#Insight Transform File V1.0\n#Transform 0\nTransform: {_AFFINE}\nParameters: {numbers}\nFixedParameters: 0 0 0\n".encode()


def read_transform(path: Path) -> tuple[float, ...]:
    """The move (moving to fixed) of such a file.

    Raises
    ------
    UnreadableFile
        It is none of ours, or no turn and shift.
    """
    if path.suffix.lower() not in ENDINGS:
        raise BadParameter(_("{name}: a transform is read from {endings}.").format(name=harmless(path.name), endings=", ".join(ENDINGS)))
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError
        text = path.read_text(encoding="utf-8")
        matrix = _from_json(text) if path.suffix.lower() == ".json" else _from_itk(text)
        Alignment("", "", "", matrix, "hand")  # is it a turn and a shift?
    except OSError as error:
        raise UnreadableFile(_("{name} cannot be read: {reason}.").format(name=harmless(path.name), reason=error.strerror)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        said = _("{name} is no rigid transform: wanted are a turn and a shift in millimetres, as the verb register writes them.")
        raise UnreadableFile(said.format(name=harmless(path.name))) from error
    return matrix


def _from_json(text: str) -> tuple[float, ...]:
    numbers = np.asarray(json.loads(text)["matrix"], dtype=np.float64)
    if numbers.shape != (4, 4) or not np.allclose(numbers[3], (0, 0, 0, 1)):
        raise ValueError
    return tuple(float(n) for n in numbers.ravel())


def _from_itk(text: str) -> tuple[float, ...]:
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))
    if not fields["Transform"].strip().startswith("AffineTransform"):
        raise ValueError
    numbers = np.array([float(n) for n in fields["Parameters"].split()])
    center = np.array([float(n) for n in fields["FixedParameters"].split()])
    if numbers.shape != (12,) or center.shape != (3,):
        raise ValueError
    turn = numbers[:9].reshape(3, 3)
    there = as_matrix(turn, numbers[9:] + center - turn @ center)
    return inverse(there) if there != SAME_PLACE else SAME_PLACE
