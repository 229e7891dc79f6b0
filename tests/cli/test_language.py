"""The command line speaks the language that is asked for, that of the settings, or that of the system."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from viewer.cli.language import take
from viewer.cli.main import main
from viewer.core import words
from viewer.core.errors import BadParameter


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    yield
    words.use("en")


def said(capsys: Any, *arguments: str) -> str:
    assert main(arguments) in (0, 2)
    captured = capsys.readouterr()
    return str(captured.out + captured.err)


def test_a_sentence_is_said_in_the_language_that_is_asked_for(capsys: Any) -> None:
    assert "There is no file or folder nowhere.dcm" in said(capsys, "open", "nowhere.dcm")
    assert "没有文件或文件夹 nowhere.dcm" in said(capsys, "--language", "zh_CN", "open", "nowhere.dcm")
    assert "没有文件或文件夹 nowhere.dcm" in said(capsys, "open", "nowhere.dcm", "--language=zh_CN")
    assert "There is no file or folder nowhere.dcm" in said(capsys, "open", "nowhere.dcm")


def test_the_parser_of_the_standard_library_speaks_it_too(capsys: Any) -> None:
    assert "缺少以下参数：PATH, OUT" in said(capsys, "--language", "zh_CN", "convert")
    assert "the following arguments are required: PATH, OUT" in said(capsys, "--language", "en", "convert")


def test_a_language_that_is_not_spoken_is_refused_by_name(capsys: Any) -> None:
    assert 'There is no language "fr". --language takes one of: system, en, zh_CN.' in said(capsys, "--language", "fr", "info")
    with pytest.raises(BadParameter):
        take(["info", "--language"])


def test_the_system_s_language_holds_where_nothing_else_is_said(tmp_path: Path) -> None:
    def run(language: str) -> str:
        home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
        environment = {**os.environ, **home, "LANGUAGE": language, "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-m", "viewer.cli.main", "--help"]
        return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True).stdout

    assert run("zh_CN").startswith("用法：negatoscope") and run("de").startswith("usage: negatoscope")
    (tmp_path / "negatoscope").mkdir()
    (tmp_path / "negatoscope" / "settings.toml").write_text('language = "zh_CN"\n', encoding="utf-8")
    assert run("de").startswith("用法：negatoscope")
