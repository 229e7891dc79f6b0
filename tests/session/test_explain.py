"""How an image is shown: each sentence against the volume and the view that it speaks of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from viewer.core.badges import meaning
from viewer.core.geometry import Geometry
from viewer.core.provenance import Note
from viewer.core.volume import Identity, Volume
from viewer.core.window import VoiLut, Window
from viewer.session.alone import first_state
from viewer.session.document import Document
from viewer.session.explain import as_text, explain, processing_steps
from viewer.session.history import ItemChange
from viewer.session.view import EMPTY, ViewWish, resolve


def made(**facts: Any) -> Volume:
    data = np.arange(2 * 3 * 4, dtype=np.int16).reshape(1, 2, 3, 4) - 5
    geometry = facts.pop("geometry", Geometry((2, 3, 4), spacing=(2.5, 0.5, 0.75)))
    return Volume("root", data, geometry, **{"unit": "HU", "identity": Identity(modality="CT"), **facts})


def sentences(volume: Volume, topic: str, wish: ViewWish | None = None) -> list[str]:
    return [n.text for c in explain(first_state(volume, wish)) if c.topic == topic for n in c.notes]


def test_an_empty_view_has_nothing_to_explain() -> None:
    assert explain(EMPTY) == ()


def test_chapters_go_from_bytes_to_screen() -> None:
    volume = made(notes=(Note("ignored", "An icon image."), Note("decoding", "RLE."), Note("file", "2 files.")))
    topics = [chapter.topic for chapter in explain(first_state(volume))]
    assert topics.index("file") < topics.index("decoding") < topics.index("values") < topics.index("window") < topics.index("ignored")


def test_a_reader_s_note_takes_the_place_of_what_the_volume_would_say() -> None:
    assert sentences(made(notes=(Note("unit", "Hounsfield units, since the scanner says so."),)), "unit") == [
        "Hounsfield units, since the scanner says so."
    ]
    assert sentences(made(), "unit") == ["Values are in HU."]
    assert sentences(made(unit=""), "unit") == ["The file does not say in which unit its values are."]


def test_values_are_said_with_type_range_and_unit() -> None:
    assert "In memory: int16, from -5 to 18 HU." in sentences(made(), "values")
    # Padding fills the frame: it is no part of the range.
    assert "In memory: int16, from -3 to 18 HU." in sentences(replace(made(padding=(-5, -4)), id="padded", root_id="padded"), "values")


@pytest.mark.parametrize(
    ("facts", "wish", "expected"),
    [
        ({"windows": (Window(40, 400, name="SOFT"), Window(-600, 1500))}, {}, "window 1 of 2 of the file “SOFT”"),
        ({"windows": (Window(40, 400),)}, {"window": Window(7, 9)}, "set by hand"),
        ({"windows": (Window(40, 400),)}, {"window": Window(40, 80, name="Brain")}, "the preset “Brain”"),
        ({"windows": (Window(40, 400),)}, {"is_auto": True}, "(asked for)"),
        ({}, {}, "(the file gives none)"),
    ],
)
def test_the_window_says_where_it_came_from(facts: dict[str, Any], wish: dict[str, Any], expected: str) -> None:
    text = " ".join(sentences(made(**facts), "window", ViewWish(volume_id="root", **wish)))
    assert expected in text


def test_the_ends_of_the_window_are_those_of_the_formula() -> None:
    """D31: centre 40, width 400, LINEAR is black at -160 and white from 239 on (PS3.3 C.11.2.1.2.1: c - 0.5 + (w - 1) / 2)."""
    volume = made(windows=(Window(40, 400),))
    assert "-160 HU and below is black, 239 HU and above is white." in sentences(volume, "window")
    inverted = sentences(replace(volume, is_inverted=True), "window")
    assert "-160 HU and below is white, 239 HU and above is black." in inverted
    assert sentences(made(voi_luts=(VoiLut(-5, tuple(range(24)), 8),)), "window") == [
        "Shown through VOI LUT 1 of 1 of the file, stretched from -5 to 18 HU."
    ]


def test_what_is_not_known_is_a_warning() -> None:
    chapters = explain(first_state(made(geometry=Geometry((2, 3, 4), is_patient=False, in_plane_known=False, between_known=False))))
    warned = {c.topic for c in chapters for n in c.notes if n.is_warning}
    assert {"spacing", "geometry"} <= warned
    assert "! The file gives no pixel spacing" in as_text(chapters)


def test_warnings_come_first_and_once() -> None:
    volume = made(warnings=("only 3 of 4 frames are there",), notes=(Note("geometry", "Even."),))
    assert explain(first_state(volume))[0].notes == (Note("ignored", "Only 3 of 4 frames are there.", is_warning=True),)
    told = replace(volume, notes=(Note("file", "The file is cut short: only 3 of 4 frames are there.", is_warning=True),))
    assert "warnings" not in [c.topic for c in explain(first_state(told))]


def test_the_steps_that_made_a_derived_volume_are_listed_in_their_order() -> None:
    document = Document()
    document.add_source(made())
    for title in ("Gamma 0.6", "Gaussian 2 mm"):
        now = document.current("root")
        after = now.derived(title, now.data + 1)
        changes = (ItemChange("volume", after.id, None, after), ItemChange("shown", "root", None if now.id == "root" else now.id, after.id))
        document.commit(document.step(title, changes))
    assert processing_steps(document, document.current("root")) == ("Gamma 0.6", "Gaussian 2 mm")
    state = resolve(ViewWish(volume_id="root"), document)
    assert [n.text for c in explain(state, document) if c.topic == "processing" for n in c.notes] == ["1. Gamma 0.6.", "2. Gaussian 2 mm."]
    document.undo()
    assert processing_steps(document, document.current("root")) == ("Gamma 0.6",)


def test_every_badge_has_a_meaning() -> None:
    assert meaning("LOSSY 12:1") == meaning("LOSSY") != ""
    assert meaning("no such badge") == ""
    marks = [n.text for c in explain(first_state(made(badges=("TILT",)))) if c.topic == "marks" for n in c.notes]
    assert len(marks) == 1
    assert marks[0].startswith("TILT: ")


def test_what_was_read_in_one_language_is_told_in_the_language_in_use(shared_data: Any, inline_pool: Any) -> None:
    from viewer.core import words
    from viewer.io.open import find, load

    (entry,) = find([shared_data / "petctmr_sts001" / "pet_suv"]).series
    volume = load(entry, pool=inline_pool)
    before = as_text(explain(first_state(volume)))
    words.use("zh_CN")
    try:
        after = as_text(explain(first_state(volume)))
    finally:
        words.use("en")
    assert "59 files, 408.6 KiB: of one series UID, one study and one patient." in before
    assert "59 个文件，408.6 KiB：同一序列 UID、同一检查、同一患者。" in after
    assert len(before.splitlines()) == len(after.splitlines()) and after.splitlines()[0] == "文件"
    assert as_text(explain(first_state(volume))) == before, "and back"
