"""The languages of the program: catalogues are read as they are, and a damaged one leaves English where it is damaged."""

from __future__ import annotations

import gettext as stdlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from viewer.core import words
from viewer.core.catalogue import fields_of, read_catalogue
from viewer.core.words import gettext, ngettext

HEAD = 'msgid ""\nmsgstr "Plural-Forms: nplurals=1; plural=0;\\n"\n\n'


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    yield
    words.use("en")


def speak(folder: Path, **files: str) -> tuple[str, ...]:
    """Use a catalogue of these files; what is wrong with it."""
    (folder / "zh_CN").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "zh_CN" / f"{name}.po").write_text(text, encoding="utf-8")
    words._read.clear()
    found = tuple(str(f) for f in words.use("zh_CN", folder))
    words._read.clear()
    return found


def test_texts_of_all_files_are_translated_and_all_others_stay(tmp_path: Path) -> None:
    assert speak(tmp_path, ui=HEAD + 'msgid "Open"\nmsgstr "打开"\n', io=HEAD + 'msgid "Series"\nmsgstr "序列"\n') == ()
    assert (gettext("Open"), gettext("Series"), gettext("Unheard of")) == ("打开", "序列", "Unheard of")
    assert words.language() == "zh_CN"
    words.use("en")
    assert (gettext("Open"), words.language()) == ("Open", "en")


def test_a_count_takes_the_form_of_the_language(tmp_path: Path) -> None:
    speak(tmp_path, ui=HEAD + 'msgid "{count} file"\nmsgid_plural "{count} files"\nmsgstr[0] "{count} 个文件"\n')
    assert [ngettext("{count} file", "{count} files", n) for n in (0, 1, 2)] == ["0 个文件", "1 个文件", "2 个文件"]
    words.use("en")
    assert [ngettext("{count} file", "{count} files", n) for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


def test_strings_over_several_lines_and_escapes_are_read_as_gettext_does(tmp_path: Path) -> None:
    text = HEAD + '# a note\n#: a.py\nmsgid ""\n"Two "\n"lines\\nand a \\"word\\""\n'
    text += 'msgstr ""\n"两行\\n"\n"和\\\\一个 \\"词\\""\n\n#~ msgid "old"\n#~ msgstr "旧"\n'
    assert speak(tmp_path, ui=text) == ()
    assert gettext('Two lines\nand a "word"') == '两行\n和\\一个 "词"'
    assert gettext("old") == "old"


def test_forms_of_other_languages_are_chosen_as_the_standard_library_does(tmp_path: Path) -> None:
    rule = "n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2"
    path = tmp_path / "x.po"
    path.write_text(f'msgid ""\nmsgstr "Plural-Forms: nplurals=3; plural={rule};\\n"\n', encoding="utf-8")
    catalogue = read_catalogue([path])
    assert [catalogue.form_of(n) for n in range(130)] == [stdlib.c2py(rule)(n) for n in range(130)]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ('msgid "Open\nmsgstr "打开"\n', "line 4: a string has no end"),
        ('msgid "Open"\nmsgstr "打"开"\n', "line 5: a quotation mark"),
        ('msgid "Open"\nmgstr "打开"\n', "line 5: 'mgstr"),
        ('msgid "Open {name}"\nmsgstr "打开 {nmae}"\n', "line 4: its fields are {nmae}, those of the text {name}"),
        ('msgid "Open {x:.1f}"\nmsgstr "打开 {x:.2f}"\n', "line 4: its fields"),
        ('msgid "Open"\nmsgid_plural "Opens"\nmsgstr "打开"\nmsgstr[1] "打开"\n', "line 4: it has 2 forms, and 1 are needed"),
        ('msgstr "打开"\n', "line 4: a translation without a text"),
        ('"打开"\n', "line 4: a string that belongs to nothing"),
        ('msgid "Good"\nmsgstr "坏"\n', "line 7: the text of line 4 once more, and otherwise"),
    ],
)
def test_a_damaged_entry_is_said_with_its_line_and_left_out(tmp_path: Path, damage: str, said: str) -> None:
    faults = speak(tmp_path, ui=HEAD + damage + '\nmsgid "Good"\nmsgstr "好"\n')
    assert len(faults) == 1 and faults[0].startswith("ui.po, ") and said in faults[0]
    assert gettext("Open") == "Open" and gettext("Open {name}") == "Open {name}"
    assert gettext("Good") == ("坏" if "once more" in said else "好")


def test_a_file_that_is_no_text_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "zh_CN").mkdir()
    (tmp_path / "zh_CN" / "io.po").write_bytes(b'msgid "a"\nmsgstr "\xff\xfe"\n')
    (tmp_path / "zh_CN" / "jobs.po").mkdir()
    faults = speak(tmp_path, ui=HEAD + 'msgid "Good"\nmsgstr "好"\n')
    assert [f.split(":")[0] for f in faults] == ["io.po, line 2", "jobs.po, line 0"]
    assert gettext("Good") == "好"


def test_what_is_marked_fuzzy_or_empty_stays_english(tmp_path: Path) -> None:
    assert speak(tmp_path, ui=HEAD + '#, fuzzy\nmsgid "A"\nmsgstr "甲"\n\nmsgid "B"\nmsgstr ""\n\nmsgid "C"\nmsgstr "丙"\n') == ()
    assert [gettext(t) for t in "ABC"] == ["A", "B", "丙"]


@pytest.mark.parametrize(
    ("name", "ours"),
    [("zh_CN.UTF-8", "zh_CN"), ("zh", "zh_CN"), ("zh-Hans-SG", "zh_CN"), ("zh_TW.UTF-8", "en"), ("de_DE@euro", "en"), ("C.UTF-8", "en"), ("", "en")],
)
def test_names_of_systems_lead_to_a_language_of_ours(name: str, ours: str) -> None:
    assert words.known(name) == ours


def test_the_language_of_the_system_is_taken_in_the_order_of_gettext(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert words.system_language() == "zh_CN"
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert words.system_language() == "en"
    monkeypatch.setenv("LANGUAGE", "zh:en")
    assert words.system_language() == "zh_CN"


def test_fields_are_told_from_braces_that_are_text() -> None:
    assert fields_of("{{no}} {yes:.1f} of {total}") == {"{yes:.1f}", "{total}"}


def test_english_reads_no_catalogue() -> None:
    code = "import sys; from viewer.core import words; words.use('en'); words.gettext('Open'); print('gettext' in sys.modules, words._read)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")[0] == "False {}"
