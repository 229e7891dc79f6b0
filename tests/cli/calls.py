"""Calling the command line within the process of the test."""

from __future__ import annotations

from typing import Any

from viewer.cli import main as cli


def run(capsys: Any, *words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    code = cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err
