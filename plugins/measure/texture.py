"""Where the image is striped, and how coarsely: a bank of Gabor filters."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from plugins.measure.gradient import filled
from viewer.api import Help, Image, Overlay, Progress, Range, Refused, gettext, operation

_REACH = 3.0  # standard deviations of a kernel that are used
_KEPT_BYTES = 256 * 2**20  # spectra of a bank above this size are made anew for each plane


@operation(keeps_unit=False, preview="approximate")
def gabor(
    image: Image,
    shortest: Annotated[float | None, Range(0.0, 1000.0, unit="mm"), Help("Shortest wavelength; auto: 4 pixels", label="Shortest wavelength")] = None,
    scales: Annotated[int, Range(1, 6), Help("Wavelengths, each twice the one before")] = 3,
    orientations: Annotated[int, Range(1, 16), Help("Directions, spread evenly over half a turn")] = 6,
    bandwidth: Annotated[float, Range(0.3, 3.0, unit="octaves", step=0.1), Help("Breadth of each filter")] = 1.0,
    progress: Progress | None = None,
) -> Overlay:
    """Energy of stripes and texture: how strongly a bank of Gabor filters answers.

    Parameters
    ----------
    image : Image
        Each plane is filtered by itself.
    shortest : float
        Shortest wavelength in mm, in pixels where no spacing is known; at least 2 pixels.
    scales : int
        Number of wavelengths: ``shortest``, twice that, four times that ...
    orientations : int
    bandwidth : float
        Spatial-frequency bandwidth of each filter in octaves.

    Returns
    -------
    Overlay
        Root of the mean over the bank of the squared magnitude of the answers, in the unit of the values. The mean of the plane is
        taken off first. Beyond the rim the image is mirrored; padding and NaN are filled with the nearest value, and get 0.

    Raises
    ------
    Refused
        Where the shortest wavelength is under two pixels, or the longest one longer than the image.

    Notes
    -----
    Source: Daugman (1985); kernels as in skimage.filters.gabor_kernel, by FFT instead of sums.
    """
    steps = image.geometry.spacing[1:]
    wavelengths = _wavelengths(image, shortest, scales)
    values, valid = filled(image), image.valid()
    reach = _reach(wavelengths[-1], bandwidth, steps)
    rows, columns = values.shape[1:]
    padded = (fft.next_fast_len(rows + 2 * reach[0]), fft.next_fast_len(columns + 2 * reach[1]))
    bank = tuple((w, math.pi * n / orientations) for w in wavelengths for n in range(orientations))
    kept = _bank(bank, bandwidth, steps, padded) if len(bank) * padded[0] * padded[1] * 8 <= _KEPT_BYTES else None
    energy = np.zeros(values.shape, dtype=np.float32)
    for plane in range(values.shape[0]):
        good = valid[plane]
        if good.any():
            centred = values[plane] - values[plane][good].mean(dtype=np.float64).astype(np.float32)
            spectrum = fft.fft2(np.pad(centred, ((reach[0],) * 2, (reach[1],) * 2), mode="symmetric"), s=padded)
            total = np.zeros((rows, columns), dtype=np.float32)
            for number, (wavelength, angle) in enumerate(bank):
                response = kept[number] if kept else _spectrum(wavelength, angle, bandwidth, steps, padded)
                answer = fft.ifft2(spectrum * response, overwrite_x=True)[reach[0] : reach[0] + rows, reach[1] : reach[1] + columns]
                total += answer.real**2 + answer.imag**2
                if progress:
                    progress((plane + (number + 1) / len(bank)) / values.shape[0])
            energy[plane] = np.where(good, np.sqrt(total / len(bank)), 0)
    return image.overlay(energy, gettext("Gabor energy"), image.unit)


def _wavelengths(image: Image, shortest: float | None, scales: int) -> list[float]:
    step, unit = max(image.geometry.spacing[1:]), image.geometry.unit
    first = shortest or 4 * step
    if first < 2 * step:
        text = gettext("The shortest wavelength is {given:g} {unit}; it must be at least two pixels, {least:g} {unit}.")
        raise Refused(text.format(given=first, unit=unit, least=2 * step))
    wavelengths = [first * 2**n for n in range(scales)]
    rows, columns = image.geometry.shape[1:]
    extent = max(rows * image.geometry.spacing[1], columns * image.geometry.spacing[2])
    if wavelengths[-1] > extent:
        if shortest is not None or scales == 1 or wavelengths[0] > extent:
            text = gettext("The longest wavelength is {given:g} {unit}, but the image has only {extent:g} {unit}. Use fewer scales.")
            raise Refused(text.format(given=wavelengths[-1], unit=unit, extent=extent))
        wavelengths = [w for w in wavelengths if w <= extent]
    return wavelengths


def _sigma(wavelength: float, bandwidth: float) -> float:
    """Standard deviation of the kernel whose half-amplitude bandwidth is ``bandwidth`` octaves."""
    return wavelength / math.pi * math.sqrt(math.log(2) / 2) * (2**bandwidth + 1) / (2**bandwidth - 1)


def _reach(wavelength: float, bandwidth: float, steps: tuple[float, ...]) -> tuple[int, int]:
    far = _REACH * _sigma(wavelength, bandwidth)
    return math.ceil(far / steps[0]), math.ceil(far / steps[1])


def kernel(wavelength: float, angle: float, bandwidth: float, steps: tuple[float, ...]) -> NDArray[np.complex64]:
    """One complex Gabor kernel on a grid of the given steps (rows, columns); ``angle`` in radians from the columns to the rows."""
    sigma = _sigma(wavelength, bandwidth)
    height, width = _reach(wavelength, bandwidth, steps)
    y, x = np.mgrid[-height : height + 1, -width : width + 1].astype(np.float64)
    y, x = y * steps[0], x * steps[1]
    envelope = np.exp(-0.5 * (x * x + y * y) / sigma**2) / (2 * math.pi * sigma**2) * steps[0] * steps[1]
    wave = np.exp(2j * math.pi / wavelength * (x * math.cos(angle) + y * math.sin(angle)))
    return np.asarray(envelope * wave, dtype=np.complex64)


@lru_cache(maxsize=1)
def _bank(
    bank: tuple[tuple[float, float], ...], bandwidth: float, steps: tuple[float, ...], shape: tuple[int, int]
) -> tuple[NDArray[np.complex64], ...]:
    """The spectra of a whole bank; kept, since all planes and the next run share them."""
    return tuple(_spectrum(wavelength, angle, bandwidth, steps, shape) for wavelength, angle in bank)


def _spectrum(wavelength: float, angle: float, bandwidth: float, steps: tuple[float, ...], shape: tuple[int, int]) -> NDArray[np.complex64]:
    """The kernel's Fourier transform on a padded grid, its centre at (0, 0)."""
    small = kernel(wavelength, angle, bandwidth, steps)
    large = np.zeros(shape, dtype=np.complex64)
    large[: small.shape[0], : small.shape[1]] = small
    large = np.roll(large, (-(small.shape[0] // 2), -(small.shape[1] // 2)), axis=(0, 1))
    return np.asarray(fft.fft2(large), dtype=np.complex64)
