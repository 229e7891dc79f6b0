"""models/README.md tells every key of a card, and its example works as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from tests.core.card_samples import CARD, SEQUENCE
from tests.plugins.onnx_samples import ZOO
from viewer.cli import main as cli
from viewer.core.model_card import card_of
from viewer.session.models import own_folder

TEXT = (Path(__file__).resolve().parents[2] / "models" / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
TOLD = dict(re.findall(r"^\| `([a-z0-9_.]+)` \| ([^|]*) \|", TEXT, re.MULTILINE))
CT = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"


def block(kind: str, containing: str = "") -> str:
    return next(text for found, text in BLOCKS if found == kind and containing in text)


def keys_of(part: dict[str, Any], path: str = "") -> set[str]:
    """Keys of the whole card of the tests; tables whose keys are the user's own count as one."""
    found: set[str] = set()
    for key, value in part.items():
        name = f"{path}{key}"
        if name in ("external", "classes.code", "metrics.test"):
            found.add(name)
        elif isinstance(value, dict):
            found |= keys_of(value, f"{name}.")
        elif name == "classes":
            found |= set().union(*(keys_of(entry, "classes.") for entry in value))
        else:
            found.add(name)
    return found


def test_the_tables_tell_every_key_that_a_card_can_have_and_no_other() -> None:
    assert set(TOLD) - {"evaluate.py"} == keys_of(CARD) | keys_of(SEQUENCE)
    for card in (CARD, SEQUENCE):
        assert card_of(card, Path("m")).notes == (), "else the card of the tests has a key that nobody reads"


def test_the_documented_defaults_are_those_of_the_program() -> None:
    needed = {"name": "m", "title": "M", "version": "1", "task": "image", "sha256": "0" * 64, "input": {}}
    silent = card_of(needed, Path("m"))
    said: dict[str, dict[str, Any]] = {}
    rows = re.findall(r"^\| `([a-z_]+)\.([a-z_]+)` \| [^|]* \| `([^`|]+)` \|", TEXT, re.MULTILINE)
    rows += re.findall(r"^\| `([a-z_]+)\.([a-z_]+)` \| [^|]* \| ([0-9.]+|true|false) \|", TEXT, re.MULTILINE)
    for table, key, value in rows:
        if f"{table}.{key}" != "familiarity.output":
            said.setdefault(table, {})[key] = tomllib.loads(f"v = {value}")["v"] if re.match(r'[\["0-9]|true|false', value) else value
    assert len(rows) > 15
    sequence = {**needed, "input": {"layout": "NTF"}}
    behind, alone = ({"file": "e.onnx", "sha256": "0" * 64, **more} for more in (said.pop("encoder"), {}))
    assert card_of({**sequence, "encoder": behind}, Path("m")).encoder == card_of({**sequence, "encoder": alone}, Path("m")).encoder
    explicit = card_of({**needed, **said}, Path("m"))
    for part in ("input", "values", "normalisation", "output"):
        assert getattr(explicit, part) == getattr(silent, part), part


def test_the_card_of_the_example_is_added_checked_and_asked_by_the_commands_that_stand_there(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.onnx").write_bytes((ZOO / "torch_cnn.onnx").read_bytes())  # as the first step exports one: film [N, 1, 32, 32], logit [N, 1]
    Path("scan.dcm").write_bytes(CT.read_bytes())
    propose, target = block("sh", "--propose").split(" > ")
    assert cli.main(shlex.split(propose)[1:]) == 0 and target.strip() == "card.toml"
    assert tomllib.loads(capsys.readouterr().out)["input"]["name"] == "film"
    Path("card.toml").write_text(block("toml", "my-net"), "utf-8")
    for line in block("sh", "--add").splitlines():
        assert cli.main(shlex.split(line)[1:]) == 0, line
    out = capsys.readouterr().out
    assert '"my-net" was added' in out and "Square" in out
    assert cli.main(["models", "--for", "scan.dcm", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["best"] == "my-net"
    assert cli.main(["models", "--remove", "my-net"]) == 0 and not list(own_folder().iterdir())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_export_of_the_example_gives_a_file_that_the_card_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="part of the extra train")
    import onnxruntime

    monkeypatch.chdir(tmp_path)
    exec(compile(block("python", "torch.onnx.export"), "README.md", "exec"), {})
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    assert session.run(["logit"], {"film": np.zeros((3, 1, 32, 32), np.float32)})[0].shape == (3, 1)
