"""Siemens mosaics (CONVENTIONS D52) against nibabel, on the real files that it ships, and on made ones."""

from __future__ import annotations

import gzip
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest

from viewer.io import dicom
from viewer.io.dicom.csa import BadHeader, read_csa

# Its readers warn that they are experimental when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:The DICOM readers are highly experimental")
DATA = Path(nibabel.__file__).parent / "nicom" / "tests" / "data"


def nicom() -> Any:
    from nibabel.nicom import csareader, dicomwrappers

    return csareader, dicomwrappers


@pytest.fixture
def real(tmp_path: Path) -> list[Path]:
    """Two time points of a diffusion series: 48 planes of 128 x 128 in 7 x 7 tiles. Its pixels were blanked: here they are noise."""
    if not (DATA / "siemens_dwi_0.dcm.gz").exists():
        pytest.skip("this nibabel has no mosaic files")
    files = [tmp_path / name for name in ("b", "a")]
    for path, number in zip(files, ("0", "1000"), strict=True):
        path.write_bytes(gzip.decompress((DATA / f"siemens_dwi_{number}.dcm.gz").read_bytes()))
        noise = np.random.default_rng(int(number)).integers(0, 4096, (896, 896)).astype("<u2").tobytes()
        changed(path, lambda d, noise=noise: setattr(d, "PixelData", noise))  # type: ignore[misc]
    return files


def changed(path: Path, change: Callable[[pydicom.Dataset], None]) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def turned_back(csa: bytes) -> bytes:
    """The header with the slice normal turned round: each of its three numbers with the other sign."""
    place = csa.index(b"SliceNormalVector\0") + 84
    out = bytearray(csa)
    for _ in range(3):
        length = struct.unpack_from("<4i", csa, place)[1]
        text = csa[place + 16 : place + 16 + length].split(b"\0")[0].strip()
        other = text[1:] if text.startswith(b"-") else b"-" + text[: length - 2]
        out[place + 16 : place + 16 + length] = other.ljust(length, b"\0")
        place += 16 + length + (-length) % 4
    return bytes(out)


# --- the private header ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["csa2_b0.bin", "csa2_b1000.bin", "csa_str_valid.bin"])
def test_csa_headers_hold_what_nibabel_finds(name: str) -> None:
    csareader, _wrappers = nicom()
    if not (DATA / name).exists():
        pytest.skip(f"this nibabel has no {name}")
    data = (DATA / name).read_bytes()
    theirs = csareader.read(data)["tags"]
    ours = read_csa(data)
    for key, tag in theirs.items():
        kept = [i for i in tag["items"] if i not in (None, "")]
        assert len(ours.get(key, ())) == len(kept), key
        for mine, expected in zip(ours.get(key, ()), kept, strict=True):
            assert (float(mine) == pytest.approx(expected)) if isinstance(expected, int | float) else mine == str(expected).strip()


def test_the_old_layout_is_read_too() -> None:
    """Made by hand, for nibabel's own reader fails on it: no SV10, lengths told relative to the number of items of the first element."""

    def element(name: str, vm: int, texts: list[str], items: int) -> bytes:
        out = name.encode().ljust(64, b"\0") + struct.pack("<i4siii", vm, b"FD\0\0", 4, items, 77)
        for n in range(items):
            value = texts[n].encode() + b"\0" if n < len(texts) else b""
            out += struct.pack("<4i", len(value) + 6, 0, 77, 0) + value + b"\0" * (-len(value) % 4)
        return out

    data = struct.pack("<2i", 2, 77) + element("NumberOfImagesInMosaic", 1, ["5"], 6) + element("SliceNormalVector", 3, ["0.6", "0.0", "0.8"], 6)
    assert read_csa(data) == {"NumberOfImagesInMosaic": ("5",), "SliceNormalVector": ("0.6", "0.0", "0.8")}


@pytest.mark.parametrize("damage", [b"", b"SV10", b"SV10\4\3\2\1", b"SV10\4\3\2\1" + struct.pack("<2i", 10**6, 77), b"rubbish" * 40])
def test_what_is_no_csa_header_is_said_to_be_none(damage: bytes) -> None:
    with pytest.raises(BadHeader):
        read_csa(damage)


def test_a_csa_header_cut_anywhere_ends_in_an_error_or_a_shorter_list() -> None:
    if not (DATA / "csa2_b0.bin").exists():
        pytest.skip("this nibabel has no CSA headers")
    data = (DATA / "csa2_b0.bin").read_bytes()
    for length in range(0, len(data), 97):
        try:
            read_csa(data[:length])
        except BadHeader:
            continue


# --- cutting -----------------------------------------------------------------------------------------------------------


