"""DICOM images, segmentations and structure sets made with pydicom, for the tests of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from viewer.io import open as io_open
from viewer.io.series import Listing, SeriesEntry

CT = "1.2.840.10008.5.1.4.1.1.2"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
FRAME = "1.2.826.0.1.3680043.8.498.1"
SERIES = "1.2.826.0.1.3680043.8.498.2"

# 30 degrees about two axes: no cosine is 0, and rows, columns and planes are 0.5, 2 and 3 mm apart.
_A, _B = np.radians(30), np.radians(30)
_TURN = np.array([[1, 0, 0], [0, np.cos(_A), -np.sin(_A)], [0, np.sin(_A), np.cos(_A)]]) @ np.array(
    [[np.cos(_B), 0, np.sin(_B)], [0, 1, 0], [-np.sin(_B), 0, np.cos(_B)]]
)


@dataclass(frozen=True)
class Grid:
    """Where planes of pixels lie: what the tests believe, written without the program's own geometry."""

    shape: tuple[int, int, int] = (5, 11, 13)
    spacing: tuple[float, float, float] = (3.0, 0.5, 2.0)
    origin: tuple[float, float, float] = (10.0, -20.0, 30.0)
    row: tuple[float, float, float] = (1.0, 0.0, 0.0)
    """Direction of increasing column."""
    column: tuple[float, float, float] = (0.0, 1.0, 0.0)
    """Direction of increasing row."""
    heights: tuple[float, ...] = ()
    """mm along the normal of each plane, where they are not even."""

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.row, self.column)

    def place(self, plane: float, row: float, column: float) -> np.ndarray:
        """LPS mm of a (fractional) index."""
        height = self.heights[int(plane)] if self.heights else plane * self.spacing[0]
        return (
            np.asarray(self.origin)
            + height * self.normal
            + row * self.spacing[1] * np.asarray(self.column)
            + column * self.spacing[2] * np.asarray(self.row)
        )


OBLIQUE = Grid(row=tuple(_TURN[:, 0]), column=tuple(_TURN[:, 1]))


