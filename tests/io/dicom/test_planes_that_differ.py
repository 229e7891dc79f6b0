"""Series whose files differ in VOI LUT or padding: each plane is shown and counted as its own file says, held against pydicom and numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.pixels import apply_voi_lut, apply_windowing
from pydicom.sequence import Sequence

from tests.cli.calls import run
from viewer.core.annotation import Annotation
from viewer.core.measure import measure_annotation
from viewer.core.render import auto_window, levels
from viewer.core.volume import Volume
from viewer.core.window import VoiLut, Window
from viewer.io import dicom
from viewer.io.dicom import plane_windows
from viewer.io.stream import Stream
from viewer.jobs.pool import Pool
from viewer.session import hand
from viewer.session.alone import first_state
from viewer.session.explain import as_text, explain
from viewer.session.statistics import value_range
from viewer.session.view import ViewWish

STORED = np.arange(64, dtype=np.uint16).reshape(8, 8)
CURVES = (np.arange(64) ** 2, 4095 - 60 * np.arange(64), np.full(64, 7).cumsum() % 4096)


def lut(entries: Any, *, first: int = 0, bits: int = 12) -> Sequence:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries), first, bits])
    item.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    return Sequence([item])


def film(write: Any, n: int, stored: np.ndarray = STORED, **more: Any) -> Path:
    return Path(
        write(f"{n}", stored, ImagePositionPatient=[0, 0, n], InstanceNumber=n + 1, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4", **more)
    )


def load(files: list[Path] | Path, pool: Pool) -> Volume:
    (entry,) = dicom.scan(files if isinstance(files, list) else [files]).series
    return dicom.load(entry, pool=pool)


def shown(volume: Volume, plane: int, wish: ViewWish | None = None) -> np.ndarray:
    """Levels of a plane on screen."""
    state = first_state(volume, ViewWish(volume.id, index=plane) if wish is None else wish)
    assert state.display is not None
    return levels(volume.values[plane], state.display)


def by_pydicom(path: Path, bits: int = 12) -> np.ndarray:
    dataset = pydicom.dcmread(path)
    return np.rint(apply_voi_lut(dataset.pixel_array, dataset) * (255 / (2**bits - 1))).astype(np.uint8)


def notes(volume: Volume, *, warnings: bool = False) -> str:
    return " ".join(note.text for note in volume.notes if note.is_warning or not warnings)


# --- VOI LUT (D32) ---


def test_d32_each_plane_is_shown_through_the_voi_lut_of_its_own_file(write_dicom: Any, inline_pool: Pool) -> None:
    files = [film(write_dicom, n, VOILUTSequence=lut(curve)) for n, curve in enumerate(CURVES)]
    volume = load(files, inline_pool)
    for n, path in enumerate(files):
        assert np.array_equal(shown(volume, n), by_pydicom(path)), n
    assert "Planes differ in VOI LUT (3 in all)" in notes(volume)
    state = first_state(volume, ViewWish(volume.id, index=0))
    assert "this plane’s own file" in as_text(explain(state))
    # A reformat has values of all planes: the middle file's.
    assert first_state(volume, ViewWish(volume.id, plane="coronal", index=2)).display.lut.table == tuple(CURVES[1])


def test_d32_a_plane_that_is_read_alone_is_shown_through_its_own(write_dicom: Any, inline_pool: Pool) -> None:
    files = [film(write_dicom, n, VOILUTSequence=lut(curve)) for n, curve in enumerate(CURVES)]
    (entry,) = dicom.scan(files).series
    for n, path in enumerate(files):
        assert np.array_equal(shown(dicom.load_plane(entry, n, 0, pool=inline_pool), 0), by_pydicom(path)), n


def test_d32_equal_voi_luts_are_no_luts_of_planes_and_are_read_once(write_dicom: Any, inline_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_args: Any, **_more: Any) -> Any:
        raise AssertionError("read again")

    monkeypatch.setattr(plane_windows, "parse", never)
    volume = load([film(write_dicom, n, VOILUTSequence=lut(CURVES[0]), WindowCenter=n + 1, WindowWidth=9) for n in range(3)], inline_pool)
    assert volume.plane_windows == ()
    assert "differ" not in notes(volume)
    assert [shown(volume, n).tolist() for n in range(3)] == [by_pydicom(Path(str(film(write_dicom, 9, VOILUTSequence=lut(CURVES[0]))))).tolist()] * 3


@pytest.mark.parametrize("with_lut", [0, 1, 2])
def test_d32_a_voi_lut_on_one_plane_leaves_the_others_their_windows(write_dicom: Any, inline_pool: Pool, with_lut: int) -> None:
    more = [{"VOILUTSequence": lut(CURVES[0])} if n == with_lut else {"WindowCenter": 20 + n, "WindowWidth": 30} for n in range(3)]
    files = [film(write_dicom, n, **more[n]) for n in range(3)]
    volume = load(files, inline_pool)
    for n, path in enumerate(files):
        dataset = pydicom.dcmread(path)
        windowed = apply_windowing(dataset.pixel_array, dataset).astype(float)  # of unsigned values of 16 bits: 0 to 65535
        expected = by_pydicom(path) if n == with_lut else np.rint(windowed * (255 / 65535))
        assert np.abs(shown(volume, n) - expected).max() <= (0 if n == with_lut else 1), n


def test_d32_a_plane_without_voi_lut_or_window_takes_the_middle_files_and_it_is_said(write_dicom: Any, inline_pool: Pool) -> None:
    files = [film(write_dicom, n, **({"VOILUTSequence": lut(CURVES[n])} if n else {})) for n in range(3)]
    volume = load(files, inline_pool)
    assert np.array_equal(shown(volume, 0), by_pydicom(files[1]))
    assert "Planes without a VOI LUT or window of their own" in notes(volume, warnings=True)


def test_d32_d48_frames_of_one_file_have_voi_luts_of_their_own(write_dicom: Any, inline_pool: Pool) -> None:
    groups = []
    for n, curve in enumerate(CURVES):
        place, voi, group = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, n]
        voi.VOILUTSequence = lut(curve)
        group.PlanePositionSequence, group.FrameVOILUTSequence = Sequence([place]), Sequence([voi])
        groups.append(group)
    enhanced = {"Modality": "XA", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.12.1.1", "ImagePositionPatient": None}
    volume = load(write_dicom("a", np.stack([STORED] * 3), PerFrameFunctionalGroupsSequence=Sequence(groups), **enhanced), inline_pool)
    for n, curve in enumerate(CURVES):
        assert np.array_equal(shown(volume, n), np.rint(curve[STORED] * (255 / 4095))), n


def test_d32_a_broken_voi_lut_of_one_plane_is_said(write_dicom: Any, inline_pool: Pool) -> None:
    broken = lut(CURVES[2])
    broken[0][0x00283006].value = b"\1\0"
    files = [film(write_dicom, n, VOILUTSequence=broken if n == 2 else lut(CURVES[n]), WindowCenter=30, WindowWidth=20) for n in range(3)]
    volume = load(files, inline_pool)
    assert "1 plane has a VOI LUT that is broken" in notes(volume, warnings=True)
    assert first_state(volume, ViewWish(volume.id, index=2)).window == Window(30, 20)
    assert np.array_equal(shown(volume, 0), by_pydicom(files[0]))


def test_voi_luts_that_would_fill_the_memory_are_left_out_and_said(write_dicom: Any, inline_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane_windows, "MOST_ENTRIES", 64)
    volume = load([film(write_dicom, n, VOILUTSequence=lut(CURVES[n])) for n in range(3)], inline_pool)
    assert [isinstance(one, VoiLut) for one in volume.plane_windows[0]] == [True, True, False]
    assert "too much to keep" in notes(volume, warnings=True)


def test_d34_a_drag_stretches_the_planes_own_curve_and_key_0_brings_it_back(write_dicom: Any, inline_pool: Pool) -> None:
    files = [film(write_dicom, n, VOILUTSequence=lut(curve), WindowCenter=30, WindowWidth=20) for n, curve in enumerate(CURVES)]
    volume = load(files, inline_pool)
    wish = ViewWish(volume.id, index=0)
    dragged = hand.windowed(wish, first_state(volume, wish), 40, 0)
    state = first_state(volume, dragged)
    assert state.display.lut.table == tuple(CURVES[0])
    assert "W/L manual" in state.badges
    assert "stretched" in as_text(explain(state))
    assert np.array_equal(shown(volume, 0, hand.with_next_file_window(dragged, state)), by_pydicom(files[0]))
    # From the curves of the planes to the window, and back.
    second = hand.with_next_file_window(wish, first_state(volume, wish))
    assert first_state(volume, second).window == Window(30, 20)
    back = hand.with_next_file_window(second, first_state(volume, second))
    assert np.array_equal(shown(volume, 0, back), by_pydicom(files[0]))


# --- padding (D15) ---


def padded(paddings: tuple[Any, ...], *, seed: int = 3, low: int = 1, high: int = 900) -> tuple[np.ndarray, np.ndarray]:
    """Planes of noise with the upper half at the plane's own padding (a number, or a range of two); and which pixels these are."""
    random = np.random.default_rng(seed)
    stored = random.integers(low, high, (len(paddings), 8, 8)).astype(np.int16)
    fill = np.zeros(stored.shape, dtype=bool)
    for n, one in enumerate(paddings):
        if one is not None:
            first, last = one if isinstance(one, tuple) else (one, one)
            stored[n, :4] = random.integers(first, last + 1, (4, 8))
            fill[n, :4] = True
    return stored, fill


