"""TIFF stacks against tifffile, and the one resolution in a TIFF that is a size: ImageJ's with a unit."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from viewer.io import open as opening

VALUES = np.random.default_rng(3).integers(0, 65536, (5, 6, 7), dtype=np.uint16)


def opened(path, pool):
    (entry,) = opening.find([path]).series
    return opening.load(entry, pool=pool)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"bigtiff": True}, {"byteorder": ">"}, {"rowsperstrip": 2}])
def test_16_bit_stacks_equal_tifffile(tmp_path, inline_pool, options):
    tifffile.imwrite(tmp_path / "a.tif", VALUES, photometric="minisblack", **options)
    volume = opened(tmp_path / "a.tif", inline_pool)
    assert np.array_equal(volume.values, tifffile.imread(tmp_path / "a.tif"))
    assert np.array_equal(volume.values, VALUES)
    assert volume.geometry.unit == "px"


@pytest.mark.parametrize(("unit", "scale"), [("mm", 1), ("cm", 10), ("um", 1e-3), ("micron", 1e-3), ("\\u00B5m", 1e-3), ("inch", 25.4)])
def test_imagej_spacing_is_used_and_said(tmp_path, inline_pool, unit, scale):
    tifffile.imwrite(tmp_path / "a.tif", VALUES, imagej=True, resolution=(2.0, 4.0), metadata={"axes": "ZYX", "unit": unit, "spacing": 3.0})
    volume = opened(tmp_path / "a.tif", inline_pool)
    assert np.array_equal(volume.values, VALUES)
    assert volume.geometry.spacing == pytest.approx((3 * scale, scale / 4, scale / 2))
    assert volume.geometry.between_known
    assert not volume.geometry.is_patient
    assert any("ImageJ" in note.text for note in volume.notes if note.topic == "spacing")


@pytest.mark.parametrize("unit", ["pixel", "", "sec", "furlong"])
def test_other_units_are_no_millimetres(tmp_path, inline_pool, unit):
    tifffile.imwrite(tmp_path / "a.tif", VALUES, imagej=True, resolution=(2.0, 4.0), metadata={"axes": "ZYX", "unit": unit, "spacing": 3.0})
    assert opened(tmp_path / "a.tif", inline_pool).geometry.unit == "px"


def test_resolution_of_a_print_is_not_used_and_that_is_said(tmp_path, inline_pool):
    Image.fromarray(VALUES[0].astype(np.uint8)).save(tmp_path / "a.tif", dpi=(300, 300))
    volume = opened(tmp_path / "a.tif", inline_pool)
    assert volume.geometry.unit == "px"
    assert any("300 dots per inch was not used" in note.text for note in volume.notes)


@pytest.mark.parametrize("resolution", [(0, 1), (2**32 - 1, 1), (1, 2**32 - 1)])
def test_senseless_resolutions_are_no_spacing(tmp_path, inline_pool, resolution):
    description = "ImageJ=1.53\nimages=5\nunit=mm\nspacing=nan"
    tifffile.imwrite(
        tmp_path / "a.tif", VALUES, photometric="minisblack", description=description, metadata=None, resolution=(resolution, resolution)
    )
    geometry = opened(tmp_path / "a.tif", inline_pool).geometry
    assert all(np.isfinite(geometry.spacing))
    assert min(geometry.spacing) > 0
    assert not geometry.between_known


def test_images_that_cannot_be_found_are_missed_aloud(tmp_path, inline_pool):
    tifffile.imwrite(tmp_path / "a.tif", VALUES[0], description="ImageJ=1.53\nimages=9\nslices=9", metadata=None, photometric="minisblack")
    assert any("9 images, but only 1" in warning for warning in opened(tmp_path / "a.tif", inline_pool).warnings)
