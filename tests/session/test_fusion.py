"""What may lie over what: frames of reference, alignments as steps, usual windows and colours, sentences for the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.session.fusion_samples import CT_GRID, PET_GRID, aligned, ct, opened, pet
from viewer.core.alignment import inverse, rigid
from viewer.core.geometry import Geometry
from viewer.core.volume import Identity, ValueScale
from viewer.core.window import Window
from viewer.session.document import Document
from viewer.session.fusion import FusionWish, ShownFusion, link_of
from viewer.session.history import ItemChange
from viewer.session.store import Store, restore
from viewer.session.view import ViewWish, resolve

MOVE = rigid(shift=(3.0, -2.0, 1.0), degrees=(4.0, -3.0, 7.0))
ELSEWHERE = replace(PET_GRID, frame_uid="1.2.840.2")


def shown(document: Document, fixed_id: str, wish: FusionWish) -> ShownFusion:
    state = resolve(ViewWish(fixed_id, fusion=wish), document)
    assert state.fusion is not None
    return state.fusion


def commit(document: Document, *items: object) -> None:
    document.commit(document.step("Align", tuple(ItemChange("alignment", item.id, None, item) for item in items)))  # type: ignore[attr-defined]


def test_c12_one_frame_of_reference_links_and_another_does_not() -> None:
    first, second, other, none = ct(), pet(), pet(geometry=ELSEWHERE), pet(geometry=replace(PET_GRID, frame_uid=""))
    document = opened(first, second, other, none)
    assert shown(document, first.id, FusionWish(second.id)).is_drawn
    refused = shown(document, first.id, FusionWish(other.id))
    assert not refused.is_drawn and "different frames of reference" in refused.reason and "align" in refused.reason
    nameless = ct(geometry=replace(CT_GRID, frame_uid=""))
    document.add_source(nameless)
    assert not shown(document, nameless.id, FusionWish(none.id)).is_drawn  # no UID is no link (C12), on both sides neither
    unknown = shown(document, first.id, FusionWish(none.id))
    assert not unknown.is_drawn and "Nothing says" in unknown.reason


@pytest.mark.parametrize(("method", "badge"), [("hand", "MANUAL LINK"), ("positions", "MANUAL LINK"), ("rigid", "Registered by mutual information")])
def test_c12_an_alignment_links_and_the_badge_says_how(method: str, badge: str) -> None:
    first, other = ct(), pet(geometry=ELSEWHERE)
    document = opened(first, other)
    commit(document, aligned(first, other, MOVE, method))  # type: ignore[arg-type]
    state = resolve(ViewWish(first.id, fusion=FusionWish(other.id)), document)
    assert state.fusion is not None and state.fusion.is_drawn and state.fusion.matrix == pytest.approx(MOVE)
    assert badge in state.badges
    document.undo()
    state = resolve(ViewWish(first.id, fusion=FusionWish(other.id)), document)
    assert state.fusion is not None and not state.fusion.is_drawn and badge not in state.badges
    document.redo()
    assert shown(document, first.id, FusionWish(other.id)).is_drawn


def test_an_alignment_holds_the_other_way_round_and_for_all_series_of_the_two_frames() -> None:
    first, other = ct(), pet(geometry=ELSEWHERE)
    ct2, pet2 = ct(), pet(geometry=ELSEWHERE)
    document = opened(first, other, ct2, pet2)
    commit(document, aligned(first, other, MOVE))
    assert shown(document, other.id, FusionWish(first.id)).matrix == pytest.approx(inverse(MOVE))
    assert shown(document, ct2.id, FusionWish(pet2.id)).matrix == pytest.approx(MOVE)
    assert shown(document, pet2.id, FusionWish(ct2.id)).matrix == pytest.approx(inverse(MOVE))


def test_a_nudge_within_one_frame_is_of_these_two_series_alone() -> None:
    first, second, third = ct(), pet(), pet()
    document = opened(first, second, third)
    commit(document, aligned(first, second, MOVE))
    assert shown(document, first.id, FusionWish(second.id)).matrix == pytest.approx(MOVE)
    link = link_of(document, first, third)
    assert link is not None and link.alignment is None


def test_an_alignment_comes_back_from_the_journal(tmp_path: Path) -> None:
    first, other = ct(), pet(geometry=ELSEWHERE)
    store = Store(tmp_path / "journal.nego")
    document = Document(store)
    for volume in (first, other):
        document.add_source(volume)
    item = replace(aligned(first, other, MOVE, "rigid"), metric="mutual information", value=1.25)
    commit(document, item)
    store.flush()
    store.close()
    again = restore(tmp_path / "journal.nego", lambda source: {v.id: v for v in (first, other)}[source.volume_id], writable=False)
    assert again.alignments() == (item,)
    assert shown(again, first.id, FusionWish(other.id)).matrix == pytest.approx(MOVE)
    assert again.undo() and again.alignments() == ()


@pytest.mark.parametrize(
    ("changes", "window", "color_map", "follows"),
    [
        ({"unit": "SUVbw"}, (0.0, 6.0), "hot_iron", False),
        ({"unit": "BQML", "scales": (ValueScale("SUVbw", 0.001),)}, (0.0, 6000.0), "hot_iron", False),
        ({"unit": "Gy", "identity": Identity(modality="RTDOSE")}, (0.0, None), "inferno", True),
        ({"unit": "", "identity": Identity(modality="MR"), "windows": (Window(300, 500),)}, (50.5, 549.5), "hot_iron", False),
    ],
)
def test_3f_the_usual_look_of_a_second_image(changes: dict[str, object], window: tuple[float, float | None], color_map: str, follows: bool) -> None:
    first, second = ct(), replace(pet(np.linspace(0, 900, int(np.prod(PET_GRID.shape)), dtype=np.float32).reshape(PET_GRID.shape)), **changes)  # type: ignore[arg-type]
    found = shown(opened(first, second), first.id, FusionWish(second.id))
    assert (found.display.color_map, found.follows_value, found.opacity) == (color_map, follows, 0.5)
    assert found.display.window.low == pytest.approx(window[0], abs=0.6)
    if window[1] is not None:
        assert found.display.window.high == pytest.approx(window[1], abs=0.6)


def test_its_own_window_leaves_that_of_the_first_alone() -> None:
    first, second = ct(), pet()
    document = opened(first, second)
    plain = resolve(ViewWish(first.id), document)
    state = resolve(ViewWish(first.id, fusion=FusionWish(second.id, window=Window(3, 2), window_unit="SUVbw")), document)
    assert state.window == plain.window and state.display == plain.display
    assert state.fusion is not None and state.fusion.display.window == Window(3, 2)
    stale = shown(document, first.id, FusionWish(second.id, window=Window(3, 2), window_unit="HU"))
    assert stale.display.window.high == 6.0


def test_a_difference_needs_one_unit() -> None:
    first, second, other = ct(), pet(), ct()
    document = opened(first, second, other)
    refused = shown(document, first.id, FusionWish(second.id, "difference"))
    assert not refused.is_drawn and "HU" in refused.reason and "SUVbw" in refused.reason
    assert shown(document, first.id, FusionWish(other.id, "difference")).is_drawn
    mr = [ct(unit="", identity=Identity(modality=m)) for m in ("MR", "MR", "CT")]
    document = opened(*mr)
    assert shown(document, mr[0].id, FusionWish(mr[1].id, "difference")).is_drawn
    assert "neither" in shown(document, mr[0].id, FusionWish(mr[2].id, "difference")).reason


def test_bad_second_images_say_why() -> None:
    first = ct()
    color = replace(ct(), is_color=True, data=np.zeros((1, *CT_GRID.shape, 3), np.uint8), unit="")
    nowhere = ct(geometry=Geometry(CT_GRID.shape, is_patient=False))
    far = pet(geometry=replace(PET_GRID, origin=(900.0, 0.0, 0.0)))
    document = opened(first, color, nowhere, far)
    assert "colour image" in shown(document, first.id, FusionWish(color.id)).reason
    assert "does not say where its voxels lie" in shown(document, first.id, FusionWish(nowhere.id)).reason
    assert "do not reach" in shown(document, first.id, FusionWish(far.id)).note
    assert resolve(ViewWish(first.id, fusion=FusionWish("gone")), document).fusion is None


def test_another_patient_is_said_on_the_image() -> None:
    first, second = ct(), pet(identity=Identity(modality="PT", patient_id="P2"))
    state = resolve(ViewWish(first.id, fusion=FusionWish(second.id)), opened(first, second))
    assert "OTHER PATIENT" in state.badges


def test_odd_wishes_are_filled_in() -> None:
    first, second = ct(), pet()
    document = opened(first, second)
    odd = FusionWish(second.id, mode="nonsense", color_map="no such", opacity=float("nan"), window=Window(1, float("nan")), phase=99, curtain=7.0)  # type: ignore[arg-type]
    found = shown(document, first.id, odd)
    assert (found.mode, found.display.color_map, found.opacity, found.phase, found.curtain) == ("blend", "hot_iron", 0.5, 0, 1.0)
    assert not shown(document, first.id, replace(odd, is_shown=False)).is_drawn


def test_phases_go_together_where_both_have_as_many() -> None:
    first = ct(np.zeros(CT_GRID.shape, np.int16))
    first = replace(first, data=np.zeros((3, *CT_GRID.shape), np.int16))
    second = replace(pet(), data=np.zeros((3, *PET_GRID.shape), np.float32))
    document = opened(first, second)
    state = resolve(ViewWish(first.id, phase=2, fusion=FusionWish(second.id)), document)
    assert state.fusion is not None and state.fusion.phase == 2
    state = resolve(ViewWish(first.id, phase=2, fusion=FusionWish(second.id, phase=1)), document)
    assert state.fusion is not None and state.fusion.phase == 1


def test_d22_pet_in_becquerel_is_windowed_in_suv() -> None:
    first = ct()
    second = replace(pet(), unit="BQML", scales=(ValueScale("SUVbw", 0.001),))
    document = opened(first, second)
    found = shown(document, first.id, FusionWish(second.id))
    assert found.scale == (0.001, "SUVbw")
    assert (found.told_window.low, found.told_window.high) == pytest.approx((0.0, 6.0))
    assert (found.display.window.low, found.display.window.high) == pytest.approx((0.0, 6000.0))
    other = replace(pet(), unit="BQML", scales=(ValueScale("SUVbw", 0.002),))
    document.add_source(other)
    assert shown(document, second.id, FusionWish(other.id, "difference")).scale == (1.0, "BQML")


def test_phases_of_another_kind_do_not_go_together() -> None:
    first = replace(ct(), data=np.zeros((2, *CT_GRID.shape), np.int16), phase_labels=("TE 10 ms", "TE 20 ms"))
    second = replace(pet(), data=np.zeros((2, *PET_GRID.shape), np.float32), phase_labels=("t 0 s", "t 60 s"))
    state = resolve(ViewWish(first.id, phase=1, fusion=FusionWish(second.id)), opened(first, second))
    assert state.fusion is not None and state.fusion.phase == 0
