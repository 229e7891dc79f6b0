"""Pictures to take out: a view drawn anew at the size asked, never a grab of the widget."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from viewer.core.errors import Refused, SaveFailed
from viewer.core.layout import Point
from viewer.core.words import gettext as _
from viewer.draw.app import ensure_application
from viewer.draw.contours import contours_of
from viewer.draw.overlay import Extras, paint_overlay
from viewer.draw.picture import compose, draw_picture
from viewer.session.view import Readable, ViewState, ViewWish, resolve

# Texts are made for a picture of this side; a larger one gets larger texts.
TEXT_SIDE = 1000
MOST_PIXELS = 1 << 28
Size = tuple[int, int]


def screenshot(
    document: Readable,
    wish: ViewWish,
    size: Size | None = None,
    *,
    annotations: bool = True,
    identity: bool = False,
    seen_in: Point | None = None,
) -> QImage:
    """Draw a view.

    Parameters
    ----------
    document : Readable
    wish : ViewWish
    size : (width, height), optional
        In pixels; what the picture does not fill is black. None: 1:1, one pixel to an image pixel.
    annotations : bool
        With segments, maps, lines and texts; without them the pixels are the windowed data and nothing else, at 1:1 exactly.
    identity : bool
        Whether who was examined, where and when stands in the corners.
    seen_in : (width, height), optional
        The viewport that the wish's zoom was made for; the same part is shown, larger or smaller. None: that of ``size``.

    Returns
    -------
    QImage
        RGB32, device pixel ratio 1.
    """
    ensure_application()
    state = resolve(wish, document)
    if state.volume is None:
        raise Refused(_("There is nothing to draw: the view is empty. Open an image first."))
    if size is None:
        width, height = state.layout.size
        size = max(1, round(width)), max(1, round(height))
        state = replace(state, zoom=1.0, center=None)
    elif seen_in is not None and state.zoom is not None:
        state = replace(state, zoom=state.zoom * min(size[0] / seen_in[0], size[1] / seen_in[1]))
    state = replace(state, seeds=(), selected_id="")  # what belongs to the hand at work stays in the window
    _check(size)
    image = QImage(*size, QImage.Format.Format_RGB32)
    if image.isNull():
        raise Refused(_("A picture of {width} x {height} pixels does not fit into memory.").format(width=size[0], height=size[1]))
    image.fill(Qt.GlobalColor.black)
    painter = QPainter(image)
    try:
        _paint(painter, state, document, size, annotations=annotations, identity=identity)
    finally:
        painter.end()
    return image


def _check(size: Size) -> None:
    if min(size) < 1 or max(size) > 32767:
        words = _("A picture of {width} x {height} pixels cannot be drawn; each side must be from 1 to 32767 pixels.")
        raise Refused(words.format(width=size[0], height=size[1]))
    if size[0] * size[1] > MOST_PIXELS:
        words = _("A picture of {width} x {height} pixels is too large to be drawn; it may have {most} million pixels.")
        raise Refused(words.format(width=size[0], height=size[1], most=MOST_PIXELS // 1_000_000))


def _paint(painter: QPainter, state: ViewState, document: Readable, size: Size, *, annotations: bool, identity: bool) -> None:
    viewport = (float(size[0]), float(size[1]))
    draw_picture(painter, compose(state, document, only_image=not annotations), state, state.placement(viewport))
    if annotations:
        scale = max(1.0, min(size) / TEXT_SIDE)
        extras = Extras(contours=contours_of(state, document), identity=identity, handles=False)
        paint_overlay(painter, state, QRectF(0, 0, *viewport), scale, extras)


def png_bytes(image: QImage) -> bytes:
    """A picture as PNG, without text chunks."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    for key in plain.textKeys():
        plain.setText(key, "")
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not plain.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise SaveFailed(_("The picture could not be written as PNG."))
    buffer.close()
    return bytes(data.data())
