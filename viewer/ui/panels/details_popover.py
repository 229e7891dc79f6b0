"""The whole text about an operation, beside its info button."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from viewer.ui.controls import Label, Popover

_WIDTH = 460
_HEIGHT = 420


class DetailsPopover(Popover):
    """A docstring as it was written: parameters with units, what comes out, sources."""

    def __init__(self, title: str, text: str, *, parent: QWidget | None = None) -> None:
        super().__init__(title, width=_WIDTH, parent=parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName(title)
        self.text = Label(_plain(text), "small", wrap=True, parent=area)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        area.setWidget(self.text)
        area.viewport().setAutoFillBackground(False)
        self.text.setAutoFillBackground(False)
        tall = self.text.heightForWidth(_WIDTH - 48)
        area.setFixedHeight(min(_HEIGHT, tall + 8))
        self.body.addWidget(area)


def _plain(text: str) -> str:
    """Paragraphs in one line each, without the rulers under headings and the marks of code."""
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare and not bare.strip("-"):
            continue
        before = lines[-1] if lines else ""
        goes_on = bool(before and bare) and line.startswith(" ") == before.startswith(" ")
        if goes_on and not _is_head(before) and not _is_term(line):
            lines[-1] += f" {bare}"
        else:
            lines.append(line.rstrip())
    return "\n".join(lines).replace("``", "").strip()


def _is_head(line: str) -> bool:
    return line.strip() in ("Parameters", "Returns", "Raises", "Notes", "Examples", "See Also")


def _is_term(line: str) -> bool:
    name, colon, _rest = line.partition(" : ")
    return _is_head(line) or (bool(colon) and len(name) < 40)
