"""Icons by name: the vendored SVGs, thinned, tinted by the theme and rendered crisp at 1x, 2x and 3x."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from viewer.core.resources import resource

SCALES = (1, 2, 3)

# Colours (names of tokens) of Normal, Active (under the pointer), Disabled, and Normal while on.
TINTS: dict[str, tuple[str, str, str, str]] = {
    "rest": ("text2", "text", "disabled", "accent_text"),
    "text": ("text", "text", "disabled", "accent_text"),
    "quiet": ("text3", "text", "disabled", "accent_text"),
    "link": ("accent_text", "accent_text", "disabled", "accent_text"),
    "onaccent": ("onaccent", "onaccent", "disabled", "onaccent"),
    "ok": ("ok", "ok", "ok", "ok"),
    "info": ("accent_text", "accent_text", "accent_text", "accent_text"),
    "warn": ("warn", "warn", "warn", "warn"),
    "err": ("err", "err", "err", "err"),
    "busy": ("busy", "busy", "busy", "busy"),
}

_icons: dict[tuple[str, int, str], QIcon] = {}
_pixmaps: dict[tuple[str, int, str, float], QPixmap] = {}


def icon(name: str, *, size: int = 16, tint: str = "rest") -> QIcon:
    """An icon in the theme's colours.

    Parameters
    ----------
    name : str
        File name in ``resources/icons`` without its ending.
    size : int
        Logical pixels: 20 top bar, 18 tabs and panel tools, 16 rows and messages, 14 in fields.
    tint : str
        A key of ``TINTS``.

    Raises
    ------
    ValueError
        There is no such icon or tint.
    """
    key = (name, size, tint)
    if key not in _icons:
        _icons[key] = _make(name, size, tint)
    return _icons[key]


def pixmap(name: str, size: int, color: str, scale: float = 1.0) -> QPixmap:
    """A picture of an icon in one colour (#RRGGBB) for a painter; ``scale`` is the device pixel ratio."""
    key = (name, size, color, scale)
    if key not in _pixmaps:
        _pixmaps[key] = _tinted(_mask(name, size, scale), color)
    return _pixmaps[key]


def set_icon(target: QAbstractButton | QAction, name: str, *, size: int = 16, tint: str = "rest") -> None:
    """Give a button or an action an icon that follows the theme when it changes."""
    target.setProperty("iconName", name)
    target.setProperty("iconLength", size)
    target.setProperty("iconTint", tint)
    target.setIcon(icon(name, size=size, tint=tint))
    if isinstance(target, QAbstractButton):
        target.setIconSize(QSize(size, size))


def promise_icon(action: QAction, name: str, *, size: int = 16, tint: str = "rest") -> None:
    """Name the icon of an action; :func:`keep_promise` makes it for a bar or menu. All of a window's take a tenth of a second."""
    action.setProperty("iconName", name)
    action.setProperty("iconLength", size)
    action.setProperty("iconTint", tint)


def keep_promise(action: QAction) -> None:
    """Give an action its icon, which is about to be seen."""
    if action.icon().isNull():
        _give(action)


def renew(target: QObject) -> None:
    """Tint again what was set; called for everything when the theme changes."""
    if isinstance(target, QAbstractButton | QAction) and not target.icon().isNull():
        _give(target)


def _give(target: QAbstractButton | QAction) -> None:
    name = target.property("iconName")
    if name:
        target.setIcon(icon(name, size=target.property("iconLength"), tint=target.property("iconTint")))


def clear_cache() -> None:
    """Forget all tinted pictures (the untinted shapes stay)."""
    _icons.clear()
    _pixmaps.clear()


@lru_cache(maxsize=1)
def icon_names() -> tuple[str, ...]:
    """Every icon there is."""
    return tuple(sorted(path.stem for path in resource("icons").glob("*.svg")))


def svg_text(name: str, color: str, *, stroke: float = 1.75) -> str:
    """The SVG of an icon with its colour and stroke (at the 24 grid) filled in."""
    return _source(name).replace("currentColor", color).replace('stroke-width="2"', f'stroke-width="{stroke:g}"')


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    path = resource("icons", f"{name}.svg")
    if not path.is_file():
        raise ValueError(f'there is no icon "{name}" in {path.parent}')
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=1024)
def _mask(name: str, size: int, scale: float) -> QImage:
    """The icon's shape in black (an image: unlike pixmaps it may outlive the application)."""
    stroke = 1.2 if size >= 40 else 1.75
    renderer = QSvgRenderer(QByteArray(svg_text(name, "#000000", stroke=stroke).encode()))
    if not renderer.isValid():
        raise ValueError(f'the icon "{name}" is not an SVG that can be drawn')
    side = round(size * scale)
    made = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    made.setDevicePixelRatio(scale)
    return made


def _tinted(mask: QImage, color: str) -> QPixmap:
    made = QImage(mask)
    painter = QPainter(made)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(QRectF(0, 0, made.width(), made.height()), QColor(color))
    painter.end()
    return QPixmap.fromImage(made)


def _make(name: str, size: int, tint: str) -> QIcon:
    from viewer.ui.theme import tokens

    if tint not in TINTS:
        raise ValueError(f'there is no icon tint "{tint}"')
    normal, active, disabled, checked = (getattr(tokens(), part) for part in TINTS[tint])
    off, on = QIcon.State.Off, QIcon.State.On
    made = QIcon()
    for scale in SCALES:
        for mode, state, color in (
            (QIcon.Mode.Normal, off, normal),
            (QIcon.Mode.Active, off, active),
            (QIcon.Mode.Selected, off, active),
            (QIcon.Mode.Disabled, off, disabled),
            (QIcon.Mode.Normal, on, checked),
            (QIcon.Mode.Active, on, checked),
            (QIcon.Mode.Selected, on, checked),
            (QIcon.Mode.Disabled, on, disabled),
        ):
            made.addPixmap(pixmap(name, size, color, float(scale)), mode, state)
    return made
