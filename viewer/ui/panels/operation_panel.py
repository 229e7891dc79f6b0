"""The operation panel: choose an operation, fill in its form, preview it on the slice in view, apply it, cancel it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QWidget

from viewer.core.errors import BadParameter, JobFailed, NegatoscopeError, OperationCancelled
from viewer.core.geometry import Triple
from viewer.core.operation import OperationSpec
from viewer.core.words import gettext as _
from viewer.session.apply import LayerRef, SegmentRef
from viewer.session.history import Changes, ItemChange, Step
from viewer.session.view import ViewState
from viewer.ui.forms import OperationForm
from viewer.ui.panel_host import PanelHost
from viewer.ui.panels.details_popover import DetailsPopover
from viewer.ui.panels.live_preview import Asked
from viewer.ui.panels.operation_card import NEW, OperationCard
from viewer.ui.panels.operation_scope import form_context, scope_choices, unfit
from viewer.ui.panels.operation_words import applied_text, broken_text, progress_texts, size_text, time_text, warning_text
from viewer.ui.theme import set_available
from viewer.ui.work import Task


class OperationPanel(OperationCard):
    """A form for the operations of a menu.

    Parameters
    ----------
    panel_host : PanelHost
    menu : str
        The part of the operations' names before the stroke.
    names : sequence of str, optional
        Only these operations, by permanent name, in this order.
    """

    chosen = Signal(str)
    """Permanent name of the operation whose form is shown."""

    def __init__(self, panel_host: PanelHost, menu: str, names: Sequence[str] | None = None, *, parent: QWidget | None = None) -> None:
        known = {o.name: o.title for o in panel_host.registry.operations if o.menu == menu}
        self._titles = {n: known[n] for n in (names if names is not None else known) if n in known}
        self._names = list(self._titles)
        self._panels, self._host, self._menu = panel_host, panel_host.host, menu
        super().__init__(panel_host, menu, self._titles, self._ask_preview, parent)
        self._kept: dict[str, dict[str, Any]] = {}
        self._form: OperationForm | None = None
        self._task, self._started = "", 0.0
        # No call and no step is kept here: they would hold voxels that nobody needs any more.
        self._worked_on = (1, 1, 1)
        self._failure = ("", "")
        self._name, self._said = "", ""
        self._target_chosen = self._scope_chosen = False
        self._connect()
        self._show_operation(self._names[0] if self._names else "")

    # --- what others use ---

    @property
    def name(self) -> str:
        """Permanent name of the operation whose form is shown."""
        return self._name

    @property
    def form(self) -> OperationForm | None:
        """The form, once the operations are described and an image is open."""
        return self._form

    @property
    def is_running(self) -> bool:
        return bool(self._task)

    def show_operation(self, name: str) -> None:
        """Bring an operation's form to the front, with its first field in focus."""
        if name not in self._names:
            return
        if name != self._name:
            self.chooser.setCurrentIndex(self._names.index(name))
        if self._form is not None and self._form.rows:
            first = next(iter(self._form.rows.values()))
            (first.focusProxy() or first.nextInFocusChain()).setFocus(Qt.FocusReason.OtherFocusReason)

    def apply(self) -> None:
        """Run the operation as the form says; nothing happens while there is a reason against it."""
        reason = self._reason()
        if reason or self._form is None:
            self._refresh()
            return
        self._clear_errors()
        self.preview.turn_off()
        scope = self._scope_kind()
        target = self._panels.tooling.active if scope == "segment" else self._target()
        try:
            call = self._host.prepare(self._name, self._form.values(), self._host.scope(scope), target)
        except NegatoscopeError as err:
            self._show_error(err)
            return
        self._started, self._worked_on = time.monotonic(), call.images[0].geometry.shape
        self.card.set_result("")
        self.progress.start(_("Starting"))
        task = self._host.run(call, self._done, self._failed)
        # In a pool that runs inline the job is over before its id is known.
        self._task = task if self._host.work.is_running(task) else ""
        self._refresh()

    def cancel(self) -> None:
        """Cancel the job that runs, else the preview."""
        if self._task:
            self._host.work.cancel(self._task)
            self.progress.set_text(_("Cancelling"))
        elif self.preview.value():
            self.preview.turn_off()
        self._refresh()

    def take_over(self, before: OperationPanel) -> None:
        """Go on with what was chosen and entered in another panel of the same operations."""
        before._keep()
        self._drop_form()
        self._kept, self._name = before._kept, ""
        self.chooser.setCurrentIndex(self._names.index(before.name) if before.name else 0)
        self._show_operation(before.name)

    # --- listening ---

    def _connect(self) -> None:
        host, tooling = self._host, self._panels.tooling
        self.chooser.currentIndexChanged.connect(self._choose)
        self.card.info_requested.connect(self._show_details)
        self.details.clicked.connect(lambda: self._panels.show_details(*self._failure))
        self.scope.value_changed.connect(self._scope_changed)
        self.target.value_changed.connect(self._target_changed)
        self.preview.value_changed.connect(self._refresh)
        self.preview.started.connect(self._preview_started)
        self.preview.arrived.connect(self._preview_arrived)
        self.preview.failed.connect(self._show_error)
        self.preview.ended.connect(self._preview_ended)
        self.cancel_button.clicked.connect(self.cancel)
        self.apply_button.clicked.connect(self.apply)
        host.specs_ready.connect(self._take_specs)
        host.view_changed.connect(self._take_view)
        host.active_changed.connect(self._take_image)
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self._take_image)
        host.work.changed.connect(self._take_tasks)
        tooling.segment_changed.connect(self._follow)
        host.models.changed.connect(self._follow)
        host.devices.changed.connect(self._follow)

    # --- which operation ---

    @property
    def spec(self) -> OperationSpec | None:
        return self._panels.registry.known_spec(self._name) if self._name else None

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._names):
            self._show_operation(self._names[index])

    def _show_operation(self, name: str) -> None:
        self._keep()
        self.preview.turn_off()
        self._name = name
        self._drop_form()
        self._clear_errors()
        self.card.set_result("")
        spec = self.spec
        self.card.set_title(_(self._titles.get(name, "")), _(spec.help) if spec else "")
        self._target_chosen = self._scope_chosen = False
        self._make_form()
        self.chosen.emit(name)

    def _keep(self) -> None:
        """Remember what the form says, for when its operation is chosen again."""
        if self._form is not None:
            kept = self._form.kept_values()
            if self._scope_chosen:
                kept["//scope"] = self.scope.value()
            self._kept[self._name] = kept

    def _set_label_width(self, width: int) -> None:
        for row in (self._form, self.scope, self.target):
            if row is not None:
                row.set_label_width(width)

    def _drop_form(self) -> None:
        if self._form is not None:
            self.form_place.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
            self._form = None

    def _make_form(self) -> None:
        """The form of the operation that is chosen; what was entered before is there again."""
        spec = self.spec
        if spec is not None and self._host.root_id:
            self.card.set_title(_(spec.title), _(spec.help))
            self._form = OperationForm(spec, form_context(self._panels, spec), parent=self.card)
            self._form.set_values(self._kept.get(self._name, {}))
            self._form.changed.connect(self._form_changed)
            self._form.validity_changed.connect(self._refresh)
            self._form.points_wanted.connect(self._want_points)
            self._form.set_place_check(self._check_place)
            self.form_place.addWidget(self._form)
            self._form.label_width_changed.connect(self._set_label_width)
            self._set_label_width(self._form.label_width())
            self._fill_scope(spec)
            self._fill_target()
        self._refresh()
        if self._form is not None and self._form.context.devices:
            self._host.devices.ask()

    # --- scope and target ---

    def _fill_scope(self, spec: OperationSpec) -> None:
        choices, usual = scope_choices(spec, self._host.state, has_segment=self._panels.tooling.active is not None)
        values = [value for value, _words in choices]
        kept = self.scope.value() if self._scope_chosen else self._kept.get(self._name, {}).get("//scope", usual)
        self.scope.set_choices(choices, usual)
        self.scope.set_value(kept if kept in values else usual)
        self.scope.setVisible(len(choices) > 1)

    def _scope_kind(self) -> str:
        return str(self.scope.value())

    def _fill_target(self) -> None:
        spec, form = self.spec, self._form
        if spec is None or form is None or "Mask" not in spec.outputs:
            self.target.hide()
            return
        segments = form.context.segments
        self.target.show()
        kept = self.target.value()
        # What was made from a segment goes back to it, unless the user says otherwise.
        made_from = next((v for v in form.values().values() if isinstance(v, SegmentRef)), None)
        usual: object = made_from or NEW
        choices: list[tuple[object, str]] = [(NEW, _("New segment")), *segments]
        values = [value for value, _words in choices]
        self.target.set_choices(choices, usual)
        self.target.set_value(kept if self._target_chosen and kept in values else usual if usual in values else NEW)

    def _target(self) -> SegmentRef | None:
        value = self.target.value()
        return value if isinstance(value, SegmentRef) and self.spec is not None and "Mask" in self.spec.outputs else None

    def _scope_changed(self, _value: object) -> None:
        self._scope_chosen = True
        self._form_changed()

    def _target_changed(self, _value: object) -> None:
        self._target_chosen = True
        self._form_changed()

    # --- what stands against it ---

    def _reason(self) -> str:
        """Why Apply cannot be pressed now, as a sentence; "" if it can."""
        spec, volume = self.spec, self._host.state.volume
        if volume is None:
            return self._host.why_closed
        if spec is None:
            return broken_text(self._panels, self._name) or _("The plugins are being read.")
        if self._task:
            return _("It is running. Cancel stops it.")
        turned = self._host.state.why_no_slice if self._scope_kind() == "slice" else ""
        return unfit(spec, self._host.state) or turned or (self._form.problem() if self._form is not None else "")

    def _refresh(self, _value: object = None) -> None:
        """Show what is possible now."""
        spec, is_open = self.spec, bool(self._host.root_id)
        self.empty.setVisible(not is_open)
        self.head.setVisible(is_open and len(self._names) > 1)
        self.card.setVisible(is_open)
        set_available(self.chooser, _("It is running. Cancel stops it.") if self._task else "")
        reason, can_cancel = self._reason(), bool(self._task) or self.preview.value()
        self._keep_focus(can_apply=not reason, can_cancel=can_cancel)
        set_available(self.apply_button, reason)
        set_available(self.cancel_button, "" if can_cancel else _("Nothing is running."))
        self.cancel_button.setVisible(can_cancel or not self._task)
        self.progress.setVisible(bool(self._task))
        refusal = unfit(spec, self._host.state) if spec is not None else broken_text(self._panels, self._name)
        self.note.show_note("warn", refusal or self._said)
        can_preview = spec is not None and spec.preview != "none" and not spec.needs_volume and not refusal and self._form is not None
        self.preview.setVisible(can_preview)
        self.preview.approximate.setVisible(spec is not None and spec.preview == "approximate")
        self.card.info.setVisible(spec is not None)
        if spec is None:
            self.scope.hide()
            self.target.hide()

    # --- errors ---

    def _show_error(self, error: BaseException) -> None:
        self._failure = (str(error), getattr(error, "details", ""))
        self.card.set_result("")
        if isinstance(error, BadParameter) and self._form is not None and self._form.show_error(str(error)):
            self._refresh()
            return
        self.card.set_error(str(error))
        self.details.setVisible(isinstance(error, JobFailed) and bool(error.details))

    def _clear_errors(self) -> None:
        self._said = ""
        self.card.set_error("")
        if self._form is not None:
            self._form.clear_errors()

    def _show_details(self) -> None:
        spec = self.spec
        if spec is not None:
            DetailsPopover(_(spec.title), _(spec.details), parent=self).open_at(self.card.info)

    # --- running ---

    def _done(self, step: Step | None) -> None:
        seconds = time.monotonic() - self._started
        self._task = ""
        if step is None:
            self.card.set_result(_("No change · {time}").format(time=time_text(seconds)))
        else:
            self.card.set_result(_("{size} · {time}").format(size=size_text(step, self._worked_on), time=time_text(seconds)))
            links: list[tuple[str, Any]] = [(_("Undo"), partial(self._host.undo_if_last, step.id))]
            if any(isinstance(c, ItemChange) and c.kind in ("table", "annotation") for c in step.changes):
                links.insert(0, (_("Open table"), self._panels.show_results))
            self._said = warning_text(step)
            self._host.say("warn" if self._said else "ok", applied_text(step), tuple(links))
        self._refresh()

    def _failed(self, error: BaseException) -> None:
        self._task = ""
        if isinstance(error, OperationCancelled):
            self.card.set_result(_("Cancelled. Nothing was changed."))
        else:
            self._show_error(error)
        self._refresh()

    def _take_tasks(self, tasks: tuple[Task, ...]) -> None:
        if not self._task:
            return
        if not self._host.work.is_running(self._task):
            self._task = ""
            self._refresh()
            return
        task = next((t for t in tasks if t.id == self._task), None)
        if task is None or not task.total:
            return
        words, remaining = progress_texts(task)
        self.progress.set_progress(task.done, task.total, text=words, remaining=remaining)

    # --- preview ---

    def _ask_preview(self) -> Asked | None:
        """What to preview now; None while something stands against it."""
        form, state = self._form, self._host.state
        if form is None or state.volume is None or state.why_no_slice or self._reason() or not self.isVisible():
            return None
        name, values, target = self._name, form.values(), self._target()
        touched = tuple(self._host.document.revision(v.layer_id) for v in values.values() if isinstance(v, SegmentRef | LayerRef))
        key = (name, tuple(values.items()), state.volume.id, state.layout.axis, state.array_index, state.phase, touched)
        return Asked(key, lambda: self._host.prepare(name, values, self._host.scope("slice"), target))

    def _preview_started(self) -> None:
        self._clear_errors()
        self.card.set_result(_("Previewing"))

    def _preview_arrived(self) -> None:
        self.card.set_result(_("Preview of this slice"))

    def _preview_ended(self) -> None:
        self.card.set_result("")
        self._refresh()

    # --- following ---

    def _form_changed(self) -> None:
        self._said = ""
        self.card.set_error("")
        self.card.set_result("")
        if not self._target_chosen:
            self._fill_target()
        self._refresh()
        self.preview.restart()

    def _want_points(self, points: object) -> None:
        self._host.change_wish(seeds=points)

    def _check_place(self, place: Triple) -> str:
        volume = self._host.state.volume
        inside = volume is not None and volume.geometry.nearest(place) is not None
        return "" if inside else _("This place lies outside the image.")

    def _take_specs(self) -> None:
        if self._form is None and self.spec is not None:
            self._make_form()
        else:
            self._refresh()

    def _take_image(self, _root_id: str = "") -> None:
        self._keep()
        self._drop_form()
        self._clear_errors()
        self.card.set_result("")
        self._target_chosen = False
        self._make_form()

    def _take_view(self, _state: ViewState) -> None:
        self._follow()
        self.preview.restart()

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("layer", "volume", "shown"):
            self._follow()
        if changes.boxes or changes.touches("layer", "volume", "shown"):
            self.preview.restart()

    def _follow(self, _what: object = None) -> None:
        """Other segments, seeds, models, unit or range: the form keeps what was entered."""
        form, spec = self._form, self.spec
        if spec is None or not self._host.root_id:
            return
        if form is None:
            self._make_form()
            return
        context = form_context(self._panels, spec)
        if context.scale != form.context.scale:
            self._keep()
            self._drop_form()
            self._make_form()
        elif context != form.context:
            form.follow(context)
            self._fill_target()
        else:
            return
        self._fill_scope(spec)
        self._refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        if not event.spontaneous():
            self.preview.turn_off()
            self._refresh()
        super().hideEvent(event)
