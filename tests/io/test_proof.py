"""The table of ``tests/io/README.md`` is true: every line of the checklist is there, and every test it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("README.md")
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| Line"))
]
NAMED = sorted({name for row in ROWS for name in re.findall(r"(tests/[\w/]+\.py::\w+)", " ".join(row))})


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_line_of_the_display_pipeline_has_a_row() -> None:
    lines = {f"D{number:02d}" for number in range(1, 70)}
    found = {mark for row in ROWS for mark in re.findall(r"\bD\d\d\b", row[0])}
    assert lines - found == set()


def test_every_row_has_its_six_cells_and_an_oracle() -> None:
    short = [row[0] for row in ROWS if len(row) != 6 or not all(row)]
    assert short == []


@pytest.mark.parametrize("name", NAMED)
def test_the_named_test_is_there(name: str) -> None:
    path, function = name.split("::")
    assert (ROOT / path).is_file(), path
    assert function in functions(ROOT / path)
