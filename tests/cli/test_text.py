"""``negatoscope text``: documents as plain text or lines of JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydicom

from tests.cli.calls import run

FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def test_text_prints_a_report(capsys: Any) -> None:
    code, out, err = run(capsys, "text", FILES / "reportsi.dcm")
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == ["Document Title", "=============="]
    assert "  Report Text: Enter text" in out.splitlines()


def test_text_names_images_by_series_and_number_where_the_study_is_given(capsys: Any, shared_data: Path) -> None:
    key = shared_data / "single" / "made_ko.dcm"
    assert "CT Image 1.3.6.1.4.1.14519" in run(capsys, "text", key)[1]
    _code, out, _err = run(capsys, "text", key, shared_data / "ct_chest_lidc", "--json")
    lines = json.loads(out)["lines"]
    numbers = {str(d.SOPInstanceUID): d.InstanceNumber for d in map(pydicom.dcmread, (shared_data / "ct_chest_lidc").iterdir())}
    wanted = [i.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for i in pydicom.dcmread(key).ContentSequence if i.ValueType == "IMAGE"]
    assert [line["text"] for line in lines if line["kind"] == "paragraph"] == [f"CT Image, series 30026, image {numbers[uid]}" for uid in wanted]


def test_text_refuses_what_is_no_document_in_a_sentence(capsys: Any, tmp_path: Path) -> None:
    for path in (FILES / "CT_small.dcm", FILES / "rtplan.dcm", tmp_path, tmp_path / "absent.dcm"):
        code, out, err = run(capsys, "text", path)
        assert (code, out) == (2, "") and err.startswith("negatoscope: ") and err.rstrip().endswith(".")
