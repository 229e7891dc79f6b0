"""What a wish for a turned plane, a slab or a plane across leaning planes resolves to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from viewer.core.annotation import Annotation
from viewer.core.errors import BadParameter
from viewer.core.geometry import Geometry
from viewer.core.layout import NO_AXIS
from viewer.core.oblique import turn_of, turned_about
from viewer.core.slab import Slab, parse_slab
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.session import hand
from viewer.session.document import Document
from viewer.session.history import ItemChange
from viewer.session.view import ViewWish, resolve, why_no_mpr

SHAPE = (12, 40, 50)
GEOMETRY = Geometry(SHAPE, (11, -22, 33), (3.0, 0.7, 0.5))
TURN = turned_about(turn_of(GEOMETRY, "axial"), (1, 0, 0), 30)
MIP = Slab("mip", 9.0)


def made(geometry: Geometry = GEOMETRY, **facts: Any) -> Volume:
    shape = (1, *geometry.shape, 3) if facts.get("is_color") else (1, *geometry.shape)
    data = np.random.default_rng(0).integers(0, 200, shape).astype(np.uint8 if facts.get("is_color") else np.int16)
    return Volume("root", data, geometry, **{"unit": "HU", "identity": Identity(series_uid="1.2", modality="CT"), **facts})


def opened(volume: Volume | None = None, *items: tuple[str, Any]) -> Document:
    document = Document()
    document.add_source(volume or made())
    changes: Any = tuple(ItemChange(kind, item.id, None, item) for kind, item in items)  # type: ignore[arg-type]
    if changes:
        document.commit(document.step("Add", changes))
    return document


def leaning(heights: list[float] | None = None) -> Geometry:
    heights = heights or [2.0 * n for n in range(15)]
    origins = tuple((0.0, 0.25 * h, h) for h in heights)
    even = len(set(np.diff(heights))) == 1
    spacing = (float(np.median(np.diff(heights))), 1.0, 1.0)
    return Geometry((len(heights), 30, 20), origins[0], spacing, between_known=even, plane_origins=origins)


def test_a_turn_shows_an_oblique_plane_through_the_place() -> None:
    place = (20.0, -10.0, 45.0)
    state = resolve(ViewWish("root", plane="axial", turn=TURN, place=place), opened())
    assert state.is_oblique
    assert state.layout.axis == NO_AXIS
    assert state.slice_at(place) == pytest.approx(state.index, abs=1e-6)
    # The distance of the place from the painted plane, by the normal that the turn says.
    normal = np.asarray(TURN).reshape(3, 3)[:, 2]
    assert float((np.asarray(place) - np.asarray(state.cut.origin)) @ normal) == pytest.approx(0, abs=1e-9)
    assert state.point_of(place) == pytest.approx(state.point_of(state.position_at(state.point_of(place))), abs=1e-6)
    further = resolve(hand.scrolled(ViewWish("root", plane="axial", turn=TURN, place=place), state, 2), opened())
    moved = (np.asarray(further.cut.origin) - np.asarray(state.cut.origin)) @ normal
    assert moved == pytest.approx(2 * GEOMETRY.spacing_along(normal))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_standard_plane_without_a_number_goes_through_the_place(plane: Any) -> None:
    place = (20.0, -10.0, 45.0)
    state = resolve(ViewWish("root", plane=plane, place=place), opened())
    world = {"axial": 2, "coronal": 1, "sagittal": 0}[plane]
    spacing, origin = GEOMETRY.spacing[2 - world], GEOMETRY.origin[world]
    assert state.index == int(np.floor((place[world] - origin) / spacing + 0.5))
    assert resolve(ViewWish("root", plane=plane, index=2, place=place), opened()).index == 2


@pytest.mark.parametrize(
    "wish",
    [
        ViewWish("root", turn=(1.0,) * 9),
        ViewWish("root", turn=(float("nan"),) * 9),
        ViewWish("root", turn=(1.0, 2.0)),
        ViewWish("root", turn=TURN, place=(float("nan"), 0, 0)),
        ViewWish("root", turn=TURN, place=(1e9, -1e9, 1e9)),
        ViewWish("root", turn=TURN, index=10**9),
        ViewWish("root", turn=TURN, index=-5, quarter_turns=7, flip_horizontal=True),
        ViewWish("root", place=(1e9, 0, 0)),
        ViewWish("root", slab=Slab("mip", float("nan"))),
        ViewWish("root", slab=Slab("mip", -3)),
        ViewWish("root", slab=Slab("median", 5)),  # type: ignore[arg-type]
        ViewWish("root", turn=TURN, slab=Slab("mean", 1e-9)),
    ],
)
def test_a_senseless_wish_gives_a_state_that_can_be_painted(wish: ViewWish) -> None:
    state = resolve(wish, opened())
    assert state.volume is not None
    assert 0 <= state.index < state.count
    assert np.isfinite(state.cut.origin).all()


NO_SPACING = replace(GEOMETRY, in_plane_known=False, spacing=(3.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        (made(), ""),
        (made(leaning([0, 2, 5, 7, 12])), ""),
        (made(replace(GEOMETRY, is_patient=False)), ""),
        (made(is_color=True), "colour"),
        (made(Geometry((1, 20, 20))), "only one plane"),
        (made(replace(GEOMETRY, between_known=False)), "where its planes lie"),
        (made(NO_SPACING), "no pixel spacing"),
    ],
)
def test_d57_what_cannot_be_cut_says_why_and_shows_the_plane_instead(volume: Volume, said: str) -> None:
    why = why_no_mpr(volume)
    assert said in why
    assert bool(why) == bool(said)
    assert why == "" or why.endswith(".")
    state = resolve(ViewWish("root", turn=TURN, slab=MIP), opened(volume))
    assert state.is_oblique is (said == "")
    assert (state.slab is None) is (said != "")


def test_a_slab_is_named_on_the_image() -> None:
    for slab, badge in ((Slab("mip", 20), "MIP 20 mm"), (Slab("minip", 7.5), "MinIP 7.5 mm"), (Slab("mean", 3), "MEAN 3 mm")):
        for turn in (None, TURN):
            assert badge in resolve(ViewWish("root", turn=turn, slab=slab), opened()).badges
    assert resolve(ViewWish("root"), opened()).badges == ()
    assert resolve(ViewWish("root", turn=TURN), opened()).badges == ()


def test_d59_d62_what_lies_across_leaning_planes_is_on_the_straight_grid_and_says_so() -> None:
    document = opened(made(leaning(), badges=("TILT",)))
    acquired = resolve(ViewWish("root", plane="axial"), document)
    assert (acquired.layout.axis, acquired.badges) == (0, ("TILT",))
    for wish in (ViewWish("root", plane="coronal"), ViewWish("root", plane="sagittal"), ViewWish("root", turn=TURN)):
        state = resolve(wish, document)
        assert state.is_oblique
        assert set(state.badges) == {"TILT", "RESAMPLED"}
    thick = resolve(ViewWish("root", plane="axial", slab=MIP), document)  # planes that lean are shifted against each other
    assert thick.is_oblique
    assert "RESAMPLED" in thick.badges
    assert resolve(ViewWish("root", plane="coronal"), document).count == leaning().straight().shape[1]


def test_nothing_is_drawn_on_or_computed_from_what_is_no_plane_of_voxels() -> None:
    document = opened()
    assert resolve(ViewWish("root", plane="coronal"), document).why_no_slice == ""
    assert "turned" in resolve(ViewWish("root", turn=TURN), document).why_no_slice
    assert "slab" in resolve(ViewWish("root", slab=MIP), document).why_no_slice
    assert "resampled" in resolve(ViewWish("root", plane="coronal"), opened(made(leaning()))).why_no_slice


def test_no_lines_of_other_planes_but_points_that_lie_on_it() -> None:
    place = (20.0, -10.0, 45.0)
    far = tuple(np.asarray(place) + 5 * np.asarray(TURN).reshape(3, 3)[:, 2])
    point = Annotation("p", "point", "root", (place,), 0)
    away = Annotation("q", "point", "root", (far,), 0)
    line = Annotation("l", "distance", "root", (place, (22.0, -10.0, 45.0)), 0)
    document = opened(None, ("annotation", point), ("annotation", away), ("annotation", line))
    assert [a.id for a in resolve(ViewWish("root", turn=TURN, place=place), document).annotations] == ["p"]


def test_equal_pictures_have_equal_keys_and_others_have_not() -> None:
    document = opened()
    wishes = [
        ViewWish("root"), ViewWish("root", turn=TURN), ViewWish("root", turn=turned_about(TURN, (0, 1, 0), 1)), ViewWish("root", slab=MIP),
        ViewWish("root", slab=Slab("minip", 9.0)), ViewWish("root", slab=Slab("mip", 12.0)), ViewWish("root", turn=TURN, slab=MIP),
        ViewWish("root", turn=TURN, place=(20.0, -10.0, 45.3)), ViewWish("root", turn=TURN, index=3),
    ]  # fmt: skip
    keys = [resolve(wish, document).picture_key for wish in wishes]
    assert len(set(map(str, keys))) == len(keys)
    assert [resolve(wish, document).picture_key for wish in wishes] == keys


def test_a_standard_plane_in_place_of_a_turned_one_goes_through_the_same_place() -> None:
    place = (20.0, -10.0, 45.0)
    wish = ViewWish("root", plane="axial", turn=TURN, place=place, center=place, zoom=2.0)
    state = resolve(wish, opened())
    changed = hand.with_plane(wish, state, "coronal")
    assert changed.turn is None
    after = resolve(changed, opened())
    assert not after.is_oblique
    middle = state.position_at(state.center or (0, 0))
    assert abs(after.slice_at(middle) - after.index) <= 0.5


@pytest.mark.parametrize(("text", "slab"), [("mip:20", Slab("mip", 20)), ("MinIP:7.5", Slab("minip", 7.5)), (" mean:3mm", Slab("mean", 3))])
def test_a_slab_in_words(text: str, slab: Slab) -> None:
    assert parse_slab(text) == slab


@pytest.mark.parametrize("text", ["", "mip", "mip:", "mip:0", "mip:-3", "mip:nan", "mip:1e9", "max:20", "20"])
def test_words_that_are_no_slab_are_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="mip:20"):
        parse_slab(text)


def test_the_window_of_a_plane_is_not_that_of_an_oblique_one() -> None:
    own = (tuple(Window(10.0 + n, 100) for n in range(SHAPE[0])),)
    document = opened(replace(made(), plane_windows=own, windows=(Window(500, 900),)))
    assert resolve(ViewWish("root"), document).is_plane_window
    state = resolve(ViewWish("root", turn=TURN), document)
    assert not state.is_plane_window
    assert state.window == Window(500, 900)
