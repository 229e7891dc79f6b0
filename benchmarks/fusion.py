"""A PET over a CT, frame by frame, beside SimpleITK's Resample of the same planes; and a rigid registration of a head."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.table import Row
from viewer.core.alignment import SAME_PLACE, rigid
from viewer.core.geometry import Geometry
from viewer.core.registration import register_rigid
from viewer.core.volume import Identity, Volume
from viewer.draw.fusion import forget_planes
from viewer.draw.picture import compose
from viewer.io.samples import phantom_volume
from viewer.session.document import Document
from viewer.session.fusion import FusionWish
from viewer.session.view import ViewWish, resolve

CT = Geometry((120, 512, 512), (-180.0, -180.0, -150.0), (2.5, 0.7, 0.7), frame_uid="1.2")
PET = Geometry((90, 168, 168), (-300.0, -300.0, -150.0), (3.3, 4.07, 4.07), frame_uid="1.2")
FRAMES = range(20, 80)


def rows() -> list[Row]:
    """Scrolling, nudging and windowing a fused view; aligning a displaced phantom."""
    rng = np.random.default_rng(0)
    first = Volume("ct", rng.integers(-1000, 1000, (1, *CT.shape)).astype(np.int16), CT, unit="HU", identity=Identity(modality="CT"))
    second = Volume("pet", (rng.random((1, *PET.shape)) * 6).astype(np.float32), PET, unit="SUVbw", identity=Identity(modality="PT"))
    document = Document()
    for volume in (first, second):
        document.add_source(volume)
    wish = ViewWish(first.id, fusion=FusionWish(second.id))
    scrolled = _frames(document, [replace(wish, index=n) for n in FRAMES])
    nudged = _frames(document, [replace(wish, index=40, fusion=FusionWish(second.id, nudge=rigid(shift=(n / 10, 0.0, 0.0)))) for n in FRAMES])
    windowed = _frames(document, [replace(wish, index=40, fusion=FusionWish(second.id, opacity=n / 100)) for n in FRAMES])
    oracle = _resampled(second)
    document.close()
    return [
        Row("PET over CT 512x512: scroll, sampled and blended", scrolled, rival="SimpleITK Resample, the plane alone", rival_figure=oracle, limit=25),
        Row("PET over CT: a nudge's frame", nudged, limit=25),
        Row("PET over CT: opacity or window, nothing sampled anew", windowed, limit=8),
        Row("align a chest of 112 planes displaced by 10 mm and 8 degrees", _registered(), limit=20_000, note="beside the window, with Cancel"),
    ]


def _frames(document: Document, wishes: list[ViewWish]) -> float:
    forget_planes()
    compose(resolve(wishes[0], document), document)
    return _median([lambda wish=wish: compose(resolve(wish, document), document) for wish in wishes])  # type: ignore[misc]


def _resampled(second: Volume) -> float:
    sitk: Any = importlib.import_module("SimpleITK")
    image = sitk.GetImageFromArray(second.values)
    image.SetSpacing(PET.spacing[::-1])
    image.SetOrigin(PET.origin)

    def plane(number: int) -> Any:
        grid = sitk.ResampleImageFilter()
        grid.SetSize((CT.shape[2], CT.shape[1], 1))
        grid.SetOutputSpacing(CT.spacing[::-1])
        grid.SetOutputOrigin((CT.origin[0], CT.origin[1], CT.origin[2] + number * CT.spacing[0]))
        return grid.Execute(image)

    plane(0)
    return _median([lambda number=number: plane(number) for number in FRAMES])  # type: ignore[misc]


def _registered() -> float:
    volume = phantom_volume()
    grid = volume.geometry
    away = rigid(shift=(4.0, -7.0, 5.916), degrees=(0.0, 0.0, 8.0))
    x, y, z = (float(c) for c in (np.asarray(away).reshape(4, 4) @ (*grid.origin, 1))[:3])
    direction = tuple(float(c) for c in (np.asarray(away).reshape(4, 4)[:3, :3] @ grid.matrix).ravel())
    elsewhere = replace(grid, origin=(x, y, z), direction=direction)
    return _median([lambda: register_rigid(volume.values, grid, volume.values, elsewhere, start=SAME_PLACE)])


def _median(calls: list[Callable[[], Any]]) -> float:
    times = []
    for call in calls:
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return float(np.median(times))
