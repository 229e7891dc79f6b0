"""Oblique planes and slabs of a 512x512x400 int16 volume, as pictures: sampled, windowed, ready to paint.

Beside each plane SimpleITK's ``Resample`` of the same plane from an image that is there already (making one copies the volume, 200 MB;
here nothing is copied). The limits are those that were asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import Row
from benchmarks.timing import milliseconds, side_by_side
from viewer.core.cut import Cut
from viewer.core.geometry import Geometry
from viewer.core.oblique import Turn, turn_of, turned_about
from viewer.core.sample import sample, slab
from viewer.core.slab import Slab, reach
from viewer.core.volume import Identity, Volume
from viewer.draw import planes
from viewer.draw.picture import compose
from viewer.session.document import Document
from viewer.session.view import ViewWish, resolve

SHAPE, SPACING, SIDE = (400, 512, 512), 0.7, 512
GEOMETRY = Geometry(SHAPE, (-180.0, -180.0, 0.0), (SPACING,) * 3)
SLAB = Slab("mip", 20.0)


def volume() -> Volume:
    """Smooth structures and noise, in HU."""
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    data = (600 * np.sin(x / 23).astype(np.float32) * np.cos(y / 31 + z / 19).astype(np.float32)).astype(np.int16)
    data += np.random.default_rng(7).integers(-40, 40, SHAPE, dtype=np.int16)
    return Volume("volume-reformat", data[None], GEOMETRY, unit="HU", identity=Identity(modality="CT", series_uid="1.2"))


def middle_cut(turn: Turn, side: int, step: float) -> Cut:
    """A square through the middle of the volume."""
    right, down, _normal = np.asarray(turn).reshape(3, 3).T
    center = GEOMETRY.to_patient((np.asarray(SHAPE) - 1) / 2)
    x, y, z = (float(c) for c in center - (side - 1) / 2 * step * (right + down))
    return Cut((x, y, z), tuple(right.tolist()), tuple(down.tolist()), step, (side, side))


def simpleitk_planes(image: Any, cut: Cut, beside: int = 0) -> Callable[[], NDArray[Any]]:
    """The same plane by SimpleITK, as a numpy array; with as many on either side, the largest value across them."""
    import SimpleITK as sitk

    resample = sitk.ResampleImageFilter()
    resample.SetSize((cut.shape[1], cut.shape[0], 2 * beside + 1))
    resample.SetOutputOrigin(cut.shifted(-beside * SPACING).origin)
    resample.SetOutputSpacing((cut.step, cut.down_step, SPACING))
    resample.SetOutputDirection(np.stack([cut.right, cut.down, cut.normal], axis=1).ravel().tolist())
    resample.SetInterpolator(sitk.sitkLinear)
    resample.SetOutputPixelType(sitk.sitkFloat32)
    return lambda: sitk.GetArrayFromImage(resample.Execute(image)).max(axis=0)


def rows() -> Iterator[Row]:
    """Best of several rounds: other work on the machine only adds."""
    import SimpleITK as sitk

    made = volume()
    values = made.phase(0)
    image = sitk.GetImageFromArray(values)
    image.SetOrigin(GEOMETRY.origin)
    image.SetSpacing(GEOMETRY.spacing[::-1])
    flat = turn_of(GEOMETRY, "axial")
    turns = {"turned about one axis": turned_about(flat, (1, 0, 0), 30), "about two": turned_about(turned_about(flat, (1, 0, 0), 30), (0, 0, 1), 20)}
    for name, turn in turns.items():
        cut = middle_cut(turn, SIDE, SPACING)
        ours, theirs = side_by_side(lambda cut=cut: sample(values, GEOMETRY, cut), simpleitk_planes(image, cut), rounds=15)  # type: ignore[misc]
        yield Row(f"oblique plane 512x512, {name}", ours, rival="SimpleITK", rival_figure=theirs, limit=10.0)
    turn = turns["about two"]
    cut, half = middle_cut(turn, SIDE, SPACING), middle_cut(turn, SIDE // 2, 2 * SPACING)
    ours, theirs = side_by_side(lambda: sample(values, GEOMETRY, cut, order=0, empty=0), simpleitk_planes(image, cut), rounds=10)
    yield Row("oblique plane of labels, nearest", ours, rival="SimpleITK, linear", rival_figure=theirs, limit=10.0)
    made_slabs: dict[str, tuple[Callable[[], object], Cut, float]] = {
        "MIP, preview": (lambda: slab(values, GEOMETRY, half, thickness=SLAB.mm, mode="mip", coarse=2), half, 35.0),
        "MIP, full": (lambda: slab(values, GEOMETRY, cut, thickness=SLAB.mm, mode="mip"), cut, 150.0),
        "mean, full": (lambda: slab(values, GEOMETRY, cut, thickness=SLAB.mm, mode="mean"), cut, 150.0),
    }
    for name, (gathered, its_cut, limit) in made_slabs.items():
        ours, theirs = side_by_side(gathered, simpleitk_planes(image, its_cut, reach(SLAB.mm, SPACING)), rounds=5)
        busy = f"{_busy(gathered):.0f} ms of processor time"
        yield Row(f"oblique 20 mm slab {name}", ours, rival="SimpleITK, all planes", rival_figure=theirs, limit=limit, note=busy)
    document = Document()
    document.add_source(made)
    wish = ViewWish(made.id)
    for plane in ("axial", "coronal", "sagittal"):
        shown = replace(wish, plane=plane, slab=SLAB)
        yield Row(f"picture of a 20 mm slab MIP, {plane}", _best(lambda shown=shown: _picture(shown, document)), limit=12.0)  # type: ignore[misc]
    shown = replace(wish, turn=turn)
    samples = "{} x {} samples, the whole volume across".format(*resolve(shown, document).layout.shape)
    yield Row("picture of an oblique plane", _best(lambda: _picture(shown, document)), note=samples)
    kept = _best(lambda: compose(resolve(shown, document), document))
    yield Row("the same in another window", kept)


def _picture(wish: ViewWish, document: Document) -> None:
    planes._kept.clear()  # gathered anew, as in a drag of the crosshair
    compose(resolve(wish, document), document)


def _busy(function: Callable[[], object], rounds: int = 4) -> float:
    """Processor time in ms, of all threads: other work on the machine counts less."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        function()
        times.append((time.process_time() - start) * 1000)
    return min(times)


def _best(function: Callable[[], object], rounds: int = 10) -> float:
    return min(milliseconds(function, rounds=rounds))
