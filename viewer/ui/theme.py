"""Colours, sizes and fonts of the whole window, and the one place that puts them on the application.

Nothing else in ``ui`` names a colour or a size of its own: widgets read ``tokens()`` and ``sizes()`` when they paint or
are built, and the application stylesheet is a template filled in here. What is drawn on the image belongs to ``draw``.
"""

from __future__ import annotations

import hashlib
import html
import sys
import tempfile
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from string import Template
from typing import Any, Literal

import platformdirs
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QToolTip, QWidget

from viewer.ui import icons
from viewer.ui.stylesheet import TEMPLATE

Mode = Literal["dark", "light", "system"]

FAMILIES = (
    "Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei UI", "DejaVu Sans", "sans-serif",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours as #RRGGBB, named by what they are for (see ``DARK`` and ``LIGHT``)."""

    name: str
    image: str
    well: str
    window: str
    panel: str
    raised: str
    hover: str
    pressed: str
    field: str
    line: str
    line2: str
    track: str
    text: str
    text2: str
    text3: str
    disabled: str
    accent: str
    accent_hover: str
    accent_press: str
    accent_text: str
    onaccent: str
    sel: str
    sel_line: str
    ok: str
    warn: str
    err: str
    busy: str
    ok_bg: str
    warn_bg: str
    err_bg: str
    info_bg: str
    knob: str
    """Handle of a slider."""

    def color(self, name: str) -> QColor:
        """A token by name as a QColor."""
        return QColor(getattr(self, name))


DARK = Tokens(
    name="dark",
    image="#000000", well="#0B0C0D", window="#141517", panel="#1B1C1F", raised="#25272B", hover="#2E3136", pressed="#181A1C", field="#121315",
    line="#303338", line2="#6F757F", track="#3A3E44", text="#E6E8EB", text2="#A9AFB7", text3="#8D949E", disabled="#5C626B",
    accent="#4CA6F0", accent_hover="#6AB6F5", accent_press="#3A93DD", accent_text="#7CC0FA", onaccent="#06121C", sel="#1D3A55", sel_line="#3C7FB8",
    ok="#5BC08A", warn="#E8B04B", err="#F2777A", busy="#B79CF2", ok_bg="#17281F", warn_bg="#2B2415", err_bg="#301B1C", info_bg="#16242F",
    knob="#E6E8EB",
)  # fmt: skip

LIGHT = Tokens(
    name="light",
    image="#000000", well="#C9CDD2", window="#E9EBEE", panel="#F6F7F8", raised="#FFFFFF", hover="#E3E6EA", pressed="#D6DADF", field="#FFFFFF",
    line="#D0D4D9", line2="#7E8691", track="#C3C8CE", text="#1A1D21", text2="#4D555F", text3="#5C6570", disabled="#9AA2AC",
    accent="#0B63B5", accent_hover="#0A58A1", accent_press="#084A88", accent_text="#0B5CA8", onaccent="#FFFFFF", sel="#D3E6F8", sel_line="#6FA8DC",
    ok="#19733F", warn="#8A5A00", err="#B3261E", busy="#6741B8", ok_bg="#E2F3E9", warn_bg="#FBF0DA", err_bg="#FBE6E4", info_bg="#E1EEFA",
    knob="#FFFFFF",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lengths in logical pixels. ``scaled`` enlarges type and what holds type; gaps, lines and radii stay."""

    hair: int = 2
    tight: int = 4
    gap: int = 6
    row_gap: int = 8
    margin: int = 12
    cell_margin: int = 14
    wide: int = 16
    section: int = 24
    caption: int = 11
    small: int = 12
    body: int = 13
    title: int = 15
    headline: int = 18
    radius_badge: int = 4
    radius: int = 6
    radius_card: int = 8
    radius_dialog: int = 10
    hairline: int = 1
    ring: int = 2
    top_bar: int = 56
    top_bar_small: int = 44
    tool: int = 48
    view_bar: int = 32
    tabs: int = 50
    button: int = 30
    field_height: int = 28
    form_row: int = 32
    list_row: int = 28
    series_row: int = 58
    thumbnail: int = 48
    table_row: int = 27
    message_bar: int = 36
    status_line: int = 28
    target: int = 24
    label_column: int = 78
    field_column: int = 80
    reset_column: int = 22
    icon_field: int = 14
    icon_row: int = 16
    icon_tab: int = 18
    icon_bar: int = 20
    icon_empty: int = 44
    browser: int = 232
    dock: int = 332
    drawer: int = 174
    palette: int = 560
    least_width: int = 960
    least_height: int = 600

    def scaled(self, factor: float) -> Sizes:
        """Sizes for text that is ``factor`` times as large (1 to 2)."""
        if factor == 1.0:
            return self
        grow = {name: round(getattr(self, name) * factor) for name in _GROW}
        return replace(self, **grow)


_GROW = (
    "caption", "small", "body", "title", "headline", "top_bar", "tool", "view_bar", "tabs", "button", "field_height", "form_row", "list_row",
    "series_row", "table_row", "message_bar", "status_line", "label_column", "field_column", "dock",
)  # fmt: skip

SIZES = Sizes()

_tokens = DARK
_sizes = SIZES
_reduced_motion: bool | None = None
_spare_cache: tempfile.TemporaryDirectory[str] | None = None


def tokens() -> Tokens:
    """The colours in use."""
    return _tokens


def sizes() -> Sizes:
    """The sizes in use."""
    return _sizes


class Theme(QObject):
    """Keeps the application's theme; a child of the application.

    ``changed(tokens)`` is emitted after palette, icons and stylesheet are in place, for what paints outside of widgets.
    """

    changed = Signal(object)

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self.setObjectName("theme")
        self._app = app
        self._styled = False
        self.mode: Mode = "dark"
        self.text_scale = 1.0
        app.styleHints().colorSchemeChanged.connect(self._system_changed)

    def use(self, mode: Mode, text_scale: float) -> Tokens:
        global _tokens, _sizes
        self.mode, self.text_scale = mode, text_scale
        _tokens = self._wanted(mode)
        _sizes = SIZES.scaled(text_scale)
        app = self._app
        # Qt goes through all widgets and calls into Python on the way; one that is garbage, collected meanwhile, would be a crash.
        alive = app.allWidgets()
        if not self._styled:
            app.setStyle(QStyleFactory.create("Fusion"))
            self._styled = True
        app.setFont(font())
        QToolTip.setFont(font("small"))
        app.setPalette(palette(_tokens))
        QToolTip.setPalette(palette(_tokens))
        icons.clear_cache()
        sheet = stylesheet(_tokens, _sizes)
        if app.styleSheet() != sheet:  # Qt goes through all widgets there are, changed or not
            # Off and on: one sheet in the place of another makes Qt go through all that it keeps rules of, some of which may have gone.
            app.setStyleSheet("")
            app.setStyleSheet(sheet)
        del alive
        _renew_icons(app)
        self.changed.emit(_tokens)
        return _tokens

    def _wanted(self, mode: Mode) -> Tokens:
        if mode == "system":
            # Unknown (no desktop, offscreen) means dark: a reading room is dark.
            return LIGHT if self._app.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK
        return LIGHT if mode == "light" else DARK

    def _system_changed(self, _scheme: Qt.ColorScheme) -> None:
        if self.mode == "system" and self._wanted("system") is not _tokens:
            self.use("system", self.text_scale)


def theme(app: QCoreApplication | None = None) -> Theme:
    """The application's theme object, made on first use."""
    owner = app or QApplication.instance()
    if not isinstance(owner, QApplication):
        raise RuntimeError("the theme needs a QApplication")
    found = owner.findChild(Theme, "theme", Qt.FindChildOption.FindDirectChildrenOnly)
    return found if isinstance(found, Theme) else Theme(owner)


def apply_theme(app: QApplication, mode: Mode = "dark", *, text_scale: float = 1.0) -> Tokens:
    """Put a theme on the application, at start or at any time later.

    Parameters
    ----------
    app : QApplication
    mode : "dark", "light" or "system"
        ``system`` follows the desktop, and dark where the desktop does not say.
    text_scale : float
        1 to 2; type and what holds type grow. Widgets already built keep their fixed heights: set it before building them.
    """
    return theme(app).use(mode, text_scale)


def _renew_icons(app: QApplication) -> None:
    for widget in app.allWidgets():
        icons.renew(widget)
        for action in widget.actions():
            icons.renew(action)


def set_property(widget: QWidget, name: str, value: Any) -> None:
    """Set a dynamic property that the stylesheet selects by, and have the style look at the widget again."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def set_available(widget: QWidget | QAction, reason: str = "") -> None:
    """Enable a control, or disable it with the reason as its tooltip; its own tooltip comes back with it."""
    if not widget.property("unavailable"):
        widget.setProperty("ownToolTip", widget.toolTip())
    widget.setProperty("unavailable", bool(reason))
    widget.setToolTip(plain_tip(reason) if reason else str(widget.property("ownToolTip")))
    widget.setEnabled(not reason)


def plain_tip(text: str) -> str:
    """A text for a tooltip, shown letter by letter: Qt takes what looks like markup for markup, and loads pictures that a file's name asks for."""
    return f"<span>{html.escape(text)}</span>".replace("\n", "<br>") if "<" in text else text


def font(size: str = "body", *, bold: bool = False) -> QFont:
    """The interface's font with figures of equal width; ``size`` is a type size of ``Sizes`` (caption, small, body, title, headline)."""
    made = QFont()
    made.setFamilies(list(FAMILIES))
    made.setPixelSize(getattr(_sizes, size))
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def palette(t: Tokens) -> QPalette:
    """Every role of a QPalette, for what the stylesheet does not reach."""
    roles = {
        "Window": t.window, "WindowText": t.text, "Base": t.field, "AlternateBase": t.panel, "ToolTipBase": t.raised, "ToolTipText": t.text,
        "PlaceholderText": t.text3, "Text": t.text, "Button": t.raised, "ButtonText": t.text, "BrightText": t.text, "Light": t.hover,
        "Midlight": t.raised, "Mid": t.line, "Dark": t.line, "Shadow": t.well, "Highlight": t.sel, "HighlightedText": t.text,
        "Link": t.accent_text, "LinkVisited": t.accent_text, "Accent": t.accent,
    }  # fmt: skip
    made = QPalette()
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive, QPalette.ColorGroup.Disabled):
        for name, value in roles.items():
            made.setColor(group, QPalette.ColorRole[name], QColor(value))
    for name in ("WindowText", "Text", "ButtonText", "PlaceholderText", "HighlightedText", "ToolTipText", "Link", "LinkVisited", "BrightText"):
        made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole[name], QColor(t.disabled))
    made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(t.hover))
    made.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Accent, QColor(t.track))
    return made


