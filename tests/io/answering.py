"""What opening a file comes to: it is read to its last voxel, or refused in a sentence; anything else goes through as it is raised."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tests.io.objects.object_samples import FRAME, Grid
from viewer.core.errors import NegatoscopeError
from viewer.core.geometry import Geometry
from viewer.io import open as opening
from viewer.io.objects.read import KINDS, read_segments
from viewer.io.series import SeriesEntry
from viewer.jobs.pool import Pool


def answer(path: Path, pool: Pool) -> Literal["opened", "refused"]:
    """Find and read all that is in a file, planes too. Raises AssertionError where a refusal is no sentence."""
    return answer_and_words(path, pool)[0]


def answer_and_words(path: Path, pool: Pool) -> tuple[Literal["opened", "refused"], list[str]]:
    """The same, and the sentences."""
    listing = opening.find([path])
    assert listing.series or listing.refused or listing.skipped, "neither opened nor refused"
    said = [refusal.reason for refusal in listing.refused]
    opened = False
    for entry in listing.series:
        try:
            _read(entry, pool)
            opened = True
        except NegatoscopeError as error:
            said.append(str(error))
    for sentence in said:
        assert sentence.isprintable(), repr(sentence)
        assert sentence.endswith((".", ")")), sentence
    return "opened" if opened else "refused", said


def _read(entry: SeriesEntry, pool: Pool) -> None:
    if entry.object_kind in KINDS:
        grid = Grid()
        read_segments(entry, Geometry(grid.shape, grid.origin, grid.spacing, frame_uid=FRAME), pool=pool)
    elif entry.kind != "other":
        plane = opening.load_plane(entry, entry.shape[0] // 2, 0, pool=pool)
        volume = opening.load(entry, pool=pool)
        assert plane.data.shape[2:] == volume.data.shape[2:]
