"""What finding says of an entry's files: how many, by what they belong together, and who else has the same series UID."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from viewer.core.provenance import Note
from viewer.core.sentence import whole
from viewer.core.words import _, ngettext
from viewer.io import gate
from viewer.io.dicom.header import Header
from viewer.io.series import SeriesEntry


def file_note(headers: Sequence[Header]) -> Note:
    """How many files, how large, and why these."""
    count, lead = len(headers), headers[0]
    size = gate.amount(sum(header.size for header in headers))
    if lead.frame_count > 1 and count == 1:
        return Note("file", _("One file with {frames} frames, {size}.").format(frames=lead.frame_count, size=size))
    if not lead.series_uid:
        return Note("file", _("One file, {size}. It has no series UID, so it stands alone.").format(size=size))
    files = ngettext("{count} file", "{count} files", count)
    return Note("file", _("{files}, {size}: of one series UID, one study and one patient.").format(files=files, size=size))


def with_strangers(entry: SeriesEntry, others: int) -> SeriesEntry:
    """The entry, warned that files of other patients or studies carry its series UID (RELIABILITY C26)."""
    text = ngettext(
        "{count} file of another patient or study has the same series UID; it is listed apart",
        "{count} files of another patient or study have the same series UID; they are listed apart",
        others,
    )
    return replace(entry, warnings=(*entry.warnings, text), notes=(*entry.notes, Note("series", whole(text), is_warning=True)))
