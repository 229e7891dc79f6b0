"""Files laid over an opened image: what their header allows, layers of a .seg.nrrd that overlap, maps on phases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.core.errors import Refused
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.volume import Volume
from viewer.io import open as io_open
from viewer.io.seg_nrrd import NamedSegment, segments_in
from viewer.session.document import Document, Source
from viewer.session.laying import lay, why_not
from viewer.session.view import ViewWish, resolve

SHAPE = (4, 5, 6)
GRID = Geometry(SHAPE, spacing=(3.0, 1.5, 0.75), origin=(10.0, -20.0, 30.0))


def opened(phases: int = 1) -> tuple[Document, Volume]:
    document = Document()
    data = np.arange(phases * 120, dtype=np.int16).reshape(phases, *SHAPE)
    volume = Volume(new_id("volume"), data, GRID)
    document.add_source(volume, Source(volume.id))
    return document, volume


def write_seg(path: Path, layers: np.ndarray, lines: str, origin: tuple[float, float, float] = (10.0, -20.0, 30.0)) -> Path:
    """A .seg.nrrd by the letter of the format: layers (list, planes, rows, columns), the list axis fastest (F04)."""
    count, planes, rows, columns = layers.shape
    head = (
        f"NRRD0004\ntype: unsigned char\ndimension: 4\nspace: left-posterior-superior\nsizes: {count} {columns} {rows} {planes}\n"
        "space directions: none (0.75,0,0) (0,1.5,0) (0,0,3)\nkinds: list domain domain domain\nencoding: raw\n"
        f"space origin: ({origin[0]},{origin[1]},{origin[2]})\n{lines}\n"
    )
    path.write_bytes(head.encode() + np.ascontiguousarray(np.moveaxis(layers, 0, -1)).tobytes())
    return path


def read(path: Path, pool: Any) -> tuple[Any, Volume]:
    (entry,) = io_open.find([path]).series
    return entry, io_open.load(entry, pool=pool)


def test_f04_layers_that_overlap_keep_every_voxel_under_their_names(tmp_path: Path, inline_pool: Any) -> None:
    layers = np.zeros((2, *SHAPE), np.uint8)
    layers[0, 1:3, 1:4, 1:5] = 1
    layers[0, 0, 0, 0] = 2
    layers[1, 2, 2, 2:4] = 1  # inside of the first of layer 0
    lines = (
        "Segment0_Name:=Liver\nSegment0_LabelValue:=1\nSegment0_Layer:=0\nSegment0_Color:=0.5 0 1\n"
        "Segment1_Name:=Tumour\nSegment1_LabelValue:=1\nSegment1_Layer:=1\n"
        "Segment2_Name:=Node\nSegment2_LabelValue:=2\nSegment2_Layer:=0\nSegment2_Color:=nonsense\n"
    )
    entry, volume = read(write_seg(tmp_path / "organs.seg.nrrd", layers, lines), inline_pool)
    document, root = opened()
    assert why_not(entry, root, "segmentation") == ""
    document.commit(lay("segmentation", entry, volume, root, phase=0, segments=0))
    first, second = document.layers_of(root.id)
    assert [(s.label, s.name) for s in first.segments] == [(1, "Liver"), (2, "Node")]
    assert [(s.label, s.name) for s in second.segments] == [(1, "Tumour")]
    assert first.segments[0].color == "#8000FF" and first.segments[1].color.startswith("#")
    np.testing.assert_array_equal(document.labels(first.id), layers[0])
    np.testing.assert_array_equal(document.labels(second.id), layers[1])
    assert len(document.history) == 1


def test_f04_a_mask_cut_to_its_extent_is_put_back_by_its_origin(tmp_path: Path, inline_pool: Any) -> None:
    part = np.ones((1, 2, 3, 2), np.uint8)
    origin = tuple(float(c) for c in GRID.to_patient((1, 2, 3)))
    entry, volume = read(write_seg(tmp_path / "part.seg.nrrd", part, "", (origin[0], origin[1], origin[2])), inline_pool)
    document, root = opened()
    document.commit(lay("segmentation", entry, volume, root, phase=0, segments=0))
    expected = np.zeros(SHAPE, np.uint8)
    expected[1:3, 2:5, 3:5] = 1
    np.testing.assert_array_equal(document.labels(document.layers_of(root.id)[0].id), expected)


def test_an_empty_segmentation_is_refused_by_name(tmp_path: Path, inline_pool: Any) -> None:
    entry, volume = read(write_seg(tmp_path / "empty.seg.nrrd", np.zeros((1, *SHAPE), np.uint8), ""), inline_pool)
    with pytest.raises(Refused, match="empty"):
        lay("segmentation", entry, volume, opened()[1], phase=0, segments=0)


def test_lines_of_a_header_that_make_no_sense_count_as_missing(tmp_path: Path) -> None:
    lines = (
        "Segment0_Name:=A\x07B\nSegment0_LabelValue:=3\nSegment1_Name:=no label\nSegment2_LabelValue:=0\nSegment3_LabelValue:=99999999999\n"
        "Segment4_LabelValue:=5\nSegment4_Color:=1 2 3\nSegment4_Layer:=-1\nSegmentX_Name:=x\n"
    )
    path = write_seg(tmp_path / "odd.seg.nrrd", np.zeros((1, *SHAPE), np.uint8), lines)
    assert segments_in(path) == (NamedSegment(0, 3, "A?B", ""),)
    (tmp_path / "other.nii").write_bytes(b"no header of this kind")
    assert segments_in(tmp_path / "other.nii") == ()


@pytest.mark.parametrize(("phases", "of_map", "expected"), [(1, 1, [0]), (3, 3, [0, 1, 2]), (3, 1, [0, 1, 2])])
def test_a_map_is_laid_over_the_phases_that_it_belongs_to(phases: int, of_map: int, expected: list[int], tmp_path: Path, inline_pool: Any) -> None:
    entry, one = read(write_seg(tmp_path / "map.nrrd", np.ones((1, *SHAPE), np.uint8), ""), inline_pool)
    data = np.stack([np.full(SHAPE, number, np.float32) for number in range(of_map)])
    volume = replace(one, id=new_id("volume"), root_id="", data=data)
    document, root = opened(phases)
    document.commit(lay("overlay", replace(entry, phases=of_map), volume, root, phase=1 if phases > 1 else 0, segments=0))
    maps = document.overlays_of(root.id)
    assert sorted(m.phase for m in maps) == expected
    for item in maps:
        assert float(item.values[0, 0, 0]) == (item.phase if of_map > 1 else 0)


def test_an_overlay_on_another_grid_keeps_it(tmp_path: Path, inline_pool: Any) -> None:
    coarse = np.arange(8, dtype=np.uint8).reshape(1, 2, 2, 2)
    entry, volume = read(write_seg(tmp_path / "map.nrrd", coarse, ""), inline_pool)
    volume = replace(volume, geometry=replace(volume.geometry, spacing=(6.0, 3.0, 2.0)))
    document, root = opened(2)
    document.commit(lay("overlay", replace(entry, geometry=volume.geometry), volume, root, phase=1, segments=0))
    first, second = document.overlays_of(root.id)
    assert first.geometry == volume.geometry and {first.phase, second.phase} == {0, 1}
    np.testing.assert_array_equal(first.values, coarse[0])
    (shown,) = resolve(ViewWish(root.id, index=1), document).maps
    assert shown.start is None


def test_what_does_not_fit_says_why(tmp_path: Path, inline_pool: Any) -> None:
    entry, _volume = read(write_seg(tmp_path / "map.nrrd", np.ones((1, *SHAPE), np.uint8), ""), inline_pool)
    root = opened()[1]
    assert why_not(entry, root, "overlay") == why_not(entry, root, "segmentation") == ""
    assert why_not(entry, None, "overlay") == "Open an image first."
    assert why_not(replace(entry, geometry=replace(GRID, origin=(0.0, 0.0, 0.3))), root, "overlay") == ""
    assert "another frame" in why_not(
        replace(entry, geometry=replace(GRID, frame_uid="1.2")), replace(root, geometry=replace(GRID, frame_uid="1.3")), "overlay"
    )
    nowhere = replace(GRID, shape=(4, 5, 7), is_patient=False)
    assert "where in the patient" in why_not(replace(entry, geometry=nowhere), root, "overlay")
    assert "not those of the image" in why_not(replace(entry, geometry=replace(GRID, origin=(0.0, 0.0, 0.3))), root, "segmentation")
    assert "colour" in why_not(replace(entry, is_color=True), root, "overlay")
    assert why_not(replace(entry, phases=2, reader="nifti"), root, "segmentation") == "It has 2 phases."
    assert why_not(replace(entry, kind="other"), root, "overlay") == "This is no image."
