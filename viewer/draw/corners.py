"""What stands in the four corners of a view (CONVENTIONS 3d), as lines of text; a value that is missing leaves its line out."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.core.geometry import place_text
from viewer.core.letters import shown_letters
from viewer.core.oblique import ObliqueLayout
from viewer.core.volume import Identity, Volume
from viewer.core.window import FUNCTIONS, Window
from viewer.core.words import _, language
from viewer.draw.figures import window_figures
from viewer.draw.fusion import second_line
from viewer.draw.maps import drawn_heat
from viewer.session.hand import stack_index, stack_size
from viewer.session.headline import headline
from viewer.session.heat import METHOD_TITLES, caption
from viewer.session.view import TextLevel, ViewState

# Facts that are shown beside a slice, in this order, if the file has them.
_SECTION_FACTS = ("TR", "TE", "TI")


@dataclass(frozen=True, slots=True)
class Corners:
    """Lines from top to bottom; bottom corners end at the bottom."""

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()


def corners(state: ViewState, *, zoom_percent: float, probe: str = "", identity: bool = True, level: TextLevel | None = None) -> Corners:
    """The corner texts of a state.

    Parameters
    ----------
    zoom_percent : float
        100: one image pixel to a screen pixel.
    probe : str
        The value under the pointer, with unit.
    identity : bool
        Whether who was examined, where and when may be shown.
    level : "full", "short" or "none"
        In place of the state's own.
    """
    volume = state.volume
    level = level or state.text
    if volume is None or level == "none":
        return Corners()
    is_full = level == "full"
    who = volume.identity
    return Corners(
        top_left=top_left(state, identity=identity, level=level),
        top_right=_study(who, is_full) if identity else (),
        bottom_left=_section(state, volume, is_full, identity),
        bottom_right=_view(state, zoom_percent, probe, identity, is_full),
    )


def top_left(state: ViewState, *, identity: bool, level: TextLevel) -> tuple[str, ...]:
    """The lines of the corner that badges stand under."""
    if state.volume is None or level == "none" or not identity:
        return ()
    return _patient(state.volume.identity, level == "full")


def _patient(who: Identity, is_full: bool) -> tuple[str, ...]:
    born = iso_date(who.patient_birth_date)
    sex_age = " ".join(part for part in (who.patient_sex, age_text(who.patient_age) or born) if part)
    identifier = _("ID {id}").format(id=who.patient_id) if who.patient_id else ""
    second = " · ".join(part for part in (sex_age, identifier) if part)
    return _present(person(who.patient_name), second if is_full else "")


def _study(who: Identity, is_full: bool) -> tuple[str, ...]:
    moment = " ".join(part for part in (iso_date(who.study_date), clock(who.study_time)) if part)
    if not is_full:
        return _present(iso_date(who.study_date))
    return _present(who.institution, moment, who.study_description, who.accession)


def report_lines(state: ViewState, *, is_full: bool) -> tuple[str, ...]:
    """What a model said of the slice: its score and threshold, or that the image is strange to it; its name and version; that it is no diagnosis.

    Models are asked about the image as it was opened: where what is shown was processed, the lines say so.
    """
    report = state.report
    if report is None:
        return ()
    if report.is_unfamiliar:
        said = _("This model has not seen such images.")
    else:
        said = headline(report)
    asked = _("Asked about the original image") if state.is_processed else ""
    return _present(said, f"{report.model} {report.version}" if is_full else report.model, asked, _("Not for diagnosis"))


def _section(state: ViewState, volume: Volume, is_full: bool, identity: bool) -> tuple[str, ...]:
    who = volume.identity
    number = _("Series {number}").format(number=who.series_number) if who.series_number else ""
    # A title stands in for a description; made from the file's name, it may say who it is.
    title = _description(volume) or (volume.title if identity else "")
    series = "  ".join(part for part in (number, title) if part)
    lines = [series if is_full else ""]
    if volume.phases > 1:
        lines.append(phase_text(state, volume))
    if state.count > 1:
        words = _("Slice {number} / {count}").format(number=state.index + 1, count=state.count)
        place = position_text(state)
        lines.append(f"{words}  {place}" if place else words)
    if is_full:
        lines.append(_thickness(state, volume))
        lines.append("  ".join(f"{_(name)} {volume.facts[name]}" for name in _SECTION_FACTS if name in volume.facts))
    return _present(*lines)


def _description(volume: Volume) -> str:
    """What the file calls the series, with what tells its parts apart."""
    described = volume.identity.series_description
    return volume.title if described and volume.title.startswith(described) else described


def _thickness(state: ViewState, volume: Volume) -> str:
    geometry = volume.geometry
    axis = state.layout.axis
    slab = _("Thickness {text}").format(text=f"{state.slab.mm:.4g} mm") if state.slab is not None else ""
    if isinstance(state.layout, ObliqueLayout):
        distance = _("Spacing {mm:.3g} mm").format(mm=state.layout.distance) if state.count > 1 else ""
        return "  ".join(part for part in (slab, distance) if part)
    known = geometry.between_known if axis == 0 else geometry.in_plane_known
    distance = _("Spacing {mm:.3g} mm").format(mm=geometry.spacing[axis]) if known and geometry.in_plane_known and state.count > 1 else ""
    thick = _shortened(volume.facts.get("Slice thickness", "")) if axis == 0 else ""
    own = _("Thickness {text}").format(text=thick) if thick else ""
    return "  ".join(part for part in (slab or own, distance) if part)


def _shortened(text: str) -> str:
    """``0.666667 mm`` as ``0.667 mm``."""
    number, _space, unit = text.partition(" ")
    try:
        return f"{float(number):.3g} {unit}".strip()
    except ValueError:
        return text


def _view(state: ViewState, zoom_percent: float, probe: str, identity: bool, is_full: bool) -> tuple[str, ...]:
    second = (second_line(state, identity=identity),) if state.fusion is not None else ()
    explained = tuple(
        _("Heat map: {name} · {method}").format(name=_(shown.item.score), method=_(METHOD_TITLES.get(shown.item.method, shown.item.method)))
        if shown.item.method
        else caption(shown.item)
        for shown in drawn_heat(state)
    )
    said = report_lines(state, is_full=is_full)
    return _present(*probe.split("\n"), *said, *explained, window_text(state), *second, _("Zoom {percent:.0f} %").format(percent=zoom_percent))


def window_text(state: ViewState) -> str:
    """``W 400  L 40  Soft tissue``, with the function where it is not the usual one; "" for colour that is shown as it is."""
    if state.display is None:
        return ""
    window = state.window
    width, center = window_figures(window.center, window.width)
    if state.volume is not None and state.volume.is_color:
        return _("Brightness/contrast W {width}  L {center}").format(width=width, center=center)
    named = _("VOI LUT") if state.display.lut is not None else _function_name(window)
    words = _("W {width}  L {center}").format(width=width, center=center)
    return "  ".join(part for part in (words, _(window.name) if window.name else "", named) if part)


def _function_name(window: Window) -> str:
    """DICOM's function where it is not the usual one; of a window with a name (Auto) only where it bends the greys."""
    is_told = window.function == "SIGMOID" or (window.function == "LINEAR_EXACT" and not window.name)
    return _(FUNCTIONS[window.function]) if is_told else ""


