"""What goes into a model: values, polarity, frame, size, channels, order of axes, each by an oracle of its own."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image as Picture
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

sys.path.insert(0, str(Path(__file__).parent))
from classifier_samples import card_with, image_with

from plugins.classify import feeding, framing, levels
from plugins.classify.devices import CPU
from viewer.core.errors import ModelUnusable, NegatoscopeError, Refused
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.resources import models_folder
from viewer.core.volume import ValueScale, Volume
from viewer.core.window import VoiLut, Window
from viewer.io import open as opening
from viewer.jobs.pool import Pool
from viewer.session.apply import Scope, image_of
from viewer.session.models import read_card

RNG = np.random.default_rng(16)
DEEP = RNG.integers(-1000, 3000, (8, 8)).astype(np.int16)
BYTES = RNG.integers(0, 256, (8, 8)).astype(np.uint8)


def fed(card: Any, image: Image, plane: int = 0) -> np.ndarray:
    return np.asarray(feeding.plane_input(card, image, plane))


def pillow(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return np.asarray(Picture.fromarray(values.astype(np.float32)).resize((columns, rows), Picture.Resampling.BILINEAR))


# --- values ---


def test_pictures_of_eight_bits_go_in_as_they_are_and_are_normalised() -> None:
    card = card_with(normalisation={"scale": 255.0, "mean": [0.485], "std": [0.229]})
    assert fed(card, image_with(BYTES))[0] == pytest.approx((BYTES / 255 - 0.485) / 0.229, abs=1e-6)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ({"kind": "range", "low": -1000.0, "high": 400.0}, -1000.0, 400.0),
        ({"kind": "window", "center": 40.0, "width": 400.0}, -160.0, 240.0),
        ({"kind": "percentiles", "percentiles": [2.0, 97.5]}, *np.percentile(DEEP, [2.0, 97.5])),
        ({"kind": "window-or-range", "percentiles": [0.5, 99.5]}, *np.percentile(DEEP, [0.5, 99.5])),
    ],
    ids=["range", "window", "percentiles", "no window"],
)
def test_values_are_linear_between_the_cards_ends_and_clipped(kind: Any, values: dict[str, Any], low: float, high: float) -> None:
    card = card_with(values={**values, "out_range": [-1.0, 1.0]})
    by_hand = np.clip((DEEP.astype(float) - low) / (high - low), 0, 1) * 2 - 1
    assert fed(card, image_with(DEEP.astype(kind)))[0] == pytest.approx(by_hand, abs=1e-6)


def test_the_files_window_is_applied_by_dicoms_formula() -> None:
    # PS3.3 C.11.2.1.2.1: ((x - (c - 0.5)) / (w - 1) + 0.5) * 255.
    by_hand = np.clip(((DEEP - (600 - 0.5)) / (1500 - 1) + 0.5) * 255, 0, 255)
    assert fed(card_with(), image_with(DEEP, window=Window(600, 1500)))[0] == pytest.approx(by_hand, abs=1e-4)


def test_d34_each_plane_goes_through_its_own_window() -> None:
    deep = np.stack([DEEP, DEEP, DEEP])
    image = image_with(deep, window=Window(0, 10), plane_windows=(Window(0, 1000, "LINEAR_EXACT"), Window(500, 2000, "LINEAR_EXACT"), None))
    assert fed(card_with(), image, 0)[0] == pytest.approx(np.clip((DEEP + 500) / 1000, 0, 1) * 255, abs=1e-4)
    assert fed(card_with(), image, 1)[0] == pytest.approx(np.clip((DEEP + 500) / 2000, 0, 1) * 255, abs=1e-4)
    low, high = np.percentile(DEEP, [1, 99])
    assert fed(card_with(), image, 2)[0] == pytest.approx(np.clip((DEEP - low) / (high - low), 0, 1) * 255, abs=1e-3)


def test_d34_what_goes_to_an_operation_has_the_windows_of_its_planes() -> None:
    windows = tuple(Window(n, 100) for n in range(3))
    volume = Volume("v", np.zeros((1, 3, 4, 5), np.int16), Geometry((3, 4, 5)), windows=windows[:1], plane_windows=(windows,))
    assert image_of(volume, Scope()).plane_windows == windows
    assert image_of(volume, Scope("slice", 0, 2)).plane_windows == windows[2:]
    assert image_of(volume, Scope("slice", 1, 2)).plane_windows == ()


@pytest.mark.parametrize("turned", [False, True])
def test_d32_the_files_curve_is_applied_as_pydicom_does_before_its_windows(turned: bool) -> None:
    path = Path(str(pydicom.data.get_testdata_file("vlut_04.dcm", download=False)))
    (entry,) = opening.find([path]).series
    with Pool(inline=True) as pool:
        volume = opening.load(entry, pool=pool)
    dataset = pydicom.dcmread(path)
    curve = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset, prefer_lut=True)
    expected = curve * 255.0 / ((1 << dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1)
    image = replace(image_of(volume, Scope()), window=Window(600, 1500), is_inverted=turned)
    sized = {"height": "any", "width": "any"}
    card = card_with(input=sized, values={"eight_bit": "as-others"})
    assert fed(card, image)[0] == pytest.approx(255 - expected if turned else expected, abs=1e-4)
    assert float(np.ptp(expected)) > 100
    for values in ({"kind": "percentiles"}, {"kind": "window", "center": 600.0, "width": 1500.0}):
        other = card_with(input=sized, values={"eight_bit": "as-others", **values})
        assert np.array_equal(fed(other, image), fed(other, replace(image, lut=None)))


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_d32_a_curve_by_hand_is_clamped_at_its_ends_and_padding_stays_dark(kind: Any) -> None:
    values = np.asarray([[-9, -2, -1, 0], [1, 2, 3, 99]], kind)
    lut = VoiLut(-1, (0, 1, 7, 15), 4)
    image = image_with(values, lut=lut, padding=(-9.0, -9.0))
    expected = np.asarray([[0, 0, 0, 1], [7, 15, 15, 15]]) * 255 / 15
    assert fed(card_with(input={"height": 2, "width": 4}), image)[0] == pytest.approx(expected, abs=1e-4)
    picture = card_with(task="image", classes=[], input={"height": 2, "width": 4})
    assert np.array_equal(fed(picture, image), fed(picture, replace(image, lut=None))), "a picture that goes back to values goes by a line"


def test_the_cards_window_wins_over_the_files() -> None:
    card = card_with(values={"kind": "window", "center": 0.0, "width": 100.0})
    assert np.array_equal(fed(card, image_with(DEEP, window=Window(600, 1500))), fed(card, image_with(DEEP)))


def test_eight_bits_are_treated_as_others_where_the_card_says_so_and_where_they_have_a_unit() -> None:
    values = {"kind": "range", "low": 50.0, "high": 150.0}
    by_hand = np.clip((BYTES.astype(float) - 50) / 100, 0, 1) * 255
    assert fed(card_with(values={**values, "eight_bit": "as-others"}), image_with(BYTES))[0] == pytest.approx(by_hand, abs=1e-4)
    assert fed(card_with(values=values), image_with(BYTES, unit="HU"))[0] == pytest.approx(by_hand, abs=1e-4)
    assert fed(card_with(values=values), image_with(BYTES))[0] == pytest.approx(BYTES.astype(float), abs=1e-4)


@pytest.mark.parametrize(("unit", "words"), [("Bq/mL", "those of this image are in Bq/mL"), ("", "not known")])
def test_values_in_another_unit_are_refused_in_a_sentence(unit: str, words: str) -> None:
    card = card_with(values={"kind": "range", "low": -1000.0, "high": 400.0, "unit": "HU"})
    with pytest.raises(Refused, match=f"takes values in HU.*{words}"):
        fed(card, image_with(DEEP, unit=unit))


def test_a_further_unit_of_the_image_is_taken_by_its_factor() -> None:
    card = card_with(values={"kind": "range", "low": 1.0, "high": 10.0, "unit": "SUVbw"})
    image = image_with(np.abs(DEEP), unit="Bq/mL", scales=(ValueScale("SUVbw", 0.005),))
    assert fed(card, image)[0] == pytest.approx(np.clip((np.abs(DEEP) * 0.005 - 1) / 9, 0, 1) * 255, abs=1e-4)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_padding_and_what_is_no_number_are_at_the_lower_end_and_count_for_nothing(kind: Any) -> None:
    values = DEEP.astype(kind)
    values[:2] = -2000
    if kind is np.float32:
        values[3, 3] = np.nan
    inside = np.asarray(DEEP, dtype=float)[2:].ravel()
    if kind is np.float32:
        inside = np.delete(inside, 8 + 3)
    low, high = np.percentile(inside, [1, 99])
    by_hand = np.clip((DEEP - low) / (high - low), 0, 1) * 255
    by_hand[:2] = 0
    if kind is np.float32:
        by_hand[3, 3] = 0
    assert fed(card_with(), image_with(values, padding=(-2000.0, -2000.0)))[0] == pytest.approx(by_hand, abs=1e-3)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16])
def test_percentiles_are_numpys(dtype: Any) -> None:
    limits = np.iinfo(dtype)
    for count in (1, 2, 50, 5000):
        values = RNG.integers(limits.min, limits.max + 1, count).astype(dtype)
        found = levels._counted_percentiles([values[: count // 2], values[count // 2 :]], [2.5, 99.0], None)
        assert found == pytest.approx(np.percentile(values.astype(float), [2.5, 99.0]), abs=1e-6)


def test_the_image_is_not_written_and_axes_may_lie_in_any_order() -> None:
    values = np.moveaxis(RNG.integers(0, 4000, (8, 8, 3)).astype(np.int16), 2, 0)
    kept = values.copy()
    values.flags.writeable = False
    assert np.array_equal(fed(card_with(), image_with(values), 1), fed(card_with(), image_with(np.ascontiguousarray(values)), 1))
    assert np.array_equal(values, kept)


# --- polarity: a film and its MONOCHROME1 twin, as files ---


def dicom_film(path: Path, stored: np.ndarray, photometric: str, **more: Any) -> Path:
    made = pydicom.Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    bits = 8 if stored.dtype == np.uint8 else 12
    values = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "SOPInstanceUID": generate_uid(), "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(), "Modality": "CR", "BodyPartExamined": "CHEST", "Rows": stored.shape[0], "Columns": stored.shape[1],
        "SamplesPerPixel": 1, "PhotometricInterpretation": photometric, "BitsAllocated": stored.dtype.itemsize * 8, "BitsStored": bits,
        "HighBit": bits - 1, "PixelRepresentation": 0, **more,
    }  # fmt: skip
    for keyword, value in values.items():
        setattr(made, keyword, value)
    made.PixelData = stored.tobytes()
    made["PixelData"].VR = "OB" if bits == 8 else "OW"
    made.save_as(path, enforce_file_format=True)
    return path


def opened(path: Path, pool: Pool) -> Image:
    (entry,) = opening.find([path]).series
    return image_of(opening.load(entry, pool=pool), Scope())


@pytest.mark.parametrize("values", [{}, {"kind": "percentiles", "percentiles": [0.5, 97.0]}, {"out_range": [0.0, 1.0]}], ids=str)
@pytest.mark.parametrize("function", ["", "LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_c02_a_film_and_its_monochrome1_twin_go_in_alike(tmp_path: Path, inline_pool: Pool, function: str, values: dict[str, Any]) -> None:
    stored = RNG.integers(0, 4096, (40, 50)).astype(np.uint16)
    more = [{}, {}]
    if function:
        # The twin's window is the mirror image of the film's: its black end lies where the other's white end is.
        centers = (1900.0, 4095 - 1900.0 + (1 if function == "LINEAR" else 0))
        more = [{"WindowCenter": c, "WindowWidth": 2500.0, "VOILUTFunction": function} for c in centers]
    film = opened(dicom_film(tmp_path / "film", stored, "MONOCHROME2", **more[0]), inline_pool)
    twin = opened(dicom_film(tmp_path / "twin", 4095 - stored, "MONOCHROME1", **more[1]), inline_pool)
    assert twin.is_inverted
    card = card_with(values=values, normalisation={"scale": 255.0})
    assert fed(card, twin) == pytest.approx(fed(card, film), abs=1e-6)
    assert fed(card, film).std() > 0.02 * (1 if "out_range" not in values else 1 / 255)
    as_stored = card_with(values=values, normalisation={"scale": 255.0}, input={"polarity": "as-stored"})
    assert np.corrcoef(fed(as_stored, twin).ravel(), fed(as_stored, film).ravel())[0, 1] < -0.9


def test_c02_a_film_of_eight_bits_and_its_twin_go_in_alike(tmp_path: Path, inline_pool: Pool) -> None:
    stored = RNG.integers(0, 256, (40, 50)).astype(np.uint8)
    film = opened(dicom_film(tmp_path / "film", stored, "MONOCHROME2"), inline_pool)
    twin = opened(dicom_film(tmp_path / "twin", 255 - stored, "MONOCHROME1"), inline_pool)
    assert np.array_equal(fed(card_with(), twin), fed(card_with(), film))
    assert fed(card_with(), film)[0] == pytest.approx(pillow(stored, 8, 8), abs=1e-4)


# --- frame and size ---

WIDE = RNG.integers(0, 256, (30, 47)).astype(np.uint8)
TALL = np.ascontiguousarray(WIDE.T)


@pytest.mark.parametrize("values", [WIDE, TALL], ids=["wide", "tall"])
@pytest.mark.parametrize("size", [(8, 8), (8, 20), (20, 8), (60, 60)], ids=str)
def test_squeeze_crop_and_pad_are_pillows_bilinear_of_the_part(values: np.ndarray, size: tuple[int, int]) -> None:
    rows, columns = values.shape
    whole = image_with(values)
    height, width = size

    def of(**more: Any) -> np.ndarray:
        return fed(card_with(input={"height": height, "width": width, **more}), whole)[0]

    assert of() == pytest.approx(pillow(values, *size), abs=1e-4)
    across, down = min(columns, round(rows * width / height)), min(rows, round(columns * height / width))
    left, top = (columns - across) // 2, (rows - down) // 2
    assert of(fit="crop") == pytest.approx(pillow(values[top : top + down, left : left + across], *size), abs=1e-4)
    across, down = max(columns, round(rows * width / height)), max(rows, round(columns * height / width))
    left, top = (across - columns) // 2, (down - rows) // 2
    margins = ((top, down - rows - top), (left, across - columns - left))
    assert of(fit="pad") == pytest.approx(pillow(np.pad(values, margins, mode="edge"), *size), abs=1e-4)
    assert of(fit="pad", pad_value=7.0) == pytest.approx(pillow(np.pad(values, margins, constant_values=7), *size), abs=1e-4)


@pytest.mark.parametrize(("method", "filter_"), [("bicubic", Picture.Resampling.BICUBIC), ("nearest", Picture.Resampling.NEAREST)])
@pytest.mark.parametrize("size", [(8, 8), (61, 20)], ids=str)
def test_other_ways_to_change_the_size_are_pillows(method: str, filter_: Picture.Resampling, size: tuple[int, int]) -> None:
    expected = np.asarray(Picture.fromarray(WIDE.astype(np.float32)).resize((size[1], size[0]), filter_))
    card = card_with(input={"height": size[0], "width": size[1], "interpolation": method})
    assert fed(card, image_with(WIDE))[0] == pytest.approx(expected, abs=1e-3)
    with pytest.raises(ModelUnusable, match="bicubic"):
        card_with(input={"interpolation": "bicubic", "antialias": False})


@pytest.mark.parametrize("size", [(8, 8), (61, 20)], ids=str)
def test_without_antialiasing_a_pixel_is_the_value_at_its_centre(size: tuple[int, int]) -> None:
    rows, columns = WIDE.shape
    by_hand = np.empty(size)
    for r in range(size[0]):
        for c in range(size[1]):
            y = min(max((r + 0.5) * rows / size[0] - 0.5, 0), rows - 1)
            x = min(max((c + 0.5) * columns / size[1] - 0.5, 0), columns - 1)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, rows - 1), min(x0 + 1, columns - 1)
            upper = WIDE[y0, x0] * (1 - (x - x0)) + WIDE[y0, x1] * (x - x0)
            lower = WIDE[y1, x0] * (1 - (x - x0)) + WIDE[y1, x1] * (x - x0)
            by_hand[r, c] = upper * (1 - (y - y0)) + lower * (y - y0)
    card = card_with(input={"height": size[0], "width": size[1], "antialias": False})
    assert fed(card, image_with(WIDE))[0] == pytest.approx(by_hand, abs=1e-3)


def test_a_model_without_a_size_gets_the_plane_as_it_is_filled_up_to_its_multiple() -> None:
    card = card_with(input={"height": "any", "width": "any"})
    assert np.array_equal(fed(card, image_with(WIDE))[0], WIDE.astype(np.float32))
    card = card_with(input={"height": "any", "width": "any", "multiple": 16})
    assert np.array_equal(fed(card, image_with(WIDE))[0], np.pad(WIDE, ((0, 2), (0, 1)), mode="edge").astype(np.float32))


LEANING = Geometry(
    (3, 40, 60), (-20.0, 15.0, 7.0), (2.0, 0.9, 0.8), plane_origins=((-20.0, 15.0, 7.0), (-20.0, 15.4, 9.0), (-20.0, 16.2, 13.0))
)  # fmt: skip
_S = 0.35
TURNED = Geometry((3, 40, 60), (-20.0, 15.0, 7.0), (2.0, 0.9, 0.8), (np.cos(_S), -np.sin(_S), 0.0, np.sin(_S), np.cos(_S), 0.0, 0.0, 0.0, 1.0))


@pytest.mark.parametrize("geometry", [TURNED, LEANING, LEANING.permuted((1, 0, 2)), LEANING.permuted((2, 1, 0))], ids=["turned", "leaning", "1", "2"])
@pytest.mark.parametrize("fit", ["squeeze", "crop", "pad"])
@pytest.mark.parametrize("coordinate", [0, 1, 2])
def test_a_box_says_where_the_inputs_pixels_lie_in_the_patient(geometry: Geometry, fit: str, coordinate: int) -> None:
    """A picture of x (or y, z) itself: what the model gets of it must be x at the places that the box names."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"), axis=-1)
    places = geometry.to_patient(index)[..., coordinate].astype(np.float32)
    card = card_with(
        input={"height": 10, "width": 14, "fit": fit}, values={"kind": "range", "low": -500.0, "high": 500.0, "out_range": [-500.0, 500.0]}
    )
    box = feeding.film_box(card, geometry)
    assert box.shape == (geometry.shape[0], 10, 14)
    at = box.to_patient(np.stack(np.meshgrid(*(np.arange(n) for n in box.shape), indexing="ij"), axis=-1))
    inside = np.array([[all(-0.01 < geometry.to_index(p)[a] < geometry.shape[a] - 0.99 for a in (0, 1, 2)) for p in row] for row in at[1]])
    # Away from the edges, where the triangle of the filter is cut, and where planes are not evenly apart no filter keeps a slope.
    ring = np.pad(inside, 1)
    inside &= ring[:-2, 1:-1] & ring[2:, 1:-1] & ring[1:-1, :-2] & ring[1:-1, 2:]
    even = geometry.plane_axis == 0 or not geometry.plane_origins
    if even:
        assert inside.sum() >= 24
        assert fed(card, image_with(places, geometry=geometry), 1)[0][inside] == pytest.approx(at[1, ..., coordinate][inside], abs=0.1)
    coarse = feeding.film_box(card, geometry, cells=(5, 7))
    middle = coarse.to_patient([1, 2, 3]), box.to_patient([1, 4.5, 6.5])
    assert middle[0] == pytest.approx(middle[1], abs=1e-6 if even else 3)


