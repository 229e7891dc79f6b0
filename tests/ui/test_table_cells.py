"""Tables: heads stand over the words of their columns, and words of two scripts on one line."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QHeaderView, QTableWidget, QTableWidgetItem
from pytestqt.qtbot import QtBot

from viewer.ui.controls import TableCells
from viewer.ui.theme import apply_theme

WIDTH, HEIGHT = 120, 32


@pytest.fixture
def table(qtbot: QtBot, qapp: QApplication) -> QTableWidget:
    apply_theme(qapp, "dark")
    made = QTableWidget(2, 2)
    qtbot.addWidget(made)
    made.setItemDelegate(TableCells(made))
    made.verticalHeader().hide()
    made.setShowGrid(False)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setHorizontalHeaderLabels(["HHH", "HHH"])
    made.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    for column in range(2):
        made.setColumnWidth(column, WIDTH)
    for row in range(2):
        made.setRowHeight(row, HEIGHT)
        for column, text in enumerate(("HHH", "HHH" if row == 0 else "HHH\u4e2d\u6587")):
            item = QTableWidgetItem(text)
            item.setTextAlignment((Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter)
            made.setItem(row, column, item)
    made.horizontalHeaderItem(0).setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    made.horizontalHeaderItem(1).setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    made.resize(2 * WIDTH + 20, 120)
    made.show()
    qtbot.waitExposed(made)
    return made


def ink(image: QImage, left: int, top: int, width: int, height: int) -> np.ndarray:
    """Where a part of a picture differs from its ground by much."""
    part = image.copy(left, top, width, height).convertToFormat(QImage.Format.Format_Grayscale8)
    values = np.frombuffer(part.constBits(), np.uint8).reshape(part.height(), part.bytesPerLine())[:, : part.width()].astype(int)
    return np.abs(values - np.bincount(values.ravel()).argmax()) > 40


def test_heads_stand_over_the_words_of_their_columns(table: QTableWidget) -> None:
    image = table.grab().toImage()
    head = table.horizontalHeader().height()
    body = table.viewport().mapTo(table, QPoint(0, 0)).y()
    for column, end in ((0, 0), (1, -1)):
        of_head = np.flatnonzero(ink(image, column * WIDTH, 0, WIDTH, head - 2).any(axis=0))
        of_cell = np.flatnonzero(ink(image, column * WIDTH, body, WIDTH, HEIGHT).any(axis=0))
        assert of_head[end] == of_cell[end], column


def test_words_of_two_scripts_stand_on_one_line(table: QTableWidget) -> None:
    image = table.grab().toImage()
    body = table.viewport().mapTo(table, QPoint(0, 0)).y() + HEIGHT
    latin = ink(image, 0, body, WIDTH, HEIGHT)
    both = ink(image, WIDTH, body, WIDTH, HEIGHT)
    first = np.flatnonzero(both.any(axis=0))[0]
    rows_of = [np.flatnonzero(found.any(axis=1)) for found in (latin, both[:, first : first + 6])]
    assert (rows_of[0][0], rows_of[0][-1]) == (rows_of[1][0], rows_of[1][-1])
