"""Whether an ONNX file may be run: what it is, what it needs, and whether it is what its card says. Nothing of it is run here."""

from __future__ import annotations

from pathlib import Path


def check_container(path: Path) -> None:
    """Refuses what is no ONNX file by its looks."""