def test_d52_a_real_mosaic_series_has_nibabels_voxels_in_nibabels_places(real: list[Path], inline_pool: Any) -> None:
    _csareader, wrappers = nicom()
    (entry,) = dicom.scan(real).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (entry.shape, entry.phases, entry.kind) == ((48, 128, 128), 2, "volume")
    assert volume.phase_labels == ("b 0 s/mm²", "b 1000 s/mm²")
    assert "MOSAIC" not in volume.badges
    for phase, path in enumerate(real):
        truth = wrappers.wrapper_from_file(str(path))
        np.testing.assert_array_equal(volume.phase(phase), np.transpose(truth.get_data(), (2, 0, 1)))
    for index in ((0, 0, 0), (47, 127, 127), (20, 3, 99)):
        k, j, i = index
        np.testing.assert_allclose(volume.geometry.to_patient(index), (truth.affine @ (j, i, k, 1))[:3], atol=1e-3)
    assert "7 x 7 tiles" in " ".join(n.text for n in volume.notes)


def test_d52_one_plane_alone_is_that_plane(real: list[Path], inline_pool: Any) -> None:
    (entry,) = dicom.scan(real).series
    whole = dicom.load(entry, pool=inline_pool)
    for plane, phase in ((0, 0), (31, 1), (47, 0)):
        one = dicom.load_plane(entry, plane, phase, pool=inline_pool)
        np.testing.assert_array_equal(one.values[0], whole.phase(phase)[plane])
        np.testing.assert_allclose(one.geometry.origin, whole.geometry.to_patient((plane, 0, 0)), atol=1e-9)


def test_d52_planes_against_the_normal_come_out_in_their_places(real: list[Path], inline_pool: Any) -> None:
    _csareader, wrappers = nicom()
    path = changed(real[0], lambda d: setattr(d[0x0029, 0x1010], "value", turned_back(bytes(d[0x0029, 0x1010].value))))
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    truth = wrappers.wrapper_from_file(str(path))
    data = truth.get_data()
    assert np.linalg.det(volume.geometry.matrix) == pytest.approx(1)
    np.testing.assert_array_equal(volume.values, np.transpose(data, (2, 0, 1))[::-1])
    for j, i, k in ((60, 64, 0), (60, 64, 47), (33, 70, 20)):
        place = (truth.affine @ (j, i, k, 1))[:3]
        index = volume.geometry.nearest(place)
        assert index == (47 - k, j, i)
        np.testing.assert_allclose(volume.geometry.to_patient(index), place, atol=1e-3)


# --- what cannot be cut -----------------------------------------------------------------------------------------------


def drop(tag: tuple[int, int]) -> Callable[[pydicom.Dataset], None]:
    def change(dataset: pydicom.Dataset) -> None:
        del dataset[tag]

    return change


def without_count(dataset: pydicom.Dataset) -> None:
    del dataset[0x0019, 0x100A]
    value = bytes(dataset[0x0029, 0x1010].value)
    dataset[0x0029, 0x1010].value = value.replace(b"NumberOfImagesInMosaic", b"NumberOfImagesInMosaik")


def cut_short(dataset: pydicom.Dataset) -> None:
    dataset[0x0029, 0x1010].value = bytes(dataset[0x0029, 0x1010].value)[:300]


def wrong_normal(dataset: pydicom.Dataset) -> None:
    value = bytes(dataset[0x0029, 0x1010].value)
    dataset[0x0029, 0x1010].value = value.replace(b"SliceNormalVector", b"SliceNormalVectos")


def many_tiles(dataset: pydicom.Dataset) -> None:
    dataset[0x0019, 0x100A].value = 60000


@pytest.mark.parametrize(
    ("change", "reason"),
    [(drop((0x0029, 0x1010)), "is missing"), (without_count, "number of its tiles"), (cut_short, "is damaged"), (wrong_normal, "SliceNormalVector"),
     (many_tiles, "60000 tiles cannot be")],
)  # fmt: skip
def test_d52_a_mosaic_that_cannot_be_cut_is_one_picture_with_its_reason(real: list[Path], inline_pool: Any, change: Any, reason: str) -> None:
    (entry,) = dicom.scan([changed(real[0], change)]).series
    assert entry.shape == (1, 896, 896)
    assert re.search(f"shown as one picture: .*{re.escape(reason)}", " ".join(entry.warnings))
    assert "MOSAIC" in dicom.load(entry, pool=inline_pool).badges


def test_d52_a_mosaic_whose_tiles_do_not_divide_it_says_so() -> None:
    if not (DATA / "0.dcm").exists():
        pytest.skip("this nibabel has no mosaic files")
    (entry,) = dicom.scan([DATA / "0.dcm"]).series
    assert any("256 rows and 256 columns cannot be cut into 7 x 7 tiles" in w for w in entry.warnings)
