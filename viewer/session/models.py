"""Which models there are, those that come with the program and the user's own, and which of them to take. Models run in a worker."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from viewer.core.errors import ModelUnusable
from viewer.core.images import Image
from viewer.core.model_card import CARD_FILE, MODEL_FILE, ModelCard, card_of
from viewer.core.model_fit import ImageFacts, best_of, fit_of, years_of
from viewer.core.resources import models_folder
from viewer.core.sentence import sentence_of
from viewer.core.toml_text import parsed_toml
from viewer.core.volume import Volume
from viewer.core.words import _
from viewer.io.remembered import signature
from viewer.io.series import SeriesEntry
from viewer.session.settings import Settings, config_folder, data_folder

MAX_MODEL_BYTES = 2 << 30
MAX_CARD_BYTES = 1 << 20
Broken = tuple[str, str]
"""Name of a folder with a model that cannot be used, and why."""

_State = tuple[int, ...]
_SIZE = 2  # its place in a state
_read: dict[Path, tuple[_State, ModelCard | Broken]] = {}
_checked: dict[Path, tuple[_State, str]] = {}
_chosen: dict[Path, tuple[_State | None, str]] = {}


# --- folders -------------------------------------------------------------------------------------------------------


def own_folder() -> Path:
    """The folder of the user's own models, which need not exist: that of the settings, else ``models`` in the user's data folder.

    The folder of the built-in models is never taken for it.
    """
    path = config_folder() / "settings.toml"
    state = file_state(path)
    known = _chosen.get(path)
    if known is None or known[0] != state:
        known = _chosen[path] = (state, str(Settings(path).chosen("model_folder")).strip())
    chosen = Path(known[1]).expanduser() if known[1] else None
    is_usable = chosen is not None and chosen.is_absolute() and chosen.resolve() != models_folder().resolve()
    return chosen if chosen is not None and is_usable else data_folder() / "models"


def is_built_in(card: ModelCard) -> bool:
    """Whether a model comes with the program."""
    return card.folder.parent == models_folder()


def list_models(folders: Iterable[Path] | None = None) -> tuple[tuple[ModelCard, ...], tuple[Broken, ...]]:
    """Models in the given folders, by folder and name, and (name, reason) of unusable ones. Never raises.

    Without ``folders``: those that come with the program, then the user's own. Of two with one name the first is taken and
    the other told as unusable. Cards are read again only where their file has changed.
    """
    cards: dict[str, ModelCard] = {}
    broken: list[Broken] = []
    for parent in folders if folders is not None else _usual_folders():
        for folder in folders_in(parent):
            found = _read_once(folder)
            if found is None:
                continue
            if not isinstance(found, ModelCard):
                broken.append(found)
            elif found.name in cards:
                broken.append((folder.name, _taken(found, cards[found.name])))
            else:
                cards[found.name] = found
    return tuple(cards.values()), tuple(broken)


def _usual_folders() -> tuple[Path, ...]:
    try:
        return models_folder(), own_folder()
    except (OSError, RuntimeError):  # no home, or one that may not be written to
        return (models_folder(),)


def folders_in(parent: Path) -> list[Path]:
    """What lies in a folder of models, by name. Hidden ones are left out: a model that is being added is one until it is whole."""
    try:
        return sorted(parent / name for name in os.listdir(parent) if not name.startswith("."))
    except OSError:
        return []


def _taken(card: ModelCard, first: ModelCard) -> str:
    if is_built_in(first):
        return _('The model in the folder {folder} has the name "{name}" of a built-in one; give it another name.').format(
            folder=card.folder.name, name=card.name
        )
    return _('The models in the folders {first} and {folder} have the same name "{name}"; give one of them another.').format(
        first=first.folder.name, folder=card.folder.name, name=card.name
    )


def file_state(path: Path) -> tuple[int, ...] | None:
    """By what a file is known again: where it lies, how large it is, when it was written; None where there is none."""
    try:
        return signature(os.stat(path))
    except OSError:
        return None


def _without_card(folder: Path) -> Broken | None:
    """A model that lies there alone is told; a folder with neither is none of ours."""
    if not os.path.lexists(folder / MODEL_FILE):
        return None
    words = _('The folder "{folder}" holds {model} but no {card}. Drop {model} on the window: a card is proposed, and what cannot be known is asked.')
    return folder.name, words.format(folder=folder.name, model=MODEL_FILE, card=CARD_FILE)


def _read_once(folder: Path) -> ModelCard | Broken | None:
    path = folder / CARD_FILE
    state = file_state(path)
    if state is None:
        _read.pop(path, None)
        return _without_card(folder)
    known = _read.get(path)
    if known is None or known[0] != state:
        found: ModelCard | Broken
        try:
            found = read_card(folder)
        except ModelUnusable as err:
            found = (folder.name, sentence_of(err))
        known = _read[path] = (state, found)
    return known[1]


# --- cards and files -----------------------------------------------------------------------------------------------


def read_card(folder: Path) -> ModelCard:
    """Read and check a card. Raises ModelUnusable with what is missing or wrong."""
    return card_of(read_mapping(folder), folder)


def read_mapping(folder: Path) -> dict[str, Any]:
    """What the file of a card says, unchecked. Raises ModelUnusable where it cannot be read."""
    try:
        path = folder / CARD_FILE
        if folder.is_symlink() or not stat.S_ISREG(path.lstat().st_mode):
            raise ModelUnusable(
                _("{folder}/{file} is not an ordinary file in a folder of its own, but a link or the like. Put the files themselves there.").format(
                    folder=folder.name, file=CARD_FILE
                )
            )
        with path.open("rb") as file:
            text = file.read(MAX_CARD_BYTES + 1)
        if len(text) > MAX_CARD_BYTES:
            raise ModelUnusable(
                _("{folder}/{file} is larger than {size} KiB, which no card is.").format(
                    folder=folder.name, file=CARD_FILE, size=MAX_CARD_BYTES >> 10
                )
            )
        return parsed_toml(text)
    except (OSError, ValueError, RecursionError) as err:
        raise ModelUnusable(_('The card of the model "{folder}" cannot be read: {reason}.').format(folder=folder.name, reason=err)) from err


def check_file(card: ModelCard) -> None:
    """The model's files are there, regular, of a sane size, and have the card's checksums. Raises ModelUnusable.

    A file that has not changed since is not read again.
    """
    for name, wanted in ((MODEL_FILE, card.sha256), *card.beside.items()):
        path = card.folder / name
        if path.is_symlink() or not path.is_file():
            raise ModelUnusable(_('The model "{card}" has no file {name}.').format(card=card.name, name=name))
        state = file_state(path)
        if state is not None and state[_SIZE] > MAX_MODEL_BYTES:
            raise ModelUnusable(_('The model "{card}" is larger than {size} GiB.').format(card=card.name, size=MAX_MODEL_BYTES >> 30))
        known = _checked.get(path)
        if state is None or known is None or known[0] != state:
            known = (state or (), checksum(path))
            _checked[path] = known
        if known[1] != wanted:
            raise ModelUnusable(_('The model "{card}" is damaged or was changed: its checksum is not the card\'s.').format(card=card.name))


def checksum(path: Path) -> str:
    """SHA-256 of a file in hexadecimal. Raises ModelUnusable where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise ModelUnusable(_("{name} cannot be read: {reason}.").format(name=path.name, reason=err.strerror or err)) from err


