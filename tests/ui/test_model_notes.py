"""What was passed over or assumed in reading a card is told where the card is read about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core.card_samples import CARD
from viewer.core.model_card import card_of
from viewer.ui.dialogs.model_about import ModelAbout


@pytest.mark.parametrize("keys", [(), ("hieght",), ("hieght", "colour")])
def test_each_key_that_was_passed_over_is_told(qtbot: Any, keys: tuple[str, ...]) -> None:
    dialog = ModelAbout(card_of(CARD | dict.fromkeys(keys, 1), Path("lungs")))
    qtbot.addWidget(dialog)
    assert dialog.notes.text() == "\n".join(f'lungs/card.toml: the key "{key}" is not known and is passed over.' for key in keys)
    assert dialog.notes.isVisibleTo(dialog) == bool(keys)