@pytest.mark.parametrize("fit", ["squeeze", "crop", "pad"])
@pytest.mark.parametrize("size", [(10, 14), (47, 30), (120, 120)], ids=str)
def test_a_models_picture_comes_back_to_where_it_was_taken(fit: str, size: tuple[int, int]) -> None:
    ramp = np.add.outer(np.arange(30) * 3.0, np.arange(47) * 2.0).astype(np.float32)
    card = card_with(input={"height": size[0], "width": size[1], "fit": fit})
    frame = framing.frame_of(card, 30, 47)
    there = framing.fitted(card, frame, ramp[frame.inner], pad=None)
    back = framing.unfitted(frame, there, method="bilinear", outside=-1.0)
    assert back.shape == ramp.shape
    inside = np.zeros(ramp.shape, bool)
    inside[frame.inner] = True
    assert np.all(back[~inside] == -1.0)
    core = inside.copy()
    core[:6], core[-6:], core[:, :7], core[:, -7:] = False, False, False, False
    if fit == "crop":
        rows, columns = frame.inner
        core[: rows.start + 6], core[rows.stop - 6 :], core[:, : columns.start + 7], core[:, columns.stop - 7 :] = False, False, False, False
    assert back[core] == pytest.approx(ramp[core], abs=0.3)


