"""The public door for mouse tools: what a tool gets, and what it must offer."""

from viewer.core.annotation import Annotation, Measure
from viewer.core.ids import new_id
from viewer.core.measure import handles, is_in_plane, measure_annotation, moved, nearest_handle, roi_size
from viewer.core.tool import Box, Gesture, Pointer, Tool, ToolHost

__all__ = [
    "Annotation", "Box", "Gesture", "Measure", "Pointer", "Tool", "ToolHost", "handles", "is_in_plane", "measure_annotation", "moved",
    "nearest_handle", "new_id", "roi_size",
]  # fmt: skip
