"""Pictures of key images: each as it was marked, under a name that sorts as the list does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtGui import QImage

from viewer.core.key_image import KeyImage
from viewer.draw.screenshot import Size, screenshot
from viewer.session.document import Document
from viewer.session.key_images import shown_index, wish_for
from viewer.session.view import TextLevel, ViewWish

_MOST_LETTERS = 40


def key_picture(
    document: Document,
    item: KeyImage,
    size: Size | None = None,
    *,
    like: ViewWish | None = None,
    text: TextLevel = "full",
    identity: bool = False,
    annotations: bool = True,
) -> QImage:
    """Draw a key image anew, fitted into the picture.

    Parameters
    ----------
    size : (width, height), optional
        In pixels; None: one pixel to an image pixel.
    like : ViewWish, optional
        What else is to be seen (segments, maps, measurements), as in this view.
    text : "full", "short" or "none"
        Corner text.
    identity : bool
        Whether who was examined, where and when may stand in the corners.
    annotations : bool
        Without them the pixels are the windowed data and nothing else.
    """
    start = replace(like, fusion=None, show_original=False) if like is not None else ViewWish(item.volume_id)
    wish = replace(wish_for(item, document.volume(item.volume_id), start), text=text)
    return screenshot(document, wish, size, annotations=annotations, identity=identity)


def picture_names(document: Document, items: Sequence[KeyImage]) -> tuple[str, ...]:
    """A name without ending for each: ``01_slice-012_nodule``. Nothing in it says who was examined but a note that does."""
    digits = max(2, len(str(len(items))))
    names = []
    for number, item in enumerate(items, 1):
        volume = document.volume(item.volume_id)
        where = f"frame-{item.phase + 1:03d}"
        if volume.phases < 2 or volume.geometry.shape[0] > 1:
            plane = "" if item.plane == "acquired" else f"{item.plane}-"
            index = item.index if item.turn is not None else shown_index(item, volume.geometry)
            where = f"{plane}slice-{index + 1:03d}" + (f"-phase-{item.phase + 1:03d}" if volume.phases > 1 else "")
        note = re.sub(r"[\W_]+", "-", item.note).strip("-").lower()[:_MOST_LETTERS].strip("-")
        names.append("_".join(part for part in (f"{number:0{digits}d}", where, note) if part))
    return tuple(names)