def ct(write: Any, n: int, stored: np.ndarray, padding: Any, **more: Any) -> Path:
    first, last = padding if isinstance(padding, tuple) else (padding, None)
    limits = {"PixelPaddingValue": first, "PixelPaddingRangeLimit": last}
    place = {"ImagePositionPatient": [0, 0, n], "InstanceNumber": n + 1, "PixelSpacing": [1, 1]}
    return Path(write(f"{n}", stored, **{"RescaleSlope": 1, "RescaleIntercept": 0, **place, **limits, **more}))


def left_out(volume: Volume) -> np.ndarray:
    assert volume.padding is not None
    return (volume.values >= volume.padding[0]) & (volume.values <= volume.padding[1])


@pytest.mark.parametrize(
    "paddings",
    [(-2000, -2000, 0), (0, -2000, -1000), (-2000, None, None), (None, -2000, None), ((-2000, -1500), -3000, -1800), (0, (-9, -5), None)],
    ids=str,
)
def test_d15_each_planes_own_padding_is_left_out_and_no_true_value(write_dicom: Any, inline_pool: Pool, paddings: tuple[Any, ...]) -> None:
    stored, fill = padded(paddings)
    volume = load([ct(write_dicom, n, stored[n], paddings[n]) for n in range(3)], inline_pool)
    assert np.array_equal(left_out(volume), fill)
    assert np.array_equal(volume.values[~fill], stored[~fill])
    assert value_range(volume) == (stored[~fill].min(), stored[~fill].max())
    window = auto_window(volume)
    assert (window.low, window.high) == pytest.approx(tuple(np.percentile(stored[1][~fill[1]], (1, 99))))
    assert "each plane’s own are left out" in notes(volume)
    for n in range(3):
        whole = Annotation("a", "ellipse", volume.id, ((3.5, 3.5, float(n)), (13.5, 3.5, float(n)), (3.5, 13.5, float(n))))
        found = {m.name: m.value for m in measure_annotation(whole, volume).measures}
        assert found["Mean"] == pytest.approx(stored[n][~fill[n]].mean(), rel=1e-9)


