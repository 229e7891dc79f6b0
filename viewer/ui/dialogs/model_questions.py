"""The rows that ask about a bare model: one for each thing that a card needs to know, with what may be answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args

from PySide6.QtWidgets import QWidget

from viewer.core.model_card import CLASSIFYING, Layout
from viewer.core.words import gettext as _
from viewer.core.words import mark
from viewer.session.card_answers import NORMALISATIONS, OWN, Answers, typed, words_in
from viewer.session.card_proposal import gives_picture, is_usable, of_output
from viewer.session.model_facts import FileFacts
from viewer.ui.controls import ChoiceRow, FormRow, NumberRow, TextRow
from viewer.ui.controls.number_field import Scale
from viewer.ui.dialogs.model_words import FITS, TASKS, VALUES
from viewer.ui.form_rows import AutoNumberRow

Change = Callable[[Answers], Answers]


@dataclass(frozen=True, slots=True)
class Question:
    """A row, and how it goes with the answers. ``is_shown``: whether it matters, as the others are answered."""

    row: FormRow
    show: Callable[[Answers], None]
    is_shown: Callable[[Answers], bool]


SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (mark("What it is"), ("title", "version", "output", "task", "classes", "positive", "activation", "threshold")),
    (mark("How an image goes in"), (
        "layout", "height", "width", "depth", "channels", "planes", "fit", "values", "center", "width_of_window", "low", "high", "low_percentile",
        "high_percentile", "unit", "normalisation", "scale", "mean", "std",
    )),
    (mark("Which images it is for"), ("modality", "body_part", "view", "youngest", "oldest")),
    (mark("What a reader should know"), ("intended_use", "licence")),
)  # fmt: skip
FOLLOWS = {
    "positive": "classes", "center": "values", "width_of_window": "values", "low": "values", "high": "values", "low_percentile": "values",
    "high_percentile": "values", "unit": "values", "scale": "normalisation", "mean": "normalisation", "std": "normalisation",
}  # fmt: skip
"""What is asked because of the answer to something else, and stands under it."""


class Questions:
    """Makes the rows. ``take`` is called with a change of the answers, each time the user has made one."""

    def __init__(self, facts: FileFacts, take: Callable[[Change], None], parent: QWidget) -> None:
        self._facts, self._take, self._parent = facts, take, parent

    def make(self, key: str) -> Question:
        """The row of a field of the answers."""
        return getattr(self, f"_{key}")()  # type: ignore[no-any-return]

    # --- kinds of rows ---

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

    # --- what it is ---

    def _title(self) -> Question:
        return self._text("title", _("Title"), _("What the model is called in lists. The name of the file to begin with."), _("needed"))

    def _version(self) -> Question:
        tip = _("Stands in every report, so that two versions can be told apart. Empty: the head of the file's checksum.")
        return self._text("version", _("Version"), tip, self._facts.sha256[:8])

    def _output(self) -> Question:
        choices: list[tuple[object, str]] = [(t.name, t.words) for t in self._facts.outputs if is_usable(self._facts, t)]
        row = ChoiceRow(_("Output"), choices, tooltip=_("The one that holds the scores or the picture."), parent=self._parent)

        def chosen(name: object) -> None:
            tensor = next(t for t in self._facts.outputs if t.name == name)
            self._take(lambda answers: replace(answers, **of_output(self._facts, tensor)[0]))

        row.value_changed.connect(chosen)
        return Question(row, lambda answers: row.set_value(answers.output), lambda _a: True)

    def _task(self) -> Question:
        tensor = next(t for t in self._facts.outputs if is_usable(self._facts, t))
        scores: list[tuple[object, str]] = [(name, _(TASKS[name])) for name in CLASSIFYING]
        pictures: list[tuple[object, str]] = [(name, _(TASKS[name])) for name in ("image", "segmentation")]
        return self._choice(
            "task", _("What it tells"), pictures if gives_picture(self._facts, tensor) else scores, _("Read from the shape of the output.")
        )

    def _classes(self) -> Question:
        return self._text(
            "classes", _("Classes"),
            _("Names in the order of the scores, with commas between. Where one number comes out: what a low one means, then what a high one means. "
              "Of a segmentation: what each channel or value is, from 0 on; “background” is no segment."),
            _("needed, for example: Normal, Pneumonia"), is_list=True, is_shown=lambda a: a.task != "image",
        )  # fmt: skip

    def _positive(self) -> Question:
        row = ChoiceRow(_("Found means"), [("", "–")], tooltip=_("The class that the threshold is held against."), parent=self._parent)
        row.value_changed.connect(lambda value: self._set(positive=value))

        def show(answers: Answers) -> None:
            names: list[tuple[object, str]] = [(name, name) for name in answers.classes]
            row.set_choices(names or [("", "–")])
            row.set_value(answers.positive if answers.positive in answers.classes else row.value())

        return Question(row, show, lambda a: a.task == "binary" and len(a.classes) == 2 and a.outputs != 1)

    def _activation(self) -> Question:
        choices: list[tuple[object, str]] = [
            ("none", _("None: they lie between 0 and 1")), ("sigmoid", _("Sigmoid of each")), ("softmax", _("Softmax of all")),
        ]  # fmt: skip
        tip = _("What makes scores of the numbers. A graph that ends without an activation gives logits: sigmoid or softmax then.")
        return self._choice("activation", _("Activation"), choices, tip, lambda a: a.task != "image")

    def _threshold(self) -> Question:
        tip = _("At or over it a class counts as found. Half, unless it was chosen on data.")
        return self._number("threshold", _("Threshold"), Scale(0.0, 1.0, step=0.01, decimals=2), tip, _("none"), lambda a: a.task != "image")

    # --- how an image goes in ---

    def _layout(self) -> Question:
        axes = len(self._facts.inputs[0].shape)
        fitting: list[tuple[object, str]] = [(name, name) for name in get_args(Layout) if len(name) == axes]
        return self._choice("layout", _("Axes"), fitting, _("N inputs, C channels, D planes, T planes of a sequence, H rows, W columns, F values."))

    def _size(self, key: str, label: str) -> Question:
        return self._number(
            key, label, Scale(1, 8192, unit="px"), _("Pixels of the input; the image is brought to them."), _("as the image"), whole=True
        )

    def _height(self) -> Question:
        return self._size("height", _("Rows"))

    def _width(self) -> Question:
        return self._size("width", _("Columns"))

    def _depth(self) -> Question:
        is_block = lambda a: a.planes in ("volume", "sequence")
        return self._number("depth", _("Planes"), Scale(1, 4096), _("Planes of one input."), _("all"), is_block, whole=True)

    def _channels(self) -> Question:
        choices: list[tuple[object, str]] = [(1, _("1, grey")), (3, _("3, colour"))]
        return self._choice("channels", _("Channels"), choices, _("A grey image goes into all channels alike."))

    def _planes(self) -> Question:
        choices: list[tuple[object, str]] = [("one", _("One plane")), ("neighbours", _("A plane and its neighbours"))]
        if len(self._facts.inputs[0].shape) == 5:
            choices = [("volume", _("A block of planes")), ("sequence", _("Planes one after the other"))]
        return self._choice("planes", _("One input is"), choices, _("Neighbours go in as channels (2.5-D)."))

    def _fit(self) -> Question:
        choices: list[tuple[object, str]] = [(name, _(words)) for name, words in FITS.items()]
        return self._choice("fit", _("Fit"), choices, _("How an image that is not square was brought to the input when the model was trained."))

    def _values(self) -> Question:
        choices: list[tuple[object, str]] = [(name, _(words)) for name, words in VALUES.items()]
        tip = _("Which values become black and white. Pictures of 8 bits go in as they are.")
        return self._choice("values", _("Values"), choices, tip)

    def _center(self) -> Question:
        return self._figure("center", _("Level"), None, None, 40.0, _("Middle of the window."), is_shown=lambda a: a.values == "window")

    def _width_of_window(self) -> Question:
        return self._figure(
            "width_of_window", _("Window width"), 1e-6, None, 400.0, _("From black to white."), is_shown=lambda a: a.values == "window"
        )

    def _low(self) -> Question:
        return self._figure("low", _("Black"), None, None, 0.0, _("This value and lower ones."), is_shown=lambda a: a.values == "range")

    def _high(self) -> Question:
        return self._figure("high", _("White"), None, None, 255.0, _("This value and higher ones."), is_shown=lambda a: a.values == "range")

    def _percentile(self, at: int, label: str, default: float, tip: str) -> Question:
        row = NumberRow(label, 0.0, 100.0, default, unit="%", step=0.5, slider=False, tooltip=tip, parent=self._parent)

        def change(value: float) -> None:
            self._take(lambda a: replace(a, percentiles=(value, a.percentiles[1]) if at == 0 else (a.percentiles[0], value)))

        row.value_changed.connect(change)
        return Question(row, lambda answers: row.set_value(answers.percentiles[at]), lambda a: a.values in ("percentiles", "window-or-range"))

    def _low_percentile(self) -> Question:
        return self._percentile(0, _("Low percentile"), 1.0, _("Becomes black."))

    def _high_percentile(self) -> Question:
        return self._percentile(1, _("High percentile"), 99.0, _("Becomes white."))

    def _unit(self) -> Question:
        tip = _("Of these values, such as HU. An image in another unit is then refused.")
        return self._text("unit", _("Unit"), tip, _("any"), is_shown=lambda a: a.values in ("window", "range"))

    def _normalisation(self) -> Question:
        choices: list[tuple[object, str]] = [*((name, _(rule[0])) for name, rule in NORMALISATIONS.items()), (OWN, _("Other numbers"))]
        return self._choice("normalisation", _("Then scaled to"), choices, _("How the levels from 0 to 255 were scaled when the model was trained."))

    def _scale(self) -> Question:
        return self._figure(
            "scale", _("Divide by"), 1e-6, None, 255.0, _("(level / this - mean) / spread"), is_shown=lambda a: a.normalisation == OWN
        )

    def _numbers(self, key: str, label: str, tip: str) -> Question:
        row = TextRow(label, placeholder="0.485, 0.456, 0.406", check=_no_numbers, tooltip=tip, parent=self._parent)
        row.value_changed.connect(lambda text: self._set(**{key: tuple(map(float, words_in(text)))}))

        def show(answers: Answers) -> None:
            if row.is_valid() and tuple(map(float, words_in(row.value()))) != getattr(answers, key):
                row.set_value(", ".join(f"{number:g}" for number in getattr(answers, key)))

        return Question(row, show, lambda a: a.normalisation == OWN)

    def _mean(self) -> Question:
        return self._numbers("mean", _("Mean"), _("One number, or one for each channel."))

    def _std(self) -> Question:
        return self._numbers("std", _("Standard deviation"), _("Standard deviation: one number, or one for each channel."))

    # --- which images ---

    def _modality(self) -> Question:
        tip = _("DICOM's words, with commas between: CR, DX, CT, MR, US. Other images are told that the model is not for them.")
        return self._text("modality", _("Modality"), tip, _("any"), is_list=True)

    def _body_part(self) -> Question:
        return self._text("body_part", _("Body part"), _("DICOM's words, such as CHEST."), _("any"), is_list=True)

    def _view(self) -> Question:
        return self._text("view", _("View"), _("DICOM's view positions, such as AP, PA."), _("any"), is_list=True)

    def _age(self, key: str, label: str) -> Question:
        return self._number(key, label, Scale(0, 150, unit=_("years")), _("Of the patients that the model was trained on."), _("not said"))

    def _youngest(self) -> Question:
        return self._age("youngest", _("Youngest"))

    def _oldest(self) -> Question:
        return self._age("oldest", _("Oldest"))

    # --- for the reader ---

    def _intended_use(self) -> Question:
        return self._text("intended_use", _("Intended use"), _("What the model was made for, as its makers say."))

    def _licence(self) -> Question:
        return self._text("licence", _("Licence"), _("Of the model, such as Apache-2.0."))


def _no_numbers(text: str) -> str:
    try:
        numbers = tuple(map(float, words_in(text)))
    except ValueError:
        numbers = ()
    return "" if numbers else _("One number, or several with commas between.")
