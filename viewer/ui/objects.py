"""Objects of the browser that are no pictures (segmentations, structures, doses, reports ...): what they are called, and who shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from viewer.core.words import gettext as _
from viewer.core.words import mark, ngettext
from viewer.io.series import ObjectKind, SeriesEntry

if TYPE_CHECKING:
    from viewer.ui.host import Host
    from viewer.ui.opening import Opener

Handler = Callable[["Host", "Opener", SeriesEntry], None]


def _show_segments(host: Host, opener: Opener, entry: SeriesEntry) -> None:
    from viewer.ui.segment_objects import show_segments

    show_segments(host, opener, entry)


def _show_document(host: Host, opener: Opener, entry: SeriesEntry) -> None:
    from viewer.ui.dialogs.report import show_document

    show_document(host, opener, entry)


HANDLERS: dict[ObjectKind, Handler] = {
    "segmentation": _show_segments,
    "structures": _show_segments,
    "report": _show_document,
    "presentation": _show_document,
    "key-images": _show_document,
}
"""Who shows which kind. A handler runs on the window's thread, reads through ``host.work`` and says what it could not do."""

NAMES: dict[ObjectKind, str] = {
    "segmentation": mark("Segmentation"),
    "structures": mark("Structure set"),
    "dose": mark("Dose"),
    "map": mark("Parametric map"),
    "report": mark("Report"),
    "presentation": mark("Presentation state"),
    "key-images": mark("Key images"),
}
ICONS: dict[ObjectKind, str] = {
    "segmentation": "blend",
    "structures": "pentagon",
    "dose": "flame",
    "map": "flame",
    "report": "type",
    "presentation": "contrast",
    "key-images": "images",
}


def read_onto(
    host: Host, entry: SeriesEntry, read: Callable[[Callable[[int, int], None]], Any], is_laid: Callable[[], bool], take: Callable[[Any], None]
) -> None:
    """Read an object beside the window and hand it to ``take`` on the window's thread.

    A stroke that is being drawn is waited for. Nothing is taken once the document has gone, or where ``is_laid`` says that the
    object came another way while it was read.
    """
    document = host.document

    def ready(found: Any) -> None:
        if not is_laid():
            with host.reporting():
                take(found)

    def done(found: Any) -> None:
        host.when_still(document, lambda: ready(found))

    host.work.run_thread(read, _("Opening {title}").format(title=entry.title), done, host.report)


def object_count(entry: SeriesEntry) -> str:
    """How much is in an object, in two words; "" where that is not counted."""
    count = getattr(entry.plan, "count", None)
    if count is None or entry.object_kind not in ("segmentation", "structures"):
        return ""
    if entry.object_kind == "structures":
        return ngettext("{count} structure", "{count} structures", count)
    return ngettext("{count} segment", "{count} segments", count)


def object_name(entry: SeriesEntry) -> str:
    """What an object is, in one or two words; "" for what is only listed."""
    name = NAMES.get(entry.object_kind, "")
    return _(name) if name else ""


def show_object(host: Host, opener: Opener, entry: SeriesEntry) -> None:
    """Show an object by the handler of its kind; where there is none, say what it is and that it cannot be shown."""
    handler = HANDLERS.get(entry.object_kind)
    if handler is not None:
        with host.reporting():
            handler(host, opener, entry)
        return
    said = [_(note.text) for note in entry.notes if note.topic == "file"]  # the others are of its folder, or of how it was sorted
    if said:
        host.say("info", said[-1])
        return
    what = object_name(entry)
    title = entry.title or entry.identity.series_description
    if what and title and what.casefold() != title.casefold():
        host.say("info", _("{title} ({kind}) is listed, but cannot be shown.").format(title=title, kind=what))
    else:
        host.say("info", _("{title} is listed, but cannot be shown.").format(title=title or what))
