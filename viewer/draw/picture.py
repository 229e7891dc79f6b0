"""The picture of a view: the windowed plane with segments and maps blended in, as pixels that Qt paints without a copy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath

from viewer.core.colormaps import rgb
from viewer.core.labels import segment_color
from viewer.core.layout import Placement
from viewer.core.oblique import ObliqueLayout
from viewer.core.render import Display, Pixels, blend_labels, blend_map, paint_graphic, to_rgb32
from viewer.core.window import Window
from viewer.draw.fusion import lay_over
from viewer.draw.maps import map_values
from viewer.draw.planes import draw_gap, draw_outside, shown_values
from viewer.session.view import Readable, ViewState

# Below this many screen pixels to an image pixel, bilinear painting would skip pixels.
AREA_ZOOM = 0.6
# Overlays of the file: told from the white of bones and from the colours of segments.
GRAPHIC_COLOR, REGION_COLOR = 0xFFFFE066, 0xFF7FD7FF


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A plane that an operation would give, in the array's order (the view's axis taken out), shown in place of the real one.

    ``image``: values, by default in the window that is shown. ``labels``: labels over the image, outlined with dashes.
    ``map``: a scalar map over the image.
    """

    values: NDArray[Any] = field(repr=False)
    kind: Literal["image", "labels", "map"] = "image"
    window: Window | None = None
    colors: tuple[str, ...] = ()
    """Colours of the labels from 1 on (#RRGGBB); the usual ones where there are none."""
    color_map: str = "inferno"

    def color(self, label: int) -> str:
        """Colour of a label."""
        return self.colors[label - 1] if 0 < label <= len(self.colors) else segment_color(label)


@dataclass(slots=True, eq=False)
class Picture:
    """Pixels (0xFFRRGGBB) and the QImage that looks at them; ``pixels`` must live as long as ``image``."""

    pixels: Pixels
    image: QImage
    gap: QPainterPath | None = None
    """Outline, in picture units, of where planes are missing."""
    _small: dict[tuple[int, int], QImage] = field(default_factory=dict)

    def scaled(self, width: int, height: int) -> QImage:
        """The image made smaller by averaging, kept for the next frame."""
        if (width, height) not in self._small:
            self._small.clear()
            smooth = Qt.TransformationMode.SmoothTransformation
            self._small[width, height] = self.image.scaled(max(1, width), max(1, height), Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        return self._small[width, height]


def compose(
    state: ViewState, document: Readable, *, preview: Preview | None = None, only_image: bool = False, coarse: int = 1, over: Picture | None = None
) -> Picture:  # fmt: skip
    """The picture of a state that has a volume: as many pixels as the slice has, turned as it is shown.

    ``only_image`` leaves out segments, maps, and the file's overlays and shutter: exactly the windowed data. ``coarse``: so many times
    fewer pixels a side of a plane that has to be interpolated, for as long as it moves; others are the same at once.
    ``over``: a picture that nobody wants any more; its memory is used again if it has the right size.
    """
    volume = state.volume
    if volume is None:
        raise ValueError("an empty view has no picture")
    if isinstance(state.layout, ObliqueLayout) and coarse > 1:
        state = replace(state, layout=state.layout.coarser(coarse))
    layout, gap = state.layout, None
    if preview is not None and preview.kind == "image":
        pixels = to_rgb32(layout.turned(preview.values), _display(state, preview))
    else:
        plane = shown_values(state, coarse=coarse)
        pixels = to_rgb32(plane, state.display, over.pixels if over is not None else None)
        gap = draw_outside(pixels, state, plane)
    if not only_image:
        if state.fusion is not None and state.fusion.is_drawn:
            lay_over(pixels, state, state.fusion, lambda: shown_values(state, coarse=coarse))
        _cover(pixels, state)
        for shown in state.maps:
            values = map_values(state, shown)
            if values is not None:
                blend_map(pixels, values, shown.low, shown.high, shown.item.color_map, state.overlay_opacity, state.overlay_threshold)
        for layer in state.layers:
            colors = {s.label: rgb(s.color) for s in layer.layer.segments if s.is_visible}
            blend_labels(pixels, layout.plane(document.labels(layer.layer.id), state.index), colors, state.label_opacity)
        if preview is not None and preview.kind != "image":
            _blend_preview(pixels, layout.turned(preview.values), preview, state)
        for graphic in state.graphics:
            mask = layout.turned(graphic.mask(volume.geometry.shape[2]))
            paint_graphic(pixels, mask, GRAPHIC_COLOR if graphic.kind == "graphic" else REGION_COLOR)
    picture = picture_of(pixels)
    picture.gap = gap
    return picture


def _cover(pixels: Pixels, state: ViewState) -> None:
    """Draw the shutter of the file: it hides, and changes no value."""
    if state.shutter is None or state.volume is None:
        return
    _planes, rows, columns = state.volume.geometry.shape
    level = state.shutter.level
    paint_graphic(pixels, state.layout.turned(state.shutter.covered(rows, columns)), 0xFF000000 | level << 16 | level << 8 | level)


def picture_of(pixels: Pixels) -> Picture:
    """A QImage over pixels (rows, columns), C-contiguous."""
    rows, columns = pixels.shape
    return Picture(pixels, QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32))


