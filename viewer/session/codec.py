"""Items and steps as canonical JSON plus arrays, and back. Only the classes named here come out; no pickle anywhere."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.alignment import Alignment
from viewer.core.annotation import Annotation, Measure
from viewer.core.errors import UnreadableFile
from viewer.core.geometry import Geometry
from viewer.core.graphics import GraphicPlane, Shutter
from viewer.core.images import Image, Labels, Mask
from viewer.core.key_image import KeyImage
from viewer.core.labels import LabelLayer, Segment
from viewer.core.overlay import ScalarMap
from viewer.core.provenance import Note
from viewer.core.report import Column, Reading, Report, Score, Table
from viewer.core.sentence import Sentence
from viewer.core.slab import Slab
from viewer.core.volume import Identity, ValueScale, Volume
from viewer.core.window import VoiLut, Window
from viewer.core.words import _
from viewer.session.history import ItemChange, LabelsChange, Origin, Phrase, Step
from viewer.session.packing import Packed

_CLASSES: dict[str, type] = {
    c.__name__: c
    for c in (
        Alignment, Annotation, Measure, Geometry, LabelLayer, Segment, ScalarMap, Column, Reading, Report, Score, Table, Identity, Note, Volume,
        VoiLut, Window, GraphicPlane, Shutter, ValueScale, KeyImage, Slab,
        ItemChange, LabelsChange, Origin, Phrase, Step,
    )
}  # fmt: skip


_FIELD = re.compile(r"\{\w+(?::(?:[+]?\.?\d?[a-z]?|whole|part))?\}")


def encode(value: Any, keep_array: Callable[[NDArray[Any] | Packed], int]) -> str:
    """Canonical JSON of an item; arrays are handed to ``keep_array``, which returns the number to find them by."""
    return json.dumps(_plain(value, keep_array), separators=(",", ":"), sort_keys=True, allow_nan=False)


def decode(text: str, array: Callable[[int, bool], Any]) -> Any:
    """The item again. ``array(number, packed)`` gives an array, or the packed form of one."""
    try:
        return _living(json.loads(text), array)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as err:
        raise UnreadableFile(_("An entry of the history is damaged: {reason}.").format(reason=err)) from err


def _plain(value: Any, keep: Callable[[NDArray[Any] | Packed], int]) -> Any:
    if isinstance(value, Packed):
        return {"$packed": keep(value)}
    if isinstance(value, np.ndarray):
        return {"$array": keep(value)}
    if isinstance(value, Image | Mask | Labels):
        # Inputs of an operation are named by their ids in the step's origin; their voxels are not kept again.
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if type(value).__name__ not in _CLASSES:
            raise TypeError(f"{type(value).__name__} cannot be kept")
        return {"$": type(value).__name__, **{f.name: _plain(getattr(value, f.name), keep) for f in dataclasses.fields(value)}}
    if isinstance(value, Mapping):
        return {"$map": [[str(k), _plain(v, keep)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_plain(v, keep) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    if isinstance(value, Sentence):  # its key and fields, not what they are in the language of today
        return {"$say": [value.key, value.plural, _plain(value.fields, keep)]}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} cannot be kept")


def is_field(field: str) -> bool:
    """Whether a field of a sentence, such as ``{size:.1f}``, is one that is kept and read again."""
    return _FIELD.fullmatch(field) is not None


def _sentence(key: str, plural: str, fields: Mapping[str, Any] | None) -> str:
    """A sentence as it was kept. Only such fields as the program writes are filled in: a format can ask for a text of any length."""
    if any(not is_field(field) for text in (key, plural) for field in re.findall(r"\{[^{}]*\}", text)):
        raise ValueError("a sentence with fields that are none of ours")
    return Sentence(key, plural, None if fields is None else dict(fields))


def _living(value: Any, array: Callable[[int, bool], Any]) -> Any:
    if isinstance(value, list):
        return tuple(_living(v, array) for v in value)
    if not isinstance(value, dict):
        return value
    if "$packed" in value:
        return array(value["$packed"], True)
    if "$array" in value:
        return array(value["$array"], False)
    if "$map" in value:
        return MappingProxyType({k: _living(v, array) for k, v in value["$map"]})
    if "$float" in value:
        return float(value["$float"])
    if "$say" in value:
        return _sentence(*(_living(part, array) for part in value["$say"]))
    fields = {k: _living(v, array) for k, v in value.items() if k != "$"}
    if value["$"] == "Report" and "is_of_whole" not in fields:  # as older histories have it
        fields["is_of_whole"] = any(name == "planes" for name, _text in fields.get("facts", ()))
    return _CLASSES[value["$"]](**fields)
