"""Alignments as steps: in place of each other, taken off again, registered in a worker, applied to a grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from tests.session.fusion_samples import CT_GRID, PET_GRID, along, ct, opened, pet
from viewer.core.alignment import SAME_PLACE, as_array, inverse, parts, rigid
from viewer.core.errors import OperationCancelled, Refused
from viewer.core.geometry import Geometry
from viewer.core.volume import Volume
from viewer.jobs.pool import Pool
from viewer.session.aligning import alignment_step, first_place, middle, register, removal_step, resampled, why_no_registration
from viewer.session.fusion import link_of
from viewer.session.recipe import recipe_of

MOVE = rigid(shift=(3.0, -2.0, 1.0), degrees=(4.0, -3.0, 7.0))


def test_there_is_one_alignment_of_a_pair_whichever_way_round_it_was_made() -> None:
    first, second = ct(), pet()
    document = opened(first, second)
    document.commit(alignment_step(document, first, second, MOVE, "hand"))
    document.commit(alignment_step(document, second, first, SAME_PLACE, "positions"))
    (item,) = document.alignments()
    assert (item.volume_id, item.moving_id, item.method) == (second.id, first.id, "positions")
    document.undo()
    (item,) = document.alignments()
    assert item.volume_id == first.id and item.matrix == pytest.approx(MOVE)
    assert [step.title.text() for step in document.history] == ["Nudge PET AC", "Place CT chest by its file's positions"]


def test_an_alignment_is_of_the_opened_volumes_not_of_what_was_computed_from_them() -> None:
    first, second = ct(), pet()
    document = opened(first, second)
    enhanced = first.derived("enhanced", first.data)
    document.commit(alignment_step(document, enhanced, second, MOVE, "rigid"))
    link = link_of(document, first, second)
    assert link is not None and link.matrix == pytest.approx(MOVE) and document.roots_of(document.history[0]) == {first.id}


def test_taken_off_what_the_files_say_holds_again() -> None:
    first, second = ct(), pet()
    document = opened(first, second)
    assert removal_step(document, first, second) is None
    document.commit(alignment_step(document, first, second, MOVE, "hand"))
    step = removal_step(document, first, second)
    assert step is not None
    document.commit(step)
    link = link_of(document, first, second)
    assert link is not None and link.alignment is None and link.matrix == SAME_PLACE
    document.undo()
    assert len(document.alignments()) == 1


def test_a_stranger_is_put_where_its_file_says_or_middle_on_middle() -> None:
    near, far = pet(geometry=replace(PET_GRID, frame_uid="")), pet(geometry=replace(PET_GRID, frame_uid="", origin=(900.0, 0.0, 0.0)))
    first = ct()
    assert first_place(first, near) == SAME_PLACE
    shift, degrees = parts(first_place(first, far), middle(far.geometry))
    assert middle(far.geometry) + shift == pytest.approx(middle(first.geometry)) and degrees == (0.0, 0.0, 0.0)


def image(volume: Volume) -> object:
    made = sitk.GetImageFromArray(volume.values.astype(np.float32))
    made.SetSpacing(volume.geometry.spacing[::-1])
    made.SetOrigin(volume.geometry.origin)
    made.SetDirection(volume.geometry.direction)
    return made


def test_resampled_onto_the_grid_of_the_first_it_is_what_simpleitk_makes_of_it() -> None:
    first, second = ct(), pet(along(PET_GRID, 1) + 100)
    transform = sitk.AffineTransform(3)
    back = as_array(inverse(MOVE))
    transform.SetMatrix(back[:3, :3].ravel())
    transform.SetTranslation(back[:3, 3])
    oracle = sitk.GetArrayFromImage(sitk.Resample(image(second), image(first), transform, sitk.sitkLinear, -1e6))
    found = resampled(first, second, MOVE)
    assert found.geometry == CT_GRID and "RESAMPLED" in found.badges and found.unit == "SUVbw"
    seen = oracle > -1e5
    assert seen.any() and np.abs(found.values - oracle)[seen].max() < 1e-3
    low = second.values.min()
    assert ((found.values >= low) & (found.values <= second.values.max())).all()


def test_a_cancel_reaches_the_worker() -> None:
    rng = np.random.default_rng(1)
    grid = Geometry((40, 90, 90), spacing=(2.0, 1.5, 1.5))
    first, second = (ct(rng.normal(size=grid.shape).astype(np.float32), geometry=grid) for _n in range(2))

    def stop(_done: int, _total: int) -> None:
        raise OperationCancelled("Cancelled.")

    with Pool(1) as pool, pytest.raises(OperationCancelled):
        register(first, second, pool=pool, progress=stop)


def test_stacks_that_lean_are_straightened_before_they_are_compared(inline_pool: Pool) -> None:
    k, j, i = np.indices((20, 24, 22))
    values = (1000 * np.exp(-(((k - 9) / 4) ** 2 + ((j - 14) / 5) ** 2 + ((i - 8) / 3) ** 2))).astype(np.float32)
    straight = Geometry((20, 24, 22), spacing=(2.0, 1.0, 1.5))
    leaning = replace(straight, plane_origins=tuple((0.0, 0.15 * n, 2.0 * n) for n in range(20)))
    found = register(ct(values, geometry=straight), ct(values, geometry=leaning), pool=inline_pool, start=SAME_PLACE)
    # The ball's middle lies on plane 9, so 1.35 mm further back.
    assert parts(found.matrix, leaning.to_patient((9, 14, 8)))[0] == pytest.approx((0.0, -1.35, 0.0), abs=0.3)


def test_what_cannot_be_registered_says_why(inline_pool: Pool) -> None:
    first, second = ct(), pet()
    colour = replace(ct(), data=np.zeros((1, *CT_GRID.shape, 3), np.uint8), is_color=True)
    flat = ct(np.zeros((1, 40, 50), np.int16), geometry=replace(CT_GRID, shape=(1, 40, 50)))
    assert why_no_registration(first, second) == ""
    for fixed, moving, said in ((first, first, "one image"), (first, colour, "colour"), (colour, first, "colour"), (flat, first, "four planes")):
        assert said in why_no_registration(fixed, moving)
        with pytest.raises(Refused, match=said):
            register(fixed, moving, pool=inline_pool)


def test_an_alignment_is_no_operation_of_a_recipe() -> None:
    first, second = ct(), pet()
    document = opened(first, second)
    document.commit(alignment_step(document, first, second, MOVE, "rigid"))
    assert recipe_of(document.history.steps) == ()
