"""The controls that the window is built from; colours and sizes come from ``viewer.ui.theme``, icons from ``viewer.ui.icons``.

Everything below is imported from ``viewer.ui.controls``. Each takes ``parent=None`` as its last keyword. Words come in
already translated. ``Kind`` is "ok", "info", "warn" or "err".

Buttons
    ``Button(text, *, icon="", variant="plain"|"primary"|"tint"|"link", checkable=False, tooltip="")`` a QPushButton
    ``IconButton(icon, name, *, size=16, side=24, tint="rest", checkable=False)`` ``set_name(name)``, ``set_picture(icon, tint=)``
    ``ToolButton(icon, caption, *, kind="bar"|"panel", checkable=False, tooltip="")`` icon over caption; ``set_caption_shown(bool)``,
    ``ToolButton.of_action(action, kind=)`` follows a QAction (give it its icon with ``icons.set_icon``)
    ``ToolGroup(buttons, *, columns=0, name="")`` one tab stop, arrows move; ``columns=4`` for a panel's tools; ``buttons()``
    ``Segmented([(value, words), ...], *, value=None, name="")`` ``value()``, ``set_value(v)``, signal ``value_changed(object)``
Words
    ``Label(text, role="", *, wrap=False)`` roles headline title section strong secondary hint caption small error warning badge key
    ``ElidedLabel(text, role="", *, mode=ElideRight)`` ``is_elided()``, ``set_tooltip(text)``; ``SectionTitle(text)``, ``Hint(text)``
    ``Badge(text, *, kind=""|"ok"|"warn"|"err"|"busy")``, ``KeyCap(keys)``, ``IconLabel(icon, *, size=16, token="text2", name="")``
Rows of a form: ``value()``, ``set_value(v)`` (silent), ``reset()``, ``is_valid()``, ``error()``, ``set_error(sentence)``,
``set_label_width(px)``; signals ``value_changed`` (each change), ``settled`` (at rest), ``validity_changed(bool)``
    ``NumberRow(label, low, high, default, *, unit="", step=1.0, log=False, decimals=None, slider=True, tooltip="")`` float; limits may be
    None; ``.slider``, ``.field``
    ``ChoiceRow(label, [(value, words), ...], default=None, *, tooltip="")`` object; ``set_choices(...)``; ``.combo``
    ``SwitchRow(label, default=False, *, help="", tooltip="")`` bool; ``.switch``
    ``TextRow(label, default="", *, placeholder="", check=None, tooltip="")`` str; ``check(text) -> sentence or ""``; ``.field``
    bare parts: ``Switch(name, *, checked=False)``, ``Slider(*, name)``, ``NumberField(*, name, width=80)``, ``Combo(*, name)``,
    ``TextField(text, *, name, placeholder)``, ``SearchField(placeholder, *, name="")`` (signal ``left_downwards``)
Boxes
    ``Card(title="", *, help="", info=False)`` ``.header``, ``.body`` (layouts), ``add_row(w)``, ``add_button(b)``, ``set_title(t, help)``,
    ``set_caption(t)``, ``set_result(t)``, ``set_error(t)``; signal ``info_requested``
    ``PanelPage(*, name="")`` a dock's page: ``.body`` (layout, scrolls), ``add(w)``, ``add_to_foot(*widgets)`` (pinned), ``foot()``
    ``NoteBox(kind, text)`` ``show_note(kind, text)`` ("" hides), ``text()``, ``add_link(text) -> Button``
    ``EmptyState(title, text="", *, icon="")`` ``set_text(title, text)``, ``add_button(b)``, ``add_key(keys, meaning)``
    ``DropZone(*, name="")`` ``.body``, ``set_dragging(bool)``; signals ``dropped(tuple[str])``, ``dragging_changed(bool)``
    ``Popover(title="", *, name="", width=320)`` ``.body``, ``open_at(opener, side="below"|"above")``; signal ``closed``
    ``Splitter(orientation)`` ``set_default_sizes([...])``, ``restore_default()``; signal ``resized``; ``divider(parent, vertical=False)``
    Plain containers get their ground by the property ``role``: window, panel, well, image (QWidget with WA_StyledBackground), topbar,
    viewbar, status, foot, card (QFrame).
Bars and marks
    ``DockTabs(*, name="")`` a QTabBar; ``add_tab(icon, caption, tooltip="") -> int``
    ``MessageBar(*, lifetime_ms=6000)`` ``show_message(kind, text, links=[(words, callback)])``, ``message()``, ``waiting()``,
    ``close_message()``, ``clear_messages()``; signal ``changed(Message | None)``
    ``ThinBar(*, name="")`` ``set_progress(done, total | None)``; ``ProgressRow(text="", *, cancel=True)`` ``start(text)``,
    ``set_progress(done, total | None, text="", remaining="")``; signal ``cancel_requested``
    ``BusyRing(*, size=16, name="")``, ``ScoreBar(name, score=0, threshold=None)`` ``set_score(score, threshold)`` (0 to 1), ``is_over()``,
    ``TableCells(table)`` paints the cells of a table on one line, whichever script they are in
    ``Swatch(color, name, *, hollow=False)`` ``set_color(color, hollow=)``, signal ``clicked``
Theme and icons
    ``theme.apply_theme(app, "dark"|"light"|"system", text_scale=1.0)``, ``theme.tokens()``, ``theme.sizes()``, ``theme.font(size, bold=)``,
    ``theme.theme().changed(tokens)``, ``theme.set_property(widget, name, value)``, ``theme.set_available(widget_or_action, reason="")``
    (disables with the reason as tooltip), ``theme.contrast(a, b)``, ``theme.reduced_motion()``
    ``icons.icon(name, size=16, tint="rest")``, ``icons.set_icon(button_or_action, name, size=, tint=)`` (follows the theme),
    ``icons.pixmap(name, size, "#rrggbb", scale)``, ``icons.icon_names()``
"""

