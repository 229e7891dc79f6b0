"""What the program remembers between starts: small facts in one TOML file, never anything about patients but recent paths."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import platformdirs
import tomli_w

_APP = "negatoscope"
MAX_RECENT = 10


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
    """A dictionary in a file: ``get`` with a default, ``set`` writes at once. A damaged file counts as empty."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_folder() / "settings.toml"
        try:
            self._values: dict[str, Any] = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
            self._values = {}

    def get(self, key: str, default: Any) -> Any:
        """The value, if it has the type of the default."""
        value = self._values.get(key, default)
        return value if default is None or isinstance(value, type(default)) else default

    def set(self, key: str, value: Any) -> None:
        if self._values.get(key) == value:
            return
        self._values[key] = value
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.write_text(tomli_w.dumps(self._values), encoding="utf-8")
            os.replace(temporary, self.path)
        except OSError:
            temporary.unlink(missing_ok=True)  # remembering is a comfort; a full disk must not stop the work

    def add_recent(self, path: Path) -> None:
        """Put a path in front of the recent ones; paths only, ten of them."""
        known = [p for p in self.get("recent", []) if p != str(path)]
        self.set("recent", [str(path), *known][:MAX_RECENT])

    def clear_recent(self) -> None:
        """Forget the recent paths."""
        self.set("recent", [])

    def recent(self) -> tuple[Path, ...]:
        return tuple(Path(p) for p in self.get("recent", []) if isinstance(p, str))
