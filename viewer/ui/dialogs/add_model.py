"""Adding a bare model: its file is read in a worker, what it does not say is asked, a dry run shows what it gives, and it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QWidget
from shiboken6 import isValid

from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.model_card import ModelCard, card_of
from viewer.core.sentence import sentence_of
from viewer.core.words import gettext as _
from viewer.io.gate import harmless
from viewer.session.apply import lane_limits
from viewer.session.card_answers import card_of_answers, why_not
from viewer.session.card_proposal import propose
from viewer.session.model_facts import FileFacts
from viewer.session.models import is_built_in
from viewer.session.own_models import add_model, name_for
from viewer.ui.controls import Button, ElidedLabel, NoteBox, ProgressRow
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.dialogs.model_form import ModelForm
from viewer.ui.dialogs.model_trial import ModelTrial
from viewer.ui.dialogs.model_words import added_words
from viewer.ui.host import Host
from viewer.ui.model_checks import check_then
from viewer.ui.theme import set_available

SERVICE = "models.read"
_TRIAL_WIDTH, _WIDTH_OF_ERROR = 252, 560


class AddModelDialog(Dialog):
    """See the module. ``path``: an ONNX file, anywhere."""

    def __init__(self, host: Host, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(_("Add a model"), width=900, height=660, parent=parent)
        self._host, self._path = host, path
        self.form: ModelForm | None = None
        self.trial: ModelTrial | None = None
        self._task = self._adding = self._check = ""
        self.body.addWidget(ElidedLabel(harmless(path.name), "secondary", mode=Qt.TextElideMode.ElideMiddle, parent=self.frame))
        self.progress = ProgressRow(parent=self.frame)
        self.progress.cancel_requested.connect(self.reject)
        self.body.addWidget(self.progress)
        self.failed = NoteBox("err", parent=self.frame)
        self.body.addWidget(self.failed)
        self._parts = QHBoxLayout()
        self._parts.setSpacing(0)
        self.body.addLayout(self._parts, 1)
        self._room = QWidget(self.frame)
        self._parts.addWidget(self._room, 1)
        self.note = NoteBox("warn", parent=self.frame)
        self.body.addWidget(self.note)
        self.cancel = Button(_("Cancel"), parent=self.frame)
        self.cancel.clicked.connect(self.reject)
        self.go = Button(_("Add"), variant="primary", parent=self.frame)
        self.go.clicked.connect(self.accept)
        self.add_buttons(self.cancel, self.go, caption=_("It is copied into the folder of your own models."))
        assert self.foot is not None
        self._caption = self.foot.itemAt(0).widget()
        self._read()

    # --- reading the file ---

    def _read(self) -> None:
        self.progress.start(_("Reading {name}").format(name=harmless(self._path.name)))
        set_available(self.go, _("The file is being read."))
        job = self._host.pool.submit(self._host.registry.service(SERVICE), {"path": str(self._path)}, limits=lane_limits())
        task = self._host.work.follow(job, _("Reading {name}").format(name=self._path.name), self._take_facts, self._take_failure, quiet=True)
        self._task = task if self._host.work.is_running(task) else ""

    def _take_facts(self, facts: FileFacts) -> None:
        if not isValid(self):
            return  # closed meanwhile
        self._task = ""
        self.progress.hide()
        try:
            proposal = propose(facts)
        except NegatoscopeError as err:
            self._take_failure(err)
            return
        self._room.hide()
        self.form = ModelForm(proposal, self.frame)
        self.form.changed.connect(self._take_change)
        scroll = QScrollArea(self.frame)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setAccessibleName(_("What is known and what is asked"))
        scroll.setWidget(self.form)
        self.form.setAutoFillBackground(False)
        scroll.viewport().setAutoFillBackground(False)
        self._parts.addWidget(scroll, 1)
        self.trial = ModelTrial(self._host, self._path, self._card, self.frame)
        side = QScrollArea(self.frame)
        side.setWidgetResizable(True)
        side.setFrameShape(QFrame.Shape.NoFrame)
        side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        side.setFixedWidth(_TRIAL_WIDTH)
        side.setWidget(self.trial)
        side.setAccessibleName(_("Dry run"))
        self.trial.setAutoFillBackground(False)
        side.viewport().setAutoFillBackground(False)
        self._parts.addWidget(side)
        self._refresh()
        self.form.first_field().setFocus(Qt.FocusReason.OtherFocusReason)

    def _take_failure(self, error: BaseException) -> None:
        if not isValid(self):
            return
        self._task = ""
        self.progress.hide()
        if isinstance(error, OperationCancelled):
            return
        reason = sentence_of(error) if isinstance(error, NegatoscopeError) else str(error)
        self.failed.show_note("err", reason)
        set_available(self.go, reason)
        self.go.hide()
        self._caption.setText("")  # it keeps the button at the right
        self.cancel.setText(_("Close"))
        self.cancel.setFocus()
        self._room.hide()
        self._wanted = QSize(_WIDTH_OF_ERROR, 0)  # a sentence needs no room for a form
        self.refit()
        self.move(self.place())

    # --- the card ---

    @property
    def name(self) -> str:
        """Of the model's folder, from its title."""
        assert self.form is not None
        return name_for(self.form.answers.title)

    def _card(self) -> tuple[dict[str, Any], str]:
        """The card as it stands, and what is wrong with it."""
        assert self.form is not None
        facts, answers = self.form.proposal.facts, self.form.answers
        card = card_of_answers(facts, answers, name=self.name)
        reason = self.form.error() or why_not(answers)
        if not reason:
            try:
                card_of(card, Path(self.name))
            except NegatoscopeError as err:
                reason = sentence_of(err)
        return card, reason

    def _same_name(self) -> ModelCard | None:
        return next((card for card in self._host.models.cards if card.name == self.name), None)

    def _refresh(self) -> None:
        _card, reason = self._card()
        there = self._same_name()
        said = ""
        if there is not None and is_built_in(there):
            reason = reason or _("There is a built-in model of this name. Give it another title.")
        elif there is not None:
            said = _("There is a model of this name among your own: “{title}”. It will be replaced.").format(title=_(there.title))
        self.note.show_note("warn", said)
        self.go.setText(_("Replace") if said else _("Add"))
        set_available(self.go, _("The model is being added.") if self._adding else reason)

    def _take_change(self) -> None:
        self._refresh()
        if self.trial is not None:
            self.trial.take_change()

    # --- the end ---

    def accept(self) -> None:
        if self.form is None or self._adding or not self.go.isEnabled():
            return
        card, _reason = self._card()
        path, name, replaces = self._path, self.name, self._same_name() is not None
        self.progress.start(_("Adding {name}").format(name=harmless(self.form.answers.title)))
        self.failed.show_note("err", "")
        self._adding = "checking"
        self._refresh()

        def copy() -> None:
            if isValid(self):
                self._host.work.run_thread(
                    lambda _progress: add_model(path, card, name=name, overwrite=replaces),
                    _("Adding {name}").format(name=path.name), self._added, self._not_added, quiet=True,
                )  # fmt: skip

        self._check = check_then(self._host, path, card, copy, self._not_added)

    def reject(self) -> None:
        if self._adding and not self._host.work.is_running(self._check):
            return  # a copy is whole or not at all; it is a matter of moments
        self._host.work.cancel(self._task)
        self._host.work.cancel(self._check)
        if self.trial is not None:
            self.trial.cancel()
        super().reject()

    def _added(self, card: ModelCard) -> None:
        self._host.models.reload()
        self._host.say("ok", added_words(card))
        if isValid(self):  # else closed meanwhile
            self._adding = ""
            super().accept()

    def _not_added(self, error: BaseException) -> None:
        if not isValid(self):
            return  # closed meanwhile
        self._adding = ""
        self.progress.hide()
        self.failed.show_note("err", sentence_of(error) if isinstance(error, NegatoscopeError) else str(error))
        self._refresh()
