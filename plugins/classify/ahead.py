"""Items made in a thread of their own, one ahead of who uses them."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """The same items in the same order; each is made while the one before is used. An error comes where its item would have."""
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
            following: Future[Item | None] = thread.submit(next, items, None)
            while (item := following.result()) is not None:
                following = thread.submit(next, items, None)
                yield item
    finally:
        items.close()
