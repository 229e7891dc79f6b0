"""How an image is shown: from the bytes of its files to the screen, in plain sentences with numbers.

The readers' own notes come first; what they leave open is said from the volume itself, so that every format has an answer.
The window and the command line show the same chapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from viewer.core.badges import meaning
from viewer.core.colormaps import GREY
from viewer.core.provenance import TOPICS, Note, Topic
from viewer.core.sentence import english, whole
from viewer.core.volume import Volume
from viewer.core.window import Window
from viewer.core.words import _, mark, ngettext
from viewer.session.document import Document
from viewer.session.history import ItemChange
from viewer.session.statistics import value_range
from viewer.session.view import ViewState

ChapterTopic = Topic | Literal["warnings", "processing", "marks"]

TITLES: dict[ChapterTopic, str] = {
    "file": mark("Files"),
    "series": mark("Series"),
    "decoding": mark("Decoding"),
    "values": mark("Values"),
    "unit": mark("Unit"),
    "window": mark("Window"),
    "colour": mark("Grey and colour"),
    "spacing": mark("Pixel spacing"),
    "geometry": mark("Geometry"),
    "ignored": mark("Not used"),
    "processing": mark("Processing"),
    "warnings": mark("Warnings"),
    "marks": mark("Marks on the picture"),
}
_FUNCTIONS = {
    "LINEAR": mark("linear, DICOM PS3.3 C.11.2.1.2.1"),
    "LINEAR_EXACT": mark("linear exact, DICOM PS3.3 C.11.2.1.3.2"),
    "SIGMOID": mark("sigmoid, DICOM PS3.3 C.11.2.1.3.1"),
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """One step on the way from the file to the screen."""

    topic: ChapterTopic
    title: str
    notes: tuple[Note, ...]


def explain(state: ViewState, document: Document | None = None) -> tuple[Chapter, ...]:
    """The chapters for what a view shows, in the order from bytes to screen; none for an empty view.

    Parameters
    ----------
    state : ViewState
        For the window in use, inversion and smoothing.
    document : Document, optional
        For the steps that made a derived volume of an opened one.
    """
    volume = state.volume
    if volume is None:
        return ()
    found: dict[ChapterTopic, list[Note]] = {"warnings": _untold_warnings(volume)}
    found |= {topic: [n for n in volume.notes if n.topic == topic] for topic in TOPICS}
    for topic, say in _FROM_VOLUME.items():
        if not found[topic]:
            found[topic] = list(say(volume))
    found["values"] += _loaded(volume, state.phase)
    found["window"] = [*_window_in_use(state), *found["window"]]
    found["colour"] += _shades(state)
    found["processing"] = _processing(volume, document)
    found["marks"] = [Note("ignored", _("{name}: {what}").format(name=badge, what=meaning(badge))) for badge in state.badges if meaning(badge)]
    return tuple(Chapter(topic, _(TITLES[topic]), tuple(dict.fromkeys(_said_now(n) for n in notes))) for topic, notes in found.items() if notes)


def _said_now(note: Note) -> Note:
    """The note in the language in use: the readers may have written it when another one was."""
    return replace(note, text=_(note.text))


def as_text(chapters: Iterable[Chapter]) -> str:
    """For the clipboard and the terminal: a title, its sentences indented, ``!`` before what should be known first."""
    lines = []
    for chapter in chapters:
        lines.append(chapter.title)
        lines += [f"  {'!' if note.is_warning else '-'} {note.text}" for note in chapter.notes]
    return "\n".join(lines)


def processing_steps(document: Document, volume: Volume) -> tuple[str, ...]:
    """Titles of the steps that led from the opened volume to this one, the oldest first."""
    titles: list[str] = []
    made = {c.id: step for step in document.history.steps for c in step.changes if isinstance(c, ItemChange) and c.kind == "volume"}
    now = volume
    while now.is_derived and now.id in made:
        titles.append(made[now.id].title.text())
        if not document.has_volume(now.parent_id):
            break
        now = document.volume(now.parent_id)
    return tuple(reversed(titles))


# --- what the volume itself can say ---------------------------------------------------------------------------------------


def _files(volume: Volume) -> Iterable[Note]:
    for name in ("Kind of object", "Image type"):
        if name in volume.facts:
            yield Note("file", _("{name}: {value}.").format(name=_(name), value=volume.facts[name]))


def _decoding(volume: Volume) -> Iterable[Note]:
    if "Transfer syntax" in volume.facts:
        yield Note("decoding", _("Transfer syntax: {name}.").format(name=volume.facts["Transfer syntax"]))


def _values(volume: Volume) -> Iterable[Note]:
    if "Rescale" in volume.facts:
        yield Note("values", _("Stored values x were rescaled to {formula}.").format(formula=volume.facts["Rescale"]))


def _unit(volume: Volume) -> Iterable[Note]:
    if volume.is_color:
        return
    text = _("Values are in {unit}.").format(unit=volume.unit) if volume.unit else _("The file does not say in which unit its values are.")
    yield Note("unit", text)


def _colour(volume: Volume) -> Iterable[Note]:
    if volume.is_color:
        yield Note("colour", _("Colour image: red, green and blue of 8 bits each."))
    elif "Photometric interpretation" in volume.facts:
        yield Note("colour", _("Photometric interpretation: {name}.").format(name=volume.facts["Photometric interpretation"]))


def _spacing(volume: Volume) -> Iterable[Note]:
    geometry = volume.geometry
    if not geometry.in_plane_known:
        yield Note("spacing", _("The file gives no pixel spacing: lengths are in pixels."), is_warning=True)
        return
    _between, rows, columns = geometry.spacing
    text = _("{rows:.4g} mm between rows, {columns:.4g} mm between columns.")
    yield Note("spacing", text.format(rows=rows, columns=columns))
    if "Pixel spacing is" in volume.facts:
        yield Note("spacing", _("The pixel spacing is {kind}.").format(kind=volume.facts["Pixel spacing is"]))


def _geometry(volume: Volume) -> Iterable[Note]:
    geometry = volume.geometry
    planes = ngettext("{count} plane", "{count} planes", geometry.shape[0])
    rows, columns = geometry.shape[1:]
    yield Note("geometry", _("{planes} of {rows} rows and {columns} columns.").format(planes=planes, rows=rows, columns=columns))
    if geometry.shape[0] > 1 and geometry.between_known:
        yield Note("geometry", _("The planes lie {mm:.4g} mm apart.").format(mm=geometry.spacing[0]))
    elif geometry.shape[0] > 1:
        yield Note("geometry", _("The distance of the planes is not known or not even: nothing is measured across them."), is_warning=True)
    if not geometry.is_patient:
        yield Note("geometry", _("The file does not say how the image lies in the patient: no letters, no patient positions."), is_warning=True)


_FROM_VOLUME: dict[Topic, Callable[[Volume], Iterable[Note]]] = {
    "file": _files, "decoding": _decoding, "values": _values, "unit": _unit, "colour": _colour, "spacing": _spacing, "geometry": _geometry,
}  # fmt: skip


def _loaded(volume: Volume, phase: int) -> list[Note]:
    if volume.is_color:
        return []
    low, high = value_range(volume, phase)
    unit = f" {volume.unit}" if volume.unit else ""
    text = _("In memory: {kind}, from {low:g} to {high:g}{unit}.").format(kind=volume.data.dtype.name, low=low, high=high, unit=unit)
    found = [Note("values", text)]
    if volume.padding is not None:
        text = _("Values from {low:g} to {high:g} only fill the frame: they are left out of statistics and of the automatic window.")
        if volume.padding[0] == volume.padding[1]:
            text = _("The value {low:g} only fills the frame: it is left out of statistics and of the automatic window.")
        found.append(Note("values", text.format(low=volume.padding[0], high=volume.padding[1])))
    return found


# --- what the view does ---------------------------------------------------------------------------------------------------


def _window_in_use(state: ViewState) -> list[Note]:
    volume, window = state.volume, state.window
    if volume is None or state.display is None:
        return [Note("window", _("No window: the colours are shown as they are."))]
    unit = f" {volume.unit}" if volume.unit else ""
    if state.display.lut is not None and state.is_plane_window:
        text = _("Shown through the VOI LUT of this plane’s own file, from {low:g} to {high:g}{unit}.")
        return [Note("window", text.format(low=window.low, high=window.high, unit=unit))]
    if state.display.lut is not None and state.display.lut not in volume.voi_luts:
        text = _("Shown through the VOI LUT of this plane’s own file, stretched from {low:g} to {high:g}{unit}.")
        return [Note("window", text.format(low=window.low, high=window.high, unit=unit))]
    if state.display.lut is not None:
        number = next((n for n, lut in enumerate(volume.voi_luts, 1) if lut is state.display.lut), 1)
        text = _("Shown through VOI LUT {number} of {count} of the file, stretched from {low:g} to {high:g}{unit}.")
        return [Note("window", text.format(number=number, count=len(volume.voi_luts), low=window.low, high=window.high, unit=unit))]
    where = _("Shown with centre {center:g}, width {width:g}{unit} ({function}): {origin}.")
    found = [
        Note(
            "window",
            where.format(center=window.center, width=window.width, unit=unit, function=_(_FUNCTIONS[window.function]), origin=_origin(state, window)),
        )
    ]
    if window.function != "SIGMOID":
        black, white = (_("white"), _("black")) if state.display.is_inverted else (_("black"), _("white"))
        text = _("{low:g}{unit} and below is {dark}, {high:g}{unit} and above is {light}.")
        found.append(Note("window", text.format(low=window.low, high=window.high, unit=unit, dark=black, light=white)))
    return found


def _origin(state: ViewState, window: Window) -> str:
    assert state.volume is not None
    windows = state.volume.windows
    if state.is_plane_window:
        return _("the file’s own window of this plane")
    if window in windows:
        name = _(" “{name}”").format(name=window.name) if window.name else ""
        return _("window {number} of {count} of the file{name}").format(number=windows.index(window) + 1, count=len(windows), name=name)
    if state.is_auto:
        why = _("asked for") if windows or state.volume.voi_luts else _("the file gives none")
        if any(note.topic == "window" and note.is_warning for note in state.volume.notes):
            why = _("that of the file cannot be used")
        if state.volume.geometry.shape[0] == 1:
            return _("computed from the 1st to 99th percentile of the values ({why})").format(why=why)
        return _("computed from the 1st to 99th percentile of the middle third of the planes ({why})").format(why=why)
    if window.name:
        return _("the preset “{name}”").format(name=_(window.name))
    return _("set by hand")


def _shades(state: ViewState) -> list[Note]:
    found = []
    if state.volume is not None and state.volume.is_inverted:
        found.append(Note("colour", _("MONOCHROME1: the smallest value is shown white; values are not changed by that.")))
    if state.is_inverted:
        found.append(Note("colour", _("The view is inverted on request.")))
    if state.display is not None and state.display.color_map != GREY:
        found.append(Note("colour", _("Coloured with the colour map {name}.").format(name=state.display.color_map)))
    return found


def _untold_warnings(volume: Volume) -> list[Note]:
    told = " ".join(english(note.text) for note in volume.notes).casefold()
    fresh = [w for w in volume.warnings if english(w).rstrip(".").casefold() not in told]
    return [Note("ignored", whole(warning), is_warning=True) for warning in fresh]


def _processing(volume: Volume, document: Document | None) -> list[Note]:
    if not volume.is_derived:
        return [Note("values", _("None: the values are those of the file."))]
    steps = processing_steps(document, volume) if document is not None else ()
    return [Note("values", _("{number}. {title}.").format(number=number, title=title)) for number, title in enumerate(steps, 1)] or [
        Note("values", _("The values were computed from those of the file."))
    ]
