"""Reports, presentation states and key images: how they are listed, and each as text to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from viewer.core.errors import Refused, UnreadableFile
from viewer.core.provenance import Note
from viewer.core.words import _, mark
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.describe import object_name
from viewer.io.dicom.elements import Dataset
from viewer.io.objects import key_images, presentation, report
from viewer.io.objects.dataset import read_dataset
from viewer.io.objects.readable import Readable
from viewer.io.series import ObjectKind, SeriesEntry

_REPORT_CLASSES = "1.2.840.10008.5.1.4.1.1.88."


def document_kind(sop_class: str) -> ObjectKind:
    """Which of these an object is; "" for none."""
    if sop_class == key_images.KEY_OBJECT_SELECTION:
        return "key-images"
    if sop_class.startswith(_REPORT_CLASSES):
        return "report"
    return "presentation" if sop_class in presentation.PRESENTATION_CLASSES else ""


def listed_document(dataset: Dataset) -> tuple[ObjectKind, str, tuple[str, ...]] | None:
    """Kind, title and referenced series of such an object, for a listing; None for others. Lenient: what is missing is left out."""
    kind = document_kind(elements.text(dataset, 0x00080016))
    if kind == "presentation":
        state = presentation.presentation_of(dataset)
        return kind, presentation.title_words(state.label or state.description, len(state.images)), state.series_uids
    if kind == "key-images":
        found = key_images.key_images_of(dataset)
        return kind, key_images.title_words(found.title, len(found.references)), found.series_uids
    if kind == "report":
        title = report.title_of(dataset, elements.encodings(dataset)) or object_name(elements.text(dataset, 0x00080016)).removesuffix(" Storage")
        return kind, _("Report: {title}").format(title=title), report.series_of(dataset)
    return None


def read_document(path: Path, *, names: Mapping[str, str] | None = None) -> Readable:
    """A report, presentation state or key image document as text.

    Parameters
    ----------
    names : mapping, optional
        What images are called, by SOP instance UID (:func:`viewer.io.objects.readable.image_names`).

    Raises
    ------
    UnreadableFile
        The file cannot be understood.
    Refused
        It is another kind of object; the sentence says which.
    """
    dataset = read_dataset(path)
    sop_class = elements.text(dataset, 0x00080016)
    kind = document_kind(sop_class)
    known = names or {}
    if kind == "presentation":
        return presentation.readable_presentation(presentation.presentation_of(dataset), known)
    if kind == "key-images":
        return key_images.readable_key_images(key_images.key_images_of(dataset), known)
    try:
        return report.report_of(dataset, path, known)
    except UnreadableFile:
        if kind == "report":
            raise
        what = object_name(sop_class).removesuffix(" Storage") or _("a DICOM object of no known kind")
        text = _("{name} is no report, presentation state or list of key images, but: {what}. “negatoscope tags” lists its elements.")
        raise Refused(text.format(name=gate.harmless(path.name), what=what)) from None


# Kinds of object that are only listed: why, and what can be done with them.
_ONLY_LISTED: tuple[tuple[str, str], ...] = (
    ("1.2.840.10008.5.1.4.1.1.481.5", mark("A radiotherapy plan holds beams and doses to be given, no image.")),
    ("1.2.840.10008.5.1.4.1.1.481.8", mark("An ion therapy plan holds beams and doses to be given, no image.")),
    ("1.2.840.10008.5.1.4.1.1.481", mark("This radiotherapy object holds no image.")),
    ("1.2.840.10008.5.1.4.1.1.9.", mark("A waveform (an ECG, a sound) is a curve over time, no image; curves are not drawn here.")),
    ("1.2.840.10008.5.1.4.1.1.104.1", mark("An encapsulated PDF is a document, no image; it is not opened here.")),
    ("1.2.840.10008.5.1.4.1.1.104", mark("An encapsulated document or model is no image; it is not opened here.")),
    ("1.2.840.10008.5.1.4.1.1.66.5", mark("A surface segmentation holds meshes; surfaces are not drawn here.")),
    ("1.2.840.10008.5.1.4.1.1.66.1", mark("A spatial registration says how images lie to one another; it is not applied here.")),
    ("1.2.840.10008.5.1.4.1.1.66.3", mark("A deformable registration says how images lie to one another; it is not applied here.")),
    ("1.2.840.10008.5.1.4.1.1.66.2", mark("Fiducials are marked points; they are not drawn here.")),
    ("1.2.840.10008.5.1.4.1.1.66", mark("Raw data of a scanner hold no image that can be shown.")),
    ("1.2.840.10008.5.1.4.1.1.67", mark("A real world value mapping says what the values of other images mean; it is not applied here.")),
    ("1.2.840.10008.5.1.4.1.1.77.1.6", mark("A whole-slide image is made of tiles at several scales; it is not shown here.")),
    ("1.2.840.10008.5.1.4.1.1.77.1.8", mark("A confocal whole-slide image is made of tiles; it is not shown here.")),
    ("1.2.840.10008.5.1.4.1.1.91.1", mark("Annotations of a whole-slide image are not drawn here.")),
)  # fmt: skip


def with_words(entry: SeriesEntry, dataset: Dataset) -> SeriesEntry:
    """The entry of an object without a picture: documents by their title, the rest with a sentence on why they are only listed."""
    found = listed_document(dataset)
    if found is not None:
        kind, title, series = found
        return replace(entry, title=title, object_kind=kind, refers_to=series)
    sop_class = elements.text(dataset, 0x00080016)
    known = next((text for uid, text in _ONLY_LISTED if sop_class == uid or sop_class.startswith(uid if uid.endswith(".") else f"{uid}.")), "")
    sentence = _(known) if known else _("{title} holds no image that can be shown here.").format(title=entry.title)
    return replace(
        entry, notes=(*entry.notes, Note("file", _("{first} {second}").format(first=sentence, second=_("Its elements are in the tag browser."))))
    )
