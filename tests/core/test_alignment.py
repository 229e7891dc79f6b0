"""Moves of places: against SimpleITK's transforms and arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.alignment import (
    SAME_PLACE,
    Alignment,
    alignment_id,
    chained,
    degrees_of,
    distance_of,
    inverse,
    moved,
    moved_cut,
    parts,
    rigid,
    turned_about,
)
from viewer.core.cut import Cut

PLACES = np.array([[0.0, 0.0, 0.0], [12.0, -7.5, 30.0], [-100.0, 55.0, 3.25]])


def test_a_move_is_that_of_simpleitk_with_the_same_angles_and_center() -> None:
    oracle = sitk.Euler3DTransform()
    oracle.SetComputeZYX(True)  # about x first, about z last
    oracle.SetCenter((5.0, -4.0, 9.0))
    oracle.SetRotation(*np.radians((10.0, -20.0, 35.0)))
    oracle.SetTranslation((1.5, -2.5, 3.5))
    matrix = rigid(shift=(1.5, -2.5, 3.5), degrees=(10.0, -20.0, 35.0), center=(5.0, -4.0, 9.0))
    np.testing.assert_allclose(moved(matrix, PLACES), [oracle.TransformPoint(p) for p in PLACES], atol=1e-9)
    np.testing.assert_allclose(moved(inverse(matrix), moved(matrix, PLACES)), PLACES, atol=1e-9)


def test_a_move_comes_apart_into_what_it_was_made_of() -> None:
    matrix = rigid(shift=(1.5, -2.5, 3.5), degrees=(10.0, -20.0, 35.0), center=(5.0, -4.0, 9.0))
    shift, degrees = parts(matrix, (5.0, -4.0, 9.0))
    assert shift == pytest.approx((1.5, -2.5, 3.5)) and degrees == pytest.approx((10.0, -20.0, 35.0))


def test_a_turn_about_any_axis_is_that_of_simpleitk() -> None:
    oracle = sitk.VersorTransform((1.0, 2.0, -3.0), np.radians(8.0))
    oracle.SetCenter((10.0, 20.0, 30.0))
    matrix = turned_about((1.0, 2.0, -3.0), 8.0, (10.0, 20.0, 30.0))
    np.testing.assert_allclose(moved(matrix, PLACES), [oracle.TransformPoint(p) for p in PLACES], atol=1e-9)
    assert degrees_of(matrix) == pytest.approx(8.0, abs=1e-9)
    assert distance_of(matrix, (10.0, 20.0, 30.0)) == pytest.approx(0.0, abs=1e-9)


def test_moves_one_after_the_other_are_one_move() -> None:
    first, then = rigid(shift=(3.0, 0.0, 4.0), degrees=(5.0, 0.0, 0.0)), turned_about((0.0, 0.0, 1.0), 90.0, (1.0, 1.0, 0.0))
    np.testing.assert_allclose(moved(chained(first, then), PLACES), moved(then, moved(first, PLACES)), atol=1e-9)
    assert chained(SAME_PLACE, first) == pytest.approx(first)
    many = SAME_PLACE
    for _ in range(2000):
        many = chained(many, turned_about((0.3, 0.5, 0.7), 0.37, (9.0, 9.0, 9.0)))
    Alignment(alignment_id("a", "b"), "a", "b", many, "hand")  # still a turn: no shear has crept in


def test_a_moved_cut_has_its_samples_where_the_places_went() -> None:
    cut = Cut((1.0, 2.0, 3.0), (1.0, 0.0, 0.0), (0.0, 0.6, 0.8), 0.5, (4, 6), 1.25)
    matrix = rigid(shift=(7.0, -3.0, 1.0), degrees=(12.0, 34.0, -56.0), center=(1.0, 1.0, 1.0))
    rows, columns = np.mgrid[0:4, 0:6]
    np.testing.assert_allclose(moved_cut(matrix, cut).to_patient(rows, columns), moved(matrix, cut.to_patient(rows, columns)), atol=1e-9)


@pytest.mark.parametrize("bad", [SAME_PLACE[:15], (2.0, *SAME_PLACE[1:]), (-1.0, *SAME_PLACE[1:]), (float("nan"), *SAME_PLACE[1:])])
def test_what_is_no_turn_and_shift_is_refused(bad: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"move|turn"):
        Alignment("x", "a", "b", bad, "hand")