# --- choosing ------------------------------------------------------------------------------------------------------


def choose_model(cards: Iterable[ModelCard], name: str = "") -> ModelCard:
    """A model by name, else the first classifier that is not only for benchmarks. Raises ModelUnusable naming what there is."""
    known = tuple(cards)
    if name:
        for card in known:
            if card.name == name:
                return card
        raise ModelUnusable(
            _('There is no model "{name}". There are: {names}.').format(name=name, names=", ".join(c.name for c in known) or _("none"))
        )
    for card in known:
        if card.is_classifier and not card.is_benchmark:
            return card
    raise ModelUnusable(_("No model is installed."))


def installed_model(name: str) -> ModelCard:
    """The installed model of a name. Raises ModelUnusable: of one that cannot be used the reason is told, not that there is none."""
    cards, broken = list_models()
    reason = dict(broken).get(name)
    if reason and name not in [card.name for card in cards]:
        raise ModelUnusable(reason)
    return choose_model(cards, name)


def best_fit(cards: Iterable[ModelCard], image: Volume | Image | SeriesEntry) -> tuple[ModelCard | None, str]:
    """The classifier whose card fits an image best and "", or None and a sentence why none does (``core.model_fit`` has the rules)."""
    return best_of(cards, facts_of(image))


def fits(card: ModelCard, image: Volume | Image | SeriesEntry) -> bool:
    """Whether nothing that is known of an image rules the model out."""
    return not fit_of(card, facts_of(image)).obstacle


def by_fit(cards: Iterable[ModelCard], image: Volume | Image, task: str) -> tuple[ModelCard, ...]:
    """The models of a task, those that fit an image best first, those that it is ruled out for last; of equals by name."""
    facts = facts_of(image)
    found = sorted((card for card in cards if card.task == task and not card.is_benchmark), key=lambda card: card.name)
    fits = {card.name: fit_of(card, facts) for card in found}
    return tuple(sorted(found, key=lambda card: (not fits[card.name].obstacle, *fits[card.name].rank), reverse=True))


def facts_of(image: Volume | Image | SeriesEntry) -> ImageFacts:
    """What a card is held against, of an opened volume, of one that was only found, or of an operation's image."""
    if isinstance(image, SeriesEntry):
        who = image.identity
        return ImageFacts(who.modality, who.body_part, who.view_position, years_of(who.age), image.unit, image.shape[0], image.is_color)
    if isinstance(image, Image):
        return ImageFacts(
            image.modality, image.body_part, image.view_position, years_of(image.patient_age), image.unit, image.values.shape[0], image.is_color
        )
    who = image.identity
    return ImageFacts(who.modality, who.body_part, who.view_position, years_of(who.age), image.unit, image.geometry.shape[0], image.is_color)
