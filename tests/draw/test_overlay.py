from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from viewer.core import words
from viewer.core.annotation import Annotation, Measure
from viewer.core.geometry import Geometry
from viewer.core.volume import Identity, Volume
from viewer.core.window import VoiLut, Window
from viewer.draw.corners import Corners, age_text, clock, corners, iso_date, person, position_text
from viewer.draw.figures import chip_text, round_length, window_figures
from viewer.draw.shapes import chip_lines
from viewer.session.document import Document
from viewer.session.view import ViewState, ViewWish, resolve

WHO = Identity(
    patient_id="SECRET-ID", patient_name="Secret, Name", patient_sex="F", patient_age="058Y", patient_birth_date="19660102", study_date="20240318",
    study_time="094130.5", study_description="Secret chest", accession="SECRET-ACC", institution="Secret Clinic", series_uid="1.2", series_number="3",
    series_description="t1_vibe", modality="CT",
)  # fmt: skip


def state_of(wish: ViewWish | None = None, **facts: Any) -> ViewState:
    grid = facts.pop("geometry", Geometry((72, 8, 8), (-10, -20, 5.2), (2.5, 0.7, 0.7)))
    data = np.zeros((facts.pop("phases", 1), *grid.shape), np.int16)
    volume = Volume("root", data, grid, **{"unit": "HU", "identity": WHO, "windows": (Window(40, 400, name="Soft tissue"),), **facts})
    document = Document()
    document.add_source(volume)
    return resolve(wish or ViewWish("root", index=40), document)


def lines(found: Corners) -> str:
    return "\n".join([*found.top_left, *found.top_right, *found.bottom_left, *found.bottom_right])


def test_the_corners_say_who_what_where_and_how() -> None:
    found = corners(state_of(), zoom_percent=200, probe="123 HU")
    assert found.top_left == ("Secret, Name", "F 58 y · ID SECRET-ID")
    assert found.top_right == ("Secret Clinic", "2024-03-18 09:41", "Secret chest", "SECRET-ACC")
    assert found.bottom_left == ("Series 3  t1_vibe", "Slice 41 / 72  H 105.2 mm", "Spacing 2.5 mm")
    assert found.bottom_right == ("123 HU", "W 400  L 40  Soft tissue", "Zoom 200 %")


def test_without_identity_nobody_is_named() -> None:
    text = lines(corners(state_of(title="SECRET file.dcm", identity=replace(WHO, series_description="")), zoom_percent=100, identity=False))
    assert "secret" not in text.lower()
    assert "2024" not in text
    assert "58" not in text
    assert "Slice 41 / 72" in text


def test_missing_values_leave_their_line_out() -> None:
    unknown = Geometry((1, 8, 8), is_patient=False, in_plane_known=False, between_known=False)
    found = corners(state_of(identity=Identity(), geometry=unknown, windows=(), unit=""), zoom_percent=100)
    assert (found.top_left, found.top_right, found.bottom_left) == ((), (), ())
    for word in ("None", "nan", "Unknown", "mm"):
        assert word not in lines(found)


def test_the_part_of_a_series_is_named_without_identity_too() -> None:
    found = corners(state_of(title="t1_vibe, localiser"), zoom_percent=100, identity=False)
    assert found.bottom_left[0] == "Series 3  t1_vibe, localiser"


@pytest.mark.parametrize(("number", "place"), [(0, "H 5.2 mm"), (2, "H 9.7 mm"), (4, "H 32.2 mm")])
def test_d59_each_slice_of_an_uneven_stack_tells_its_own_place(number: int, place: str) -> None:
    origins = tuple((-10.0, -20.0 + lean, 5.2 + height) for height, lean in ((0, 0), (2, 0.5), (4.5, 1), (6, 2), (27, 9)))
    grid = Geometry((5, 8, 8), origins[0], (2.0, 0.7, 0.7), between_known=False, plane_origins=origins)
    state = state_of(ViewWish("root", index=number), geometry=grid)
    assert position_text(state) == place
    found = corners(state, zoom_percent=100)
    assert found.bottom_left[1] == f"Slice {number + 1} / 5  {place}"
    assert "Spacing" not in lines(found)


