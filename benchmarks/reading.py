"""From the files of a series to its voxels, uncompressed and in each lossless syntax, against SimpleITK's series reader on the same files.

Both sides run in turns. What a crash and a hang of a decoder cost, and what a series of 2 GiB takes, is measured beside it.
``python -m benchmarks.reading PEAK FOLDER`` prints the peak memory of opening one folder, in a process of its own.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import made_series
from benchmarks.table import Row
from benchmarks.timing import median_ms
from viewer.core.errors import JobFailed
from viewer.core.render import plane_values
from viewer.core.volume import Volume
from viewer.io import open as io_open
from viewer.io import remembered
from viewer.io.series import SeriesEntry
from viewer.io.stream import Stream
from viewer.jobs.pool import Limits, Pool
from viewer.session.opening import load_entry

COUNT = 400
# The largest part of SimpleITK's time that is asked for.
ASKED = {"RLE": 1 / 5, "JPEG-LS": 1 / 2, "HTJ2K": 1 / 3.5, "JPEG lossless": 1 / 1.2, "JPEG 2000": 1 / 1.05}
LARGE_COUNT = 4096
LARGE_MEMORY, LARGE_DISK = 8 << 30, 1 << 30


def rows() -> list[Row]:
    """Uncompressed, compressed, first image, faults, 2 GiB."""
    with tempfile.TemporaryDirectory() as name, Pool(os.cpu_count() or 1, warm=("viewer.io.dicom.decode", "imagecodecs", "openjpeg")) as pool:
        folder = Path(name)
        pool.warm()
        plain = made_series.write(folder, "uncompressed", COUNT)
        found = [*_uncompressed(plain, pool), _peak(plain, f"{COUNT} slices")[0]]
        (folder / "sloped").mkdir()
        sloped = made_series.write(folder / "sloped", "uncompressed", COUNT, slope_step=0.0123)
        found.append(_peak(sloped, f"{COUNT} slices of which each has its slope")[0])
        shutil.rmtree(sloped)
        for kind, asked in ASKED.items():
            series = made_series.write(folder, kind, COUNT)
            found += _compressed(series, kind, asked, pool, rounds=3 if kind == "JPEG 2000" else 5)
            if kind == "JPEG 2000":
                found.append(_first_image(series, kind, pool))
            shutil.rmtree(series)
        found += _faults()
        small = _plane_ms(_open(plain, pool))
        shutil.rmtree(plain)
        return found + _large(folder, small)


def _uncompressed(folder: Path, pool: Pool) -> list[Row]:
    import SimpleITK as sitk

    def ours() -> object:
        remembered.forget()
        return load_entry(_largest(folder), pool)[0].values

    def rival() -> object:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
        return sitk.GetArrayFromImage(reader.Execute())

    np.testing.assert_array_equal(ours(), rival())
    here, beside, note = _in_turns(ours, rival, 5)
    what = f"opening {COUNT} uncompressed slices, found, read, hashed"
    return [Row(what, here, rival="SimpleITK with its search", rival_figure=beside, at_most=0.6, note=note)]


def _compressed(folder: Path, kind: str, asked: float, pool: Pool, *, rounds: int) -> list[Row]:
    import SimpleITK as sitk

    entry = _largest(folder)
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))

    def ours() -> object:
        return io_open.load(entry, pool=pool).values

    def rival() -> object:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(names)
        return sitk.GetArrayFromImage(reader.Execute())

    np.testing.assert_array_equal(ours(), rival())
    here, beside, note = _in_turns(ours, rival, rounds)
    return [Row(f"reading {COUNT} slices in {kind}", here, rival="SimpleITK", rival_figure=beside, at_most=asked, note=note)]


def _first_image(folder: Path, kind: str, pool: Pool) -> Row:
    """The wanted plane of a series that is being read, against one file read alone."""
    import SimpleITK as sitk

    entry = _largest(folder)

    class Seen(Exception):
        pass

    def ours() -> None:
        def arrival(phase: int, plane: int) -> None:
            if stream.plane(phase, plane) is not None:
                raise Seen

        stream = Stream((0, COUNT // 2), arrival)
        try:
            io_open.load(entry, pool=pool, stream=stream)
        except Seen:
            pass

    def rival() -> None:
        sitk.GetArrayFromImage(sitk.ReadImage(str(entry.files[COUNT // 2])))

    here, beside, note = _in_turns(ours, rival, 5, pause_s=0.3)
    return Row(f"first image of {COUNT} slices in {kind}", here, rival="SimpleITK, one file", rival_figure=beside, at_most=2.0, note=note)


def _in_turns(ours: Callable[[], object], rival: Callable[[], object], rounds: int, *, pause_s: float = 0.0) -> tuple[float, float, str]:
    """Median wall ms of both, and a note with the least of each and this process's CPU."""
    wall: list[list[float]] = [[], []]
    cpu: list[list[float]] = [[], []]
    for number in range(rounds + 1):
        for side, function in enumerate((ours, rival)):
            gc.collect()
            time.sleep(pause_s)
            start, start_cpu = time.perf_counter(), time.process_time()
            result = function()
            if number:  # the first round warms up
                wall[side].append((time.perf_counter() - start) * 1000)
                cpu[side].append((time.process_time() - start_cpu) * 1000)
            del result
    least = [min(times) for times in wall]
    used = [statistics.median(times) for times in cpu]
    note = (
        f"least {least[0]:.0f} and {least[1]:.0f} ms ({least[0] / least[1]:.2f}), CPU without the workers {used[0]:.0f} and {used[1]:.0f} ms, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    return statistics.median(wall[0]), statistics.median(wall[1]), note


# --- faults -----------------------------------------------------------------------------------------------------------


def fall() -> None:
    """For a worker: die at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    """For a worker: never come back."""
    while True:
        time.sleep(1)


def answer() -> int:
    """For a worker: what it does with what it has loaded."""
    return int(np.arange(3).sum())


def _faults() -> list[Row]:
    """What the frame after a fault waits longer than usual: the end seen, the spare taken, its modules loaded."""
    here = "benchmarks.reading"
    found = []
    with Pool(1, warm=("viewer.io.dicom.decode", "imagecodecs")) as pool:
        pool.warm()
        pool.submit(f"{here}:answer", {}).result()
        for what, name, limit_s in (("crashes", "fall", 60.0), ("hangs", "hang", 0.5)):
            seen, whole = [], []
            for _round in range(5):
                time.sleep(1.5)  # the spare has loaded
                start = time.perf_counter()
                job = pool.submit(f"{here}:{name}", {}, limits=Limits(seconds=limit_s))
                after = pool.submit(f"{here}:answer", {})
                try:
                    job.result()
                except JobFailed:
                    seen.append(time.perf_counter() - start)
                after.result()
                whole.append(time.perf_counter() - start)
            late = 0.5 if name == "hang" else 0.0
            note = f"of it {1000 * (statistics.median(seen) - late):.0f} ms until it is seen" + (", beyond the limit" if late else "")
            found.append(
                Row(f"a decoder that {what}, until the next frame is there", 1000 * (statistics.median(whole) - late), limit=1000, note=note)
            )
    return found


# --- memory -----------------------------------------------------------------------------------------------------------


def _peak(folder: Path, what: str) -> tuple[Row, float]:
    """Of opening a folder in a fresh process; and the ms to take a plane there."""
    command = [sys.executable, "-m", "benchmarks.reading", "PEAK", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    empty, peak, volume, swapped, open_ms, plane_ms = map(float, done.stdout.split()[-6:])
    note = f"the empty program has {empty:.0f} MB; {swapped:.0f} MB swapped; opened in {open_ms:.0f} ms"
    row = Row(f"peak memory above the empty program, {what}", peak - empty, "MB", "the volume", volume, at_most=1.25, note=note)
    return row, plane_ms


def _large(folder: Path, small_ms: float) -> list[Row]:
    """2 GiB of slices; left out where there is no room for them."""
    from viewer.io import gate

    if gate.available_ram() < LARGE_MEMORY or shutil.disk_usage(folder).free < LARGE_DISK:
        return []
    peak, plane_ms = _peak(made_series.write_sparse(folder, LARGE_COUNT), "2 GiB")
    return [peak, Row("taking an acquired plane of 2 GiB", plane_ms, rival=f"of {COUNT} slices", rival_figure=small_ms, at_most=1.5)]


def _print_peak(folder: Path) -> None:
    """Of this process: MB before and at most while a folder is opened, of the volume, swapped; ms to open, to take a plane."""
    with Pool(2) as pool:
        pool.warm()
        empty = _status("VmHWM")
        start = time.perf_counter()
        volume = load_entry(_largest(folder), pool)[0]
        opened = (time.perf_counter() - start) * 1000
        peak, swapped, plane_ms = _status("VmHWM"), _status("VmSwap"), 0.0
        plane_ms = _plane_ms(volume)
        print(empty, peak, volume.nbytes / 1e6, swapped, opened, plane_ms)


def _status(name: str) -> float:
    """MB of a line of this process's status."""
    with Path("/proc/self/status").open() as lines:
        return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{name}:")), 0.0)


def _plane_ms(volume: Volume) -> float:
    planes = iter(range(10**6))
    return median_ms(lambda: plane_values(volume, 0, 0, next(planes) * 37 % volume.geometry.shape[0]).copy(), rounds=200)


def _open(folder: Path, pool: Pool) -> Volume:
    return io_open.load(_largest(folder), pool=pool)


def _largest(folder: Path) -> SeriesEntry:
    return max(io_open.find([folder]).series, key=lambda entry: entry.shape[0])


if __name__ == "__main__" and sys.argv[1:2] == ["PEAK"]:
    _print_peak(Path(sys.argv[2]))
