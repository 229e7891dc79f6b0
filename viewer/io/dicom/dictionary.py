"""The standard's lists of elements and names, as pydicom carries them, without the rest of pydicom: that takes 70 ms, these 5.

Enough for series of the usual kinds to be listed and shown while nothing has asked for pydicom yet.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_SETS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("ISO_IR 6",): ("iso8859",), ("ISO_IR 100",): ("latin_1",), ("ISO_IR 192",): ("UTF8",), ("GB18030",): ("GB18030",),
    ("GBK",): ("GBK",),
}  # fmt: skip
"""Python's names for the character sets that files most often announce (PS3.3 C.12.1.1.2), as pydicom gives them."""


@lru_cache(maxsize=4096)
def dictionary_vr(tag: int) -> str:
    """The value representation of DICOM's own dictionary, "" of tags that it does not have."""
    found = _carried("_dicom_dict", "DicomDictionary").get(tag)
    if found is not None:
        return str(found[0])
    if tag >> 16 & 1:
        return ""  # private
    from viewer.io.dicom.library import dictionary_VR

    try:
        return str(dictionary_VR(tag))  # knows the repeating groups too
    except KeyError:
        return ""


def usual_encodings(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Python's names for the values of SpecificCharacterSet; None for those that pydicom has to be asked for."""
    return _SETS.get(names)


def uid_name(uid: str) -> str:
    """The name of a UID in the standard, the UID itself where it has none."""
    names = _carried("_uid_dict", "UID_dictionary")
    if names:
        return str(names[uid][0]) if uid in names else uid
    from viewer.io.dicom.library import UID

    return str(UID(uid).name)


@lru_cache(maxsize=4)
def _carried(file: str, name: str) -> Mapping[Any, tuple[str, ...]]:
    """A table of pydicom's; empty where it keeps them elsewhere: then pydicom itself is asked."""
    package = importlib.util.find_spec("pydicom")
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        spec = importlib.util.spec_from_file_location(f"viewer.io.dicom.{file}", Path(folder) / f"{file}.py")
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except (OSError, ImportError):
                continue
            found: Mapping[Any, tuple[str, ...]] = getattr(module, name, {})
            return found
    return {}
