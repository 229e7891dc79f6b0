"""No text of the program without its Chinese, and the Chinese as CONVENTIONS 4 wants it."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import translations as tool
from viewer.core.catalogue import Entry, Fault, read_entries
from viewer.core.resources import resource

CHINESE = resource("translations", "zh_CN")
GLOSSARY = tomllib.loads((CHINESE / "glossary.toml").read_text(encoding="utf-8"))["terms"]
TEXTS = tool.all_texts()
HAN = r"[\u4e00-\u9fff]"
# Words that go to Qt or to the command line as they are: a number, a sign, a name.
_SHOWN_BY = {
    "setText", "setToolTip", "setAccessibleName", "setAccessibleDescription", "setPlaceholderText", "setWindowTitle", "addAction", "addItem",
    "Label", "ElidedLabel", "Button", "IconButton", "ToolButton", "say", "set_available", "add_link", "show_note", "Refused", "BadParameter",
}  # fmt: skip
# The sheet of controls, the scenes of the pictures and the faults of a sample are no part of the program's talk.
_NOT_THE_PROGRAM = ("viewer/ui/controls/sheet.py", "viewer/ui/scenes", "viewer/ui/screenshots.py")
# Words that stand in files and are looked for there; none of them is shown.
_WORDS_OF_FILES = "viewer/core/file_words.py"


def entries(package: str) -> list[Entry]:
    return [e for e in read_entries(CHINESE / f"{package}.po", []) if e.text]


def translated() -> Iterator[tuple[str, Entry, str]]:
    for package in tool.PACKAGES:
        for entry in entries(package):
            for form in entry.forms.values():
                if form:
                    yield f"{package}.po:{entry.line}", entry, form


def test_the_catalogues_have_no_damage() -> None:
    from viewer.core.catalogue import read_catalogue

    assert [str(f) for f in read_catalogue(sorted(CHINESE.glob("*.po"))).faults] == []


@pytest.mark.parametrize("package", tool.PACKAGES)
def test_every_text_of_a_package_is_translated(package: str) -> None:
    missing = [f"{t.path}:{t.line}: {t.text!r}" for t in tool.untranslated(package, TEXTS[package], CHINESE)]
    assert missing == [], f"{len(missing)} texts without Chinese in {package}.po; python -m tools.translations puts them in"


@pytest.mark.parametrize("package", tool.PACKAGES)
def test_every_entry_of_a_catalogue_is_in_use(package: str) -> None:
    assert [e.text for e in entries(package) if e.text not in TEXTS[package]] == [], "python -m tools.translations takes them out"


def test_a_text_of_two_packages_has_one_translation() -> None:
    seen: dict[str, tuple[str, object]] = {}
    differing = []
    for where, entry, form in translated():
        old = seen.setdefault(entry.text, (where, form))
        if old[1] != form:
            differing.append(f"{where} and {old[0]}: {entry.text!r}: {form!r}, {old[1]!r}")
    assert differing == []


def test_4_sentences_have_full_width_punctuation() -> None:
    pattern = rf"{HAN}[,;:?!.](?!\w)|[,;?!]{HAN}|{HAN}\(|\){HAN}"
    assert [f"{where}: {form!r}" for where, _entry, form in translated() if re.search(pattern, form)] == []


def test_4_one_space_stands_between_han_and_latin_or_digits() -> None:
    # Of a field, only a number is known to be none of Chinese words.
    number = r"\{(?:count|number|total|done|percent|rows|columns|planes|\w+:[^}]*[dfg])\}"
    pattern = rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%°]{HAN}|{HAN}{number}|{number}{HAN}|{HAN}  +\w|\w  +{HAN}{HAN}$"
    assert [f"{where}: {form!r}" for where, _entry, form in translated() if re.search(pattern, form)] == []


def test_4_no_space_stands_beside_full_width_punctuation() -> None:
    assert [
        f"{where}: {form!r}"
        for where, _entry, form in translated()
        if re.search(r"(?m)(?<=\S) [，。；：？！、（）“”]|[，。；：？！、（“] (?=\S)", form)
    ] == []


def test_4_sentences_end_as_the_english_ones_do() -> None:
    wrong = []
    for where, entry, form in translated():
        is_sentence = re.search(r"[^.]\.$", entry.text) is not None
        ends_so = re.search(r"[。？：）”}]$", form) is not None
        is_label = re.search(r"[A-Za-z0-9}]$", entry.text) is not None
        if (is_sentence and not ends_so) or (is_label and form.endswith("。")):
            wrong.append(f"{where}: {entry.text!r}: {form!r}")
    assert wrong == []


def test_5_the_reader_is_not_addressed() -> None:
    assert [
        form for _where, _entry, form in translated() if "您" in form.replace("您的判断", "") or "！" in form or "抱歉" in form or "成功" in form
    ] == []


def test_lines_of_help_in_the_dock_hold_24_han_and_no_more() -> None:
    found = {e.text: e.forms[0] for e in entries("plugins")}
    shown = []
    for manifest in (tool.ROOT / "plugins").glob("*/plugin.toml"):
        content = tomllib.loads(manifest.read_text(encoding="utf-8"))
        shown += [found[e["help"]] for kind in ("tool", "panel") for e in content.get(kind, []) if e.get("help")]
    widths = {text: sum(0.5 if c.isascii() else 1.0 for c in text) for text in shown}
    assert {text: width for text, width in widths.items() if width > 24} == {} and len(widths) > 8


def test_4a_terms_are_those_of_the_glossary() -> None:
    wrong = []
    for where, entry, form in translated():
        for term, chinese in GLOSSARY.items():
            said = re.search(rf"(?<![-\w{{]){re.escape(term)}s?(?![-\w}}])", entry.text, re.IGNORECASE)
            # What stands there as in the English is a name of DICOM's.
            if said and said[0] not in form and not any(c in form for c in chinese):
                wrong.append(f"{where}: {term} is {' or '.join(chinese)}: {entry.text!r}: {form!r}")
    assert wrong == []


def strings() -> Iterator[tuple[str, ast.Constant]]:
    for path in tool.sources():
        where = str(path.relative_to(tool.ROOT))
        if not where.startswith(_NOT_THE_PROGRAM):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield where, node


def test_no_chinese_stands_in_the_source() -> None:
    assert [f"{where}:{node.lineno}: {node.value!r}" for where, node in strings() if re.search(HAN, node.value) and where != _WORDS_OF_FILES] == []


def test_no_text_is_shown_that_did_not_go_through_the_catalogue() -> None:
    found = []
    for path in tool.sources():
        where = str(path.relative_to(tool.ROOT))
        if where.startswith(_NOT_THE_PROGRAM) or where.startswith("viewer/cli/say"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in _SHOWN_BY:
                found += [
                    f"{where}:{node.lineno}: {name}({ast.unparse(a)})" for a in [*node.args, *(k.value for k in node.keywords)] if _is_sentence(a)
                ]
    assert found == []


def _is_sentence(node: ast.expr) -> bool:
    """A literal of words: at least two of them, or one that begins with a capital."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = " ".join(str(v.value) for v in node.values if isinstance(v, ast.Constant))
    else:
        return False
    words = re.findall(r"[A-Za-z]{3,}", text)
    return (len(words) > 1 and " " in text) or (len(words) == 1 and words[0][0].isupper() and text == words[0])


