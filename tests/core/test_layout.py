from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.geometry import Geometry
from viewer.core.layout import Layout2D, layout_of, place

SHAPE, SPACING, ORIGIN = (3, 4, 5), (3.0, 0.7, 0.5), (11.0, -22.0, 33.0)
PLANES = ("axial", "coronal", "sagittal")
# Which way the patient axes run on the screen (C07): right, down, and the slice number.
HANDS = {
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
}
LETTERS = {"axial": ("R", "A", "L", "P"), "coronal": ("R", "H", "L", "F"), "sagittal": ("A", "H", "P", "F")}


def directions() -> list[tuple[float, ...]]:
    """The 48 ways in which a box can lie along the patient's axes, left-handed ones included."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[order, range(3)] = signs
            found.append(tuple(matrix.ravel().tolist()))
    return found


def tilted(direction: tuple[float, ...]) -> Geometry:
    a, b = np.radians(12), np.radians(9)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn = about_z @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return Geometry(SHAPE, ORIGIN, SPACING, tuple((turn @ np.reshape(direction, (3, 3))).ravel().tolist()))


@pytest.mark.parametrize("direction", directions())
def test_reformats_show_what_simpleitk_puts_into_patient_order(direction: tuple[float, ...]) -> None:
    values = np.random.default_rng(3).integers(0, 1000, SHAPE).astype(np.int16)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(SPACING[::-1])
    image.SetOrigin(ORIGIN)
    geometry = Geometry(SHAPE, ORIGIN, SPACING, direction)
    if np.linalg.det(np.reshape(direction, (3, 3))) > 0:
        image.SetDirection(direction)
        patient = sitk.GetArrayFromImage(sitk.DICOMOrient(image, "LPS"))
    else:
        # SimpleITK takes right-handed grids alone: mirror the columns, and turn that axis round.
        mirrored = np.reshape(direction, (3, 3)) * np.array([-1, 1, 1])
        image = sitk.GetImageFromArray(values[:, :, ::-1])
        image.SetDirection(mirrored.ravel().tolist())
        patient = sitk.GetArrayFromImage(sitk.DICOMOrient(image, "LPS"))
    expected = {
        "axial": [patient[k] for k in range(patient.shape[0])],
        "coronal": [patient[::-1, j] for j in range(patient.shape[1])],
        "sagittal": [patient[::-1, :, i] for i in range(patient.shape[2])],
    }
    for plane in PLANES:
        layout = layout_of(geometry, plane)  # type: ignore[arg-type]
        assert layout.count == len(expected[plane])
        for index, picture in enumerate(expected[plane]):
            shown = layout.plane(values, index)
            assert np.array_equal(shown, picture)
            assert np.shares_memory(shown, values)


@pytest.mark.parametrize("direction", directions())
def test_the_place_under_a_screen_point_is_that_of_the_geometry(direction: tuple[float, ...]) -> None:
    geometry = tilted(direction)
    values = np.arange(60).reshape(SHAPE)
    for plane in ("acquired", *PLANES):
        base = layout_of(geometry, plane)  # type: ignore[arg-type]
        for layout in (base, base.rotated(1), base.rotated(2, flip_horizontal=True), base.rotated(3, flip_vertical=True)):
            index = layout.count - 1
            picture = layout.plane(values, index)
            for row, column in ((0, 0), (picture.shape[0] - 1, 1), (1, picture.shape[1] - 1)):
                point = ((column + 0.5) * layout.step[1], (row + 0.5) * layout.step[0])
                found = layout.index_at(index, point)
                whole = tuple(round(i) for i in found)
                assert found == pytest.approx(whole, abs=1e-9)
                assert values[whole] == picture[row, column]
                assert layout.point_at(found) == pytest.approx(point)
                back = geometry.to_index(geometry.to_patient(found))
                assert layout.point_at(tuple(back)) == pytest.approx(point)


@pytest.mark.parametrize("direction", directions())
@pytest.mark.parametrize("plane", PLANES)
def test_reformats_have_the_radiological_hand_and_letters(direction: tuple[float, ...], plane: Any) -> None:
    geometry = tilted(direction)
    layout = layout_of(geometry, plane)
    here = geometry.to_patient(layout.index_at(0, (0.5, 0.5)))
    ways = (
        geometry.to_patient(layout.index_at(0, (1.5, 0.5))) - here,
        geometry.to_patient(layout.index_at(0, (0.5, 1.5))) - here,
        geometry.to_patient(layout.index_at(1, (0.5, 0.5))) - here,
    )
    for way, hand in zip(ways, HANDS[plane], strict=True):
        assert way @ np.array(hand) > 0.9 * np.linalg.norm(way)
    assert tuple(letters[0] for letters in layout.edge_letters(geometry)) == LETTERS[plane]


def test_acquired_is_as_stored_and_says_where_it_is() -> None:
    geometry = Geometry(SHAPE, ORIGIN, SPACING, (-1, 0, 0, 0, -1, 0, 0, 0, 1))  # as NIfTI files lie
    values = np.arange(60).reshape(SHAPE)
    layout = layout_of(geometry)
    assert np.array_equal(layout.plane(values, 1), values[1])
    assert layout.edge_letters(geometry) == ("L", "P", "R", "A")


def test_turns_and_mirrors_are_those_of_numpy_and_the_letters_go_along() -> None:
    geometry = Geometry(SHAPE, ORIGIN, SPACING)
    values = np.arange(60).reshape(SHAPE)
    base = layout_of(geometry)
    for quarters in range(-1, 5):
        for horizontal, vertical in itertools.product((False, True), repeat=2):
            layout = base.rotated(quarters, flip_horizontal=horizontal, flip_vertical=vertical)
            picture = values[2][:: -1 if vertical else 1, :: -1 if horizontal else 1]
            assert np.array_equal(layout.plane(values, 2), np.rot90(picture, -quarters))
            sides = [("R", "L")[horizontal], ("A", "P")[vertical], ("L", "R")[horizontal], ("P", "A")[vertical]]  # left, top, right, bottom
            turned = sides[-quarters % 4 :] + sides[: -quarters % 4]
            assert list(layout.edge_letters(geometry)) == turned


def test_pixels_are_square_in_millimetres() -> None:
    layout = layout_of(Geometry(SHAPE, spacing=SPACING), "coronal")
    assert layout.size == pytest.approx((5, 3 * 3.0 / 0.5))
    assert layout.unit_length == 0.5
    unknown = Geometry((1, 10, 20), in_plane_known=False, is_patient=False)
    assert layout_of(unknown, pixel_aspect=2.0).size == (20, 20)
    assert layout_of(unknown, pixel_aspect=0.5).size == (40, 10)


@pytest.mark.parametrize("zoom", [0.37, 1.0, 2.5, 17.0])
def test_a_pixel_reaches_half_a_step_beyond_its_centre_at_every_zoom(zoom: float) -> None:
    layout = layout_of(Geometry((1, 8, 8)))
    placement = place(layout.size, (100.0, 90.0), zoom=zoom)
    left, top = placement.to_viewport((0.0, 0.0))
    for inside, expected in ((0.001, 0), (0.5, 0), (0.999, 0), (1.001, 1)):
        point = placement.to_picture((left + inside * zoom, top + inside * zoom))
        found = layout.index_at(0, point)
        assert [int(np.floor(i + 0.5)) for i in found] == [0, expected, expected]
    assert layout.index_at(0, (0.0, 0.0))[1:] == (-0.5, -0.5)
    assert layout.index_at(0, layout.size)[1:] == (7.5, 7.5)


def test_letters_of_images_without_a_patient_are_the_files_own_or_none() -> None:
    geometry = Geometry((1, 4, 4), is_patient=False)
    layout = layout_of(geometry)
    assert layout.edge_letters(geometry) == ("", "", "", "")
    assert layout.edge_letters(geometry, ("L", "F")) == ("R", "H", "L", "F")
    assert layout.rotated(flip_horizontal=True).edge_letters(geometry, ("AL", "F")) == ("AL", "H", "PR", "F")
    assert layout.edge_letters(geometry, ("CD", "V")) == ("", "", "", "")  # an animal's


def test_oblique_letters_leave_out_what_is_small() -> None:
    angle = np.radians(30)
    direction = (np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1)
    geometry = Geometry(SHAPE, direction=tuple(float(c) for c in direction))
    assert layout_of(geometry).edge_letters(geometry)[2] == "LP"


def test_without_a_patient_planes_are_the_arrays_own() -> None:
    geometry = Geometry(SHAPE, is_patient=False)
    values = np.arange(60).reshape(SHAPE)
    assert np.array_equal(layout_of(geometry, "axial").plane(values, 1), values[1])
    assert np.array_equal(layout_of(geometry, "coronal").plane(values, 1), values[:, 1])
    assert np.array_equal(layout_of(geometry, "sagittal").plane(values, 1), values[:, :, 1])


def test_layouts_are_values() -> None:
    assert layout_of(Geometry(SHAPE)) == layout_of(Geometry(SHAPE))
    assert isinstance(layout_of(Geometry(SHAPE)).rotated(1), Layout2D)
