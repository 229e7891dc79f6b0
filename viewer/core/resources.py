"""Where the program's own data (icons, translations, models) lies: beside the package in a wheel, at the top of a checkout otherwise."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def _root(name: str, package: Path = _PACKAGE) -> Path:
    inside = package / "_data" / name
    return inside if inside.is_dir() else package.parent / name


def resource(*parts: str) -> Path:
    """Path of something shipped in ``resources``: ``resource("icons", "hand.svg")``. Nothing is read, and it need not exist."""
    return _resources().joinpath(*parts)


@lru_cache(maxsize=1)
def _resources() -> Path:
    return _root("resources")


def models_folder() -> Path:
    """The folder that holds one folder per built-in model."""
    return _root("models")
