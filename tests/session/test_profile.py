"""Key files: their form, the profiles that are shipped, the user's own changes, and what makes no sense in them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from viewer.core.resources import resource
from viewer.session.profile import (
    PROFILES,
    KeyFileError,
    Profile,
    conflicts,
    load_profile,
    normal_gesture,
    normal_key,
    own_file,
    read_key_file,
    write_own,
)

SCOPES = {"a": "G", "b": "V", "c": "V", "s": "S", "t": "S", "p": "C"}


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("shift+ctrl+z", "Ctrl+Shift+Z"), ("Ctrl++", "Ctrl++"), ("+", "+"), ("Shift++", "+"), ("ctrl + pgdn", "Ctrl+PgDown"), ("delete", "Del"),
        ("Backquote", "`"), ("Shift+?", "?"), ("f12", "F12"), ("Alt+Shift+a", "Alt+Shift+A"), ("minus", "-"), ("Shift+Tab", "Shift+Tab"),
    ],
)  # fmt: skip
def test_a_key_has_one_form(text: str, normal: str) -> None:
    assert normal_key(text) == normal


@pytest.mark.parametrize("text", ["Hyper+A", "AB", "Ctrl+", "F25", "Ctrl+Ctrl", "ä"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        normal_key(text)


def test_a_gesture_has_one_form() -> None:
    assert normal_gesture("shift+CTRL+Left") == "Ctrl+Shift+left"
    for text in ("Hyper+left", "spin"):
        with pytest.raises(ValueError, match=re.escape(text)):
            normal_gesture(text)


@pytest.mark.parametrize("name", PROFILES)
def test_shipped_files_are_whole(name: str) -> None:
    read = read_key_file(resource("keys", f"{name}.toml"))
    assert read.problems == ()
    stated = tomllib.loads(resource("keys", f"{name}.toml").read_text(encoding="utf-8"))
    assert {action: list(keys) for action, keys in read.keys.items()} == stated["keys"]  # written in their one form
    assert dict(read.mouse) == stated.get("mouse", {})


def test_the_other_profiles_state_only_what_differs() -> None:
    base = read_key_file(resource("keys", "default.toml"))
    for name in ("ohif", "weasis"):
        other = read_key_file(resource("keys", f"{name}.toml"))
        assert [a for a, keys in other.keys.items() if base.keys.get(a) == keys] == []
        assert [g for g, act in other.mouse.items() if base.mouse.get(g) == act] == []


def test_own_changes_come_last_and_take_keys_from_others(tmp_path: Path) -> None:
    own = tmp_path / "default.toml"
    own.write_text('[keys]\n"window.invert" = ["U", "W"]\n[mouse]\n"right" = "pan"\n', encoding="utf-8")
    scopes = {"window.invert": "V", "tool.window": "V"}
    profile, problems = load_profile("default", own, scopes=scopes)
    assert problems == ()
    assert profile.keys["window.invert"] == ("U", "W")
    assert profile.keys["tool.window"] == ()
    assert (profile.mouse["right"], profile.mouse["middle"]) == ("pan", "pan")
    assert set(profile.own) == {"window.invert", "tool.window"}


@pytest.mark.parametrize("text", ["[keys\n", "\x00", "keys = \n"])
def test_a_file_that_does_not_parse_is_said_and_the_rest_goes_on(tmp_path: Path, text: str) -> None:
    own = tmp_path / "default.toml"
    own.write_text(text, encoding="utf-8")
    profile, (problem,) = load_profile("default", own)
    assert str(own) in problem
    assert profile.keys == load_profile("default")[0].keys
    with pytest.raises(KeyFileError):
        read_key_file(own)


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    own = tmp_path / "default.toml"
    own.write_bytes(b"\xff\xfe[keys]")
    assert len(load_profile("default", own)[1]) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[keys]\n"no.such" = ["U"]', "no.such"),
        ('[keys]\n"a" = ["Hyper+Q"]', "Hyper+Q"), ('[keys]\n"a" = 7', "a"), ('[mouse]\n"spin" = "pan"', "spin"),
        ('[mouse]\n"left" = "fly"', "fly"), ("keys = 3", "keys"), ('[colours]\n"x" = 1', "colours"), ('[keys]\n"b" = ["U"]\n"c" = ["U"]', "U"),
    ],
)  # fmt: skip
def test_each_thing_that_makes_no_sense_is_named_and_the_rest_counts(tmp_path: Path, text: str, named: str) -> None:
    own = tmp_path / "default.toml"
    own.write_text(text + ('\n[keys]\n"t" = ["F9"]\n' if "[keys]" not in text and "keys =" not in text else ""), encoding="utf-8")
    profile, problems = load_profile("default", own, scopes=SCOPES)
    assert len(problems) == 1
    assert named in problems[0]
    assert profile.keys["tool.window"] == ("W",)
    if '"t"' in own.read_text(encoding="utf-8"):
        assert profile.keys["t"] == ("F9",)
    if '"c"' in text:
        assert (profile.keys["b"], profile.keys["c"]) == (("U",), ())


def test_an_unknown_profile_is_the_default_one() -> None:
    profile, (problem,) = load_profile("emacs")
    assert profile.name == "default"
    assert "emacs" in problem


def test_conflicts_are_those_of_scopes_that_meet() -> None:
    keys = {"a": ("K",), "b": ("K",), "c": ("L",), "s": ("L",), "t": ("L",), "p": ("K",)}
    found = {(c.key, c.first, c.second) for c in conflicts(keys, SCOPES)}
    assert found == {("K", "a", "b"), ("K", "a", "p"), ("L", "s", "t")}  # a tool's key may hide a view's


def test_a_key_is_given_and_taken() -> None:
    profile = Profile(keys={"b": ("K",), "c": ("L",), "s": ("K",)}, shipped={"b": ("K",), "c": ("L",), "s": ("K",)})
    assert profile.holder("K", "V", SCOPES, besides="c") == "b"
    given = profile.given("c", "K", SCOPES)
    assert given.keys == {"b": (), "c": ("L", "K"), "s": ("K",)}
    assert given.own == {"b": (), "c": ("L", "K")}
    assert given.with_shipped("c").keys["c"] == ("L",)
    assert given.with_shipped().keys == profile.keys


def test_own_changes_survive_the_file(tmp_path: Path) -> None:
    path = own_file(tmp_path, "ohif")
    profile, _problems = load_profile("ohif")
    write_own(path, profile)
    assert not path.exists()
    changed = profile.with_keys("window.invert", ("Ctrl+Alt+I",))
    write_own(path, changed)
    again, problems = load_profile("ohif", path)
    assert (again.keys, problems) == (changed.keys, ())
    write_own(path, again.with_shipped())
    assert not path.exists()


def test_what_a_plugin_asks_for_is_given_where_it_is_free() -> None:
    scopes = {"tool.A": "V", "tool.B": "V", "tool.window": "V"}
    profile, _problems = load_profile("default", scopes=scopes, asked={"tool.A": ("W",), "tool.B": ("Alt+U",)})
    assert (profile.keys["tool.A"], profile.keys["tool.B"], profile.keys["tool.window"]) == ((), ("Alt+U",), ("W",))


def test_the_example_of_the_page_on_key_files_does_what_the_page_says(tmp_path: Path) -> None:
    text = resource("keys", "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    own = tmp_path / "default.toml"
    own.write_text(example, encoding="utf-8")
    profile, problems = load_profile("default", own)
    assert problems == ()
    assert profile.keys["window.invert"] == ("I", "Ctrl+Alt+I")
    assert profile.keys["view.identity"] == ()
    assert (profile.mouse["right"], profile.mouse["Alt+wheel"]) == ("pan", "nothing")
