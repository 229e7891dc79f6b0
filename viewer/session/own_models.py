"""The user's own models: adding one, whole or not at all, and removing one."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from viewer.core.card_rules import is_plain
from viewer.core.errors import ModelUnusable, SaveFailed
from viewer.core.model_card import CARD_FILE, MODEL_FILE, ModelCard, card_of
from viewer.core.resources import models_folder
from viewer.core.words import _
from viewer.io.gate import harmless
from viewer.io.save import save_atomic, save_folder
from viewer.session.models import MAX_MODEL_BYTES, check_file, checksum, folders_in, own_folder, read_card, read_mapping

_CUT = 64
_NEW, _OLD, _GONE = ".new", ".old", ".gone"
_LEFT = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{12}(?P<ending>\.new|\.old|\.gone|\.tmp)")
_STALE_S = 3600.0


def add_model(source: Path, card: Mapping[str, Any] | None = None, *, name: str = "", overwrite: bool = False) -> ModelCard:
    """Copy a model into the user's folder.

    Parameters
    ----------
    source : Path
        A folder with ``model.onnx`` and ``card.toml``, or an ONNX file.
    card : mapping, optional
        What the card says, as its file would; needed for a bare ONNX file that has no ``card.toml`` beside it, and taken
        instead of the folder's card. A missing ``sha256`` is filled in.
    name : str
        Instead of the card's name.
    overwrite : bool
        Whether a model of the user's with the same name may be replaced.

    Returns
    -------
    ModelCard
        As it now lies in the user's folder.

    Raises
    ------
    ModelUnusable
        The card is missing or wrong, a file is not there or not what its checksum says, or the name is taken.
    SaveFailed
        It could not be copied. In both cases nothing has changed.
    """
    model = source / MODEL_FILE if source.is_dir() else source
    _need_regular(model)
    text: dict[str, Any] = _plain(card) if card is not None else _card_beside(model)
    if name:
        text["name"] = name
    fill_checksums(text, model)
    checked = card_of(text, Path(str(text.get("name", model.stem))))
    target = own_folder() / checked.name
    _need_free(target, overwrite=overwrite)
    _make(target.parent)
    _tidy(target.parent)

    def fill(folder: Path) -> None:
        _copy(model, folder / MODEL_FILE)
        for file in checked.beside:
            _need_regular(model.parent / file)
            _copy(model.parent / file, folder / file)
        save_atomic(folder / CARD_FILE, write_card(text).encode())
        check_file(read_card(folder))

    whole = _beside(target, _NEW)
    save_folder(whole, fill)
    try:
        _put_in_place(whole, target)
    except SaveFailed:
        shutil.rmtree(whole, ignore_errors=True)
        raise
    return read_card(target)


def remove_model(name: str) -> None:
    """Remove a model of the user's, also one whose card cannot be read, by its name or that of its folder.

    Raises
    ------
    ModelUnusable
        There is no such model, or it comes with the program.
    SaveFailed
        It could not be removed.
    """
    folder = _folder_of(name)
    if folder is None:
        if (models_folder() / name / CARD_FILE).is_file():
            raise ModelUnusable(_('"{name}" comes with the program and cannot be removed.').format(name=name))
        raise ModelUnusable(_('There is no model "{name}" among the added ones.').format(name=harmless(name)))
    _tidy(folder.parent)
    aside = _beside(folder, _GONE)
    _rename(folder, aside)
    _erase(aside)


def _folder_of(name: str) -> Path | None:
    """The folder that listing has under a name: that of the model, else, of one that cannot be used, the folder's own."""
    folders = [folder for folder in folders_in(own_folder()) if os.path.lexists(folder / CARD_FILE)]
    for folder in folders:
        try:
            if read_card(folder).name == name:
                return folder
        except ModelUnusable:
            continue
    return next((folder for folder in folders if folder.name == name), None)


def write_card(card: Mapping[str, Any]) -> str:
    """A card's mapping as the text of its file; what is None is left out."""
    import tomli_w

    return tomli_w.dumps(_plain(card))


