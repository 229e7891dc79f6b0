"""Key sequences as caps, and the words that the palette and the key sheet show of an action."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeySequence, QPainter

from viewer.core.words import gettext as _
from viewer.ui.action_table import ActionSpec
from viewer.ui.actions import Actions
from viewer.ui.controls.painting import rounded
from viewer.ui.theme import font, sizes, tokens


def keys_of(actions: Actions, spec: ActionSpec) -> tuple[str, ...]:
    """The action's keys in the system's words."""
    return actions.shown_keys(spec.id)


def shown(key: str) -> str:
    """A key of the key files in the system's words."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def scope_title(scope: str) -> str:
    """Where keys of a scope count, in words."""
    titles = {"G": _("everywhere"), "V": _("in a view"), "S": _("with a segment tool"), "C": _("while playing")}
    return str(titles[scope])


def title_of(actions: Actions, spec: ActionSpec) -> str:
    """What the action does, with the name of the step for undo and redo."""
    return actions[spec.id].text() if spec.id in ("edit.undo", "edit.redo") else _(spec.title)


def paint_caps(painter: QPainter, right: float, middle: float, keys: str) -> float:
    """Paint a sequence as caps that end at ``right``; returns where they begin."""
    face = font("caption")
    metrics = QFontMetrics(face)
    parts = keys.split("+") if keys not in ("+", "") and not keys.endswith("++") else [keys]
    painter.setFont(face)
    for part in reversed(parts):
        width = max(metrics.horizontalAdvance(part) + 2 * sizes().gap, metrics.height() + sizes().tight)
        box = QRectF(right - width, middle - (metrics.height() + sizes().tight) / 2, width, metrics.height() + sizes().tight)
        rounded(painter, box, sizes().radius_badge, fill=tokens().raised, edge=tokens().line)
        painter.setPen(QColor(tokens().text2))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, part)
        right = box.left() - sizes().tight
    return right
