"""What programs read (JSON, tables, recipes, volumes) is the same in every language; what people read is in theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from tests.cli import calls
from viewer.core import words
from viewer.core.geometry import Geometry
from viewer.io.write import save_array

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    yield
    words.use("en")


@pytest.fixture
def blocks(tmp_path: Path) -> Path:
    values = np.zeros((6, 40, 40), np.int16)
    values[1:4, 8:20, 8:20] = 500
    values[2:5, 24:34, 24:34] = 900
    save_array(tmp_path / "blocks.nrrd", values, Geometry(values.shape, (10.0, -20.0, 30.0), (3.0, 0.7, 0.5)))
    save_array(tmp_path / "mask.nrrd", (values > 0).astype(np.uint8), Geometry(values.shape, (10.0, -20.0, 30.0), (3.0, 0.7, 0.5)))
    return tmp_path / "blocks.nrrd"


def run(capsys: Any, language: str, *arguments: object) -> tuple[int, str, str]:
    return calls.run(capsys, "--language", language, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("info", FILES, "--json"),
        ("tags", FILES / "CT_small.dcm", "--json"),
        ("text", FILES / "reportsi.dcm", "--json"),
        ("operations", "--json"),
        ("plugins", "--json"),
        ("models", "--json"),
        ("text", FILES / "CT_small.dcm", "--json"),
        ("info", FILES / "no such file.dcm", "--json"),
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_json_is_the_same_in_every_language(capsys: Any, arguments: tuple[object, ...]) -> None:
    english, chinese = (run(capsys, language, *arguments) for language in ("en", "zh_CN"))
    assert english[0] == chinese[0] and english[1].startswith("{")
    assert english[1] == chinese[1]
    assert not HAN.search(chinese[1].encode().decode("unicode_escape")) or HAN.search(english[1].encode().decode("unicode_escape"))


def test_json_of_real_series_and_objects_is_the_same(capsys: Any, shared_data: Path) -> None:
    for folder in ("petctmr_sts001", "nifti_nrrd", "single", "cxr_native"):
        english, chinese = (run(capsys, language, "info", shared_data / folder, "--json") for language in ("en", "zh_CN"))
        assert english[1] == chinese[1], folder
        assert not english[2] or HAN.search(chinese[2]), "what goes to people is Chinese"


@pytest.mark.parametrize("name", ["s.csv", "s.json"])
@pytest.mark.parametrize("operation", ["Measure/Segment statistics", "Measure/Hough circles"])
def test_tables_are_the_same_in_every_language(capsys: Any, blocks: Path, operation: str, name: str) -> None:
    more = ("--mask", blocks.parent / "mask.nrrd") if "Segment" in operation else ("--index", 2)
    written = []
    for language in ("en", "zh_CN"):
        out = blocks.parent / language / name
        out.parent.mkdir()
        assert run(capsys, language, "apply", operation, blocks, *more, "--out", out)[0] == 0
        written.append(out.read_bytes())
    assert written[0] == written[1] and not HAN.search(written[1].decode("utf-8-sig"))


def test_errors_of_readers_workers_and_forms_are_in_the_language(capsys: Any, blocks: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.nii").write_bytes(b"\x5c\x01\0\0" + bytes(340) + b"n+1\0")
    out = tmp_path / "out.nrrd"
    for arguments, english, chinese in (
        (("info", tmp_path / "absent.dcm"), "there is no such file or folder", "没有这个文件或文件夹"),
        (("apply", "Enhance/Gaussian", blocks, "--param", "sigma=much", "--out", out), "which is not a number", "不是数字"),
        (("apply", "Enhance/Gaussian", blocks, "--param", "sigma=900", "--out", out), "it must be", "必须"),
        (("apply", "Segment/Region growing", blocks, "--out", out), "There is no seed", "没有种子点"),
        (("apply", "Enhance/Nothing", blocks, "--out", out), "There is no operation", "没有操作"),
    ):
        for language, said in (("en", english), ("zh_CN", chinese)):
            code, _out, err = run(capsys, language, *arguments)
            assert code == 2 and said in err, (language, arguments, err)


def test_how_an_image_is_shown_is_told_in_chinese_without_a_word_of_english_sentences(capsys: Any, shared_data: Path) -> None:
    code, out, _err = run(capsys, "zh_CN", "info", "--explain", shared_data / "petctmr_sts001")
    assert code == 0 and "模态值" in out and "层面" in out
    sentences = [line.strip()[2:] for line in out.splitlines() if line.strip().startswith(("- ", "! "))]
    assert len(sentences) > 40
    # Names of DICOM's elements, units and formulas stay; three small words in a row do not.
    assert [s for s in sentences if re.search(r"(?:\b[a-z]{2,}\b ?){3}", s)] == []
