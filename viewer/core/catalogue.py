"""Gettext catalogues as text: ``.po`` files read as they are, without compiling them first.

What a translator may write is read: comments, continued strings, plural forms, entries marked fuzzy or obsolete (left out). What is
damaged is left out and said with file and line; the rest is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FIELD = re.compile(r"\{[^{}]*\}")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a catalogue, and where."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path.name}, line {self.line}: {self.text}"


@dataclass(slots=True)
class Entry:
    """One entry as it is in the file. ``forms``: the translation, or one for each plural form; ``line`` counts from 1."""

    line: int
    text: str = ""
    plural: str | None = None
    forms: dict[int, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)

    @property
    def is_translated(self) -> bool:
        return bool(self.forms) and all(self.forms.values())


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The translations of one language: of a text, and of a singular with its plural forms."""

    texts: Mapping[str, str] = field(default_factory=dict)
    plurals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    form_of: Callable[[int], int] = lambda count: int(count != 1)
    """Which plural form a count takes."""
    faults: tuple[Fault, ...] = ()


def read_catalogue(paths: Iterable[Path]) -> Catalogue:
    """Read files of one language and merge them; where two translate one text, the first one's stays. Raises nothing: see ``faults``."""
    texts: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    faults: list[Fault] = []
    form_of, count_of_forms = _plural_rule("")
    for path in paths:
        entries = read_entries(path, faults)
        head = next((e for e in entries if not e.text), None)
        if head is not None:
            try:
                form_of, count_of_forms = _plural_rule(head.forms.get(0, ""))
            except ValueError:
                faults.append(Fault(path, head.line, "its Plural-Forms cannot be understood."))
        for entry in entries:
            if not entry.text or not entry.is_translated:
                continue
            if problem := _problem(entry, count_of_forms):
                faults.append(Fault(path, entry.line, problem))
            elif entry.plural is None:
                texts.setdefault(entry.text, entry.forms[0])
            else:
                plurals.setdefault(entry.text, tuple(entry.forms[at] for at in range(count_of_forms)))
    return Catalogue(texts, plurals, form_of, tuple(faults))