def fill_checksums(text: dict[str, Any], model: Path) -> None:
    """Put the checksums of the model and of its encoder into a card that leaves them out. Raises ModelUnusable where a file cannot be read."""
    if "sha256" not in text:
        text["sha256"] = checksum(model)
    encoder = text.get("encoder")
    if not isinstance(encoder, dict) or "sha256" in encoder or not isinstance(encoder.get("file"), str) or not is_plain(encoder["file"]):
        return  # what is wrong with it, the reading of the card says
    _need_regular(model.parent / encoder["file"])
    encoder["sha256"] = checksum(model.parent / encoder["file"])


def name_for(text: str) -> str:
    """A name that a model and its folder may have, from any text, such as the name of a file."""
    kept = re.sub(r"[^\w.-]+", "-", text.lower()).strip("-._")[:_CUT].strip("-._") or "model"
    return kept if is_plain(kept) else name_for(f"model-{kept[: _CUT // 4]}")


def _card_beside(model: Path) -> dict[str, Any]:
    if not os.path.lexists(model.parent / CARD_FILE):
        raise ModelUnusable(
            _("{name} has no card: put a {file} beside it, or drop the model on the window, which proposes one.").format(
                name=harmless(model.name), file=CARD_FILE
            )
        )
    return read_mapping(model.parent)


def _need_free(target: Path, *, overwrite: bool) -> None:
    if any(built_in.name.casefold() == target.name.casefold() for built_in in models_folder().glob("*/")):
        raise ModelUnusable(_('"{name}" is the name of a built-in model; choose another.').format(name=target.name))
    if os.path.lexists(target) and not overwrite:
        raise ModelUnusable(_('There is a model "{name}" already. Choose another name, or allow it to be replaced.').format(name=target.name))


def _put_in_place(whole: Path, target: Path) -> None:
    """Of two renames the first makes room; if the second fails the old model comes back, and :func:`_tidy` does so after a crash."""
    if not os.path.lexists(target):
        _rename(whole, target)
        return
    aside = _beside(target, _OLD)
    _rename(target, aside)
    try:
        _rename(whole, target)
    except SaveFailed:
        _rename(aside, target)
        raise
    _erase(aside)


def _beside(folder: Path, ending: str) -> Path:
    """A hidden name, which listing leaves out."""
    return folder.with_name(f".{folder.name}.{secrets.token_hex(6)}{ending}")


def _tidy(parent: Path) -> None:
    """What a crash has left here long ago: half copies go, a model that was to be replaced and is not comes back."""
    for left in parent.glob(".*"):
        found = _LEFT.fullmatch(left.name)
        try:
            if found is None or time.time() - left.lstat().st_mtime < _STALE_S:
                continue
            if found["ending"] == _OLD and not os.path.lexists(parent / found["name"]) and (left / CARD_FILE).is_file() and _is_whole(left):
                left.rename(parent / found["name"])
            else:
                _erase(left)
        except OSError:
            continue


def _is_whole(folder: Path) -> bool:
    try:
        check_file(read_card(folder))
    except ModelUnusable:
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value if part is not None]
    return value


def _need_regular(path: Path) -> None:
    try:
        found = path.lstat()
    except OSError as err:
        raise ModelUnusable(_("{name} cannot be read: {reason}.").format(name=harmless(path.name), reason=err.strerror or err)) from err
    if not stat.S_ISREG(found.st_mode):
        raise ModelUnusable(_("{name} is not an ordinary file and is not copied.").format(name=harmless(path.name)))
    if found.st_size > MAX_MODEL_BYTES:
        raise ModelUnusable(_("{name} is larger than {size} GiB.").format(name=harmless(path.name), size=MAX_MODEL_BYTES >> 30))


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as content:
        save_atomic(target, lambda file: shutil.copyfileobj(content, file, 1 << 20))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as err:
        raise SaveFailed(_("The folder {folder} cannot be made: {reason}.").format(folder=str(folder), reason=err.strerror or err)) from err


def _rename(old: Path, new: Path) -> None:
    try:
        old.rename(new)
    except OSError as err:
        raise SaveFailed(_("{name} cannot be changed: {reason}.").format(name=harmless(old.name), reason=err.strerror or err)) from err


def _erase(folder: Path) -> None:
    """A link goes, what it leads to stays. What cannot be erased now is hidden, and no model any more."""
    if folder.is_symlink():
        with suppress(OSError):
            folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)
