"""Tables, recipes and pictures of masks: exact numbers, units in the head, nothing that is NaN, nothing that runs."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from viewer.core.annotation import Annotation, Measure
from viewer.core.errors import BadParameter, SaveFailed, UnreadableFile
from viewer.core.geometry import Geometry
from viewer.core.report import Column, Report, Score, Table
from viewer.io.recipe import RecipeStep, read_recipe, save_recipe
from viewer.io.write import annotations_table, reports_table, save_mask_picture, save_tables
from viewer.io.write.tables import csv_text, json_text

TABLE = Table("t", "Segment", (Column("Name"), Column("Volume", "mL"), Column("Voxels")), (("liver", 0.1 + 0.2, 4137), ("Grün, ü", None, 1)))


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_csv_has_units_in_the_head_and_full_numbers(tmp_path):
    save_tables(tmp_path / "t.csv", [TABLE, TABLE])
    rows = rows_of((tmp_path / "t.csv").read_text(encoding="utf-8-sig"))
    assert rows[0] == ["Name", "Volume (mL)", "Voxels"]
    assert float(rows[1][1]) == 0.1 + 0.2
    assert rows[2] == ["Grün, ü", "", "1"]
    assert rows[3] == []
    assert rows[4] == rows[0]


@given(st.lists(st.one_of(st.floats(), st.integers(), st.none(), st.text(max_size=20)), min_size=1, max_size=5))
def test_any_cell_survives_and_none_is_nan_or_a_formula(cells):
    table = Table("t", "x", tuple(Column(f"c{n}") for n in range(len(cells))), (tuple(cells),))
    loaded = json.loads(json_text([table]), parse_constant=lambda word: pytest.fail(word))
    for cell, back in zip(cells, loaded["tables"][0]["rows"][0], strict=True):
        assert back == (None if isinstance(cell, float) and not math.isfinite(cell) else cell)
    text = csv_text([table])
    for cell, back in zip(cells, rows_of(text)[1] or [""], strict=True):
        if isinstance(cell, float):
            assert (back == "") if not math.isfinite(cell) else float(back) == cell
        elif isinstance(cell, str) and cell:
            assert back[0] not in "=+-@\t"


def test_numbers_of_numpy_are_plain():
    table = Table("t", "x", (Column("a"), Column("b")), ((np.float64(0.5), np.int16(3)), (np.float32("nan"), np.float64("inf"))))
    assert json.loads(json_text([table]))["tables"][0]["rows"] == [[0.5, 3], [None, None]]
    assert rows_of(csv_text([table]))[1:] == [["0.5", "3"], ["", ""]]


def test_annotations_get_a_column_for_each_measure_and_unit():
    line = Annotation("a", "distance", "v", ((0, 0, 0), (3, 4, 0)), name="Nodule", measures=(Measure("Length", 5.0, "mm"),))
    ellipse = Annotation("b", "ellipse", "v", ((1, 1, 1), (2, 1, 1), (1, 2, 1)), measures=(Measure("Mean", -812.5, "HU"), Measure("SD", None, "HU")))
    table = annotations_table([line, ellipse], lambda _: "mm")
    heads = [column.head for column in table.columns]
    assert heads[:6] == ["Name", "Shape", "Phase", "x1 (mm)", "y1 (mm)", "z1 (mm)"]
    assert heads[-3:] == ["Length (mm)", "Mean (HU)", "SD (HU)"]
    assert table.rows[0][-3:] == (5.0, None, None)
    assert table.rows[1][-3:] == (None, -812.5, None)
    assert all(len(row) == len(heads) for row in table.rows)


def test_reports_get_a_column_for_each_class():
    scores = (Score("normal", 0.25), Score("pneumonia", 0.75))
    report = Report("r", "Chest", "v", 0, 0, "m", "1", "binary", scores, 0.5, "pneumonia", "CPU", 3.5, ("adult",))
    table = reports_table([report])
    row = dict(zip([c.head for c in table.columns], table.rows[0], strict=True))
    assert (row["normal"], row["pneumonia"], row["Time (ms)"], row["Warnings"]) == (0.25, 0.75, 3.5, "adult")


def test_other_endings_and_existing_files_are_refused(tmp_path):
    with pytest.raises(BadParameter, match=r"t\.xls"):
        save_tables(tmp_path / "t.xls", [TABLE])
    save_tables(tmp_path / "t.json", [TABLE])
    with pytest.raises(SaveFailed):
        save_tables(tmp_path / "t.json", [TABLE])


def test_a_recipe_reads_as_it_was_written(tmp_path):
    growing = RecipeStep("Segment/Region growing", {"seed": (1.5, -2.0, 3.25), "low": np.float64(-950)})
    steps = (RecipeStep("Enhance/Gamma", {"gamma": 0.6, "note": None}), growing)
    save_recipe(tmp_path / "r.toml", steps)
    assert read_recipe(tmp_path / "r.toml") == (
        RecipeStep("Enhance/Gamma", {"gamma": 0.6}),
        RecipeStep("Segment/Region growing", {"seed": [1.5, -2.0, 3.25], "low": -950.0}),
    )
    (tmp_path / "hand.toml").write_text('[[step]]\noperation = "Enhance/Gamma"\nparameters = { gamma = 0.6 }\n')
    assert read_recipe(tmp_path / "hand.toml") == (RecipeStep("Enhance/Gamma", {"gamma": 0.6}),)


@pytest.mark.parametrize(
    "text", ["", "x = [", "step = 3", "[[step]]\nparameters = {}", '[[step]]\noperation = "a"\nparameters = 3', "[" * 5000, "\xff"]
)
def test_what_is_no_recipe_gets_a_sentence(tmp_path, text):
    (tmp_path / "r.toml").write_text(text, encoding="latin-1")
    with pytest.raises(UnreadableFile, match=r"r\.toml"):
        read_recipe(tmp_path / "r.toml")


def test_masks_as_pictures_keep_their_labels_and_say_nothing_else(tmp_path):
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1, 2, 3], labels[0, 0, 4] = 2, 255
    geometry = Geometry((3, 4, 5), spacing=(3, 0.7, 0.5))
    save_mask_picture(tmp_path / "one.png", labels, geometry, plane=1)
    with Image.open(tmp_path / "one.png") as picture:
        assert np.array_equal(np.asarray(picture), labels[1])
        assert picture.info["dpi"] == pytest.approx((25.4 / 0.5, 25.4 / 0.7), rel=1e-3)
        assert set(picture.info) == {"dpi"}
    save_mask_picture(tmp_path / "set.png", labels, geometry)
    assert [p.name for p in sorted((tmp_path / "set").iterdir())] == ["0000.png", "0001.png", "0002.png"]
    for number, plane in enumerate(labels):
        with Image.open(tmp_path / "set" / f"{number:04d}.png") as picture:
            assert np.array_equal(np.asarray(picture), plane)
    with pytest.raises(SaveFailed):
        save_mask_picture(tmp_path / "set.png", labels, geometry)
    deep = labels.astype(np.uint16)
    deep[1, 0, 0] = 300
    save_mask_picture(tmp_path / "deep.png", deep[1:2], geometry)
    with Image.open(tmp_path / "deep.png") as picture:
        assert np.array_equal(np.asarray(picture), deep[1])
    with pytest.raises(BadParameter):
        save_mask_picture(tmp_path / "no.png", labels, geometry, plane=3)
