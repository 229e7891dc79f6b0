"""How well a model's card fits an image: what rules it out, what only speaks against it, and which card fits best."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from viewer.core.file_words import body_parts, view
from viewer.core.model_card import ModelCard
from viewer.core.words import _

Obstacle = Literal["", "modality", "body_part", "unit", "planes"]
_ORDER: tuple[Obstacle, ...] = ("modality", "body_part", "unit", "planes")
_AGE = re.compile(r"(\d{3})([YMWD])")
_IN_A_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image without its pixels; "" and None: not known."""

    modality: str = ""
    body_part: str = ""
    view: str = ""
    age_years: float | None = None
    unit: str = ""
    planes: int = 1
    is_color: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """``obstacle``: what rules the model out. The others count what the card says of the image: borne out, contradicted, unknown."""

    obstacle: Obstacle = ""
    confirmed: int = 0
    contradicted: int = 0
    unknown: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        """Larger is better: a contradiction weighs as much as two things borne out; then what is known goes before what is not."""
        return self.confirmed - 2 * self.contradicted, -self.unknown


def years_of(age: str) -> float | None:
    """Years of an age as DICOM writes it (045Y, 018M, 003W, 010D); None if there is none."""
    found = _AGE.fullmatch(age.strip().upper())
    return int(found[1]) / _IN_A_YEAR[found[2]] if found else None


def fit_of(card: ModelCard, facts: ImageFacts) -> Fit:
    """Another modality, body part or unit, or a single plane for a network of volumes or sequences, rules a model out.

    Another view or age, and colour for a grey model, only speak against it: the run warns of them. What the file does not
    say rules nothing out, and counts less than what it says.
    """
    applies = card.applies
    confirmed = contradicted = unknown = 0
    for aspect, listed, value, is_named in (
        ("modality", applies.modality, facts.modality, names),
        ("body_part", applies.body_part, facts.body_part, names_part),
    ):
        if not listed:
            continue
        if not value.strip():
            unknown += 1
        elif is_named(listed, value):
            confirmed += 1
        else:
            return Fit("modality" if aspect == "modality" else "body_part")
    if card.values.unit and facts.unit and card.values.unit != facts.unit:
        return Fit("unit")
    if facts.planes < 2 and card.input.planes in ("volume", "sequence"):
        return Fit("planes")
    if applies.view:
        unknown += not facts.view.strip()
        confirmed += names_view(applies.view, facts.view)
        contradicted += bool(facts.view.strip()) and not names_view(applies.view, facts.view)
    if applies.age_years is not None:
        fits = facts.age_years is not None and applies.age_years[0] <= facts.age_years < applies.age_years[1] + 1
        unknown += facts.age_years is None
        confirmed += fits
        contradicted += facts.age_years is not None and not fits
    contradicted += facts.is_color and card.input.channels == 1 and card.input.planes == "one"
    return Fit("", confirmed, contradicted, unknown)


def names(listed: Iterable[str], value: str) -> bool:
    """Whether a file's word is one of a card's, whatever its case; of several words (``CHEST PA``) one is enough."""
    wanted = {word.strip().upper() for word in listed}
    said = value.strip().upper()
    return said in wanted or not wanted.isdisjoint(re.split(r"[^A-Z0-9]+", said))


def names_part(listed: Iterable[str], value: str) -> bool:
    """Whether a file's body part is one of a card's, in whichever words: ``THORAX`` is ``CHEST``."""
    return names(listed, value) or any(body_parts(value) & body_parts(word) for word in listed)


def names_view(listed: Iterable[str], value: str) -> bool:
    """Whether a file's view is one of a card's: ``AP AXIAL`` is ``AP``; ``AP LLD``, lying on the side, is not."""
    return bool(value.strip()) and view(value) in {view(word) for word in listed}


def best_of(cards: Iterable[ModelCard], facts: ImageFacts) -> tuple[ModelCard | None, str]:
    """The classifier that fits an image best, of equals the first by name; or None and a sentence why none does.

    Models that are only for benchmarks, and those whose result is a picture or a label map, are never chosen.
    """
    asked = sorted((card for card in cards if card.is_classifier and not card.is_benchmark), key=lambda card: card.name)
    if not asked:
        return None, _("No model is installed.")
    fits = [(card, fit_of(card, facts)) for card in asked]
    fitting = [(card, fit) for card, fit in fits if not fit.obstacle]
    if fitting:
        return max(fitting, key=lambda pair: pair[1].rank)[0], ""
    last = max((fit.obstacle for _card, fit in fits), key=_ORDER.index)
    return None, _why_none(last, [card for card, fit in fits if fit.obstacle == last], facts)


def _why_none(obstacle: Obstacle, cards: list[ModelCard], facts: ImageFacts) -> str:
    """What keeps those models away that came closest."""
    if obstacle == "modality":
        listed = _listed(word for card in cards for word in card.applies.modality)
        return _("No model is for this image: it is {modality}, and the models are for {listed}.").format(modality=facts.modality, listed=listed)
    if obstacle == "body_part":
        listed = _listed(word for card in cards for word in card.applies.body_part)
        return _("No model is for this image: it shows {value}, and the models are for {listed}.").format(value=facts.body_part, listed=listed)
    if obstacle == "unit":
        listed = _listed(card.values.unit for card in cards)
        return _("No model is for this image: its values are in {unit}, and the models take {listed}.").format(unit=facts.unit, listed=listed)
    return _("No model is for this image: it has one plane, and the models take several.")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
