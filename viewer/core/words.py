"""The one catalogue of words on screen, and the language it is in.

The English text is the key. Translations are gettext catalogues, ``resources/translations/LANGUAGE/*.po``, read when a language other
than English is asked for. A step in the history stores key and values, never a translated sentence.
"""

from __future__ import annotations

import os
from pathlib import Path

from viewer.core.catalogue import Catalogue, Fault, read_catalogue
from viewer.core.resources import resource
from viewer.core.sentence import say, say_count, speak

ENGLISH = "en"
LANGUAGES = (ENGLISH, "zh_CN")
"""What the program can speak."""

_language = ENGLISH
_read: dict[tuple[str, tuple[Path, ...]], Catalogue] = {}
_folder: Path | None = None
_added: tuple[Path, ...] = ()


def use(language: str, folder: Path | None = None) -> tuple[Fault, ...]:
    """Speak a language from now on; ``""`` is the system's. What the catalogue's files have wrong comes back: the rest of them is used.

    Parameters
    ----------
    language : str
        One of ``LANGUAGES``, or anything the system would say ("zh_CN.UTF-8"); English where it is none of ours.
    folder : Path, optional
        Where each language has a folder of ``.po`` files; the program's own if left out.
    """
    global _language, _folder
    chosen = known(language) if language else system_language()
    catalogue = _catalogue_of(chosen, folder) if chosen != ENGLISH else Catalogue()
    _language, _folder = chosen, folder
    speak(catalogue)
    return catalogue.faults


def add_folder(folder: Path) -> None:
    """Further catalogues, those of a plugin: ``folder/LANGUAGE/*.po``. What the program itself translates stays as it is."""
    global _added
    if folder not in _added:
        _added = (*_added, folder)
        use(_language, _folder)


def _catalogue_of(code: str, folder: Path | None = None) -> Catalogue:
    folders = (folder or resource("translations"), *_added)
    if (code, folders) not in _read:
        _read[code, folders] = read_catalogue(path for f in folders for path in sorted((f / code).glob("*.po")))
    return _read[code, folders]


def language() -> str:
    """The language in use, one of ``LANGUAGES``."""
    return _language


def names() -> dict[str, str]:
    """Of each of ``LANGUAGES`` the name that its speakers give it."""
    import tomllib

    try:
        stated = tomllib.loads(resource("translations", "languages.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stated = {}
    return {code: str(stated.get(code, code)) for code in LANGUAGES}


def in_all_languages(text: str) -> tuple[str, ...]:
    """A text as each of ``LANGUAGES`` says it, for searching; the catalogues are read when this is first asked."""
    return (text, *(_catalogue_of(code).texts.get(text, text) for code in LANGUAGES[1:]))


def every_text() -> tuple[str, ...]:
    """All translations of the language in use; none for English."""
    catalogue = _catalogue_of(_language, _folder) if _language != ENGLISH else Catalogue()
    return (*catalogue.texts.values(), *(form for forms in catalogue.plurals.values() for form in forms))


def known(name: str) -> str:
    """Ours for a system's name of a language: "zh", "zh_SG.UTF-8" and "zh-Hans-CN" are "zh_CN"; English for all we do not speak."""
    words = name.split(".")[0].split("@")[0].replace("-", "_").lower().split("_")
    if words[0] == "zh" and not {"tw", "hk", "mo", "hant"} & set(words):
        return "zh_CN"
    return ENGLISH


def system_language() -> str:
    """The language of the system, as its variables say; English if they say nothing."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable, ""):
            return known(value.split(":")[0])
    import locale

    return known(locale.getlocale()[0] or "")


def gettext(text: str) -> str:
    """The text in the language in use, as a :class:`~viewer.core.sentence.Sentence`: one made in another language is said again."""
    return say(text)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form for a count; ``{count}`` in it is filled in."""
    return say_count(singular, plural, count)


def mark(text: str) -> str:
    """Names a text for the catalogue without translating it here (texts of tables and module level)."""
    return text


_ = gettext

SEPARATORS = (mark("; "), mark(", "))
"""What stands between the texts of a list (:func:`viewer.core.sentence.joined`)."""
