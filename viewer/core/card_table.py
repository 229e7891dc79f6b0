"""Reading the keys of a card one by one: each has a type and a range, and what has not is told in one sentence with file and key."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from viewer.core.errors import ModelUnusable
from viewer.core.words import _, mark

LONGEST_TEXT = 20_000
LONGEST_LIST = 100_000
_SHOWN = 60
_REQUIRED: Any = object()

_MUST_BE = {
    "text": mark('{file}: "{key}" is {value}; it must be a text, in quotes.'),
    "number": mark('{file}: "{key}" is {value}; it must be a number.'),
    "whole": mark('{file}: "{key}" is {value}; it must be a whole number.'),
    "flag": mark('{file}: "{key}" is {value}; it must be true or false.'),
    "texts": mark('{file}: "{key}" is {value}; it must be a list of texts, such as ["CR", "DX"].'),
    "numbers": mark('{file}: "{key}" is {value}; it must be a list of numbers, such as [0.5].'),
    "pair": mark('{file}: "{key}" is {value}; it must be two numbers, the smaller one first.'),
    "table": mark('{file}: "{key}" is {value}; it must be a table, under [{key}].'),
    "tables": mark('{file}: "{key}" is {value}; it must be a list of tables, each under [[{key}]].'),
}


class CardTable:
    """One table of a card. What is asked for counts as known; :meth:`unknown` tells the rest."""

    def __init__(self, content: Mapping[str, Any], file: str, path: str = "") -> None:
        self._content, self.file, self._path = content, file, path
        self._known: set[str] = set()
        self._parts: list[CardTable] = []

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def __bool__(self) -> bool:
        return bool(self._content)

    def text(self, key: str, default: str = _REQUIRED, *, longest: int = LONGEST_TEXT) -> str:
        """A text that is not empty where it is required."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self._wrong("text", key, value)
        if default is _REQUIRED and not value.strip():
            raise ModelUnusable(_('{file}: "{key}" is empty.').format(file=self.file, key=self.name(key)))
        if len(value) > longest:
            raise ModelUnusable(
                _('{file}: "{key}" has {length} characters; {most} are allowed.').format(
                    file=self.file, key=self.name(key), length=len(value), most=longest
                )
            )
        return value

    def number(self, key: str, default: float = _REQUIRED, low: float = -math.inf, high: float = math.inf, *, may_be_infinite: bool = False) -> float:
        """A number within ``low`` and ``high``, both included; finite unless said otherwise, never NaN."""
        value = self._get(key, default)
        if not _is_number(value, may_be_infinite=may_be_infinite):
            raise self._wrong("number", key, value)
        return self._within(key, float(value), low, high)

    def number_or_none(self, key: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """The same; None where the key is left out."""
        self._known.add(key)
        return self.number(key, low=low, high=high) if key in self else None

    def whole(self, key: str, default: int = _REQUIRED, low: int = 0, high: int = 1 << 20) -> int:
        """A whole number within ``low`` and ``high``, both included."""
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong("whole", key, value)
        return int(self._within(key, value, low, high))

    def whole_or(self, word: str, key: str, default: int | str = _REQUIRED, low: int = 1, high: int = 1 << 20) -> int | None:
        """A whole number, or None where the card says ``word``."""
        value = self._get(key, default)
        if value == word:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise ModelUnusable(
                _('{file}: "{key}" is {value}; it must be a whole number or "{word}".').format(
                    file=self.file, key=self.name(key), value=shown(value), word=word
                )
            )
        return int(self._within(key, value, low, high))

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self._wrong("flag", key, value)
        return value

    def choice(self, key: str, known: Sequence[Any], default: str = _REQUIRED) -> Any:
        """One of the words of ``known``."""
        value = self.text(key, default)
        if value not in known:
            raise ModelUnusable(
                _('{file}: "{key}" is {value}; known are {known}.').format(
                    file=self.file, key=self.name(key), value=shown(value), known=", ".join(word for word in known if word)
                )
            )
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._get(key, ())
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) and part.strip() for part in value):
            raise self._wrong("texts", key, value)
        return tuple(value)

    def numbers(self, key: str, default: Sequence[float], *, above: float = -math.inf) -> tuple[float, ...]:
        """Finite numbers, each above ``above``."""
        value = self._get(key, default)
        if not isinstance(value, list | tuple) or len(value) > LONGEST_LIST or not all(_is_number(part) for part in value):
            raise self._wrong("numbers", key, value)
        found = tuple(float(part) for part in value)
        if any(part <= above for part in found):
            raise ModelUnusable(
                _('{file}: "{key}" is {value}; each number must be above {low:g}.').format(
                    file=self.file, key=self.name(key), value=shown(value), low=above
                )
            )
        return found

    def pair(
        self, key: str, default: Sequence[float] = _REQUIRED, low: float = -math.inf, high: float = math.inf, *, may_be_equal: bool = False
    ) -> tuple[float, float]:
        """Two finite numbers in order, both within ``low`` and ``high``."""
        value = self._get(key, default)
        if not isinstance(value, list | tuple) or len(value) != 2 or not all(_is_number(part) for part in value):
            raise self._wrong("pair", key, value)
        first, second = float(value[0]), float(value[1])
        if first > second or (first == second and not may_be_equal):
            raise self._wrong("pair", key, value)
        for end in (first, second):
            self._within(key, end, low, high, value)
        return first, second

    def table(self, key: str) -> CardTable:
        """A table under this one; empty where it is left out."""
        value = self._get(key, {})
        if not isinstance(value, Mapping):
            raise self._wrong("table", key, value)
        self._parts.append(CardTable(value, self.file, f"{self.name(key)}."))
        return self._parts[-1]

    def tables(self, key: str, most: int) -> list[CardTable]:
        """A list of tables, empty where it is left out."""
        value = self._get(key, ())
        if not isinstance(value, list | tuple) or not all(isinstance(part, Mapping) for part in value):
            raise self._wrong("tables", key, value)
        if len(value) > most:
            raise ModelUnusable(
                _('{file}: "{key}" has {length} entries; {most} are allowed.').format(
                    file=self.file, key=self.name(key), length=len(value), most=most
                )
            )
        found = [CardTable(part, self.file, f"{self.name(key)}[{place}].") for place, part in enumerate(value)]
        self._parts += found
        return found

    def words(self) -> dict[str, str]:
        """All keys of this table with their values, which are texts."""
        return {key: self.text(key) for key in self._content}

    def name(self, key: str) -> str:
        """A key with the tables that it stands under: ``input.height``."""
        return printable(f"{self._path}{key}")

    def keys(self) -> tuple[str, ...]:
        """The keys that are there."""
        return tuple(self._content)

    def require(self, *keys: str) -> None:
        """Keys that are needed because of what others say."""
        for key in keys:
            self._get(key, _REQUIRED)

    def close(self) -> None:
        """Whatever else this table holds is for people."""
        self._known.update(self._content)
        self._parts = []

    def pass_over(self, *keys: str) -> None:
        """Keys that are for people alone."""
        self._known.update(keys)

    def unknown(self) -> Iterator[str]:
        """A sentence for each key, here and further down, that nobody asked for."""
        for key in self._content:
            if key in self._known:
                continue
            near = get_close_matches(key[:_SHOWN], [k for k in sorted(self._known) if k not in self._content], n=1, cutoff=0.75)
            if near:
                words = _('{file}: the key "{key}" is not known and is passed over; "{near}" is one that is.')
                yield words.format(file=self.file, key=self.name(key), near=near[0])
            else:
                yield _('{file}: the key "{key}" is not known and is passed over.').format(file=self.file, key=self.name(key))
        for part in self._parts:
            yield from part.unknown()

    def _get(self, key: str, default: Any) -> Any:
        self._known.add(key)
        value = self._content.get(key, default)
        if value is _REQUIRED:
            raise ModelUnusable(_('{file}: the key "{key}" is missing.').format(file=self.file, key=self.name(key)))
        return value

    def _within(self, key: str, number: float, low: float, high: float, value: Any = None) -> float:
        if low <= number <= high:
            return number
        words = (
            _('{file}: "{key}" is {value}; it must be {low:g} or more.')
            if math.isinf(high)
            else _('{file}: "{key}" is {value}; it must lie between {low:.7g} and {high:.7g}.')
        )
        raise ModelUnusable(
            words.format(file=self.file, key=self.name(key), value=shown(number if value is None else value), low=float(low), high=float(high))
        )

    def _wrong(self, kind: str, key: str, value: Any) -> ModelUnusable:
        return ModelUnusable(_(_MUST_BE[kind]).format(file=self.file, key=self.name(key), value=shown(value)))


def shown(value: Any) -> str:
    """A value of a card for a sentence: short, and without what a screen would act on."""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        text = f'"{printable(value[:_SHOWN])}"' if isinstance(value, str) else printable(repr(value)[:_SHOWN])
    except (ValueError, RecursionError):  # whole numbers of thousands of digits have no text
        return type(value).__name__
    return f"{text}…" if len(text) >= _SHOWN else text


def printable(text: str) -> str:
    """The start of a text from outside; control characters and direction marks become ``?``."""
    return "".join(c if c.isprintable() else "?" for c in text[: 2 * _SHOWN])


def _is_number(value: Any, *, may_be_infinite: bool = False) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        number = float(value)
    except OverflowError:
        return False
    return math.isfinite(number) or (may_be_infinite and math.isinf(number))
