"""A text that knows its key and fields: it is said in the language in use where it is shown, whichever process or language it was made in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from viewer.core.catalogue import Catalogue

_STOPS = ("。", "！", "？", "…")
_STOPPED = "{text}."  # in the catalogue: each language has its own full stop
_WHOLE, _PART = "{text:whole}", "{text:part}"
_MOST_KNOWN = 20_000  # texts of files pass through here, too

_catalogue = Catalogue()
_known: dict[str, Sentence] = {}


def speak(catalogue: Catalogue) -> None:
    """The catalogue that all sentences are said by from now on."""
    global _catalogue, _known
    _catalogue, _known = catalogue, {}


class _Words(str):
    """A text that can be formatted as ``{text:whole}``, a sentence of its own, and ``{text:part}``, a part of another."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec == "whole":
            text = str(self)
            text = text[:1].upper() + text[1:].rstrip(".")
            return text if text.endswith(_STOPS) else self._stopped(text)
        return str(self).rstrip(".。") if spec == "part" else super().__format__(spec)

    def _stopped(self, text: str) -> str:
        return _said(_STOPPED, "", {"text": text})


class _English(_Words):
    """Words whose full stop is a point, whatever the language in use."""

    __slots__ = ()

    def _stopped(self, text: str) -> str:
        return f"{text}."


class Sentence(_Words):
    """A text of the catalogue, as a ``str`` in the language in which it was made.

    ``str()``, f-strings and ``format`` give it in the language in use now, and so do errors that carry it (``str(error)``).
    What takes the characters as they are (Qt, ``join``, ``+``) gets the language it was made in: pass it through
    ``words.gettext`` where it is shown. Pickling carries key and fields, so that a sentence of a worker arrives translated.
    """

    __slots__ = ("fields", "key", "plural")
    key: str
    plural: str
    fields: Mapping[str, Any] | None

    def __new__(cls, key: str, plural: str = "", fields: Mapping[str, Any] | None = None) -> Sentence:
        if key in (_WHOLE, _PART) and fields is not None and not isinstance(fields["text"], _Words):
            fields = {"text": _Words(fields["text"])}
        made = super().__new__(cls, _said(key, plural, fields))
        made.key, made.plural, made.fields = key, plural, fields
        return made

    def __str__(self) -> str:
        return _said(self.key, self.plural, self.fields)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sentence, (self.key, self.plural, self.fields)

    def format(self, *args: object, **fields: object) -> str:
        """The sentence with its fields filled in; numbers and texts are kept, anything else as its text."""
        if args or self.fields is not None:
            return super().format(*args, **fields)
        return Sentence(self.key, self.plural, {name: _kept(value) for name, value in fields.items()})

    def with_texts(self, change: Callable[[str], str]) -> str:
        """The same sentence with other texts in its fields: ``change`` is called for each that is no sentence of the catalogue."""
        if self.fields is None:
            return self
        texts = {name: value for name, value in self.fields.items() if isinstance(value, str)}
        changed = {n: v.with_texts(change) if isinstance(v, Sentence) else type(v)(change(v)) for n, v in texts.items()}
        return Sentence(self.key, self.plural, {**self.fields, **changed})

    @property
    def english(self) -> str:
        """As it is in English, whatever the language in use: for files and programs to read."""
        if self.fields is None:
            return self.key
        fields = {name: _English(english(value)) if isinstance(value, str) else value for name, value in self.fields.items()}
        return (self.plural if self.plural and fields["count"] != 1 else self.key).format(**fields)


def say(text: str) -> str:
    """A text of the catalogue in the language in use; a sentence made earlier is said again."""
    if type(text) is not str:
        return Sentence(text.key, text.plural, text.fields) if isinstance(text, Sentence) else say(str(text))
    known = _known
    found = known.get(text)
    if found is None:
        found = Sentence(text)
        if len(known) < _MOST_KNOWN:
            known[text] = found
    return found


def say_count(singular: str, plural: str, count: int) -> str:
    """The form for a count; ``{count}`` in it is filled in."""
    return Sentence(singular, plural, {"count": count})


def whole(text: str) -> str:
    """A text as a sentence of its own: warnings do without capital and full stop, since they follow a name in a list."""
    return Sentence(_WHOLE, fields={"text": text}) if text else ""


def part(text: str) -> str:
    """A sentence without its full stop, to stand in another one."""
    return Sentence(_PART, fields={"text": text}) if text else ""


def sentence_of(error: BaseException) -> str:
    """What an error says: its sentence where it carries one, so that it can be said in another language later."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Sentence) else str(error)


def joined(parts: Iterable[str], separator: str = "; ") -> str:
    """Texts one after another that stay sentences, each said where the whole is shown; ``separator`` is a text of the catalogue."""
    fields = {f"p{number}": part for number, part in enumerate(parts)}
    return Sentence("{separator}".join(f"{{{name}}}" for name in fields), fields={**fields, "separator": say(separator)}) if fields else ""


def english(value: Any) -> Any:
    """Values with every sentence in them in English, for what programs read; other values as they are."""
    if isinstance(value, str):
        return value.english if isinstance(value, Sentence) else value
    if isinstance(value, Mapping):
        return {english(key): english(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(english(item) for item in value)
    return value


def _said(key: str, plural: str, fields: Mapping[str, Any] | None) -> str:
    catalogue = _catalogue  # another thread may change it meanwhile
    if fields is None:
        return catalogue.texts.get(key, key)
    if plural:
        forms = catalogue.plurals.get(key)
        text = forms[catalogue.form_of(fields["count"])] if forms else key if fields["count"] == 1 else plural
    else:
        text = catalogue.texts.get(key, key)
    return text.format(**fields)


def _kept(value: object) -> object:
    if isinstance(value, BaseException):
        return sentence_of(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, tuple):
        return tuple(_kept(item) for item in value)
    to_python: Callable[[], object] | None = getattr(value, "item", None) if getattr(value, "shape", None) == () else None
    return to_python() if to_python is not None else str(value)
