"""The models at hand, as the window's parts share them: which there are, and which one an image is asked with."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from viewer.core.model_card import ModelCard
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.io.series import SeriesEntry
from viewer.session import models

Kind = tuple[str, str]
Listing = tuple[tuple[ModelCard, ...], tuple[tuple[str, str], ...]]
"""The models, and (name, reason) of what cannot be used."""


class ModelShelf(QObject):
    """Read when first asked, and again by :meth:`reload`: after a model was added, removed, or its folder changed."""

    changed = Signal()

    def __init__(self, listing: Callable[[], Listing] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._list = listing or (lambda: models.list_models())
        self._read: Listing | None = None
        self._by_hand: dict[Kind, str] = {}
        self._found: dict[str, tuple[ModelCard | None, str]] = {}

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        return self._reading()[0]

    @property
    def broken(self) -> tuple[tuple[str, str], ...]:
        """(name, reason) of what cannot be used."""
        return self._reading()[1]

    @property
    def classifiers(self) -> tuple[ModelCard, ...]:
        """Those whose result is a report."""
        return tuple(card for card in self.cards if card.is_classifier)

    @property
    def offered(self) -> tuple[ModelCard, ...]:
        """Those to choose from; what is for benchmarks only is asked by name, on the command line and in recipes."""
        return tuple(card for card in self.classifiers if not card.is_benchmark)

    def reload(self) -> None:
        """Look at the folders anew."""
        self._read, self._found = None, {}
        self.changed.emit()

    def choose(self, volume: Volume | SeriesEntry, name: str) -> None:
        """Ask this model about images of the volume's kind from now on, until the program ends; "" the best one again."""
        if name:
            self._by_hand[kind_of(volume)] = name
        else:
            self._by_hand.pop(kind_of(volume), None)
        self.changed.emit()

    def model_for(self, volume: Volume | SeriesEntry) -> ModelCard | None:
        """The one that was chosen by hand for such images, else the one that fits best; None: none fits."""
        return self._chosen(volume) or self._best(volume)[0]

    def why_not(self, volume: Volume | SeriesEntry) -> str:
        """Why an image cannot be classified by one key, in a sentence; "" if it can."""
        chosen = self._chosen(volume)
        if chosen is None:
            return self._best(volume)[1]
        if not models.fits(chosen, volume):
            return _("“{model}” is not for such images. The Classify tab can ask it anyway.").format(model=_(chosen.title))
        return ""

    def _chosen(self, volume: Volume | SeriesEntry) -> ModelCard | None:
        name = self._by_hand.get(kind_of(volume))
        return next((card for card in self.offered if card.name == name), None) if name else None

    def _best(self, volume: Volume | SeriesEntry) -> tuple[ModelCard | None, str]:
        """Asked at every step through the slices, and the same for all of them."""
        if volume.id not in self._found:
            self._found = {volume.id: models.best_fit(self.offered, volume)}
        return self._found[volume.id]

    def _reading(self) -> Listing:
        if self._read is None:
            self._read = self._list()
        return self._read


def kind_of(volume: Volume | SeriesEntry) -> Kind:
    """What images have in common that are asked with the same model: modality and body part."""
    return volume.identity.modality, volume.identity.body_part