def test_new_texts_are_put_into_a_catalogue_in_the_order_of_the_source(tmp_path: Path) -> None:
    folder = tmp_path / "zh_CN"
    folder.mkdir()
    (folder / "ui.po").write_text('msgid ""\nmsgstr ""\n\n# kept by hand\nmsgid "B"\nmsgstr "乙"\n\nmsgid "old"\nmsgstr "旧"\n', encoding="utf-8")
    texts = {
        t.text: t
        for t in (tool.Text("A", "", "viewer/a.py", 1), tool.Text("B", "", "viewer/a.py", 2), tool.Text("{count} x", "{count} xs", "viewer/b.py", 1))
    }
    assert tool.update("ui", texts, folder) == (2, 1, 2)
    faults: list[Fault] = []
    found = read_entries(folder / "ui.po", faults)
    assert faults == [] and [(e.text, e.plural, e.forms[0]) for e in found[1:]] == [
        ("A", None, ""),
        ("B", None, "乙"),
        ("{count} x", "{count} xs", ""),
    ]
    assert "# kept by hand" in (folder / "ui.po").read_text(encoding="utf-8")
    before = (folder / "ui.po").read_bytes()
    assert tool.update("ui", texts, folder) == (0, 0, 2) and (folder / "ui.po").read_bytes() == before