def test_d15_a_value_that_is_padding_on_one_plane_and_true_on_another_is_both(write_dicom: Any, inline_pool: Pool) -> None:
    stored, fill = padded((-2000, 0, -2000))
    stored[0, 7] = 0  # true here, padding on the plane after it
    volume = load([ct(write_dicom, n, stored[n], (-2000, 0, -2000)[n]) for n in range(3)], inline_pool)
    assert np.array_equal(left_out(volume), fill)
    assert volume.values[0, 7].tolist() == [0] * 8
    assert (volume.values[1, :4] == -2000).all()
    assert "stand as -2000 in memory" in notes(volume, warnings=True)


def test_d15_what_is_padding_of_two_planes_stands_for_both(write_dicom: Any, inline_pool: Pool) -> None:
    stored, fill = padded((-2000, (-2000, -1500)))
    stored[1, 0, 0] = -2000  # padding here too, but the range of this plane is true on the other
    stored[0, 7] = -1700
    volume = load([ct(write_dicom, 0, stored[0], -2000), ct(write_dicom, 1, stored[1], (-2000, -1500))], inline_pool)
    assert volume.padding == (-2000, -2000)
    assert np.array_equal(left_out(volume), fill)
    assert np.array_equal(volume.values[~fill], stored[~fill])


