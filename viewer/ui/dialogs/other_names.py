"""What commands are called in other viewers, for the search of the palette: who comes from one of them types its words."""

from __future__ import annotations

OTHER_NAMES = {
    "layout.choose": "grid hanging viewports sync synchronise",
    "layout.1x1": "1x1",
    "layout.1x2": "1x2",
    "layout.2x1": "2x1",
    "layout.1x3": "1x3",
    "layout.2x2": "2x2",
    "layout.2x3": "2x3",
    "layout.3x3": "3x3",
    "layout.mpr": "mpr multiplanar reformat reconstruction orthogonal",
    "layout.mpr_four": "mpr multiplanar reformat reconstruction orthogonal 2x2",
    "layout.before_after": "compare comparison side by side prior",
    "layout.detach": "second screen display",
    "link.scroll": "sync synchronise stack",
    "link.by_offset": "sync synchronise manual",
    "view.cine": "cine movie loop",
    "view.identity": "anonymise anonymize hide patient",
    "view.ruler": "scale bar",
    "view.text": "annotations overlay text",
    "view.standard": "hanging patient orientation",
    "view.crosshair": "scout localiser localizer cross reference",
    "tool.window": "w/l wl window level windowing contrast brightness",
    "tool.region_window": "w/l wl roi window level",
    "tool.Measure/Distance": "length ruler measure line",
    "tool.Measure/Ellipse": "roi region oval measure",
    "edit.settings": "preferences options theme dark light profile",
    "file.export": "screenshot capture save image",
    "edit.copy_picture": "screenshot clipboard",
    "help.keys": "shortcuts hotkeys mouse",
    "language.zh_CN": "chinese",
    "window.full": "full dynamic range",
}
"""Id of a command: words, in small letters."""
