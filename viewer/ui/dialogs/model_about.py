"""All that a model's card says, to be read before the model is trusted: what it is for, on what it was trained, how good it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from viewer.core import digits
from viewer.core.model_card import ModelCard
from viewer.core.words import gettext as _
from viewer.session.card_answers import NOT_SAID
from viewer.ui.controls import Label, NoteBox, SectionTitle
from viewer.ui.dialogs.model_words import FITS, TASKS, VALUES, figure_lines, input_words, said, version_words
from viewer.ui.dialogs.readable import Readable
from viewer.ui.theme import sizes

_TITLE_WIDTH = 132
Chapters = list[tuple[str, list[tuple[str, str]]]]
"""Title of each part, and (name, text) of its lines."""


class ModelAbout(Readable):
    """The card, part by part."""

    def __init__(self, card: ModelCard, parent: QWidget | None = None) -> None:
        super().__init__(_("About the model"), width=720, height=600, parent=parent)
        found = chapters(card)
        self.whole = as_text(card, found)
        self.body.addWidget(Label(_(card.title), "strong", wrap=True, parent=self.frame))
        self.notes = NoteBox("warn", "\n".join(_(note) for note in card.notes), parent=self.frame)
        self.body.addWidget(self.notes)
        page, column = self.add_page(_("About the model"), spacing=sizes().row_gap)
        for title, lines in found:
            column.addWidget(SectionTitle(title, parent=page))
            column.addLayout(line_grid(lines, page))
            column.addSpacing(sizes().row_gap)
        column.addStretch(1)
        self.add_copy_and_close()


def line_grid(lines: list[tuple[str, str]], parent: QWidget, *, width: int = _TITLE_WIDTH) -> QGridLayout:
    """Names at the left, whole texts at the right, to be selected and copied."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(sizes().margin)
    grid.setVerticalSpacing(sizes().tight)
    grid.setColumnMinimumWidth(0, width)
    grid.setColumnStretch(1, 1)
    for at, (name, text) in enumerate(lines):
        title = Label(name, "secondary", wrap=True, parent=parent)
        title.setFixedWidth(width)
        grid.addWidget(title, at, 0, Qt.AlignmentFlag.AlignTop)
        label = Label(text, wrap=True, parent=parent)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(label, at, 1)
    return grid


def chapters(card: ModelCard) -> Chapters:
    """The card in parts; what it does not say stands there as "not said" where a reader would look for it."""
    text, training = card.card, _part(card.card, "training")
    applies = card.applies
    ages = "–".join(f"{age:g}" for age in applies.age_years) if applies.age_years else None
    found: Chapters = [
        (_("What it is for"), [
            (_("Intended use"), said(text.get("intended_use"))), (_("Not for"), said(text.get("not_for"))),
            (_("Modality"), _any(applies.modality)), (_("Body part"), _any(applies.body_part)), (_("View position"), _any(applies.view)),
            (_("Age"), _("{ages} years").format(ages=ages) if ages else _("not said")),
        ]),
        (_("What it tells"), _telling(card)),
        (_("What goes in"), [
            (_("Input"), input_words(card)), (_("Fit"), _(FITS[card.input.fit])), (_("Values"), _(VALUES[card.values.kind])),
            (_("Axes"), f"{card.fed_layout}, {card.input.dtype}"),
            *([(_("Encoder"), _("{file} makes features of each slice, which the model reads in sequence.").format(file=card.encoder.file))]
              if card.encoder is not None else []),
        ]),
        (_("Training"), [
            (_("Data"), said(training.get("data"))), (_("Patients"), said(training.get("population"))), (_("Split"), said(training.get("split"))),
            (_("Method"), said(training.get("method"))), (_("Licence"), said(training.get("licence"))),
            *((_("Citation"), citation) for citation in _several(training.get("citation"))),
        ]),
    ]  # fmt: skip
    figures = figure_lines(card)
    found += [(_("Figures: {set}").format(set=name), lines) for name, lines in figures]
    if not figures:
        found.append((_("Figures"), [(_("Figures"), _("not said"))]))
    found.append((_("File"), [(_("Name"), card.name), (_("Version"), version_words(card)), ("sha256", card.sha256), (_("Folder"), str(card.folder))]))
    return found


def as_text(card: ModelCard, found: Chapters) -> str:
    """The same as plain lines."""
    lines = [_(card.title), *(_(note) for note in card.notes)]
    for title, rows in found:
        lines += ["", title, *(f"{name}: {text}" for name, text in rows)]
    return "\n".join(lines)


def _telling(card: ModelCard) -> list[tuple[str, str]]:
    lines = [(_("Task"), _(TASKS[card.task]))]
    if card.classes:
        lines.append((_("Classes"), _(", ").join(_(name) for name in card.classes)))
    threshold = _part(card.card, "threshold")
    if card.threshold is not None:
        parts = [f"{card.threshold:.2f}"]
        for key, words in (("sensitivity", _("sensitivity {share}")), ("specificity", _("specificity {share}"))):
            if isinstance(threshold.get(key), int | float):
                parts.append(words.format(share=digits.share(threshold[key])))
        if isinstance(threshold.get("test_set"), str):
            parts.append(_(threshold["test_set"]))
        lines.append((_("Threshold"), _("; ").join(parts)))
    if card.is_classifier:
        calibrated = (
            _("yes, for a prevalence of {share:.0f} %").format(share=100 * card.output.prevalence) if card.output.prevalence is not None else _("yes")
        )
        lines.append((_("Calibrated"), calibrated if card.output.is_calibrated else _("no: scores are no probabilities")))
    return lines


def _part(text: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = text.get(key, {})
    return part if isinstance(part, Mapping) else {}


def _several(value: Any) -> list[str]:
    several = value if isinstance(value, list | tuple) else [value]
    return [str(part) for part in several if part and part != NOT_SAID]


def _any(words: tuple[str, ...]) -> str:
    return _(", ").join(words) if words else _("any")


def show_model(card: ModelCard, parent: QWidget) -> None:
    """Open it over a window or dialog."""
    ModelAbout(card, parent).open()
