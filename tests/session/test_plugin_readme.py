"""The example of plugins/README.md does what it says, as it stands there; a broken plugin is named and harms nothing."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from viewer.core import words
from viewer.core.errors import BadParameter, JobFailed
from viewer.jobs.pool import Pool
from viewer.session.apply import apply
from viewer.session.plugins import Registry, discover

sys.path.insert(0, str(Path(__file__).parent))
from session_samples import make_document

README = Path(__file__).parents[2] / "plugins" / "README.md"
FILES = dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
Install = Callable[[dict[str, str]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a package where Python finds it, with the metadata that an installer would write."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)

    def put(files: dict[str, str]) -> None:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        project = tomllib.loads(files["pyproject.toml"])["project"]
        info = folder / f"{project['name']}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
        points = "".join(f"{k} = {v}\n" for k, v in project["entry-points"]["negatoscope.plugins"].items())
        (info / "entry_points.txt").write_text(f"[negatoscope.plugins]\n{points}")
        importlib.invalidate_caches()

    yield put
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]


def plugin(module: str, *, name: str = "odd", operation: str = "Enhance/Odd", manifest: str | None = None) -> dict[str, str]:
    """A package with one operation."""
    return {
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "1"\n[project.entry-points."negatoscope.plugins"]\n{name} = "{name}"\n',
        f"{name}/__init__.py": "",
        f"{name}/plugin.toml": manifest
        if manifest is not None
        else f'name = "{name}"\ntitle = "Odd"\nversion = "1"\n[[operation]]\nname = "{operation}"\nrun = "{name}.code:run"\n',
        f"{name}/code.py": module,
    }


HEAD = "import os, sys\nfrom viewer.api import Image, operation\n"


# --- the example ----------------------------------------------------------------------------------------------------


def test_the_readme_holds_the_whole_plugin() -> None:
    assert set(FILES) == {"pyproject.toml", "cutoff/__init__.py", "cutoff/plugin.toml", "cutoff/brightest.py", "test_cutoff.py"}
    code = FILES["cutoff/brightest.py"] + FILES["cutoff/plugin.toml"]
    assert len([line for line in code.splitlines() if line.strip()]) <= 40


def test_the_example_is_off_until_it_is_named_with_its_version(install: Install) -> None:
    install(FILES)
    for enabled, safe, is_on in (
        ((), False, False),
        (("cutoff==0.9",), False, False),
        (("cutoff==1.0.0",), False, True),
        (("cutoff==1.0.0",), True, False),
    ):
        registry = discover(enabled, safe_mode=safe)
        (found,) = [p for p in registry.plugins if p.name == "cutoff"]
        assert (found.is_enabled, found.is_builtin, found.error) == (is_on, False, "")
        assert ("Enhance/Cut off" in [o.name for o in registry.operations]) is is_on
        assert "cutoff.brightest" not in sys.modules, "nothing of a plugin runs before it is used"


def test_the_example_runs_in_a_worker_as_a_step(install: Install) -> None:
    install(FILES)
    registry = discover(["cutoff==1.0.0"])
    document = make_document()
    with Pool(1) as pool:
        spec = registry.spec("enhance/cut off", pool)
        assert [(p.name, p.unit, p.low, p.high) for p in spec.parameters] == [("share", "%", 0.0, 50.0)]
        step, _ = apply(document, spec, {"share": "10"}, pool, volume_id="volume-a")
        with pytest.raises(BadParameter, match="between 0 and 50 %"):
            apply(document, spec, {"share": 60}, pool, volume_id="volume-a")
    assert step is not None
    assert step.title.text() == "Cut off 10 %"
    values = document.volume("volume-a").values
    limit = np.sort(values.ravel())[int(np.floor(0.9 * (values.size - 1)))]
    np.testing.assert_array_equal(document.current("volume-a").values, np.minimum(values, limit))
    assert "cutoff.brightest" not in sys.modules, "the operation's module is imported in the worker only"


def test_the_examples_own_test_passes(install: Install) -> None:
    install(FILES)
    namespace: dict[str, object] = {}
    exec(compile(FILES["test_cutoff.py"], "test_cutoff.py", "exec"), namespace)
    namespace["test_the_brightest_tenth_is_cut_off"]()  # type: ignore[operator]


# --- broken ones ---------------------------------------------------------------------------------------------------


def names(registry: Registry) -> set[str]:
    return {o.name for o in registry.operations}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (HEAD + "raise RuntimeError('not today')", "RuntimeError: not today"),
        ("import no_such_package_at_all", "No module named 'no_such_package_at_all'"),
        (HEAD + "sys.exit(3)", "SystemExit: 3"),
        (HEAD + "os._exit(3)", "ended with code 3"),
        (HEAD + "def other(): pass", "no attribute 'run'"),
        (HEAD + "def run(image: Image) -> Image: return image", "not marked with @operation"),
        ("def run(:", "SyntaxError"),
    ],
    ids=["raises", "missing package", "sys.exit", "os._exit", "no function", "not marked", "no Python"],
)
def test_a_plugin_that_cannot_be_imported_is_named_and_all_others_work(install: Install, code: str, reason: str) -> None:
    install(plugin(code))
    registry = discover(["odd==1"])
    with Pool(1) as pool:
        specs = registry.load_specs(pool)
        assert {s.name for s in specs} == names(registry) - {"Enhance/Odd"}
        assert list(registry.broken) == ["Enhance/Odd"]
        assert reason in registry.broken["Enhance/Odd"]
        with pytest.raises(BadParameter, match=r'"Enhance/Odd" of the plugin odd cannot be used: .'):
            registry.spec("Enhance/Odd", pool)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 3", "returned int"),
        ("return None", "returned NoneType"),
        ("image.values[0] = 1\n    return image", "read-only"),
        ("image.values.flags.writeable = True\n    return image", "WRITEABLE"),
        ("sys.exit(4)", "SystemExit: 4"),
        ("os._exit(4)", "ended with code 4"),
        ("os.abort()", "SIGABRT"),
        ("raise KeyError('lost')", "KeyError: 'lost'"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise MemoryError", "more memory"),
        ("return image.like(image.values[:, :1])", "shape"),
    ],
    ids=["wrong return", "nothing", "writes", "unlocks", "sys.exit", "os._exit", "aborts", "raises", "interrupts", "memory", "shape"],
)
def test_a_call_that_fails_is_named_changes_nothing_and_the_next_one_works(install: Install, body: str, reason: str) -> None:
    install(plugin(HEAD + f"@operation()\ndef run(image: Image) -> Image:\n    '''Odd.'''\n    {body}\n"))
    registry = discover(["odd==1"])
    document = make_document()
    before = document.state_hash()
    with Pool(1) as pool:
        spec = registry.spec("Enhance/Odd", pool)
        with pytest.raises(Exception, match=f"(?s){reason}") as caught:
            apply(document, spec, {}, pool, volume_id="volume-a")
        assert "odd" in str(caught.value)
        assert isinstance(caught.value, JobFailed) or "shape" in reason
        assert document.state_hash() == before
        step, _ = apply(document, registry.spec("Enhance/Gamma", pool), {}, pool, volume_id="volume-a")
    assert step is not None


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("", ""),
        ("[[operation]]\nname = 'X/Y'", "has no 'run'"),
        ("[[operation]]\nname = 'Y'\nrun = 'odd.code:run'", "Menu/Operation"),
        ("[[operation]]\nname = 'X/Y'\nrun = 'odd.code'", "module:function"),
        ("operation = 3", "int"),
        ("tool = ['x']", "items"),
        ("[[tool]]\nnonsense = 1\nname = 'X/Y'", "nonsense"),
        ("[[[", "Expected|Invalid"),
        ("[[operation]]\nname = 'Enhance/Gamma'\nrun = 'odd.code:run'", 'enhance/gamma" is in the plugin enhance already'),
        ("[[operation]]\nname = 'X/Y'\nrun = 'a:b'\n[[operation]]\nname = 'X/y'\nrun = 'a:b'", "already"),
    ],
)  # fmt: skip
def test_a_manifest_that_is_wrong_is_named_and_all_others_work(install: Install, manifest: str, reason: str) -> None:
    usual = names(discover())
    version = "version = '1'\n" if not manifest.startswith("[[[") else ""
    install(plugin("", manifest=f"{version}{manifest}"))
    registry = discover(["odd==1"])
    (found,) = [p for p in registry.plugins if p.name == "odd"]
    assert bool(found.error) is bool(reason)
    assert re.search(reason, found.error)
    assert not reason or "The plugin odd cannot be" in found.error
    assert names(registry) == usual


def test_a_plugin_whose_package_is_gone_is_named(install: Install, tmp_path: Path) -> None:
    install(plugin(""))
    (tmp_path / "site" / "odd" / "plugin.toml").unlink()
    (found,) = [p for p in discover(["odd==1"]).plugins if p.name == "odd"]
    assert "The plugin odd cannot be read" in found.error
    assert not found.is_enabled or found not in discover(["odd==1"]).active


def test_the_packages_own_code_does_not_run_to_find_it(install: Install, tmp_path: Path) -> None:
    files = plugin("")
    files["odd/__init__.py"] = "raise SystemExit('ran at discovery')"
    install(files)
    (found,) = [p for p in discover().plugins if p.name == "odd"]
    assert found.error == ""
    assert "odd" not in sys.modules


# --- its own translations -------------------------------------------------------------------------------------------


def test_a_plugin_that_is_on_brings_its_own_translations_and_cannot_change_those_of_the_program(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "_added", ())
    (example,) = re.findall(r"^```po\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    po = example + '\nmsgid "Open"\nmsgstr "不是打开"\n'
    install({**FILES, "cutoff/translations/zh_CN/cutoff.po": po})
    try:
        words.use("zh_CN")
        program = str(words.gettext("Open"))
        discover([])
        assert words.gettext("Cut off") == "Cut off", "a plugin that is off says nothing"
        (entry,) = [o for o in discover(["cutoff==1.0.0"]).operations if o.name == "Enhance/Cut off"]
        assert (str(words.gettext(entry.title)), str(words.gettext("Open"))) == ("截断", program)
        words.use("en")
        assert words.gettext(entry.title) == "Cut off"
        words.use("zh_CN")
        assert words.gettext(entry.title) == "截断", "the language may be changed later, too"
    finally:
        words.use("en")
