"""The DICOM reader: headers to series (``index``), places (``geometry``), values, colour, decoding in workers (``decode``)."""

from __future__ import annotations

from pathlib import Path

from viewer.io.dicom.assemble import load, load_plane
from viewer.io.dicom.index import scan
from viewer.io.dicom.parse import looks_like as _looks_like

__all__ = ["load", "load_plane", "looks_like", "scan"]


def looks_like(head: bytes, path: Path | None = None) -> bool:
    """Whether a file's first bytes (132 or more; 1 KiB is better) are DICOM's, whatever its name says."""
    return _looks_like(head)
