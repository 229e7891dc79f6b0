"""How a volume looks before anyone touched it, without a document: for thumbnails, first pictures and the command line."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from viewer.core.volume import Volume
from viewer.session.view import ViewState, ViewWish, resolve


class Untouched:
    """What :class:`viewer.session.view.Readable` asks for beside the volumes, where nobody has added anything to them."""

    def layers_of(self, root_id: str) -> tuple[()]:
        return ()

    def annotations_of(self, root_id: str) -> tuple[()]:
        return ()

    def overlays_of(self, root_id: str) -> tuple[()]:
        return ()

    def reports_of(self, root_id: str) -> tuple[()]:
        return ()

    def alignments(self) -> tuple[()]:
        return ()

    def labels(self, layer_id: str) -> NDArray[Any]:
        raise KeyError(layer_id)

    def revision(self, layer_id: str) -> int:
        return 0


class _Alone(Untouched):
    """The least document that :func:`viewer.session.view.resolve` can read: one volume."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def volume(self, volume_id: str) -> Volume:
        return self._volume

    def current(self, root_id: str) -> Volume:
        return self._volume


def first_state(volume: Volume, wish: ViewWish | None = None) -> ViewState:
    """What a view shows of a volume by itself; ``wish`` for more than its usual look."""
    return resolve(wish or ViewWish(volume_id=volume.id), _Alone(volume))
