"""Whether a model should have been asked: the card's modality, body part, view and age against what the file says."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.classify.levels import takes_files_window
from viewer.api import Image, gettext, mark
from viewer.api.models import ModelCard, names_part, names_view, view_of, years_of

_UNKNOWN = {
    "body_part": mark("Body part unknown: this model is for {listed}."),
    "view": mark("View unknown: this model is for {listed}."),
}
_OTHER = {
    "body_part": mark("This model is for the body part {listed}; the file says {value}."),
    "view": mark("This model is for the view {listed}; the file says {value}."),
}
_LATERAL = mark("This model is for the view {listed}; this is a lateral view ({value}).")
_LEAST_SHARE = 0.5
"""An image with fewer than so many of the rows or columns that the model takes has to be enlarged by more than a trifle."""


def warnings(card: ModelCard, image: Image) -> tuple[str, ...]:
    """Whole sentences on what does not fit or is not known; none if everything fits."""
    misfit = modality_warning(card, image.modality)
    found = [misfit] if misfit else []
    found += [words for words in (_part_warning(card, image.body_part), _view_warning(card, image.view_position)) if words]
    found += [words for words in (_age_warning(card, image.patient_age), _size_warning(card, image)) if words]
    if image.is_color and card.input.channels == 1:
        found.append(gettext("The image is in colour; the model gets its brightness."))
    if card.input.planes != "one" and len(set(image.plane_windows)) > 1 and takes_files_window(card, image):
        found.append(
            gettext("The planes differ in their windows or VOI LUTs; those that go into this model together went through that of the middle one.")
        )
    if image.crosses_windows and takes_files_window(card, image):
        found.append(
            gettext("This slice lies across planes that differ in their windows or VOI LUTs; all of it went through that of the middle one.")
        )
    return tuple(found)


def _part_warning(card: ModelCard, value: str) -> str:
    listed = card.applies.body_part
    if not listed or names_part(listed, value):
        return ""
    return gettext(_OTHER["body_part"] if value.strip() else _UNKNOWN["body_part"]).format(listed=_listed(_upper(listed)), value=value)


def _view_warning(card: ModelCard, value: str) -> str:
    listed = card.applies.view
    if not listed or names_view(listed, value):
        return ""
    words = _UNKNOWN["view"] if not value.strip() else _LATERAL if view_of(value) == "LATERAL" else _OTHER["view"]
    return gettext(words).format(listed=_listed(_upper(listed)), value=value)


def _age_warning(card: ModelCard, age: str) -> str:
    ages = card.applies.age_years
    if not ages:
        return ""
    years = years_of(age)
    if years is None:
        return gettext("Age unknown: this model was trained on patients of {youngest:g} to {oldest:g} years.").format(
            youngest=ages[0], oldest=ages[1]
        )
    if ages[0] <= years < ages[1] + 1:
        return ""
    return gettext("This model was trained on patients of {youngest:g} to {oldest:g} years; this patient is {years:.3g}.").format(
        youngest=ages[0], oldest=ages[1], years=years
    )


def _size_warning(card: ModelCard, image: Image) -> str:
    rows, columns = image.geometry.shape[1:]
    height, width = card.input.height, card.input.width
    if height is None or width is None or (rows >= _LEAST_SHARE * height and columns >= _LEAST_SHARE * width):
        return ""
    return gettext(
        "The image has {columns} x {rows} pixels, far fewer than the {width} x {height} that this model looks at: fine detail is missing."
    ).format(columns=columns, rows=rows, width=width, height=height)


def modality_warning(card: ModelCard, modality: str) -> str:
    """A sentence where a modality is not known, or none of those that a model is for; "" if it is."""
    if not card.modalities or modality in card.modalities:
        return ""
    if not modality:
        return gettext("Modality unknown: this model is for {listed}.").format(listed=_listed(card.modalities))
    return gettext("This model is for {listed}; this image is {modality}.").format(listed=_listed(card.modalities), modality=modality)


def missing(card: ModelCard, *, modality: str, body_part: str, view: str, age: str) -> str:
    """A sentence that names all that a file does not say of what a model is for; "" where it says it all."""
    applies = card.applies
    unknown = [
        gettext(name)
        for name, listed, is_known in (
            (mark("modality"), applies.modality, bool(modality.strip())), (mark("body part"), applies.body_part, bool(body_part.strip())),
            (mark("view"), applies.view, bool(view.strip())), (mark("age"), applies.age_years, years_of(age) is not None),
        )
        if listed and not is_known
    ]  # fmt: skip
    return gettext("The file does not give: {listed}. Whether the model is for this image cannot be told.").format(
        listed=gettext(", ").join(unknown)
    ) if unknown else ""  # fmt: skip


def _upper(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.upper() for word in words)


def _listed(words: Sequence[str]) -> str:
    names = words[0]
    for word in words[1:-1]:
        names = gettext("{names}, {next}").format(names=names, next=word)
    return names if len(words) == 1 else gettext("{names} or {last}").format(names=names, last=words[-1])
