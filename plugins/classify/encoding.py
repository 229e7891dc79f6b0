"""Two networks one after the other: an encoder that makes features of each plane, and a recurrent one that gets them in sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from plugins.classify import devices, onnx_trust
from plugins.classify.crew import Crew
from plugins.classify.onnx_model import OnnxFacts
from viewer.api import ModelUnusable, gettext
from viewer.api.models import ModelCard

if TYPE_CHECKING:
    from plugins.classify.inference import Runner


class Encoder:
    """The first of the two networks of a card, loaded, and what it has to make for the second."""

    def __init__(self, runner: Runner, card: ModelCard, network: OnnxFacts) -> None:
        self.runner, self._card = runner, card
        entry = network.value(onnx_trust.input_name(network, card))
        assert entry is not None
        self._entry, self._dtype = entry.name, entry.dtype or "float32"
        wanted = entry.dims[-1] if entry.dims else None
        self._wanted = wanted if isinstance(wanted, int) else None
        self._input, self._output = onnx_trust.encoder_ends(runner.facts, card)
        dims = self._input.dims
        self._fixed = dims[0] if dims and isinstance(dims[0], int) else None

    def feeds(self, planes: NDArray[Any], progress: Callable[[float], object] | None = None) -> dict[str, NDArray[Any]]:
        """What the second network gets for planes (N, T, ...): features (N, T, F). Raises ModelUnusable.

        ``progress`` is called with the share of the planes that is done, after each batch of them; may raise to stop.
        """
        count, steps = planes.shape[:2]
        single = planes.reshape(count * steps, *planes.shape[2:])
        at_once = self._fixed or devices.at_once(single[0].size, self.runner.device)
        parts = [single[start : start + at_once] for start in range(0, len(single), at_once)]
        crew, made, done = Crew(self.runner, single[0].size, len(parts)), list[NDArray[Any]](), 0
        with crew.each(lambda part: self._features(crew, part), parts) as found:
            for rows in found:
                made.append(rows)
                done += len(rows)
                if progress is not None:
                    progress(done / len(single))
        features = np.concatenate(made).astype(self._dtype, copy=False)
        return {self._entry: np.ascontiguousarray(features.reshape(count, steps, -1))}

    def _features(self, crew: Crew, planes: NDArray[Any]) -> NDArray[Any]:
        """(N, F) of planes (N, ...); a fixed batch is filled up with its last."""
        given = planes
        if self._fixed and len(planes) < self._fixed:
            given = np.concatenate([planes, np.repeat(planes[-1:], self._fixed - len(planes), axis=0)])
        with crew.turn() as runner:
            found = runner.run([self._output], {self._input.name: np.ascontiguousarray(given)})[0]
        per_plane = found.size // len(given)
        # Places that are left, as before a pooling, are no features: [N, F, 1, 1] and [N, 1, 1, F] are.
        is_row = found.ndim >= 2 and len(found) == len(given) and max(found.shape[1:]) == per_plane
        if not is_row or (self._wanted is not None and per_plane != self._wanted):
            raise ModelUnusable(
                gettext('The encoder of "{card}" gave {found} for {count} planes; the model takes {wanted} features of each.').format(
                    card=self._card.name, found=onnx_trust.shape_text(found.shape), count=len(given), wanted=self._wanted or "?"
                )
            )
        return found.reshape(len(given), -1)[: len(planes)]