def test_d15_nothing_is_touched_where_no_value_can_stand_for_all_paddings(write_dicom: Any, inline_pool: Pool) -> None:
    stored, _fill = padded((5, 6))
    stored[0, 7], stored[1, 7] = 6, 5
    volume = load([ct(write_dicom, n, stored[n], 5 + n) for n in range(2)], inline_pool)
    assert volume.padding is None
    assert np.array_equal(volume.values, stored)
    assert "not left out of statistics" in notes(volume, warnings=True)


def test_d15_one_stored_padding_under_different_rescales_is_left_out_too(write_dicom: Any, inline_pool: Pool) -> None:
    stored, fill = padded((-2000, -2000, -2000))
    slopes = np.array([0.3333, 0.7777, 0.9])
    files = [ct(write_dicom, n, stored[n], -2000, RescaleSlope=slopes[n]) for n in range(3)]
    volume = load(files, inline_pool)
    assert np.array_equal(left_out(volume), fill)
    assert volume.values[~fill] == pytest.approx((stored * slopes[:, None, None])[~fill], rel=1e-6)


def test_d15_a_plane_alone_and_one_that_is_streamed_have_their_own_padding(write_dicom: Any, inline_pool: Pool) -> None:
    paddings = (-2000, 0, -1000)
    stored, _fill = padded(paddings)
    (entry,) = dicom.scan([ct(write_dicom, n, stored[n], paddings[n]) for n in range(3)]).series
    for n, value in enumerate(paddings):
        alone = dicom.load_plane(entry, n, 0, pool=inline_pool)
        assert alone.padding == (value, value)
        assert np.array_equal(alone.values[0], stored[n])
    seen: dict[int, Any] = {}
    stream = Stream((0, 0), lambda phase, plane: seen.setdefault(plane, stream.plane(phase, plane)))
    dicom.load(entry, pool=inline_pool, stream=stream)
    assert {n: volume.padding for n, volume in seen.items() if volume is not None} == {n: (v, v) for n, v in enumerate(paddings) if n in seen}


def test_d15_a_file_that_is_converted_says_that_padding_was_moved(write_dicom: Any, tmp_path: Path, capsys: Any) -> None:
    stored, _where = padded((-2000, -2000, -3000))
    folder = {ct(write_dicom, n, stored[n], (-2000, -2000, -3000)[n]).parent for n in range(3)}.pop()
    code, _out, err = run(capsys, "convert", folder, tmp_path / "o.nrrd")
    assert code == 0
    assert "Planes differ in the values that only fill the frame" in err
    moved = sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "o.nrrd"))
    (value,) = set(np.unique(moved[moved < -1000]).tolist())
    assert f"stand as {value} in memory" in err
