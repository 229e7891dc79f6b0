"""Views that belong together (C12 to C14): slices that correspond, lines where planes cross, what follows what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.volume import Volume
from viewer.core.window import Window
from viewer.session.alone import Untouched
from viewer.session.linking import CrossLine, Links, crosses_of, followed, share_frame, sheet_of, slice_at, slice_spacing
from viewer.session.view import ViewState, ViewWish, resolve

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
FEET_FIRST = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
# Columns: rows run to the back, columns to the feet, planes to the right: a sagittal series.
SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0)
SHAPE = (20, 30, 40)
SPACING = (3.0, 1.5, 0.5)


def turned(degrees: float) -> tuple[float, ...]:
    """Axial, turned about the x axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (1.0, 0.0, 0.0, 0.0, float(c), float(-s), 0.0, float(s), float(c))


class One(Untouched):
    """A document of some volumes."""

    def __init__(self, *volumes: Volume) -> None:
        self._all = {v.id: v for v in volumes}

    def volume(self, volume_id: str) -> Volume:
        return self._all[volume_id]

    def current(self, root_id: str) -> Volume:
        return self._all[root_id]


def volume(
    direction: tuple[float, ...] = AXIAL, *, frame: str = "1.2", origin: tuple[float, float, float] = (-10.0, -20.0, 5.0), unit: str = "HU"
) -> Volume:
    data = np.zeros((1, *SHAPE), dtype=np.int16)
    return Volume(new_id("volume"), data, Geometry(SHAPE, origin, SPACING, direction, frame_uid=frame), "volume", unit=unit)


def shown(image: Volume, **wish: object) -> ViewState:
    return resolve(ViewWish(volume_id=image.id, **{"plane": "acquired", **wish}), One(image))  # type: ignore[arg-type]


def reference_line(here: ViewState, there: ViewState) -> CrossLine | None:
    """The line of the second view on the first."""
    lines = crosses_of(Links(), [here, there], None, 0)[0].lines
    assert len(lines) <= 1 and all(line.cell == 1 for line in lines)
    return lines[0] if lines else None


def crossing(first: ViewState, second: ViewState) -> np.ndarray:
    """Direction of the line in which two planes cross, by the corners of their pictures alone."""
    normals = []
    for state in (first, second):
        a, b, c = (np.asarray(state.position_at(p)) for p in ((0.0, 0.0), (9.0, 0.0), (0.0, 7.0)))
        normals.append(np.cross(b - a, c - a))
    line = np.cross(*normals)
    return line / np.linalg.norm(line)


@pytest.mark.parametrize("direction", [AXIAL, FEET_FIRST, SAGITTAL, CORONAL, turned(30)])
@pytest.mark.parametrize("plane", ["acquired", "axial", "coronal", "sagittal"])
@pytest.mark.parametrize("flips", [{}, {"flip_horizontal": True}, {"quarter_turns": 1}, {"flip_vertical": True, "quarter_turns": 3}])
def test_the_sheet_is_where_the_picture_is(direction: tuple[float, ...], plane: str, flips: dict[str, object]) -> None:
    state = shown(volume(direction), plane=plane, index=3, **flips)
    sheet = sheet_of(state)
    assert sheet is not None
    point = (4.25, 2.5)
    position = sheet.corner + sheet.unit * (point[0] * sheet.right + point[1] * sheet.down)
    np.testing.assert_allclose(position, state.position_at(point), atol=1e-9)
    np.testing.assert_allclose(sheet.point(state.position_at(point)), point, atol=1e-9)
    later = np.asarray(replace(state, index=5).position_at(point))
    assert sheet.distance(later) == pytest.approx(2 * slice_spacing(state))
    assert sheet.distance(later) > 0


@pytest.mark.parametrize(("plane", "kind"), [("axial", "axial"), ("coronal", "coronal"), ("sagittal", "sagittal")])
def test_c14_a_plane_is_named_after_the_axis_it_is_across(plane: str, kind: str) -> None:
    sheet = sheet_of(shown(volume(turned(20)), plane=plane))
    assert sheet is not None and sheet.kind == kind


