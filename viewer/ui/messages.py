"""What the host wants said in the message bar; the window shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence with at most two links; ``details`` is what a "Details" link shows (a traceback, a list of files)."""

    kind: Literal["ok", "info", "warn", "err"]
    text: str
    links: tuple[tuple[str, Callable[[], None]], ...] = ()
    details: str = ""
    about: str = ""
    """The original volume that it is about; it goes when another is shown. "" stays."""
