"""What a model's card says, in the words of lists and dialogs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viewer.core import digits
from viewer.core.model_card import ModelCard
from viewer.core.words import gettext as _
from viewer.core.words import mark, ngettext
from viewer.session.card_answers import NOT_SAID

TASKS = {
    "binary": mark("Binary: present or absent"), "multi-class": mark("Multi-class: one of several"),
    "multi-label": mark("Multi-label: each present or absent"), "image": mark("A changed image"), "segmentation": mark("A segmentation"),
}  # fmt: skip
SHORT_TASKS = {
    "binary": mark("Binary"), "multi-class": mark("Multi-class"), "multi-label": mark("Multi-label"), "image": mark("A changed image"),
    "segmentation": mark("A segmentation"),
}  # fmt: skip
FITS = {"squeeze": mark("Squeeze to the size"), "crop": mark("Cut out the middle"), "pad": mark("Fill up the short side")}
VALUES = {
    "window-or-range": mark("The file's window, else percentiles"), "window": mark("A window"), "range": mark("A range of values"),
    "percentiles": mark("Percentiles of the plane"),
}  # fmt: skip
_FIGURES = {
    "auc": mark("AUC"), "accuracy": mark("Accuracy"), "sensitivity": mark("Sensitivity"), "specificity": mark("Specificity"), "ece": mark("ECE"),
    "ece_shifted": mark("ECE at the set's prevalence"), "brier": mark("Brier score"), "dice": mark("Dice"),
    "psnr": mark("PSNR"), "ssim": mark("SSIM"),
}  # fmt: skip
_SHARES = frozenset({"accuracy", "sensitivity", "specificity"})
"""Figures that are told in per cent, as in the Classify tab."""
_MOST_FIGURES = 2
_SETS = {"validation": mark("Validation"), "test": mark("Test"), "cross_validation": mark("Cross-validation")}


def input_words(card: ModelCard) -> str:
    """``224 × 224 px, 3 channels``."""
    spec = card.input
    if spec.layout == "NF" and spec.height == 1:
        return ngettext("{count} number", "{count} numbers", spec.width or 0)
    parts = [_("any size") if not (spec.height and spec.width) else _("{width} × {height} px").format(width=spec.width, height=spec.height)]
    if spec.planes in ("volume", "sequence"):
        parts.append(ngettext("{count} plane", "{count} planes", spec.depth) if spec.depth else _("all planes"))
    if spec.channels > 1:
        parts.append(ngettext("{count} channel", "{count} channels", spec.channels))
    return _listed(parts)


def added_words(card: ModelCard) -> str:
    """That a model was added, and in which tab it is now."""
    title = _(card.title)
    if card.task == "image":
        return _("The model “{title}” was added. It is in Enhance, under Network.").format(title=title)
    if card.task == "segmentation":
        return _("The model “{title}” was added. It is in Segment, under Network.").format(title=title)
    return _("The model “{title}” was added. It is in the list of the Classify tab.").format(title=title)


def said(value: Any) -> str:
    """A text of the card in the language, "not said" where it says nothing."""
    if isinstance(value, list | tuple):
        value = _(", ").join(map(str, value))
    text = str(value).strip() if value is not None else ""
    return _("not said") if text in ("", NOT_SAID) else _(text)


def version_words(card: ModelCard) -> str:
    """The version, or a dash."""
    return "–" if card.version in ("", NOT_SAID) else card.version


def figure_lines(card: ModelCard) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each set of images that the card has figures of: what it is, and (name, figure with its interval)."""
    found = []
    metrics = card.card.get("metrics", {})
    for name, values in metrics.items() if isinstance(metrics, Mapping) else ():
        if not isinstance(values, Mapping):
            continue
        lines = [(_(_FIGURES[key]), _figure(values, key)) for key in values if key in _FIGURES]
        if lines:
            title = _(_SETS.get(name, name.replace("_", " ").capitalize()))
            count = values.get("films", values.get("images"))
            found.append(
                (
                    _("{set} ({number})").format(set=title, number=ngettext("{count} image", "{count} images", count))
                    if isinstance(count, int)
                    else title,
                    lines,
                )
            )
    return found


def figures_in_short(card: ModelCard) -> str:
    """The figures of the set that says most, of the test if there is one: ``Test (624 images): AUC 0.983 (95 % CI ...), Accuracy 94.4 %``."""
    found = figure_lines(card)
    test = _(_SETS["test"])
    for title, lines in sorted(found, key=lambda part: not part[0].startswith(test)):
        return _("{set}: {figures}").format(
            set=title, figures=_listed([_("{name} {value}").format(name=n, value=v) for n, v in lines[:_MOST_FIGURES]])
        )
    return ""


def images_in_short(card: ModelCard) -> str:
    """What images it is for: ``CR, DX · CHEST · AP, PA · 1–5 years``."""
    applies = card.applies
    parts = [_(", ").join(words) for words in (applies.modality, applies.body_part, applies.view) if words]
    if applies.age_years:
        parts.append(_("{ages} years").format(ages="–".join(f"{age:g}" for age in applies.age_years)))
    return " · ".join(parts)


def _listed(parts: list[str]) -> str:
    return _(", ").join(parts)


def _figure(values: Mapping[str, Any], key: str) -> str:
    value, interval = values[key], values.get(f"{key}_interval")
    if not isinstance(value, int | float):
        return str(value)
    ends = [float(end) for end in interval] if isinstance(interval, list | tuple) and len(interval) == 2 else []
    if key in _SHARES:
        return digits.share(value, ends)
    if ends:
        return _("{value:.3f} (95 % CI {low:.3f} to {high:.3f})").format(value=value, low=ends[0], high=ends[1])
    return f"{value:.3f}"
