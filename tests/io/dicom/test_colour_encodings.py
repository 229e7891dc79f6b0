"""One picture of patches in every encoding of colour that DICOM has: the same red, green, blue (CONVENTIONS D38 to D41, RELIABILITY C28)."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, convert_color_space

from viewer.core.annotation import Annotation
from viewer.core.measure import measure_annotation
from viewer.io import dicom

SIDE = 32
# Saturated, dark, pale and grey; patches of 32 pixels, so that subsampled chroma changes at block borders only.
PATCHES = [(254, 0, 0), (0, 200, 0), (0, 0, 254), (255, 255, 0), (10, 10, 10), (250, 240, 245), (128, 64, 200), (90, 90, 90)]
RGB = np.repeat(np.repeat(np.array(PATCHES, np.uint8).reshape(2, 4, 3), SIDE, 0), SIDE, 1)
# By the formula of PS3.3 C.7.6.3.1.2, in double; pydicom's conversion is the second oracle.
_TO_YBR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
YBR = np.clip(np.rint(RGB @ _TO_YBR.T + (0, 128, 128)), 0, 255).astype(np.uint8)

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
JPEG, JPEG_LS, J2K, J2K_LOSSY, HTJ2K, RLE = (
    f"1.2.840.10008.1.2.{s}" for s in ("4.50", "4.80", "4.90", "4.91", "4.201", "5")
)  # fmt: skip


def full_422() -> bytes:
    pairs = YBR.reshape(*YBR.shape[:1], -1, 2, 3)
    return np.stack([pairs[..., 0, 0], pairs[..., 1, 0], pairs[..., 0, 1], pairs[..., 0, 2]], -1).tobytes()


def partial_422() -> bytes:
    scaled = np.rint((YBR - (0.0, 128, 128)) * (219 / 255, 224 / 255, 224 / 255) + (16, 128, 128)).astype(np.uint8)
    pairs = scaled.reshape(*YBR.shape[:1], -1, 2, 3)
    return np.stack([pairs[..., 0, 0], pairs[..., 1, 0], pairs[..., 0, 1], pairs[..., 0, 2]], -1).tobytes()


def rle(samples: np.ndarray) -> bytes:
    """One segment a colour, with runs of up to 128 (PS3.5 G.3)."""
    segments = []
    for channel in range(3):
        out = bytearray()
        for row in samples[..., channel]:
            for start in range(0, len(row), SIDE):
                out += bytes([257 - SIDE, row[start]])
        segments.append(bytes(out) + b"\0" * (len(out) % 2))
    offsets = np.zeros(16, "<u4")
    offsets[0] = 3
    offsets[1:4] = 64 + np.cumsum([0, *(len(s) for s in segments[:-1])])
    return offsets.tobytes() + b"".join(segments)


def pillow(quality: int, *, is_rgb: bool = False) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "JPEG", quality=quality, subsampling="4:2:2" if not is_rgb else "4:4:4", keep_rgb=is_rgb)
    return buffer.getvalue()


def jpeg_ls(samples: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpegls_encode(samples))


def j2k(samples: np.ndarray, *, mct: bool, **more: Any) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(samples, mct=mct, codecformat="j2k", **{"reversible": True, **more}))


ENCODINGS: dict[str, tuple[str, str, int, Callable[[], bytes]]] = {
    "RGB, pixel by pixel": (EXPLICIT, "RGB", 0, RGB.tobytes),
    "RGB, colour by colour": (IMPLICIT, "RGB", 1, lambda: RGB.transpose(2, 0, 1).tobytes()),
    "RGB, big endian words": (BIG, "RGB", 0, RGB.tobytes),
    "YBR_FULL": (EXPLICIT, "YBR_FULL", 0, YBR.tobytes),
    "YBR_FULL, colour by colour": (EXPLICIT, "YBR_FULL", 1, lambda: YBR.transpose(2, 0, 1).tobytes()),
    "YBR_FULL_422": (EXPLICIT, "YBR_FULL_422", 0, full_422),
    "YBR_PARTIAL_422": (EXPLICIT, "YBR_PARTIAL_422", 0, partial_422),
    "RLE of RGB": (RLE, "RGB", 0, lambda: rle(RGB)),
    "RLE of YBR_FULL": (RLE, "YBR_FULL", 0, lambda: rle(YBR)),
    "JPEG of YBR_FULL_422": (JPEG, "YBR_FULL_422", 0, lambda: pillow(100)),
    "JPEG of RGB": (JPEG, "RGB", 0, lambda: pillow(100, is_rgb=True)),
    "JPEG-LS of RGB": (JPEG_LS, "RGB", 0, lambda: jpeg_ls(RGB)),
    "JPEG-LS of YBR_FULL": (JPEG_LS, "YBR_FULL", 0, lambda: jpeg_ls(YBR)),
    "JPEG 2000, reversible": (J2K, "YBR_RCT", 0, lambda: j2k(RGB, mct=True)),
    "JPEG 2000, irreversible": (J2K_LOSSY, "YBR_ICT", 0, lambda: j2k(RGB, mct=True, reversible=False, level=60)),
    "JPEG 2000 of RGB": (J2K, "RGB", 0, lambda: j2k(RGB, mct=False)),
    "HTJ2K, reversible": (HTJ2K, "YBR_RCT", 0, lambda: bytes(imagecodecs.htj2k_encode(RGB, reversible=True))),
    "JPEG 2000 of YBR_FULL": (J2K, "YBR_FULL", 0, lambda: j2k(YBR, mct=False)),
}  # fmt: skip


@pytest.fixture
def shown(write_dicom, inline_pool) -> Callable[..., np.ndarray]:
    def show(content: bytes, **changes: Any) -> np.ndarray:
        shape = {"Rows": 2 * SIDE, "Columns": 4 * SIDE, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
        path: Path = write_dicom("a", content, **{**shape, **changes})
        (entry,) = dicom.scan([path]).series
        assert entry.is_color
        return dicom.load(entry, pool=inline_pool).values[0].astype(int)

    return show


@pytest.mark.parametrize("name", ENCODINGS)
def test_c28_every_encoding_shows_the_same_patches(shown: Callable[..., np.ndarray], name: str) -> None:
    syntax, photometric, planar, made = ENCODINGS[name]
    content = made()
    if syntax not in (IMPLICIT, EXPLICIT, BIG):
        content = encapsulate([content])
    found = shown(content, syntax=syntax, SamplesPerPixel=3, PhotometricInterpretation=photometric, PlanarConfiguration=planar)
    inside = np.ones(RGB.shape[:2], bool)  # the borders of patches may bleed where chroma is subsampled
    for edge in range(0, 4 * SIDE + 1, SIDE):
        inside[:, max(0, edge - 2) : edge + 2] = False
        if edge <= 2 * SIDE:
            inside[max(0, edge - 2) : edge + 2] = False
    worst = np.abs(found - RGB)[inside].max()
    assert worst <= 2, f"{worst} grey levels"


def test_d39_our_conversion_is_pydicoms_to_a_rounding() -> None:
    from viewer.io.dicom.colour import to_rgb

    every = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    ours = to_rgb(every.copy(), "YBR_FULL", 8).astype(int)
    assert np.abs(ours - convert_color_space(every, "YBR_FULL", "RGB")).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("first", [0, 3])
def test_d41_palettes_of_8_and_16_bits_show_the_same_patches(shown: Callable[..., np.ndarray], bits: int, first: int) -> None:
    index = np.repeat(np.repeat(np.arange(8, dtype=np.uint8).reshape(2, 4) + first, SIDE, 0), SIDE, 1)
    changes: dict[str, Any] = {}
    for n, name in enumerate(("Red", "Green", "Blue")):
        table = np.array(PATCHES)[:, n]
        changes[f"{name}PaletteColorLookupTableDescriptor"] = [8, first, bits]
        changes[f"{name}PaletteColorLookupTableData"] = (table * 257).astype("<u2").tobytes() if bits == 16 else table.astype(np.uint8).tobytes()
    assert np.array_equal(shown(index.tobytes(), PhotometricInterpretation="PALETTE COLOR", **changes), RGB)


@pytest.mark.parametrize("bits", [8, 16])
def test_d41_segmented_palettes_equal_pydicoms(write_dicom, inline_pool, bits: int) -> None:
    import pydicom

    kind, top = ("<u2", 257) if bits == 16 else (np.uint8, 1)
    offset = [0, 0] if bits == 16 else [0, 0, 0, 0]
    codes = [0, 2, 0, 40 * top, 1, 20, 240 * top, 2, 2, *offset, 0, 1, 255 * top]
    content = np.array(codes).astype(kind).tobytes()
    count = 2 + 20 + 2 + 20 + 1
    changes: dict[str, Any] = {}
    for name in ("Red", "Green", "Blue"):
        changes[f"{name}PaletteColorLookupTableDescriptor"] = [count, 0, bits]
        changes[f"Segmented{name}PaletteColorLookupTableData"] = content + b"\0" * (len(content) % 2)
    stored = np.arange(count, dtype=np.uint8)[None]
    path = write_dicom("a", stored, PhotometricInterpretation="PALETTE COLOR", **changes)
    (entry,) = dicom.scan([path]).series
    expected = apply_color_lut(stored, pydicom.dcmread(path))
    expected = expected >> 8 if bits == 16 else expected
    assert np.abs(dicom.load(entry, pool=inline_pool).values[0].astype(int) - expected).max() <= 1


def test_d41_a_colour_cine_by_palette_has_each_frames_colours_and_indices(write_dicom, inline_pool) -> None:
    frames = np.random.default_rng(2).integers(0, 8, (3, 4, 6), dtype=np.uint8)
    changes: dict[str, Any] = {"FrameTime": 50, "Modality": "US", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.3.1", "ImagePositionPatient": None}
    for n, name in enumerate(("Red", "Green", "Blue")):
        changes[f"{name}PaletteColorLookupTableDescriptor"] = [8, 0, 8]
        changes[f"{name}PaletteColorLookupTableData"] = np.array(PATCHES)[:, n].astype(np.uint8).tobytes()
    (entry,) = dicom.scan([write_dicom("a", frames, PhotometricInterpretation="PALETTE COLOR", **changes)]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (volume.kind, volume.phases, volume.is_color) == ("cine", 3, True)
    assert np.array_equal(volume.data[:, 0], np.array(PATCHES, np.uint8)[frames])
    assert volume.phase_seconds == pytest.approx((0, 0.05, 0.1))
    assert volume.indices is not None
    assert np.array_equal(volume.indices[:, 0], frames)
    ellipse = Annotation("a", "ellipse", volume.id, ((2.5, 1.5, 0.0), (99.0, 1.5, 0.0), (2.5, 99.0, 0.0)), phase=1)
    found = {m.name: (m.value, m.unit) for m in measure_annotation(ellipse, volume).measures}
    assert found["Mean"] == (pytest.approx(frames[1].mean()), "index")


def test_d42_a_colour_profile_is_told_by_a_badge(write_dicom, inline_pool) -> None:
    path = write_dicom("a", RGB, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0, ICCProfile=b"\0" * 128)
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert "ICC not applied" in volume.badges
    assert any("ICC" in note.text and note.is_warning for note in volume.notes)
