"""The models at hand: listing them anew at every step of the window against looking at their files at all, and against reading their cards."""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from pathlib import Path

from benchmarks.table import Row
from benchmarks.timing import in_turns
from viewer.core.model_fit import ImageFacts, best_of
from viewer.core.resources import models_folder
from viewer.session.models import list_models

MODELS, ROUNDS, LIMIT_MS = 20, 60, 1.0
FILM = ImageFacts("DX", "CHEST", "PA", 4.0)


def rows() -> list[Row]:
    """Figures of this machine."""
    card = next(iter(sorted(models_folder().glob("*/card.toml"))))
    with tempfile.TemporaryDirectory() as place:
        parent = Path(place)
        for number in range(MODELS):
            (parent / f"m{number}").mkdir()
            shutil.copy(card, parent / f"m{number}" / "card.toml")
            text = card.read_text("utf-8")
            (parent / f"m{number}" / "card.toml").write_text(text.replace(f'name = "{card.parent.name}"', f'name = "m{number}"'), "utf-8")
        paths = sorted(parent.glob("*/card.toml"))
        cards, broken = list_models([parent])
        assert len(cards) == MODELS, broken
        looked = in_turns(lambda: list_models([parent]), lambda: [os.stat(path) for path in paths], rounds=ROUNDS)
        read = in_turns(lambda: list_models([parent]), lambda: [tomllib.loads(path.read_text("utf-8")) for path in paths], rounds=5)
        chosen = in_turns(lambda: best_of(cards, FILM), lambda: None, rounds=ROUNDS)
    listing = min(ours for ours, _ in looked)
    return [
        Row(f"list {MODELS} models again", listing, rival="os.stat of their cards", rival_figure=min(rival for _, rival in looked), limit=LIMIT_MS),
        Row(f"list {MODELS} models again", listing, rival="tomllib", rival_figure=min(rival for _, rival in read), at_most=0.1),
        Row(f"best fit of {MODELS} models", min(ours for ours, _ in chosen), limit=LIMIT_MS),
    ]
