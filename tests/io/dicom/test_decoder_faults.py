"""RELIABILITY D7: a decoder that crashes, hangs, takes all memory, lies or panics costs its frame a sentence, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.core.errors import OperationCancelled, UnreadableFile
from viewer.io import dicom
from viewer.io.dicom import filling
from viewer.io.stream import Stream
from viewer.jobs.pool import Pool

BAD = 1
FAULTS = {
    "abort": "SIGABRT",
    "segfault": "SIGSEGV",
    "hang": "longer than",
    "allocate": "more memory",
    "wrong_size": "3 x 5",
    "write_past_end": "SIGSEGV",
    "panic": "entered unreachable code",
}


def expected(count: int) -> np.ndarray:
    ramp = (np.arange(64).reshape(8, 8) * 3) % 200
    return np.stack([ramp + n for n in range(count)])


@pytest.mark.usefixtures("bad_codecs")
@pytest.mark.parametrize("fault", FAULTS)
def test_d7_fault_of_a_decoder_costs_one_frame_and_one_message(write_rle_series, monkeypatch, fault: str) -> None:
    count = 12
    monkeypatch.setattr(filling, "DECODE", f"bad_codecs:{fault}")
    monkeypatch.setattr(filling, "LEAST_SECONDS", 3.0)
    (entry,) = dicom.scan(write_rle_series(count)).series
    came: list[tuple[int, int]] = []
    stream = Stream(on_arrival=lambda phase, plane: came.append((phase, plane)))
    with Pool(2) as pool:
        volume = dicom.load(entry, pool=pool, stream=stream)
        # The pool is as good as new.
        monkeypatch.setattr(filling, "DECODE", "viewer.io.dicom.decode:decode_frames")
        assert np.array_equal(dicom.load(entry, pool=pool).values, expected(count))
    (message,) = volume.warnings
    assert f"f{BAD}" in message
    assert "RLE" in message
    assert FAULTS[fault] in message
    assert "INCOMPLETE" in volume.badges
    assert [n.text for n in volume.notes if n.topic == "decoding" and n.is_warning] == [f"1 frame could not be read: plane {BAD + 1}."]
    good = [n for n in range(count) if n != BAD]
    assert np.array_equal(volume.values[good], expected(count)[good])
    assert len(np.unique(volume.values[BAD])) == 1
    assert sorted(came) == [(0, n) for n in good]
    assert not stream.is_ready(0, BAD)


@pytest.mark.usefixtures("bad_codecs")
def test_d7_decoder_that_ends_every_worker_is_given_up_after_a_few_frames(write_rle_series, monkeypatch) -> None:
    monkeypatch.setattr(filling, "DECODE", "bad_codecs:abort_always")
    (entry,) = dicom.scan(write_rle_series(40)).series
    handed_over = []
    with Pool(1) as pool:
        submit = pool.submit
        monkeypatch.setattr(pool, "submit", lambda *args, **more: handed_over.append(1) or submit(*args, **more))
        with pytest.raises(UnreadableFile, match="SIGABRT"):
            dicom.load(entry, pool=pool)
    assert len(handed_over) <= 2 * (filling.MAX_DEATHS + 2)


def test_cancelled_reading_stops_and_leaves_the_workers_alive(write_rle_series) -> None:
    count = 60
    (entry,) = dicom.scan(write_rle_series(count)).series

    def stop(done: int, _total: int) -> None:
        if done >= 5:
            raise OperationCancelled("Cancelled.")

    with Pool(2) as pool:
        with pytest.raises(OperationCancelled):
            dicom.load(entry, pool=pool, progress=stop)
        assert np.array_equal(dicom.load(entry, pool=pool).values, expected(count))


def test_closing_the_pool_ends_reading_as_cancelled(write_rle_series) -> None:
    (entry,) = dicom.scan(write_rle_series(2)).series
    pool = Pool(1)
    pool.close()
    with pytest.raises(OperationCancelled):
        dicom.load(entry, pool=pool)
