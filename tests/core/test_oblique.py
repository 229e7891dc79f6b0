"""How turned planes lie on the screen. Oracle: arithmetic with the vectors they were made from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.geometry import Geometry, Plane
from viewer.core.layout import NO_AXIS, layout_of
from viewer.core.oblique import ObliqueLayout, oblique_of, straightened_of, turn_of, turned_about

IDENTITY = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
# Directions of increasing column, row and plane of a stack, as DICOM files have them.
STACKS = {
    "axial": np.eye(3),
    "feet-first": np.diag([1.0, 1.0, -1.0]) @ np.diag([1.0, -1.0, 1.0]),
    "prone": np.diag([-1.0, -1.0, 1.0]),
    "sagittal": np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]]),
    "coronal": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "oblique": np.asarray(turned_about(turned_about(IDENTITY, (1, 0, 0), 12), (0, 0, 1), 9)).reshape(3, 3),
}
# In the patient: what lies to the right and at the bottom of each standard plane (C07).
SIDES: dict[Plane, tuple[str, str, str, str]] = {
    "axial": ("R", "A", "L", "P"), "coronal": ("R", "H", "L", "F"), "sagittal": ("A", "H", "P", "F"),
}  # fmt: skip


def grid(matrix: np.ndarray, shape: tuple[int, int, int] = (24, 30, 36), spacing: tuple[float, float, float] = (2.5, 0.8, 0.5)) -> Geometry:
    return Geometry(shape, (-12.0, 34.0, 56.0), spacing, tuple(float(c) for c in matrix.ravel()))


def made(geometry: Geometry, turn: tuple[float, ...], place: tuple[float, float, float] | None = None) -> ObliqueLayout:
    layout = oblique_of(geometry, turn, place)
    assert layout is not None
    return layout


@pytest.mark.parametrize("plane", SIDES)
@pytest.mark.parametrize("stack", [name for name in STACKS if name != "oblique"])
def test_c09_letters_of_standard_planes_whatever_way_the_stack_was_acquired(stack: str, plane: Plane) -> None:
    geometry = grid(STACKS[stack])
    layout = made(geometry, turn_of(geometry, plane))
    assert layout.edge_letters(geometry) == SIDES[plane]
    assert layout.edge_letters(geometry) == layout_of(geometry, plane).edge_letters(geometry)


def test_c10_letters_of_oblique_planes_by_falling_size_and_no_noise() -> None:
    geometry = grid(STACKS["axial"])
    layout = made(geometry, turned_about(IDENTITY, (0, 0, 1), 30))  # to the right lies (0.866, 0.5, 0)
    assert layout.edge_letters(geometry) == ("RA", "AL", "LP", "PR")
    assert made(geometry, turned_about(IDENTITY, (0, 0, 1), 4)).edge_letters(geometry) == ("R", "A", "L", "P")  # sin 4 degrees is noise
    steep = made(geometry, turned_about(turned_about(IDENTITY, (1, 0, 0), 30), (0, 1, 0), -40))
    right = steep.right
    names = ["LR"[right[0] < 0], "PA"[right[1] < 0], "HF"[right[2] < 0]]
    assert steep.edge_letters(geometry)[2] == "".join(names[n] for n in np.argsort(-np.abs(np.asarray(right))) if abs(right[n]) >= 0.087)


def test_c09_letters_turn_and_flip_with_the_picture() -> None:
    geometry = grid(STACKS["axial"])
    layout = made(geometry, turn_of(geometry, "coronal"))
    assert layout.rotated(flip_horizontal=True).edge_letters(geometry) == ("L", "H", "R", "F")
    assert layout.rotated(flip_vertical=True).edge_letters(geometry) == ("R", "F", "L", "H")
    assert layout.rotated(1).edge_letters(geometry) == ("F", "R", "H", "L")
    for turns in range(4):
        for flips in ((False, False), (True, False), (False, True), (True, True)):
            flat = layout_of(geometry, "coronal").rotated(turns, flip_horizontal=flips[0], flip_vertical=flips[1])
            turned = layout.rotated(turns, flip_horizontal=flips[0], flip_vertical=flips[1])
            assert turned.edge_letters(geometry) == flat.edge_letters(geometry)


def test_c11_without_a_patient_frame_no_letters() -> None:
    geometry = Geometry((8, 9, 10), is_patient=False)
    assert made(geometry, turned_about(IDENTITY, (1, 1, 1), 40)).edge_letters(geometry) == ("", "", "", "")


@pytest.mark.parametrize("plane", SIDES)
@pytest.mark.parametrize("stack", STACKS)
def test_an_unturned_plane_has_the_slices_of_the_array(stack: str, plane: Plane) -> None:
    geometry = grid(STACKS[stack])
    flat = layout_of(geometry, plane)
    layout = made(geometry, turn_of(geometry, plane))
    assert layout.count == flat.count
    assert layout.distance == pytest.approx(geometry.spacing[flat.axis])
    for index in (0, 5, flat.count - 1):
        middle = layout.size[0] / 2, layout.size[1] / 2
        at = layout.index_at(index, middle)
        assert at[flat.axis] == pytest.approx(flat.array_index(index), abs=1e-6)
        place = geometry.to_patient(at)
        assert layout.slice_at(geometry, place) == pytest.approx(index, abs=1e-6)
        assert flat.slice_at(geometry, place) == pytest.approx(index, abs=1e-6)


@given(st.integers(0, 10**6))
def test_slices_run_along_the_normal_through_the_whole_volume_one_of_them_through_the_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    geometry = grid(STACKS["oblique"])
    turn = turned_about(IDENTITY, rng.normal(size=3), float(rng.uniform(0, 360)))
    place = geometry.to_patient(rng.uniform(0, 1, 3) * (np.asarray(geometry.shape) - 1))
    layout = made(geometry, turn, tuple(place))
    number = layout.slice_at(geometry, place)
    assert number == pytest.approx(round(number), abs=1e-6)
    assert -1e-6 <= number <= layout.count - 1 + 1e-6
    corners = geometry.to_patient(np.array(np.meshgrid(*((0, n - 1) for n in geometry.shape))).reshape(3, -1).T)
    numbers = np.array([layout.slice_at(geometry, corner) for corner in corners])
    # Less than a step of the volume is left before the first and behind the last.
    assert -1 < numbers.min() <= 1e-6
    assert layout.count - 1 - 1e-6 <= numbers.max() < layout.count
    # Every corner, with its half voxel, is inside of the picture.
    ends = geometry.to_index(corners)
    points = np.array([layout.point_at(tuple(end)) for end in ends])
    assert (points > 0).all()
    assert (points < np.asarray(layout.size)).all()


@given(st.integers(0, 10**6))
def test_points_and_places_are_each_others_inverse(seed: int) -> None:
    rng = np.random.default_rng(seed)
    geometry = grid(STACKS["oblique"])
    turn = turned_about(IDENTITY, rng.normal(size=3), float(rng.uniform(0, 360)))
    layout = made(geometry, turn).rotated(int(rng.integers(4)), flip_horizontal=bool(rng.integers(2)), flip_vertical=bool(rng.integers(2)))
    index, point = int(rng.integers(layout.count)), (float(rng.uniform(0, 50)), float(rng.uniform(0, 50)))
    at = layout.index_at(index, point)
    assert layout.point_at(at) == pytest.approx(point, abs=1e-6)
    place = geometry.to_patient(at)
    # By the vectors alone.
    cut = layout.cut(geometry, index)
    expected = np.asarray(cut.origin) + (point[0] - 0.5) * layout.unit_length * np.asarray(cut.right)
    expected = expected + (point[1] - 0.5) * layout.unit_length * np.asarray(cut.down)
    np.testing.assert_allclose(place, expected, atol=1e-9)
    assert layout.slice_at(geometry, place) == pytest.approx(index, abs=1e-6)


@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_c05_turning_and_flipping_moves_pixels_as_numpy_does(turns: int, flips: tuple[bool, bool]) -> None:
    geometry = grid(STACKS["axial"], (7, 9, 12))
    layout = made(geometry, turned_about(IDENTITY, (1, 2, 0), 25))
    values = np.random.default_rng(3).integers(0, 250, geometry.shape).astype(np.uint8)
    plain = layout.plane(values, layout.count // 2)
    plain = plain[::-1] if flips[1] else plain
    plain = plain[:, ::-1] if flips[0] else plain
    turned = layout.rotated(turns, flip_horizontal=flips[0], flip_vertical=flips[1]).plane(values, layout.count // 2)
    wanted = np.rot90(plain, -turns)
    assert turned.shape == wanted.shape
    assert (turned != wanted).mean() < 0.01  # half-way between voxels rounding may decide


def test_the_coarse_layout_covers_the_same_rectangle() -> None:
    layout = made(grid(STACKS["oblique"]), turned_about(IDENTITY, (1, 2, 0), 25))
    for factor in (2, 3):
        coarse = layout.coarser(factor)
        assert coarse.size == pytest.approx(layout.size)
        assert coarse.shape == tuple(-(-n // factor) for n in layout.shape)
        for point in ((0.0, 0.0), (17.0, 5.5)):
            np.testing.assert_allclose(coarse.index_at(3, point), layout.index_at(3, point), atol=1e-9)


@pytest.mark.parametrize("turn", [(1.0,) * 9, (0.0,) * 9, (1.0,) * 8, (float("nan"),) * 9, (1.0, 0, 0, 0, float("inf"), 0, 0, 0, 1.0)])
def test_what_is_no_turn_gives_no_plane(turn: tuple[float, ...]) -> None:
    assert oblique_of(grid(np.eye(3)), turn) is None


def test_a_turn_that_drifted_from_right_angles_is_set_right() -> None:
    layout = made(grid(np.eye(3)), tuple(c + 1e-3 * n for n, c in enumerate(turned_about(IDENTITY, (1, 1, 0), 20))))
    axes = np.stack([layout.right, layout.down, layout.normal])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)


def test_d62_a_standard_plane_across_leaning_planes_lies_on_the_straight_grid() -> None:
    origins = tuple((0.0, 0.3 * 2 * n, 2.0 * n) for n in range(12))
    geometry = Geometry((12, 30, 20), (0, 0, 0), (2.0, 1.0, 1.5), plane_origins=origins)
    straight = geometry.straight()
    for plane in ("coronal", "sagittal"):
        layout, flat = straightened_of(geometry, plane), layout_of(straight, plane)
        assert (layout.axis, layout.count, layout.shape, layout.step) == (NO_AXIS, flat.count, flat.shape, flat.step)
        for index, point in ((0, (0.5, 0.5)), (3, (7.0, 4.0))):
            np.testing.assert_allclose(
                geometry.to_patient(layout.index_at(index, point)), straight.to_patient(flat.index_at(index, point)), atol=1e-9
            )
        assert layout.edge_letters(geometry) == SIDES[plane]


def test_voxels_are_as_far_apart_between_axes_as_an_ellipsoid_of_the_spacings() -> None:
    geometry = grid(STACKS["sagittal"])
    for axis in range(3):
        assert geometry.spacing_along(geometry.vector(axis)) == pytest.approx(geometry.spacing[axis])
    half = (geometry.vector(0) + geometry.vector(1)) / np.sqrt(2)
    assert geometry.spacing_along(half) == pytest.approx(1 / np.sqrt(0.5 / 2.5**2 + 0.5 / 0.8**2))
