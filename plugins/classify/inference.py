"""Running an ONNX model in a worker: which device really does the work."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from viewer.api import ModelUnusable, gettext
from viewer.api.models import ModelCard, check_file


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
