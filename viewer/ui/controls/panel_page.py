"""A page of the dock: a body that scrolls down but never sideways, and a foot pinned under it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from viewer.ui.theme import sizes


class PanelPage(QWidget):
    """``body`` (a column with margins of 12) scrolls; ``add_to_foot`` puts something below it that always stays in sight."""

    def __init__(self, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        s = sizes()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        self.scroll = QScrollArea(self)
        self.scroll.setWidgetResizable(True)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._content = QWidget(self.scroll)
        self.body = QVBoxLayout(self._content)
        self.body.setContentsMargins(s.margin, s.margin, s.margin, s.margin)
        self.body.setSpacing(s.margin)
        self.body.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.scroll.setWidget(self._content)
        # The scroll area has its content filled with the window's colour; the panel's is to show through.
        self._content.setAutoFillBackground(False)
        self.scroll.viewport().setAutoFillBackground(False)
        outer.addWidget(self.scroll, 1)
        self._foot = QFrame(self)
        self._foot.setProperty("role", "foot")
        self._foot.hide()
        self._foot_column = QVBoxLayout(self._foot)
        self._foot_column.setContentsMargins(s.margin, s.row_gap, s.margin, s.margin)
        self._foot_column.setSpacing(s.gap)
        outer.addWidget(self._foot)

    def add(self, widget: QWidget) -> None:
        """Add a part to the scrolling body."""
        self.body.addWidget(widget)

    def add_to_foot(self, *widgets: QWidget) -> None:
        """Add one line of widgets to the pinned foot; buttons share its width."""
        line = QHBoxLayout()
        line.setSpacing(sizes().row_gap)
        for widget in widgets:
            line.addWidget(widget, 1)
        self._foot_column.addLayout(line)
        self._foot.show()

    def foot(self) -> QFrame:
        return self._foot
