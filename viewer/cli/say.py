"""The two ways out of the command line: results to stdout, messages to stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from viewer.core.sentence import english
from viewer.io.gate import harmless


def out(text: str) -> None:
    """A result for people."""
    _write(sys.stdout, text)


def err(text: str) -> None:
    """A message; control characters of names cannot reach the terminal."""
    for line in str(text).splitlines():
        _write(sys.stderr, f"negatoscope: {harmless(line)}")


def json_object(content: Mapping[str, Any]) -> None:
    """The one JSON object of ``--json``; NaN and infinities become null."""
    _write(sys.stdout, json.dumps(clean(content), allow_nan=False, indent=1))


def flush() -> None:
    """See to it that what was printed is out, or raise OSError."""
    if sys.stdout is not None:
        sys.stdout.flush()


def clean(value: Any) -> Any:
    """The same as plain JSON values."""
    if isinstance(value, Mapping):
        return {str(key): clean(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [clean(part) for part in value]
    if hasattr(value, "tolist"):
        return clean(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return english(value)  # what programs read is the same in every language
    return value if value is None or isinstance(value, bool | int) else str(value)


def _write(stream: TextIO | None, text: str) -> None:
    """A closed stream (``>&-``) is None, for which ``print`` would take stdout: messages would land among the results."""
    if stream is not None:
        print(text, file=stream)