@pytest.mark.parametrize("direction", [AXIAL, FEET_FIRST, turned(30)])
@pytest.mark.parametrize("flips", [{}, {"flip_horizontal": True}, {"quarter_turns": 1}, {"flip_vertical": True, "quarter_turns": 2}])
def test_c14_a_reference_line_lies_in_both_planes_and_ends_at_the_other_image(direction: tuple[float, ...], flips: dict[str, object]) -> None:
    image = volume(direction, origin=(5.0 if direction == FEET_FIRST else -10.0, -20.0, 20.0 if direction == FEET_FIRST else 0.0))
    other = volume(SAGITTAL, origin=(0.0, -15.0, 40.0))
    here, there = shown(image, index=8, **flips), shown(other, index=4)
    line = reference_line(here, there)
    assert line is not None and line.kind == "sagittal"
    ends = [np.asarray(here.position_at(p)) for p in (line.start, line.end)]
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    assert abs(float(along @ crossing(here, there))) == pytest.approx(1, abs=1e-9)
    for end in ends:
        x, y = there.point_of(tuple(end))
        np.testing.assert_allclose(there.position_at((x, y)), end, atol=1e-6)  # it lies on the other plane
        width, height = there.layout.size
        on_edge = min(abs(x), abs(y), abs(x - width), abs(y - height))
        assert on_edge < 1e-6  # and ends where that image ends


def test_c14_no_line_between_parallel_planes_strangers_and_planes_that_do_not_meet() -> None:
    image = volume()
    assert reference_line(shown(image), shown(image, index=2)) is None
    assert reference_line(shown(image), shown(volume(turned(4)))) is None
    assert reference_line(shown(image), shown(volume(turned(6)))) is not None
    assert reference_line(shown(image), shown(volume(SAGITTAL, frame="9.9"))) is None
    assert reference_line(shown(image), shown(volume(SAGITTAL, origin=(0.0, 0.0, 900.0)))) is None


def test_c12_places_are_shared_within_an_image_and_within_a_frame_of_reference_that_has_a_uid() -> None:
    a, b, c, d = volume(), volume(), volume(frame=""), volume(frame="")
    assert share_frame(shown(a), shown(b)) and share_frame(shown(c), shown(c, plane="coronal"))
    assert not share_frame(shown(c), shown(d))
    assert not share_frame(shown(a), shown(volume(frame="other")))


@given(st.floats(-30, 90))
def test_c12_the_slice_is_the_nearest_one_and_none_is_chosen_half_a_spacing_outside(height: float) -> None:
    state = shown(volume())
    found = slice_at(state, (0.0, 0.0, height))
    exact = (height - 5.0) / 3.0
    if exact < -0.5 or exact > 19.5:
        assert found is None
    else:
        assert found is not None and abs(found - exact) <= 0.5 + 1e-9


def test_c13_parallel_planes_follow_by_place_whatever_their_spacing_and_order() -> None:
    here = volume()
    there = replace(volume(FEET_FIRST, origin=(30.0, -20.0, 62.0)), id=new_id("volume"))
    before, after = ViewWish(volume_id=here.id, index=2), ViewWish(volume_id=here.id, index=9)
    target = ViewWish(volume_id=there.id, index=0)
    new = followed(Links(), shown(here, index=9), before, after, target, shown(there, index=0))
    # Slice 9 lies at 5 + 27 = 32 mm; there slice n lies at 62 - 3 n.
    assert new.index == 10
    off = followed(Links(scroll=False), shown(here, index=9), before, after, target, shown(there, index=0))
    assert off is target


def test_c13_planes_at_an_angle_do_not_follow() -> None:
    here, there = volume(), volume(turned(30))
    before, after = ViewWish(volume_id=here.id, index=2), ViewWish(volume_id=here.id, index=9)
    target = ViewWish(volume_id=there.id, index=0)
    assert followed(Links(), shown(here, index=9), before, after, target, shown(there, index=0)).index == 0


