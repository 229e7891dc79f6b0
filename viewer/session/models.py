"""Model cards: which classifiers there are and what they are for. Reads TOML only; models run in a worker."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path

from viewer.core.errors import ModelUnusable
from viewer.core.model_card import CARD_FILE, MODEL_FILE, ModelCard, card_of
from viewer.core.resources import models_folder
from viewer.core.sentence import sentence_of
from viewer.core.volume import Volume
from viewer.core.words import _

MAX_MODEL_BYTES = 2 << 30


def list_models(folders: Iterable[Path] | None = None) -> tuple[tuple[ModelCard, ...], tuple[tuple[str, str], ...]]:
    """Models in the given folders (default: those that come with the program), and (name, reason) of unusable ones."""
    cards: list[ModelCard] = []
    broken: list[tuple[str, str]] = []
    for parent in folders if folders is not None else (models_folder(),):
        for folder in sorted(p for p in parent.iterdir() if p.is_dir()) if parent.is_dir() else ():
            if not (folder / CARD_FILE).is_file():
                continue
            try:
                cards.append(read_card(folder))
            except ModelUnusable as err:
                broken.append((folder.name, sentence_of(err)))
    return tuple(cards), tuple(broken)


def read_card(folder: Path) -> ModelCard:
    """Read and check a card. Raises ModelUnusable with what is missing or wrong."""
    try:
        with (folder / CARD_FILE).open("rb") as file:
            card = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ModelUnusable(_("The card of the model {folder} cannot be read: {reason}.").format(folder=folder.name, reason=err)) from err
    return card_of(card, folder)


def check_file(card: ModelCard) -> None:
    """The model file is there, regular, of a sane size, and has the card's checksum. Raises ModelUnusable."""
    path = card.model_path
    if path.is_symlink() or not path.is_file():
        raise ModelUnusable(_("The model {card} has no file {name}.").format(card=card.name, name=MODEL_FILE))
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise ModelUnusable(_("The model {card} is larger than {size} GiB.").format(card=card.name, size=MAX_MODEL_BYTES >> 30))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != card.sha256:
        raise ModelUnusable(_("The model {card} is damaged or was changed: its checksum is not the card's.").format(card=card.name))


def choose_model(cards: Iterable[ModelCard], name: str = "") -> ModelCard:
    """A model by name, else the first that is not only for benchmarks. Raises ModelUnusable naming what there is."""
    known = tuple(cards)
    if name:
        for card in known:
            if card.name == name:
                return card
        raise ModelUnusable(
            _('There is no model "{name}". There are: {names}.').format(name=name, names=", ".join(c.name for c in known) or _("none"))
        )
    for card in known:
        if not card.is_benchmark:
            return card
    raise ModelUnusable(_("No model is installed."))


def fits(card: ModelCard, volume: Volume) -> bool:
    """Whether the image's modality is one that the model is for; an image without modality may be."""
    modality = volume.identity.modality
    return not card.modalities or not modality or modality in card.modalities