def stylesheet(t: Tokens, s: Sizes) -> str:
    """The application's stylesheet: the template with every colour, size and picture filled in."""
    values: dict[str, Any] = {f.name: getattr(t, f.name) for f in fields(Tokens)}
    values.update(asdict(s))
    for name, color in (("text2", t.text2), ("disabled", t.disabled), ("onaccent", t.onaccent), ("text", t.text)):
        for picture in ("chevron-down", "chevron-right", "check"):
            values[f"{picture.replace('-', '_')}_{name}"] = tinted_file(picture, color)
    for part, height in (("button", s.button), ("compact", s.target), ("field", s.field_height)):
        values[f"{part}_rest"] = height - 2
        values[f"{part}_focus"] = height - 4
    return Template(TEMPLATE).substitute(values)


def tinted_file(name: str, color: str) -> str:
    """An icon as an SVG file in one colour, in the cache folder; its path with forward slashes, as stylesheets want it.

    Stylesheets know neither ``currentColor`` nor data URIs.
    """
    text = icons.svg_text(name, color)
    file_name = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.svg"
    path = platformdirs.user_cache_path("negatoscope") / "theme" / file_name
    try:
        return _written(path, text).as_posix()
    except OSError:
        return _written(_spare_folder() / file_name, text).as_posix()


def _written(path: Path, text: str) -> Path:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path


def _spare_folder() -> Path:
    # Where the home folder cannot be written: a folder that goes with the process.
    global _spare_cache
    if _spare_cache is None:
        _spare_cache = tempfile.TemporaryDirectory(prefix="negatoscope-theme-")
    return Path(_spare_cache.name)


def set_reduced_motion(value: bool | None) -> None:
    """Set the user's wish for less motion; None asks the system again."""
    global _reduced_motion
    _reduced_motion = value


def reduced_motion() -> bool:
    """Whether to leave out animation. Qt does not know the system's wish yet; on Windows it is asked for directly."""
    if _reduced_motion is not None:
        return _reduced_motion
    if sys.platform == "win32":
        import ctypes

        shown = ctypes.c_int(1)
        ask_client_area_animation = 0x1042
        ctypes.windll.user32.SystemParametersInfoW(ask_client_area_animation, 0, ctypes.byref(shown), 0)
        return not shown.value
    return False


def contrast(first: str, second: str) -> float:
    """WCAG 2.1 contrast ratio of two opaque colours (#RRGGBB), 1 to 21."""
    bright, dim = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
