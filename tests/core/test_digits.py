"""Digits as the conventions have them (4b)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.core import digits
from viewer.core.annotation import Measure


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (digits.length(12.345), "12.3 mm"),
        (digits.length(12.345, spacing=0.78), "12.3 mm"),
        (digits.length(12.345, spacing=0.15), "12.35 mm"),
        (digits.length(12.345, spacing=0.2), "12.3 mm"),
        (digits.length(120.4, spacing=10.0), "120 mm"),
        (digits.length(5.0, "px"), "5.0 px"),
        (digits.length(5.0, "mm at detector"), "5.0 mm at detector"),
        (digits.area(123.449), "123.4 mm²"),
        (digits.volume(16.412658), "16.41 mL"),
        (digits.volume(0.012345), "0.0123 mL"),
        (digits.volume(0.5), "0.500 mL"),
        (digits.volume(0.0), "0.00 mL"),
        (digits.intensity(39.6, "HU"), "40 HU"),
        (digits.intensity(39.64, "HU", is_statistic=True), "39.6 HU"),
        (digits.intensity(2.345678, "SUV"), "2.35 SUV"),
        (digits.intensity(825.2354363), "825.2"),
        (digits.intensity(468.0), "468"),
        (digits.angle(45.04), "45.0°"),
        (digits.ratio(0.12345), "0.123"),
        (digits.score(0.87654), "87.7 %"),
        (digits.score(0.0), "<0.1 %"),
        (digits.score(0.0005), "<0.1 %"),
        (digits.score(0.9996), ">99.9 %"),
        (digits.score(1.0), ">99.9 %"),
        (digits.score(0.999), "99.9 %"),
        (digits.score(0.001), "0.1 %"),
        (digits.spacing(0.78125), "0.781 mm"),
        (digits.position(-0.04), "0.0 mm"),
        (digits.position(-12.34), "-12.3 mm"),
        (digits.count(4137.0, "px"), "4137 px"),
        (digits.significant(0.00001234), "1.234e-05"),
    ],
)
def test_each_quantity_has_its_digits(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_nothing_is_a_dash_and_never_nan(nothing: float | None) -> None:
    shown = [
        f(nothing)
        for f in (
            digits.length, digits.area, digits.volume, digits.intensity, digits.angle, digits.ratio, digits.score, digits.spacing, digits.position,
            digits.count, digits.significant,
        )
    ]  # fmt: skip
    assert set(shown) == {"–"}


@given(st.floats(0, 1))
def test_a_score_is_never_certain(value: float) -> None:
    text = digits.score(value)
    assert text not in ("0.0 %", "100.0 %")


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (Measure("Length", 12.345, "mm"), "12.3 mm"),
        (Measure("Area", 12.345, "mm²"), "12.3 mm²"),
        (Measure("Pixels", 123.0, "px"), "123 px"),
        (Measure("Mean", 39.64, "HU"), "39.6 HU"),
        (Measure("Maximum", 39.64, "HU"), "40 HU"),
        (Measure("Mean", None, "HU"), "–"),
        (Measure("Angle", 12.34, "°"), "12.3°"),
        (Measure("Radius", 35.02, "px"), "35.0 px"),
    ],
)
def test_a_measure_is_written_by_its_name_and_unit(measure: Measure, expected: str) -> None:
    assert digits.measure_text(measure) == expected


@pytest.mark.parametrize(("nbytes", "words"), [(1024, "1.0 kB"), (99_999, "100.0 kB"), (100_000, "0.1 MB"), (14_512_000, "14.5 MB")])
def test_a_small_file_is_no_0_0_mb(nbytes: int, words: str) -> None:
    assert digits.file_size(nbytes) == words
