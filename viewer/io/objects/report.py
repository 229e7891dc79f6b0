"""Structured reports as text: the content tree of any DICOM SR in the order in which it is to be read (PS3.3 C.17.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from viewer.core.errors import UnreadableFile
from viewer.core.sentence import joined
from viewer.core.words import _, mark, ngettext
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.objects.readable import (
    Line,
    Readable,
    Reference,
    date_words,
    evidence,
    person_words,
    read_code,
    read_reference,
    reference_words,
    time_words,
)

MAX_DEPTH = 64
MAX_LINES = 20_000
MAX_TEXT = 100_000
_REFERENCES_SHOWN = 12
_SIMPLE = frozenset({"TEXT", "CODE", "NUM", "PNAME", "DATE", "TIME", "DATETIME"})
# Relations of which the reader should know; the others (contains, has properties ...) are told by the place alone.
_RELATIONS = {"INFERRED FROM": mark("inferred from"), "SELECTED FROM": mark("selected from")}


def report_of(dataset: Dataset, path: Path, names: Mapping[str, str]) -> Readable:
    """The content of a structured report, from its elements.

    Parameters
    ----------
    path : Path
        The file that they were read from, for the sentence of a refusal.
    names : mapping
        What images are called, by SOP instance UID (:func:`viewer.io.objects.readable.image_names`); the others show their UID.

    Raises
    ------
    UnreadableFile
        It is no report.
    """
    if not elements.text(dataset, 0x0040A040) and not elements.items(dataset, 0x0040A730):
        raise UnreadableFile(_("{name} holds no report: it has no content tree.").format(name=gate.harmless(path.name)))
    encodings = elements.encodings(dataset)
    tree = _Tree(names)
    tree.head(dataset, encodings)
    tree.content(dataset, encodings, 0, 0)
    title = read_code(dataset, 0x0040A043, encodings).words or elements.words(dataset, 0x0008103E, encodings) or _("Report")
    return Readable(title, tuple(tree.lines), tuple(dict.fromkeys(tree.notes)))


def title_of(dataset: Dataset, encodings: tuple[str, ...]) -> str:
    """What a report is called in a list."""
    return read_code(dataset, 0x0040A043, encodings).words


def series_of(dataset: Dataset) -> tuple[str, ...]:
    """UIDs of the series that its evidence belongs to."""
    return tuple(dict.fromkeys(uid for uid, _series in evidence(dataset) if uid))


class _Tree:
    """Walks a content tree and writes it down."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.lines: list[Line] = []
        self.notes: list[str] = []
        self._names = names

    def head(self, dataset: Dataset, encodings: tuple[str, ...]) -> None:
        """Date, completeness, who has verified it."""
        date = " ".join(
            part for part in (date_words(elements.text(dataset, 0x00080023)), time_words(elements.text(dataset, 0x00080033))) if part
        )  # fmt: skip
        if date:
            self.lines.append(Line("entry", 0, _("Date"), elements.harmless(date)))
        complete = {"COMPLETE": _("complete"), "PARTIAL": _("partial")}.get(elements.text(dataset, 0x0040A491), "")
        verified = {"VERIFIED": _("verified"), "UNVERIFIED": _("not verified")}.get(elements.text(dataset, 0x0040A493), "")
        state = joined((part for part in (complete, verified) if part), ", ")
        if state:
            self.lines.append(Line("entry", 0, _("State"), state))
        for observer in elements.items(dataset, 0x0040A073)[:20]:
            name = person_words(elements.words(observer, 0x0040A075, encodings))
            place = elements.words(observer, 0x0040A027, encodings)
            when = date_words(elements.text(observer, 0x0040A030))
            self.lines.append(Line("entry", 0, _("Verified by"), elements.harmless(", ".join(part for part in (name, place, when) if part))))

    def content(self, dataset: Dataset, encodings: tuple[str, ...], depth: int, level: int) -> None:
        """The items below one."""
        children = elements.items(dataset, 0x0040A730)
        if elements.text(dataset, 0x0040A050) == "CONTINUOUS" and self._flows(children):
            words = [self._value(child, _own(child, encodings))[1] for child in children if elements.text(child, 0x0040A010) != "HAS CONCEPT MOD"]
            if self._room():
                self.lines.append(Line("paragraph", depth, "", re.sub(r"\s+([.,;:])(?=\s|$)", r"\1", " ".join(word for word in words if word))))
            return
        self._children(children, encodings, depth, level)

    def _children(self, children: list[Dataset], encodings: tuple[str, ...], depth: int, level: int) -> None:
        if level >= MAX_DEPTH:
            self.notes.append(_("The report is nested more than {count} deep; what lies deeper is left out.").format(count=MAX_DEPTH))
            return
        pending: list[tuple[str, Reference]] = []
        for child in children:
            own = _own(child, encodings)
            label = self._label(child, own)
            if elements.text(child, 0x0040A040) in ("IMAGE", "COMPOSITE", "WAVEFORM") and not elements.items(child, 0x0040A730):
                pending.append((label, self._reference(child)))
                continue
            self._flush(pending, depth)
            if not self._room():
                return
            self._item(child, own, label, depth, level)
        self._flush(pending, depth)

    def _item(self, child: Dataset, encodings: tuple[str, ...], label: str, depth: int, level: int) -> None:
        kind, text = self._value(child, encodings)
        children = elements.items(child, 0x0040A730)
        if kind == "NUM" and label:
            label, children = _with_modifiers(label, children, encodings)
        if kind == "CONTAINER":
            if label:
                self.lines.append(Line("heading", depth, label))
            elif children and self.lines and self.lines[-1].kind != "heading":
                self.lines.append(Line("paragraph", depth, "", ""))
            self.content(child, encodings, depth + 1 if label else depth, level + 1)
            return
        self.lines.append(Line("entry", depth, label, text) if label else Line("paragraph", depth, "", text))
        if children:
            self._children(children, encodings, depth + 1, level + 1)

    def _flush(self, pending: list[tuple[str, Reference]], depth: int) -> None:
        """References one after the other share a label: a list of many images is said in one line and a few more."""
        start = 0
        while start < len(pending):
            label = pending[start][0]
            stop = start
            while stop < len(pending) and pending[stop][0] == label:
                stop += 1
            shown = [reference_words(reference, self._names) for _label, reference in pending[start : min(stop, start + _REFERENCES_SHOWN)]]
            more = stop - start - len(shown)
            if more > 0:
                shown.append(ngettext("and {count} more", "and {count} more", more))
            if self._room():
                self.lines.append(Line("entry", depth, label or _("Image"), joined(shown, "\n")))
            start = stop
        pending.clear()

    def _label(self, child: Dataset, encodings: tuple[str, ...]) -> str:
        name = read_code(child, 0x0040A043, encodings).words
        relation = _RELATIONS.get(elements.text(child, 0x0040A010), "")
        if name and relation:
            return _("{name} ({relation})").format(name=name, relation=_(relation))
        return name

    def _value(self, child: Dataset, encodings: tuple[str, ...]) -> tuple[str, str]:
        """Value type, and the value in words."""
        kind = elements.text(child, 0x0040A040)
        target = elements.numbers(child, 0x0040DB73)
        if not kind and target:
            return "", _("see item {place}").format(place=".".join(str(int(n)) for n in target if n == n))
        reader = _READERS.get(kind)
        if reader is not None:
            return kind, reader(child, encodings)
        if kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
            return kind, reference_words(self._reference(child), self._names)
        if kind != "CONTAINER":
            shown = elements.harmless(kind)[:16]
            self.notes.append(_("Items of the kind “{kind}” are not known here; only their names are shown.").format(kind=shown))
        return kind, ""

    @staticmethod
    def _reference(child: Dataset) -> Reference:
        item = elements.first(child, 0x00081199)
        return read_reference(item) if item is not None else Reference("", "")

    @staticmethod
    def _flows(children: list[Dataset]) -> bool:
        """Whether the items are the words of one text."""
        kinds = [elements.text(child, 0x0040A040) for child in children]
        texts = kinds.count("TEXT")
        return texts > 0 and all(kind in _SIMPLE for kind in kinds) and not any(elements.items(child, 0x0040A730) for child in children)

    def _room(self) -> bool:
        if len(self.lines) < MAX_LINES:
            return True
        self.notes.append(_("The report has more than {count} lines; the rest is left out.").format(count=MAX_LINES))
        return False


