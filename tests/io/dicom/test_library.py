"""pydicom is imported whole, however many threads are first at once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

FIRST_AT_ONCE = """
import sys, threading
from pathlib import Path

sys.setswitchinterval(1e-6)
from viewer.io.dicom import parse, syntaxes, tags

path, start, bad = Path(sys.argv[1]), threading.Barrier(6), []

def run(work):
    start.wait()
    try:
        work()
    except BaseException as error:
        bad.append(repr(error))

works = [
    lambda: syntaxes.is_registered("1.2.840.10008.1.2.4.90"),
    lambda: parse.parse(path, by_walk=False),
    lambda: tags.read_tags(path),
] * 2
threads = [threading.Thread(target=run, args=(work,)) for work in works]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(bad)
"""


def test_threads_that_are_first_at_once_find_it_whole(write_dicom) -> None:
    path = write_dicom("a", np.zeros((3, 4), np.uint16))
    done = subprocess.run([sys.executable, "-c", FIRST_AT_ONCE, str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_no_other_module_of_the_readers_imports_a_part_of_it() -> None:
    folder = Path(__file__).parents[3] / "viewer" / "io"
    others = [
        path for path in folder.rglob("*.py") if path.name != "library.py" and re.search(r"(from|import) pydicom\b(?!\.data )", path.read_text())
    ]
    assert others == []