# --- channels, layouts, types ---

COLOR = RNG.integers(0, 256, (8, 8, 3)).astype(np.uint8)


def test_grey_is_repeated_and_colour_goes_in_as_red_green_blue() -> None:
    three = card_with(input={"channels": 3}, normalisation={"scale": 255.0, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]})
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    by_hand = (BYTES[None] / 255 - mean[:, None, None]) / std[:, None, None]
    assert fed(three, image_with(BYTES)) == pytest.approx(by_hand, abs=1e-5)
    by_hand = ((COLOR / 255 - mean) / std).transpose(2, 0, 1)
    assert fed(three, image_with(COLOR)) == pytest.approx(by_hand, abs=1e-5)


def test_a_grey_model_gets_the_brightness_of_colour_or_refuses_it_in_a_sentence() -> None:
    by_hand = COLOR @ np.array([0.299, 0.587, 0.114])
    assert fed(card_with(), image_with(COLOR))[0] == pytest.approx(by_hand, abs=1e-3)
    with pytest.raises(Refused, match=r'^The model "Squares" takes grey images only; this one is in colour\.'):
        fed(card_with(input={"grey_only": True}), image_with(COLOR))


def test_layouts_are_the_same_numbers_in_another_order() -> None:
    first = fed(card_with(input={"channels": 3}), image_with(COLOR))
    last = fed(card_with(input={"channels": 3, "layout": "NHWC"}), image_with(COLOR))
    flat = fed(card_with(input={"channels": 3, "layout": "NF"}), image_with(COLOR))
    assert np.array_equal(last, COLOR.astype(np.float32))
    assert np.array_equal(first.transpose(1, 2, 0), last)
    assert np.array_equal(flat, COLOR.astype(np.float32).ravel())
    assert first.flags.c_contiguous
    assert last.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "uint8", "int32"])
