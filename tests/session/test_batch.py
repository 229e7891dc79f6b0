"""An operation on many images: each gives its changes, what fails is named, and stopping keeps what is done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.session.heat_samples import judge
from tests.session.session_samples import SHAPE, make_volume
from viewer.core.errors import OperationCancelled
from viewer.core.operation import describe
from viewer.io.open import find
from viewer.jobs.pool import Pool
from viewer.session.batch import Target, moved, run_each

JUDGE = describe("Test/judge", f"tests.session.heat_samples:{judge.__name__}", "test")


def test_each_image_gives_its_own_changes_and_a_bad_file_is_named(tmp_path):
    from PIL import Image

    paths = [tmp_path / f"{name}.png" for name in ("good", "gone")]
    for path in paths:
        Image.new("L", (8, 6), 40).save(path)
    entries = {entry.files[0].name: entry for entry in find(paths).series}
    paths[1].unlink()
    targets = [
        Target("a", {}, make_volume("volume-a")), Target("b", {}, make_volume("volume-b", phases=2)),
        *(Target(name, {}, entry=entry) for name, entry in sorted(entries.items())),
    ]  # fmt: skip
    told: list[tuple[int, int]] = []
    with Pool(inline=True) as pool:
        found, is_stopped = run_each(targets, JUDGE, pool, progress=lambda *at: told.append(at))
    assert not is_stopped
    by_name = {outcome.target.name: outcome for outcome in found}
    assert {name: len([c for c in o.changes if c.kind == "report"]) for name, o in by_name.items()} == {
        "a": SHAPE[0], "b": 2 * SHAPE[0], "good.png": 1, "gone.png": 0,
    }  # fmt: skip
    assert {c.after.phase for c in by_name["b"].changes} == {0, 1}
    assert len({c.after.batch for c in by_name["b"].changes if c.kind == "report"}) == 1, (
        "frames of one image belong together, as when it is asked alone"
    )
    assert "gone.png" in by_name["gone.png"].reason and by_name["good.png"].reason == ""
    assert by_name["good.png"].source.files == (paths[0],) and by_name["a"].source is None
    assert {total for _done, total in told} == {4} and [done for done, _total in told] == sorted(done for done, _total in told)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_what_is_done_when_it_is_stopped_is_kept(after):
    def progress(done, _total):
        if done == after:
            raise OperationCancelled("Cancelled.")

    targets = [Target(name, {}, make_volume(name)) for name in ("volume-a", "volume-b", "volume-c")]
    with Pool(inline=True) as pool:
        found, is_stopped = run_each(targets, JUDGE, pool, progress=progress)
    assert is_stopped and [outcome.target.name for outcome in found] == ["volume-a", "volume-b", "volume-c"][:after]


def test_changes_move_to_another_image():
    with Pool(inline=True) as pool:
        ((outcome,), _stopped) = run_each([Target("a", {}, make_volume())], JUDGE, pool)
    for before, after in zip(outcome.changes, moved(outcome.changes, "other"), strict=True):
        assert after == replace(before, after=replace(before.after, volume_id="other"))
