"""Windowing against the vectors of CONVENTIONS D31, the formulas of PS3.3, and the ways a window is written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.errors import BadParameter
from viewer.core.window import CT_PRESETS, Window, apply_window, parse_window, presets_of

# CONVENTIONS D31: c=40 w=400, 0..255, four decimals.
VECTORS = [
    (-160, 0, 0, 30.3967),
    (-159, 0.6391, 0.6375, 30.6655),
    (0, 102.2556, 102.0000, 102.3346),
    (40, 127.8195, 127.5000, 127.5000),
    (239, 255, 254.3625, 224.3345),
    (240, 255, 255, 224.6033),
]


@pytest.mark.parametrize(("x", "linear", "exact", "sigmoid"), VECTORS)
def test_the_vectors_of_the_table(x: float, linear: float, exact: float, sigmoid: float) -> None:
    got = [float(apply_window(np.array([x], np.int16), Window(40, 400, function))[0]) for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID")]
    assert got == pytest.approx([linear, exact, sigmoid], abs=5e-5)


def test_a_width_of_one_is_a_step_between_minus_a_half_and_above() -> None:
    assert apply_window(np.array([-0.5, -0.49, 0.0]), Window(0, 1)).tolist() == [0, 255, 255]


@given(st.floats(-3000, 3000), st.floats(1.001, 5000), st.integers(-4000, 4000))
def test_linear_is_the_formula_of_the_standard(center: float, width: float, x: int) -> None:
    if x <= center - 0.5 - (width - 1) / 2:
        expected = 0.0
    elif x > center - 0.5 + (width - 1) / 2:
        expected = 255.0
    else:
        expected = ((x - (center - 0.5)) / (width - 1) + 0.5) * 255
    assert float(apply_window(np.array([x]), Window(center, width))[0]) == pytest.approx(expected, abs=1e-6)


@given(st.floats(-3000, 3000), st.floats(2, 5000))
def test_low_and_high_give_the_window_back(center: float, width: float) -> None:
    window = Window(center, width)
    assert window.high - window.low + 1 == pytest.approx(width)
    assert (window.low + window.high + 1) / 2 == pytest.approx(center)
    exact = Window.between(window.low, window.high)
    assert (exact.low, exact.high) == pytest.approx((window.low, window.high))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_a_window_is_rising_and_keeps_to_its_range(function: str) -> None:
    shown = apply_window(np.arange(-4000, 4000, 7), Window(40, 400, function), 10, 20)  # type: ignore[arg-type]
    assert (np.diff(shown) >= 0).all()
    assert shown.min() >= 10
    assert shown.max() <= 20


def test_extreme_values_neither_warn_nor_overflow() -> None:
    shown = apply_window(np.array([-1e300, 1e300, -32768, 65535]), Window(0, 1e-3, "SIGMOID"))
    assert shown.tolist() == [0, 255, 0, 255]
    shown = apply_window(np.array([-5, 5, 6]), Window(5, 1e-320, "LINEAR_EXACT"))
    assert shown.tolist() == [0, 127.5, 255]


@pytest.mark.parametrize(
    ("text", "center", "width"),
    [
        ("Lung", -600, 1500),
        ("lung", -600, 1500),
        ("soft-tissue", 40, 400),
        ("Soft_Tissue", 40, 400),
        ("40,400", 40, 400),
        ("-600 , 1500", -600, 1500),
        ("W400 C50", 50, 400),
        ("w400,l-50", -50, 400),
        ("W 1.5e3 C -6e2", -600, 1500),
        ("0.5,0.25", 0.5, 0.25),
    ],
)
def test_a_window_is_read_as_preset_as_pair_or_with_letters(text: str, center: float, width: float) -> None:
    found = parse_window(text)
    assert (found.center, found.width) == (center, width)


@pytest.mark.parametrize("text", ["", "40", "400,-1", "40,0", "a,b", "nan,400", "40,inf", "40;400", "W0 C3", "40,400,3", "Lungs"])
def test_what_is_no_window_is_refused_with_the_ways_to_write_one(text: str) -> None:
    with pytest.raises(BadParameter, match=r"CENTRE,WIDTH"):
        parse_window(text)


@pytest.mark.parametrize("text", ["1e400,1", "1,1e400", "W1e309 C0"])
def test_a_number_beyond_all_numbers_is_not_called_a_width_of_zero(text: str) -> None:
    with pytest.raises(BadParameter, match="too large"):
        parse_window(text)


@given(st.floats(-1e6, 1e6), st.floats(1, 1e6))
def test_any_pair_is_read_back(center: float, width: float) -> None:
    found = parse_window(f"{center!r},{width!r}")
    assert (found.center, found.width) == (center, width)


def test_the_presets_are_those_of_the_conventions() -> None:
    assert {p.name: (p.width, p.center) for p in CT_PRESETS} == {
        "Soft tissue": (400, 40), "Lung": (1500, -600), "Bone": (2500, 480), "Brain": (80, 40), "Mediastinum": (350, 50), "Liver": (150, 90),
        "Abdomen": (350, 40), "Subdural": (200, 75), "Stroke": (40, 40), "Temporal bone": (2800, 600), "Spine": (250, 50), "CTA": (600, 200),
    }  # fmt: skip
    assert all(math.isfinite(p.center) for p in CT_PRESETS)


def test_3c_another_profile_has_its_own_numbers_under_the_same_names() -> None:
    ours = {p.name: (p.width, p.center) for p in presets_of()}
    weasis = {p.name: (p.width, p.center) for p in presets_of("weasis")}
    assert list(weasis) == list(ours)
    assert {name: weasis[name] for name in weasis if weasis[name] != ours[name]} == {
        "Lung": (1500, -500), "Bone": (2000, 350), "Brain": (110, 35), "Mediastinum": (400, 80), "Abdomen": (320, 50),
    }  # fmt: skip
    assert presets_of("ohif") == presets_of("no such profile") == CT_PRESETS


@given(st.floats(-3000, 3000), st.floats(1, 5000), st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]))
def test_d31_a_window_spanning_its_ends_has_these_ends(low: float, span: float, function: str) -> None:
    made = Window(0, 10, function).spanning(low, low + span)  # type: ignore[arg-type]
    assert (made.low, made.high) == (pytest.approx(low, abs=1e-9), pytest.approx(low + span, abs=1e-9))
    assert made.function == function