def test_zoom_is_linked_in_millimetres_and_panning_by_place() -> None:
    here = volume()
    there = replace(volume(), geometry=Geometry((20, 30, 40), (-10.0, -20.0, 5.0), (3.0, 3.0, 1.0), AXIAL, frame_uid="1.2"))
    before = ViewWish(volume_id=here.id)
    after = replace(before, zoom=4.0, center=(1.0, 2.0, 3.0))
    new = followed(Links(), shown(here, zoom=4.0), before, after, ViewWish(volume_id=there.id), shown(there))
    assert new.zoom == pytest.approx(8.0)  # a picture unit is 1 mm there, half a millimetre here
    assert new.center == (1.0, 2.0, 3.0)
    apart = followed(Links(zoom=False, pan=False), shown(here, zoom=4.0), before, after, ViewWish(volume_id=there.id), shown(there))
    assert (apart.zoom, apart.center) == (None, None)


@pytest.mark.parametrize(("unit", "frame", "follows"), [("HU", "elsewhere", True), ("raw", "1.2", False)])
def test_a_window_is_shared_by_what_has_the_same_scale(unit: str, frame: str, follows: bool) -> None:
    here, there = volume(), volume(unit=unit, frame=frame)
    before = ViewWish(volume_id=here.id)
    after = replace(before, window=Window(40, 400), window_unit="HU")
    new = followed(Links(), shown(here), before, after, ViewWish(volume_id=there.id), shown(there))
    assert (new.window == Window(40, 400)) is follows


def test_the_crosshair_is_drawn_where_its_place_is_and_tells_whether_it_lies_on_the_slice() -> None:
    image = volume()
    states = [shown(image, index=4), shown(image, plane="coronal")]
    place = states[0].position_at((10.0, 20.0))
    cross = crosses_of(Links(), states, place, 0)[0]
    assert cross.at == pytest.approx((10.0, 20.0)) and cross.is_near
    assert [line.cell for line in cross.lines] == [1]
    away = crosses_of(Links(), [replace(states[0], index=6), states[1]], place, 1)[0]
    assert not away.is_near
    assert crosses_of(Links(lines=False), states, place, 0)[0].at is None


@pytest.mark.parametrize(
    ("here", "there", "follows"),
    [
        (("TE 10 ms", "TE 20 ms"), ("TE 9.5 ms", "TE 30 ms"), True),
        ((), ("t 0 s", "t 4 s"), True),
        (("TE 10 ms", "TE 20 ms"), ("b 0 s/mm²", "b 800 s/mm²"), False),
    ],
)
def test_phases_are_linked_where_they_are_of_one_kind(here: tuple[str, ...], there: tuple[str, ...], follows: bool) -> None:
    images = [replace(volume(), data=np.zeros((2, *SHAPE), np.int16), phase_labels=labels) for labels in (here, there)]
    source, target = (shown(image) for image in images)
    before, wish = (ViewWish(volume_id=image.id) for image in images)
    assert (followed(Links(), source, before, replace(before, phase=1), wish, target).phase == 1) is follows


@pytest.mark.parametrize("unknown", ["in_plane_known", "between_known"])
def test_c12_without_a_spacing_places_are_not_shared(unknown: str) -> None:
    known, other = volume(), volume()
    other = replace(other, geometry=replace(other.geometry, **{unknown: False}))
    assert not share_frame(shown(known), shown(other)) and share_frame(shown(known), shown(replace(known, id="again", root_id="again")))
    assert share_frame(shown(other), shown(other))


@pytest.mark.parametrize("turns", [0, 1])
def test_d47_the_crosshair_lies_where_it_was_put_also_where_pixels_are_not_square_and_of_unknown_size(turns: int) -> None:
    image = volume()
    geometry = Geometry(SHAPE, is_patient=False, in_plane_known=False, between_known=False)
    state = shown(replace(image, geometry=geometry, pixel_aspect=2.0), quarter_turns=turns)
    (cross,) = crosses_of(Links(), [state], state.position_at((12.0, 21.0)), 0)
    assert cross.at == pytest.approx((12.0, 21.0))
