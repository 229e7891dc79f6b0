"""Which model is taken for an image: what its card names rules out, speaks for or speaks against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core.card_samples import CARD, changed, multi_class
from viewer.core.model_card import ModelCard, card_of
from viewer.core.model_fit import ImageFacts, best_of, fit_of, years_of

FILM = ImageFacts("DX", "CHEST", "PA", 3.0)


def model(name: str, card: dict[str, Any] | None = None, **applies: Any) -> ModelCard:
    text = dict(card or changed("values", {})) | {"name": name, "applies": applies}
    return card_of(text, Path(name))


CHILD = model("child", modality=["CR", "DX"], body_part=["CHEST"], view=["AP", "PA"], age_years=[1, 5])
ADULT = model("adult", modality=["CR", "DX"], body_part=["CHEST"], view=["AP", "PA"], age_years=[18, 120])
ANY = model("any")
HEAD = model("head", modality=["CT"], body_part=["HEAD"])


def name_of(facts: ImageFacts, *cards: ModelCard) -> str:
    found, _why = best_of(cards, facts)
    return found.name if found else ""


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (FILM, "child"),
        (ImageFacts("DX", "CHEST", "PA", 40.0), "adult"),
        (ImageFacts("CT", "HEAD", "", 40.0, "HU", 120), "head"),
        (ImageFacts("MR", "KNEE"), "any"),  # what names nothing takes everything that no other is for
        (ImageFacts("CR", "", ""), "adult"),  # equals: by name
    ],
)
def test_the_card_that_names_the_image_best_is_taken(facts: ImageFacts, name: str) -> None:
    assert name_of(facts, ANY, CHILD, HEAD, ADULT) == name
    assert name_of(facts, ADULT, HEAD, CHILD, ANY) == name, "the order must not matter"


def test_a_card_that_names_nothing_stands_behind_one_that_names_the_image() -> None:
    assert name_of(FILM, model("aaa"), CHILD) == "child"


def test_a_card_that_names_more_of_the_image_goes_first() -> None:
    assert name_of(FILM, model("aaa", modality=["DX"]), model("bbb", modality=["DX"], body_part=["CHEST"])) == "bbb"


def test_what_the_file_does_not_say_rules_nothing_out_but_counts_less() -> None:
    assert name_of(ImageFacts(), CHILD) == "child"
    assert fit_of(CHILD, ImageFacts()).unknown == 4
    assert name_of(ImageFacts(), CHILD, model("zzz")) == "zzz"


@pytest.mark.parametrize(
    "facts", [ImageFacts("MR", "CHEST", "PA", 3.0), ImageFacts("DX", "HAND", "PA", 3.0)], ids=["another modality", "another body part"]
)
def test_another_modality_or_body_part_rules_a_model_out(facts: ImageFacts) -> None:
    assert fit_of(CHILD, facts).obstacle


@pytest.mark.parametrize(
    "facts", [ImageFacts("DX", "CHEST", "LL", 3.0), ImageFacts("DX", "CHEST", "PA", 40.0), ImageFacts("DX", "CHEST", "PA", 3.0, is_color=True)]
)
def test_another_view_or_age_or_colour_only_speaks_against_it(facts: ImageFacts) -> None:
    fit = fit_of(CHILD, facts)
    assert not fit.obstacle and fit.contradicted == 1
    assert fit.rank < fit_of(CHILD, FILM).rank


@pytest.mark.parametrize(("years", "is_within"), [(1.0, True), (0.99, False), (5.99, True), (6.0, False)])
def test_ages_are_whole_years_as_people_count_them(years: float, is_within: bool) -> None:
    assert (fit_of(CHILD, ImageFacts("DX", "CHEST", "PA", years)).contradicted == 0) == is_within


def test_words_of_files_are_read_as_they_are_written_there() -> None:
    for value in ("chest", " CHEST ", "CHEST PA", "CHEST_LAT"):
        assert not fit_of(CHILD, ImageFacts("DX", value)).obstacle, value
    for value in ("CHESTNUT", "ABDOMEN"):
        assert fit_of(CHILD, ImageFacts("DX", value)).obstacle == "body_part", value


def test_one_plane_rules_out_networks_of_volumes_and_sequences_and_not_those_of_neighbours() -> None:
    def of(layout: str, planes: str, channels: int = 1) -> ModelCard:
        card = multi_class(3, values={}, applies={}, familiarity={})
        card["input"] = {"layout": layout, "planes": planes, "channels": channels}
        return card_of(card, Path("m"))

    assert [fit_of(of(*spec), ImageFacts(planes=1)).obstacle for spec in (("NCDHW", "volume"), ("NTCHW", "sequence"), ("NCHW", "neighbours", 3))] == [
        "planes", "planes", "",
    ]  # fmt: skip
    assert not fit_of(of("NCDHW", "volume"), ImageFacts(planes=30)).obstacle


def test_another_unit_than_the_cards_window_rules_it_out() -> None:
    card = model("hu", CARD)
    assert fit_of(card, ImageFacts(unit="SUV")).obstacle == "unit"
    assert not fit_of(card, ImageFacts(unit="HU")).obstacle
    assert not fit_of(card, ImageFacts()).obstacle


def test_benchmarks_and_models_that_do_not_classify_are_never_taken() -> None:
    benchmark = model("bench", changed("benchmark", True))
    picture = model("denoise", multi_class(0, task="image"))
    assert best_of((benchmark, picture), FILM) == (None, "No model is installed.")
    assert name_of(FILM, benchmark, picture, CHILD) == "child"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (ImageFacts("MR", "CHEST"), "No model is for this image: it is MR, and the models are for CR, DX, CT."),
        (ImageFacts("CT", "ABDOMEN"), "No model is for this image: it shows ABDOMEN, and the models are for HEAD."),
    ],
)
def test_where_none_fits_a_sentence_says_what_keeps_those_away_that_came_closest(facts: ImageFacts, words: str) -> None:
    assert best_of((CHILD, ADULT, HEAD), facts) == (None, words)


@pytest.mark.parametrize(
    ("text", "years"), [("045Y", 45), ("018M", 1.5), ("052W", 364 / 365.25), ("010D", 10 / 365.25), ("", None), ("45", None), ("abcY", None)]
)
def test_ages_of_dicom_are_years(text: str, years: float | None) -> None:
    assert years_of(text) == (years if years is None else pytest.approx(years))
