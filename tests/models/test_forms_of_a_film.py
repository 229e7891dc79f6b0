"""One film in all forms that files have: its probability is the one of the model's README, computed by numpy, Pillow and bare onnxruntime."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import tifffile
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEGBaseline8Bit, RLELossless

from tests.io.dicom.film_files import film_dataset
from viewer.cli import main as cli

MODEL = Path(__file__).parents[2] / "models" / "pneumonia-cxr" / "model.onnx"
BRIGHTNESS = np.array([0.299, 0.587, 0.114])
MOST = 4095
Array = NDArray[Any]


@cache
def session() -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(MODEL)


def bare(levels: Array) -> tuple[float, float]:
    """Probability and strangeness of levels 0 to 255, as the model's README says."""
    small = np.asarray(Image.fromarray(levels.astype(np.float32)).resize((224, 224), Image.Resampling.BILINEAR), dtype=np.float32)
    fed = ((small / 255 - 0.5) / 0.25)[None, None]
    logit, strange = session().run(["logit", "unfamiliar"], {"film": fed})
    return float(1 / (1 + np.exp(-np.float64(logit[0, 0]) / 0.5))), float(strange[0, 0])


def percentiles(values: Array, valid: Array | None = None) -> Array:
    low, high = np.percentile(values if valid is None else values[valid], [1, 99])
    levels = np.clip((values - low) / (high - low), 0, 1) * 255
    return levels if valid is None else np.where(valid, levels, 0)


def linear(values: Array, center: float, width: float) -> Array:
    return np.asarray(np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255)


def curve(first: int, entries: Array, bits: int) -> Sequence:
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new(0x00283006, "OW", entries.astype("<u2").tobytes())
    return Sequence([item])


