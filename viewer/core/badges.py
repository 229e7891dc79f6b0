"""What the marks at the foot of a view mean (CONVENTIONS 3e), in a sentence each."""

from __future__ import annotations

from viewer.core.words import _, mark

_MEANINGS: dict[str, str] = {
    mark("PROCESSED"): mark("The values were computed from those of the file; Q shows the original."),
    mark("LOSSY"): mark("The pixels went through lossy compression: fine detail may be missing or invented."),
    mark("INTERPOLATED"): mark("The screen smooths between pixels because the picture is enlarged; values are those of the pixels."),
    mark("RESAMPLED"): mark("The image was brought onto another grid; its values are interpolated."),
    mark("MIP"): mark("A slab: each pixel shows the largest value across its thickness."),
    mark("MinIP"): mark("A slab: each pixel shows the smallest value across its thickness."),
    mark("MEAN"): mark("A slab: each pixel shows the mean of the values across its thickness."),
    mark("UNCALIBRATED"): mark("The file gives no pixel spacing: lengths are in pixels."),
    mark("AT DETECTOR"): mark("Lengths are those at the detector; in the patient they are shorter."),
    mark("EST. MAG"): mark("Lengths are corrected by an estimated magnification."),
    mark("USER CAL"): mark("Lengths rest on a calibration made by hand."),
    mark("NO GEOMETRY"): mark("The file does not say where its planes lie: no positions, no reformats, no volumes."),
    mark("INCOMPLETE"): mark("Planes or frames are missing; what is missing is listed below."),
    mark("TILT"): mark("The planes are shifted against each other (gantry tilt): acquired planes are shown as they are, others are resampled."),
    mark("MOSAIC"): mark("Several planes lie side by side in one picture, as the scanner stored them."),
    mark("NEURO"): mark("The patient's left is on the left of the screen."),
    mark("DERIVED"): mark("The file says that its pixels were computed from other images."),
    mark("W/L manual"): mark("The file gives each plane its own window; the one set by hand is used for all."),
    mark("ICC not applied"): mark("The file carries a colour profile, which is not applied: colours may differ a little."),
    mark("SUV est."): mark("The time that the values are corrected to was taken from the earliest acquisition: SUV is an estimate."),
    mark("MANUAL LINK"): mark("Images were brought together by hand, not by a common frame of reference."),
    mark("Registered by mutual information"): mark("What lies over this image was aligned by computation; look whether it fits."),
    mark("OTHER PATIENT"): mark("What lies over this image names another patient."),
    mark("KEY IMAGE"): mark("This image is marked as a key image; the same key takes the mark off."),
    mark("NOT FOR DIAGNOSIS"): mark("A heat map of a model lies over the image: it shows what influenced a score, and outlines nothing."),
    mark("UNFAMILIAR"): mark("The model whose heat map lies over the image has not seen such images: the map may mislead."),
    mark("Preview"): mark("A preview of an operation that has not been applied."),
}

_WITH_FIGURES = frozenset({"LOSSY", "MIP", "MinIP", "MEAN"})


def shown(badge: str) -> str:
    """A badge in the language in use, its figures as they are."""
    first, space, rest = badge.partition(" ")
    return _(badge) if badge in _MEANINGS or first not in _WITH_FIGURES else f"{_(first)}{space}{rest}"


def meaning(badge: str) -> str:
    """The sentence for a badge, in the language in use; "" for one that is not known. ``LOSSY 12:1`` is ``LOSSY``, ``MIP 20 mm`` is ``MIP``."""
    first = badge.partition(" ")[0]
    known = badge if badge in _MEANINGS else first if first in _WITH_FIGURES else ""
    return _(_MEANINGS[known]) if known else ""
