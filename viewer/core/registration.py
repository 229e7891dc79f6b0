"""Rigid registration: the turn and shift that bring one image over another, by mutual information of their values.

Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE Trans Med Imaging 22 (2003) 120; by SimpleITK,
which is imported where it is used.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from viewer.core.alignment import SAME_PLACE, as_matrix, chained, inverse, moved, rigid
from viewer.core.errors import OperationCancelled, Refused
from viewer.core.geometry import Geometry, Index
from viewer.core.words import _

METRIC = "mutual information"
_BINS = 48
_FINEST_MM = 1.0
"""Nothing finer is compared: a tenth of it is reached."""
_MOST_VOXELS = 6_000_000
_LEVELS = ((4.0, 4.0, 120), (2.0, 2.0, 100), (1.0, 0.0, 80))
"""Grid (in units of the finest), smoothing in mm, and most steps of each level."""
_SAMPLES = 60_000


class Progress(Protocol):
    """Called with the part that is done; raises OperationCancelled."""

    def __call__(self, fraction: float, text: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Registration:
    """``matrix``: takes places of the moving image to the fixed one. ``value``: mutual information reached, in nats, higher is better."""

    matrix: tuple[float, ...]
    value: float
    start_value: float
    """That of the place where it started, on the same grid."""
    steps: int


def register_rigid(
    fixed: NDArray[Any],
    fixed_geometry: Geometry,
    moving: NDArray[Any],
    moving_geometry: Geometry,
    *,
    start: tuple[float, ...] | None = None,
    fixed_padding: tuple[float, float] | None = None,
    moving_padding: tuple[float, float] | None = None,
    progress: Progress | None = None,
) -> Registration:
    """Find where one volume lies in another.

    The places of the two where their files put them, their middles over each other, and their centres of mass over each other are
    tried, and from the best of these the mutual information is followed uphill on three grids, coarse to fine. What ends no better
    than it started stays where it started.

    Parameters
    ----------
    fixed, moving : arrays (planes, rows, columns)
        Grey values, of the same or of different kinds.
    fixed_geometry, moving_geometry : Geometry
        Rectangular, in mm.
    start : sixteen numbers, optional
        A move to start from; the places above are then not tried.
    fixed_padding, moving_padding : (low, high), optional
        Values that only fill the frame; they do not count.
    progress : callable, optional

    Raises
    ------
    Refused
        For images of one plane, of one value, or that do not come to overlap.
    OperationCancelled
        By ``progress``.
    """
    for geometry, values in ((fixed_geometry, fixed), (moving_geometry, moving)):
        _check(geometry, values)
    report = progress or (lambda fraction, text="": None)
    finest = _finest(fixed_geometry)
    a = _Side(fixed, fixed_geometry, fixed_padding)
    b = _Side(moving, moving_geometry, moving_padding)
    starts = [start] if start is not None else _starts(a, b)
    scored = []
    coarse = a.at(_LEVELS[0][0] * finest, _LEVELS[0][1]), b.at(_LEVELS[0][0] * finest, _LEVELS[0][1])
    for number, candidate in enumerate(starts):
        report(0.02 + 0.03 * number / len(starts))
        value = _value(*coarse, candidate)
        if value is not None:
            scored.append((value, number, candidate))
    if not scored:
        raise Refused(_("The two images do not overlap. Nudge the second one roughly into place first."))
    __, __, begun = max(scored, key=lambda s: (s[0], -s[1]))
    matrix, value, first, steps = begun, 0.0, 0.0, 0
    for level, (grid, smoothing, most) in enumerate(_LEVELS):
        low, high = 0.05 + 0.95 * np.array((level, level + 1)) / len(_LEVELS)
        pair = (a.at(grid * finest, smoothing), b.at(grid * finest, smoothing))
        first = _value(*pair, begun) or 0.0
        matrix, value, used = _climb(*pair, matrix, most, low, high, report, step=grid * finest)
        steps += used
    report(1.0)
    if value < first:
        matrix, value = begun, first
    return Registration(matrix, value, first, steps)


def _check(geometry: Geometry, values: NDArray[Any]) -> None:
    if values.ndim != 3 or values.shape != geometry.shape:
        raise ValueError(f"values of {values.shape} on a grid of {geometry.shape}")
    if not geometry.has_volume or not geometry.is_patient or min(geometry.shape) < 4:
        raise Refused(_("Images can be aligned where both are volumes of at least four planes whose spacing in mm is known."))
    if not geometry.is_rectangular:
        raise ValueError("a grid that is not rectangular")


def _finest(geometry: Geometry) -> float:
    """The grid of the last level, in mm: not finer than the image, nor than what takes too long."""
    extent = float(np.prod([n * s for n, s in zip(geometry.shape, geometry.spacing, strict=True)]))
    return max(_FINEST_MM, min(geometry.spacing), float(np.cbrt(extent / _MOST_VOXELS)))


def _simpleitk() -> Any:
    """SimpleITK, which has no types."""
    return importlib.import_module("SimpleITK")


class _Side:
    """One of the two images, made coarser as asked."""

    def __init__(self, values: NDArray[Any], geometry: Geometry, padding: tuple[float, float] | None) -> None:
        self.values, self.geometry, self.padding = values, geometry, padding
        self.mass = self._mass()

    def known(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = np.isfinite(values)
        if self.padding is not None:
            good &= (values < self.padding[0]) | (values > self.padding[1])
        return good

    def at(self, grid_mm: float, smoothing_mm: float) -> tuple[Any, Any]:
        """(image, mask or None) for SimpleITK, averaged to about a grid."""
        sitk = _simpleitk()
        # Whole blocks are averaged: every voxel counts, and nothing is invented.
        blocks = [max(1, min(round(grid_mm / s), n // 4 or 1)) for s, n in zip(self.geometry.spacing, self.geometry.shape, strict=True)]
        values, share = _averaged(self.values, self.known, (blocks[0], blocks[1], blocks[2]))
        geometry = self.geometry
        x, y, z = geometry.to_patient([(n - 1) / 2 for n in blocks])
        image = sitk.GetImageFromArray(values)
        image.SetSpacing([float(s * n) for s, n in zip(geometry.spacing, blocks, strict=True)][::-1])
        image.SetOrigin((float(x), float(y), float(z)))
        image.SetDirection([float(d) for d in geometry.direction])
        mask = None
        if share.min() < 0.5:
            mask = sitk.GetImageFromArray((share >= 0.5).astype(np.uint8))
            mask.CopyInformation(image)
        if smoothing_mm:
            # Of a stack of few planes not all is smeared into all.
            sigma = [min(smoothing_mm, s * n) / 2 for s, n in zip(image.GetSpacing(), image.GetSize(), strict=True)]
            image = sitk.SmoothingRecursiveGaussian(image, sigma)
        return image, mask

    def _mass(self) -> NDArray[np.float64]:
        blocks = [max(1, n // 32) for n in self.geometry.shape]
        values, share = _averaged(self.values, self.known, (blocks[0], blocks[1], blocks[2]))
        known = values[share >= 0.5]
        if known.size == 0 or known.max() <= known.min():
            raise Refused(_("One of the images has the same value everywhere: there is nothing to align by."))
        weight = np.where(share >= 0.5, values - np.percentile(known, 5), 0).clip(0)
        index = np.stack([(weight * g).sum() for g in np.meshgrid(*map(np.arange, weight.shape), indexing="ij")]) / weight.sum()
        return self.geometry.to_patient(index * blocks + (np.asarray(blocks) - 1) / 2)

    @property
    def middle(self) -> NDArray[np.float64]:
        return self.geometry.to_patient((np.asarray(self.geometry.shape) - 1) / 2)


def _averaged(values: NDArray[Any], known: Any, blocks: Index) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means over whole blocks of the values that count, and the share of them that does; plane by plane, without a copy of the volume."""
    k, j, i = blocks
    planes, rows, columns = (n // b for n, b in zip(values.shape, blocks, strict=True))
    total = np.zeros((planes, rows, columns), np.float32)
    share = np.zeros_like(total)
    for plane in range(planes):
        part = values[plane * k : (plane + 1) * k, : rows * j, : columns * i]
        good = known(part)
        shape = (k, rows, j, columns, i)
        counted = good.reshape(shape).sum(axis=(0, 2, 4))
        total[plane] = np.where(good, part, 0).reshape(shape).sum(axis=(0, 2, 4), dtype=np.float64) / np.maximum(counted, 1)
        share[plane] = counted / (k * j * i)
    if share.min() < 0.5 and (share >= 0.5).any():
        total[share < 0.5] = total[share >= 0.5].min()
    return total, share


def _starts(a: _Side, b: _Side) -> list[tuple[float, ...]]:
    """Moves worth a try: as the files say, middle to middle, mass to mass."""
    return [SAME_PLACE, rigid(shift=a.middle - b.middle), rigid(shift=a.mass - b.mass)]


def _method(fixed: tuple[Any, Any], moving: tuple[Any, Any]) -> Any:
    sitk = _simpleitk()
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetInterpolator(sitk.sitkLinear)
    if fixed[1] is not None:
        method.SetMetricFixedMask(fixed[1])
    if moving[1] is not None:
        method.SetMetricMovingMask(moving[1])
    size = int(np.prod(fixed[0].GetSize()))
    if size > _SAMPLES:
        method.SetMetricSamplingStrategy(method.REGULAR)
        method.SetMetricSamplingPercentage(_SAMPLES / size, 1)
    return method


def _transform(fixed: Any, matrix: tuple[float, ...]) -> Any:
    """Fixed to moving, as SimpleITK wants it, turning about the middle of the fixed image."""
    sitk = _simpleitk()
    center = fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in fixed.GetSize()])
    back = np.asarray(inverse(matrix)).reshape(4, 4)
    transform = sitk.Euler3DTransform()
    transform.SetCenter(center)
    transform.SetMatrix([float(n) for n in back[:3, :3].ravel()], 1e-6)
    transform.SetTranslation([float(n) for n in moved(inverse(matrix), center) - np.asarray(center)])
    return transform


