"""Which series a segmentation or structure set goes on, and what a listing says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.objects.object_samples import SERIES, Frame, Grid, contour, found, item, write_image, write_segmentation, write_structures
from viewer.core.errors import Refused
from viewer.io.objects.referring import Choice, series_for

GRID = Grid()
MASK = np.ones(GRID.shape[1:], np.uint8)


def choose(folder: Path, preferred: str = "") -> Choice:
    series = found(folder).series
    return series_for(next(e for e in series if e.object_kind), series, preferred=preferred)


def segmentation(path: Path, grid: Grid = GRID, **changes: object) -> Path:
    frames = [Frame(MASK, grid.place(k, 0, 0)) for k in range(2)]
    return write_segmentation(path, frames, grid, **changes)  # type: ignore[arg-type]


def test_the_series_that_is_named_is_taken_before_all_others(tmp_path: Path) -> None:
    write_image(tmp_path / "other", Grid(shape=(9, 11, 13)), series="1.2.3.7")
    write_image(tmp_path / "named", GRID)
    segmentation(tmp_path / "seg.dcm")
    choice = choose(tmp_path)
    assert (choice.by, choice.entry.identity.series_uid) == ("series", SERIES)


def test_a_localiser_of_the_same_series_is_not_taken_even_where_it_is_shown(tmp_path: Path) -> None:
    write_image(tmp_path / "ct", GRID)
    upright = Grid(shape=(1, 11, 13), row=(1.0, 0.0, 0.0), column=(0.0, 0.0, -1.0), origin=(10.0, 0.0, 100.0))
    write_image(tmp_path / "localiser", upright)
    segmentation(tmp_path / "seg.dcm")
    localiser = next(e.id for e in found(tmp_path).series if e.shape[0] == 1)
    assert choose(tmp_path, preferred=localiser).entry.shape == GRID.shape


def test_a_series_is_known_by_its_images_where_its_own_uid_is_another(tmp_path: Path) -> None:
    write_image(tmp_path / "first", GRID, series="1.2.3.7")
    uids = write_image(tmp_path / "second", GRID, series="1.2.3.8")
    reference = item(SeriesInstanceUID="1.2.3.9", ReferencedInstanceSequence=[item(ReferencedSOPInstanceUID=u) for u in uids])
    segmentation(tmp_path / "seg.dcm", ReferencedSeriesSequence=[reference])
    choice = choose(tmp_path)
    assert (choice.by, choice.entry.identity.series_uid) == ("images", "1.2.3.8")


def test_else_the_series_of_the_same_frame_whose_planes_fit(tmp_path: Path) -> None:
    write_image(tmp_path / "a shifted one, listed first", Grid(origin=(10.0, -20.0, 31.2)), series="1.2.3.7")
    write_image(tmp_path / "same", GRID, series="1.2.3.8")
    write_image(tmp_path / "elsewhere", GRID, series="1.2.3.9", frame="1.2.3.99")
    points = [np.array([GRID.place(k, r, c) for r, c in ((1, 1), (1, 9), (8, 5))]) for k in (1, 2)]
    write_structures(tmp_path / "rt.dcm", [("A", [contour(p) for p in points])], series="1.2.3.10")
    choice = choose(tmp_path)
    assert (choice.by, choice.entry.identity.series_uid) == ("frame", "1.2.3.8")


def test_of_two_that_fit_equally_the_shown_one_is_taken(tmp_path: Path) -> None:
    for series in ("1.2.3.7", "1.2.3.8"):
        write_image(tmp_path / series, GRID, series=series)
    segmentation(tmp_path / "seg.dcm", series="1.2.3.10")
    for series in ("1.2.3.7", "1.2.3.8"):
        assert choose(tmp_path, preferred=series).entry.id == series


def test_a_missing_series_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "elsewhere", GRID, series="1.2.3.9", frame="1.2.3.99")
    segmentation(tmp_path / "seg.dcm")
    with pytest.raises(Refused, match=rf"is not here \({SERIES}\)\. Open it together with its series"):
        choose(tmp_path)


def test_where_no_series_is_named_that_is_said(tmp_path: Path) -> None:
    segmentation(tmp_path / "seg.dcm", ReferencedSeriesSequence=None)
    with pytest.raises(Refused, match="does not say which series"):
        choose(tmp_path)


def test_a_listing_says_what_a_segmentation_holds_and_what_it_is_of(tmp_path: Path) -> None:
    segments = {1: {"SegmentLabel": "Liver"}, 2: {"SegmentLabel": "Spleen\x1b"}}
    segmentation(tmp_path / "seg.dcm", segments=segments)
    (entry,) = found(tmp_path).series
    assert (entry.kind, entry.object_kind, entry.refers_to) == ("other", "segmentation", (SERIES,))
    assert entry.title == "Segmentation: 2 segments (Made segmentation)"
    assert entry.plan.names == ("Liver", "Spleen\N{REPLACEMENT CHARACTER}")


def test_a_listing_says_what_a_structure_set_holds_and_what_it_is_of(tmp_path: Path) -> None:
    write_structures(tmp_path / "rt.dcm", [("GTV", []), ("Körper", [])])
    (entry,) = found(tmp_path).series
    assert (entry.kind, entry.object_kind, entry.refers_to) == ("other", "structures", (SERIES,))
    assert entry.title == "Structure set: 2 structures (Made structures)"
