"""RELIABILITY choice 3: headers that promise more than they hold are refused before anything is made for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.io import liars

ROOT = Path(__file__).resolve().parents[2]
LIMIT_BYTES = 300 << 20


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process of its own says to all of them, and the most memory that it had."""
    folder = tmp_path_factory.mktemp("liars")
    liars.write(folder)
    done = subprocess.run([sys.executable, "-m", "tests.io.liars", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_there_are_at_least_thirty_of_all_formats() -> None:
    formats = {name.split(",")[0] for name in liars.TABLE}
    assert len(liars.TABLE) >= 30
    assert formats == {"DICOM", "NIfTI", "NIfTI-2", "NRRD", "MetaImage", "MGH", "MGZ", "Analyze", "PNG", "JPEG", "TIFF", "BigTIFF", "ZIP"}


@pytest.mark.parametrize("name", liars.TABLE)
def test_a_liar_is_refused_in_a_sentence_that_names_it(read: dict[str, Any], name: str) -> None:
    answer, said = read["answers"][name]
    assert answer == "refused"
    assert len(said) == 1
    assert said[0].startswith(liars.TABLE[name][0])
    assert len(said[0]) < 300


def test_what_is_true_of_the_others_is_read(read: dict[str, Any]) -> None:
    assert {read["answers"][name][0] for name in liars.HARMLESS} <= {"opened", "refused"}


def test_all_of_them_together_take_less_than_300_mb(read: dict[str, Any]) -> None:
    assert read["peak"] < LIMIT_BYTES
    assert read["workers"] < LIMIT_BYTES
