"""The texts of the source and their catalogues: ``python -m tools.translations`` puts what is new into the ``.po`` files, in the order
of the source, and takes out what is used no more. ``--check`` writes nothing and lists what is not translated."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import os
import sys
import tomllib
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("ui", "draw", "session", "core", "io", "jobs", "cli", "plugins")
FUNCTIONS = {"_": 1, "gettext": 1, "mark": 1, "ngettext": 2}
"""Functions that a text is given to, and how many of their arguments are texts."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the source. ``plural`` is empty but for those that depend on a count."""

    text: str
    plural: str
    path: str
    line: int


def package_of(path: Path) -> str:
    """Whose catalogue a file's texts belong to."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "plugins":
        return "plugins"
    return parts[1] if parts[1] in PACKAGES else "core"


def sources() -> Iterator[Path]:
    for folder in ("viewer", "plugins"):
        # The scenes of the pictures speak the program's words, and none of their own.
        yield from sorted(path for path in (ROOT / folder).rglob("*.py") if not path.name.startswith("scenes"))


def texts_of(path: Path) -> Iterator[Text]:
    """Every text that a module gives to one of ``FUNCTIONS``, to ``Help``, or to a step as its title.

    SystemExit where a text is put together before it is given.
    """
    where = str(path.relative_to(ROOT))
    tree = ast.parse(path.read_text(encoding="utf-8"), where)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda found: (found.lineno, found.col_offset)):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name == "Help":
            given = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            yield from (Text(text, "", where, node.lineno) for text in given if text)
        elif name in ("edit", "Phrase") and node.args and _constant(node.args[0]):
            yield Text(node.args[0].value, "", where, node.lineno)  # type: ignore[attr-defined]  the title of a step
        elif name in FUNCTIONS and node.args:
            given = [_constant(a) for a in node.args[: FUNCTIONS[name]]]
            if any(isinstance(a, ast.JoinedStr) for a in node.args[: FUNCTIONS[name]]):
                raise SystemExit(f"{where}:{node.lineno}: a text is put together before it is translated; use fields and format().")
            if given and given[0]:
                yield Text(given[0], given[1] or "" if len(given) > 1 else "", where, node.lineno)
            elif isinstance(node.args[0], ast.IfExp):  # _("a" if so else "b")
                for part in (node.args[0].body, node.args[0].orelse):
                    if text := _constant(part):
                        yield Text(text, "", where, node.lineno)


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def manifest_texts() -> Iterator[Text]:
    """What the manifests of the built-in plugins show, and their operations' forms: names, help, choices, units."""
    for manifest in sorted((ROOT / "plugins").glob("*/plugin.toml")):
        where = str(manifest.relative_to(ROOT))
        content = tomllib.loads(manifest.read_text(encoding="utf-8"))
        yield Text(content["title"], "", where, 1)
        for kind in ("operation", "tool", "panel"):
            for entry in content.get(kind, []):
                shown = [entry.get("title") or entry["name"].split("/")[-1], entry.get("help", "")]
                yield from (Text(text, "", where, 1) for text in shown if text)
        for entry in content.get("operation", []):
            yield from _operation_texts(entry["name"], entry["run"])
        for entry in content.get("tool", []):
            yield from _option_texts(entry["run"])


def _operation_texts(name: str, run: str) -> Iterator[Text]:
    from viewer.core.operation import describe

    spec = describe(name, run)
    where = run.split(":")[0].replace(".", "/") + ".py"
    shown = [spec.title, spec.help]
    for parameter in spec.parameters:
        shown += [parameter.label, parameter.help, parameter.unit, *(c for c in parameter.choices or () if isinstance(c, str))]
    yield from (Text(text, "", where, 1) for text in shown if text)


def _option_texts(run: str) -> Iterator[Text]:
    """What the form of a tool's options shows (``viewer.ui.panels.tool_options``)."""
    from viewer.core.operation import Help, load

    options = getattr(load(run)(), "options", None)
    if options is None:
        return
    where = run.split(":")[0].replace(".", "/") + ".py"
    hints = typing.get_type_hints(type(options), include_extras=True)
    for option in dataclasses.fields(options):
        hint, label, note = hints[option.name], "", None
        if typing.get_origin(hint) is typing.Annotated:
            hint, *extras = typing.get_args(hint)
            note = next((e for e in extras if isinstance(e, Help)), None)
        label = note.label if note is not None and note.label else option.name.replace("_", " ").capitalize()
        choices = [str(c) for c in typing.get_args(hint)] if typing.get_origin(hint) is typing.Literal else []
        yield from (Text(text, "", where, 1) for text in (label, note.text if note is not None else "", *choices) if text)


