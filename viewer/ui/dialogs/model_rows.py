"""The kinds of rows that ask about a bare model, each tied to a field of the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtWidgets import QWidget

from viewer.core.words import gettext as _
from viewer.session.card_answers import OWN, Answers, typed, words_in
from viewer.session.model_facts import FileFacts
from viewer.ui.controls import ChoiceRow, FormRow, NumberRow, TextRow
from viewer.ui.controls.number_field import Scale
from viewer.ui.form_rows import AutoNumberRow

Change = Callable[[Answers], Answers]


@dataclass(frozen=True, slots=True)
class Question:
    """A row, and how it goes with the answers. ``is_shown``: whether it matters, as the others are answered."""

    row: FormRow
    show: Callable[[Answers], None]
    is_shown: Callable[[Answers], bool]


class Rows:
    """Makes rows of each kind. ``take`` is called with a change of the answers, each time the user has made one."""

    def __init__(self, facts: FileFacts, take: Callable[[Change], None], parent: QWidget) -> None:
        self._facts, self._take, self._parent = facts, take, parent

    def _set(self, **values: Any) -> None:
        self._take(lambda answers: replace(answers, **values))

    def _choice(
        self, key: str, label: str, choices: list[tuple[object, str]], tooltip: str, is_shown: Callable[[Answers], bool] = lambda _a: True
    ) -> Question:
        row = ChoiceRow(label, choices, tooltip=tooltip, parent=self._parent)
        row.value_changed.connect(lambda value: self._set(**{key: value}))
        known = [value for value, _words in choices]
        return Question(row, lambda answers: row.set_value(v if (v := getattr(answers, key)) in known else known[0]), is_shown)

    def _text(
        self,
        key: str,
        label: str,
        tooltip: str,
        placeholder: str = "",
        *,
        is_list: bool = False,
        is_shown: Callable[[Answers], bool] = lambda _a: True,
    ) -> Question:
        row = TextRow(label, placeholder=placeholder or _("not said"), tooltip=tooltip, parent=self._parent)
        row.value_changed.connect(lambda text: self._set(**{key: words_in(text) if is_list else text}))

        def show(answers: Answers) -> None:
            value = getattr(answers, key)
            if (words_in(row.value()) if is_list else row.value()) != value:
                row.set_value(typed(value) if is_list else value)

        return Question(row, show, is_shown)

    def _number(
        self,
        key: str,
        label: str,
        scale: Scale,
        tooltip: str,
        empty: str,
        is_shown: Callable[[Answers], bool] = lambda _a: True,
        *,
        whole: bool = False,
    ) -> Question:
        """A number that may be left empty."""
        row = AutoNumberRow(label, scale, tooltip=tooltip, parent=self._parent)
        row.field.setPlaceholderText(empty)
        row.field.fit([empty])
        for say in (row.field.setToolTip, row.field.setAccessibleDescription):
            say(_("Empty: {meaning}.").format(meaning=empty))
        row.value_changed.connect(lambda value: self._set(**{key: round(value) if whole and value is not None else value}))
        return Question(row, lambda answers: row.set_value(getattr(answers, key)), is_shown)

    def _figure(self, key: str, label: str, low: float | None, high: float | None, default: float, tooltip: str, **more: Any) -> Question:
        """A number that is always there."""
        is_shown = more.pop("is_shown")
        row = NumberRow(label, low, high, default, slider=False, tooltip=tooltip, parent=self._parent, **more)
        row.value_changed.connect(lambda value: self._set(**{key: value}))
        return Question(row, lambda answers: row.set_value(getattr(answers, key)), is_shown)

    def _percentile(self, at: int, label: str, default: float, tip: str) -> Question:
        row = NumberRow(label, 0.0, 100.0, default, unit="%", step=0.5, slider=False, tooltip=tip, parent=self._parent)

        def change(value: float) -> None:
            self._take(lambda a: replace(a, percentiles=(value, a.percentiles[1]) if at == 0 else (a.percentiles[0], value)))

        row.value_changed.connect(change)
        return Question(row, lambda answers: row.set_value(answers.percentiles[at]), lambda a: a.values in ("percentiles", "window-or-range"))

    def _numbers(self, key: str, label: str, tip: str) -> Question:
        row = TextRow(label, placeholder="0.485, 0.456, 0.406", check=_no_numbers, tooltip=tip, parent=self._parent)
        row.value_changed.connect(lambda text: self._set(**{key: tuple(map(float, words_in(text)))}))

        def show(answers: Answers) -> None:
            if row.is_valid() and tuple(map(float, words_in(row.value()))) != getattr(answers, key):
                row.set_value(", ".join(f"{number:g}" for number in getattr(answers, key)))

        return Question(row, show, lambda a: a.normalisation == OWN)


def _no_numbers(text: str) -> str:
    try:
        numbers = tuple(map(float, words_in(text)))
    except ValueError:
        numbers = ()
    return "" if numbers else _("One number, or several with commas between.")
