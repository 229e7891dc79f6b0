"""C4c: words of files that mean one body part or one view."""

from __future__ import annotations

import pytest

from viewer.core.file_words import body_parts, view
from viewer.core.model_fit import names_part, names_view


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("CHEST", {"CHEST"}),
        ("Thorax", {"CHEST"}),
        ("LUNG", {"CHEST"}),
        ("CHEST_ABDOMEN", {"CHEST", "ABDOMEN"}),
        ("胸部", {"CHEST"}),
        ("ELBOW", {"ELBOW"}),
        ("  ", set()),
    ],
)
def test_c4c_body_parts_in_one_word(text: str, parts: set[str]) -> None:
    assert body_parts(text) == parts


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("PA", "PA"), ("pa ", "PA"), ("AP", "AP"), ("AP AXIAL", "AP"), ("Postero-anterior", "PA"), ("POSTERO ANTERIOR", "PA"),
        ("LL", "LATERAL"), ("RL", "LATERAL"), ("LATERAL", "LATERAL"), ("L LAT", "LATERAL"), ("AP LLD", "DECUBITUS"), ("PA RLD", "DECUBITUS"),
        ("LAO", "OBLIQUE"), ("", ""), ("SWIMMERS", "SWIMMERS"), ("APEX", "APEX"),
    ],
)  # fmt: skip
def test_c4c_views_in_one_word(text: str, word: str) -> None:
    assert view(text) == word


def test_c4c_a_card_names_parts_and_views_in_other_words_than_the_file() -> None:
    assert names_part(("CHEST",), "THORAX")
    assert names_part(("Lung",), "CHEST PA")
    assert not names_part(("CHEST",), "HAND")
    assert not names_part(("CHEST",), "")
    assert names_view(("PA", "AP"), "AP AXIAL")
    assert not names_view(("PA", "AP"), "AP LLD")
    assert not names_view(("PA", "AP"), "")
    assert names_view(("LATERAL",), "LL")
