"""Profiles of the hand: which key and which gesture of the mouse does what, read from one file a profile and the user's own changes.

Pure: no widget and no Qt. What an action is, is said by the table of actions (``ui/actions.py``); a file only names its id.
The form of the files is written down in ``resources/keys/README.md``.
"""

from __future__ import annotations

import os
import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from viewer.core.errors import NegatoscopeError
from viewer.core.resources import resource
from viewer.core.words import gettext as _
from viewer.core.words import mark

Scope = Literal["G", "V", "S", "C"]
"""Where a key counts: everywhere, in a view, while a segment tool or panel is in use, while cine runs."""
PROFILES: tuple[str, ...] = ("default", "ohif", "weasis")
TITLES = {"default": mark("Default"), "ohif": mark("As in OHIF"), "weasis": mark("As in Weasis")}

MODIFIERS = ("Meta", "Ctrl", "Alt", "Shift")
_SYMBOLS = frozenset(string.punctuation)
_NAMED = ("Up", "Down", "Left", "Right", "Home", "End", "PgUp", "PgDown", "Ins", "Del", "Backspace", "Esc", "Space", "Tab", "Return", "Enter")
KEY_NAMES: dict[str, str] = {name.casefold(): name for name in (*string.ascii_uppercase, *string.digits, *_SYMBOLS, *_NAMED)}
KEY_NAMES |= {f"f{number}": f"F{number}" for number in range(1, 25)}
KEY_NAMES |= {"pgdn": "PgDown", "pageup": "PgUp", "pagedown": "PgDown", "delete": "Del", "insert": "Ins", "escape": "Esc", "backquote": "`"}
KEY_NAMES |= {"plus": "+", "minus": "-", "comma": ",", "period": ".", "equal": "="}

GESTURES: dict[str, tuple[str, ...]] = {
    "left": ("tool", "window", "pan", "zoom", "scroll", "opposite", "nothing"),
    "middle": ("tool", "window", "pan", "zoom", "scroll", "nothing"),
    "right": ("tool", "window", "pan", "zoom", "scroll", "nothing"),
    "right click": ("menu", "nothing"),
    "double click": ("maximise", "nothing"),
    "wheel": ("slice", "ten slices", "brush or ten slices", "zoom", "opacity", "nothing"),
    "move": ("crosshair", "nothing"),
    "pinch": ("zoom", "nothing"),
    "two fingers": ("slice", "pan", "nothing"),
}
"""What can be done with the mouse, and what each may do; modifiers stand before it, as in ``Ctrl+wheel``."""


