"""Ids of document items: unique, short, and safe as names of files and rows."""

from __future__ import annotations

import uuid


def new_id(kind: str) -> str:
    """``volume-1f0c3a9be2d4``: the kind and 48 random bits."""
    return f"{kind}-{uuid.uuid4().hex[:12]}"
