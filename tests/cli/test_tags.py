"""``negatoscope tags``: the elements of one file, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydicom

from tests.cli.calls import run

FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def test_tags_lists_every_element_moved_in_by_its_depth(capsys: Any) -> None:
    code, out, err = run(capsys, "tags", FILES / "rtplan.dcm")
    assert (code, err) == (0, "")
    dataset = pydicom.dcmread(FILES / "rtplan.dcm")
    lines = [line for line in out.splitlines() if "Item" not in line.split()[:1]]
    assert len(lines) == len(list(dataset.iterall())) + len(dataset.file_meta)
    assert "  Item 1" in out.splitlines()
    assert "    (300A,0078) IS Number of Fractions Planned: 30" in out.splitlines()


def test_tags_search_gives_what_matches_and_what_holds_it(capsys: Any) -> None:
    code, out, _err = run(capsys, "tags", FILES / "rtplan.dcm", "--search", "NumberOfFractionsPlanned")
    assert code == 0
    assert [line.strip() for line in out.splitlines()] == [
        "(300A,0070) SQ Fraction Group Sequence: 1 item", "Item 1", "(300A,0078) IS Number of Fractions Planned: 30",
    ]  # fmt: skip
    code, out, err = run(capsys, "tags", FILES / "rtplan.dcm", "--search", "teapot")
    assert (code, out) == (2, "") and "teapot" in err


def test_tags_as_json_is_one_object(capsys: Any) -> None:
    _code, out, _err = run(capsys, "tags", FILES / "CT_small.dcm", "--json")
    found = {row["tag"]: row for row in json.loads(out)["elements"] if not row["depth"]}
    assert found["(0010,0020)"] == {
        "tag": "(0010,0020)", "vr": "LO", "keyword": "PatientID", "name": "Patient ID", "creator": "", "value": "1CT1", "bytes": 4, "depth": 0,
    }  # fmt: skip
    assert found["(0009,1001)"]["creator"] == "GEMS_IDEN_01" and found["(0009,1001)"]["name"]


def test_tags_refuses_what_is_no_dicom_file_in_a_sentence(capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague,")
    for path in (tmp_path / "letter.txt", tmp_path, tmp_path / "absent.dcm"):
        code, out, err = run(capsys, "tags", path)
        assert (code, out) == (2, "") and err.startswith("negatoscope: ") and err.rstrip().endswith(".")