def _start(sop_class: str, modality: str, **changes: Any) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    values: dict[str, Any] = {
        "SOPClassUID": sop_class, "SOPInstanceUID": generate_uid(), "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": generate_uid(),
        "FrameOfReferenceUID": FRAME, "Modality": modality, "PatientID": "P1", "PatientName": "Test^Case", "InstanceNumber": 1,
    }  # fmt: skip
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def item(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def write_image(folder: Path, grid: Grid, *, series: str = SERIES, frame: str = FRAME, **changes: Any) -> list[str]:
    """One file for each plane, their names in another order than their places. Returns the SOP instance UIDs by plane."""
    folder.mkdir(parents=True, exist_ok=True)
    uids = []
    for plane in range(grid.shape[0]):
        dataset = _start(CT, "CT", SeriesInstanceUID=series, FrameOfReferenceUID=frame, InstanceNumber=grid.shape[0] - plane, **changes)
        dataset.ImagePositionPatient = [f"{c:.6f}" for c in grid.place(plane, 0, 0)]
        dataset.ImageOrientationPatient = [f"{c:.10f}" for c in (*grid.row, *grid.column)]
        dataset.PixelSpacing = [grid.spacing[1], grid.spacing[2]]
        dataset.Rows, dataset.Columns = grid.shape[1:]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 0
        dataset.SeriesDescription = "Made image"
        dataset.PixelData = np.full(grid.shape[1:], plane, "<u2").tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.save_as(folder / f"{(plane * 7919) % 10007:05d}.dcm", enforce_file_format=True)
        uids.append(dataset.SOPInstanceUID)
    return uids


@dataclass
class Frame:
    """One frame of a segmentation."""

    pixels: np.ndarray
    position: Sequence[float]
    segment: int | None = 1
    more: dict[str, Any] = field(default_factory=dict)


def write_segmentation(
    path: Path, frames: Sequence[Frame], grid: Grid, *, kind: str = "BINARY", segments: Mapping[int, Mapping[str, Any]] | None = None,
    bits: int = 0, series: str = SERIES, **changes: Any,
) -> Path:  # fmt: skip
    """A segmentation whose shared groups hold direction and spacing of ``grid``; ``changes`` replace elements, None leaves one out."""
    is_map = kind == "LABELMAP"
    bits = bits or (1 if kind == "BINARY" else 8)
    dataset = _start(LABEL_MAP if is_map else SEG, "SEG")
    dataset.SegmentationType = kind
    dataset.SeriesDescription = "Made segmentation"
    dataset.Rows, dataset.Columns = frames[0].pixels.shape
    dataset.NumberOfFrames = len(frames)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    if kind == "FRACTIONAL":
        dataset.SegmentationFractionalType, dataset.MaximumFractionalValue = "PROBABILITY", 200
    described = {n: {"SegmentLabel": f"Segment number {n}"} for n in sorted({f.segment or 0 for f in frames} - {0})} if segments is None else segments
    dataset.SegmentSequence = [item(SegmentNumber=n, SegmentAlgorithmType="MANUAL", **values) for n, values in described.items()]
    dataset.ReferencedSeriesSequence = [item(SeriesInstanceUID=series)]
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=[f"{c:.10f}" for c in (*grid.row, *grid.column)])],
            PixelMeasuresSequence=[item(PixelSpacing=[grid.spacing[1], grid.spacing[2]], SliceThickness=grid.spacing[0])],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[f"{c:.6f}" for c in frame.position])],
            **({"SegmentIdentificationSequence": [item(ReferencedSegmentNumber=frame.segment)]} if frame.segment else {}),
            **frame.more,
        )
        for frame in frames
    ]
    stored = np.stack([frame.pixels for frame in frames])
    # One-bit frames follow each other without a gap, least significant bit first (PS3.5 8.1.1).
    content = np.packbits(stored.astype(np.uint8).ravel(), bitorder="little").tobytes() if bits == 1 else stored.astype(f"<u{bits // 8}").tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB" if bits <= 8 else "OW"
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def contour(points: Any, kind: str = "CLOSED_PLANAR", **changes: Any) -> Dataset:
    """A contour; ``points`` (n, 3) in mm, or the raw numbers as text."""
    numbers = points if isinstance(points, list) else [f"{c:.4f}" for c in np.asarray(points).ravel()]
    values = {"ContourGeometricType": kind, "NumberOfContourPoints": len(numbers) // 3, "ContourData": numbers} | changes
    return item(**{k: v for k, v in values.items() if v is not None})


def write_structures(
    path: Path, regions: Sequence[tuple[str, Sequence[Dataset]]], *, colors: Sequence[Any] = (), frame: str = FRAME, series: str | None = SERIES
) -> Path:  # fmt: skip
    """A structure set with a region of interest for each (name, contours)."""
    dataset = _start(RTSTRUCT, "RTSTRUCT", FrameOfReferenceUID=frame)
    dataset.StructureSetLabel = "Made structures"
    if series:
        referenced = item(SeriesInstanceUID=series)
        study = item(RTReferencedSeriesSequence=[referenced])
        dataset.ReferencedFrameOfReferenceSequence = [item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])]
    dataset.StructureSetROISequence = [
        item(ROINumber=n, ROIName=name, ReferencedFrameOfReferenceUID=frame) for n, (name, _contours) in enumerate(regions, 1)
    ]
    dataset.ROIContourSequence = []
    for n, (_name, contours) in enumerate(regions, 1):
        drawn = item(ReferencedROINumber=n, ContourSequence=list(contours))
        if n <= len(colors):
            drawn.ROIDisplayColor = colors[n - 1]
        dataset.ROIContourSequence.append(drawn)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def found(*paths: Path) -> Listing:
    listing = io_open.find(list(paths))
    assert not listing.refused, listing.refused
    return listing


def parts(*paths: Path) -> tuple[SeriesEntry, SeriesEntry]:
    """The object and the image in files."""
    series = found(*paths).series
    return next(e for e in series if e.object_kind), next(e for e in series if e.kind != "other")