def test_inputs_have_the_type_that_the_graph_asks_for(dtype: str) -> None:
    given = fed(card_with(input={"dtype": dtype}), image_with(WIDE))
    assert given.dtype == np.dtype(dtype)
    assert given[0].astype(float) == pytest.approx(np.rint(pillow(WIDE, 8, 8)) if "int" in dtype else pillow(WIDE, 8, 8), abs=0.2)


# --- several planes ---

STACK = RNG.integers(0, 256, (7, 8, 8)).astype(np.uint8)


@pytest.mark.parametrize(("plane", "taken"), [(0, [0, 0, 0, 1, 2]), (3, [1, 2, 3, 4, 5]), (6, [4, 5, 6, 6, 6])])
def test_neighbours_are_channels_and_edges_are_repeated(plane: int, taken: list[int]) -> None:
    card = card_with(input={"channels": 5, "planes": "neighbours"})
    assert np.array_equal(fed(card, image_with(STACK), plane), STACK[taken].astype(np.float32))


def test_neighbours_share_one_range_of_values() -> None:
    deep = np.stack([DEEP, DEEP + 500, DEEP * 2])
    low, high = np.percentile(deep, [1, 99])
    card = card_with(input={"channels": 3, "planes": "neighbours"})
    assert fed(card, image_with(deep), 1) == pytest.approx(np.clip((deep - low) / (high - low), 0, 1) * 255, abs=1e-3)


