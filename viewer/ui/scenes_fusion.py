"""Pictures of fusion: a made PET over the sample CT, its curtain, the difference of two series, a nudge by hand, a registration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.alignment import Alignment, alignment_id, rigid
from viewer.core.geometry import Geometry
from viewer.io.samples import NODULE, phantom_volume
from viewer.session.history import ItemChange
from viewer.ui.scenes_stage import Stage

PET_GRID = Geometry((66, 80, 80), (-177.5, -177.5, -135.0), (4.1, 4.5, 4.5))
HOT = ((NODULE.centre_mm, 7.0, 7.5), ((20.0, -25.0, -45.0), 26.0, 2.6), ((-60.0, 5.0, -115.0), 45.0, 1.5))
"""Place, size (mm) and SUV: the nodule, the heart, the liver."""


def fusion(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.open(made_pet(s.folder / "pet", frame=_frame(s)))
    s.show("CT thorax phantom")
    s.turn_to(NODULE.centre_mm)
    browser = s.window.browser
    row = next(r for r in s.window.opener.rows() if "PET" in r.entry.title)
    menu = browser.build_menu(row)
    menu.popup(browser.mapToGlobal(browser.rect().center()))
    yield "fusion-menu"
    menu.close()
    s.window.fusion_commands.fusing.lay_entry(row.entry)
    s.settle()
    yield "pet-ct-fusion"
    s.window.fusion_commands.fusing.change(curtain=0.45)
    s.trigger("fusion.curtain")
    yield "fusion-curtain"
    s.trigger("fusion.blend")
    bar = _bar(s)
    s.press(bar.more)
    yield "fusion-place"
    assert bar.place is not None
    bar.place.close()
    s.trigger("layout.mpr")
    s.rest()
    yield "fusion-mpr"
    s.trigger("layout.1x1")
    s.trigger("fusion.difference")
    yield "fusion-without-common-unit"


def narrow_fusion(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage(size=(960, 600))
    s.open_sample()
    s.open(made_pet(s.folder / "pet", frame=_frame(s)))
    s.show("CT thorax phantom")
    s.turn_to(NODULE.centre_mm)
    s.window.fusion_commands.fusing.lay_entry(next(r for r in s.window.opener.rows() if "PET" in r.entry.title).entry)
    s.settle()
    yield "fusion-960x600"


def aligning(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage(workers=2)
    s.open_sample()
    s.open(made_pet(s.folder / "pet-elsewhere", frame="1.2.826.0.1.99", away=(9.0, -6.0, 5.0)))
    s.show("CT thorax phantom")
    s.turn_to(NODULE.centre_mm)
    fusing = s.window.fusion_commands.fusing
    fusing.lay_entry(next(r for r in s.window.opener.rows() if "PET" in r.entry.title).entry)
    s.settle()
    yield "fusion-another-frame"
    s.window.messages.clear_messages()
    fusing.place_by_hand()
    s.rest()
    x, y, z = NODULE.centre_mm
    s.drag((x, y, z), (x - 9.0, y + 6.0, z))
    yield "fusion-nudged"
    volume = fusing.shown
    assert volume is not None
    fixed, moving = s.host.state.volume, volume.volume
    assert fixed is not None
    item = Alignment(
        alignment_id(fixed.root_id, moving.root_id), fixed.root_id, moving.root_id, rigid(shift=(-9.0, 6.0, -5.0)), "rigid",
        metric="mutual information", value=0.412,
    )  # fmt: skip
    before = s.host.document.item("alignment", item.id)
    s.host.document.commit(s.host.document.step("Align {name} (rigid)", (ItemChange("alignment", item.id, before, item),), name="PET AC"))
    s.trigger("tool.window")
    s.rest()
    yield "fusion-registered"


def _bar(s: Stage) -> Any:
    from viewer.ui.fusion_bar import FusionBar

    return s.window.findChild(FusionBar)


def _frame(s: Stage) -> str:
    return str(phantom_volume().geometry.frame_uid)


def made_pet(folder: Path, *, frame: str, away: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Path:
    """A small PET of the phantom in SUV by body weight, as DICOM: what is hot in it is made up."""
    from pydicom import dcmread
    from pydicom.uid import PositronEmissionTomographyImageStorage

    from viewer.io.samples import sample_paths

    if folder.is_dir():
        return folder
    folder.mkdir(parents=True)
    template = dcmread(sorted(sample_paths(folder.parent / "sample")[0].iterdir())[0])
    grid = replace(PET_GRID, origin=tuple(o + a for o, a in zip(PET_GRID.origin, away, strict=True)))
    for number, plane in enumerate(_uptake(PET_GRID)):
        dataset = template
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = PositronEmissionTomographyImageStorage
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.77.{sum(map(ord, folder.name))}.{number}"
        dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = f"1.2.826.0.1.77.{sum(map(ord, folder.name))}", frame
        dataset.Modality, dataset.SeriesDescription, dataset.SeriesNumber, dataset.Units = "PT", "PET AC", "4", "GML"
        dataset.SUVType, dataset.DecayCorrection, dataset.CorrectedImage = "BW", "ADMIN", ["ATTN", "DECY"]
        dataset.Rows, dataset.Columns = plane.shape
        dataset.PixelSpacing = [grid.spacing[1], grid.spacing[2]]
        dataset.SliceThickness = dataset.SpacingBetweenSlices = grid.spacing[0]
        x, y, z = (float(c) for c in grid.to_patient((number, 0, 0)))
        dataset.ImagePositionPatient = [round(x, 4), round(y, 4), round(z, 4)]
        dataset.SliceLocation, dataset.InstanceNumber = round(z, 4), number + 1
        dataset.BitsStored, dataset.HighBit, dataset.RescaleIntercept, dataset.RescaleSlope = 16, 15, "0", "0.001"
        for keyword in ("RescaleType", "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "KVP"):
            if keyword in dataset:
                delattr(dataset, keyword)
        dataset.PixelData = np.rint(plane * 1000).astype("<u2").tobytes()
        dataset.save_as(folder / f"PT{number + 1:04d}.dcm")
    return folder


def _uptake(grid: Geometry) -> NDArray[np.float32]:
    """SUV: the body is faintly warm, some places hot, with the noise of few counts."""
    body = phantom_volume()
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    places = grid.to_patient(index)
    near = np.clip(np.rint(body.geometry.to_index(places)), 0, np.asarray(body.geometry.shape) - 1).astype(int)
    tissue = body.values[near[..., 0], near[..., 1], near[..., 2]]
    found = np.where(tissue > -300, 0.7, np.where(tissue > -950, 0.25, 0.02)).astype(np.float32)
    for place, size, value in HOT:
        found += value * np.exp(-(((places - place) / size) ** 2).sum(axis=-1) * 1.5).astype(np.float32)
    rng = np.random.default_rng(4)
    return np.asarray(np.clip(found * (1 + 0.08 * rng.standard_normal(found.shape)), 0, 60), dtype=np.float32)


FUSION_CHAPTERS = (fusion, aligning, narrow_fusion)
