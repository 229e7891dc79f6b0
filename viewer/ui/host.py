"""The host: what all parts of the window share. It owns the document, the workers and the active view's wish.

Widgets send it intents and listen to its signals, which carry frozen, complete values. One-way flow: intent, document,
``Changes``, resolve, paint.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.core.errors import JobFailed, NegatoscopeError, OperationCancelled, Refused
from viewer.core.ids import new_id
from viewer.core.sentence import sentence_of
from viewer.core.words import gettext as _
from viewer.jobs.pool import Pool
from viewer.session import apply as applying
from viewer.session.apply import Call, Scope, SegmentRef
from viewer.session.document import Document
from viewer.session.history import Changes, Step
from viewer.session.outcome import build_step
from viewer.session.plugins import Registry
from viewer.session.settings import LEAVE_NOTHING, Settings, data_folder
from viewer.session.store import Store
from viewer.ui.looking import Looking
from viewer.ui.messages import Notice
from viewer.ui.model_devices import ModelDevices
from viewer.ui.model_shelf import ModelShelf
from viewer.ui.work import Work

_TRIM_INTERVAL_MS = 2000
_STROKE_CHECK_MS = 30


class Host(Looking):
    """See the module. ``document`` may be replaced (close all): listeners get ``document_replaced`` and then ``document_changed``."""

    document_changed = Signal(object)
    """Changes"""
    document_replaced = Signal()
    notice = Signal(object)
    """Notice for the message bar."""
    specs_ready = Signal()
    """The operations were described by a worker: forms can be built."""
    preview_changed = Signal(object)
    """(call, image) of a previewed plane, or None: the slice view paints it in place of the plane."""

    def __init__(self, registry: Registry, pool: Pool, settings: Settings, *, journal: bool = True, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.registry, self.pool, self.settings = registry, pool, settings
        self.work = Work(self)
        self.models = ModelShelf(parent=self)
        self.devices = ModelDevices(self)
        self._journal = journal
        self.document = self._new_document()
        self._begin_looking()
        self._preview_task = ""
        self._preview_generation = 0
        self._has_preview = False
        self._running: dict[str, str] = {}
        self._trim = QTimer(self)
        self._trim.setInterval(_TRIM_INTERVAL_MS)
        self._trim.timeout.connect(self._trim_memory)
        self._trim.start()

    # --- the document ---

    def undo(self) -> None:
        step = self.document.history.next_undo
        with self.reporting():
            self._tell_elsewhere(step, _("Undone on another image: {step}."), self.document.undo)

    def undo_if_last(self, step_id: str) -> None:
        """Take back what a message is about, unless something came after it."""
        step = self.document.history.next_undo
        if step is not None and step.id == step_id:
            self.undo()
        else:
            self.say("info", _("Something was done after it. Use the history to go back."))

    def redo(self) -> None:
        step = self.document.history.next_redo
        with self.reporting():
            self._tell_elsewhere(step, _("Done again on another image: {step}."), self.document.redo)

    def _tell_elsewhere(self, step: Step | None, words: str, move: Callable[[], bool]) -> None:
        """Undo or redo; where nothing of it is in view, say what happened."""
        touched = self.document.roots_of(step) if step is not None else frozenset()
        if move() and step is not None:
            touched |= self.document.roots_of(step)
            if touched and self.root_id not in touched:
                self.say("info", words.format(step=step.title.text()))

    def go_to(self, position: int) -> None:
        with self.reporting():
            self.document.go_to(position)

    def close_all(self) -> None:
        """Close everything that is open: a new, empty document."""
        self.clear_preview()
        for task in self.work.tasks():
            self.work.cancel(task.id)
        self.document.changed.disconnect(self._take_changes)
        self.document.close()
        self.document = self._new_document()
        self._forget_all()
        self.document_replaced.emit()
        self._show(set(range(len(self.desk.wishes))))
        self.document_changed.emit(Changes(sources=True))

    def drop_journal(self) -> bool:
        """End the journal of what is open, if nothing depends on it; False if it has to stay until that is closed."""
        document = self.document
        if document.store is None:
            return True
        if len(document.history):
            return False
        document.store.close(discard=True)
        document.store = None
        return True

    def _new_document(self) -> Document:
        store = None
        if self._journal and not self.settings.chosen(LEAVE_NOTHING):
            folder = data_folder() / "journals"
            folder.mkdir(exist_ok=True, mode=0o700)
            with self.reporting():
                store = Store(folder / f"{new_id('document')}.nego")
        document = Document(store)
        document.changed.connect(self._take_changes)
        return document

    def _take_changes(self, changes: Changes) -> None:
        self._refresh_view()
        self.document_changed.emit(changes)

    def _trim_memory(self) -> None:
        store = self.document.store
        if store is not None and store.behind_s == 0 and self.document.history.nbytes > self.document.history_bytes:
            self.document.trim_memory()

    # --- operations ---

    def load_specs(self) -> None:
        """Have workers describe all operations; ``specs_ready`` follows, once for the built-in ones and once for each other plugin."""
        for items in self.registry.unread():
            job = self.pool.submit("viewer.core.operation:describe_all", {"items": items})

            def ready(result: Any) -> None:
                self.registry.take_specs(*result)
                for name, reason in result[1]:
                    self.say("err", _("The operation {name} cannot be used: {reason}").format(name=name, reason=reason))
                self.specs_ready.emit()

            def failed(error: BaseException, items: list[tuple[str, str, str]] = items, ready: Callable[[Any], None] = ready) -> None:
                if isinstance(error, JobFailed):
                    ready(((), [(name, str(error)) for name, _run, _plugin in items]))
                else:
                    self.report(error)

            self.work.follow(job, _("Reading the plugins"), ready, failed, quiet=True)

    def scope(self, kind: str) -> Scope:
        """The scope ``slice``, ``volume``, ``phases`` (all of them) or ``segment`` of the active view.

        Raises Refused where the view shows no plane of voxels.
        """
        state = self._state
        if kind == "slice":
            if state.why_no_slice:
                raise Refused(state.why_no_slice)
            return Scope("slice", state.layout.axis, state.array_index, state.phase)
        return Scope("segment" if kind == "segment" else "volume", phase=state.phase, is_every_phase=kind == "phases")

    def prepare(self, name: str, parameters: Mapping[str, Any], scope: Scope, target: SegmentRef | None = None) -> Call:
        """Check a call on what the active view shows. Raises Refused with a sentence."""
        assert self._state.volume is not None
        spec = self.registry.spec(name, self.pool)
        volume_id = self._state.volume.id if self.wish.show_original else applying.input_of(self.document, spec, self.root_id)
        device = str(self.settings.chosen("device"))
        return applying.prepare(self.document, spec, parameters, volume_id=volume_id, scope=scope, target=target, device=device)

    def run(self, call: Call, on_done: Callable[[Step | None], None] | None = None, on_failed: Callable[[BaseException], None] | None = None) -> str:
        """Run a prepared call in a worker; its result becomes one step. Returns the task's id, for progress and Cancel."""
        self.clear_preview()
        document = self.document

        def take(step: Step | None) -> None:
            try:
                if step is None:
                    self.say("info", _("{operation} changed nothing.").format(operation=call.spec.title))
                else:
                    step = applying.commit(document, call, step)
                    if any(p.type == "points" for p in call.spec.parameters) and self.root_id == call.original.id:
                        self.change_wish(seeds=())  # they have done their work
            except NegatoscopeError as err:
                failed(err)
                return
            if on_done is not None:
                on_done(step)

        def failed(error: BaseException) -> None:
            if on_failed is not None:
                on_failed(error)
            self.report(error, applying.run_name(call))

        def done(step: Step | None) -> None:
            self.when_still(document, lambda: take(step))

        return self.work.follow(applying.start(call, self.pool), _(call.spec.title), done, failed, finish=lambda results: build_step(call, results))

    def when_still(self, document: Document, go_on: Callable[[], None]) -> None:
        """Take what was computed for a document: after the stroke that is being drawn, and not at all once another document is open."""
        if document is not self.document:
            return
        if document.is_editing:
            QTimer.singleShot(_STROKE_CHECK_MS, self, lambda: self.when_still(document, go_on))
        else:
            go_on()

    def preview(self, call: Call, on_result: Callable[[Any], None], on_failed: Callable[[BaseException], None]) -> None:
        """Run a call on one plane without committing; the latest wins, one that is overtaken is cancelled."""
        self._preview_generation += 1
        generation = self._preview_generation
        if self._preview_task:
            self.work.cancel(self._preview_task)
        self._has_preview = True

        def done(results: Any) -> None:
            if generation == self._preview_generation:
                self._preview_task = ""
                self.preview_changed.emit((call, results[0]))
                on_result(results[0])

        def failed(error: BaseException) -> None:
            if generation == self._preview_generation and not isinstance(error, OperationCancelled):
                self._preview_task = ""
                on_failed(error)

        self._preview_task = self.work.follow(applying.start(call, self.pool), _(call.spec.title), done, failed, quiet=True)

    def clear_preview(self) -> None:
        """No preview any more; one that is still computed is dropped."""
        self._preview_generation += 1
        if self._preview_task:
            self.work.cancel(self._preview_task)
            self._preview_task = ""
        if self._has_preview:
            self._has_preview = False
            self.preview_changed.emit(None)

    # --- words to the user ---

    def say(self, kind: str, text: str, links: tuple[tuple[str, Callable[[], None]], ...] = (), details: str = "", *, about: str = "") -> None:
        """A sentence for the message bar; ``kind``: ok, info, warn, err. With ``about``, an original volume, it goes when another is shown."""
        self.notice.emit(Notice(kind, text, links, details, about))  # type: ignore[arg-type]

    def report(self, error: BaseException, title: str = "") -> None:
        """Say what went wrong; a cancel is not said."""
        if isinstance(error, OperationCancelled):
            return
        if isinstance(error, JobFailed):
            said = sentence_of(error)
            self.say("err", _("{name}: {reason}").format(name=_(title), reason=said) if title else said, details=error.details)
        elif isinstance(error, NegatoscopeError):
            self.say("err", sentence_of(error))
        else:
            raise error

    @contextlib.contextmanager
    def reporting(self) -> Iterator[None]:
        """Errors meant for people become messages."""
        try:
            yield
        except NegatoscopeError as err:
            self.report(err)

    # --- the end ---

    def remember(self, path: Path) -> None:
        self.settings.add_recent(path)

    def close(self) -> None:
        """Cancel jobs, end the store, end the workers."""
        self._trim.stop()
        self.work.close()
        self.document.changed.disconnect(self._take_changes)
        self.document.close()
        self.pool.close()
