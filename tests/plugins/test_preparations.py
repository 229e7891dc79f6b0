"""The usual preparations of other frameworks, as a card says them: each against Pillow and numpy by hand, as those frameworks describe it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

sys.path.insert(0, str(Path(__file__).parent))
from classifier_samples import card_with, image_with

from plugins.classify import feeding, telling
from plugins.classify.pictures import _values
from viewer.core.geometry import Geometry

RNG = np.random.default_rng(77)
FILTERS = {"bilinear": Picture.Resampling.BILINEAR, "bicubic": Picture.Resampling.BICUBIC, "nearest": Picture.Resampling.NEAREST}
SIZES = [(30, 47), (47, 30), (31, 31), (200, 333), (512, 300)]


def fed(card: Any, values: np.ndarray, plane: int = 0) -> np.ndarray:
    return np.asarray(feeding.plane_input(card, image_with(values), plane))


def center_crop(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """torchvision's, which rounds half pixels to the even one."""
    top, left = round((values.shape[0] - height) / 2.0), round((values.shape[1] - width) / 2.0)
    return values[top : top + height, left : left + width]


def resized(values: np.ndarray, rows: int, columns: int, method: str) -> np.ndarray:
    return np.asarray(Picture.fromarray(values.astype(np.float32)).resize((columns, rows), FILTERS[method]))


@pytest.mark.parametrize("method", list(FILTERS))
@pytest.mark.parametrize("size", [(32, 32), (29, 36)], ids=str)
@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_crop_with_resize_is_resize_and_center_crop_of_torchvision(shape: tuple[int, int], size: tuple[int, int], method: str) -> None:
    values = RNG.integers(0, 256, shape).astype(np.uint8)
    rows, columns = shape
    short = 41
    whole = (short, int(short * columns / rows)) if rows <= columns else (int(short * rows / columns), short)
    expected = center_crop(resized(values, *whole, method), *size)
    card = card_with(input={"height": size[0], "width": size[1], "fit": "crop", "resize": short, "interpolation": method})
    found = fed(card, values)[0]
    if method == "nearest":
        # A centre that falls on the edge between two pixels may take either: a row or a column at the most.
        assert (found != expected).mean() <= 1 / min(size)
    else:
        assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_squeeze_with_resize_is_the_middle_of_the_squeezed_picture(shape: tuple[int, int]) -> None:
    values = RNG.integers(0, 256, (*shape, 3)).astype(np.uint8)
    card = card_with(input={"height": 32, "width": 32, "channels": 3, "resize": 37})
    for channel, found in enumerate(fed(card, values)):
        assert found == pytest.approx(center_crop(resized(values[..., channel], 37, 37, "bilinear"), 32, 32), abs=1e-3)


def test_the_middle_of_a_very_long_picture_is_made_without_the_rest() -> None:
    values = np.tile(np.arange(200_000, dtype=np.int64) % 251, (4, 1)).astype(np.uint8)
    card = card_with(input={"height": 224, "width": 224, "fit": "crop", "resize": 256})
    assert fed(card, values).shape == (1, 224, 224)  # the whole of it would have 3 thousand million pixels


def test_a_report_says_what_was_resized_and_cut() -> None:
    for fit, words in (("crop", "shorter side to 41 px, of which the middle"), ("squeeze", "squeezed to 41 px, of which the middle")):
        card = card_with(input={"height": 32, "width": 32, "fit": fit, "resize": 41})
        feed = feeding.Feed(card, image_with(np.zeros((32, 32), np.uint8)))
        assert dict(telling.facts(feed, "CPU"))["fit"] == words


@pytest.mark.parametrize("fit", ["crop", "squeeze"])
def test_the_box_of_a_resized_middle_lies_where_the_numbers_came_from(fit: str) -> None:
    """A picture of x (then of y) itself: what goes in must be x at the places that the box names."""
    grid = Geometry((1, 60, 91), (5.0, -3.0, 11.0), (1.0, 0.7, 0.4))
    places = grid.to_patient(np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1))
    ends = {"kind": "range", "low": -500.0, "high": 500.0, "out_range": [-500.0, 500.0]}
    card = card_with(input={"height": 20, "width": 24, "fit": fit, "resize": 29}, values=ends)
    box = feeding.film_box(card, grid)
    assert box.shape == (1, 20, 24)
    at = box.to_patient(np.stack(np.meshgrid(*(np.arange(n) for n in box.shape), indexing="ij"), axis=-1))
    for axis in (0, 1):
        image = image_with(places[..., axis].astype(np.float32), geometry=grid)
        # The filter is a triangle of a few pixels, which keeps a slope to a twentieth of a pixel; it is cut at no edge here.
        assert np.asarray(feeding.plane_input(card, image, 0))[0] == pytest.approx(at[0, ..., axis], abs=0.05 * grid.spacing[2 - axis])
    coarse = feeding.film_box(card, grid, cells=(5, 6))
    assert coarse.to_patient([0, 2, 2.5]) == pytest.approx(box.to_patient([0, 9.5, 11.5]), abs=1e-6)


