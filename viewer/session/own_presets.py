"""The user's own windows, each for a modality and a unit: one JSON file beside the settings, made to be handed on."""

from __future__ import annotations

import contextlib
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from viewer.core.errors import SaveFailed
from viewer.core.volume import Volume
from viewer.core.window import VoiFunction, Window
from viewer.core.words import gettext as _

FILE_NAME = "window-presets.json"
_KIND = "negatoscope window presets"
_MOST, _LONGEST_NAME, _MOST_BYTES = 200, 64, 1 << 20


@dataclass(frozen=True, slots=True)
class OwnPreset:
    """A window with a name, for images of one modality ("" for those without) in one unit."""

    modality: str
    unit: str
    window: Window

    def fits(self, volume: Volume) -> bool:
        """Whether it is meant for such an image."""
        return not volume.is_color and (self.modality, self.unit) == (volume.identity.modality, volume.unit)


class OwnPresets:
    """All of them, read once. A damaged file or entry is said by ``problems`` and costs only what is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: tuple[str, ...] = ()
        self._presets, problems = read_presets(path) if path.is_file() else ((), [])
        self.problems = tuple(problems)

    def of(self, volume: Volume) -> tuple[Window, ...]:
        """Those that fit an image, in the order in which they were saved."""
        return tuple(p.window for p in self._presets if p.fits(volume))

    @property
    def presets(self) -> tuple[OwnPreset, ...]:
        return self._presets

    def save(self, volume: Volume, window: Window, name: str) -> None:
        """Keep a window under a name for images like this one; one of that name is replaced. Raises SaveFailed."""
        name = " ".join(name.split())[:_LONGEST_NAME]
        made = OwnPreset(volume.identity.modality, volume.unit, Window(window.center, window.width, window.function, name))
        kept = tuple(p for p in self._presets if not (p.fits(volume) and p.window.name.casefold() == name.casefold()))
        self._write((*kept, made)[-_MOST:])

    def remove(self, volume: Volume, name: str) -> None:
        """Forget the one of a name for images like this one. Raises SaveFailed."""
        self._write(tuple(p for p in self._presets if not (p.fits(volume) and p.window.name == name)))

    def take_from(self, path: Path) -> tuple[str, ...]:
        """Add the presets of another file (names that are known are replaced); returns what could not be used. Raises SaveFailed."""
        found, problems = read_presets(path)
        new = {(p.modality, p.unit, p.window.name.casefold()) for p in found}
        kept = tuple(p for p in self._presets if (p.modality, p.unit, p.window.name.casefold()) not in new)
        if found:
            self._write((*kept, *found)[-_MOST:])
        return tuple(problems)

    def _write(self, presets: tuple[OwnPreset, ...]) -> None:
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.problems and self.path.is_file():
                # What could not be read is not ours to throw away.
                os.replace(self.path, self.path.with_suffix(".damaged.json"))
                self.problems = ()
            temporary.write_text(text_of(presets), encoding="utf-8")
            os.replace(temporary, self.path)
        except OSError as err:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise SaveFailed(_("The window presets could not be written to {file}: {reason}.").format(file=self.path, reason=err.strerror)) from err
        self._presets = presets


def text_of(presets: tuple[OwnPreset, ...]) -> str:
    """The file's text."""
    rows = []
    for preset in presets:
        window = preset.window
        row = {"modality": preset.modality, "unit": preset.unit, "name": window.name}
        rows.append({**row, "center": window.center, "width": window.width, "function": window.function})
    return json.dumps({"kind": _KIND, "version": 1, "presets": rows}, ensure_ascii=False, indent=2) + "\n"


def read_presets(path: Path) -> tuple[tuple[OwnPreset, ...], list[str]]:
    """What can be used of a file, and sentences about what cannot; nothing is raised."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(_("it is larger than 1 MB"))
        table = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(table, dict) or not isinstance(table.get("presets"), list):
            raise ValueError(_("it has no list of presets"))
    except (OSError, ValueError, RecursionError) as err:
        words = _("The window presets in {file} cannot be read: {reason}. Those of the program are there.")
        return (), [words.format(file=path, reason=str(err).rstrip("."))]
    found: list[OwnPreset] = []
    problems: list[str] = []
    for number, row in enumerate(table["presets"][:_MOST], 1):
        preset = _preset(row)
        if preset is None:
            problems.append(
                _("Preset {number} in {file} is left out: it needs a name, a centre and a width above 0.").format(number=number, file=path)
            )
        else:
            found.append(preset)
    return tuple(found), problems


def _preset(row: Any) -> OwnPreset | None:
    if not isinstance(row, dict):
        return None
    words = [row.get(key, "") for key in ("modality", "unit", "name")]
    numbers: list[Any] = [row.get(key) for key in ("center", "width")]
    function = row.get("function", "LINEAR")
    if not all(isinstance(w, str) for w in words) or function not in get_args(VoiFunction):
        return None
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 1e12 and math.isfinite(n) for n in numbers):
        return None
    center, width = float(numbers[0]), float(numbers[1])
    name = " ".join("".join(c for c in words[2] if c.isprintable()).split())[:_LONGEST_NAME]
    if not name or width <= 0 or (function == "LINEAR" and width < 1):
        return None
    return OwnPreset(words[0][:16], words[1][:32], Window(center, width, function, name))
