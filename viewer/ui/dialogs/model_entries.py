"""The installed models as lists show them: what each is called, its badges, and whether its file is what its card says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.core.errors import ModelUnusable
from viewer.core.model_card import ModelCard
from viewer.core.sentence import sentence_of
from viewer.core.words import gettext as _
from viewer.session.models import check_file, is_built_in
from viewer.ui.controls import Badge
from viewer.ui.theme import sizes

if TYPE_CHECKING:
    from viewer.ui.host import Host


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: a model, or (without a card) a folder whose card cannot be used. ``reason``: why it is damaged."""

    name: str
    title: str
    card: ModelCard | None
    reason: str
    is_built_in: bool

    @property
    def kind(self) -> str:
        """The word of its badge."""
        return _("Damaged") if self.reason else _("Built in") if self.is_built_in else _("Added")

    @property
    def words(self) -> str:
        """Its badges in words."""
        return self.kind if self.card is None or not self.card.is_benchmark else _("{kind}, benchmark").format(kind=self.kind)


def entries_of(host: Host, damaged: dict[str, str]) -> tuple[Entry, ...]:
    """The models, then what cannot be used. ``damaged``: the reasons that :func:`check_files` has found, by name."""
    shelf = host.models
    good = [Entry(c.name, _(c.title), c, damaged.get(c.name, ""), is_built_in(c)) for c in shelf.cards]
    return (*good, *(Entry(folder, folder, None, _(reason), False) for folder, reason in shelf.broken))


def check_files(host: Host, take: Callable[[dict[str, str]], None]) -> None:
    """Whether each file is what its card says, read once, in a thread; ``take`` gets the reasons why some are not, by name."""
    cards = host.models.cards

    def check(_progress: Callable[[int, int], None]) -> dict[str, str]:
        found = {}
        for card in cards:
            try:
                check_file(card)
            except ModelUnusable as err:
                found[card.name] = sentence_of(err)
        return found

    host.work.run_thread(check, _("Checking the models"), take, host.report, quiet=True)


def badges(entry: Entry, parent: QWidget) -> QWidget:
    """What it is, and whether it is for comparison only."""
    holder = QWidget(parent)
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(sizes().tight)
    row.addWidget(Badge(entry.kind, kind="err" if entry.reason else "", parent=holder))
    if entry.card is not None and entry.card.is_benchmark:
        row.addWidget(Badge(_("Benchmark"), parent=holder))
    row.addStretch(1)
    for badge in holder.findChildren(Badge):
        badge.ensurePolished()  # else its hint is that of the plain style
    row.invalidate()
    return holder