def model_texts() -> Iterator[Text]:
    """What the cards of the models say to people."""
    for path in sorted((ROOT / "models").glob("*/card.toml")):
        card = tomllib.loads(path.read_text(encoding="utf-8"))
        shown = [card["title"], *(c["name"] for c in card["classes"]), card.get("intended_use", ""), card.get("not_for", "")]
        shown += [card.get("training", {}).get("data", ""), card.get("threshold", {}).get("test_set", "")]
        yield from (Text(text, "", str(path.relative_to(ROOT)), 1) for text in shown if text)


def all_texts() -> dict[str, dict[str, Text]]:
    """Of each package its texts, each once, in the order of the source."""
    found: dict[str, dict[str, Text]] = {name: {} for name in PACKAGES}
    for path in sources():
        for text in texts_of(path):
            old = found[package_of(path)].get(text.text)
            if old is None or (text.plural and not old.plural):
                found[package_of(path)][text.text] = text
    for text in (*manifest_texts(), *model_texts()):
        found["plugins"].setdefault(text.text, text)
    return found


# --- catalogues ---

HEAD = 'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n'


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\r", "\\r").replace("\n", "\\n")
    return f'"{escaped}"'


def update(package: str, texts: dict[str, Text], folder: Path) -> tuple[int, int, int]:
    """Bring one catalogue up to the source; (added, taken out, without a translation)."""
    from viewer.core.catalogue import Entry, Fault, read_entries

    path, faults = folder / f"{package}.po", list[Fault]()
    entries = {e.text: e for e in read_entries(path, faults)} if path.is_file() else {}
    if faults:
        raise SystemExit("\n".join(map(str, faults)))
    lines = [HEAD.format(language=folder.name)]
    missing = added = 0
    last = ""
    for text in sorted(texts.values(), key=lambda t: t.path):
        entry = entries.get(text.text)
        if entry is None or (entry.plural or "") != text.plural:
            added, entry = added + 1, Entry(0, text.text, text.plural or None, dict(entry.forms) if entry else {})
        if text.path != last:
            lines.append(f"\n# {text.path}\n")
            last = text.path
        lines += [f"\n{c}\n" for c in entry.comments if not c.startswith(("# viewer/", "# plugins/", "# models/")) and len(c) > 1]
        lines.append(f"\nmsgid {quoted(text.text)}\n")
        form = entry.forms.get(0, "")
        missing += not form
        lines.append(f"msgid_plural {quoted(text.plural)}\nmsgstr[0] {quoted(form)}\n" if text.plural else f"msgstr {quoted(form)}\n")
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text("".join(lines), encoding="utf-8")
    temporary.replace(path)
    return added, len([e for e in entries if e and e not in texts]), missing


def untranslated(package: str, texts: dict[str, Text], folder: Path) -> list[Text]:
    """The texts of a package that its catalogue does not translate, or not in the plural."""
    from viewer.core.catalogue import read_entries

    entries = {e.text: e for e in read_entries(folder / f"{package}.po", [])}
    return [t for t in texts.values() if t.text not in entries or not entries[t.text].is_translated or (entries[t.text].plural or "") != t.plural]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.translations", description=__doc__)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"of {', '.join(PACKAGES)}; all if left out")
    parser.add_argument("--check", action="store_true", help="write nothing; list what is not translated")
    options = parser.parse_args(arguments)
    found, rc = all_texts(), 0
    for folder in sorted(f for f in (ROOT / "resources" / "translations").iterdir() if f.is_dir()):
        for package in options.packages or PACKAGES:
            if options.check:
                for text in untranslated(package, found[package], folder):
                    print(f"{text.path}:{text.line}: {text.text!r}")
                    rc = 1
            else:
                added, removed, missing = update(package, found[package], folder)
                print(f"{folder.name}/{package}.po: {added} added, {removed} taken out, {missing} to be translated")
    return rc


if __name__ == "__main__":
    sys.exit(main())
