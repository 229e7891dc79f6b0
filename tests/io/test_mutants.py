"""D1: damaged files of every kind are opened, or refused in one sentence that names the file. Nothing else ever happens.

The same mutants at every run. Decoders run in a worker: its death counts as a sentence. ``tests/soak_mutants.py`` runs more of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.io import seeds
from tests.io.answering import answer
from viewer.io import archive
from viewer.jobs.pool import Pool

COUNT, SEED = 300, 20261122


@pytest.fixture(scope="module")
def workers() -> Iterator[Pool]:
    pool = Pool(1, warm=("viewer.io.pictures", "viewer.io.dicom.decode"))
    pool.warm()
    yield pool
    pool.close()
    archive.forget()


@pytest.mark.leaves("children", "threads")  # the pool of the module, and the workers that come after one that a mutant killed
@pytest.mark.parametrize("kind", seeds.PLAIN)
def test_d1_mutants_are_opened_or_refused_in_a_sentence(kind: str, tmp_path: Path, workers: Pool) -> None:
    name, make = seeds.PLAIN[kind]
    seeds.beside(tmp_path)
    path = tmp_path / name
    whole = make()
    path.write_bytes(whole)
    assert answer(path, workers) == "opened"  # the seed itself is good
    outcomes = {"opened": 0, "refused": 0}
    for mutant in seeds.mutants(whole, COUNT, SEED):
        path.write_bytes(mutant)
        outcomes[answer(path, workers)] += 1
    archive.forget()
    assert all(outcomes.values()), outcomes  # mutants that are all refused (or all opened) would test nothing


@pytest.mark.leaves("children", "threads")
@pytest.mark.parametrize("kind", seeds.OBJECTS)
def test_d1_mutants_of_objects_are_opened_or_refused_in_a_sentence(kind: str, tmp_path: Path, workers: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds.object_samples, "generate_uid", lambda: "1.2.3.99")
    whole = seeds.OBJECTS[kind](tmp_path)
    path = tmp_path / "object.dcm"
    outcomes = {"opened": 0, "refused": 0}
    for mutant in (whole, *seeds.mutants(whole, COUNT, SEED)):
        path.write_bytes(mutant)
        outcomes[answer(path, workers)] += 1
    assert all(outcomes.values()), outcomes
