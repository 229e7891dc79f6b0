"""The language of the command line: ``--language``, else the one chosen in the window's settings, else the system's."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from viewer.core import words
from viewer.core.errors import BadParameter
from viewer.core.words import _, mark
from viewer.session.settings import Settings

OPTION = "--language"
SYSTEM = "system"
# What argparse says by itself; it looks its texts up one by one, and is given ours.
_OF_ARGPARSE = (
    mark("usage: "), mark("positional arguments"), mark("options"), mark("show this help message and exit"),
    mark("the following arguments are required: %s"), mark("unrecognized arguments: %s"), mark("expected one argument"),
    mark("expected at least one argument"), mark("argument %(argument_name)s: %(message)s"), mark("invalid %(type)s value: %(value)r"),
    mark("invalid choice: %(value)r (choose from %(choices)s)"), mark("not allowed with argument %s"),
)  # fmt: skip


def take(said: Sequence[str]) -> tuple[list[str], str]:
    """(the words without the option, the language that it names or ""). Raises BadParameter where it names none of ours."""
    rest, name = list(said), ""
    for at, word in enumerate(said):
        if word == OPTION or word.startswith(OPTION + "="):
            name = word.partition("=")[2] if "=" in word else (list(said[at + 1 : at + 2]) or [""])[0]
            rest = [*said[:at], *said[at + (1 if "=" in word else 2) :]]
            if name not in (SYSTEM, *words.LANGUAGES):
                known = ", ".join((SYSTEM, *words.LANGUAGES))
                raise BadParameter(_('There is no language "{name}". {option} takes one of: {known}.').format(name=name, option=OPTION, known=known))
            break
    return rest, name


def speak(name: str) -> None:
    """Say all that follows in a language; ``name`` is what :func:`take` gave."""
    chosen = name or Settings().get("language", "")
    words.use("" if chosen == SYSTEM else chosen)
    if words.language() != words.ENGLISH:
        setattr(argparse, "_", words.gettext)  # noqa: B010  it has no other door
