"""Whether a model should have been asked: the card's modality, body part, view and age against what the file says."""

from __future__ import annotations

from collections.abc import Sequence

from viewer.api import Image
from viewer.api.models import ModelCard

_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}


def warnings(card: ModelCard, image: Image) -> tuple[str, ...]:
    """Whole sentences on what does not fit or is not known; none if everything fits."""
    applies = card.card.get("applies", {})
    misfit = modality_warning(card, image.modality)
    found = [misfit] if misfit else []
    for key, value, words in (("body_part", image.body_part, "body part"), ("view", image.view_position, "view")):
        allowed = [str(a).upper() for a in applies.get(key, [])]
        if allowed and not value:
            found.append(f"{words.capitalize()} unknown: this model is for {_listed(allowed)}.")
        elif allowed and value.upper() not in allowed:
            found.append(f"This model is for the {words} {_listed(allowed)}; the file says {value}.")
    ages = applies.get("age_years")
    if ages:
        years = age_years(image.patient_age)
        if years is None:
            found.append(f"Age unknown: this model was trained on patients of {ages[0]:g} to {ages[1]:g} years.")
        elif not ages[0] <= years < ages[1] + 1:
            found.append(f"This model was trained on patients of {ages[0]:g} to {ages[1]:g} years; this patient is {years:.3g}.")
    if image.is_color:
        found.append("The image is in colour; the model gets its brightness.")
    return tuple(found)


def modality_warning(card: ModelCard, modality: str) -> str:
    """A sentence where a modality is not known, or none of those that a model is for; "" if it is."""
    if not card.modalities or modality in card.modalities:
        return ""
    if not modality:
        return f"Modality unknown: this model is for {_listed(card.modalities)}."
    return f"This model is for {_listed(card.modalities)}; this image is {modality}."


def age_years(text: str) -> float | None:
    """Years of a DICOM age string (045Y, 018M, 003W, 010D); None if there is none."""
    text = text.strip().upper()
    if len(text) != 4 or not text[:3].isdigit() or text[3] not in _YEARS:
        return None
    return int(text[:3]) * _YEARS[text[3]]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
