"""What the marks at the foot of a view mean (CONVENTIONS 3e), in a sentence each."""

from __future__ import annotations

from viewer.core.words import _, mark

_MEANINGS: dict[str, str] = {
    "PROCESSED": mark("The values were computed from those of the file; Q shows the original."),
    "LOSSY": mark("The pixels went through lossy compression: fine detail may be missing or invented."),
    "INTERPOLATED": mark("The screen smooths between pixels because the picture is enlarged; values are those of the pixels."),
    "RESAMPLED": mark("The image was brought onto another grid; its values are interpolated."),
    "MIP": mark("A slab: each pixel shows the largest value across its thickness."),
    "MinIP": mark("A slab: each pixel shows the smallest value across its thickness."),
    "MEAN": mark("A slab: each pixel shows the mean of the values across its thickness."),
    "UNCALIBRATED": mark("The file gives no pixel spacing: lengths are in pixels."),
    "AT DETECTOR": mark("Lengths are those at the detector; in the patient they are shorter."),
    "EST. MAG": mark("Lengths are corrected by an estimated magnification."),
    "USER CAL": mark("Lengths rest on a calibration made by hand."),
    "NO GEOMETRY": mark("The file does not say where its planes lie: no positions, no reformats, no volumes."),
    "INCOMPLETE": mark("Planes or frames are missing; what is missing is listed below."),
    "TILT": mark("The planes are shifted against each other (gantry tilt): acquired planes are shown as they are, others are resampled."),
    "MOSAIC": mark("Several planes lie side by side in one picture, as the scanner stored them."),
    "NEURO": mark("The patient's left is on the left of the screen."),
    "DERIVED": mark("The file says that its pixels were computed from other images."),
    "W/L manual": mark("The file gives each plane its own window; the one set by hand is used for all."),
    "ICC not applied": mark("The file carries a colour profile, which is not applied: colours may differ a little."),
    "SUV est.": mark("The time that the values are corrected to was taken from the earliest acquisition: SUV is an estimate."),
    "MANUAL LINK": mark("Images were brought together by hand, not by a common frame of reference."),
    "Registered by mutual information": mark("What lies over this image was aligned by computation; look whether it fits."),
    "OTHER PATIENT": mark("What lies over this image names another patient."),
    "KEY IMAGE": mark("This image is marked as a key image; the same key takes the mark off."),
    "Preview": mark("A preview of an operation that has not been applied."),
}

_WITH_FIGURES = frozenset({"LOSSY", "MIP", "MinIP", "MEAN"})


def meaning(badge: str) -> str:
    """The sentence for a badge, in the language in use; "" for one that is not known. ``LOSSY 12:1`` is ``LOSSY``, ``MIP 20 mm`` is ``MIP``."""
    first = badge.partition(" ")[0]
    known = badge if badge in _MEANINGS else first if first in _WITH_FIGURES else ""
    return _(_MEANINGS[known]) if known else ""