def _own(item: Dataset, encodings: tuple[str, ...]) -> tuple[str, ...]:
    """An item may have a character set of its own."""
    return elements.encodings(item) if elements.raw(item, 0x00080005) is not None else encodings


def _with_modifiers(label: str, children: list[Dataset], encodings: tuple[str, ...]) -> tuple[str, list[Dataset]]:
    """What says which number it is (mean, maximum ...) goes to its name; the other children stay."""
    kept, words = [], [label]
    for child in children:
        is_modifier = elements.text(child, 0x0040A010) == "HAS CONCEPT MOD" and elements.text(child, 0x0040A040) == "CODE"
        modifier = _code(child, _own(child, encodings)) if is_modifier and not elements.items(child, 0x0040A730) else ""
        if modifier:
            words.append(modifier)
        else:
            kept.append(child)
    return ", ".join(words), kept


def _text(item: Dataset, encodings: tuple[str, ...]) -> str:
    raw = elements.raw_bytes(item, 0x0040A160)
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b" \0\n").split(b"\n")
    text = "\n".join(elements.decode_words(line, encodings) for line in lines)
    if len(text) <= MAX_TEXT:
        return text
    return _("{text}… ({count} characters more)").format(text=text[:MAX_TEXT], count=len(text) - MAX_TEXT)