def test_short_texts_and_none() -> None:
    short = corners(state_of(ViewWish("root", index=40, text="short")), zoom_percent=100)
    assert short.top_left == ("Secret, Name",)
    assert short.top_right == ("2024-03-18",)
    assert corners(state_of(ViewWish("root", text="none")), zoom_percent=100) == Corners()


def test_a_cine_counts_frames_and_a_lut_is_named() -> None:
    grid = Geometry((1, 8, 8), is_patient=False)
    state = state_of(ViewWish("root", phase=2), geometry=grid, phases=30, kind="cine", voi_luts=(VoiLut(0, (0, 1), 1, "Chest"),))
    found = corners(state, zoom_percent=100)
    assert "Frame 3 / 30" in found.bottom_left
    assert "VOI LUT" in found.bottom_right[0]


def test_positions_are_letters_not_signs() -> None:
    assert position_text(state_of(ViewWish("root", index=0))) == "H 5.2 mm"
    assert position_text(state_of(ViewWish("root", plane="sagittal", index=0))) == "R 10.0 mm"
    assert position_text(state_of(ViewWish("root", plane="coronal", index=0))) == "A 20.0 mm"


def test_uncalibrated_images_say_so() -> None:
    assert "UNCALIBRATED" in state_of(geometry=Geometry((1, 8, 8), in_plane_known=False, is_patient=False)).badges


@pytest.mark.parametrize(("text", "shown"), [("20240318", "2024-03-18"), ("2024-03-18", "2024-03-18"), ("", ""), ("about 1950", "about 1950")])
def test_dates_are_iso(text: str, shown: str) -> None:
    assert iso_date(text) == shown


def test_ages_and_times_as_people_write_them() -> None:
    assert [age_text(t) for t in ("058Y", "006M", "58", "")] == ["58 y", "6 m", "58", ""]
    assert [clock(t) for t in ("094130.5", "09:41:30", "0941", "", "x")] == ["09:41", "09:41", "09:41", "", "x"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Wang^Min", "Wang, Min"), ("Doe^Jane^Q^Dr", "Doe, Jane Q Dr"), ("Jane Doe", "Jane Doe"), ("=王^敏", "王, 敏"), ("^", ""), ("", "")],
)
def test_names_are_written_as_people_write_them(name: str, shown: str) -> None:
    assert person(name) == shown


def test_d04_a_chinese_window_writes_a_name_in_its_own_signs() -> None:
    names = ("Wang^XiaoDong=王^小東=", "Wang^Min", "Yamada^Tarou=山田^太郎=やまだ^たろう", "=王^敏")
    assert [person(name) for name in names] == ["Wang, XiaoDong", "Wang, Min", "Yamada, Tarou", "王, 敏"]
    words.use("zh_CN")
    try:
        assert [person(name) for name in names] == ["王小東", "Wang, Min", "山田太郎", "王敏"]
    finally:
        words.use("en")


def test_digits_are_those_of_the_unit() -> None:
    assert chip_text(Measure("Length", 46.04, "mm")) == "46.0 mm"
    assert chip_text(Measure("Mean", None, "HU")) == "Mean –"
    assert chip_text(Measure("Mean", float("nan"), "HU")) == "Mean –"
    assert window_figures(40, 400) == ("400", "40")
    assert window_figures(0.5, 1.0) == ("1.00", "0.50")


@pytest.mark.parametrize(("longest", "length"), [(120, 100), (99, 50), (49, 20), (19, 10), (5, 5), (0.3, 0.2), (0.0101, 0.01)])
def test_scale_bars_have_round_lengths(longest: float, length: float) -> None:
    assert round_length(longest) == pytest.approx(length)


def test_a_chip_holds_two_measures_to_a_line() -> None:
    item = Annotation("a", "ellipse", "root", (), measures=(Measure("Mean", 1.5, "HU"), Measure("SD", 2, "HU"), Measure("Area", 3, "mm²")))
    assert chip_lines(item) == ["Mean 1.5 HU  SD 2.0 HU", "3.0 mm²"]
