"""What a picture of the window must not show: words that are cut, and controls that have no name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QFont, QFontMetrics, QTextLayout
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollBar,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QTabBar,
    QTableView,
    QWidget,
)

from viewer.ui.controls import Badge, Combo, ElidedLabel, NumberField, ToolButton
from viewer.ui.theme import font

_CONTROLS = (QAbstractButton, QLineEdit, QComboBox, QAbstractSlider, QAbstractItemView, QTabBar, QPlainTextEdit)
# A glyph's side bearing may stand over its advance by this much without looking cut.
_SLACK = 1


def shown_windows(window: QWidget) -> tuple[QWidget, ...]:
    """The window, then the dialogs, popovers and menus over it, in the order in which they were made."""
    tops = (w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window)
    return (window, *sorted((w for w in tops if _belongs(w, window)), key=_depth))


def complaints(window: QWidget, *, glyphs: bool = False) -> list[str]:
    """Sentences about what is wrong in a window and in what stands over it; empty if all is well.

    ``glyphs``: characters that no font has are wrong, too; which fonts there are is the machine's affair.
    """
    found = []
    for top in shown_windows(window):
        for widget in _visible(top):
            found += [*_cut(widget), *(_missing(widget) if glyphs else ()), *_unnamed(widget), *_overlapping(widget)]
    return found


def unreached(top: QWidget) -> list[str]:
    """Controls of a window or dialog that Tab never comes to; where arrow keys move within a group, one of the group is enough."""
    chain: list[QWidget] = []
    at = top.nextInFocusChain()
    while at is not None and at is not top and len(chain) < 5000:
        chain.append(at)
        at = at.nextInFocusChain()
    stops = {w for w in (top, *chain) if w.isEnabled() and w.focusPolicy() & Qt.FocusPolicy.TabFocus}
    stops |= {w.focusProxy() for w in stops if w.focusProxy() is not None}
    found = []
    for widget in _visible(top):
        is_control = isinstance(widget, _CONTROLS) and not isinstance(widget, QScrollBar | QHeaderView) and not _is_inner(widget)
        if is_control and widget.isEnabled() and widget not in stops and not _is_in_group(widget, stops):
            found.append(f"{_place(widget)} is not reached by Tab")
    return found


def _is_in_group(widget: QWidget, stops: set[QWidget]) -> bool:
    """Whether arrow keys lead here from a neighbour that Tab comes to, or a field beside it does the same."""
    if isinstance(widget, QAbstractItemView) and not widget.focusPolicy():
        return True  # a list that a field beside it moves in, as the palette's
    parent = widget.parentWidget()
    if parent is None or parent in stops or (widget.focusPolicy() and any(s.parentWidget() is parent for s in stops)):
        return parent is not None
    # Rows of a list that arrow keys go through: Tab comes to the parts of the one row that is current.
    kin = (type(parent), parent.parentWidget())
    return any((type(row), row.parentWidget()) == kin for s in stops if (row := s.parentWidget()) not in (None, parent))


def _belongs(widget: QWidget, window: QWidget) -> bool:
    parent = widget.parentWidget()
    return parent is not None and parent.window() in (window, *([] if parent.window() is widget else _owners(parent.window())))


def _owners(widget: QWidget) -> Iterator[QWidget]:
    while widget is not None:
        yield widget
        parent = widget.parentWidget()
        widget = parent.window() if parent is not None else None  # type: ignore[assignment]


def _depth(widget: QWidget) -> int:
    return len(list(_owners(widget)))


def _visible(top: QWidget) -> Iterator[QWidget]:
    yield top
    for widget in top.findChildren(QWidget):
        if widget.isVisible() and widget.window() is top and not _shown_part(widget).isEmpty():
            yield widget


def _shown_part(widget: QWidget) -> QRect:
    """What of a widget's box its parents show, in its own coordinates."""
    part = QRect(widget.rect())
    parent, child = widget.parentWidget(), widget
    offset = QPoint(0, 0)
    while parent is not None and not child.isWindow():
        offset += child.pos()
        part &= parent.rect().translated(-offset)
        parent, child = parent.parentWidget(), parent
    return part


# --- words ---


