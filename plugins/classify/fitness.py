"""Whether a model should have been asked: the card's modality, body part, view and age against what the file says."""

from __future__ import annotations

from collections.abc import Sequence

from viewer.api import Image, gettext, mark
from viewer.api.models import ModelCard

_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}

_UNKNOWN = {
    "body_part": mark("Body part unknown: this model is for {listed}."),
    "view": mark("View unknown: this model is for {listed}."),
}
_OTHER = {
    "body_part": mark("This model is for the body part {listed}; the file says {value}."),
    "view": mark("This model is for the view {listed}; the file says {value}."),
}


def warnings(card: ModelCard, image: Image) -> tuple[str, ...]:
    """Whole sentences on what does not fit or is not known; none if everything fits."""
    misfit = modality_warning(card, image.modality)
    found = [misfit] if misfit else []
    for key, listed, value in (("body_part", card.applies.body_part, image.body_part), ("view", card.applies.view, image.view_position)):
        allowed = [word.upper() for word in listed]
        if allowed and not value:
            found.append(gettext(_UNKNOWN[key]).format(listed=_listed(allowed)))
        elif allowed and value.upper() not in allowed:
            found.append(gettext(_OTHER[key]).format(listed=_listed(allowed), value=value))
    ages = card.applies.age_years
    if ages:
        years = age_years(image.patient_age)
        if years is None:
            found.append(
                gettext("Age unknown: this model was trained on patients of {youngest:g} to {oldest:g} years.").format(
                    youngest=ages[0], oldest=ages[1]
                )
            )
        elif not ages[0] <= years < ages[1] + 1:
            found.append(
                gettext("This model was trained on patients of {youngest:g} to {oldest:g} years; this patient is {years:.3g}.").format(
                    youngest=ages[0], oldest=ages[1], years=years
                )
            )
    if image.is_color:
        found.append(gettext("The image is in colour; the model gets its brightness."))
    return tuple(found)


def modality_warning(card: ModelCard, modality: str) -> str:
    """A sentence where a modality is not known, or none of those that a model is for; "" if it is."""
    if not card.modalities or modality in card.modalities:
        return ""
    if not modality:
        return gettext("Modality unknown: this model is for {listed}.").format(listed=_listed(card.modalities))
    return gettext("This model is for {listed}; this image is {modality}.").format(listed=_listed(card.modalities), modality=modality)


def age_years(text: str) -> float | None:
    """Years of a DICOM age string (045Y, 018M, 003W, 010D); None if there is none."""
    text = text.strip().upper()
    if len(text) != 4 or not text[:3].isdigit() or text[3] not in _YEARS:
        return None
    return int(text[:3]) * _YEARS[text[3]]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else gettext("{names} or {last}").format(names=", ".join(words[:-1]), last=words[-1])
