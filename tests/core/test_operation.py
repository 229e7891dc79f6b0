"""A signature read into a description, and values checked against it: whatever is permitted comes through, all else is a sentence."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.errors import BadParameter, NegatoscopeError
from viewer.core.geometry import Geometry
from viewer.core.images import Image, Labels, Mask, Numbers, Overlay
from viewer.core.operation import (
    Choice,
    Help,
    OperationSpec,
    ParameterSpec,
    Points,
    Range,
    check_parameters,
    check_value,
    describe,
    describe_all,
    invoke,
    operation,
)


@operation(keeps_unit=False, preview="approximate", needs_volume=True, takes_color=True, lane="model")
def everything(
    image: Image,
    strength: Annotated[float, Range(0.5, 10.0, unit="mm", step=0.5, log=True), Help("How strong.", "Strength of it")] = 1.5,
    count: Annotated[int, Range(1, 9)] = 3,
    limit: Annotated[float | None, Range(unit="value")] = None,
    mode: Literal["Fast", "slow"] = "Fast",
    other_mode: Annotated[str, Choice(("a", "b"))] = "b",
    is_new: bool = True,
    text: str = "",
    seeds: Points = (),
    mask: Mask | None = None,
    labels: Labels | None = None,
    second: Image | None = None,
    progress: Any = None,
) -> tuple[Image, Mask, Numbers]:
    """What it does,
    in two lines.

    Notes
    -----
    Source: none.
    """
    if progress is not None:
        progress(0.5)
    return image, image.mask(image.values > 0), Numbers("T", (), ())


@pytest.fixture(autouse=True)
def made_module() -> Iterator[types.ModuleType]:
    module = types.ModuleType("operation_made_here")
    sys.modules[module.__name__] = module
    module.everything = everything  # type: ignore[attr-defined]
    yield module
    del sys.modules[module.__name__]


def spec() -> OperationSpec:
    sys.modules.setdefault("operation_made_here", types.ModuleType("operation_made_here")).everything = everything  # type: ignore[attr-defined]
    return describe("Test/Everything", "operation_made_here:everything", "test")


def test_the_signature_says_it_all() -> None:
    found = spec()
    assert (found.title, found.help, found.plugin) == ("Everything", "What it does, in two lines.", "test")
    assert found.outputs == ("Image", "Mask", "Numbers")
    assert (found.preview, found.keeps_unit, found.needs_volume, found.takes_color, found.takes_progress) == ("approximate", False, True, True, True)
    assert found.lane == "model"
    assert [(p.name, p.type) for p in found.parameters] == [
        ("strength", "float"), ("count", "int"), ("limit", "float"), ("mode", "choice"), ("other_mode", "choice"), ("is_new", "bool"),
        ("text", "text"), ("seeds", "points"), ("mask", "mask"), ("labels", "labels"), ("second", "image"),
    ]  # fmt: skip
    assert found.parameter("strength") == ParameterSpec("strength", "float", 1.5, "Strength of it", "How strong.", 0.5, 10.0, "mm", 0.5, True)
    assert found.parameter("mode").choices == ("Fast", "slow")
    assert found.parameter("limit").is_optional
    assert found.parameter("is_new").label == "Is new"


@given(st.floats(0.5, 10.0))
def test_any_number_inside_the_limits_is_read_from_its_text(number: float) -> None:
    parameter = spec().parameter("strength")
    assert check_value(parameter, repr(number)) == number
    assert check_value(parameter, np.float64(number)) == number


@given(st.one_of(st.floats(), st.text(max_size=8), st.integers(), st.none(), st.booleans(), st.lists(st.floats(), max_size=3)))
def test_any_other_value_is_taken_or_refused_with_a_sentence_never_anything_else(value: Any) -> None:
    for parameter in spec().parameters:
        try:
            found = check_value(parameter, value, "Test/Everything")
        except BadParameter as err:
            text = str(err)
        else:
            text = "."
            if parameter.type in ("int", "float") and found is not None:
                assert math.isfinite(found)
                assert parameter.low is None or parameter.low <= found <= (parameter.high or math.inf)
        assert text.endswith(".")


@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4)] * 3), max_size=5))
def test_places_are_read_from_a_text_with_semicolons_between_them(places: list[tuple[float, float, float]]) -> None:
    text = ";".join(",".join(repr(c) for c in place) for place in places)
    assert check_value(spec().parameter("seeds"), text) == tuple(places)
    assert check_value(spec().parameter("seeds"), places) == tuple(places)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "4", 4), ("count", 4.0, 4), ("limit", "auto", None), ("limit", "None", None), ("limit", "-2e3", -2000.0), ("mode", "FAST", "Fast"),
        ("mode", "slow", "slow"), ("is_new", "no", False), ("is_new", "1", True), ("is_new", "Off", False), ("mask", "none", None), ("text", "", ""),
    ],
)  # fmt: skip
def test_texts_of_the_command_line(name: str, text: Any, value: Any) -> None:
    found = check_value(spec().parameter(name), text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ({"strenght": 1}, 'no parameter "strenght". It has: strength, count'),
        ({"strength": 0.4}, r"0\.4 mm; it must be between 0\.5 and 10 mm"),
        ({"strength": "wide"}, "not a number"),
        ({"strength": float("inf")}, "not a finite number"),
        ({"strength": True}, "not a finite number"),
        ({"strength": None}, "needs a value"),
        ({"strength": "auto"}, "not a number"),
        ({"count": 2.5}, "whole number"),
        ({"mode": "medium"}, "one of: Fast, slow"),
        ({"is_new": "perhaps"}, "yes or no"),
        ({"seeds": "1,2"}, "three numbers"),
        ({"seeds": 3}, "three numbers"),
        ({"seeds": "1,2,nan"}, "finite"),
        ({"mask": 3}, "takes a mask, not 3"),
        ({"second": "x"}, "takes an image"),
        ({"text": 3}, "takes a text"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(given_: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadParameter, match=reason) as caught:
        check_parameters(spec(), given_)
    assert next(iter(given_)) in str(caught.value)


def test_what_is_not_given_has_its_default() -> None:
    checked = check_parameters(spec(), {"count": 5})
    assert checked == {
        "strength": 1.5, "count": 5, "limit": None, "mode": "Fast", "other_mode": "b", "is_new": True, "text": "", "seeds": (), "mask": None,
        "labels": None, "second": None,
    }  # fmt: skip


def no_default(image: Image, amount: float) -> Image:
    return image


def odd_type(image: Image, amount: complex = 1j) -> Image:
    return image


def odd_return(image: Image) -> int:
    return 1


def no_image(amount: float = 1) -> Image:
    raise AssertionError


@pytest.mark.parametrize(
    ("function", "marked", "reason"),
    [
        (no_default, True, "has no default"),
        (odd_type, True, "no form knows"),
        (odd_return, True, "return type"),
        (no_image, True, "first parameter must be the Image"),
        (no_default, False, "not marked with @operation"),
    ],
)
def test_a_function_that_is_no_operation_is_named_and_the_others_live(
    made_module: types.ModuleType, function: Any, marked: bool, reason: str
) -> None:
    made_module.bad = operation()(function) if marked else lambda image: image  # type: ignore[attr-defined]
    items = [
        ("Test/Bad", "operation_made_here:bad", "test"),
        ("Test/Everything", "operation_made_here:everything", "test"),
        ("Test/Gone", "no_such_module:f", "test"),
    ]
    specs, broken = describe_all(items)
    assert [s.name for s in specs] == ["Test/Everything"]
    assert [name for name, _ in broken] == ["Test/Bad", "Test/Gone"]
    assert reason in broken[0][1]
    assert "no_such_module" in broken[1][1]


def test_ctrl_c_while_a_plugin_is_read_is_the_users_not_the_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("viewer.core.operation.describe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        describe_all([("Test/Any", "any:any", "test")])


def picture(values: Any) -> Image:
    array = np.asarray(values, np.int16)
    return Image(array, Geometry(array.shape[:3]))


def test_a_call_gets_its_parameters_and_progress_and_its_results_are_looked_at() -> None:
    told: list[float] = []
    results = invoke("operation_made_here:everything", picture(np.ones((2, 3, 4))), {}, lambda fraction, text="": told.append(fraction))
    assert [type(r) for r in results] == [Image, Mask, Numbers]
    assert told == [0.5]


@pytest.mark.parametrize(
    ("result", "error"),
    [(lambda i: 3, TypeError), (lambda i: None, TypeError), (lambda i: (i, "x"), TypeError), (lambda i: i.like(i.values[:1]), NegatoscopeError),
     (lambda i: Overlay(np.zeros((1, 1, 1), np.float32), i.geometry, "x"), NegatoscopeError)],
)  # fmt: skip
def test_a_result_of_another_kind_or_shape_is_the_operations_fault(made_module: types.ModuleType, result: Any, error: type[Exception]) -> None:
    def bad(image: Image) -> Image:
        return result(image)  # type: ignore[no-any-return]

    made_module.bad = operation()(bad)  # type: ignore[attr-defined]
    with pytest.raises(error):
        invoke("operation_made_here:bad", picture(np.ones((2, 3, 4))), {}, lambda fraction, text="": None)


def test_an_image_knows_its_valid_voxels_its_grey_and_its_slices() -> None:
    image = Image(np.array([[[1.0, np.nan, -2000.0, 5.0]]], np.float32), Geometry((1, 1, 4)), padding=(-2000.0, -1999.0))
    assert image.valid().tolist() == [[[True, False, False, True]]]
    assert image.is_slice
    color = Image(np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]], np.uint8), Geometry((1, 1, 3)))
    np.testing.assert_allclose(color.gray()[0, 0], [76.245, 149.685, 29.07], rtol=1e-5)
    assert color.valid().all()