def _cut(widget: QWidget) -> Iterable[str]:
    words = _words_of(widget)
    if words and _shown_part(widget).width() < widget.width() and not _scrolls_sideways(widget):
        yield f'{_place(widget)}: "{words}" runs over the edge of what it is in'
    if isinstance(widget, ElidedLabel):
        if widget.is_elided() and not widget.toolTip():
            yield f'{_place(widget)}: "{widget.text()}" ends in dots and has no tooltip'
    elif isinstance(widget, QLabel):
        yield from _cut_label(widget)
    elif isinstance(widget, ToolButton):
        need = _advance(widget, widget.text(), face="caption")
        if widget._caption_shown and need > widget.width() - 2 + _SLACK:
            yield f'{_place(widget)}: the caption "{widget.text()}" needs {need} px and has {widget.width() - 2}'
    elif isinstance(widget, QPushButton):
        yield from _cut_button(widget)
    elif isinstance(widget, QComboBox):
        yield from _cut_combo(widget)
    elif isinstance(widget, NumberField):
        yield from _cut_field(widget, widget.text() or widget.placeholderText())
    elif isinstance(widget, QLineEdit) and not widget.text():
        yield from _cut_field(widget, widget.placeholderText())
    elif isinstance(widget, QTabBar):
        yield from _cut_tabs(widget)
    elif isinstance(widget, QHeaderView):
        yield from _cut_heads(widget)
    elif isinstance(widget, QTableView):
        yield from _cut_cells(widget)


def _words_of(widget: QWidget) -> str:
    return widget.text() if isinstance(widget, QLabel | QAbstractButton) else ""


def _scrolls_sideways(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QAbstractScrollArea):
            return parent.horizontalScrollBarPolicy() != Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        parent = parent.parentWidget()
    return False


def _advance(widget: QWidget, text: str, *, face: str = "") -> int:
    widget.ensurePolished()
    metrics = QFontMetrics(font(face)) if face else widget.fontMetrics()
    return max((metrics.horizontalAdvance(line) for line in text.split("\n")), default=0)


def _cut_label(label: QLabel) -> Iterable[str]:
    text = label.text()
    if not text.strip():
        return
    room = label.contentsRect().adjusted(label.margin(), label.margin(), -label.margin(), -label.margin())
    if not label.wordWrap():
        need = _advance(label, text)
        # A badge's padding is the stylesheet's: its hint says what it needs.
        have = room.width() if not isinstance(label, Badge) else label.width() - (label.sizeHint().width() - need) + _SLACK
        if need > have + _SLACK and not label.toolTip():
            yield f'{_place(label)}: "{text}" needs {need} px and has {have}'
        return
    box = label.fontMetrics().boundingRect(QRect(0, 0, room.width(), 10_000), int(Qt.TextFlag.TextWordWrap.value), text)
    if box.height() > room.height() + 2 * _SLACK:
        yield f'{_place(label)}: "{text}" needs {box.height()} px of height and has {room.height()}'
    elif box.width() > room.width() + _SLACK:
        yield f'{_place(label)}: a word of "{text}" is wider than its {room.width()} px'


def _cut_button(button: QPushButton) -> Iterable[str]:
    if not button.text():
        return
    option = QStyleOptionButton()
    button.initStyleOption(option)
    room = button.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, button).width()
    need = _advance(button, option.text)
    if not button.icon().isNull():
        need += button.iconSize().width()
    if need > room + _SLACK and not (button.toolTip() and "…" in button.text()):
        yield f'{_place(button)}: "{button.text()}" needs {need} px and has {room}'


def _cut_combo(combo: QComboBox) -> Iterable[str]:
    option = QStyleOptionComboBox()
    combo.initStyleOption(option)
    style = combo.style()
    room = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, combo).width()
    need = _advance(combo, combo.currentText())
    if need > room + _SLACK and combo.currentText() not in combo.toolTip() and not isinstance(combo, Combo):  # ours ends in dots and says it all
        yield f'{_place(combo)}: "{combo.currentText()}" needs {need} px and has {room}'


def _cut_field(field: QLineEdit, text: str) -> Iterable[str]:
    margins = field.textMargins()
    # 2 px: QLineEdit's own inner margin on either side.
    room = field.contentsRect().width() - margins.left() - margins.right() - 4
    need = _advance(field, text)
    if need > room + _SLACK and text not in field.toolTip():
        yield f'{_place(field)}: "{text}" needs {need} px and has {room}'


