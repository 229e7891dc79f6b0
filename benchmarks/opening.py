"""From a folder to a volume in memory and to the first picture, against SimpleITK's series reader on the same files.

Uses the chest CT beside the checkout where it is there, else a made CT of the same size.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from benchmarks.table import Row
from benchmarks.timing import median_ms, side_by_side
from viewer.core.render import plane_values, to_rgb32
from viewer.core.volume import Volume
from viewer.io import open as io_open
from viewer.io.series import SeriesEntry
from viewer.jobs.pool import Pool
from viewer.session.alone import first_state
from viewer.session.opening import load_entry

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "ct_chest_lidc"


def rows() -> list[Row]:
    """Everything read, and the first picture."""
    if REAL.is_dir():
        return _measure(REAL, "chest CT")
    with tempfile.TemporaryDirectory() as folder:
        return _measure(_made(Path(folder)), "made CT")


def _measure(folder: Path, name: str) -> list[Row]:
    found = []
    with Pool(2) as pool:
        pool.warm()

        def ours() -> Volume:
            return load_entry(_largest(folder), pool)[0]

        def rival() -> object:
            reader = sitk.ImageSeriesReader()
            reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
            return sitk.GetArrayFromImage(reader.Execute())

        np.testing.assert_array_equal(ours().values, rival())
        here, beside = side_by_side(ours, rival, rounds=5)
        size = " x ".join(map(str, ours().geometry.shape))
        found.append(Row(f"opening a {name}, {size}", here, rival="SimpleITK", rival_figure=beside, at_most=1.0))

        def first_picture() -> None:
            entry = _largest(folder)
            volume = io_open.load_plane(entry, entry.shape[0] // 2, 0, pool=pool)
            to_rgb32(plane_values(volume, 0, 0, 0), first_state(volume).display)

        note = "folder listed, one plane read and painted"
        found.append(Row(f"first picture of a {name}", median_ms(first_picture, rounds=5), limit=300, note=note))
    return found


def _largest(folder: Path) -> SeriesEntry:
    return max(io_open.find([folder]).series, key=lambda entry: entry.shape[0])


def _made(folder: Path) -> Path:
    """200 slices as a scanner writes them, through SimpleITK's own writer."""
    rng = np.random.default_rng(1)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    when = time.strftime("%Y%m%d")
    for z in range(200):
        image = sitk.GetImageFromArray(rng.integers(-1000, 1000, (1, 512, 512)).astype(np.int16))
        image.SetSpacing((0.7, 0.7, 1.0))
        image.SetOrigin((0.0, 0.0, float(z)))
        for tag, value in (
            ("0008|0060", "CT"), ("0008|0016", "1.2.840.10008.5.1.4.1.1.2"), ("0020|000d", "1.2.3"), ("0020|000e", "1.2.3.4"),
            ("0008|0018", f"1.2.3.4.{z + 1}"), ("0020|0013", str(z + 1)), ("0020|0032", f"0\\0\\{z}"), ("0020|0037", "1\\0\\0\\0\\1\\0"),
            ("0008|0020", when), ("0028|1053", "1"), ("0028|1052", "0"),
        ):  # fmt: skip
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{z:03}.dcm"))
        writer.Execute(image)
    return folder