def _value(fixed: tuple[Any, Any], moving: tuple[Any, Any], matrix: tuple[float, ...]) -> float | None:
    """Mutual information at a place; None where the images do not overlap."""
    method = _method(fixed, moving)
    method.SetInitialTransform(_transform(fixed[0], matrix))
    try:
        return -float(method.MetricEvaluate(fixed[0], moving[0]))
    except RuntimeError:
        return None


def _climb(
    fixed: tuple[Any, Any], moving: tuple[Any, Any], matrix: tuple[float, ...], most: int, low: float, high: float, report: Progress, *, step: float
) -> tuple[tuple[float, ...], float, int]:  # fmt: skip
    sitk = _simpleitk()
    method = _method(fixed, moving)
    transform = _transform(fixed[0], matrix)
    method.SetInitialTransform(transform, True)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=step, minStep=0.002 * step, numberOfIterations=most, relaxationFactor=0.6, gradientMagnitudeTolerance=1e-7
    )
    method.SetOptimizerScalesFromPhysicalShift()
    stopped: list[OperationCancelled] = []

    def told() -> None:
        try:
            report(low + (high - low) * min(1.0, (method.GetOptimizerIteration() + 1) / most))
        except OperationCancelled as cancelled:
            # An exception cannot pass through ITK: it is told to stop, and the exception raised when it has.
            stopped.append(cancelled)
            method.StopRegistration()

    method.AddCommand(sitk.sitkIterationEvent, told)
    try:
        method.Execute(fixed[0], moving[0])
    except RuntimeError as error:
        raise Refused(_("The two images do not overlap. Nudge the second one roughly into place first.")) from error
    finally:
        method.RemoveAllCommands()  # it holds what holds it: neither would ever go
    if stopped:
        raise stopped[0]
    turn, center = np.asarray(transform.GetMatrix()).reshape(3, 3), np.asarray(transform.GetCenter())
    back = as_matrix(turn, center + np.asarray(transform.GetTranslation()) - turn @ center)
    return chained(inverse(back), SAME_PLACE), -float(method.GetMetricValue()), int(method.GetOptimizerIteration())