_is_smooth = True


def is_smooth() -> bool:
    """Whether enlarged pictures are smoothed between pixels; else each pixel is a square."""
    return _is_smooth


def use_smoothing(on: bool) -> None:
    """Smooth enlarged pictures from now on, on screen and in exports, or show their pixels."""
    global _is_smooth
    _is_smooth = on


def draw_picture(painter: QPainter, picture: Picture, state: ViewState, placement: Placement) -> None:
    """Paint the picture into a viewport: smoothly when enlarged, by averaging when made small, pixel by pixel at 1:1."""
    width, height = state.layout.size
    (left, top), zoom = placement.offset, placement.zoom
    if zoom == 1.0 and state.layout.step == (1.0, 1.0):
        left, top = round(left), round(top)
    target = QRectF(left, top, width * zoom, height * zoom)
    ratio = painter.device().devicePixelRatio()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, _is_smooth)
    if zoom * ratio < AREA_ZOOM:
        small = picture.scaled(round(target.width() * ratio), round(target.height() * ratio))
        painter.drawImage(target, small)
    else:
        painter.drawImage(target, picture.image)
    if picture.gap is not None:
        draw_gap(painter, picture.gap, placement)


def _display(state: ViewState, preview: Preview | None) -> Display | None:
    display = state.display
    if preview is None or preview.kind != "image":
        return display
    if preview.values.ndim == 3:
        return None
    if display is None:  # colour that became grey
        return Display(preview.window or Window.between(0, 255))
    if preview.window is None:
        return display
    return Display(preview.window, None, display.is_inverted, display.color_map, None)


def _blend_preview(pixels: Pixels, shown: NDArray[Any], preview: Preview, state: ViewState) -> None:
    if preview.kind == "map":
        finite = shown[np.isfinite(shown)]
        high = float(finite.max()) if finite.size else 1.0
        blend_map(pixels, shown, min(0.0, float(finite.min()) if finite.size else 0.0), high, preview.color_map, state.overlay_opacity)
        return
    labels = shown.view(np.uint8) if shown.dtype == np.bool_ else shown
    present = [int(label) for label in np.unique(labels) if label]
    blend_labels(pixels, labels, {label: rgb(preview.color(label)) for label in present}, state.label_opacity)


def thumbnail(state: ViewState, document: Readable, side: int) -> QImage:
    """A small picture of a state without lines and text, fitted into a black square."""
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    if state.volume is not None:
        painter = QPainter(image)
        draw_picture(painter, compose(state, document, only_image=True), state, state.placement((side, side)))
        painter.end()
    return image
