"""The one catalogue of words on screen.

The English text is the key. Translations are gettext catalogues in ``resources/translations``; until one is installed
every text is its own translation. A step in the history stores key and values, never a translated sentence.
"""

from __future__ import annotations

import gettext as _gettext
from pathlib import Path

_catalogue: _gettext.NullTranslations = _gettext.NullTranslations()


def install(language: str, folder: Path) -> bool:
    """Switch the language at once; True if a catalogue was found, else English stays."""
    global _catalogue
    try:
        _catalogue = _gettext.translation("negatoscope", str(folder), [language])
    except OSError:
        _catalogue = _gettext.NullTranslations()
        return language.split("_")[0] == "en"
    return True


def gettext(text: str) -> str:
    """The text in the language in use."""
    return _catalogue.gettext(text)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form for a count; ``{count}`` in it is filled in."""
    return _catalogue.ngettext(singular, plural, count).format(count=count)


def mark(text: str) -> str:
    """Names a text for the catalogue without translating it here (texts of tables and module level)."""
    return text


_ = gettext