@pytest.mark.parametrize(
    ("depth", "fit", "taken"),
    [
        ("any", "squeeze", [0, 1, 2, 3, 4, 5, 6]),
        (7, "squeeze", [0, 1, 2, 3, 4, 5, 6]),
        (4, "crop", [1, 2, 3, 4]),
        (10, "crop", [0, 0, 1, 2, 3, 4, 5, 6, 6, 6]),
        (10, "pad", [0, 0, 1, 2, 3, 4, 5, 6, 6, 6]),
    ],
)
def test_a_block_of_planes_in_both_orders_of_axes(depth: Any, fit: str, taken: list[int]) -> None:
    options = {"planes": "volume", "depth": depth, "fit": fit}
    first = fed(card_with(input={**options, "layout": "NCDHW"}), image_with(STACK))
    assert np.array_equal(first, STACK[taken][None].astype(np.float32))
    last = fed(card_with(input={**options, "layout": "NDHWC", "channels": 3}), image_with(STACK))
    assert np.array_equal(last, np.repeat(STACK[taken][..., None], 3, axis=-1).astype(np.float32))


def test_a_block_is_padded_with_the_cards_level() -> None:
    given = fed(card_with(input={"planes": "volume", "layout": "NCDHW", "depth": 10, "fit": "pad", "pad_value": 9.0}), image_with(STACK))
    assert np.all(given[0, [0, 8, 9]] == 9.0)
    assert np.array_equal(given[0, 1:8], STACK.astype(np.float32))


