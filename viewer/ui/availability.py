"""Which actions can be used now, which are in force, and what undo and redo are called: read off the host and the window's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.core.words import gettext as _
from viewer.session.readings import why_not_read
from viewer.session.view import why_no_mpr
from viewer.ui.top_bar import set_action_icon
from viewer.ui.window_commands import PLANES

if TYPE_CHECKING:
    from viewer.ui.window import Window


def show_availability(window: Window) -> None:
    """Enable, name and check the actions of a window."""
    actions = window.actions_table
    refused = _model_reasons(window) | _reading_reasons(window)
    facts = (_history_facts(window) | _image_facts(window) | {"model", "classify"}) - refused.keys()
    actions.set_available(facts, is_reading=window.host.arriving is not None, reasons=refused)
    for action_id, on in _checked(window).items():
        actions[action_id].setChecked(on)
    set_action_icon(actions, "view.cine", "pause" if window.cine.is_playing else "play")


def _history_facts(window: Window) -> set[str]:
    """Whether there is something to undo and redo; the actions are named after it."""
    history = window.host.document.history
    facts: set[str] = set()
    for name, step, words, bare in (
        ("undo", history.next_undo, _("Undo {step}"), _("Undo")), ("redo", history.next_redo, _("Redo {step}"), _("Redo")),
    ):  # fmt: skip
        action = window.actions_table[f"edit.{name}"]
        action.setText(words.format(step=step.title.text()) if step else bare)
        action.setProperty("ownToolTip", f"{action.text()} ({action.shortcut().toString()})")
        if step is not None:
            facts.add(name)
    return facts


def _image_facts(window: Window) -> set[str]:
    host, state = window.host, window.host.seen
    volume = state.volume
    facts = window.key_commands.facts() | window.commands.navigation.facts() | window.fusion_commands.facts()
    met = {"open": volume is not None or window.opener.has_anything, "views": len(host.desk.wishes) > 1}
    if volume is not None:
        row = window.opener.row(window.opener.shown_id)
        met |= {
            "image": True, "selection": bool(window.tooling.selected_id), "ct": volume.unit == "HU", "mpr": not why_no_mpr(volume),
            "turned": host.desk.is_turned, "processed": volume.is_derived, "planes": state.count > 1 or volume.phases > 1,
            "phases": volume.phases > 1, "patient": volume.geometry.is_patient,
            "dicom": row is not None and row.entry.reader == "dicom", "report": host.state.report is not None,
        }  # fmt: skip
        facts |= window.windowing_commands.facts(state)
    return facts | {name for name, is_met in met.items() if is_met}


def _model_reasons(window: Window) -> dict[str, str]:
    """Why the image in view cannot be classified by one key."""
    host = window.host
    volume = host.state.volume
    if volume is None:
        return {}  # none is open, or it is still read: that is said of all that needs an image
    reason = host.models.why_not(volume)
    if reason:
        return {"model": reason, "classify": reason}
    return {} if host.state.layout.axis == 0 else {"classify": _("Models look at slices as they were acquired. Choose As acquired in the View menu.")}


def _reading_reasons(window: Window) -> dict[str, str]:
    """Why there is nothing to agree with although the image in view was classified."""
    report, heat = window.host.state.report, window.host.wish.heat
    reason = why_not_read(report, is_shown_anyway=heat.is_unfamiliar_shown) if report is not None else ""
    return {"report": reason} if reason else {}


def _checked(window: Window) -> dict[str, bool]:
    wish, state = window.host.wish, window.host.seen
    return {
        "view.graphics": wish.show_graphics, "view.regions": wish.show_regions,
        "view.labels": wish.show_labels, "view.overlays": wish.show_overlays, "view.original": wish.show_original,
        "view.identity": not window.grid.identity, "view.results": window.results.isVisibleTo(window),
        "view.browser": window.browser.isVisibleTo(window), "view.dock": window.dock.isVisibleTo(window),
        "window.invert": wish.is_inverted, "view.cine": window.cine.is_playing, "view.full_screen": window.isFullScreen(),
        **{f"view.{plane}": state.volume is not None and state.plane == plane and not state.is_turned for plane in PLANES},
        **window.windowing_commands.checked(state), **window.layout_commands.checked(state), **window.commands.navigation.checked(),
        **window.fusion_commands.checked(),
    }  # fmt: skip