def position_text(state: ViewState) -> str:
    """Where the slice lies along the patient axis nearest to its normal: ``H 45.2 mm``; "" without a patient frame.

    Of a plane turned at will: the place in the middle of its picture.
    """
    geometry, axis = state.geometry, state.layout.axis
    if isinstance(state.layout, ObliqueLayout):
        return _oblique_position(state, state.layout)
    if (
        not geometry.is_patient
        or not geometry.in_plane_known
        or (axis == 0 and not geometry.between_known and geometry.is_rectangular and state.count > 1)
    ):
        return ""
    middle = [(n - 1) / 2 for n in geometry.shape]
    middle[axis] = state.array_index
    place = geometry.to_patient(middle)
    world = int(abs(geometry.vector(axis)).argmax())
    value = float(place[world])
    return f"{shown_letters(('LR', 'PA', 'HF')[world][value < 0])} {abs(value):.1f} mm"


def _oblique_position(state: ViewState, layout: ObliqueLayout) -> str:
    width, height = layout.size
    place = state.position_at((width / 2, height / 2))
    if layout.is_turned:
        return place_text(place, state.geometry.unit, state.geometry.is_patient)
    if not state.geometry.is_patient:
        return ""
    world = max(range(3), key=lambda n: abs(layout.normal[n]))
    return f"{shown_letters(('LR', 'PA', 'HF')[world][place[world] < 0])} {abs(place[world]):.1f} mm"


def phase_text(state: ViewState, volume: Volume) -> str:
    """``Frame 3 / 30``, with what the file calls it."""
    words = _("Frame {number} / {count}") if volume.kind == "cine" else _("Phase {number} / {count}")
    text = words.format(number=state.phase + 1, count=volume.phases)
    label = volume.phase_labels[state.phase] if state.phase < len(volume.phase_labels) else ""
    return f"{text}  {label}" if label else text


def view_name(state: ViewState, number: int) -> str:
    """The name of a view for assistive technology: ``View 1, t1_vibe, slice 41 of 72``."""
    volume = state.volume
    if volume is None:
        return _("View {number}, empty").format(number=number)
    words = _("View {number}, {title}, slice {index} of {count}")
    if state.count == 1 and volume.phases > 1:
        words = _("View {number}, {title}, frame {index} of {count}")
    title = _description(volume) or volume.title
    return words.format(number=number, title=title, index=stack_index(state) + 1, count=stack_size(state))


def person(name: str) -> str:
    """DICOM's ``Wang^Min`` as ``Wang, Min``; the first group that is filled in, in a Chinese window the ideographic one before it (D04)."""
    groups = name.split("=")
    if language() == "zh_CN" and len(groups) > 1 and groups[1].strip("^ "):
        # Family and given name stand together there.
        return "".join(part.strip() for part in groups[1].split("^"))
    group = next((part for part in groups if part.strip("^ ")), "")
    family, *others = group.split("^")
    rest = " ".join(part.strip() for part in others if part.strip())
    return ", ".join(part for part in (family.strip(), rest) if part)


def iso_date(text: str) -> str:
    """DICOM's ``20240318`` as ``2024-03-18``; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdigit() else text


def clock(text: str) -> str:
    """DICOM's ``094130.5`` and ``09:41:30`` as ``09:41``; anything else as it is."""
    if len(text) >= 5 and text[2] == ":":
        return text[:5]
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 and text[:4].isdigit() else text


def age_text(text: str) -> str:
    """DICOM's ``058Y`` as ``58 y``; anything else as it is."""
    if len(text) == 4 and text[:3].isdigit() and text[3] in "DWMY":
        return f"{int(text[:3])} {text[3].lower()}"
    return text


def _present(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
