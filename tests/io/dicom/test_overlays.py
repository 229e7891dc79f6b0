"""Overlays and shutters as files write them (CONVENTIONS D44, D45)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.data
import pytest

from viewer.core.volume import Volume
from viewer.io import dicom

ROWS, COLUMNS = 6, 10
STORED = np.arange(60, dtype=np.uint16).reshape(ROWS, COLUMNS)


def load(path: Path, pool) -> Volume:
    (entry,) = dicom.scan([path]).series
    return dicom.load(entry, pool=pool)


def with_elements(path: Path, *elements: tuple[int, str, Any]) -> Path:
    dataset = pydicom.dcmread(path)
    for tag, kind, value in elements:
        dataset.add_new(tag, kind, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


def overlay(bits: np.ndarray, *, origin: tuple[int, int] = (1, 1), group: int = 0x6000, kind: str = "G", big: bool = False, **more: Any) -> list[Any]:
    """Elements of one overlay; ``bits`` (rows, columns) or (frames, rows, columns)."""
    base = group << 16
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    packed += b"\0" * (len(packed) % 2)
    if big:
        packed = np.frombuffer(packed, "<u2").astype(">u2").tobytes()
    found = [
        (base | 0x10, "US", bits.shape[-2]), (base | 0x11, "US", bits.shape[-1]), (base | 0x40, "CS", kind), (base | 0x50, "SS", list(origin)),
        (base | 0x100, "US", 1), (base | 0x102, "US", 0), (base | 0x3000, "OW", packed),
    ]  # fmt: skip
    if bits.ndim == 3:
        found.append((base | 0x15, "IS", str(bits.shape[0])))
    for tag, (vr, value) in more.items():
        found.append((base | int(tag[1:], 16), vr, value))
    return found


def drawn(volume: Volume) -> dict[tuple[int, int, int], np.ndarray]:
    return {(g.phase, g.plane, g.number): g.mask(volume.geometry.shape[2]) for g in volume.graphics}


def words(volume: Volume) -> str:
    return " ".join(note.text for note in volume.notes)


@pytest.mark.parametrize("name", ["MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm"])
def test_d44_real_overlays_equal_pydicoms_bit_by_bit(name: str, inline_pool) -> None:
    path = Path(str(pydicom.data.get_testdata_file(name, download=False)))
    volume = load(path, inline_pool)
    dataset = pydicom.dcmread(path)
    expected = dataset.overlay_array(0x6000)
    row, column = (n - 1 for n in dataset[0x6000, 0x0050].value)
    placed = np.zeros(volume.geometry.shape[1:], bool)
    placed[row : row + expected.shape[0], column : column + expected.shape[1]] = expected
    assert placed.any()
    assert np.array_equal(drawn(volume)[0, 0, 1], placed)


@pytest.mark.parametrize("origin", [(1, 1), (0, -2), (3, 5), (-5, 1), (6, 10)])
def test_d44_the_origin_is_counted_from_one_and_may_lie_outside(write_dicom, inline_pool, origin: tuple[int, int]) -> None:
    bits = np.random.default_rng(3).integers(0, 2, (7, 9)).astype(bool)
    bits[0, 0] = bits[-1, -1] = True
    volume = load(with_elements(write_dicom("a", STORED), *overlay(bits, origin=origin)), inline_pool)
    expected = np.zeros((ROWS, COLUMNS), bool)
    for r, c in np.argwhere(bits):
        at = r + origin[0] - 1, c + origin[1] - 1
        if 0 <= at[0] < ROWS and 0 <= at[1] < COLUMNS:
            expected[at] = True
    assert np.array_equal(drawn(volume).get((0, 0, 1), np.zeros_like(expected)), expected)
    assert np.array_equal(volume.values[0], STORED)


def test_d44_an_overlay_outside_of_the_image_or_empty_is_told_and_not_drawn(write_dicom, inline_pool) -> None:
    volume = load(with_elements(write_dicom("a", STORED), *overlay(np.ones((2, 2), bool), origin=(50, 50))), inline_pool)
    assert volume.graphics == ()
    assert "outside" in words(volume)


def test_d44_frames_of_an_overlay_begin_at_their_image_frame(write_dicom, inline_pool) -> None:
    frames = np.random.default_rng(4).integers(0, 2, (2, 3, 5)).astype(bool)
    path = write_dicom("a", np.stack([STORED] * 4), Modality="US", ImagePositionPatient=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1")
    volume = load(with_elements(path, *overlay(frames, origin=(2, 2), t51=("US", 3))), inline_pool)
    found = drawn(volume)
    assert sorted(found) == [(2, 0, 1), (3, 0, 1)]
    for n in range(2):
        assert np.array_equal(found[2 + n, 0, 1][1:4, 1:6], frames[n])


def test_d44_d10_an_overlay_inside_of_the_pixels_is_taken_out_and_then_masked(write_dicom, inline_pool) -> None:
    bits = np.random.default_rng(5).integers(0, 2, (ROWS, COLUMNS)).astype(bool)
    stored = (STORED * 60) | (bits.astype(np.uint16) << 14)
    path = write_dicom("a", stored, BitsStored=12, HighBit=11)
    elements = [e for e in overlay(bits) if e[0] & 0xFFFF not in (0x100, 0x102, 0x3000)]
    volume = load(with_elements(path, *elements, (0x60000100, "US", 16), (0x60000102, "US", 14)), inline_pool)
    assert np.array_equal(volume.values[0], STORED * 60)
    assert np.array_equal(drawn(volume)[0, 0, 1], bits)


def test_d44_overlay_words_of_big_endian_files(write_dicom, inline_pool) -> None:
    bits = np.random.default_rng(6).integers(0, 2, (ROWS, COLUMNS)).astype(bool)
    path = write_dicom("a", STORED, syntax="1.2.840.10008.1.2.2")
    volume = load(with_elements(path, *overlay(bits, big=True)), inline_pool)
    assert np.array_equal(drawn(volume)[0, 0, 1], bits)


def test_d44_each_slice_has_its_own_overlay_with_kind_and_name(write_dicom, inline_pool) -> None:
    paths = []
    for n in range(3):
        bits = np.zeros((ROWS, COLUMNS), bool)
        bits[n, n] = True
        path = write_dicom(f"{n}", STORED, ImagePositionPatient=[0, 0, -n])
        paths.append(with_elements(path, *overlay(bits, group=0x6002, kind="R", t1500=("LO", "HEART"))))
    (entry,) = dicom.scan(paths).series
    volume = dicom.load(entry, pool=inline_pool)
    assert [(g.plane, g.number, g.kind, g.name) for g in volume.graphics] == [(n, 2, "region", "HEART") for n in range(3)]
    for (_phase, plane, _number), mask in drawn(volume).items():
        assert np.argwhere(mask).tolist() == [[2 - plane, 2 - plane]]  # the last file is the lowest plane
    assert "HEART" in words(volume)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ((0x60000010, "US", 0), "no size"),
        ((0x60000010, "US", 60000), "bytes"),
        ((0x60003000, "OW", b""), "bytes"),
    ],
)
def test_d44_a_damaged_overlay_costs_a_note_and_never_the_image(write_dicom, inline_pool, change: tuple[int, str, Any], word: str) -> None:
    path = with_elements(write_dicom("a", STORED), *overlay(np.ones((ROWS, COLUMNS), bool)), change)
    volume = load(path, inline_pool)
    assert np.array_equal(volume.values[0], STORED)
    assert volume.graphics == ()
    assert word in words(volume)


def test_d45_shutters_are_counted_from_one_and_change_no_voxel(write_dicom, inline_pool) -> None:
    changes = {
        "ShutterShape": ["RECTANGULAR", "CIRCULAR", "POLYGONAL"], "ShutterLeftVerticalEdge": 3, "ShutterRightVerticalEdge": 8,
        "ShutterUpperHorizontalEdge": 2, "ShutterLowerHorizontalEdge": 5, "CenterOfCircularShutter": [3, 5], "RadiusOfCircularShutter": 2,
        "VerticesOfThePolygonalShutter": [1, 1, 1, 10, 6, 10, 6, 1], "ShutterPresentationValue": 0x8000,
    }  # fmt: skip
    volume = load(write_dicom("a", STORED, **changes), inline_pool)
    shutter = volume.shutter
    assert shutter is not None
    assert (shutter.rectangle, shutter.circle, shutter.level) == ((1, 4, 2, 7), (2, 4, 2), 0x80)
    assert shutter.polygon == ((0, 0), (0, 9), (5, 9), (5, 0))
    seen = {(r, c) for r, c in np.ndindex(ROWS, COLUMNS) if 1 <= r <= 4 and 2 <= c <= 7 and (r - 2) ** 2 + (c - 4) ** 2 <= 4}
    assert {(int(r), int(c)) for r, c in np.argwhere(~shutter.covered(ROWS, COLUMNS))} == seen
    assert np.array_equal(volume.values[0], STORED)
    assert "RECTANGULAR, CIRCULAR, POLYGONAL" in words(volume)


def test_d45_a_shutter_made_of_an_overlay_is_no_picture(write_dicom, inline_pool) -> None:
    bits = np.eye(ROWS, COLUMNS, dtype=bool)
    path = write_dicom("a", STORED, ShutterShape="BITMAP", ShutterOverlayGroup=0x6004)
    volume = load(with_elements(path, *overlay(bits, group=0x6004)), inline_pool)
    assert volume.shutter is not None
    assert np.array_equal(volume.shutter.covered(ROWS, COLUMNS), bits)
    assert volume.graphics == ()


def test_d45_a_shutter_that_is_not_whole_covers_nothing(write_dicom, inline_pool) -> None:
    assert load(write_dicom("a", STORED, ShutterShape="RECTANGULAR", ShutterLeftVerticalEdge=3), inline_pool).shutter is None
    assert (
        load(write_dicom("b", STORED, ShutterShape="CIRCULAR", CenterOfCircularShutter=[3, 5], RadiusOfCircularShutter=0), inline_pool).shutter
        is None
    )