@pytest.mark.parametrize("depth", [3, 14])
def test_a_block_is_resampled_along_the_planes_as_pictures_are(depth: int) -> None:
    given = fed(card_with(input={"planes": "volume", "layout": "NCDHW", "depth": depth}), image_with(STACK))
    by_hand = np.stack([pillow(STACK[:, row], depth, 8) for row in range(8)], axis=1)
    assert given[0] == pytest.approx(by_hand, abs=1e-3)


def test_a_box_of_a_block_has_the_inputs_planes() -> None:
    card = card_with(input={"planes": "volume", "layout": "NCDHW", "depth": 3, "height": 40, "width": 60})
    box = feeding.film_box(card, TURNED.resampled((1.0, 0.9, 0.8)))
    assert box.shape == (3, 40, 60)
    assert box.spacing == pytest.approx((2.0, 0.9, 0.8))
    assert box.origin == pytest.approx(TURNED.origin, abs=1e-9)


@pytest.mark.parametrize(("depth", "taken"), [("any", [0, 1, 2, 3, 4, 5, 6]), (4, [0, 2, 4, 6]), (3, [0, 3, 6]), (9, None)])
def test_a_sequence_takes_all_planes_or_some_evenly(depth: Any, taken: list[int] | None) -> None:
    feed = feeding.Feed(card_with(input={"planes": "sequence", "layout": "NTCHW", "depth": depth}), image_with(STACK))
    given = feed.batch([0])
    assert feed.count == 1
    if taken is None:
        assert given.shape == (1, 9, 1, 8, 8)
        assert (feed.planes_of(0)[0], feed.planes_of(0)[-1]) == (0, 6)
        assert sorted(feed.planes_of(0)) == list(feed.planes_of(0))
    else:
        assert np.array_equal(given, STACK[taken][None, :, None].astype(np.float32))
        last = feeding.Feed(card_with(input={"planes": "sequence", "layout": "NTHWC", "depth": depth}), image_with(STACK)).batch([0])
        assert np.array_equal(last, STACK[taken][None, ..., None].astype(np.float32))


