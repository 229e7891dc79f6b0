"""What a model gets to see of a plane, as a picture; made in a worker."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from plugins.classify import feeding
from viewer.api import Image
from viewer.api.models import installed_model


def fed_picture(model: str, image: Image, plane: int = 0) -> NDArray[Any]:
    """The levels of a plane as they go into a model: 8 bits, (rows, columns) or with a last axis of 3."""
    return feeding.fed_picture(installed_model(model), image, plane)
