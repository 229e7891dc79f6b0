"""The program's own errors: one root, few children, told apart by what the caller can do about them.

A message is a whole sentence that names the file (or label, or plugin), says what was found, and what to do.
"""

from __future__ import annotations


class NegatoscopeError(Exception):
    """Root of every error that is meant to be read by a person."""


class UnreadableFile(NegatoscopeError):
    """A file is damaged, empty, not what it says it is, or may not be read."""


class UnsupportedFeature(NegatoscopeError):
    """A file is whole, but uses something (a codec, a kind of object) that is not supported."""


class InconsistentSeries(NegatoscopeError):
    """The files of one series contradict each other."""


class TooLarge(NegatoscopeError):
    """What was asked for needs more memory than may be used."""


class GeometryMismatch(NegatoscopeError):
    """Two things that must share a grid do not."""


class Refused(NegatoscopeError):
    """An operation, tool or command declines, and says why and what to do."""


class BadParameter(Refused):
    """A parameter is unknown, not a number, or outside its limits."""


class ModelUnusable(NegatoscopeError):
    """A model, or its card, cannot be used."""


class SaveFailed(NegatoscopeError):
    """A file could not be written; what was there before is untouched."""


class JobFailed(NegatoscopeError):
    """A worker process died, hung or ran out of memory, or the code in it failed; ``details`` holds the traceback."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class OperationCancelled(NegatoscopeError):
    """The user cancelled; the document is as it was."""
