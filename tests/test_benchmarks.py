"""The benchmarks' table says plainly what is over its limit."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import names
from benchmarks.table import Row, table


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("a", 3.0), None),
        (Row("a", 3.0, limit=4.0), True),
        (Row("a", 5.0, limit=4.0), False),
        (Row("a", 5.0, rival="bare", rival_figure=2.0, at_most=3.0), True),
        (Row("a", 7.0, rival="bare", rival_figure=2.0, at_most=3.0), False),
        (Row("a", 3.0, rival="bare", rival_figure=0.5, at_most=3.0, limit=4.0), False),
    ],
)
def test_row_is_met_when_limit_and_ratio_are_kept(row: Row, met: bool | None) -> None:
    assert row.is_met is met


def test_table_shows_figure_rival_ratio_and_verdict_in_one_line() -> None:
    printed = table(
        [("paint", [Row("scroll", 3.25, rival="bare painter", rival_figure=1.3, at_most=3, limit=4), Row("drag", 4.5, limit=4, note="loaded")])]
    )
    head, _, scroll, drag, _, note = printed.splitlines()
    assert head.split() == ["what", "here", "beside", "it", "ratio", "asked", "for"]
    assert " ".join(scroll.split()) == "paint scroll 3.25 ms bare painter 1.30 ms 2.50 <= 4.00 ms and <= 3 x ok"
    assert drag.split()[-1] == "OVER"
    assert note == "paint, drag: loaded"


def test_shared_modules_are_not_taken_for_benchmarks() -> None:
    assert not {"table", "timing", "__main__", "__init__"} & set(names())
