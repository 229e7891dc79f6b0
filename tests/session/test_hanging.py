"""Hanging (C07 to C09): radiological unless somebody asks otherwise, acquired pictures to the standard in one go, letters by the view."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from viewer.core.geometry import Geometry
from viewer.core.volume import Identity, Volume
from viewer.session.document import Document
from viewer.session.hanging import to_standard
from viewer.session.view import ViewState, ViewWish, resolve

# Standard hangings (C07): letters at the left, top, right and bottom edge.
AXIAL, SAGITTAL, CORONAL = ("R", "A", "L", "P"), ("A", "H", "P", "F"), ("R", "H", "L", "F")
SIDES = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}


def document_of(geometry: Geometry) -> Document:
    document = Document()
    data = np.zeros((1, *geometry.shape), np.int16)
    document.add_source(Volume("root", data, geometry, unit="HU", identity=Identity(series_uid="1.2")))
    return document


def stored(right: str, down: str) -> Geometry:
    """A stack whose rows run towards one side of the patient and its columns towards another."""
    rows, columns = np.array(SIDES[right]), np.array(SIDES[down])
    normal = np.cross(rows, columns)
    return Geometry((3, 6, 9), (0, 0, 0), (2.0, 0.5, 0.7), tuple(float(v) for v in np.stack([rows, columns, normal], axis=1).ravel()))


def letters(state: ViewState) -> tuple[str, str, str, str]:
    return state.layout.edge_letters(state.geometry)


def standard_of(right: str, down: str) -> tuple[str, str, str, str]:
    across = {"L": "LR", "R": "LR", "A": "AP", "P": "AP", "H": "HF", "F": "HF"}
    seen = {across[right], across[down]}
    return AXIAL if seen == {"LR", "AP"} else CORONAL if seen == {"LR", "HF"} else SAGITTAL


STORED = [(r, d) for r, d in product(SIDES, SIDES) if not np.dot(SIDES[r], SIDES[d])]


@pytest.mark.parametrize(("right", "down"), STORED)
@pytest.mark.parametrize("wish", [ViewWish("root"), ViewWish("root", quarter_turns=1, flip_vertical=True)])
def test_c08_one_click_hangs_any_acquired_picture_as_its_standard_plane(right: str, down: str, wish: ViewWish) -> None:
    document = document_of(stored(right, down))
    before = resolve(wish, document)
    after = resolve(to_standard(wish, before), document)
    assert letters(after) == standard_of(right, down)
    assert (after.plane, after.index, after.layout.axis) == (before.plane, before.index, before.layout.axis)
    assert to_standard(to_standard(wish, before), after) == to_standard(wish, before)  # a second click changes nothing


def test_c08_without_a_patient_nothing_is_turned() -> None:
    document = document_of(Geometry((3, 6, 9), is_patient=False))
    wish = ViewWish("root", quarter_turns=3)
    assert to_standard(wish, resolve(wish, document)) is wish


@pytest.mark.parametrize("plane", ["acquired", "axial", "coronal"])
def test_c07_neurological_has_the_left_on_the_left_and_says_so(plane: str) -> None:
    document = document_of(stored("L", "P"))
    wish = ViewWish("root", plane=plane, index=1)  # type: ignore[arg-type]
    usual = resolve(wish, document)
    assert letters(usual)[2] == "L" and "NEURO" not in usual.badges
    other = resolve(replace(wish, is_neurological=True), document)
    assert letters(other)[0] == "L" and "NEURO" in other.badges
    assert letters(other)[1] == letters(usual)[1]
    # The same place lies at the mirrored point of the picture.
    place = usual.position_at((1.0, 2.0))
    x, y = other.point_of(place)
    assert (x, y) == pytest.approx((usual.layout.size[0] - 1.0, 2.0))


def test_c07_neurological_leaves_sagittal_planes_and_pictures_that_hang_so_already() -> None:
    document = document_of(stored("R", "P"))
    wish = ViewWish("root", plane="acquired")
    assert letters(resolve(replace(wish, is_neurological=True), document)) == letters(resolve(wish, document))
    side = ViewWish("root", plane="sagittal", is_neurological=True)
    assert letters(resolve(side, document)) == SAGITTAL
    assert "NEURO" in resolve(side, document).badges


def test_c07_to_the_standard_is_to_the_one_that_is_asked_for() -> None:
    document = document_of(stored("A", "F"))
    document_axial = document_of(stored("A", "L"))
    wish = ViewWish("root", is_neurological=True)
    state = resolve(to_standard(wish, resolve(wish, document_axial)), document_axial)
    assert letters(state) == ("L", "A", "R", "P")
    assert letters(resolve(to_standard(wish, resolve(wish, document)), document)) == SAGITTAL