from __future__ import annotations

from viewer.ui.controls.buttons import Button, IconButton, Segmented, ToolButton, ToolGroup
from viewer.ui.controls.card import Card, EmptyState, IconLabel, Kind, NoteBox, divider
from viewer.ui.controls.dock_tabs import DockTabs
from viewer.ui.controls.drop_zone import DropZone
from viewer.ui.controls.labels import Badge, ElidedLabel, Hint, KeyCap, Label, SectionTitle
from viewer.ui.controls.marks import ScoreBar, Swatch
from viewer.ui.controls.message_bar import Message, MessageBar
from viewer.ui.controls.number_field import NumberField, Slider
from viewer.ui.controls.number_row import NumberRow
from viewer.ui.controls.panel_page import PanelPage
from viewer.ui.controls.popover import Popover
from viewer.ui.controls.progress import BusyRing, ProgressRow, ThinBar
from viewer.ui.controls.rows import ChoiceRow, Combo, FormRow, SwitchRow, TextField, TextRow
from viewer.ui.controls.search_field import SearchField
from viewer.ui.controls.splitter import Splitter
from viewer.ui.controls.switch import Switch
from viewer.ui.controls.table_cells import TableCells

__all__ = [
    "Badge", "BusyRing", "Button", "Card", "ChoiceRow", "Combo", "DockTabs", "DropZone", "ElidedLabel", "EmptyState", "FormRow", "Hint",
    "IconButton", "IconLabel", "KeyCap", "Kind", "Label", "Message", "MessageBar", "NoteBox", "NumberField", "NumberRow", "PanelPage",
    "Popover", "ProgressRow", "ScoreBar", "SearchField", "SectionTitle", "Segmented", "Slider", "Splitter", "Swatch", "Switch", "SwitchRow",
    "TableCells", "TextField", "TextRow", "ThinBar", "ToolButton", "ToolGroup", "divider",
]  # fmt: skip