# --- colours ---

COLORS = RNG.integers(0, 256, (8, 8, 3)).astype(np.uint8)
CAFFE = {"mean": [103.939, 116.779, 123.68]}


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_blue_first_is_keras_preprocess_input_of_the_mode_caffe(layout: str) -> None:
    card = card_with(input={"channels": 3, "color_order": "BGR", "layout": layout}, normalisation=CAFFE)
    expected = COLORS[..., ::-1].astype(np.float32) - np.array([103.939, 116.779, 123.68], np.float32)
    assert fed(card, COLORS) == pytest.approx(expected if layout == "NHWC" else np.moveaxis(expected, -1, 0), abs=1e-4)
    grey = COLORS[..., 0]
    repeated = np.repeat(grey[..., None], 3, axis=-1) - np.array([103.939, 116.779, 123.68])
    assert fed(card, grey) == pytest.approx(repeated if layout == "NHWC" else np.moveaxis(repeated, -1, 0), abs=1e-4)


def test_what_a_person_is_shown_of_it_has_its_own_colours() -> None:
    card = card_with(input={"channels": 3, "color_order": "BGR"}, normalisation=CAFFE)
    assert np.array_equal(feeding.fed_picture(card, image_with(COLORS), 0), COLORS)


def test_a_picture_that_comes_out_blue_first_has_its_colours_again() -> None:
    card = card_with(task="image", classes=[], input={"channels": 3, "color_order": "BGR"}, output={"activation": "none"}, normalisation=CAFFE)
    feed = feeding.Feed(card, image_with(COLORS))
    back = _values(feed, feed.frame, 0, feed.batch([0])[0])
    assert back == pytest.approx(COLORS.astype(np.float32), abs=1e-3)


# --- mean and spread of each image ---


@pytest.mark.parametrize("values", [RNG.normal(90, 30, (8, 8)).astype(np.float32), COLORS], ids=["grey", "colour"])
def test_statistics_of_the_input_are_per_image_standardization(values: np.ndarray) -> None:
    ends = {"kind": "percentiles", "percentiles": [0.0, 100.0]}
    card = card_with(input={"channels": 3 if values.ndim == 3 else 1, "layout": "NHWC"}, values=ends, normalisation={"statistics": "input"})
    expected = (values - values.mean(dtype=np.float64)) / values.std(dtype=np.float64)
    assert fed(card, values) == pytest.approx(expected if values.ndim == 3 else expected[..., None], abs=1e-5)


def test_each_image_of_a_batch_has_its_own_and_an_even_one_is_zero() -> None:
    planes = np.stack([COLORS[..., 0], np.full((8, 8), 9, np.uint8), COLORS[..., 1] // 3])
    feed = feeding.Feed(card_with(normalisation={"statistics": "input"}), image_with(planes))
    whole = feed.batch([0, 1, 2])[:, 0]
    for found, plane in zip(whole, planes, strict=True):
        assert found == pytest.approx((plane - plane.mean()) / (plane.std() or 1), abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "layout", "own"), [("volume", "NCDHW", (1, 2, 3)), ("sequence", "NTCHW", (2, 3)), ("neighbours", "NCHW", (0, 1, 2))]
)
def test_a_block_has_one_mean_and_a_sequence_one_for_each_plane(kind: str, layout: str, own: tuple[int, ...]) -> None:
    planes = RNG.integers(0, 256, (3, 8, 8)).astype(np.uint8)
    spec = {"planes": kind, "layout": layout, **({"channels": 3} if kind == "neighbours" else {})}
    found = fed(card_with(input=spec, normalisation={"statistics": "input"}), planes, 1)
    raw = fed(card_with(input=spec), planes, 1).astype(np.float64)
    assert found == pytest.approx((raw - raw.mean(axis=own, keepdims=True)) / raw.std(axis=own, keepdims=True), abs=1e-5)
