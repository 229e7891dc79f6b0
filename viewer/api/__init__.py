"""The public door: all that a plugin may use. Typed, documented, and without Qt.

Write an operation as a plain function (``plugins/README.md`` shows one in 40 lines)::

    @operation(keeps_unit=False)
    def adjust_gamma(image: Image, gamma: Annotated[float, Range(0.1, 5.0)] = 0.7) -> Image: ...

A panel, if a plugin needs one, goes through :mod:`viewer.api.panel`; a mouse tool through :mod:`viewer.api.tool`.
"""

from viewer.core import digits
from viewer.core.annotation import Annotation, Measure
from viewer.core.errors import BadParameter, GeometryMismatch, ModelUnusable, NegatoscopeError, OperationCancelled, Refused
from viewer.core.geometry import Geometry, Index, Triple
from viewer.core.images import Annotations, Draft, Image, Labels, Mask, Numbers, Overlay, Verdict, Verdicts
from viewer.core.measure import PERCENTILES, Statistics, length_suffix
from viewer.core.measure import segment_statistics as statistics_of
from viewer.core.operation import Choice, DeviceOf, Help, ModelOf, Point, Points, Range, operation
from viewer.core.report import Column, Opinion, Reading, Report, Score
from viewer.core.window import VoiLut, Window, apply_lut, apply_window
from viewer.core.words import gettext, mark, ngettext
from viewer.jobs.pool import Progress

__all__ = [
    "PERCENTILES", "Annotation", "Annotations", "BadParameter", "Choice", "Column", "DeviceOf", "Draft", "Geometry", "GeometryMismatch", "Help",
    "Image", "Index", "Labels", "Mask", "Measure", "ModelOf", "ModelUnusable", "NegatoscopeError", "Numbers", "OperationCancelled", "Opinion",
    "Overlay", "Point", "Points", "Progress", "Range", "Reading", "Refused", "Report", "Score", "Statistics", "Triple", "Verdict", "Verdicts",
    "VoiLut", "Window", "apply_lut", "apply_window", "digits", "gettext", "length_suffix", "mark", "ngettext", "operation", "statistics_of",
]  # fmt: skip
