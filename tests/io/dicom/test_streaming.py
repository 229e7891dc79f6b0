"""Planes come in the order in which they are wanted, each right at once, and the volume does not change by being watched."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from viewer.core.volume import Volume
from viewer.io import dicom
from viewer.io import open as io_open
from viewer.io.dicom import filling, values
from viewer.io.dicom.order import Order
from viewer.io.stream import Stream
from viewer.jobs.pool import Pool


def ct_series(write_dicom, count: int, **changes) -> list[Path]:
    """Stored values 1000 + plane, HU = stored - 1024: the volume is shifted in place once all is there."""
    return [
        write_dicom(
            f"n{n:03}.dcm", np.full((16, 16), 1000 + n, np.uint16) + np.arange(16, dtype=np.uint16), ImagePositionPatient=[0, 0, n],
            RescaleSlope=1, RescaleIntercept=-1024, InstanceNumber=n, **changes,
        )
        for n in range(count)
    ]  # fmt: skip


def truth(plane: int) -> np.ndarray:
    return np.broadcast_to(1000 + plane + np.arange(16) - 1024, (16, 16))


class Watch:
    """Notes which planes came, in which order."""

    def __init__(self, wanted: tuple[int, int]) -> None:
        self.came: list[tuple[int, int]] = []
        self.stream = Stream(wanted, lambda phase, plane: self.came.append((phase, plane)))


def test_wanted_plane_comes_first_and_the_others_outward_from_it() -> None:
    order = Order((1, 7), [(0, n) for n in range(7)])
    taken = []
    while cells := order.take((0, 4), 1):
        taken += cells
    assert [plane for _phase, plane in taken] == [4, 5, 3, 6, 2, 1, 0]


def test_several_at_a_time_lead_away_from_the_wanted_plane() -> None:
    order = Order((1, 9), [(0, n) for n in range(9)])
    assert order.take((0, 4), 3) == [(0, 4), (0, 5), (0, 6)]
    assert order.take((0, 4), 3) == [(0, 3), (0, 2), (0, 1)]
    assert order.take((0, 0), 3) == [(0, 0)]
    assert order.take((0, 0), 3) == [(0, 7), (0, 8)]
    assert order.take((0, 0), 3) == []


def test_planes_of_the_wanted_phase_come_before_other_phases_and_cines_go_along_time() -> None:
    order = Order((3, 2), [(p, k) for p in range(3) for k in range(2)])
    assert [order.take((1, 1), 1)[0] for _ in range(6)] == [(1, 1), (1, 0), (2, 1), (2, 0), (0, 1), (0, 0)]
    cine = Order((5, 1), [(p, 0) for p in range(5)])
    assert [cine.take((2, 0), 1)[0] for _ in range(5)] == [(2, 0), (3, 0), (1, 0), (4, 0), (0, 0)]


def test_frame_put_back_is_taken_again_and_none_twice() -> None:
    order = Order((1, 3), [(0, n) for n in range(3)])
    order.put_back(order.take((0, 1), 1))
    assert len(order) == 3
    assert sorted(order.take((0, n), 1)[0] for n in range(3)) == [(0, 0), (0, 1), (0, 2)]


def test_uncompressed_planes_stream_outward_from_the_wanted_one(write_dicom, inline_pool) -> None:
    (entry,) = dicom.scan(ct_series(write_dicom, 9)).series
    watch = Watch((0, 5))
    dicom.load(entry, pool=inline_pool, stream=watch.stream)
    assert watch.came[0] == (0, 5)
    assert [abs(plane - 5) for _phase, plane in watch.came] == [0, 1, 1, 2, 2, 3, 3, 4, 5]


def test_compressed_planes_stream_outward_from_the_wanted_one(write_rle_series, inline_pool) -> None:
    (entry,) = dicom.scan(write_rle_series(9)).series
    watch = Watch((0, 5))
    dicom.load(entry, pool=inline_pool, stream=watch.stream)
    assert watch.came[0] == (0, 5)
    assert sorted(watch.came) == [(0, n) for n in range(9)]
    assert watch.came.index((0, 4)) < watch.came.index((0, 0))
    assert watch.came.index((0, 6)) < watch.came.index((0, 8))


@pytest.mark.parametrize("workers", [0, 2])
def test_changed_wish_is_heard_after_what_is_on_its_way(write_rle_series, monkeypatch, workers: int) -> None:
    count, largest = 200, 4
    monkeypatch.setattr(filling, "LARGEST_JOB", largest)
    (entry,) = dicom.scan(write_rle_series(count)).series
    came: list[int] = []

    def arrival(_phase: int, plane: int) -> None:
        came.append(plane)
        if len(came) == 3:
            stream.want(0, 150)

    stream = Stream((0, 0), arrival)
    with Pool(workers, inline=not workers) as pool:
        dicom.load(entry, pool=pool, stream=stream)
    # Two jobs for each worker are on their way, and the one that is being reported.
    assert came.index(150) <= 3 + (2 * max(1, workers) + 1) * largest
    assert sorted(came) == list(range(count))


def test_picture_of_a_plane_is_what_load_plane_gives(write_dicom, inline_pool) -> None:
    (entry,) = dicom.scan(ct_series(write_dicom, 5, WindowCenter=40, WindowWidth=400)).series
    pictures: list[Volume] = []

    def arrival(phase: int, plane: int) -> None:
        picture = stream.plane(phase, plane)
        assert picture is not None
        pictures.append(picture)
        for other in range(5):
            assert (stream.plane(0, other) is not None) == stream.is_ready(0, other)

    stream = Stream((0, 2), arrival)
    volume = io_open.load(entry, pool=inline_pool, stream=stream)
    assert len(pictures) == 5
    for picture in pictures:
        plane = round(picture.geometry.origin[2])
        alone = dicom.load_plane(entry, plane, 0, pool=inline_pool)
        assert np.array_equal(picture.values[0], truth(plane))
        assert np.array_equal(picture.values, alone.values)
        assert picture.geometry == alone.geometry
        assert (picture.kind, picture.unit, picture.windows) == (alone.kind, alone.unit, alone.windows)
        assert np.array_equal(volume.values[plane], truth(plane))
    assert stream.plane(0, 2) is None
    assert stream.is_ready(0, 2)


def test_picture_takes_its_own_slope(write_dicom, inline_pool) -> None:
    files = [
        write_dicom(f"p{n}", np.full((4, 4), 100, np.uint16), ImagePositionPatient=[0, 0, n], RescaleSlope=slope, RescaleIntercept=0, Modality="PT")
        for n, slope in enumerate((1, 2, 0.5))
    ]
    (entry,) = dicom.scan(files).series
    found = {}

    def arrival(phase: int, plane: int) -> None:
        picture = stream.plane(phase, plane)
        assert picture is not None
        found[plane] = float(picture.values.mean())

    stream = Stream((0, 0), arrival)
    dicom.load(entry, pool=inline_pool, stream=stream)
    assert found == {0: 100.0, 1: 200.0, 2: 50.0}


def test_colour_frames_stream_as_rgb(write_dicom, inline_pool) -> None:
    frames = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    path = write_dicom("us.dcm", frames, SamplesPerPixel=3, PhotometricInterpretation="RGB", Modality="US", PlanarConfiguration=0)
    (entry,) = dicom.scan([path]).series
    found = {}

    def arrival(phase: int, plane: int) -> None:
        picture = stream.plane(phase, plane)
        assert picture is not None
        found[phase] = picture.values[0].copy()

    stream = Stream((2, 0), arrival)
    dicom.load(entry, pool=inline_pool, stream=stream)
    assert next(iter(found)) == 2
    assert all(np.array_equal(found[n], frames[n]) for n in range(4))


def test_volume_is_the_same_when_pictures_are_taken_all_the_while(write_dicom) -> None:
    count = 60
    (entry,) = dicom.scan(ct_series(write_dicom, count)).series
    stream, over = Stream((0, 30)), threading.Event()
    wrong: list[int] = []

    def window() -> None:
        plane = 0
        while not over.is_set():
            picture = stream.plane(0, plane)
            if picture is not None and not np.array_equal(picture.values[0], truth(plane)):
                wrong.append(plane)
            plane = (plane + 7) % count

    with Pool(inline=True) as pool:
        thread = threading.Thread(target=window)
        thread.start()
        try:
            volumes = [dicom.load(entry, pool=pool, stream=stream) for _round in range(5)]
        finally:
            over.set()
            thread.join()
    assert not wrong
    for volume in volumes:
        assert np.array_equal(volume.values, np.stack([truth(n) for n in range(count)]))


def test_no_picture_is_made_of_values_that_are_being_shifted(write_dicom, inline_pool, monkeypatch) -> None:
    (entry,) = dicom.scan(ct_series(write_dicom, 4)).series
    stream = Stream()
    seen = []
    real = values.to_modality

    def shift(stored, *rest):
        shifted = real(stored, *rest)
        seen.append(stream.plane(0, 1))
        return shifted

    monkeypatch.setattr(values, "to_modality", shift)
    dicom.load(entry, pool=inline_pool, stream=stream)
    assert seen == [None]


def test_failed_plane_is_never_ready(write_dicom, inline_pool) -> None:
    files = ct_series(write_dicom, 5)
    (entry,) = dicom.scan(files).series
    files[3].unlink()
    watch = Watch((0, 3))
    volume = dicom.load(entry, pool=inline_pool, stream=watch.stream)
    assert sorted(watch.came) == [(0, n) for n in (0, 1, 2, 4)]
    assert not watch.stream.is_ready(0, 3)
    assert watch.stream.ready().tolist() == [True, True, True, False, True]
    assert any("n003" in w for w in volume.warnings)
