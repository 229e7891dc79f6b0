"""The form about a bare model: what was read from the file stands apart from what the file does not say and has to be asked."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from viewer.core import digits
from viewer.core.model_card import CLASSIFYING
from viewer.core.words import gettext as _
from viewer.session.card_answers import Answers
from viewer.session.card_proposal import Proposal
from viewer.session.model_facts import PROBABILITIES
from viewer.ui.controls import Button, Card, ChoiceRow, Label, NumberRow, SectionTitle
from viewer.ui.dialogs.model_questions import FOLLOWS, SECTIONS, Questions
from viewer.ui.dialogs.model_rows import Change, Question
from viewer.ui.form_rows import AutoNumberRow
from viewer.ui.theme import sizes

_LABELS = 124


class ModelForm(QWidget):
    """See the module. ``changed`` comes with every change of ``answers``."""

    changed = Signal()

    def __init__(self, proposal: Proposal, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.proposal = proposal
        self.answers: Answers = proposal.answers
        self.questions: dict[str, Question] = {}
        self._showing = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, sizes().margin, 0)
        self._column.setSpacing(sizes().margin)
        self._make = Questions(proposal.facts, self._take, self)
        self._column.addWidget(self._facts_card())
        self._asked = Card(
            _("The file does not say"), help=_("A guess stands where one can be made. What nobody knows stays “not said”."), parent=self
        )
        self._column.addWidget(self._asked)
        self._known = Card(_("Read from the file, can be changed"), parent=self)
        self._known.hide()
        self._column.addWidget(self._known)
        self.more = Button(_("Change what was read"), variant="link", parent=self)
        self.more.clicked.connect(self._show_known)
        self._column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addStretch(1)
        self._fill(self._asked, is_asked=True)
        self._show()

    def first_field(self) -> QWidget:
        """Where the typing begins: what is needed and not there."""
        key = "classes" if "classes" in self.questions and not self.answers.classes else "title"
        row = self.questions[key].row if key in self.questions else next(iter(self.questions.values())).row
        return row.field if hasattr(row, "field") else row.combo  # type: ignore[attr-defined,no-any-return]

    def error(self) -> str:
        """The first sentence that stands under a field; "" if all are well."""
        return next((q.row.error() for q in self.questions.values() if not q.row.isHidden() and not q.row.is_valid()), "")

    # --- building ---

    def _facts_card(self) -> Card:
        facts = self.proposal.facts
        card = Card(_("Read from the file"), parent=self)
        grid = QGridLayout()
        grid.setHorizontalSpacing(sizes().margin)
        grid.setVerticalSpacing(sizes().tight)
        grid.setColumnStretch(1, 1)
        asked, answers = self.proposal.asked, self.answers
        size = digits.file_size(facts.nbytes)
        lines = [(_("File"), _("{size}, opset {opset}").format(size=size, opset=facts.opset) if facts.opset else size)]
        if facts.producer:
            lines.append((_("Exported by"), facts.producer))
        lines += [(_("Input"), tensor.words) for tensor in facts.inputs]
        if "layout" not in asked:
            lines.append((_("Axes"), answers.layout))
        lines += [(_("Output"), tensor.words) for tensor in facts.outputs]
        ends = next((t.activation for t in facts.outputs if t.name == answers.output), "")
        if ends or answers.task in CLASSIFYING:
            words = _("probabilities") if ends == PROBABILITIES else ends
            lines.append((_("Ends with"), words or _("no activation: the numbers are no scores yet")))
        if facts.classes:
            lines.append((_("Classes"), ", ".join(facts.classes)))
        if facts.input_is_scaled:
            lines.append((_("Scaling"), _("in the graph itself")))
        if facts.feature:
            lines.append((_("Heat map"), _("exact, in the same run")))
        if facts.external:
            lines.append((_("Weights in"), ", ".join(name for name, _sum in facts.external)))
        for at, (name, value) in enumerate(lines):
            grid.addWidget(Label(name, "secondary", parent=card), at, 0, Qt.AlignmentFlag.AlignTop)
            said = Label(value, wrap=True, parent=card)
            said.setMinimumWidth(0)
            grid.addWidget(said, at, 1)
        grid.setColumnMinimumWidth(0, _LABELS - sizes().margin)
        card.body.addLayout(grid)
        return card

    def _fill(self, card: Card, *, is_asked: bool) -> None:
        for number, (title, keys) in enumerate(SECTIONS):
            wanted = [key for key in keys if (FOLLOWS.get(key, key) in self.proposal.asked) == is_asked]
            if not wanted:
                continue
            if number and is_asked:
                card.body.addSpacing(sizes().gap)
            card.body.addWidget(SectionTitle(_(title), parent=card))
            for key in wanted:
                question = self.questions[key] = self._make.make(key)
                question.row.set_label_width(_LABELS)
                question.row.validity_changed.connect(lambda _valid: self.changed.emit())
                card.add_row(question.row)
                question.show(self.proposal.answers)
                if isinstance(question.row, ChoiceRow | NumberRow | AutoNumberRow):  # Reset goes back to what was read or guessed
                    question.row.set_default(question.row.value())  # type: ignore[arg-type]

    def _show_known(self) -> None:
        self._fill(self._known, is_asked=False)
        self._known.show()
        self.more.hide()
        self._show()

    # --- answers ---

    def _take(self, change: Change) -> None:
        if self._showing:
            return
        self.answers = change(self.answers)
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        self._showing = True
        for question in self.questions.values():
            is_shown = question.is_shown(self.answers)
            question.row.setVisible(is_shown)
            if is_shown:
                question.show(self.answers)
        self._showing = False
