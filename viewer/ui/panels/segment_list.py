"""The segments of the image in view, one row each: number, colour, name, size, eye, lock and more. Each change is one step."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from viewer.core.labels import LabelLayer, Segment, segment_colors
from viewer.core.words import gettext as _
from viewer.session.apply import SegmentRef
from viewer.session.history import Changes
from viewer.session.view import LABEL_OPACITY, ViewState
from viewer.ui import theme
from viewer.ui.controls import ElidedLabel, Hint, IconButton, Label, NumberRow, Popover, SectionTitle, Swatch, TextField
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.panel_host import PanelHost
from viewer.ui.segments import SegmentSizes, show_segment, size_text
from viewer.ui.tooling import delete_segment, rename_segment

_SWATCHES_IN_A_ROW = 6


class _NameField(TextField):
    """The name as a field: Enter and leaving take it, Esc drops it."""

    taken = Signal(str)
    dropped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.taken.emit(self.text())
        elif event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: Any) -> bool:
        # Esc and Backspace are the window's keys too; here they belong to the field.
        if event.type() == event.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.accept()
            return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.taken.emit(self.text())


class SegmentRow(QWidget):
    """One segment. A click makes it the active one; a double click or F2 renames it in place; Up and Down go to the next row."""

    chosen = Signal(object)
    """SegmentRef"""
    left = Signal(int)
    """-1 or 1: the keyboard goes to the row above or below."""
    shown = Signal(object)
    """SegmentRef: bring its middle into view."""

    def __init__(self, panel_host: PanelHost, layer: LabelLayer, segment: Segment, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels, self.ref = panel_host, SegmentRef(layer.id, segment.label)
        self._is_active = self._is_hovered = False
        s = theme.sizes()
        self.setFixedHeight(s.list_row)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.number = Label(str(segment.label), "small", parent=self)
        self.number.setMinimumWidth(s.wide)
        self.number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.swatch = Swatch(segment.color, segment.name, parent=self)
        self.swatch.clicked.connect(self._choose_color)
        self.name = ElidedLabel(segment.name, parent=self)
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.editor: _NameField | None = None
        self.size = Label("", parent=self)
        self.size.setFont(theme.font())
        self.eye = IconButton("eye", "eye", parent=self)
        self.lock = IconButton("lock-open", "lock", parent=self)
        self.more = IconButton("ellipsis", "more", parent=self)
        self.eye.clicked.connect(self._toggle_visible)
        self.lock.clicked.connect(self._toggle_locked)
        self.more.clicked.connect(self._open_menu)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(s.tight, 0, s.hair, 0)
        self._line.setSpacing(s.hair)
        for part in (self.number, self.swatch):
            self._line.addWidget(part)
        self._line.addSpacing(s.hair)
        self._line.addWidget(self.name, 1)
        for part in (self.size, self.eye, self.lock, self.more):
            self._line.addWidget(part)
        self._line.insertSpacing(self._line.indexOf(self.eye), s.tight)
        self.segment = segment
        self.show_active(False)
        self.show_segment(segment)

    def show_segment(self, segment: Segment) -> None:
        """Show what the segment is now."""
        self.segment = segment
        name, is_visible, is_locked = segment.name, segment.is_visible, segment.is_locked
        self.name.setText(name)
        self.swatch.set_color(segment.color, hollow=not is_visible)
        words = _("Colour of {name}").format(name=name)
        self.swatch.setAccessibleName(words)
        self.swatch.setToolTip(words)
        self.eye.set_picture("eye" if is_visible else "eye-off")
        self.eye.set_name((_("Hide {name}") if is_visible else _("Show {name}")).format(name=name))
        self.lock.set_picture("lock" if is_locked else "lock-open", tint="warn" if is_locked else "quiet")
        self.lock.set_name((_("Unlock {name}") if is_locked else _("Lock {name}")).format(name=name))
        self.more.set_name(_("More for {name}").format(name=name))
        self._show_role()
        self._say()

    def show_size(self, text: str) -> None:
        self.size.setText(text)
        self._say()

    def show_active(self, active: bool) -> None:
        """Mark the active segment, whose row is the list's one stop for Tab."""
        self._is_active = active
        theme.set_property(self, "state", "selected" if active else "")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if active else Qt.FocusPolicy.ClickFocus)
        for part in (self.swatch, self.eye, self.lock, self.more):
            part.setFocusPolicy(Qt.FocusPolicy.StrongFocus if active else Qt.FocusPolicy.ClickFocus)
        self.update()

    def rename(self) -> None:
        """Turn the name into a field."""
        if self.editor is not None:
            return
        self.editor = _NameField(self.segment.name, name=_("Name of segment {number}").format(number=self.segment.label), parent=self)
        self.editor.taken.connect(self._take_name)
        self.editor.dropped.connect(self._end_rename)
        self._line.insertWidget(self._line.indexOf(self.name), self.editor, 1)
        for part in (self.name, self.size):
            part.hide()
        self.editor.show()
        self.editor.selectAll()
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def open_menu(self) -> QMenu:
        """The menu behind the three dots."""
        menu = QMenu(self)
        menu.setAccessibleName(_("More for {name}").format(name=self.segment.name))
        menu.setToolTipsVisible(True)
        menu.addAction(_("Rename") + "\tF2", self.rename)
        there = menu.addAction(_("Show its middle"), lambda: self.shown.emit(self.ref))
        theme.set_available(there, _("{name} is empty.").format(name=self.segment.name) if self.size.text() == size_text(self._geometry(), 0) else "")
        menu.addSeparator()
        delete = menu.addAction(_("Delete"), self.delete)
        theme.set_available(delete, self._reason_to_keep())
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def delete(self) -> None:
        """Take the segment and its voxels out; a locked one is kept, and that is said."""
        reason = self._reason_to_keep()
        if reason:
            self._panels.host.say("info", reason)
        else:
            delete_segment(self._panels.host, self.ref)

    # --- inside ---

    def _geometry(self) -> Any:
        return self._panels.document.layer(self.ref.layer_id).geometry

    def _reason_to_keep(self) -> str:
        return _("{segment} is locked.").format(segment=self.segment.name) if self.segment.is_locked else ""

    def _say(self) -> None:
        facts = [_("Segment {number}, {name}").format(number=self.segment.label, name=self.segment.name), self.size.text()]
        facts += [] if self.segment.is_visible else [_("hidden")]
        facts += [_("locked")] if self.segment.is_locked else []
        self.setAccessibleName(", ".join(fact for fact in facts if fact))

    def _show_role(self) -> None:
        # The quiet colour is too faint on the ground of a row under the pointer.
        self.name.set_role("" if self.segment.is_visible else "secondary" if self._is_hovered else "quiet")

    def _take_name(self, text: str) -> None:
        if self.editor is None:
            return
        self._end_rename()
        name = text.strip()
        if name and name != self.segment.name:
            rename_segment(self._panels.host, self.ref, name=name)

    def _end_rename(self) -> None:
        editor, self.editor = self.editor, None
        if editor is None:
            return
        had_focus = editor.hasFocus()
        self._line.removeWidget(editor)
        editor.hide()
        editor.deleteLater()
        for part in (self.name, self.size):
            part.show()
        if had_focus:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _toggle_visible(self) -> None:
        rename_segment(self._panels.host, self.ref, is_visible=not self.segment.is_visible)

    def _toggle_locked(self) -> None:
        rename_segment(self._panels.host, self.ref, is_locked=not self.segment.is_locked)

    def _choose_color(self) -> None:
        s = theme.sizes()
        wide = _SWATCHES_IN_A_ROW * (s.target + s.tight) + 2 * s.margin
        popover = Popover(_("Colour"), width=wide, parent=self)
        popover.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout()
        grid.setSpacing(s.tight)
        for at, color in enumerate(segment_colors()):
            swatch = Swatch(color, _("Colour {number}").format(number=at + 1), parent=popover)
            swatch.clicked.connect(partial(self._take_color, popover, color))
            grid.addWidget(swatch, at // _SWATCHES_IN_A_ROW, at % _SWATCHES_IN_A_ROW)
        popover.body.addLayout(grid)
        popover.open_at(self.swatch)

    def _take_color(self, popover: Popover, color: str, _checked: bool = False) -> None:
        popover.close()
        if color != self.segment.color:
            rename_segment(self._panels.host, self.ref, color=color)

    def _open_menu(self) -> None:
        self.open_menu().popup(self.more.mapToGlobal(QPoint(0, self.more.height())))

    # --- pointer and keys ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self.ref)
        elif event.button() == Qt.MouseButton.RightButton:
            self.chosen.emit(self.ref)
            self.open_menu().popup(event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.rename()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_F2:
            self.rename()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.left.emit(-1 if key == Qt.Key.Key_Up else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.shown.emit(self.ref)
        elif key == Qt.Key.Key_Delete:
            self.delete()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._is_hovered = True
        self._show_role()

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._is_hovered = False
        self._show_role()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, t = QPainter(self), theme.tokens()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        if self._is_active or self.underMouse():
            rounded(painter, box, theme.sizes().radius, fill=t.sel if self._is_active else t.hover)
        if self.hasFocus():
            focus_ring(painter, box)


class SegmentList(QWidget):
    """All segments of the image in view, of every layer; a new one, an eye for all, and how dense they are painted."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panel_host
        self.rows: list[SegmentRow] = []
        self._heads: list[QWidget] = []
        self._layers: tuple[LabelLayer, ...] = ()
        self._sizes = SegmentSizes(panel_host.host)
        self._sizes.setParent(self)
        s = theme.sizes()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(s.gap)
        head = QHBoxLayout()
        head.setSpacing(s.tight)
        head.setContentsMargins(0, 0, s.hair, 0)
        head.addWidget(SectionTitle(_("Segments"), parent=self), 1)
        self.add = IconButton("plus", _("Add a segment"), parent=self)
        self.add.clicked.connect(self._add)
        self.eye = IconButton("eye", _("Hide all segments"), parent=self)
        self.eye.clicked.connect(self._toggle_all)
        head.addWidget(self.add)
        head.addWidget(self.eye)
        column.addLayout(head)
        self.empty = Hint(_("No segments. Choose a tool or press + to add one."), parent=self)
        column.addWidget(self.empty)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        column.addLayout(self._list)
        self.opacity = NumberRow(_("Opacity"), 0, 100, 100 * LABEL_OPACITY, unit="%", decimals=0, parent=self)
        self.opacity.value_changed.connect(self._take_opacity)
        column.addWidget(self.opacity)
        host = panel_host.host
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self.refresh)
        host.active_changed.connect(self._take_image)
        host.view_changed.connect(self._take_view)
        panel_host.tooling.segment_changed.connect(self._show_active)
        self._sizes.changed.connect(self._show_sizes)
        self.refresh()

    def refresh(self) -> None:
        """Read the document anew. Rows that stay keep their focus and what is typed in them."""
        root_id = self._panels.root_id
        layers = self._panels.document.layers_of(root_id) if root_id else ()
        wanted = [(layer, segment) for layer in layers for segment in layer.segments]
        kept = {row.ref: row for row in self.rows}
        if [SegmentRef(layer.id, segment.label) for layer, segment in wanted] != list(kept) or len(layers) != len(self._layers):
            self._make_rows(layers, kept)
        for row, (_layer, segment) in zip(self.rows, wanted, strict=True):
            row.show_segment(segment)
        self._layers = layers
        self.empty.setVisible(not self.rows)
        self.opacity.setVisible(bool(self.rows))
        self._show_sizes()
        self._show_active(self._panels.tooling.active)
        self._take_view(self._panels.state)

    def row_of(self, ref: SegmentRef) -> SegmentRow | None:
        """The row of a segment."""
        return next((row for row in self.rows if row.ref == ref), None)

    def _make_rows(self, layers: tuple[LabelLayer, ...], kept: dict[SegmentRef, SegmentRow]) -> None:
        while self._list.count():
            self._list.takeAt(0)
        for head in self._heads:
            head.hide()
            head.deleteLater()
        self.rows, self._heads = [], []
        for layer in layers:
            # Numbers count within a layer: with several, the name of the layer stands over its rows.
            if len(layers) > 1 and layer.segments:
                self._heads.append(ElidedLabel(_(layer.name), "caption", parent=self))
                self._list.addWidget(self._heads[-1])
            for segment in layer.segments:
                row = kept.pop(SegmentRef(layer.id, segment.label), None) or self._make_row(layer, segment)
                self.rows.append(row)
                self._list.addWidget(row)
        for row in kept.values():
            row.hide()
            row.deleteLater()
        for first, second in zip(self.rows, self.rows[1:], strict=False):
            QWidget.setTabOrder(first.more, second)

    def _make_row(self, layer: LabelLayer, segment: Segment) -> SegmentRow:
        row = SegmentRow(self._panels, layer, segment, self)
        row.chosen.connect(self._panels.tooling.set_active)
        row.left.connect(self._step)
        row.shown.connect(self._show_middle)
        return row

    def _step(self, by: int) -> None:
        at = next((n for n, row in enumerate(self.rows) if row is self.sender()), -1) + by
        if 0 <= at < len(self.rows):
            self._panels.tooling.set_active(self.rows[at].ref)
            self.rows[at].setFocus(Qt.FocusReason.OtherFocusReason)

    def _add(self) -> None:
        with self._panels.host.reporting():
            self._panels.tooling.add_segment()

    def _toggle_all(self) -> None:
        host = self._panels.host
        host.change_wish(show_labels=not host.wish.show_labels)
        self._take_view(host.state)

    def _take_opacity(self, percent: float) -> None:
        self._panels.host.change_wish(label_opacity=percent / 100)

    def _show_middle(self, ref: SegmentRef) -> None:
        self._panels.tooling.set_active(ref)
        if not show_segment(self._panels.host, self._sizes, ref):
            row = self.row_of(ref)
            self._panels.host.say("info", _("{name} is empty.").format(name=row.segment.name if row else ""))

    def _show_sizes(self, _layer_id: str = "") -> None:
        geometry = {layer.id: layer.geometry for layer in self._layers}
        for row in self.rows:
            row.show_size(size_text(geometry[row.ref.layer_id], self._sizes.voxels(row.ref)))

    def _show_active(self, active: SegmentRef | None) -> None:
        for row in self.rows:
            row.show_active(row.ref == active)
        if active is None and self.rows:
            self.rows[0].setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("layer") or changes.sources:
            self.refresh()

    def _take_image(self, _root_id: str) -> None:
        self.refresh()

    def _take_view(self, state: ViewState) -> None:
        wish = self._panels.host.wish
        self.eye.set_picture("eye" if wish.show_labels else "eye-off")
        self.eye.set_name(_("Hide all segments") if wish.show_labels else _("Show all segments"))
        theme.set_available(self.eye, "" if self.rows else _("There are no segments."))
        theme.set_available(self.add, self._panels.host.why_closed)
        if round(100 * wish.label_opacity) != self.opacity.value():
            self.opacity.set_value(round(100 * wish.label_opacity))
