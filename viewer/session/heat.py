"""Heat-maps: the scalar maps that explain a score. Which one a view shows, and why it shows none."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, Protocol

import numpy as np

from viewer.core.overlay import ScalarMap
from viewer.core.report import Report
from viewer.core.volume import Volume
from viewer.core.words import _, mark
from viewer.session.wish import HeatWish

HeatMethod = Literal["exact", "occlusion", "rise"]
METHODS: tuple[HeatMethod, ...] = ("exact", "occlusion", "rise")
"""In the order in which they are preferred."""
METHOD_TITLES: dict[str, str] = {"exact": mark("Class activation map"), "occlusion": mark("Occlusion"), "rise": mark("Random masks (RISE)")}
METHOD_NAMES: dict[str, str] = {**METHOD_TITLES, "rise": mark("RISE")}
"""As they stand in brackets."""
METHOD_WORDS: dict[str, str] = {
    "exact": mark("Class activation map: what each place adds to the score. Computed exactly, in the same run."),
    "occlusion": mark("Occlusion: how much the score falls when a patch is covered."),
    "rise": mark("Random masks (RISE): how much higher the score is when a place is left uncovered. It varies a little with the masks."),
}
CAUTION = mark("Regions that influenced the score; not a lesion outline.")
"""To be said wherever a heat-map is shown."""


class HasReports(Protocol):
    """The part of a document that is read here."""

    def volume(self, volume_id: str) -> Volume: ...
    def reports_of(self, root_id: str) -> tuple[Report, ...]: ...
    def overlays_of(self, root_id: str) -> tuple[ScalarMap, ...]: ...


def is_heat(item: ScalarMap) -> bool:
    """Whether a map explains a score; others are energies, doses and the like."""
    return bool(item.score)


def maps_of(document: HasReports, report: Report) -> tuple[ScalarMap, ...]:
    """The heat-maps that belong to a report, the newest of each class and method, in the order in which they came."""
    found = {(item.score, item.method): item for item in document.overlays_of(report.volume_id) if item.report_id == report.id}
    return tuple(found.values())


def methods_of(document: HasReports, report: Report, score: str) -> tuple[str, ...]:
    """The methods by which there is a heat-map of a class, the preferred first."""
    made = {item.method for item in maps_of(document, report) if item.score == score}
    return tuple(method for method in METHODS if method in made)


def usual_map(document: HasReports, item: ScalarMap) -> ScalarMap:
    """Of the heat-maps that came with the same report, that of the usual class; the map itself where there is none."""
    report = next((r for r in document.reports_of(item.volume_id) if r.id == item.report_id), None)
    alike = [other for other in maps_of(document, report) if other.method == item.method] if report is not None else []
    return next((other for other in alike if report is not None and other.score == report.usual_class), item)


def report_on(document: HasReports, root_id: str, *, model: str, plane: int, phase: int) -> Report | None:
    """The newest report on a plane or on all planes together, of a model or ("") of any."""
    found = [r for r in document.reports_of(root_id) if r.is_about(plane) and r.phase == phase and model in ("", r.model)]
    return found[-1] if found else None


def map_of(document: HasReports, report: Report, wish: HeatWish) -> ScalarMap | None:
    """The heat-map of a report that a wish means, drawn or not: of its class and method, else of the usual class and the preferred method."""
    maps = maps_of(document, report)
    wanted = wish.score if any(score.name == wish.score for score in report.scores) else report.usual_class
    of_class = [item for item in maps if item.score == wanted]
    if not of_class and not wish.score:
        of_class = list(maps)
    chosen = [item for item in of_class if item.method == wish.method]
    order: dict[str, int] = {method: number for number, method in enumerate(METHODS)}
    return chosen[-1] if chosen else min(of_class, key=lambda item: order.get(item.method, len(METHODS)), default=None)


def heat_on(document: HasReports, root_id: str, wish: HeatWish, *, plane: int | None, phase: int) -> ScalarMap | None:
    """The one heat-map that is drawn on a plane of an opened image as it was acquired; ``plane`` None: on any other slice.

    A heat-map of one slice is shown on that slice only; one of all slices that were judged together, and the newest one without a
    report, wherever they lie.
    """
    if not wish.is_shown:
        return None
    report = report_on(document, root_id, model=wish.model, plane=plane, phase=phase) if plane is not None else None
    if report is not None:
        return map_of(document, report, wish) if not report.is_unfamiliar or wish.is_unfamiliar_shown else None
    maps = [item for item in document.overlays_of(root_id) if is_heat(item) and item.phase == phase and wish.model in ("", item.model)]
    whole = next((item for item in reversed(maps) if item.report_id and is_whole(document, item)), None)
    if whole is not None:
        report = next((r for r in document.reports_of(root_id) if r.id == whole.report_id), None)
        hidden = report is None or (report.is_unfamiliar and not wish.is_unfamiliar_shown)
        return None if report is None or hidden else map_of(document, report, wish)
    return next((item for item in reversed(maps) if not item.report_id), None)


def is_whole(document: HasReports, item: ScalarMap) -> bool:
    """Whether a heat-map is of several planes, which a model took in together."""
    thickness = document.volume(item.volume_id).geometry.spacing[0]
    return item.geometry.shape[0] * item.geometry.spacing[0] > 1.5 * thickness


def why_not_shown(document: HasReports, report: Report, wish: HeatWish, *, is_acquired: bool = True, show_overlays: bool = True) -> str:
    """Why no heat-map of a report is drawn, in a sentence; "" where one is.

    Parameters
    ----------
    document : Document
    report : Report
        Of the slice in view.
    wish : HeatWish
        Of the view.
    is_acquired : bool
        Whether the view shows planes as they were acquired (``state.layout.axis == 0``).
    show_overlays : bool
        Whether maps are shown at all (``ViewWish.show_overlays``).
    """
    if not wish.is_shown or not show_overlays:
        return _("The heat map is switched off.")
    if report.is_unfamiliar and not wish.is_unfamiliar_shown:
        return _("This model has not seen such images; a heat map would mislead.")
    item = map_of(document, report, wish)
    if item is None:
        return _("There is no heat map of {name} yet.").format(name=_(wish.score or report.usual_class))
    if not is_acquired and not is_whole(document, item):
        return _("The heat map of a slice is shown on the slice as it was acquired.")
    if is_empty(item):
        return _("No place speaks for {name}.").format(name=_(item.score))
    return ""


def unfamiliar_among(document: HasReports, maps: Collection[ScalarMap]) -> int:
    """How many of some heat-maps explain scores of images that their model has not seen the like of."""
    strange = {volume_id: {r.id for r in document.reports_of(volume_id) if r.is_unfamiliar} for volume_id in {item.volume_id for item in maps}}
    return sum(item.report_id in strange[item.volume_id] for item in maps)


def is_empty(item: ScalarMap) -> bool:
    """Whether a heat-map has no place that speaks for its class: nothing of it is drawn."""
    return not bool(np.any(item.values > 0))


def caption(item: ScalarMap) -> str:
    """What a heat-map is called: ``Heat map: Pneumonia``."""
    return _("Heat map: {name}").format(name=_(item.score))
