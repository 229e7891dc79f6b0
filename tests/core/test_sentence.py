"""A sentence is said in the language of who reads it, whichever process or language it was made in; files and programs get English."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from viewer.core import words
from viewer.core.errors import BadParameter, JobFailed, Refused
from viewer.core.sentence import Sentence, english, joined, part, sentence_of, whole
from viewer.core.words import gettext, ngettext

PO = r"""
msgid ""
msgstr "Plural-Forms: nplurals=1; plural=0;\n"

msgid "Cut {name}: {planes}."
msgstr "{planes}，已切 {name}。"

msgid "{count} plane"
msgid_plural "{count} planes"
msgstr[0] "{count} 层"

msgid "a plane is missing"
msgstr "缺少层面"

msgid "No plane. {reason}"
msgstr "没有层面。{reason}"

msgid ", "
msgstr "、"

msgid "{text}."
msgstr "{text}。"
"""


@pytest.fixture(autouse=True)
def chinese(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "zh_CN").mkdir()
    (tmp_path / "zh_CN" / "x.po").write_text(PO.strip(), encoding="utf-8")
    yield tmp_path
    words.use("en")


def cut(count: int = 3) -> str:
    return gettext("Cut {name}: {planes}.").format(name="CT 1", planes=ngettext("{count} plane", "{count} planes", count))


def test_an_error_made_in_english_is_read_in_chinese_and_the_other_way(chinese: Path) -> None:
    error = Refused(cut())
    assert (str(error), f"{error}") == ("Cut CT 1: 3 planes.", "Cut CT 1: 3 planes.")
    words.use("zh_CN", chinese)
    assert (str(error), f"{error}") == ("3 层，已切 CT 1。", "3 层，已切 CT 1。")
    made = Refused(cut(1))
    words.use("en")
    assert (str(made), str(error)) == ("Cut CT 1: 1 plane.", "Cut CT 1: 3 planes.")


def test_what_crosses_to_another_process_is_said_in_that_one_s_language(chinese: Path) -> None:
    sent = pickle.dumps((JobFailed(cut(), "traceback"), [cut()]))
    words.use("zh_CN", chinese)
    error, (text,) = pickle.loads(sent)
    assert (str(error), error.details) == ("3 层，已切 CT 1。", "traceback")
    assert "".join([text]) == "3 层，已切 CT 1。", "its characters, too, as Qt takes them"


def test_a_sentence_is_a_text_like_any_other_in_english() -> None:
    assert cut() == "Cut CT 1: 3 planes." and cut().startswith("Cut") and {cut(): 1}["Cut CT 1: 3 planes."] == 1
    assert gettext("not in any catalogue {x:.1f}").format(x=np.float32(2.25)) == f"not in any catalogue {np.float32(2.25):.1f}"


def test_gettext_says_a_sentence_again(chinese: Path) -> None:
    text = cut()
    words.use("zh_CN", chinese)
    assert "".join([gettext(text)]) == "3 层，已切 CT 1。"
    assert gettext("") == "" and gettext("a file’s own text") == "a file’s own text"


def test_files_and_programs_get_english(chinese: Path) -> None:
    words.use("zh_CN", chinese)
    content = {"warnings": (cut(), "own text"), "n": 3, "all": [{"text": whole(gettext("a plane is missing"))}]}
    assert english(content) == {"warnings": ("Cut CT 1: 3 planes.", "own text"), "n": 3, "all": [{"text": "A plane is missing."}]}


@pytest.mark.parametrize(("text", "said"), [("a plane", "A plane."), ("A plane.", "A plane."), ("", ""), ("1 plane", "1 plane.")])
def test_a_warning_gets_a_capital_and_a_full_stop(text: str, said: str) -> None:
    assert whole(text) == said


def test_a_sentence_with_its_stop_or_without_is_so_in_each_language(chinese: Path) -> None:
    inner = gettext("No plane. {reason}").format(reason=whole(gettext("a plane is missing")))
    assert (str(inner), str(part(inner))) == ("No plane. A plane is missing.", "No plane. A plane is missing")
    words.use("zh_CN", chinese)
    assert (str(inner), str(part(inner))) == ("没有层面。缺少层面。", "没有层面。缺少层面")
    assert str(part(cut())) == "3 层，已切 CT 1"


def test_lists_are_said_whole(chinese: Path) -> None:
    listed = joined((cut(1), "own"), ", ")
    assert listed == "Cut CT 1: 1 plane., own" and joined(()) == ""
    words.use("zh_CN", chinese)
    assert str(listed) == "1 层，已切 CT 1。、own"


def test_an_error_inside_a_sentence_stays_translatable_and_nothing_of_its_frames_is_kept(chinese: Path) -> None:
    outer = gettext("No plane. {reason}").format(reason=Refused(cut()))
    assert isinstance(outer, Sentence) and outer.fields is not None and isinstance(outer.fields["reason"], str)
    words.use("zh_CN", chinese)
    assert str(outer) == "没有层面。3 层，已切 CT 1。"
    assert sentence_of(ValueError("own words")) == "own words"


def test_texts_of_files_may_hold_braces() -> None:
    assert gettext("Cut {name}: {planes}.").format(name="{0} {x:>99}", planes="{") == "Cut {0} {x:>99}: {."


def test_an_error_of_a_worker_speaks_the_window_s_language() -> None:
    from viewer.jobs.pool import Pool

    with Pool(1) as pool:
        words.use("zh_CN")
        with pytest.raises(BadParameter) as caught:
            pool.submit("viewer.core.window:parse_window", {"text": "40"}).result()
    assert "无法理解窗“40”" in str(caught.value)
    words.use("en")
    assert str(caught.value).startswith('The window "40" is not understood. Write CENTRE,WIDTH or "W400 C50", or one of: Soft tissue, Lung')
