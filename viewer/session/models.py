"""Model cards: which classifiers there are and what they are for. Reads TOML only; models run in a worker."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viewer.core.errors import ModelUnusable
from viewer.core.resources import models_folder
from viewer.core.sentence import sentence_of
from viewer.core.volume import Volume
from viewer.core.words import _

MODEL_FILE, CARD_FILE = "model.onnx", "card.toml"
MAX_MODEL_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's folder and its card, checked as far as can be done without running it."""

    name: str
    title: str
    version: str
    task: str
    classes: tuple[str, ...]
    threshold: float | None
    input: Mapping[str, Any]
    sha256: str
    folder: Path
    modalities: tuple[str, ...] = ()
    is_benchmark: bool = False
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def model_path(self) -> Path:
        return self.folder / MODEL_FILE


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
    try:
        classes = tuple(str(c["name"]) for c in card["classes"])
        threshold = card.get("threshold", {}).get("value")
        found = ModelCard(
            name=str(card["name"]), title=str(card["title"]), version=str(card["version"]), task=str(card["task"]), classes=classes,
            threshold=None if threshold is None else float(threshold), input=dict(card["input"]), sha256=str(card["sha256"]), folder=folder,
            modalities=tuple(str(m) for m in card.get("applies", {}).get("modality", [])), is_benchmark=bool(card.get("benchmark", False)), card=card,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as err:
        raise ModelUnusable(_("The card of the model {folder} lacks or misspells {reason}.").format(folder=folder.name, reason=err)) from err
    if len(classes) < 2 or len(set(classes)) != len(classes):
        raise ModelUnusable(
            _("The card of the model {folder} names the classes {classes}; two or more different ones are needed.").format(
                folder=folder.name, classes=classes
            )
        )
    return found


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