class KeyFileError(NegatoscopeError):
    """A key file that cannot be read at all."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What one file states: keys by action and acts by gesture; and what of it makes no sense."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mouse: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Sentences."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two actions on one key where both count."""

    key: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The keys and gestures in use. Keys are in the form of :func:`normal_key`."""

    name: str = "default"
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mouse: Mapping[str, str] = field(default_factory=dict)
    shipped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The keys before the user's own changes."""
    shipped_mouse: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its name for people."""
        return _(TITLES.get(self.name, self.name))

    @property
    def own(self) -> dict[str, tuple[str, ...]]:
        """The actions whose keys the user has changed."""
        return {name: keys for name, keys in self.keys.items() if keys != self.shipped.get(name, ())}

    @property
    def own_mouse(self) -> dict[str, str]:
        """The gestures that the user has changed, and what they do."""
        return {gesture: act for gesture, act in self.mouse.items() if act != self.shipped_mouse.get(gesture)}

    def holder(self, key: str, scope: str, scopes: Mapping[str, str], *, besides: str = "") -> str:
        """Id of the action that has a key where ``scope`` counts; "" if it is free there.

        Parameters
        ----------
        scopes : mapping of action id to scope
        besides : str
            An action that is not meant.
        """
        return next((i for i, keys in self.keys.items() if i != besides and i in scopes and key in keys and overlap(scopes[i], scope)), "")

    def with_keys(self, action_id: str, keys: Iterable[str]) -> Profile:
        """The action on these keys instead; no keys take it off the keyboard."""
        return replace(self, keys={**self.keys, action_id: tuple(dict.fromkeys(keys))})

    def given(self, action_id: str, key: str, scopes: Mapping[str, str]) -> Profile:
        """One more key for an action; whatever had it where both count loses it."""
        made = self
        for name, keys in self.keys.items():
            if name != action_id and key in keys and name in scopes and overlap(scopes[name], scopes[action_id]):
                made = made.with_keys(name, (k for k in keys if k != key))
        return made.with_keys(action_id, (*made.keys.get(action_id, ()), key))

    def with_shipped(self, action_id: str | None = None) -> Profile:
        """The keys of one action as they are shipped, or those of all."""
        if action_id is None:
            return replace(self, keys=dict(self.shipped), mouse=dict(self.shipped_mouse))
        return self.with_keys(action_id, self.shipped.get(action_id, ()))


def overlap(first: str, second: str) -> bool:
    """Whether a key may not have two meanings in these scopes: everywhere and in a view are never apart.

    The narrow scopes S and C come before V while they count, so they may share a key with it.
    """
    return first == second or "G" in (first, second)


def normal_key(text: str) -> str:
    """One form for a key: ``shift+ctrl+z`` is ``Ctrl+Shift+Z``. With a sign Shift does not count: keyboards differ in which they need it for.

    Raises
    ------
    ValueError
        If there is no such key.
    """
    rest, found = text.strip(), set[str]()
    while "+" in rest[:-1]:
        word, _plus, after = rest.partition("+")
        match = next((m for m in MODIFIERS if m.casefold() == word.strip().casefold()), "")
        if not match or not after:
            break
        found.add(match)
        rest = after.strip()
    name = KEY_NAMES.get(rest.casefold())
    if name is None:
        raise ValueError(text)
    if name in _SYMBOLS:
        found.discard("Shift")
    return "+".join((*(m for m in MODIFIERS if m in found), name))


def normal_gesture(text: str) -> str:
    """One form for a gesture: ``shift+Left`` is ``Shift+left``. Raises ValueError if there is no such gesture."""
    *words, name = (part.strip() for part in text.split("+"))
    found = {next((m for m in MODIFIERS if m.casefold() == word.casefold()), "") for word in words}
    name = name.casefold()
    if name not in GESTURES or "" in found:
        raise ValueError(text)
    return "+".join((*(m for m in MODIFIERS if m in found), name))


def read_key_file(path: Path) -> KeyFile:
    """What a key file states.

    Raises
    ------
    KeyFileError
        If it cannot be read, or is no TOML.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise KeyFileError(
            _("The key file {file} cannot be used: {reason}. The keys as shipped are used instead.").format(file=path, reason=err)
        ) from err
    problems: list[str] = []
    keys = dict(_keys(_table(table, "keys", path, problems), path, problems))
    mouse = dict(_gestures(_table(table, "mouse", path, problems), path, problems))
    others = sorted(table.keys() - {"keys", "mouse"})
    problems += [_("{file}: there is no part “{name}” in a key file.").format(file=path.name, name=name) for name in others]
    return KeyFile(keys, mouse, tuple(problems))


def _table(table: Mapping[str, Any], name: str, path: Path, problems: list[str]) -> Mapping[str, Any]:
    found = table.get(name, {})
    if isinstance(found, dict):
        return found
    problems.append(_("{file}: “{name}” must be a table.").format(file=path.name, name=name))
    return {}


