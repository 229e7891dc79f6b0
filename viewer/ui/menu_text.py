"""Names of files and series as lines of a menu."""

from __future__ import annotations


def menu_text(text: str, longest: int, *, keep_end: bool = False) -> str:
    """At most so many characters, of a path the last ones; an ampersand stays one and marks no key."""
    if len(text) > longest:
        text = f"…{text[1 - longest :]}" if keep_end else f"{text[: longest - 1]}…"
    return text.replace("&", "&&")
