"""A list of listeners, for the floors without Qt."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """Calls its listeners in order with one frozen value. Bound methods are held weakly: a dead listener leaves by itself."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], Callable[[T], None] | None]] = []

    def connect(self, listener: Callable[[T], None]) -> None:
        if hasattr(listener, "__self__"):
            self._listeners.append(weakref.WeakMethod(listener))
        else:
            self._listeners.append(lambda: listener)

    def disconnect(self, listener: Callable[[T], None]) -> None:
        self._listeners = [ref for ref in self._listeners if ref() not in (None, listener)]

    def emit(self, value: T) -> None:
        for ref in list(self._listeners):
            listener = ref()
            if listener is None:
                self._listeners.remove(ref)
            else:
                listener(value)
