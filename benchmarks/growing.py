"""Growing a region over 512x512x400 in a worker, until its step is ready, against SimpleITK's ConnectedThreshold with its image made."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from benchmarks.table import Row
from benchmarks.timing import side_by_side
from viewer.core.geometry import Geometry
from viewer.core.volume import Volume
from viewer.jobs.pool import Pool
from viewer.session.apply import prepare, start
from viewer.session.document import Document
from viewer.session.outcome import build_step
from viewer.session.plugins import discover
from viewer.session.statistics import value_range

SHAPE = (400, 512, 512)
SEED = (200, 256, 256)
LOW, HIGH = -100.0, 300.0


def body(radius: float) -> Volume:
    """A noisy ellipsoid of soft tissue with air around, in HU."""
    rng = np.random.default_rng(3)
    data = np.empty((1, *SHAPE), np.int16)
    y, x = np.ogrid[:512, :512]
    for z in range(SHAPE[0]):
        inside = ((z - 200) / (radius * 0.75)) ** 2 + ((y - 256) / radius) ** 2 + ((x - 256) / radius) ** 2 < 1
        data[0, z] = np.where(inside, 60, -1000) + rng.normal(0, 15, (512, 512))
    return Volume("volume-a", data, Geometry(SHAPE, spacing=(1.0, 0.7, 0.7)), unit="HU")


def rows() -> list[Row]:
    """A region of the size of an organ, and one of nearly the whole body."""
    found = []
    registry = discover()
    with Pool(1, warm=("scipy.ndimage", "skimage.segmentation")) as pool:
        spec = registry.spec("Segment/Region growing", pool)
        for name, radius in (("an organ", 90.0), ("the body", 240.0)):
            volume = body(radius)
            value_range(volume)  # as opening does
            document = Document()
            document.add_source(volume)
            seed = tuple(float(c) for c in volume.geometry.to_patient(SEED))
            parameters = {"seed": (seed,), "low": LOW, "high": HIGH}
            kept: list[int] = []

            def ours(document: Document = document, parameters: object = parameters, kept: list[int] = kept) -> None:
                call = prepare(document, spec, parameters, volume_id="volume-a")  # type: ignore[arg-type]
                results = start(call, pool).result()
                step = build_step(call, results)
                kept[:] = [int(np.count_nonzero(results[0][0].values)), len(step.changes) if step else 0]

            def rival(volume: Volume = volume, kept: list[int] = kept) -> None:
                image = sitk.GetImageFromArray(volume.values)
                grown = sitk.ConnectedThreshold(image, [SEED[::-1]], LOW, HIGH)
                assert int(np.count_nonzero(sitk.GetArrayViewFromImage(grown))) == kept[0], "both find the same region"

            here, beside = side_by_side(ours, rival, rounds=3)
            note = f"{kept[0] / 1e6:.1f} million voxels; ours with sending, packing and a step that can be undone"
            found.append(Row(f"growing {name}, 512x512x400", here, rival="SimpleITK", rival_figure=beside, at_most=1.0, note=note))
    return found
