"""C4c: what does not fit a model's card, or is not known, is said in a sentence before the scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plugins.classify.fitness import warnings
from viewer.api import Geometry, Image
from viewer.api.models import choose_model, list_models, years_of
from viewer.core.volume import Identity, Volume
from viewer.session.apply import Scope, image_of

CARD = choose_model(list_models()[0], "pneumonia-cxr-28")
FITTING = {"modality": "DX", "body_part": "CHEST", "view_position": "PA", "patient_age": "004Y"}


def film(facts: dict[str, str] | None = None, *, rows: int = 28, columns: int = 28, is_color: bool = False) -> Image:
    shape = (1, rows, columns, 3) if is_color else (1, rows, columns)
    return Image(np.zeros(shape, np.uint8), Geometry((1, rows, columns)), **{**FITTING, **(facts or {})})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"modality": "CR"},
        {"body_part": "THORAX"},
        {"body_part": "lung"},
        {"view_position": "AP AXIAL"},
        {"view_position": "POSTERO-ANTERIOR"},
        {"patient_age": "018M"},
        {"patient_age": "005Y"},
        {"patient_age": "071M"},
    ],
)
def test_c4c_a_fitting_film_has_no_warning(facts: dict[str, str]) -> None:
    assert warnings(CARD, film(facts)) == ()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"modality": "CT"}, "This model is for CR, DX or RG; this image is CT."),
        ({"modality": ""}, "Modality unknown: this model is for CR, DX or RG."),
        ({"body_part": "HAND"}, "This model is for the body part CHEST; the file says HAND."),
        ({"body_part": ""}, "Body part unknown: this model is for CHEST."),
        ({"view_position": ""}, "View unknown: this model is for AP or PA."),
        ({"view_position": "LL"}, "This model is for the view AP or PA; this is a lateral view (LL)."),
        ({"view_position": "RL"}, "This model is for the view AP or PA; this is a lateral view (RL)."),
        ({"view_position": "AP LLD"}, "This model is for the view AP or PA; the file says AP LLD."),
        ({"patient_age": ""}, "Age unknown: this model was trained on patients of 1 to 5 years."),
        ({"patient_age": "45"}, "Age unknown: this model was trained on patients of 1 to 5 years."),
        ({"patient_age": "064Y"}, "This model was trained on patients of 1 to 5 years; this patient is 64."),
        ({"patient_age": "003M"}, "This model was trained on patients of 1 to 5 years; this patient is 0.25."),
        ({"patient_age": "072M"}, "This model was trained on patients of 1 to 5 years; this patient is 6."),
    ],
)
def test_c4c_what_does_not_fit_the_card_is_said_and_nothing_else(facts: dict[str, str], words: str) -> None:
    assert warnings(CARD, film(facts)) == (words,)


def test_c4c_a_picture_without_tags_says_all_that_is_unknown() -> None:
    said = warnings(CARD, film(dict.fromkeys(FITTING, "")))
    assert [sentence.split()[:2] for sentence in said] == [["Modality", "unknown:"], ["Body", "part"], ["View", "unknown:"], ["Age", "unknown:"]]


def test_c4c_an_image_much_smaller_than_the_input_is_said() -> None:
    card = replace(CARD, input=replace(CARD.input, height=224, width=224))
    said = "The image has 28 x 30 pixels, far fewer than the 224 x 224 that this model looks at: fine detail is missing."
    assert warnings(card, film(rows=30)) == (said,)
    assert warnings(card, film(rows=112, columns=112)) == ()
    assert len(warnings(card, film(rows=400, columns=111))) == 1
    assert warnings(replace(card, input=replace(card.input, height=None, width=None)), film(rows=8, columns=8)) == ()


def test_colour_is_said_of_a_grey_model_only() -> None:
    assert warnings(CARD, film(is_color=True)) == ("The image is in colour; the model gets its brightness.",)
    assert warnings(replace(CARD, input=replace(CARD.input, channels=3)), film(is_color=True)) == ()


def test_age_without_a_tag_comes_from_the_dates_of_birth_and_study() -> None:
    who = Identity(modality="DX", body_part="CHEST", view_position="PA", patient_birth_date="2000-02-10", study_date="2004-06-01")
    volume = Volume("v", np.zeros((1, 1, 28, 28), np.uint8), Geometry((1, 28, 28)), "image", identity=who)
    assert warnings(CARD, image_of(volume, Scope())) == ()
    grown = replace(volume, identity=replace(who, study_date="2064-06-01"))
    assert warnings(CARD, image_of(grown, Scope()))[0].endswith("this patient is 64.")


@pytest.mark.parametrize(("text", "years"), [("045Y", 45), ("018M", 1.5), ("052W", 364 / 365.25), ("", None), ("45", None), ("abcY", None)])
def test_ages_are_read_as_dicom_writes_them(text: str, years: float | None) -> None:
    assert years_of(text) == (None if years is None else pytest.approx(years))