def _code(item: Dataset, encodings: tuple[str, ...]) -> str:
    return read_code(item, 0x0040A168, encodings).words


def _number(item: Dataset, encodings: tuple[str, ...]) -> str:
    """``12.5 mm``; the file's own digits. Without a value the reason (PS3.3 C.18.1)."""
    measured = elements.first(item, 0x0040A300)
    qualifier = read_code(item, 0x0040A301, encodings).words
    if measured is None:
        return qualifier or _("no value")
    values = [value for value in elements.texts(measured, 0x0040A30A) if value]
    unit = read_code(measured, 0x004008EA, encodings)
    # UCUM puts what is no unit in braces: {SUVbw}g/ml.
    shown = "" if unit.value == "1" else " ".join(re.sub(r"\{([^}]*)\}", r" \1 ", unit.value).split()) or unit.meaning
    number = elements.harmless(", ".join(values)) or qualifier or _("no value")
    number = joined((number, shown), " ") if shown else number
    return joined((number, _(" ({name})").format(name=qualifier)), "") if qualifier and values else number


def _coordinates(item: Dataset, _encodings: tuple[str, ...]) -> str:
    kind = {"POINT": _("point"), "MULTIPOINT": _("points"), "POLYLINE": _("line"), "CIRCLE": _("circle"), "ELLIPSE": _("ellipse"),
            "POLYGON": _("polygon"), "ELLIPSOID": _("ellipsoid")}.get(elements.text(item, 0x00700023), _("shape"))  # fmt: skip
    solid = elements.text(item, 0x0040A040) == "SCOORD3D"
    values = elements.numbers(item, 0x00700022)
    across = 3 if solid else 2
    points = [values[n : n + across] for n in range(0, len(values) - across + 1, across)]
    shown = "; ".join(", ".join(f"{value:.6g}" for value in point) for point in points[:8]) + ("…" if len(points) > 8 else "")
    unit = "mm" if solid else _("pixels")
    count = ngettext("{count} point", "{count} points", len(points))
    return _("{kind}, {points}: {shown} {unit}").format(kind=kind, points=count, shown=shown, unit=unit) if points else kind


def _times(item: Dataset, _encodings: tuple[str, ...]) -> str:
    kind = elements.text(item, 0x0040A130).lower()
    values = elements.texts(item, 0x0040A138) or elements.texts(item, 0x0040A13A)
    samples = [str(int(n)) for n in elements.numbers(item, 0x0040A132)[:20] if n == n]
    return elements.harmless(", ".join([kind, *(f"{value} s" for value in values[:20]), *samples]).strip(", "))


_READERS: dict[str, Callable[[Dataset, tuple[str, ...]], str]] = {
    "TEXT": _text,
    "CODE": _code,
    "NUM": _number,
    "PNAME": lambda item, encodings: person_words(elements.words(item, 0x0040A123, encodings)),
    "DATE": lambda item, _encodings: elements.harmless(date_words(elements.text(item, 0x0040A121))),
    "TIME": lambda item, _encodings: elements.harmless(time_words(elements.text(item, 0x0040A122))),
    "DATETIME": lambda item, _encodings: elements.harmless(date_words(elements.text(item, 0x0040A120))),
    "UIDREF": lambda item, _encodings: elements.harmless(elements.text(item, 0x0040A124)),
    "SCOORD": _coordinates,
    "SCOORD3D": _coordinates,
    "TCOORD": _times,
}
