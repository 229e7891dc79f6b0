"""The widgets of the operation panel, laid out; what they do is :mod:`viewer.ui.panels.operation_panel`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.ui.controls import Button, Card, ChoiceRow, Combo, EmptyState, Label, NoteBox, ProgressRow
from viewer.ui.panel_host import PanelHost
from viewer.ui.panels.applied import AppliedList
from viewer.ui.panels.live_preview import Asked, LivePreview
from viewer.ui.theme import set_available, sizes

NEW = "new"
"""Value of the target row for a segment that is yet to be made."""


class OperationCard(QWidget):
    """Chooser, card with the place for a form, scope, target, preview, progress, buttons, and the list of what was applied.

    Parameters
    ----------
    titles : mapping
        Title of each operation by its permanent name, in the order of the chooser.
    ask_preview : callable
        What to preview now.
    """

    def __init__(
        self, panel_host: PanelHost, menu: str, titles: Mapping[str, str], ask_preview: Callable[[], Asked | None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        names = list(titles)
        s = sizes()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(s.margin)
        entry = next((p for p in panel_host.registry.panels if p.title == menu), None)
        self._host, self._title = panel_host.host, _("Open an image to use {panel}.").format(panel=_(menu))
        self._help = _(entry.help) if entry and entry.help else ""
        self.empty = EmptyState(self._title, self._help, parent=self)
        self._host.active_changed.connect(self._word_empty)
        outer.addWidget(self.empty)
        self.head = QWidget(self)
        head = QVBoxLayout(self.head)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(s.gap)
        head.addWidget(Label(_("Operation"), "small", parent=self.head))
        self.chooser = Combo(name=_("Operation"), parent=self.head)
        self.chooser.addItems([_(titles[n]) for n in names])
        head.addWidget(self.chooser)
        outer.addWidget(self.head)
        self.card = Card(info=True, parent=self)
        self.note = NoteBox("warn", parent=self.card)
        self.note.hide()
        self.card.add_row(self.note)
        self.details = self.card.note.add_link(_("Details"))
        self.details.hide()
        self.form_place = QVBoxLayout()
        self.card.body.addLayout(self.form_place)
        self.scope = ChoiceRow(_("Scope"), [("volume", _("Whole volume"))], parent=self.card)
        self.card.add_row(self.scope)
        self.target = ChoiceRow(_("Result in"), [(NEW, _("New segment"))], tooltip=_("The segment that the result is added to."), parent=self.card)
        self.card.add_row(self.target)
        self.preview = LivePreview(panel_host.host, ask_preview, parent=self.card)
        self.card.add_row(self.preview)
        self.progress = ProgressRow(cancel=False, parent=self.card)
        self.progress.hide()
        self.card.add_row(self.progress)
        self.cancel_button = self.card.add_button(Button(_("Cancel"), parent=self.card))
        self.apply_button = self.card.add_button(Button(_("Apply"), variant="primary", parent=self.card))
        self.apply_button.setToolTip(_("Apply (Enter)"))
        outer.addWidget(self.card)
        self.applied = AppliedList(panel_host, menu, parent=self)
        outer.addWidget(self.applied)

    def _word_empty(self, _root_id: str) -> None:
        self.empty.set_text(self._title if self._host.arriving is None else self._host.why_closed, self._help)

    def event(self, event: QEvent) -> bool:
        # The window's Esc would come first; while there is something to cancel here, it is this panel's.
        wants = event.type() == QEvent.Type.ShortcutOverride and self.cancel_button.isEnabled()
        if wants and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply_button.click()
        elif event.key() == Qt.Key.Key_Escape and self.cancel_button.isEnabled():
            self.cancel_button.click()
        else:
            super().keyPressEvent(event)

    def _keep_focus(self, *, can_apply: bool, can_cancel: bool) -> None:
        """Hand the focus to the other button before its own goes grey: Qt would give it to the next control of the window, the menu."""
        for button, is_on, other, other_is_on in (
            (self.apply_button, can_apply, self.cancel_button, can_cancel),
            (self.cancel_button, can_cancel, self.apply_button, can_apply),
        ):
            if button.hasFocus() and not is_on and other_is_on:
                set_available(other, "")
                other.setFocus(Qt.FocusReason.OtherFocusReason)
                return
