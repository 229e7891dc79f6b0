"""What reading did to the pixels of a series, in sentences: syntax, decoder, how many frames, which of them failed."""

from __future__ import annotations

from collections import Counter

from viewer.core.provenance import Note
from viewer.core.words import _, mark, ngettext
from viewer.io.dicom.filling import Frames
from viewer.io.dicom.order import Cell
from viewer.io.dicom.syntaxes import BIG_ENDIAN, CODECS, DEFLATED, EXPLICIT, IMPLICIT

_NATIVE = {
    EXPLICIT: mark("explicit little endian"),
    IMPLICIT: mark("implicit little endian"),
    BIG_ENDIAN: mark("explicit big endian"),
    DEFLATED: mark("explicit little endian, the whole file deflated"),
}
_LISTED = 20


def decoding_notes(frames: Frames) -> tuple[Note, ...]:
    """One note for each transfer syntax and packing of bits among the frames that were read, and one for those that failed."""
    headers, slots, failures = frames.headers, frames.slots, frames.failures
    syntaxes = Counter(headers[h].syntax for row in slots for h, _n in row)
    notes = [Note("decoding", _of_syntax(syntax, count, {by for s, by in frames.decoders if s == syntax})) for syntax, count in syntaxes.items()]
    kinds = Counter((lead.bits_allocated, lead.bits_stored, lead.high_bit, lead.is_signed) for lead in (headers[h] for row in slots for h, _n in row))
    lead = headers[slots[0][0][0]]
    if lead.samples == 1 and lead.pixels is not None and lead.pixels.tag == 0x7FE00010:
        notes += [Note("values", _of_bits(*kind)) for kind in kinds]
    if failures:
        places = sorted(failures)
        shown = ", ".join(_place(cell, len(slots)) for cell in places[:_LISTED]) + (" ..." if len(places) > _LISTED else "")
        text = _("{frames} could not be read: {places}.").format(frames=_frames(len(places)), places=shown)
        notes.append(Note("decoding", text, is_warning=True))
    return tuple(notes)


def _of_syntax(syntax: str, count: int, decoders: set[int]) -> str:
    """``decoders``: which of the codec's packages were at work; -1 stands for any of them."""
    codec = CODECS.get(syntax)
    if codec is None:
        how = _(_NATIVE.get(syntax, _NATIVE[EXPLICIT]))
        return _("{frames}, uncompressed ({how}).").format(frames=_frames(count), how=how)
    used = codec.packages if -1 in decoders or not decoders else [codec.packages[n] for n in sorted(decoders)]
    by = _(" or ").join(_("this program") if package == "viewer" else package for package in used)
    kind = _("lossy") if codec.is_lossy else _("lossless")
    text = _("{frames} in {codec} ({uid}), {kind}, decoded by {by}.")
    return text.format(frames=_frames(count), codec=codec.name, uid=syntax, kind=kind, by=by)


def _frames(count: int) -> str:
    return ngettext("{count} frame", "{count} frames", count)


def _of_bits(allocated: int, stored: int, high: int, is_signed: bool) -> str:
    if allocated == 1:
        return _("Stored as one bit a pixel, unpacked to 0 and 1.")
    sign = _("signed") if is_signed else _("unsigned")
    if high != stored - 1:
        text = _("Stored values: {stored} of {allocated} bits, {sign}, the highest is bit {high}: shifted down, other bits dropped.")
        return text.format(stored=stored, allocated=allocated, sign=sign, high=high)
    if stored < allocated:
        return _("Stored values: {stored} of {allocated} bits, {sign}; the bits above are dropped.").format(
            stored=stored, allocated=allocated, sign=sign
        )
    return _("Stored values: {stored} bits, {sign}.").format(stored=stored, sign=sign)


def _place(cell: Cell, phases: int) -> str:
    phase, plane = cell
    if phases == 1:
        return _("plane {number}").format(number=plane + 1)
    return _("plane {number} of phase {phase}").format(number=plane + 1, phase=phase + 1)