def _keys(table: Mapping[str, Any], path: Path, problems: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for action_id, value in table.items():
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            problems.append(_("{file}: the keys of “{action}” must be a list of words.").format(file=path.name, action=action_id))
            continue
        found = []
        for text in texts:
            try:
                found.append(normal_key(text))
            except ValueError:
                problems.append(_("{file}: there is no key “{key}” (for {action}).").format(file=path.name, key=text, action=action_id))
        yield action_id, tuple(dict.fromkeys(found))


def _gestures(table: Mapping[str, Any], path: Path, problems: list[str]) -> Iterator[tuple[str, str]]:
    for text, act in table.items():
        try:
            gesture = normal_gesture(text)
        except ValueError:
            problems.append(_("{file}: there is no gesture “{gesture}”.").format(file=path.name, gesture=text))
            continue
        offered = GESTURES[gesture.rpartition("+")[2]]
        if act in offered:
            yield gesture, str(act)
        else:
            problems.append(
                _("{file}: “{gesture}” cannot do “{act}”; it can do: {offered}.").format(
                    file=path.name, gesture=text, act=act, offered=", ".join(offered)
                )
            )


def own_file(folder: Path, name: str) -> Path:
    """Where the user's own changes to a profile lie, in the folder of the settings."""
    return folder / "keys" / f"{name}.toml"


def load_profile(
    name: str, own: Path | None = None, *, scopes: Mapping[str, str] | None = None, asked: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Profile, tuple[str, ...]]:
    """A profile with the user's own changes; nothing is raised.

    Parameters
    ----------
    name : str
        One of ``PROFILES``; any other is taken for the default one.
    own : Path, optional
        The user's own file for it; it need not exist.
    scopes : mapping of action id to scope, optional
        The actions there are. Without it no id is looked at.
    asked : mapping of action id to keys, optional
        What plugins ask for their tools: they get what is free.

    Returns
    -------
    Profile
    tuple of str
        Sentences for the user, of what could not be used.
    """
    problems: list[str] = []
    if name not in PROFILES:
        problems.append(_("There is no profile “{name}”; the default one is used.").format(name=name))
        name = "default"
    parts = [read_key_file(resource("keys", f"{part}.toml")) for part in dict.fromkeys(("default", name))]
    keys = {action: found for part in parts for action, found in part.keys.items()}
    # An action keeps its place in the list, with the keys that the later file states.
    mouse = {gesture: act for part in parts for gesture, act in part.mouse.items()}
    for action, wanted in (asked or {}).items():
        if action not in keys:
            scope = (scopes or {}).get(action, "V")
            free = (k for k in wanted if not Profile(keys=keys).holder(k, scope, scopes or {}))
            keys[action] = tuple(free)
    profile = Profile(name, keys, mouse, dict(keys), dict(mouse))
    if own is None or not own.is_file():
        return profile, tuple(problems)
    try:
        stated = read_key_file(own)
    except KeyFileError as err:
        return profile, (*problems, str(err))
    problems += stated.problems
    profile = replace(profile, mouse={**mouse, **stated.mouse})
    taken: dict[tuple[str, str], str] = {}
    for action, found in stated.keys.items():
        if scopes is not None and action not in scopes:
            problems.append(_("{file}: there is no action “{action}”.").format(file=own.name, action=action))
            continue
        profile = profile.with_keys(action, ())
        for key in found:
            rival = next((taken[k, s] for k, s in taken if k == key and overlap(s, (scopes or {}).get(action, "V"))), "")
            if rival:
                problems.append(
                    _("{file}: the key {key} is given to “{first}” and “{second}”; the first keeps it.").format(
                        file=own.name, key=key, first=rival, second=action
                    )
                )
                continue
            taken[key, (scopes or {}).get(action, "V")] = action
            profile = profile.given(action, key, {action: "V", **(scopes or {})})
    return profile, tuple(problems)


def conflicts(keys: Mapping[str, tuple[str, ...]], scopes: Mapping[str, str]) -> tuple[Conflict, ...]:
    """Keys that two actions have where both count."""
    found, seen = [], list[tuple[str, str, str]]()
    for action, own in keys.items():
        scope = scopes.get(action)
        if scope is None:
            continue
        for key in own:
            found += [Conflict(key, other, action) for other, its_key, its_scope in seen if its_key == key and overlap(scope, its_scope)]
            seen.append((action, key, scope))
    return tuple(found)


def write_own(path: Path, profile: Profile) -> None:
    """Write the user's own changes, whole or not at all; without any the file goes. Raises OSError."""
    if not profile.own and not profile.own_mouse:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text_of(profile.own, profile.own_mouse), encoding="utf-8")
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def text_of(keys: Mapping[str, tuple[str, ...]], mouse: Mapping[str, str] | None = None) -> str:
    """A key file with these keys and gestures."""
    import tomli_w

    table: dict[str, Any] = {"keys": {action: list(own) for action, own in sorted(keys.items())}}
    if mouse:
        table["mouse"] = dict(mouse)
    return tomli_w.dumps(table)
