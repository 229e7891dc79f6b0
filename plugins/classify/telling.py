"""What is said with a result, and kept with it: which model, on which device, from what, and what does not fit."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from plugins.classify import fitness, performance
from plugins.classify.feeding import Feed
from plugins.classify.inference import Runner
from viewer.api import Image, Labels, Overlay, VoiLut, gettext
from viewer.api.models import ModelCard

R = TypeVar("R", Image, Labels, Overlay)


def told(result: R, feed: Feed, runner: Runner, *more: str) -> R:
    """A result with its facts and warnings (``more`` of them), once the model has run: only then it is known which device did the work."""
    card: ModelCard = feed.card
    notes = (*fitness.warnings(card, feed.image), *more, *((runner.note,) if runner.note else ()))
    made = (("model", card.name), ("version", card.version), ("device", runner.device), *facts(feed, runner.device))
    return replace(result, warnings=notes, facts=made)


def facts(feed: Feed, device: str) -> tuple[tuple[str, str], ...]:
    """What a report keeps of the model's file and of what went into it."""
    card, spec, values = feed.card, feed.card.input, feed.card.values
    whole = {"volume": gettext("all planes as one block"), "sequence": gettext("all planes, one after the other")}
    kinds = {
        "window": gettext("window of centre {center:g} and width {width:g} {unit}").format(
            center=values.center, width=values.width, unit=values.unit
        ),
        "range": gettext("{low:g} to {high:g} {unit}").format(low=values.low, high=values.high, unit=values.unit),
        "percentiles": gettext("percentiles {low:g} to {high:g}").format(low=values.percentiles[0], high=values.percentiles[1]),
    }
    kinds["window-or-range"] = _of_file(feed) or kinds["percentiles"]
    used = gettext("8 bits as they are") if feed.levels.is_as_is else kinds[values.kind]
    fits = {"squeeze": gettext("squeezed"), "crop": gettext("cropped to its middle"), "pad": gettext("padded")}
    if (feed.frame.rows, feed.frame.columns) == feed.frame.plane:
        fit = gettext("unchanged")
    else:
        fit = fits["pad" if spec.height is None or spec.width is None else spec.fit]
    if spec.resize is not None:
        words = (
            gettext("squeezed to {size} px, of which the middle")
            if spec.fit == "squeeze"
            else gettext("shorter side to {size} px, of which the middle")
        )
        fit = words.format(size=spec.resize)
    kept = [
        ("sha256", card.sha256),
        ("input", f"{' x '.join(map(str, feed.shape))} {card.fed_layout} {spec.dtype}"),
        ("values", used.strip()),
        ("fit", fit),
        ("batch", str(feed.batch_size(device))),
    ]
    if card.encoder is not None:
        kept.append(("encoder", f"{card.encoder.file} {card.encoder.sha256}"))
    if feed.is_whole:
        kept.append(("planes", whole[spec.planes]))
    return (*kept, *performance.figures_in(card))


def _of_file(feed: Feed) -> str:
    """What an image's files give to bring its values to levels, in words; "" where they give nothing."""
    low, high = feed.card.values.percentiles
    own = [feed.levels.of_file(plane) for plane in range(len(feed.image.plane_windows) or 1)]
    if not any(own):
        return ""
    if not any(isinstance(one, VoiLut) for one in own):
        if all(own):
            return gettext("window of the file")
        return gettext("window of the file, else percentiles {low:g} to {high:g}").format(low=low, high=high)
    if len(own) == 1:
        return gettext("VOI LUT of the file")
    if all(isinstance(one, VoiLut) for one in own):
        return gettext("VOI LUT of each plane’s own file")
    if all(own):
        return gettext("VOI LUT or window of each plane’s own file")
    return gettext("VOI LUT or window of each plane’s own file, else percentiles {low:g} to {high:g}").format(low=low, high=high)
