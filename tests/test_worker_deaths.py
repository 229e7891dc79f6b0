"""A process of the tests that dies leaves its traceback in the output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ctypes.string_at(0)", ["ended with signal 11", "Segmentation fault", "in test_dying", "in waiting_elsewhere"]),
        ("os.abort()", ["ended with signal 6", "Fatal Python error: Aborted", "in test_dying"]),
        ("os._exit(3)", ["ended with code 3", "It wrote no traceback."]),
    ],
)
def test_the_traceback_of_a_worker_that_dies_is_in_the_output(tmp_path: Path, line: str, said: list[str]) -> None:
    (tmp_path / "conftest.py").write_text("from tests.worker_deaths import *\n")
    (tmp_path / "test_it.py").write_text(
        "import ctypes, os, threading\nevent = threading.Event()\ndef waiting_elsewhere(): event.wait()\n"
        f"def test_dying():\n    threading.Thread(target=waiting_elsewhere, daemon=True).start()\n    {line}\n"
    )
    command = [sys.executable, "-m", "pytest", "-n", "1", "--max-worker-restart=0", "-p", "no:cacheprovider", "-c", "/dev/null"]
    command += ["--basetemp", str(tmp_path / "base"), str(tmp_path / "test_it.py")]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert [words for words in said if words not in done.stdout] == [], done.stdout + done.stderr
