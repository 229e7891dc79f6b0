"""The whole header of an object: every sequence of it, long ones too, read once under the gate."""

from __future__ import annotations

import io
from pathlib import Path

from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.parse import parse
from viewer.io.dicom.quiet import collected
from viewer.io.dicom.walk import Elements

LONGEST = 1 << 30
"""Bytes of a header that are read at most."""


def read_dataset(path: Path) -> Dataset:
    """All elements before the pixels. Raises UnreadableFile with a sentence."""
    parsed = parse(path)
    dataset = parsed.dataset
    if isinstance(dataset, Elements) or not any(_is_deferred(dataset, tag) for tag in list(dataset.keys())):
        return dataset  # the walk leaves nothing out
    from viewer.io.dicom.library import dcmread

    name = gate.harmless(path.name)
    if parsed.end > LONGEST:
        text = _("{name}: its header alone is {size}, which is no header of an object. The file is damaged or hostile.")
        raise UnreadableFile(text.format(name=name, size=gate.amount(parsed.end)))
    gate.check((max(1, parsed.end),), 2, path=path)
    try:
        if parsed.inflated is not None:
            content = parsed.inflated[: parsed.end]
        else:
            with path.open("rb") as file:
                content = file.read(parsed.end)
        with collected():
            return dcmread(io.BytesIO(content), stop_before_pixels=True, force=True)
    except OSError as err:
        raise UnreadableFile(_("{name} cannot be read: {reason}.").format(name=name, reason=err.strerror or str(err))) from err
    except RecursionError as err:
        raise UnreadableFile(_("{name}: its sequences are nested without end. The file is damaged or hostile.").format(name=name)) from err
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as err:
        # Parsers of hostile bytes fail in every way there is.
        reason = elements.harmless(str(err))[:160] or type(err).__name__
        raise UnreadableFile(_("{name}: its DICOM header cannot be understood ({reason}).").format(name=name, reason=reason)) from err


def _is_deferred(dataset: Dataset, tag: int) -> bool:
    element = elements.raw(dataset, tag)
    return element is not None and element.value is None and bool(getattr(element, "length", 0))
