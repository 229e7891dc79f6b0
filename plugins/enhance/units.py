"""Values told in another unit that the file allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from viewer.api import Image, Refused, operation

UNIT = "SUVbw"


@operation(keeps_unit=False, preview="none")
def convert_to_suv(image: Image) -> Image:
    """Turn activity of a PET image into SUV by body weight, with the weight, dose and times of its header.

    Parameters
    ----------
    image : Image
        Values v in Bq/mL (or counts that the scanner gave a factor for).

    Returns
    -------
    Image
        ``factor * v`` as float32, in SUVbw (g/mL).

    Raises
    ------
    Refused
        The header does not allow it; the sentence says what is missing.

    Notes
    -----
    Source: DICOM PS3.3 C.8.9.1 and C.8.9.2; QIBA profile FDG-PET/CT. The factor is body weight in g over the activity that is left
    of the injected dose at the time that the values are corrected to.
    """
    scale = next((s for s in image.scales if s.unit == UNIT), None)
    if scale is None:
        raise Refused(image.why_not(UNIT))
    padding = (image.padding[0] * scale.factor, image.padding[1] * scale.factor) if image.padding is not None else None
    # In double, kept in single: a factor has more digits than a float32.
    values = (image.values * np.float64(scale.factor)).astype(np.float32)
    return replace(image.like(values, unit=UNIT), padding=padding)
