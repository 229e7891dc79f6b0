"""The views of the window as a whole: arranging them, showing images in them, what follows when one changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.session.test_linking import AXIAL, FEET_FIRST, SPACING, One, volume
from viewer.core.geometry import Geometry
from viewer.session.desk import ARRANGEMENTS, Desk, Look
from viewer.session.hand import reset
from viewer.session.linking import Links, sheet_of
from viewer.session.view import ViewState, ViewWish, resolve


def look_at(*images: object) -> Look:
    document = One(*images)  # type: ignore[arg-type]

    def look(wish: ViewWish) -> ViewState:
        return resolve(wish, document)

    return look


@pytest.mark.parametrize("arrangement", ARRANGEMENTS.values(), ids=lambda a: a.name)
def test_cells_cover_their_grid_once(arrangement: object) -> None:
    cells = arrangement.cells  # type: ignore[attr-defined]
    taken = [(r, c) for cell in cells for r in range(cell.row, cell.row + cell.rows) for c in range(cell.column, cell.column + cell.columns)]
    rows, columns = (max(place[n] for place in taken) + 1 for n in (0, 1))
    assert sorted(taken) == [(r, c) for r in range(rows) for c in range(columns)]


def test_views_keep_what_they_show_and_the_active_one_stays() -> None:
    a, b = volume(), volume()
    look, desk = look_at(a, b), Desk()
    desk.arrange("1x2", look)
    desk.show(0, ViewWish(volume_id=a.id), look)
    desk.activate(1)
    desk.show(1, ViewWish(volume_id=b.id), look)
    desk.arrange("2x2", look)
    assert [w.volume_id for w in desk.wishes] == [a.id, b.id, "", ""] and desk.active == 1
    desk.arrange("1x1", look)
    assert desk.wish.volume_id == b.id


def test_the_active_view_stays_in_its_place_among_views_that_show_the_same() -> None:
    image = volume()
    look, desk = look_at(image), Desk()
    desk.arrange("2x2", look)
    for cell in (1, 3):
        desk.show(cell, ViewWish(volume_id=image.id), look)
    desk.activate(3)
    desk.arrange("2x3", look)
    assert desk.active == 3
    desk.arrange("1x2", look)  # it comes first where its place is gone, and no other is lost for it
    assert [w.volume_id for w in desk.wishes] == [image.id, ""] and desk.active == 0


def test_planes_show_one_image_at_the_crosshair_and_give_back_the_plane_that_was_there() -> None:
    image = volume()
    look, desk = look_at(image), Desk()
    desk.show(0, ViewWish(volume_id=image.id, index=7), look)
    desk.arrange("mpr", look)
    states = [look(w) for w in desk.wishes]
    assert [s.plane for s in states] == ["axial", "sagittal", "coronal"]
    place = states[0].position_at((12.0, 20.0))
    assert desk.point(0, place, look) == {1, 2}  # the first is there already
    for state in (look(w) for w in desk.wishes):
        index = np.asarray(image.geometry.to_index(place))
        assert abs(state.array_index - index[state.layout.axis]) <= 0.5
    desk.arrange("1x1", look)
    assert desk.wish.plane is None and look(desk.wish).index == states[0].index


def test_another_image_takes_all_planes() -> None:
    a, b = volume(), volume()
    look, desk = look_at(a, b), Desk()
    desk.show(0, ViewWish(volume_id=a.id), look)
    desk.arrange("mpr", look)
    desk.activate(2)
    assert desk.show(2, ViewWish(volume_id=b.id), look) == {0, 1, 2}
    assert {w.volume_id for w in desk.wishes} == {b.id} and [w.plane for w in desk.wishes] == ["axial", "sagittal", "coronal"]


@pytest.mark.parametrize("degrees", [15.0, -40.0, 90.0])
def test_turning_the_lines_turns_the_other_planes_about_the_crosshair(degrees: float) -> None:
    image = volume()
    look, desk = look_at(image), Desk()
    desk.show(0, ViewWish(volume_id=image.id), look)
    desk.arrange("mpr", look)
    place = desk.cursor
    assert place is not None
    before = [sheet_of(look(w)) for w in desk.wishes]
    assert desk.turn(0, np.radians(degrees), look) == {1, 2}
    after = [sheet_of(look(w)) for w in desk.wishes]
    np.testing.assert_allclose(after[0].normal, before[0].normal)
    for old, new in zip(before[1:], after[1:], strict=True):
        angle = np.degrees(np.arccos(np.clip(abs(float(old.normal @ new.normal)), 0, 1)))
        assert angle == pytest.approx(min(abs(degrees), 180 - abs(degrees)), abs=1e-6)
        assert abs(new.distance(place)) <= 0.5 * max(SPACING)
    # What pointed to the right in the first view points down after 90 degrees clockwise: x to y.
    if degrees == 90.0:
        np.testing.assert_allclose(np.abs(after[2].right), [0, 1, 0], atol=1e-9)
    assert abs(float(after[1].normal @ after[2].normal)) < 1e-9
    desk.straighten(look)
    for old, new in zip(before, (sheet_of(look(w)) for w in desk.wishes), strict=True):
        np.testing.assert_allclose(new.normal, old.normal)


def test_by_offset_what_is_shown_now_belongs_together_also_without_a_common_frame() -> None:
    here = volume(frame="a")
    there = replace(volume(FEET_FIRST, frame="b"), geometry=Geometry((20, 30, 40), (0.0, 0.0, 0.0), (1.5, 1.5, 0.5), AXIAL, frame_uid="b"))
    look, desk = look_at(here, there), Desk()
    desk.arrange("1x2", look)
    desk.show(0, ViewWish(volume_id=here.id, index=5), look)
    desk.show(1, ViewWish(volume_id=there.id, index=3), look)
    desk.ask(0, replace(desk.wishes[0], index=6), look)
    assert desk.wishes[1].index == 3  # no frame in common: nothing follows unasked
    states = [look(w) for w in desk.wishes]
    assert not desk.is_linked_by_hand(1, states)
    desk.set_links(Links(by_offset=True), look)
    assert desk.is_linked_by_hand(1, states)
    desk.ask(0, replace(desk.wishes[0], index=8), look)
    assert desk.wishes[1].index == 7  # two slices of 3 mm are four of 1.5 mm
    desk.ask(0, replace(desk.wishes[0], index=0), look)
    assert desk.wishes[1].index == 0  # not beyond the end
    desk.ask(0, replace(desk.wishes[0], index=6), look)
    assert desk.wishes[1].index == 3  # and back where it was


def test_a_view_in_a_window_of_its_own_is_one_more_and_closing_it_leaves_the_others() -> None:
    image = volume()
    look, desk = look_at(image), Desk()
    desk.show(0, ViewWish(volume_id=image.id, index=4), look)
    number = desk.add_outside(0)
    assert number == 1 and desk.wishes[1].volume_id == image.id
    desk.activate(1)
    desk.arrange("1x2", look)
    assert list(desk.outside) == [2] and desk.wishes[2].volume_id == image.id
    desk.remove_outside(2)
    assert len(desk.wishes) == 2 and desk.active in (0, 1)


def test_reset_of_a_turned_plane_stays_at_its_place() -> None:
    image = volume()
    look, desk = look_at(image), Desk()
    desk.show(0, ViewWish(volume_id=image.id), look)
    desk.arrange("mpr", look)
    place = look(desk.wishes[0]).position_at((30.0, 60.0))
    desk.point(0, place, look)
    desk.turn(0, 0.4, look)
    state = look(reset(desk.wishes[1]))
    assert state.layout.axis == image.geometry.axis_of("sagittal")
    assert abs(state.array_index - image.geometry.to_index(place)[state.layout.axis]) <= 0.5


def test_c12_the_crosshair_goes_with_the_frame_of_reference_that_it_was_set_in() -> None:
    a, b = volume(frame="a"), volume(frame="b")
    look, desk = look_at(a, b), Desk()
    desk.arrange("1x2", look)
    for cell in (0, 1):
        desk.show(cell, ViewWish(volume_id=a.id), look)
    place = look(desk.wishes[0]).position_at((5.0, 6.0))
    desk.point(0, place, look)
    desk.show(0, ViewWish(volume_id=b.id), look)  # a place of the first image means nothing in this one
    crosses = desk.crosses([look(w) for w in desk.wishes])
    assert crosses[0].at is None and crosses[1].at == pytest.approx((5.0, 6.0))
    desk.show(1, ViewWish(volume_id=b.id), look)
    assert desk.cursor is None


@pytest.mark.parametrize("arrangement", ["1x1", "mpr"])
def test_c12_views_that_are_arranged_anew_show_no_crosshair_of_another_frame(arrangement: str) -> None:
    a, b = volume(frame="a"), volume(frame="b")
    look, desk = look_at(a, b), Desk()
    desk.arrange("1x2", look)
    desk.show(0, ViewWish(volume_id=a.id), look)
    desk.show(1, ViewWish(volume_id=b.id), look)
    desk.activate(1)
    place = look(desk.wishes[0]).position_at((5.0, 6.0))
    desk.point(0, place, look)
    desk.arrange(arrangement, look)
    assert {w.volume_id for w in desk.wishes} == {b.id} and desk.cursor != place


def test_closing_a_view_leaves_the_crosshair_to_the_view_that_it_was_set_in() -> None:
    a, b = volume(frame="a"), volume(frame="b")
    look, desk = look_at(a, b), Desk()
    desk.show(0, ViewWish(volume_id=a.id), look)
    for _n in range(2):
        desk.add_outside(0)
    desk.show(2, ViewWish(volume_id=b.id), look)
    desk.point(2, look(desk.wishes[2]).position_at((5.0, 6.0)), look)
    desk.remove_outside(1)
    assert [cross.at for cross in desk.crosses([look(w) for w in desk.wishes])] == [None, pytest.approx((5.0, 6.0))]
    desk.remove_outside(1)
    assert desk.cursor is None


def test_views_linked_by_offset_stay_so_when_arranged_anew_and_when_another_image_comes() -> None:
    a, b, c = volume(frame="a"), volume(frame="b"), volume(frame="c")
    look, desk = look_at(a, b, c), Desk()
    desk.arrange("1x2", look)
    desk.show(0, ViewWish(volume_id=a.id, index=5), look)
    desk.show(1, ViewWish(volume_id=b.id, index=9), look)
    desk.set_links(Links(by_offset=True), look)
    desk.arrange("2x2", look)
    desk.ask(0, replace(desk.wishes[0], index=7), look)
    assert desk.wishes[1].index == 11
    desk.show(1, ViewWish(volume_id=c.id, index=2), look)
    desk.ask(0, replace(desk.wishes[0], index=8), look)
    assert desk.wishes[1].index == 3


def test_by_offset_stacks_that_are_counted_from_opposite_ends_go_the_same_way_through_the_patient() -> None:
    here, there = volume(frame="a"), volume(frame="b")
    there = replace(there, geometry=there.geometry.flipped(0))
    look, desk = look_at(here, there), Desk()
    desk.arrange("1x2", look)
    desk.show(0, ViewWish(volume_id=here.id, plane="acquired", index=5), look)
    desk.show(1, ViewWish(volume_id=there.id, plane="acquired", index=9), look)
    desk.set_links(Links(by_offset=True), look)
    heights = [look(w).position_at((1.0, 1.0))[2] for w in desk.wishes]
    desk.ask(0, replace(desk.wishes[0], index=7), look)
    np.testing.assert_allclose([look(w).position_at((1.0, 1.0))[2] for w in desk.wishes], np.add(heights, 2 * SPACING[0]))


def test_turning_the_lines_does_not_turn_round_how_slices_are_counted() -> None:
    image = volume()
    look, desk = look_at(image), Desk()
    desk.show(0, ViewWish(volume_id=image.id), look)
    desk.arrange("mpr", look)
    before = [sheet_of(look(w)) for w in desk.wishes]
    desk.turn(0, 0.02, look)
    for old, new in zip(before, (sheet_of(look(w)) for w in desk.wishes), strict=True):
        assert old is not None and new is not None and float(old.normal @ new.normal) > 0.99


def test_an_image_without_planes_is_shown_once_in_a_layout_of_planes_that_is_chosen_while_it_is_in_view() -> None:
    image = volume()
    single = replace(image, data=image.data[:, :1], geometry=image.geometry.cropped((0, 0, 0), (1, *image.geometry.shape[1:])))
    look, desk = look_at(single), Desk()
    desk.show(0, ViewWish(volume_id=single.id), look)
    desk.arrange("mpr", look)
    assert [w.volume_id for w in desk.wishes] == [single.id, "", ""] and desk.wish.plane is None
    assert "only one plane" in desk.reason
    desk.arrange("1x1", look)
    assert desk.reason == "" and desk.wish.volume_id == single.id


def test_an_image_that_came_whole_under_another_id_goes_back_to_the_plane_before_mpr() -> None:
    arriving = volume()
    whole = replace(arriving, id="whole")
    look, desk = look_at(arriving, whole), Desk()
    desk.show(0, ViewWish(volume_id=arriving.id, plane="coronal"), look)
    desk.arrange("mpr", look)
    assert desk.exchange(arriving.id, "whole") == {0, 1, 2}
    desk.arrange("1x1", look)
    assert (desk.wish.volume_id, desk.wish.plane) == ("whole", "coronal")
