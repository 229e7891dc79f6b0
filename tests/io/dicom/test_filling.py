"""Reading of whole series: threads that end, files that have changed since they were found, notes on what was done."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from viewer.core.errors import OperationCancelled, UnreadableFile
from viewer.io import dicom
from viewer.io.dicom import filling
from viewer.io.dicom.native import NativeFile
from viewer.jobs.pool import Pool, default_workers


def series(write_dicom, count: int, **more) -> list[Path]:
    return [write_dicom(f"p{n:03}", np.full((4, 4), n, np.int16), ImagePositionPatient=[0, 0, n], InstanceNumber=n, **more) for n in range(count)]


def test_cancelled_reading_of_uncompressed_files_ends_its_threads(write_dicom, inline_pool) -> None:
    (entry,) = dicom.scan(series(write_dicom, 60)).series

    def stop(done: int, _total: int) -> None:
        if done >= 7:
            raise OperationCancelled("Cancelled.")

    with pytest.raises(OperationCancelled):
        dicom.load(entry, pool=inline_pool, progress=stop)
    assert not [t for t in threading.enumerate() if t.name.startswith("reader-")]


def test_progress_and_arrivals_come_on_the_thread_that_asked_once_for_each_frame(write_dicom, inline_pool) -> None:
    count = 60
    (entry,) = dicom.scan(series(write_dicom, count)).series
    told: list[tuple[int, int, str]] = []
    dicom.load(entry, pool=inline_pool, progress=lambda done, total: told.append((done, total, threading.current_thread().name)))
    assert told == [(n + 1, count, threading.current_thread().name) for n in range(count)]


def test_fault_of_our_own_in_a_reading_thread_is_not_swallowed(write_dicom, inline_pool, monkeypatch) -> None:
    (entry,) = dicom.scan(series(write_dicom, 60)).series

    def read_into(_self: NativeFile, _number: int, _target: np.ndarray) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(NativeFile, "read_into", read_into)
    with pytest.raises(ZeroDivisionError):
        dicom.load(entry, pool=inline_pool)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_file_that_has_become_a_pipe_is_named_and_not_waited_for(write_dicom, inline_pool) -> None:
    files = series(write_dicom, 3)
    (entry,) = dicom.scan(files).series
    files[1].unlink()
    os.mkfifo(files[1])
    volume = dicom.load(entry, pool=inline_pool)
    (message,) = volume.warnings
    assert "p001" in message
    assert [float(volume.values[n].mean()) for n in (0, 2)] == [0.0, 2.0]


def test_compressed_file_that_has_become_a_pipe_or_is_gone_is_named(write_rle_series) -> None:
    files = write_rle_series(5)
    (entry,) = dicom.scan(files).series
    files[1].unlink()
    os.mkfifo(files[1])
    files[3].unlink()
    with Pool(1) as pool:
        volume = dicom.load(entry, pool=pool)
    assert sorted(w.split(":")[0][:2] for w in volume.warnings) == ["f1", "f3"]
    assert len(np.unique(volume.values[1])) == len(np.unique(volume.values[3])) == 1


def test_series_of_uncompressed_and_compressed_files_is_one(write_dicom, write_rle_series, inline_pool) -> None:
    files = write_rle_series(4)
    ramp = ((np.arange(64).reshape(8, 8) * 3) % 200).astype(np.uint16)
    files.append(write_dicom("f4", ramp + 4, ImagePositionPatient=[0, 0, 4], InstanceNumber=4))
    (entry,) = dicom.scan(files).series
    volume = dicom.load(entry, pool=inline_pool)
    assert np.array_equal(volume.values, np.stack([ramp + n for n in range(5)]))
    said = [n.text for n in volume.notes if n.topic == "decoding"]
    assert any(text.startswith("4 frames in RLE (1.2.840.10008.1.2.5), lossless") for text in said)
    assert "1 frame, uncompressed (explicit little endian)." in said


@pytest.mark.parametrize(
    ("syntax", "how"),
    [
        (ImplicitVRLittleEndian, "implicit little endian"),
        (ExplicitVRBigEndian, "explicit big endian"),
        (DeflatedExplicitVRLittleEndian, "explicit little endian, the whole file deflated"),
    ],
)
def test_notes_say_how_uncompressed_frames_lie_in_the_file(write_dicom, inline_pool, syntax: str, how: str) -> None:
    (entry,) = dicom.scan(series(write_dicom, 2, syntax=syntax)).series
    volume = dicom.load(entry, pool=inline_pool)
    assert [n.text for n in volume.notes if n.topic == "decoding"] == [f"2 frames, uncompressed ({how})."]


def test_notes_say_which_bits_are_stored(write_dicom, inline_pool) -> None:
    stored = np.zeros((4, 4), np.uint16)
    path = write_dicom("bits", stored, BitsStored=12, HighBit=11, PixelRepresentation=1)
    (entry,) = dicom.scan([path]).series
    notes = dicom.load(entry, pool=inline_pool).notes
    assert "Stored values: 12 of 16 bits, signed; the bits above are dropped." in [n.text for n in notes if n.topic == "values"]


def test_lossy_frames_are_called_lossy(shared_data: Path, inline_pool) -> None:
    (entry,) = dicom.scan([shared_data / "single" / "XA1_JPLY"]).series
    (note,) = [n for n in dicom.load(entry, pool=inline_pool).notes if n.topic == "decoding"]
    assert "1.2.840.10008.1.2.4.51" in note.text
    assert note.text.endswith("lossy, decoded by imagecodecs.")  # Pillow, the first of the table, has no 12-bit JPEG


def test_few_jobs_are_on_their_way_at_a_time(write_rle_series, monkeypatch) -> None:
    (entry,) = dicom.scan(write_rle_series(40)).series
    monkeypatch.setattr(filling, "LARGEST_JOB", 2)
    flying, most = set(), 0
    with Pool(2) as pool:
        submit = pool.submit

        def watched(*args, **more):
            nonlocal most
            job = submit(*args, **more)
            flying.add(job)
            most = max(most, len([j for j in list(flying) if not j.done]))
            return job

        monkeypatch.setattr(pool, "submit", watched)
        dicom.load(entry, pool=pool)
    assert 1 <= most <= 4


def test_there_are_workers_for_the_processors_and_never_fewer_than_two() -> None:
    assert 2 <= default_workers() <= 8
    assert Pool().workers == default_workers()


def test_all_frames_failing_is_one_error_that_names_a_file(write_dicom, inline_pool) -> None:
    files = series(write_dicom, 3)
    (entry,) = dicom.scan(files).series
    for file in files:
        file.write_bytes(b"")
    with pytest.raises(UnreadableFile, match="p00"):
        dicom.load(entry, pool=inline_pool)


def test_enhanced_frames_of_one_file_are_read_like_a_series(write_dicom, inline_pool) -> None:
    frames = np.arange(20 * 6, dtype=np.uint16).reshape(20, 2, 3)
    path = write_dicom("cine", frames, Modality="XA", ImagePositionPatient=None, ImageOrientationPatient=None)
    assert dcmread(path).NumberOfFrames == 20
    (entry,) = dicom.scan([path]).series
    assert np.array_equal(dicom.load(entry, pool=inline_pool).data[:, 0], frames)
