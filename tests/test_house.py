"""What holds for the whole house: what imports what, which Qt may be used, and what may lie in the repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from viewer.core.errors import UnsupportedFeature
from viewer.draw.guard import check_qt

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {
    "PIL", "PySide6", "SimpleITK", "highdicom", "imagecodecs", "nibabel", "onnxruntime", "pydicom", "pyqtgraph", "scipy", "shiboken6",
    "skimage", "tifffile", "torch",
}  # fmt: skip


def loaded_by(modules: list[str]) -> set[str]:
    """The top-level names that a fresh Python has loaded after importing ``modules``."""
    code = (
        f"import importlib, json, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules_under(package: str) -> list[str]:
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in (ROOT / package.replace(".", "/")).rglob("*.py")
    )


def test_public_door_loads_nothing_heavy() -> None:
    assert loaded_by(["viewer.api", "viewer.api.tool"]) & HEAVY == set()


@pytest.mark.parametrize("package", ["viewer.core", "viewer.jobs", "viewer.io", "viewer.session"])
def test_no_module_below_the_window_loads_anything_heavy(package: str) -> None:
    # The one that is pydicom in one piece is itself imported where it is used only; the linter holds the others to that.
    assert loaded_by([name for name in modules_under(package) if name != "viewer.io.dicom.library"]) & HEAVY == set()


def manifests() -> Iterator[tuple[str, dict[str, object]]]:
    for path in sorted((ROOT / "plugins").glob("*/plugin.toml")):
        yield path.parent.name, tomllib.loads(path.read_text(encoding="utf-8"))


def test_tools_of_plugins_load_nothing_heavy() -> None:
    tools = [tool["run"].split(":")[0] for _, manifest in manifests() for tool in manifest.get("tool", [])]
    assert loaded_by(["viewer.api", *tools]) & HEAVY == set()


def test_manifests_name_nothing_twice() -> None:
    names = [
        (kind, entry["name"]) for _, manifest in manifests() for kind in ("operation", "tool", "panel", "service") for entry in manifest.get(kind, [])
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_operations_of_plugins_load_no_qt() -> None:
    modules = sorted({operation["run"].split(":")[0] for _, manifest in manifests() for operation in manifest.get("operation", [])})
    assert loaded_by(["viewer.api", *modules]) & {"PySide6", "shiboken6", "pyqtgraph"} == set()


def test_onnxruntime_leaves_no_identifier_behind(tmp_path: Path) -> None:
    code = "import viewer, onnxruntime"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


# --- Qt ------------------------------------------------------------------------------------------------------------


def test_qt_survives_many_calls_and_keeps_its_references() -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "qt_smoke.py")], capture_output=True, text=True, check=False, timeout=110, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert (result["signals"], result["frames"]) == (40_000, 300)
    assert abs(result["drift"]) <= 50


def test_pyside_that_loses_references_is_refused_before_python_3_12() -> None:
    with pytest.raises(UnsupportedFeature, match=r"PySide6 6\.12\.0 crashes with Python 3\.11"):
        check_qt("6.12.0", (3, 11))


@pytest.mark.parametrize(("qt", "python"), [("6.11.3", (3, 11)), ("6.12.0", (3, 12)), ("6.12.0", (3, 14)), ("6.12.1", (3, 11)), ("7.0", (3, 11))])
def test_other_versions_of_pyside_are_let_through(qt: str, python: tuple[int, int]) -> None:
    check_qt(qt, python)


def test_installed_pyside_is_let_through() -> None:
    check_qt()


# --- the project file ----------------------------------------------------------------------------------------------


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def name_of(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0]


def test_range_of_qt_admits_only_what_was_measured() -> None:
    from packaging.requirements import Requirement

    (qt,) = [Requirement(text) for text in project()["dependencies"] if name_of(text) == "PySide6-Essentials"]
    (graph,) = [Requirement(text) for text in project()["dependencies"] if name_of(text) == "pyqtgraph"]
    assert [version for version in ("6.8.0", "6.9.1", "6.9.2", "6.9.3", "6.10.3", "6.11.3", "6.12.0") if version in qt.specifier] == [
        "6.9.3",
        "6.10.3",
        "6.11.3",
    ]
    assert metadata.version("PySide6-Essentials") in qt.specifier
    assert "0.13.7" not in graph.specifier


def test_contributing_names_every_dependency_with_licence_and_reason() -> None:
    rows = [line.split("|")[1:-1] for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = {row[0].strip().strip("`") for row in rows}
    extras = project()["optional-dependencies"]
    wanted = {name_of(text) for text in [*project()["dependencies"], *extras["demo"], *extras["dev"], *extras["train"]]}
    assert named == wanted
    assert all(cell.strip() for row in rows for cell in row)


@pytest.mark.parametrize("copyleft", ["pylibjpeg-libjpeg", "connected-components-3d", "edt", "fastremap", "mirp"])
def test_no_dependency_brings_a_copyleft_licence_of_its_own(copyleft: str) -> None:
    names = {name_of(requirement.lower()) for requirement in metadata.requires("negatoscope")}
    assert copyleft not in names


# --- the repository ------------------------------------------------------------------------------------------------


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True)
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_place_on_a_machine() -> None:
    # Written apart, so that this file does not find itself.
    hosts = ["py" + "pi.org", "python" + "hosted.org", "np" + "mjs", "deb." + "debian.org", "con" + "da.anaconda"]
    places = ["/wo" + "rk/", "/ro" + "ot/", "/op" + "t/", "/ho" + "me/", "C:" + "\\Users"]
    forbidden = re.compile("|".join(re.escape(text) for text in [*hosts, *places]))
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a model
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}" for number, line in enumerate(text.splitlines(), 1) if forbidden.search(line)
        ]
    assert found == []


def test_no_file_is_large() -> None:
    limit = {".onnx": 20 << 20}
    assert [str(path) for path in tracked() if path.stat().st_size > limit.get(path.suffix, 1 << 20)] == []


def test_modules_are_short_enough_to_read() -> None:
    modules = {str(path.relative_to(ROOT)): path for path in tracked() if path.suffix == ".py"}
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules.items() if not name.startswith("tests/")}
    assert {name: length for name, length in lengths.items() if length > 450} == {}
