"""The plugins as the user has switched them on: the command line sees what the window sees."""

from __future__ import annotations

from viewer.session.plugins import Registry, discover
from viewer.session.settings import Settings


def registry() -> Registry:
    """Built-in plugins, and those that the settings enable."""
    return discover(Settings().get("plugins", []))
