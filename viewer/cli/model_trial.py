"""A model's file looked at and run once in a worker, before it is added or to see that it still works."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from viewer.cli import installed
from viewer.core.errors import JobFailed, ModelUnusable
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.model_card import MODEL_FILE, ModelCard, card_of
from viewer.core.toml_text import parsed_toml
from viewer.core.words import _
from viewer.io.gate import harmless
from viewer.jobs.pool import Pool
from viewer.session.apply import lane_limits
from viewer.session.card_answers import card_of_answers, why_not
from viewer.session.card_proposal import propose as proposal_of
from viewer.session.model_facts import FileFacts, TriedModel
from viewer.session.models import MAX_CARD_BYTES, read_mapping
from viewer.session.own_models import fill_checksums

_SIDE, _PLANES = 64, 8


@dataclass(frozen=True, slots=True)
class Trial:
    """What the file says of itself, and what one run gave."""

    facts: FileFacts
    tried: TriedModel

    def plain(self) -> dict[str, Any]:
        """For ``--json``."""
        facts, tried = self.facts, self.tried
        values = [[{"name": v.name, "dtype": v.dtype, "shape": list(v.shape)} for v in listed] for listed in (facts.inputs, facts.outputs)]
        return {
            "inputs": values[0], "outputs": values[1], "opset": facts.opset, "producer": facts.producer, "bytes": facts.nbytes,
            "device": tried.device, "note": tried.note or None, "milliseconds": tried.milliseconds, "fed": list(tried.fed_size),
            "scores": [{"name": name, "score": score} for name, score in tried.scores], "raw": tried.raw,
        }  # fmt: skip


def mapping_of(source: Path, card: Path | None) -> dict[str, Any]:
    """The card that goes with a model: the file that is named, else the ``card.toml`` beside it. Raises ModelUnusable."""
    model = _model_of(source)
    if card is None:
        text = read_mapping(model.parent) if (model.parent / "card.toml").exists() else None
        if text is None:
            raise ModelUnusable(
                _("{name} has no card. Name one with --card; models --propose prints one to start from.").format(name=harmless(model.name))
            )
    else:
        text = _read(card)
    fill_checksums(text, model)
    return text


def check(model: Path, card: ModelCard, device: str) -> Trial:
    """Look into a file and run it once on an empty image, in a worker. Raises ModelUnusable, or JobFailed if it had to be stopped."""
    # The folder is ours: a worker that has to be ended removes nothing.
    with tempfile.TemporaryDirectory(prefix="negatoscope-") as place, Pool() as pool:
        facts = _ask(pool, "models.read", {"path": str(model)})
        words = {"path": str(model), "card": dict(card.card), "image": _empty(card), "device": device, "place": place}
        return Trial(facts, _ask(pool, "models.try", words))


def check_before(source: Path, text: Mapping[str, Any], device: str) -> Trial:
    """The same for a model that has not been added yet."""
    return check(_model_of(source), card_of(text, Path(str(text.get("name", source.stem)))), device)


def propose(path: Path) -> tuple[dict[str, Any], str]:
    """A card for a bare file, and a sentence on what nobody can know but its maker; "" if it is whole."""
    with Pool() as pool:
        found = proposal_of(_ask(pool, "models.read", {"path": str(_model_of(path))}))
    missing = why_not(found.answers)
    return card_of_answers(found.facts, found.answers), missing


def _ask(pool: Pool, service: str, words: Mapping[str, Any]) -> Any:
    """A service of the plugins, in a worker: what hangs or eats memory is stopped, and told with the file's name."""
    function = installed.registry().service(service)
    if not function:
        raise ModelUnusable(_("No plugin that runs models is switched on."))
    try:
        return pool.submit(function, dict(words), limits=lane_limits(), title=service).result()
    except JobFailed as err:
        path = Path(str(words["path"]))
        raise JobFailed(_("{name}: {reason}").format(name=harmless(f"{path.parent.name}/{path.name}"), reason=err), err.details) from err


def _model_of(source: Path) -> Path:
    return source / MODEL_FILE if source.is_dir() else source


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CARD_BYTES + 1)
        if len(content) > MAX_CARD_BYTES:
            raise ModelUnusable(_("{name} is too large for a card.").format(name=harmless(path.name)))
        return parsed_toml(content)
    except (OSError, ValueError, RecursionError) as err:
        reason = err.strerror if isinstance(err, OSError) else err
        raise ModelUnusable(_("{name} is no card: {reason}.").format(name=harmless(path.name), reason=harmless(str(reason)))) from err


def _empty(card: ModelCard) -> Image:
    """An image that the card is for, of zeros."""
    spec, applies = card.input, card.applies
    planes = (spec.depth or _PLANES) if spec.planes in ("volume", "sequence") else 1
    values = np.zeros((planes, spec.height or _SIDE, spec.width or _SIDE), np.int16)
    first = [words[0] if words else "" for words in (applies.modality, applies.body_part, applies.view)]
    return Image(values, Geometry(values.shape), unit=card.values.unit, modality=first[0], body_part=first[1], view_position=first[2])
