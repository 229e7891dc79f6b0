"""Pictures of oblique planes, slabs and straightened stacks. Oracles: SimpleITK, numpy, the straightened volume that files are written from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PySide6.QtGui import QImage, QPainter

from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.labels import LabelLayer, Segment
from viewer.core.layout import layout_of
from viewer.core.oblique import turn_of, turned_about
from viewer.core.overlay import ScalarMap
from viewer.core.slab import Slab
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.draw import planes
from viewer.draw.contours import contours_of
from viewer.draw.corners import corners, position_text
from viewer.draw.picture import compose, draw_picture
from viewer.draw.planes import shown_values
from viewer.io.straight import straightened
from viewer.session.document import Document
from viewer.session.history import ItemChange
from viewer.session.view import ViewState, ViewWish, resolve
from viewer.ui.views.probe import probe_at

SHAPE = (20, 44, 50)
GEOMETRY = Geometry(SHAPE, (11, -22, 33), (2.0, 0.7, 0.5))
TURN = turned_about(turned_about(turn_of(GEOMETRY, "axial"), (1, 0, 0), 30), (0, 0, 1), 20)
WINDOW = Window.between(0, 255)


def made(geometry: Geometry = GEOMETRY, **facts: Any) -> Volume:
    z, y, x = (np.arange(n) for n in geometry.shape)
    data = 120 + 60 * np.sin(x / 5) * np.cos(y[:, None] / 4) + 3 * z[:, None, None]
    return Volume("root", data.astype(np.int16)[None], geometry, **{"unit": "HU", "identity": Identity(series_uid="1", modality="CT"), **facts})


def opened(volume: Volume, *items: tuple[str, Any]) -> Document:
    document = Document()
    document.add_source(volume)
    changes: Any = tuple(ItemChange(kind, item.id, None, item) for kind, item in items)  # type: ignore[arg-type]
    if changes:
        document.commit(document.step("Add", changes))
    return document


def itk_plane(values: np.ndarray, geometry: Geometry, state: ViewState, interpolator: int = sitk.sitkLinear) -> np.ndarray:
    image = sitk.GetImageFromArray(values)
    image.SetOrigin(geometry.origin)
    image.SetSpacing(geometry.spacing[::-1])
    image.SetDirection(geometry.direction)
    cut = state.cut
    direction = np.stack([cut.right, cut.down, cut.normal], axis=1).ravel().tolist()
    size = (cut.shape[1], cut.shape[0], 1)
    found = sitk.Resample(image, size, sitk.Transform(), interpolator, cut.origin, (cut.step, cut.down_step, 1.0), direction, -1e6, sitk.sitkFloat64)
    return sitk.GetArrayFromImage(found)[0]


def red(pixels: np.ndarray) -> np.ndarray:
    return (pixels >> 16 & 255).astype(int)


def test_the_picture_of_an_oblique_plane_is_simpleitks_within_a_grey_level() -> None:
    volume = made()
    document = opened(volume)
    for inverted in (False, True):
        state = resolve(ViewWish("root", turn=TURN, window=WINDOW, is_inverted=inverted), document)
        expected = itk_plane(volume.values, GEOMETRY, state)
        inside = expected > -1e6
        found = red(compose(state, document).pixels)
        levels = 255 - expected if inverted else expected
        assert inside.mean() > 0.3
        assert np.abs(found - levels)[inside].max() <= 1
        assert (found[~inside] == 0).mean() > 0.99  # black outside of the volume, inverted or not


def test_c16_segments_on_an_oblique_plane_are_those_of_the_nearest_voxels() -> None:
    volume = made()
    layer = LabelLayer(new_id("layer"), "Segments", GEOMETRY, "root", (Segment(1, "Cube", "#FF0000"),))
    document = opened(volume, ("layer", layer))
    with document.edit("Paint") as edit:
        edit.paint(layer.id, (slice(5, 14), slice(10, 30), slice(10, 40)), np.ones((9, 20, 30), bool), 1)
    state = resolve(ViewWish("root", turn=TURN, window=WINDOW), document)
    expected = itk_plane(document.labels(layer.id), GEOMETRY, state, sitk.sitkNearestNeighbor) == 1
    pixels = compose(state, document).pixels
    tinted = red(pixels) != (pixels & 255)
    assert expected.sum() > 200
    assert (tinted != expected).mean() < 0.002
    (outline,) = contours_of(state, document)
    bounds = outline.path.boundingRect()
    rows, columns = np.nonzero(expected)
    assert (bounds.left(), bounds.right()) == pytest.approx((columns.min(), columns.max() + 1), abs=1.1)
    assert (bounds.top(), bounds.bottom()) == pytest.approx((rows.min(), rows.max() + 1), abs=1.1)


def test_a_map_on_an_oblique_plane_lies_where_it_lies_in_the_patient() -> None:
    volume = made()
    heat = np.zeros(SHAPE, np.float32)
    heat[5:14, 10:30, 10:40] = 1
    part = replace(GEOMETRY.cropped((4, 8, 8), (12, 26, 36)))
    item = ScalarMap("m", "Heat", "root", part, heat[4:16, 8:34, 8:44].copy())
    document = opened(volume, ("overlay", item))
    state = resolve(ViewWish("root", turn=TURN, window=WINDOW, overlay_opacity=1.0), document)
    expected = itk_plane(heat, GEOMETRY, state) > 0.99
    pixels = compose(state, document).pixels
    plain = compose(state, document, only_image=True).pixels
    assert expected.sum() > 150
    assert (pixels != plain)[expected].all()
    assert not (pixels != plain)[itk_plane(heat, GEOMETRY, state) <= 0].any()


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize(("mode", "gather"), [("mip", np.max), ("minip", np.min), ("mean", np.mean)])
def test_the_picture_of_a_slab_is_numpys(plane: Any, mode: Any, gather: Any) -> None:
    volume = made()
    document = opened(volume)
    state = resolve(ViewWish("root", plane=plane, slab=Slab(mode, 7.0), window=WINDOW), document)
    axis = state.layout.axis
    beside = int(3.5 / GEOMETRY.spacing[axis])
    moved = np.moveaxis(volume.values, axis, 0)
    part = moved[max(0, state.array_index - beside) : state.array_index + beside + 1].astype(float)
    expected = layout_of(GEOMETRY, plane).turned(gather(part, axis=0))
    assert np.abs(red(compose(state, document).pixels) - expected).max() <= 1
    assert np.abs(shown_values(state) - expected).max() < 1e-3


def stack(heights: list[float], lean: float) -> Geometry:
    origins = tuple((-4.0, lean * h, h) for h in heights)
    even = len(set(np.diff(heights))) == 1
    return Geometry((len(heights), 40, 30), origins[0], (float(np.median(np.diff(heights))), 1.0, 1.2), between_known=even, plane_origins=origins)


STACKS = {
    "leaning": stack([2.0 * n for n in range(20)], 0.27),
    "uneven": stack([0.0, 2.0, 4.5, 6.0, 8.4, 10.0, 12.0], 0.1),
    "missing": stack([0.0, 2.0, 4.0, 12.0, 14.0, 16.0], 0.0),
}


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
@pytest.mark.parametrize("name", STACKS)
def test_d59_d62_across_a_leaning_stack_the_view_shows_the_straightened_one(plane: Any, name: str) -> None:
    volume = made(STACKS[name])
    expected = straightened(volume)
    document = opened(volume)
    layout = layout_of(expected.geometry, plane)
    for index in (layout.count // 3, layout.count // 2):
        values = shown_values(resolve(ViewWish("root", plane=plane, index=index), document))
        wanted = layout.plane(expected.values, index).astype(float)
        assert values.shape == wanted.shape
        seen = np.isfinite(values)
        assert seen.mean() > 0.4
        assert np.abs(values - wanted)[seen].max() <= 0.51  # there it is rounded to whole numbers


def test_d60_a_gap_of_missing_planes_is_hatched_and_nothing_is_said_of_it() -> None:
    volume = made(stack([0.0, 2.0, 4.0, 24.0, 26.0, 28.0], 0.0))
    document = opened(volume)
    state = resolve(ViewWish("root", plane="coronal", window=Window.between(-1000, 255)), document)
    picture = compose(state, document)
    values = shown_values(state)
    gap = np.isnan(values).all(axis=1)
    assert gap.sum() == 9  # planes 2 mm apart from 4 to 24 mm
    assert (picture.pixels[gap] == planes.BLACK).all()
    placement = state.placement((400.0, 400.0))
    painted = QImage(400, 400, QImage.Format.Format_RGB32)
    painter = QPainter(painted)
    draw_picture(painter, picture, state, placement)
    painter.end()
    colors = np.frombuffer(painted.constBits(), np.uint32).reshape(400, 400)
    top, bottom = (round(placement.to_viewport((0.0, n * state.layout.step[0]))[1]) for n in (np.flatnonzero(gap)[0], np.flatnonzero(gap)[-1] + 1))
    left, right = (round(placement.to_viewport((x, 0.0))[0]) for x in (0.0, state.layout.size[0]))
    hatched = colors == 0xFF6B717B
    assert 0.08 < hatched[top + 5 : bottom - 5, left + 5 : right - 5].mean() < 0.5
    assert not hatched[: top - 4].any()
    assert not hatched[bottom + 4 :].any()
    row = int(np.flatnonzero(gap)[4])
    height = state.layout.step[0]
    assert probe_at(state, document, (10.0, (row + 0.5) * height)) is None
    assert probe_at(state, document, (10.0, 0.5 * height)) is not None


def test_a_preview_while_moving_has_half_the_pixels_of_the_same_rectangle() -> None:
    document = opened(made())
    for slab in (None, Slab("mip", 8.0)):
        state = resolve(ViewWish("root", turn=TURN, window=WINDOW, slab=slab), document)
        full, coarse = compose(state, document).pixels, compose(state, document, coarse=2).pixels
        assert coarse.shape == tuple(-(-n // 2) for n in full.shape)
        doubled = np.repeat(np.repeat(red(coarse), 2, axis=0), 2, axis=1)[: full.shape[0], : full.shape[1]]
        middle = (slice(full.shape[0] // 3, 2 * full.shape[0] // 3), slice(full.shape[1] // 3, 2 * full.shape[1] // 3))
        assert np.abs(doubled - red(full))[middle].mean() < 8
    flat = resolve(ViewWish("root", slab=Slab("mip", 8.0)), document)
    assert compose(flat, document, coarse=2).pixels.shape == compose(flat, document).pixels.shape


def test_windowing_gathers_nothing_anew_and_nothing_outlives_the_volume() -> None:
    volume = made()
    document = opened(volume)
    wish = ViewWish("root", turn=TURN, slab=Slab("mip", 8.0))
    first = shown_values(resolve(wish, document))
    assert shown_values(resolve(replace(wish, window=Window(1, 2), color_map="hot_iron"), document)) is first
    assert shown_values(resolve(replace(wish, slab=Slab("mean", 8.0)), document)) is not first
    other = replace(volume, data=volume.data + np.int16(1))
    assert shown_values(resolve(wish, opened(other))) is not first
    for n in range(2 * planes.KEPT):
        shown_values(resolve(replace(wish, index=n), document))
    assert len(planes._kept) <= planes.KEPT


def test_the_value_of_a_slab_is_that_of_the_pixel_and_said_to_be() -> None:
    volume = made()
    document = opened(volume)
    state = resolve(ViewWish("root", plane="axial", index=10, slab=Slab("mip", 12.0)), document)
    step = state.layout.step
    found = probe_at(state, document, (20.5 * step[1], 30.5 * step[0]))
    assert found is not None
    assert found.index == (10, 30, 20)
    assert found.value_text == f"MIP 12 mm: {int(volume.values[7:14, 30, 20].max())} HU"
    plain = probe_at(resolve(ViewWish("root", plane="axial", index=10), document), document, (20.5 * step[1], 30.5 * step[0]))
    assert plain is not None
    assert plain.value_text == f"{int(volume.values[10, 30, 20])} HU"


def test_the_value_on_an_oblique_plane_is_that_of_the_voxel_that_holds_the_place() -> None:
    volume = made()
    document = opened(volume)
    state = resolve(ViewWish("root", turn=TURN), document)
    width, height = state.layout.size
    found = probe_at(state, document, (width / 2, height / 2))
    assert found is not None
    nearest = np.rint((np.asarray(found.position) - np.asarray(GEOMETRY.origin)) / GEOMETRY.spacing[::-1])[::-1].astype(int)
    assert found.index == tuple(nearest)
    assert found.value_text == f"{int(volume.values[tuple(nearest)])} HU"


def test_c15_the_corner_says_where_the_middle_of_an_oblique_plane_lies_and_how_far_slices_are_apart() -> None:
    document = opened(made())
    state = resolve(ViewWish("root", turn=TURN), document)
    width, height = state.layout.size
    x, y, z = state.position_at((width / 2, height / 2))
    assert (
        position_text(state)
        == f"{'L' if x >= 0 else 'R'} {abs(x):.1f}  {'P' if y >= 0 else 'A'} {abs(y):.1f}  {'H' if z >= 0 else 'F'} {abs(z):.1f} mm"
    )
    normal = np.asarray(TURN).reshape(3, 3)[:, 2]
    lines = corners(state, zoom_percent=100).bottom_left
    assert f"Spacing {1 / np.sqrt(((normal / np.asarray(GEOMETRY.spacing[::-1])) ** 2).sum()):.3g} mm" in lines
    straight = resolve(ViewWish("root", plane="coronal", index=3), opened(made(stack([2.0 * n for n in range(20)], 0.27))))
    assert position_text(straight) == "P 3.0 mm"