def read_entries(path: Path, faults: list[Fault]) -> list[Entry]:
    """The entries of a file in its order, the head (whose text is empty) among them; what is damaged goes to ``faults``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        faults.append(Fault(path, 0, f"it cannot be read: {error.strerror}."))
        return []
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        faults.append(Fault(path, data.count(b"\n", 0, error.start) + 1, "it is not UTF-8."))
        return []
    return _Reader(path, faults).read(lines)


class _Reader:
    """Walks the lines of one file."""

    def __init__(self, path: Path, faults: list[Fault]) -> None:
        self._path, self._faults = path, faults
        self._entries: list[Entry] = []
        self._seen: dict[str, Entry] = {}
        self._begin()

    def _begin(self) -> None:
        self._entry = Entry(0)
        self._part: str | int | None = None  # "msgid", "msgid_plural", or the number of a form: what a continued string belongs to
        self._strings: list[str] = []
        self._is_good, self._is_fuzzy = True, False

    def read(self, lines: list[str]) -> list[Entry]:
        for number, line in enumerate(lines, 1):
            if line.startswith('"'):
                self._add_string(line, number)
            elif line.startswith("msgid "):
                self._end_entry()
                self._entry.line = number
                self._start_part("msgid", line[6:], number)
            elif line.startswith("msgstr "):
                self._start_part(0, line[7:], number)
            elif line.startswith("#"):
                if self._part is not None:
                    self._end_entry()
                if line.startswith("#,") and "fuzzy" in line:
                    self._is_fuzzy = True
                if not line.startswith("#~"):
                    self._entry.comments.append(line)
            elif line.startswith("msgid_plural "):
                self._start_part("msgid_plural", line[13:], number)
            elif match := re.match(r"msgstr\[(\d)\] ", line):
                self._start_part(int(match[1]), line[match.end() :], number)
            elif not line.strip():
                if self._part not in (None, "msgid", "msgid_plural"):
                    self._end_entry()
            else:
                self._spoil(number, f"{line.strip()[:40]!r} is no line of a catalogue.")
        self._end_entry()
        return self._entries

    def _start_part(self, part: str | int, string: str, number: int) -> None:
        self._end_part()
        if part != "msgid" and self._entry.line == 0:
            self._spoil(number, "a translation without a text before it.")
        self._part = part
        self._add_string(string, number)

    def _add_string(self, line: str, number: int) -> None:
        line = line.strip()
        if len(line) < 2 or line[0] != '"' or line[-1] != '"':
            self._spoil(number, "a string has no end.")
            return
        inside = line[1:-1]
        if "\\" in inside:
            inside = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), inside)
        elif '"' in inside:
            self._spoil(number, "a quotation mark within a string needs a backslash.")
            return
        if self._part is None:
            self._spoil(number, "a string that belongs to nothing.")
        else:
            self._strings.append(inside)

    def _spoil(self, number: int, text: str) -> None:
        if self._is_good:  # what follows from the first mistake is not another one
            self._faults.append(Fault(self._path, number, text))
        self._is_good = False

    def _end_part(self) -> None:
        if self._part is not None:
            text = "".join(self._strings) if len(self._strings) != 1 else self._strings[0]
            if self._part == "msgid":
                self._entry.text = text
            elif self._part == "msgid_plural":
                self._entry.plural = text
            else:
                self._entry.forms[int(self._part)] = text
        self._part, self._strings = None, []

    def _end_entry(self) -> None:
        self._end_part()
        entry = self._entry
        if entry.line == 0:
            # Comments before an entry: they are its own.
            comments, is_fuzzy, is_good = entry.comments, self._is_fuzzy, self._is_good
            self._begin()
            self._entry.comments, self._is_fuzzy = (comments, is_fuzzy) if is_good else ([], False)
            return
        old = self._seen.get(entry.text)
        if self._is_good and old is not None:
            if old.forms != entry.forms:
                self._spoil(entry.line, f"the text of line {old.line} once more, and otherwise.")
        elif self._is_good and not self._is_fuzzy:
            self._seen[entry.text] = entry
            self._entries.append(entry)
        self._begin()


def _plural_rule(head: str) -> tuple[Callable[[int], int], int]:
    """(which form a count takes, how many forms there are). Raises ValueError if the head's rule is no rule."""
    match = re.search(r"Plural-Forms:\s*nplurals\s*=\s*(\d)\s*;\s*plural\s*=\s*([^;\n]+)", head)
    if match is None:
        return (lambda count: int(count != 1)), 2
    forms, rule = int(match[1]), match[2].strip()
    if rule == "0":
        return (lambda _count: 0), forms
    from gettext import c2py

    chosen = c2py(rule)
    return (lambda count: min(chosen(count), forms - 1)), forms


def _problem(entry: Entry, count_of_forms: int) -> str:
    """Why a translation cannot be used, or nothing: its fields are not those of the text, so filling them in would fail."""
    expected = range(1) if entry.plural is None else range(count_of_forms)
    if set(entry.forms) != set(expected):
        return f"it has {len(entry.forms)} forms, and {len(expected)} are needed."
    wanted = fields_of(entry.text) | fields_of(entry.plural or "")
    for form in entry.forms.values():
        found = fields_of(form)
        # A count may be left out where the form itself says it ("one slice").
        if found != wanted and not (entry.plural is not None and found <= wanted):
            return f"its fields are {_listed(found)}, those of the text {_listed(wanted)}."
    return ""


def fields_of(text: str) -> frozenset[str]:
    """The fields of a text that are filled in, with their formats: ``{"{name}", "{size:.1f}"}``."""
    return frozenset(_FIELD.findall(text.replace("{{", "").replace("}}", ""))) if "{" in text else frozenset()


def _listed(fields: frozenset[str]) -> str:
    return ", ".join(sorted(fields)) or "none"
