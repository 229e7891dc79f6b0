"""Notes on how an image came to be shown as it is: what was found in its files, what was done with it, what was left out.

Readers write them while they read; the page "How this image is shown" and ``negatoscope info --explain`` list them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Topic = Literal["file", "decoding", "values", "unit", "window", "colour", "spacing", "geometry", "series", "ignored"]
TOPICS: tuple[Topic, ...] = ("file", "series", "decoding", "values", "unit", "window", "colour", "spacing", "geometry", "ignored")
"""In the order in which they are listed: from the bytes to the screen."""


@dataclass(frozen=True, slots=True)
class Note:
    """One plain sentence, with numbers and units where there are any; ``is_warning`` where the reader should know before trusting the picture."""

    topic: Topic
    text: str
    is_warning: bool = False
