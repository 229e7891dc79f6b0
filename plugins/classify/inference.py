"""Running an ONNX model in a worker: which device really does the work, and scores from outputs."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from viewer.api import ModelUnusable, gettext
from viewer.api.models import ModelCard, ModelClass, check_file

_SUM_SLACK = 1e-3


@dataclass(frozen=True, slots=True)
class Runner:
    """A loaded model; ``device`` is what it got, which need not be what was asked for."""

    session: Any
    device: str
    note: str


def load(card: ModelCard) -> Runner:
    """The model of a card, loaded once in a worker's life. Raises ModelUnusable with the reason."""
    check_file(card)
    return _load(str(card.model_path), card.sha256, card.name)


@functools.lru_cache(maxsize=4)
def _load(path: str, sha256: str, name: str) -> Runner:
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = os.cpu_count() or 1
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    asked = ["CUDAExecutionProvider", "CPUExecutionProvider"] if has_cuda else ["CPUExecutionProvider"]
    try:
        session = onnxruntime.InferenceSession(path, options, providers=asked)
    except Exception as err:  # onnxruntime raises classes of its own, all children of Exception
        raise ModelUnusable(
            gettext("The model {name} could not be loaded: {reason}").format(name=name, reason=str(err).strip().splitlines()[0])
        ) from err
    # Asking for CUDA and not getting it is only a warning to onnxruntime: what counts is what the session says.
    got_cuda = "CUDAExecutionProvider" in session.get_providers()
    note = gettext("CUDA was found but could not be used; the CPU was used instead.") if has_cuda and not got_cuda else ""
    return Runner(session, "CUDA" if got_cuda else "CPU", note)


def logits(runner: Runner, card: ModelCard, batch: NDArray[np.float32]) -> NDArray[np.float64]:
    """Raw outputs (N, outputs) of a batch as the card lays it out. Raises ModelUnusable for what is no such output."""
    name = card.input.name or runner.session.get_inputs()[0].name
    output = card.output.name or runner.session.get_outputs()[0].name
    try:
        values = runner.session.run([output], {name: batch})[0]
    except Exception as err:
        raise ModelUnusable(gettext("The model {card} failed: {reason}").format(card=card.name, reason=str(err).strip().splitlines()[0])) from err
    found = np.asarray(values, dtype=np.float64).reshape(len(batch), -1)
    bad = int(np.count_nonzero(~np.isfinite(found)))
    if bad:
        raise ModelUnusable(
            gettext("The model {card} gave {bad} of {count} outputs that are no numbers.").format(card=card.name, bad=bad, count=found.size)
        )
    return found


def scores(card: ModelCard, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores (N, classes) in 0..1, in the order of the card's classes, from raw outputs (N, outputs)."""
    if card.output.activation == "sigmoid":
        with np.errstate(over="ignore"):
            values = 1.0 / (1.0 + np.exp(-outputs / card.output.temperature))
    elif card.output.activation == "softmax":
        shifted = (outputs - outputs.max(axis=1, keepdims=True)) / card.output.temperature
        values = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    else:
        values = outputs
    if values.min() < -_SUM_SLACK or values.max() > 1 + _SUM_SLACK:
        raise ModelUnusable(
            gettext("The model {card} gave scores from {low:.3g} to {high:.3g}; they must lie between 0 and 1.").format(
                card=card.name, low=values.min(), high=values.max()
            )
        )
    return np.stack([_column(card, entry, values) for entry in card.entries], axis=1)


def _column(card: ModelCard, entry: ModelClass, values: NDArray[np.float64]) -> NDArray[np.float64]:
    if entry.complement_of:
        other = next(e for e in card.entries if e.name == entry.complement_of)
        return 1.0 - _column(card, other, values)
    if not 0 <= entry.output < values.shape[1]:
        raise ModelUnusable(
            gettext("The card of {card} names output {place}; the model gives {count}.").format(
                card=card.name, place=entry.output, count=values.shape[1]
            )
        )
    return np.clip(values[:, entry.output], 0.0, 1.0)
