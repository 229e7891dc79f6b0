"""What a mark on the slice slider is, in a line for its tooltip."""

from __future__ import annotations

from viewer.core.words import gettext as _
from viewer.session.document import Document
from viewer.session.marks import Mark


def words_of_mark(document: Document, mark: Mark) -> str:
    """``Key image: nodule``, ``Distance 1  23.4 mm``; "" for what is gone."""
    item = document.item(mark.kind, mark.id)
    if item is None:
        return ""
    if mark.kind == "key_image":
        return _("Key image: {note}").format(note=item.note) if item.note else _("Key image")
    if mark.kind == "report":
        return _("Report: {title}").format(title=_(item.title))
    from viewer.ui.panels.measurements import names_of, value_text  # panels come after the first picture

    name = names_of(document, item.volume_id).get(item.id, "")
    return "  ".join(part for part in (name, value_text(item, document.volume(item.volume_id).geometry)) if part)
