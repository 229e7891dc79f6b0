"""The public door for mouse tools: what a tool gets, and what it must offer."""

from viewer.core.annotation import Annotation, Measure
from viewer.core.ids import new_id
from viewer.core.measure import measure_annotation
from viewer.core.tool import Box, Gesture, Pointer, Tool, ToolHost

__all__ = ["Annotation", "Box", "Gesture", "Measure", "Pointer", "Tool", "ToolHost", "measure_annotation", "new_id"]
