"""Cells of a table whose words stand on one line, whichever script they are in."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from viewer.ui.theme import sizes, tokens


class TableCells(QStyledItemDelegate):
    """Paints the text of a cell on the line of the table's font. Qt centres each text by its own glyphs, and Chinese ones are taller."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        cell = QStyleOptionViewItem(option)
        self.initStyleOption(cell, index)
        text, cell.text = cell.text, ""  # type: ignore[attr-defined]
        style = cell.widget.style()  # type: ignore[attr-defined]
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, cell, painter, cell.widget)  # type: ignore[attr-defined]
        room = cell.rect.adjusted(sizes().cell_margin, 0, -sizes().cell_margin, 0)  # type: ignore[attr-defined]
        metrics = QFontMetrics(cell.font)  # type: ignore[attr-defined]
        words = metrics.elidedText(text.replace("\n", " "), cell.textElideMode, room.width())  # type: ignore[attr-defined]
        is_right = bool(cell.displayAlignment & Qt.AlignmentFlag.AlignRight)  # type: ignore[attr-defined]
        left = room.right() + 1 - metrics.horizontalAdvance(words) if is_right else room.left()
        is_enabled = bool(cell.state & QStyle.StateFlag.State_Enabled)  # type: ignore[attr-defined]
        painter.save()
        painter.setFont(cell.font)  # type: ignore[attr-defined]
        painter.setPen(QColor(tokens().text if is_enabled else tokens().disabled))
        painter.drawText(QPointF(left, room.top() + (room.height() + metrics.ascent() - metrics.descent()) // 2), words)
        painter.restore()
