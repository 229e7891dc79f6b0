"""Below the window, too, every sentence goes through the catalogue: errors, notes, refusals, warnings, heads of results."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.translations import ROOT, all_texts
from viewer.core.catalogue import fields_of
from viewer.session.codec import is_field

PACKAGES = ("viewer/core", "viewer/io", "viewer/jobs", "viewer/session", "plugins")
LOOKS_UP = {"_", "gettext", "ngettext", "mark", "Help"}
ERRORS = {
    "NegatoscopeError", "UnreadableFile", "UnsupportedFeature", "InconsistentSeries", "TooLarge", "GeometryMismatch", "Refused", "BadParameter",
    "ModelUnusable", "SaveFailed", "JobFailed", "OperationCancelled",
}  # fmt: skip
SAYS = {**dict.fromkeys(ERRORS, 0), "Note": 1, "Refusal": 1, "Phrase": 0, "Column": 0, "Numbers": 0, "say": 0, "begin": 0, "NoSuv": 0, "Line": 2}
"""Calls whose argument at that place is read by a person."""
# What only a programmer sees: a plugin's author, the log, a bug's traceback.
FAULTS = {
    "ValueError",
    "TypeError",
    "RuntimeError",
    "ImportError",
    "KeyError",
    "TimeoutError",
    "IndexError",
    "BadHeader",
    "Damaged",
    "AssertionError",
    "compile",
}
NO_SENTENCES = {
    "viewer/core/catalogue.py": "faults of catalogues, for translators",
    "viewer/io/samples.py": "texts of the phantom's files",
    "viewer/io/dicom/tags.py": "DICOM's words",
    "viewer/io/nrrd.py:signed": "names of types in NRRD's headers",
    "viewer/io/nrrd.py:unsigned": "names of types in NRRD's headers",
    "viewer/io/nrrd.py:long": "names of types in NRRD's headers",
    "viewer/io/dicom/syntaxes.py": "names of transfer syntaxes",
    "viewer/io/dicom/describe.py": "names of DICOM's objects",
    "viewer/io/dicom/elements.py": "DICOM's words",
    "viewer/io/dicom/dictionary.py": "DICOM's words",
    "viewer/io/dicom/phase_keys.py:Philips": "creator of private elements",
    "viewer/io/write/grids.py": "lines of headers",
    "viewer/session/heat_file.py": "what a file says of itself, in English",
    "viewer/jobs/process.py:import": "a worker's first line",
    "viewer/io/inflate.py": "zlib's words, looked for in its errors",
    "viewer/core/badges.py:Registered": "a badge's name, the same in all languages; its meaning is a sentence",
    "viewer/session/fusion.py:Registered": "a badge's name",
    "viewer/session/outcome.py:slice": "a fact for programs",
    "viewer/session/own_presets.py": "a file's format",
    "viewer/session/profile.py:brush": "what a gesture is called in key files",
    "viewer/session/explain.py:Kind": "a key of a volume's facts, marked where they are made",
    "viewer/session/explain.py:Pixel": "a key of a volume's facts, marked where they are made",
    "plugins/segment/panel.py:Segment/Region": "a permanent name",
    "plugins/segment/panel.py:Segment/Fill": "a permanent name",
    "plugins/classify/panel/runs.py:Classify/Heat": "a permanent name",
    "plugins/classify/devices.py:max": "onnxruntime's words, looked for in its errors",
    "viewer/io/write/tables.py:Research": "files are English",
}
_SQL = ("SELECT ", "INSERT ", "PRAGMA ", "DELETE ", "CREATE ", "UPDATE ")


_KINDS = ("info", "ok", "warn", "err")
"""First arguments of the window's message bar."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""


def literal(node: ast.expr) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def outside(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Texts of a tree that go to none of the functions that look them up, docstrings and faults left out."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call) and name_of(node) in LOOKS_UP | FAULTS:
        return
    if isinstance(node, ast.JoinedStr | ast.Constant):
        text = literal(node)
        if text is not None:
            yield node.lineno, text
        return
    for child in ast.iter_child_nodes(node):
        yield from outside(child)


def test_what_is_said_to_a_person_is_no_bare_text() -> None:
    found = []
    for where, tree in modules():
        if where == "viewer/io/write/tables.py":
            continue  # files are English
        children = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and any(ast.unparse(b) in ERRORS for b in n.bases)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            at = SAYS.get(name_of(node), 0 if name_of(node) in children else None)
            if at is None or len(node.args) <= at:
                continue
            text = literal(node.args[at])
            if text is not None and text not in _KINDS and re.search(r"[A-Za-z]{2}", re.sub(r"\{[^}]*\}", "", text)):
                found.append(f"{where}:{node.lineno}: {ast.unparse(node)[:100]}")
    assert found == []


def test_no_sentence_stands_outside_the_catalogue() -> None:
    found = []
    for where, tree in modules():
        if where in NO_SENTENCES:
            continue
        for line, text in outside(tree):
            words = re.findall(r"[A-Za-z][a-z']+", re.sub(r"\{[^}]*\}", " ", text))
            if len(words) >= 3 and " " in text.strip() and f"{where}:{text.split()[0]}" not in NO_SENTENCES and not text.startswith(_SQL):
                found.append(f"{where}:{line}: {text!r}")
    assert found == []


@pytest.mark.parametrize("package", ["core", "io", "jobs", "session", "plugins"])
def test_a_sentence_can_be_kept_in_the_history(package: str) -> None:
    fields = {field for text in all_texts()[package].values() for field in fields_of(text.text) | fields_of(text.plural)}
    assert [field for field in fields if not is_field(field)] == []


def test_the_list_of_exceptions_holds_nothing_that_is_gone() -> None:
    assert [name for name in NO_SENTENCES if not Path(ROOT, name.partition(":")[0]).is_file()] == []
