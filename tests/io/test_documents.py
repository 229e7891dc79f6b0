"""Reports, presentation states and key images read as what they say; values from the files by pydicom, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from viewer.core.errors import Refused, UnreadableFile
from viewer.core.window import Window
from viewer.io import open as opening
from viewer.io.objects import report
from viewer.io.objects.documents import read_document
from viewer.io.objects.key_images import read_key_images
from viewer.io.objects.presentation import read_presentation
from viewer.io.objects.readable import as_text, date_words, image_names, person_words, time_words

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
FIRST = "1.3.6.1.4.1.14519.5.2.1.6279.6001.121298545852230704937296550394"
SECOND = "1.3.6.1.4.1.14519.5.2.1.6279.6001.814076352096404666467230520675"
CT_SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.154677396354641150280013275227"


def numbers_of(dataset: Dataset) -> list[str]:
    """Every numeric value of a content tree, by pydicom."""
    found = []
    for item in dataset.get("ContentSequence", []):
        if item.ValueType == "NUM":
            found.append(str(item.MeasuredValueSequence[0].NumericValue))
        found += numbers_of(item)
    return found


# --- reports ---------------------------------------------------------------------------------------------------------


def test_f07_a_measurement_report_gives_every_number_with_its_unit(shared_data: Path) -> None:
    path = shared_data / "single" / "dcmqi_sr.dcm"
    document = read_document(path)
    text = as_text(document)
    assert document.title == "Imaging Measurement Report"
    wanted = numbers_of(pydicom.dcmread(path))
    assert len(wanted) > 20
    assert [number for number in wanted if f": {number}" not in text] == []
    for line in (
        "SUVbw, Mean: 6.01529 SUVbw g/ml",
        "Volume, Sum of segmented voxel volumes: 33.5824 ml",
        "Percent Within First Quarter of Intensity Range: 29.434 %",
        "Finding: Neoplasm, Primary",
        "Person Observer Name: User2",
        "Study Date: 1986-03-11",
        "Study Time: 11:42:43",
    ):
        assert f"    {line}\n" in text or f"\n{line}\n" in text, line


def test_a_report_of_every_kind_of_item_is_written_in_the_order_of_its_tree() -> None:
    text = as_text(read_document(FILES / "test-SR.dcm"))
    assert text.splitlines()[:5] == ["Diagnosis", "=========", "Date: 2001-02-13 18:47:46", "State: complete, verified",
                                     "Verified by: Jörg Riesmeier, OFFIS e.V., 2001-02-13 18:47:46"]  # fmt: skip
    wanted = ["Some UID: 1.2.3.4.5", "Text Code: A mass of", "Code: Sample Code 1", "Diameter, Sample Code: 3 cm", "Text Code: was detected.",
              "circle, 2 points: 0, 0; 255, 255 pixels", "segment, 1.000000 s, 2.500000 s", "see item 1.3.2", "Date: 2000-12-06", "Time: 12:00:00",
              "DateTime: 2000-12-06 12:00:00", "CT Image 1.2.3.4.5.0, frames 5, 2", "MR Image 1.2.3.4.0.1"]  # fmt: skip
    places = [text.index(words) for words in wanted]
    assert places == sorted(places)


def test_items_that_flow_are_one_text(shared_data: Path) -> None:
    text = as_text(read_document(shared_data / "single" / "report_dfl"))
    assert "This 78-year-old gentleman referred by Dr. Fukuda was also seen by Dr. Mason at the Redlands Clinic." in text
    assert "Observer Name: David M. Packer, M. D." in text


def test_a_basic_text_report_reads_its_sections() -> None:
    lines = as_text(read_document(FILES / "reportsi.dcm")).splitlines()
    assert lines[lines.index("Section Heading") + 1] == "  Report Text: Enter text"
    assert read_document(FILES / "reportsi_with_empty_number_tags.dcm").title == "Document Title"


def test_images_are_named_by_series_and_number_where_they_are_known(shared_data: Path) -> None:
    names = image_names(opening.find([shared_data / "ct_chest_lidc"]).series)
    instance = {str(d.SOPInstanceUID): int(d.InstanceNumber) for d in map(pydicom.dcmread, sorted((shared_data / "ct_chest_lidc").iterdir()))}
    document = read_document(shared_data / "single" / "made_ko.dcm", names=names)
    wanted = [f"CT Image, series 30026, image {instance[uid]}" for uid in (FIRST, SECOND)]
    assert [line.text for line in document.lines if line.kind == "paragraph"] == wanted


def made_report(tmp_path: Path, content: list[Dataset], **values: Any) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.88.33", "1.2.3", "SR"
    dataset.ValueType, dataset.ContentSequence = "CONTAINER", Sequence(content)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(tmp_path / "report.dcm", enforce_file_format=True)
    return tmp_path / "report.dcm"


def named(name: str, kind: str, **values: Any) -> Dataset:
    item, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99", name
    item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = "CONTAINS", kind, [code]
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def test_text_keeps_its_lines_and_loses_what_could_act_on_a_screen(tmp_path: Path) -> None:
    path = made_report(tmp_path, [named("Finding", "TEXT", TextValue="first\r\nsecond\x1b[31m <b>x</b>")], SpecificCharacterSet="ISO_IR 192")
    (line,) = read_document(path).lines
    assert (line.label, line.text) == ("Finding", "first\nsecond\N{REPLACEMENT CHARACTER}[31m <b>x</b>")


def test_a_number_without_a_value_says_so(tmp_path: Path) -> None:
    empty = named("Length", "NUM", MeasuredValueSequence=[])
    (line,) = read_document(made_report(tmp_path, [empty])).lines
    assert (line.label, line.text) == ("Length", "no value")


def test_nesting_and_length_are_capped_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = named("deepest", "TEXT", TextValue="x")
    for _level in range(report.MAX_DEPTH + 10):
        item = named("level", "CONTAINER", ContentSequence=[item])
    document = read_document(made_report(tmp_path, [item]))
    assert len(document.lines) <= report.MAX_DEPTH + 1 and "deep" in document.notes[0]
    monkeypatch.setattr(report, "MAX_LINES", 10)
    document = read_document(made_report(tmp_path, [named("n", "TEXT", TextValue=str(n)) for n in range(50)]))
    assert len(document.lines) == 10 and "more than 10 lines" in document.notes[0]


def test_what_is_no_document_is_refused_by_its_name(shared_data: Path) -> None:
    with pytest.raises(Refused, match="but: Segmentation"):
        read_document(shared_data / "single" / "dcmqi_seg.dcm")
    with pytest.raises(UnreadableFile, match="no presentation state"):
        read_presentation(FILES / "test-SR.dcm")
    with pytest.raises(UnreadableFile, match="no key images"):
        read_key_images(FILES / "test-SR.dcm")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Packer^David M.^^^M. D.", "David M. Packer, M. D."),
        ("Fukuda^^^Dr.", "Dr. Fukuda"),
        ("Wang^XiaoDong=王^小東", "XiaoDong Wang (小東 王)"),
        ("", ""),
    ],
)
def test_names_of_persons_read_as_they_are_spoken(written: str, read: str) -> None:
    assert person_words(written) == read


def test_dates_and_times_read_as_iso() -> None:
    assert [date_words(t) for t in ("20241231", "20241231142233.5", "2024", "x")] == ["2024-12-31", "2024-12-31 14:22:33", "2024", "x"]
    assert [time_words(t) for t in ("142233.5", "1422", "14")] == ["14:22:33", "14:22", "14"]


# --- presentation states ---------------------------------------------------------------------------------------------


def test_d46_a_presentation_state_is_read_whole(shared_data: Path) -> None:
    state = read_presentation(shared_data / "single" / "made_gsps.dcm")
    assert (state.label, state.description, state.date) == ("LUNG", "window -600 1500", "20000101")
    assert [(r.sop_uid, r.series_uid) for r in state.images] == [(FIRST, CT_SERIES), (SECOND, CT_SERIES)]
    assert state.series_uids == (CT_SERIES,)
    assert state.rescale == (1.0, -1000.0, "US")
    assert [(v.images, v.windows) for v in state.voi] == [((), (Window(-600, 1500),))]
    assert (state.lut_shape, state.has_lut, state.rotation, state.is_flipped) == ("IDENTITY", False, 0, False)
    (area,) = state.areas
    assert (area.top_left, area.bottom_right, area.size_mode, area.aspect) == ((1, 1), (512, 512), "SCALE TO FIT", (1, 1))
    (drawn,) = state.annotations
    assert [r.sop_uid for r in drawn.images] == [FIRST]
    line, circle = drawn.graphics
    assert (line.kind, line.units, line.points, line.is_filled, line.layer) == (
        "POLYLINE", "PIXEL", ((100, 100), (200, 100), (200, 180), (100, 100)), False, "LAYER1",
    )  # fmt: skip
    assert (circle.kind, circle.points) == ("CIRCLE", ((256, 256), (286, 256)))
    (text,) = drawn.texts
    assert (text.text, text.box_units, text.box, text.justification, text.anchor) == (
        "negatoscope test", "PIXEL", ((50, 50), (150, 70)), "CENTER", None,
    )  # fmt: skip
    assert [(layer.name, layer.order, layer.description) for layer in state.layers] == [("LAYER1", 1, "test layer")]
    assert state.shutter is None and state.notes == ()


def changed(tmp_path: Path, source: Path, **values: Any) -> Path:
    dataset = pydicom.dcmread(source)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(tmp_path / "changed.dcm")
    return tmp_path / "changed.dcm"


def test_d46_orientation_inversion_shutter_and_what_is_not_done_are_said(tmp_path: Path, shared_data: Path) -> None:
    path = changed(
        tmp_path, shared_data / "single" / "made_gsps.dcm", ImageRotation=270, ImageHorizontalFlip="Y", PresentationLUTShape="INVERSE",
        ShutterShape=["RECTANGULAR", "CIRCULAR"], ShutterLeftVerticalEdge=2, ShutterRightVerticalEdge=9, ShutterUpperHorizontalEdge=3,
        ShutterLowerHorizontalEdge=7, CenterOfCircularShutter=[5, 6], RadiusOfCircularShutter=4, MaskSubtractionSequence=[Dataset()],
    )  # fmt: skip
    state = read_presentation(path)
    assert (state.rotation, state.is_flipped, state.lut_shape) == (270, True, "INVERSE")
    assert state.shutter is not None
    assert (state.shutter.rectangle, state.shutter.circle) == ((2, 6, 1, 8), (4, 5, 4))
    assert any("subtraction" in note for note in state.notes)
    text = as_text(read_document(path))
    for words in ("Orientation: rotated by 270°, flipped left to right", "Grey scale: inverted", "Shutter: rectangular, circular"):
        assert words in text


def test_a_rotation_that_is_none_of_four_is_left_out_and_said(tmp_path: Path, shared_data: Path) -> None:
    state = read_presentation(changed(tmp_path, shared_data / "single" / "made_gsps.dcm", ImageRotation=45))
    assert state.rotation == 0 and "45°" in state.notes[0]


# --- key images ------------------------------------------------------------------------------------------------------


def test_f08_key_images_are_read(shared_data: Path) -> None:
    found = read_key_images(shared_data / "single" / "made_ko.dcm")
    assert (found.title.value, found.title.scheme, found.title.meaning) == ("113000", "DCM", "Of Interest")
    assert (found.description, found.date, found.series_uids) == ("two slices through the nodule", "20000101", (CT_SERIES,))
    assert [(r.sop_class, r.sop_uid, r.series_uid, r.frames) for r in found.references] == [
        ("1.2.840.10008.5.1.4.1.1.2", FIRST, CT_SERIES, ()), ("1.2.840.10008.5.1.4.1.1.2", SECOND, CT_SERIES, ()),
    ]  # fmt: skip


# --- listings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "title"),
    [
        ("made_gsps.dcm", "presentation", "Presentation state: LUNG, 2 images"),
        ("made_ko.dcm", "key-images", "Key images: Of Interest, 2 images"),
        ("dcmqi_sr.dcm", "report", "Report: Imaging Measurement Report"),
        ("report_dfl", "report", "Report: Consultation Report"),
    ],
)
def test_documents_are_listed_as_what_they_are(shared_data: Path, name: str, kind: str, title: str) -> None:
    (entry,) = opening.find([shared_data / "single" / name]).series
    assert (entry.kind, entry.object_kind, entry.title) == ("other", kind, title)
    if kind in ("presentation", "key-images"):
        assert entry.refers_to == (CT_SERIES,)


def test_series_of_a_report_are_those_of_its_evidence(shared_data: Path) -> None:
    path = shared_data / "single" / "dcmqi_sr.dcm"
    (entry,) = opening.find([path]).series
    evidence = pydicom.dcmread(path).CurrentRequestedProcedureEvidenceSequence
    assert set(entry.refers_to) == {series.SeriesInstanceUID for study in evidence for series in study.ReferencedSeriesSequence}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pydicom:rtplan.dcm", "radiotherapy plan"), ("pydicom:waveform_ecg.dcm", "waveform"), ("dcmqi_rwvm.dcm", "real world value mapping"),
        ("sm_image.dcm", "whole-slide"), ("sm_annotations.dcm", "whole-slide"), ("wave_dfl", "waveform"),
    ],
)  # fmt: skip
def test_objects_that_are_only_listed_say_why(shared_data: Path, name: str, words: str) -> None:
    path = FILES / name.removeprefix("pydicom:") if name.startswith("pydicom:") else shared_data / "single" / name
    (entry,) = opening.find([path]).series
    assert (entry.kind, entry.object_kind) == ("other", "")
    assert words in entry.notes[-1].text and entry.notes[-1].text.endswith("tag browser.")