class Made:
    """Writes forms and what they should be seen as."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.forms = folder, dict[str, Array]()

    def dicom(self, name: str, values: Array, bits: int, levels: Array, **more: Any) -> None:
        pydicom.dcmwrite(self._new(f"{name}.dcm", levels), film_dataset(values, bits, **more), enforce_file_format=True)

    def encoded(self, name: str, values: Array, stream: bytes, levels: Array, **more: Any) -> None:
        file = film_dataset(values, 8, **more)
        file.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        file.add_new(0x7FE00010, "OB", encapsulate([stream]))
        file["PixelData"].is_undefined_length = True
        pydicom.dcmwrite(self._new(f"{name}.dcm", levels), file, enforce_file_format=True)

    def rle(self, name: str, values: Array, bits: int, levels: Array) -> None:
        file = film_dataset(values, bits)
        file.compress(RLELossless, generate_instance_uid=False)
        pydicom.dcmwrite(self._new(f"{name}.dcm", levels), file, enforce_file_format=True)

    def other(self, name: str, levels: Array, write: Callable[[Path], Any]) -> None:
        write(self._new(name, levels))

    def _new(self, name: str, levels: Array) -> Path:
        assert name not in self.forms
        self.forms[name] = levels
        return self.folder / name


@pytest.fixture(scope="module")
def film(shared_data: Path) -> Array:
    """Of the films the one on which the model is least sure: what is fed wrongly shows."""
    return np.asarray(Image.open(shared_data / "cxr_native" / "person1155_virus_1934.jpg").resize((360, 212)))


@pytest.fixture(scope="module")
def forms(film: Array, tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, dict[str, dict[str, Any]]]:
    """Everything that is written, and what the program said of it in one run."""
    made = Made(tmp_path_factory.mktemp("forms"))
    dicom_forms(made, film)
    color_forms(made, film)
    picture_forms(made, film)
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", said)
        assert cli.main(["classify", *(str(made.folder / name) for name in made.forms), "--json", "--model", "pneumonia-cxr"]) == 0
    return made, {Path(result["path"]).name: result for result in json.loads(said.getvalue())["results"]}


def dicom_forms(made: Made, film: Array) -> None:
    deep = np.asarray(film.astype(int) * 14 + np.random.default_rng(5).integers(0, 14, film.shape) + 200)
    made.dicom("8 bits", film, 8, film)
    made.dicom(
        "8 bits, window and LUT of no account", film, 8, film, WindowCenter="90", WindowWidth="60", VOILUTSequence=curve(0, np.arange(256)[::-1], 8)
    )
    made.dicom("8 bits in 16", film, 8, film, BitsAllocated=16, WindowCenter="90", WindowWidth="60")
    made.dicom("8 bits rescaled", film, 8, percentiles(film), RescaleSlope="2", RescaleIntercept="-10")
    made.dicom("8 bits signed", film.astype(int) - 128, 8, percentiles(film))
    made.dicom("10 bits", deep // 4, 10, percentiles(deep // 4))
    made.dicom("16 bits signed", deep - 2000, 16, percentiles(deep))
    made.dicom("12 bits signed", deep - 2048, 12, percentiles(deep))
    made.dicom("slope", deep, 12, percentiles(deep), RescaleSlope="0.01", RescaleIntercept="-3")
    sides = dict[str, Array](plain=deep, turned=MOST - deep)
    windows: dict[str, tuple[Array, dict[str, Any], dict[str, Any]]] = {
        "no window": (percentiles(deep), {}, {}),
        "LINEAR": (linear(deep, 2000, 2600), {"WindowCenter": "2000", "WindowWidth": "2600"}, {"WindowCenter": "2096", "WindowWidth": "2600"}),
        "two windows": (
            linear(deep, 2000, 2600),
            {"WindowCenter": ["2000", "900"], "WindowWidth": ["2600", "50"]},
            {"WindowCenter": ["2096", "900"], "WindowWidth": ["2600", "50"]},
        ),
        "LINEAR_EXACT": (
            np.clip((deep - 2000) / 2600 + 0.5, 0, 1) * 255,
            {"WindowCenter": "2000", "WindowWidth": "2600", "VOILUTFunction": "LINEAR_EXACT"},
            {"WindowCenter": "2095", "WindowWidth": "2600", "VOILUTFunction": "LINEAR_EXACT"},
        ),
        "SIGMOID": (
            255 / (1 + np.exp(-4 * (deep - 2000) / 2600)),
            {"WindowCenter": "2000", "WindowWidth": "2600", "VOILUTFunction": "SIGMOID"},
            {"WindowCenter": "2095", "WindowWidth": "2600", "VOILUTFunction": "SIGMOID"},
        ),
    }
    rising = np.rint((np.arange(4096) / MOST) ** 0.6 * MOST).astype(int)
    window = {"WindowCenter": "2000", "WindowWidth": "2600"}
    lut = {"VOILUTSequence": curve(0, rising, 12)}, {"VOILUTSequence": curve(0, MOST - rising[::-1], 12)}
    windows["LUT"] = (rising[deep] / MOST * 255, *lut)
    windows["LUT before window"] = (rising[deep] / MOST * 255, lut[0] | window, lut[1] | window)
    for name, (levels, plain, turned) in windows.items():
        made.dicom(name, sides["plain"], 12, levels, **plain)
        made.dicom(f"{name}, MONOCHROME1", sides["turned"], 12, levels, PhotometricInterpretation="MONOCHROME1", **turned)
    made.dicom("INVERSE", MOST - deep, 12, percentiles(deep), PresentationLUTShape="INVERSE")
    both = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
    made.dicom("MONOCHROME1 and INVERSE", MOST - deep, 12, percentiles(deep), **both)
    made.dicom("unusable window", deep, 12, percentiles(deep), WindowCenter="2000", WindowWidth="0")
    inside = np.ones(deep.shape, dtype=bool)
    inside[:20] = inside[:, -30:] = False
    made.dicom("padding", np.where(inside, deep, 0), 12, percentiles(deep, inside), PixelPaddingValue=0)
    made.dicom("bright padding", np.where(inside, deep, MOST), 12, percentiles(deep, inside), PixelPaddingValue=MOST)
    other = np.where(inside, MOST - deep, 0)
    made.dicom("padding, MONOCHROME1", other, 12, percentiles(deep, inside), PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0)
    made.dicom("pixels not square", deep, 12, percentiles(deep), PixelAspectRatio=["2", "1"])
    made.rle("RLE", deep, 12, percentiles(deep))
    stream = io.BytesIO()
    Image.fromarray(film).save(stream, "JPEG", quality=90)
    made.encoded("JPEG", film, stream.getvalue(), np.asarray(Image.open(stream)))


def color_forms(made: Made, film: Array) -> None:
    color = np.stack([film, (film * 0.8).astype(np.uint8), 255 - film], axis=-1)
    made.dicom("RGB", color, 8, color @ BRIGHTNESS)
    made.dicom("RGB in planes", color, 8, color @ BRIGHTNESS, PlanarConfiguration=1)
    y = color @ BRIGHTNESS
    full = np.clip(np.rint(np.stack([y, (color[..., 2] - y) / 1.772 + 128, (color[..., 0] - y) / 1.402 + 128], axis=-1)), 0, 255)
    blue, red = full[..., 1] - 128, full[..., 2] - 128
    back = np.stack([full[..., 0] + 1.402 * red, full[..., 0] - 0.344136 * blue - 0.714136 * red, full[..., 0] + 1.772 * blue], axis=-1)
    made.dicom("YBR_FULL", full, 8, np.clip(np.rint(back), 0, 255) @ BRIGHTNESS, PhotometricInterpretation="YBR_FULL")
    ramp = np.arange(256)
    palette: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, entries in (("Red", ramp), ("Green", (ramp * 0.8).astype(int)), ("Blue", 255 - ramp)):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        palette[f"{name}PaletteColorLookupTableData"] = (entries * 257).astype("<u2").tobytes()
    made.dicom("PALETTE COLOR", film, 8, color @ BRIGHTNESS, **palette)
    clear = np.random.default_rng(1).integers(0, 256, film.shape).astype(np.uint8)
    made.other("alpha.png", color @ BRIGHTNESS, Image.fromarray(np.dstack([color, clear])).save)
    few = Image.fromarray(color).quantize(200)
    made.other("palette.png", np.asarray(few.convert("RGB")) @ BRIGHTNESS, few.save)
    wide = color.astype(np.uint16) * 200 + 77
    made.other("rgb16.tif", (wide >> 8) @ BRIGHTNESS, lambda path: tifffile.imwrite(path, wide, photometric="rgb"))
    stream = io.BytesIO()
    Image.fromarray(np.dstack([255 - color, np.full_like(film, 20)]), "CMYK").save(stream, "JPEG", quality=92)
    made.other("cmyk.jpg", np.asarray(Image.open(stream).convert("RGB")) @ BRIGHTNESS, lambda path: path.write_bytes(stream.getvalue()))


def picture_forms(made: Made, film: Array) -> None:
    deep = (film.astype(np.uint16) * 200 + np.random.default_rng(5).integers(0, 200, film.shape) + 5000).astype(np.uint16)
    made.other("8.png", film, Image.fromarray(film).save)
    made.other("16.png", percentiles(deep), Image.fromarray(deep).save)
    floats = (deep / 7 - 33).astype(np.float32)
    holed = floats.copy()
    holed[5:9, 7:20] = np.nan
    made.other("float.tif", percentiles(floats), lambda path: tifffile.imwrite(path, floats))
    made.other("holes.tif", percentiles(np.nan_to_num(holed), np.isfinite(holed)), lambda path: tifffile.imwrite(path, holed))
    made.other("white.tif", percentiles(deep), lambda path: tifffile.imwrite(path, 65535 - deep, photometric="miniswhite"))
    for number, stored in ((3, film[::-1, ::-1]), (6, np.rot90(film)), (5, film.T)):
        exif = Image.Exif()
        exif[274] = number
        made.other(f"turned {number}.png", film, lambda path, s=stored, e=exif: Image.fromarray(np.ascontiguousarray(s)).save(path, exif=e))  # type: ignore[misc]
    made.other("8.mha", film, lambda path: sitk.WriteImage(sitk.GetImageFromArray(film[None]), path))
    made.other("16.nrrd", percentiles(deep), lambda path: sitk.WriteImage(sitk.GetImageFromArray(deep[None]), path))
    grid = np.diag([-0.2, -0.3, 1, 1])
    nifti: Any = nibabel.Nifti1Image
    made.other("16.nii.gz", percentiles(deep), lambda path: nibabel.save(nifti(deep.T[:, :, None], grid), path))
    shown = nifti(deep.T[:, :, None], grid)
    shown.header["cal_min"], shown.header["cal_max"] = 10000, 40000
    made.other("window.nii", np.clip((deep - 10000.0) / 30000, 0, 1) * 255, lambda path: nibabel.save(shown, path))


def test_every_form_of_a_film_gets_the_probability_of_the_models_readme(forms: tuple[Made, dict[str, dict[str, Any]]]) -> None:
    made, results = forms
    assert len(made.forms) >= 50
    wrong = {}
    for name, levels in made.forms.items():
        probability, strange = bare(levels)
        result = results[name]
        found = result["labels"][0]["probability"], result["strangeness"]
        if found != (pytest.approx(probability, abs=1e-6), pytest.approx(strange, abs=1e-5)):
            wrong[name] = (*found, probability, strange)
    assert not wrong


def test_c02_a_film_and_its_monochrome1_twin_agree_in_every_form(forms: tuple[Made, dict[str, dict[str, Any]]]) -> None:
    _made, results = forms
    twins = [(name, name.replace(".dcm", ", MONOCHROME1.dcm")) for name in results if name.replace(".dcm", ", MONOCHROME1.dcm") in results]
    assert len(twins) >= 8
    for plain, turned in twins:
        one, other = (results[name]["labels"][0]["probability"] for name in (plain, turned))
        assert one == pytest.approx(other, abs=1e-6), plain


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("8 bits.dcm", "8 bits as they are"),
        ("LINEAR.dcm", "window of the file"),
        ("no window.dcm", "percentiles 1 to 99"),
        ("LUT before window.dcm", "VOI LUT of the file"),
        ("unusable window.dcm", "percentiles 1 to 99"),
    ],
)
def test_a_result_says_which_way_its_values_went(forms: tuple[Made, dict[str, dict[str, Any]]], name: str, said: str) -> None:
    facts = forms[1][name]["facts"]
    assert (facts["values"], facts["fit"]) == (said, "squeezed")