@pytest.mark.parametrize(("planes", "layout"), [("volume", "NCDHW"), ("sequence", "NTCHW")])
def test_one_plane_is_refused_by_a_model_of_volumes_in_a_sentence(planes: str, layout: str) -> None:
    with pytest.raises(NegatoscopeError, match=r'^The model "Squares" takes a volume of several planes; this image is one plane\.'):
        feeding.Feed(card_with(input={"planes": planes, "layout": layout, "depth": "any"}), image_with(BYTES))


def test_batches_are_the_planes_one_by_one_whatever_their_size() -> None:
    image = image_with(STACK)
    for batch in ("dynamic", 1, 3, 16):
        feed = feeding.Feed(card_with(input={"batch": batch}), image)
        seen: list[int] = []
        for indices in feed.parts(range(7), CPU):
            inputs = feed.batch(indices)
            assert len(inputs) == (len(indices) if batch == "dynamic" else batch)
            for index, values in zip(indices, inputs, strict=False):
                assert np.array_equal(values[0], STACK[index].astype(np.float32))
            seen += indices
        assert seen == list(range(7))


def test_the_picture_of_what_goes_in_is_before_normalisation() -> None:
    card = card_with(normalisation={"scale": 255.0, "mean": [0.5]}, values={"out_range": [-1.0, 1.0]})
    assert feeding.fed_picture(card, image_with(WIDE), 0).dtype == np.uint8
    assert feeding.fed_picture(card, image_with(WIDE), 0).astype(float) == pytest.approx(pillow(WIDE, 8, 8), abs=0.51)
    assert np.array_equal(feeding.fed_picture(card_with(input={"channels": 3}), image_with(COLOR), 0), COLOR)
    whole = card_with(input={"planes": "volume", "layout": "NCDHW", "depth": "any"})
    assert np.array_equal(feeding.fed_picture(whole, image_with(STACK), 3), STACK[3])
    assert np.array_equal(feeding.fed_picture(whole, image_with(STACK[3]), 0), STACK[3])


# --- the training code of the shipped model ---


def training_code() -> Any:
    """How the films were prepared for training: numpy and Pillow only."""
    path = models_folder() / "pneumonia-cxr" / "films.py"
    spec = importlib.util.spec_from_file_location("pneumonia_cxr_films", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


def test_what_the_shipped_model_gets_is_what_it_was_trained_on(shared_data: Path, inline_pool: Pool) -> None:
    """Native films, as files, through reading, levels and fitting, against the training code itself: to 1e-5."""
    code, card = training_code(), read_card(models_folder() / "pneumonia-cxr")
    films = sorted((shared_data / "cxr_native").glob("*.jpg"))
    assert len(films) >= 6
    for path in films:
        with Picture.open(path) as picture:
            expected = code.prepared(code.squeezed(picture))
        image = opened(path, inline_pool)
        assert fed(card, image)[0] == pytest.approx(expected, abs=1e-5), path.name
