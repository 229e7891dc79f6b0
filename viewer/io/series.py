"""What a look into files and folders finds: series that can be loaded, and files that cannot.

Finding reads headers only. A reader (DICOM, NIfTI, NRRD, MetaImage, pictures) offers the two functions of
:class:`Reader`; :mod:`viewer.io.open` chooses between them by content, never by the file's name alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from viewer.core.geometry import Geometry
from viewer.core.provenance import Note
from viewer.core.volume import Identity, Volume
from viewer.io.stream import Stream
from viewer.jobs.pool import Pool

EntryKind = Literal["volume", "image", "cine", "other"]
ObjectKind = Literal["", "segmentation", "structures", "dose", "map", "report", "presentation", "key-images"]
"""What an entry is besides a picture: DICOM SEG, RTSTRUCT, RTDOSE, parametric map, SR, GSPS, KO; "" for plain images and for
objects that are only listed."""
Progress = Callable[[int, int], None]
"""Called with (done, total); may raise OperationCancelled to stop."""


@dataclass(frozen=True, slots=True)
class SeriesEntry:
    """One thing that can be opened (or, kind ``other``, only listed)."""

    id: str
    """Unique in a listing and stable from run to run: the series UID, with a suffix where one UID holds several things;
    of a file without UIDs a hash of its resolved path's name and content."""
    reader: str
    """Name of the reader that made it: dicom, nifti, nrrd, metaimage, neuro, pictures, picture_stack."""
    kind: EntryKind
    files: tuple[Path, ...]
    """In the order of the planes."""
    identity: Identity
    title: str
    shape: tuple[int, int, int]
    """(planes, rows, columns); (0, 0, 0) for what has no pixels."""
    phases: int = 1
    is_color: bool = False
    geometry: Geometry | None = None
    unit: str = ""
    transfer_syntax: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    """What finding it has to say of it: why the series was split or sorted so, what was ignored (see :class:`Note`)."""
    object_kind: ObjectKind = ""
    refers_to: tuple[str, ...] = ()
    """UIDs of the series that an object was made for."""
    archive: Path | None = None
    """The ZIP file that its files were unpacked from."""
    how: str = ""
    """What was asked for when it was found, if not plainly its files: a stack of pictures with its spacing (:mod:`viewer.io.picture_stack`)."""
    nbytes: int = 0
    """Size of the loaded voxels, for the gate and for the reader's eye."""
    plan: Any = field(default=None, repr=False, compare=False)
    """What the reader needs to load it; nobody else looks inside."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file (or folder) that could not be used, and why, in a sentence that names it."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything found under the given paths."""

    series: tuple[SeriesEntry, ...] = ()
    refused: tuple[Refusal, ...] = ()
    skipped: tuple[Path, ...] = ()
    """Files in folders that are no images at all (text, code, caches): counted, not reported as errors."""


class Reader(Protocol):
    """What a format's module offers."""

    def scan(self, files: list[Path], *, progress: Progress | None = None) -> Listing:
        """Group files of this format into series, headers only; a bad file becomes a refusal, never an exception."""

    def load(self, entry: SeriesEntry, *, pool: Pool, progress: Progress | None = None, stream: Stream | None = None) -> Volume:
        """Read all voxels of an entry, telling ``stream`` of each plane (where the format has planes to tell of).

        Raises a NegatoscopeError that names the file.
        """

    def load_plane(self, entry: SeriesEntry, plane: int, phase: int, *, pool: Pool) -> Volume:
        """Read one plane alone, as a volume of one plane in its right place: for the first picture and thumbnails."""