def _cut_tabs(bar: QTabBar) -> Iterable[str]:
    for at in range(bar.count()):
        need, have = _advance(bar, bar.tabText(at), face="caption"), bar.tabRect(at).width()
        if need > have + _SLACK:
            yield f'{_place(bar)}: the tab "{bar.tabText(at)}" needs {need} px and has {have}'


def _cut_heads(header: QHeaderView) -> Iterable[str]:
    model = header.model()
    if model is None or header.orientation() != Qt.Orientation.Horizontal:
        return
    for at in range(header.count()):
        text = str(model.headerData(at, Qt.Orientation.Horizontal) or "")
        need, have = _advance(header, text), header.sectionSize(at)
        if not header.isSectionHidden(at) and need > have and not model.headerData(at, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole):
            yield f'{_place(header)}: the head "{text}" needs {need} px and has {have}'


def _cut_cells(table: QTableView) -> Iterable[str]:
    model = table.model()
    if model is None:
        return
    for row in range(min(model.rowCount(), 50)):
        for column in range(model.columnCount()):
            index = model.index(row, column)
            if table.isColumnHidden(column) or table.visualRect(index).isEmpty():
                continue
            text = str(index.data() or "")
            need, have = _advance(table, text), table.visualRect(index).width()
            if need > have and not index.data(Qt.ItemDataRole.ToolTipRole):
                yield f'{_place(table)}: the cell "{text}" needs {need} px, has {have} and no tooltip'


def _overlapping(parent: QWidget) -> Iterable[str]:
    """Words and controls side by side that lie over each other: the box is too narrow for all of them."""
    parts = [w for w in parent.children() if isinstance(w, QLabel | QPushButton | QLineEdit | QComboBox | ToolButton) and w.isVisible()]
    for at, first in enumerate(parts):
        for second in parts[at + 1 :]:
            if not isinstance(parent, QLineEdit | QComboBox) and first.geometry().intersects(second.geometry()):
                yield f"{_place(first)} and {_place(second)} lie over each other"


# --- glyphs ---


def missing_glyphs(text: str, made: QFont) -> str:
    """The characters that no font at hand has a picture of: they would be boxes."""
    shown = "".join(sorted({c for c in text if not c.isspace()}))
    if not shown or not _has_boxes(shown, made):
        return ""
    return "".join(c for c in shown if _has_boxes(c, made))


def _has_boxes(text: str, made: QFont) -> bool:
    layout = QTextLayout(text, made)
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    return any(0 in run.glyphIndexes() for run in layout.glyphRuns())


def _missing(widget: QWidget) -> Iterable[str]:
    text = widget.text() if isinstance(widget, QLabel | QAbstractButton | QLineEdit) else ""
    if text and text not in _whole:
        boxes = missing_glyphs(text, widget.font())
        if boxes:
            yield f'{_place(widget)}: "{text}" has characters that no font has: {boxes}'
        else:
            _whole.add(text)


_whole: set[str] = set()
"""Texts that were looked at and have no boxes."""


# --- names ---


def _unnamed(widget: QWidget) -> Iterable[str]:
    if not isinstance(widget, _CONTROLS) or isinstance(widget, QScrollBar | QHeaderView) or _is_inner(widget):
        return
    spoken = widget.accessibleName()
    if not spoken:
        interface = QAccessible.queryAccessibleInterface(widget)
        spoken = interface.text(QAccessible.Text.Name) if interface is not None else ""
    if not spoken.strip():
        yield f"{_place(widget)} has no name"


def _is_inner(widget: QWidget) -> bool:
    """A part that Qt itself puts inside a control: the corner of a table, the field of a combo box, its list."""
    parent = widget.parentWidget()
    if isinstance(parent, QTableView) and isinstance(widget, QAbstractButton):
        return True
    if isinstance(parent, QLineEdit | QTabBar) and isinstance(widget, QAbstractButton):
        return not widget.isEnabled() or not widget.focusPolicy()
    return parent is not None and (isinstance(parent, QComboBox | Combo) or parent.metaObject().className() == "QComboBoxPrivateContainer")


def _place(widget: QWidget) -> str:
    """Which widget it is, for who mends it."""
    names = []
    found: QWidget | None = widget
    while found is not None and len(names) < 4:
        names.append(found.accessibleName() or found.objectName() or type(found).__name__)
        found = found.parentWidget()
    return f"{type(widget).__name__} in {' < '.join(names)}"
