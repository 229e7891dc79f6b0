"""One picture of every control in every state, to look at: ``python -m viewer.ui.controls.sheet OUT.png [--theme light] [--scale 2]``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QCursor, QLinearGradient, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QMenu,
    QRadioButton,
    QTableWidget,
    QTableWidgetItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from viewer.core.labels import SEGMENT_COLORS
from viewer.ui import controls as c
from viewer.ui import icons
from viewer.ui.controls.painting import rounded
from viewer.ui.theme import SIZES, apply_theme, font, sizes, tokens

State = Literal["normal", "hover", "pressed", "checked", "focus", "disabled", "error"]
_COLUMN = 464


def wide(pixels: int) -> int:
    """A width that grows with the text as the docks do."""
    return round(pixels * sizes().body / SIZES.body)


def snap(widget: QWidget, state: State = "normal", *, part: QWidget | None = None, width: int = 0) -> QLabel:
    """A picture of a control in a state; ``part`` is what takes hover, press and focus where that is not the whole."""
    target = part or widget
    holder = QWidget()
    holder.setProperty("role", "panel")
    holder.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    box = QHBoxLayout(holder)
    box.setContentsMargins(0, 0, 0, 0)
    box.addWidget(widget)
    other = QWidget(holder)
    other.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    width = wide(width)
    if width:
        holder.setFixedWidth(width)
    widget.setEnabled(state != "disabled")
    holder.show()
    if width and box.hasHeightForWidth():
        holder.setFixedHeight(box.heightForWidth(width))
    holder.activateWindow()
    settle()
    (target if state == "focus" else other).setFocus(Qt.FocusReason.TabFocusReason)
    target.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, state in ("hover", "pressed"))
    if state in ("hover", "pressed"):
        # Push buttons believe in the pointer only after it has moved on them.
        place = QPointF(target.rect().center())
        none = Qt.MouseButton.NoButton
        move = QMouseEvent(QEvent.Type.MouseMove, place, target.mapToGlobal(place), none, none, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(target, move)
    if isinstance(target, QAbstractButton):
        target.setDown(state == "pressed")
        if state == "checked":
            target.setCheckable(True)
            target.setChecked(True)
    settle()
    # The holder's picture, cut out: that of the control alone has another ground.
    picture = holder.grab(widget.geometry())
    label = QLabel()
    label.setPixmap(picture)
    label.setFixedSize(picture.deviceIndependentSize().toSize())
    holder.close()
    holder.deleteLater()
    return label


def settle() -> None:
    """Let layouts and paint events run out."""
    for _turn in range(3):
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)


class _Ramp(QWidget):
    """The segment colours over black to white."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ramp = QLinearGradient(0, 0, 0, self.height())
        ramp.setColorAt(0, QColor("black"))
        ramp.setColorAt(1, QColor("white"))
        painter.fillRect(self.rect(), ramp)
        step = (self.width() - 12) / len(SEGMENT_COLORS)
        painter.setFont(font("caption", bold=True))
        for at, color in enumerate(SEGMENT_COLORS):
            box = QRectF(12 + at * step, 9, step - 10, self.height() - 18)
            fill = QColor(color)
            fill.setAlphaF(0.28)
            painter.setBrush(fill)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(box, 6, 6)
            rounded(painter, box, 6, edge=color, width=1.6)
            painter.setPen(QColor("white"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(at + 1))


class _Chip(QWidget):
    def __init__(self, color: str) -> None:
        super().__init__()
        self._color = color
        self.setFixedSize(40, 28)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rounded(painter, QRectF(self.rect()), 4, fill=self._color, edge=tokens().line)


def _across(*parts: QWidget, spacing: int = 8) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(spacing)
    for part in parts:
        row.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
    row.addStretch(1)
    return row


def _states(make: Callable[[str], QWidget], states: Sequence[State], *, width: int = 0) -> QHBoxLayout:
    return _across(*(snap(make(state.capitalize()), state, width=width) for state in states))


def _left() -> QVBoxLayout:
    five: tuple[State, ...] = ("normal", "hover", "pressed", "focus", "disabled")
    column = QVBoxLayout()
    column.setSpacing(8)
    column.addWidget(c.Label("Controls and states", "title"))

    def part(head: str, *rows: QHBoxLayout | QWidget) -> None:
        column.addSpacing(2)
        column.addWidget(c.Label(head, "small"))
        for row in rows:
            column.addLayout(row) if isinstance(row, QHBoxLayout) else column.addWidget(row)

    part("Primary button, one per panel", _states(lambda t: c.Button(t, variant="primary"), five))
    part("Button, with icon", _states(c.Button, five), _states(lambda t: c.Button(t, icon="download"), five[:4]))
    part(
        "Tint, checked, link",
        _across(
            snap(c.Button("Classify", icon="scan-search", variant="tint")),
            snap(c.Button("Classify", icon="scan-search", variant="tint"), "hover"),
            snap(c.Button("Classify", icon="scan-search", variant="tint"), "focus"),
            snap(c.Button("Classify", icon="scan-search", variant="tint"), "disabled"),
        ),
        _across(
            snap(c.Button("Agree", icon="check"), "checked"),
            snap(c.Button("Undo", variant="link")),
            snap(c.Button("Undo", variant="link"), "hover"),
            snap(c.Button("Undo", variant="link"), "focus"),
            *(snap(c.IconButton("eye", "Show"), state) for state in (*five, "checked")),
        ),
    )
    part("Tool", _states(lambda t: c.ToolButton("hand", t), ("normal", "hover", "checked", "focus", "disabled")))
    tools = [("brush", "Brush"), ("eraser", "Erase"), ("sprout", "Grow"), ("waves", "Watershed"), ("threshold", "Threshold"),
             ("paint-bucket", "Fill holes"), ("window-presets", "Presets"), ("invert", "Invert")]  # fmt: skip
    buttons = [c.ToolButton(icon, words, kind="panel", checkable=True) for icon, words in tools]
    buttons[2].setChecked(True)
    part("Panel tools", snap(c.ToolGroup(buttons, columns=4), width=308))

    def field(text: str) -> c.NumberField:
        made = c.NumberField()
        made.show_text(text)
        return made

    wrong = c.NumberRow("Search", 7, 31, 21, unit="px", step=2)
    wrong.field.setText("45 px")
    wrong.field.textEdited.emit("45 px")
    part(
        "Field: normal, focus, disabled; error in its row",
        _across(snap(field("12.5 mm")), snap(field("12.5 mm"), "focus"), snap(field("12.5 mm"), "disabled")),
    )
    column.addWidget(snap(wrong, width=_COLUMN))
    part(
        "Switch: off, on, hover, focus, disabled",
        _across(
            snap(c.Switch("A")),
            snap(c.Switch("A", checked=True)),
            snap(c.Switch("A", checked=True), "hover"),
            snap(c.Switch("A", checked=True), "focus"),
            snap(c.Switch("A"), "disabled"),
            snap(c.Switch("A", checked=True), "disabled"),
        ),
    )
    row = c.NumberRow("Tolerance", 0, 164, 50, unit="")
    row.set_value(62)
    focused = c.NumberRow("Strength", 0, 2, 0.8, step=0.1)
    part(
        "Rows of a form",
        snap(row, width=_COLUMN),
        snap(focused, "focus", part=focused.slider, width=_COLUMN),
        snap(c.NumberRow("Gamma", 0.1, 10, 1, step=0.1, log=True), "disabled", width=_COLUMN),
        snap(c.ChoiceRow("Scope", [(1, "This slice"), (2, "Whole volume")]), width=_COLUMN),
        snap(c.SwitchRow("Curtain", True, help="Left of the line: before. Right: after."), width=_COLUMN),
        snap(c.TextRow("Name", "Lesion"), width=_COLUMN),
    )
    part("List, table, tree, menu, boxes", *_lists())
    column.addStretch(1)
    return column


def _middle() -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(8)
    column.addWidget(c.Label("Parts", "title"))

    def part(head: str, *rows: QHBoxLayout | QWidget) -> None:
        column.addSpacing(2)
        column.addWidget(c.Label(head, "small"))
        for row in rows:
            column.addLayout(row) if isinstance(row, QHBoxLayout) else column.addWidget(row)

    tabs = c.DockTabs(name="Panels")
    for icon, words in (
        ("sliders-horizontal", "Enhance"),
        ("blend", "Segment"),
        ("ruler", "Measure"),
        ("scan-search", "Classify"),
        ("history", "History"),
    ):
        tabs.add_tab(icon, words)
    tabs.setCurrentIndex(1)
    focused = c.DockTabs(name="Panels")
    for icon, words in (("sliders-horizontal", "增强"), ("blend", "分割"), ("ruler", "测量"), ("scan-search", "分类"), ("history", "历史")):
        focused.add_tab(icon, words)
    part("Dock tabs", snap(tabs, width=332), snap(focused, "focus", width=332))
    part("Filter", _across(snap(c.SearchField("Filter by name, ID or date"), width=208), snap(_searched(), "focus", width=208)))
    card = c.Card("Non-local means", help="Removes noise and keeps edges. Slow on large images.", info=True)
    for row in (c.NumberRow("Patch", 1, 11, 5, unit="px"), c.NumberRow("Max area", 0, 8000, 4000, unit="mm²"), c.SwitchRow("Preview", True)):
        card.add_row(row)
    card.set_result("1380.5 mm² · 0.08 s")
    card.add_button(c.Button("Cancel"))
    card.add_button(c.Button("Apply", variant="primary"))
    part("Card", snap(card, width=308))
    work = c.ProgressRow()
    work.set_progress(45, 72, text="Working on 45 of 72", remaining="about 12 s left")
    part("Progress, ring", snap(work, width=_COLUMN), _across(snap(c.BusyRing()), snap(c.BusyRing(size=24)), snap(c.Label("1 job", "small"))))
    part("Score over and under the threshold", snap(c.ScoreBar("Nodule", 0.874, 0.5), width=308), snap(c.ScoreBar("Effusion", 0.183, 0.5), width=308))
    part(
        "Badges, keys",
        _across(*(c.Badge(t) for t in ("MR", "CT", "Preview")), c.Badge("NOT CALIBRATED", kind="warn"), c.KeyCap("Ctrl+K"), c.KeyCap("Shift+W")),
    )
    part(
        "Swatch",
        _across(
            snap(c.Swatch(SEGMENT_COLORS[0], "1")), snap(c.Swatch(SEGMENT_COLORS[1], "2"), "hover"), snap(c.Swatch(SEGMENT_COLORS[2], "3"), "focus"),
            snap(c.Swatch(SEGMENT_COLORS[3], "4", hollow=True)), spacing=2,
        ),
    )  # fmt: skip
    part("Segmented", snap(c.Segmented([(1, "1×"), (2, "2×"), (4, "4×")], value=2), width=308))
    column.addWidget(snap(c.NoteBox("warn", "The image is 614 × 652; the model was trained on 1024 × 1024. It may be less exact here."), width=350))
    column.addWidget(snap(c.NoteBox("err", "The model could not be loaded: the file is damaged."), width=350))
    column.addStretch(1)
    return column


def _lists() -> list[QWidget]:
    """What the stylesheet alone makes: list, table, tree, menu, check boxes."""
    rows = QListWidget()
    # Rows are laid out when one is chosen; before the first polish they would have the style's own height.
    rows.ensurePolished()
    rows.addItems(["Opened series", "Window 300 / 620", "Ellipse ROI"])
    rows.setCurrentRow(2)
    rows.setFixedHeight(wide(3 * 30))
    table = QTableWidget(2, 3)
    table.setHorizontalHeaderLabels(["Name", "Area mm²", "Mean"])
    table.verticalHeader().hide()
    for at, words in enumerate(("Lesion", "1380.5", "214.3", "Kidney, right", "1431.3", "588.1")):
        item = QTableWidgetItem(words)
        item.setTextAlignment(Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if at % 3 else Qt.AlignmentFlag.AlignLeft))
        table.setItem(at // 3, at % 3, item)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.selectRow(1)
    table.setShowGrid(False)
    table.setFixedHeight(wide(100))
    tree = QTreeWidget()
    tree.setHeaderHidden(True)
    patient = QTreeWidgetItem(tree, ["Wang, Min"])
    QTreeWidgetItem(patient, ["t1_vibe_fs_tra portal"])
    QTreeWidgetItem(tree, ["Li, Jianguo"]).addChild(QTreeWidgetItem(["Chest PA"]))
    tree.expandItem(patient)
    tree.setFixedHeight(wide(3 * 32))
    menu = QMenu()
    menu.addAction(icons.icon("folder-open"), "Open folder…").setShortcut("Ctrl+O")
    menu.addAction("Invert").setCheckable(True)
    menu.actions()[1].setChecked(True)
    menu.addSeparator()
    menu.addMenu("Recent")
    menu.addAction("Export…").setEnabled(False)
    menu.setActiveAction(menu.actions()[0])
    boxes = QWidget()
    line = QHBoxLayout(boxes)
    for words, box in (("Off", QCheckBox()), ("On", QCheckBox()), ("One", QRadioButton()), ("Other", QRadioButton())):
        box.setText(words)
        box.setChecked(words in ("On", "One"))
        line.addWidget(box)
    return [snap(rows, width=308), snap(rows, "focus", width=308), snap(table, width=332), snap(tree, width=232), snap(menu), snap(boxes)]


def _searched() -> c.SearchField:
    made = c.SearchField("Filter by name, ID or date")
    made.setText("liver")
    return made


def _right() -> QVBoxLayout:
    t = tokens()
    column = QVBoxLayout()
    column.setSpacing(8)
    column.addWidget(c.Label("Colour", "title"))
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    names = (
        "image",
        "well",
        "window",
        "panel",
        "raised",
        "hover",
        "field",
        "line",
        "line2",
        "text",
        "text2",
        "text3",
        "accent",
        "sel",
        "ok",
        "warn",
        "err",
        "busy",
    )
    for at, name in enumerate(names):
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(c.Label(name))
        words.addWidget(c.Label(getattr(t, name), "caption"))
        cell = QHBoxLayout()
        cell.setSpacing(8)
        cell.addWidget(_Chip(getattr(t, name)))
        cell.addLayout(words, 1)
        grid.addLayout(cell, at // 3, at % 3)
    column.addLayout(grid)
    column.addWidget(c.Label("Segment colours on a grey ramp", "small"))
    ramp = _Ramp()
    ramp.setFixedSize(wide(_COLUMN), 120)
    column.addWidget(ramp)
    column.addWidget(c.Label("Message bar", "small"))
    for kind, text, links in (
        ("ok", "Added segment “Kidney, left”: 966.4 mm².", [("Undo", print)]),
        ("info", "Nothing to undo.", []),
        ("warn", "No pixel size in this image. Lengths are in px.", []),
        ("err", "The model could not be loaded: the file is damaged.", [("Details", print)]),
    ):
        bar = c.MessageBar()
        bar.show_message(kind, text, links)
        if kind == "err":
            bar.show_message("warn", "second")
            bar.show_message("err", "third")
        column.addWidget(snap(bar, width=_COLUMN))
        bar.clear_messages()
    zone = c.DropZone(name="Drop")
    empty = c.EmptyState("Open a study to begin", "Drop a folder, a DICOM file or an image here.", icon="images")
    empty.add_button(c.Button("Open folder", icon="folder-open", variant="primary"))
    empty.add_button(c.Button("Open file"))
    empty.add_button(c.Button("Try the sample study"))
    empty.add_key("Ctrl+O", "open")
    empty.add_key("Ctrl+K", "find a command")
    empty.add_key("?", "all keys")
    zone.body.addWidget(empty)
    column.addWidget(c.Label("Empty: window, panel; dragging", "small"))
    zone.setFixedHeight(wide(250))
    column.addWidget(snap(zone, width=_COLUMN))
    small = c.DropZone(name="Drop")
    small.body.addWidget(c.EmptyState("Open an image to use Enhance.", "Operations work on the active view and can be undone."))
    small.set_dragging(True)
    column.addWidget(snap(small, width=_COLUMN))
    column.addWidget(c.Label("Icons", "small"))
    icons_grid = QGridLayout()
    icons_grid.setSpacing(4)
    for at, name in enumerate(icons.icon_names()):
        icons_grid.addWidget(c.IconLabel(name, size=20), at // 18, at % 18)
    column.addLayout(icons_grid)
    column.addStretch(1)
    return column


def sheet() -> QPixmap:
    """The picture, in the theme in use. Needs a QApplication with the theme on it."""
    QCursor.setPos(QPoint(5000, 5000))
    page = QWidget()
    page.setProperty("role", "panel")
    page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    row = QHBoxLayout(page)
    row.setContentsMargins(sizes().section, sizes().section, sizes().section, sizes().section)
    row.setSpacing(28)
    for column in (_left(), _middle(), _right()):
        holder = QWidget(page)
        holder.setLayout(column)
        holder.setFixedWidth(wide(_COLUMN + 22))
        row.addWidget(holder, 0, Qt.AlignmentFlag.AlignTop)
    page.show()
    settle()
    picture = page.grab()
    page.close()
    page.deleteLater()
    return picture


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--text-scale", type=float, default=1.0)
    given = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = given.scale
    app = QApplication([])
    app.setCursorFlashTime(0)
    apply_theme(app, given.theme, text_scale=given.text_scale)
    return 0 if sheet().save(given.out) else 1


if __name__ == "__main__":
    raise SystemExit(main())
