"""What the program remembers between starts: small facts in one TOML file, never anything about patients but recent paths."""

from __future__ import annotations

import os
import tomllib
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
import tomli_w

_APP = "negatoscope"
MAX_RECENT = 10
LEAVE_NOTHING = "leave_nothing"
"""The switch "Leave nothing on this computer" (RELIABILITY choice 12)."""
TRACES = ("recent", "last_folder", "export_folder", "window", "screen", "splitter", "hidden", "layout", "links")
"""What is remembered of the work and not of the user's taste: where files lay, how the window stood."""
DEFAULTS: dict[str, Any] = {
    "language": "", "theme": "dark", "text_scale": 1.0, "profile": "default",
    "corner_text": "full", "smooth": True, "up_is_brighter": True, "letters": "HF", "wheel_acceleration": True,
    "magnifier": 3, "ruler": False, "neurological": False,
    "label_opacity": 0.28, "segment_colors": [],
    "device": "auto", "model_folder": "", "plugins": [], LEAVE_NOTHING: False,
}  # fmt: skip
"""What the settings dialog offers, and what holds until it is changed. ``language`` "" is the system's, ``model_folder`` "" the usual one."""


def config_folder() -> Path:
    """Settings."""
    return Path(platformdirs.user_config_dir(_APP, appauthor=False))


def data_folder() -> Path:
    """Journals and the user's own models; readable by the user alone."""
    folder = Path(platformdirs.user_data_dir(_APP, appauthor=False))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def cache_folder() -> Path:
    """What can be made again."""
    folder = Path(platformdirs.user_cache_dir(_APP, appauthor=False))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


class Settings:
    """A dictionary in a file: ``get`` with a default, ``set`` writes at once. A damaged file counts as empty.

    While nothing is to be left on the computer, ``TRACES`` are kept in memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_folder() / "settings.toml"
        try:
            self._values: dict[str, Any] = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
            self._values = {}
        self._watchers: list[weakref.WeakMethod[Callable[[str], None]]] = []

    def watch(self, told: Callable[[str], None]) -> None:
        """Have a method be told the key of each value that changes, after it has, for as long as its object lives."""
        self._watchers.append(weakref.WeakMethod(told))

    def _tell(self, key: str) -> None:
        self._watchers = [method for method in self._watchers if method() is not None]
        for method in tuple(self._watchers):
            told = method()
            if told is not None:
                told(key)

    def chosen(self, key: str) -> Any:
        """A value of the settings dialog: the user's, or that of ``DEFAULTS``."""
        return self.get(key, DEFAULTS[key])

    def get(self, key: str, default: Any) -> Any:
        """The value, if it has the type of the default."""
        value = self._values.get(key, default)
        return value if default is None or isinstance(value, type(default)) else default

    def set(self, key: str, value: Any) -> None:
        if self._values.get(key) == value:
            return
        self._values[key] = value
        if key == LEAVE_NOTHING and value:
            for trace in TRACES:
                self._values.pop(trace, None)
        self._write()
        self._tell(key)

    def reset(self, keys: tuple[str, ...]) -> None:
        """Back to what holds until it is changed."""
        for key in keys:
            if key in self._values:
                self.set(key, DEFAULTS[key])

    def forget(self) -> tuple[str, ...]:
        """Wipe what is remembered of the work; the names of what was there."""
        found = tuple(trace for trace in TRACES if self._values.pop(trace, None))
        self._write()
        for trace in found:
            self._tell(trace)
        return found

    def _write(self) -> None:
        kept = self._values
        if kept.get(LEAVE_NOTHING) is True:
            kept = {key: value for key, value in kept.items() if key not in TRACES}
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.write_text(tomli_w.dumps(kept), encoding="utf-8")
            os.replace(temporary, self.path)
        except OSError:
            temporary.unlink(missing_ok=True)  # remembering is a comfort; a full disk must not stop the work

    def add_recent(self, path: Path) -> None:
        """Put a path in front of the recent ones; paths only, ten of them. None where nothing is to be left."""
        if self.get(LEAVE_NOTHING, False):
            return
        known = [p for p in self.get("recent", []) if p != str(path)]
        self.set("recent", [str(path), *known][:MAX_RECENT])

    def clear_recent(self) -> None:
        """Forget the recent paths."""
        self.set("recent", [])

    def recent(self) -> tuple[Path, ...]:
        return tuple(Path(p) for p in self.get("recent", []) if isinstance(p, str))
