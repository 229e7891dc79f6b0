"""The rows that ask about a bare model: one for each thing that a card needs to know, with what may be answered."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from viewer.core.model_card import CLASSIFYING, Layout
from viewer.core.words import gettext as _
from viewer.core.words import mark
from viewer.session.card_answers import CAFFE, NORMALISATIONS, OWN, Answers, takes_color_order, takes_multiple, takes_resize
from viewer.session.card_proposal import gives_picture, is_usable, of_output
from viewer.ui.controls import ChoiceRow
from viewer.ui.controls.number_field import Scale
from viewer.ui.dialogs.model_rows import Question, Rows
from viewer.ui.dialogs.model_words import FITS, TASKS, VALUES

SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (mark("What it is"), ("title", "version", "output", "task", "classes", "positive", "activation", "threshold")),
    (mark("How an image goes in"), (
        "layout", "height", "width", "multiple", "depth", "channels", "planes", "fit", "resize", "values", "center", "width_of_window", "low", "high",
        "low_percentile", "high_percentile", "unit", "normalisation", "scale", "mean", "std", "color_order",
    )),
    (mark("Which images it is for"), ("modality", "body_part", "view", "youngest", "oldest")),
    (mark("What a reader should know"), ("intended_use", "licence")),
)  # fmt: skip
FOLLOWS = {
    "positive": "classes", "center": "values", "width_of_window": "values", "low": "values", "high": "values", "low_percentile": "values",
    "high_percentile": "values", "unit": "values", "scale": "normalisation", "mean": "normalisation", "std": "normalisation",
    "color_order": "normalisation", "resize": "fit", "multiple": "height",
}  # fmt: skip
"""What is asked because of the answer to something else, and stands under it."""


class Questions(Rows):
    """Makes the row of each question."""

    def make(self, key: str) -> Question:
        """The row of a field of the answers."""
        return getattr(self, f"_{key}")()  # type: ignore[no-any-return]

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

    def _resize(self) -> Question:
        tip = _("Where a larger picture was made first and its middle cut out. Of the shorter side; of a squeezed image, of both sides.")
        return self._number("resize", _("Resized first"), Scale(1, 1 << 14, unit="px"), tip, _("no, all goes in"), takes_resize, whole=True)

    def _multiple(self) -> Question:
        tip = _(
            "Rows and columns are filled up to a multiple of this, and what comes out is cut again: networks that halve a picture three times need 8."
        )
        return self._number("multiple", _("Multiple of"), Scale(1, 4096, unit="px"), tip, _("no, as it is"), takes_multiple, whole=True)

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

    def _color_order(self) -> Question:
        choices: list[tuple[object, str]] = [("RGB", _("Red first")), ("BGR", _("Blue first"))]
        tip = _("In which order the channels of an image in colour go in. Networks trained with OpenCV or Caffe take blue first.")
        return self._choice("color_order", _("Colours"), choices, tip, lambda a: takes_color_order(a) and a.normalisation != CAFFE)

    def _scale(self) -> Question:
        return self._figure(
            "scale", _("Divide by"), 1e-6, None, 255.0, _("(level / this - mean) / spread"), is_shown=lambda a: a.normalisation == OWN
        )

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
        return self._text("view", _("View position"), _("DICOM's view positions, such as AP, PA."), _("any"), is_list=True)

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
