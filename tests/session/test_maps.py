"""Doses and maps over the series of their frame of reference: on its grid voxel for voxel, on another grid on their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from tests.io.dicom.conftest import write_dicom  # noqa: F401  a fixture
from viewer.core.errors import Refused
from viewer.draw.fusion import sampled_map
from viewer.draw.picture import compose
from viewer.io import open as opening
from viewer.io.series import SeriesEntry
from viewer.session.document import Document
from viewer.session.maps import laid_maps, read_map, series_under, why_no_series
from viewer.session.opening import open_entry
from viewer.session.view import ViewWish, resolve

DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
SHAPE = (4, 6, 5)


@pytest.fixture
def study(write_dicom: Callable[..., Path]) -> Callable[..., tuple[SeriesEntry, SeriesEntry]]:  # noqa: F811
    """A CT of 4 planes, 3 mm apart, and a dose; keywords change the dose."""

    def make(stored: np.ndarray, **changes: Any) -> tuple[SeriesEntry, SeriesEntry]:
        for n in range(SHAPE[0]):
            write_dicom(f"{n}.dcm", np.full(SHAPE[1:], n, np.int16), InstanceNumber=n + 1, ImagePositionPatient=[0, 0, 3 * n])
        values = {
            "SOPClassUID": DOSE, "Modality": "RTDOSE", "SeriesInstanceUID": "1.2.3.9", "DoseUnits": "GY", "DoseGridScaling": "0.1",
            "GridFrameOffsetVector": [3 * n for n in range(len(stored))], "SeriesDescription": "Plan dose", **changes,
        }  # fmt: skip
        folder = write_dicom("dose.dcm", stored, **values).parent
        listed = {entry.object_kind: entry for entry in opening.find([folder]).series}
        return listed[""], listed["dose"]

    return make


STORED = np.arange(4 * 6 * 5, dtype=np.uint16).reshape(SHAPE)


def test_a_dose_on_the_same_grid_lies_on_the_image_voxel_for_voxel(study: Any, inline_pool: Any) -> None:
    image, dose = study(STORED)
    assert series_under(dose, [dose, image]) == (image,)
    document = Document()
    root = open_entry(document, image, inline_pool)
    found = read_map(dose, root, pool=inline_pool)
    assert found.is_on_grid and laid_maps(document, root.id, dose) == ()
    document.commit(found.step)
    (item,) = laid_maps(document, root.id, dose)
    assert (item.name, item.unit, item.volume_id) == ("Plan dose", "Gy", root.id)
    assert item.geometry.same_grid(root.geometry)
    np.testing.assert_allclose(item.values, STORED * 0.1, rtol=1e-6)
    (shown,) = resolve(ViewWish(volume_id=root.id), document).maps
    assert shown.item.id == item.id
    assert document.undo() and document.overlays_of(root.id) == ()
    document.close()


def test_a_dose_whose_planes_run_the_other_way_is_put_in_the_order_of_the_image(study: Any, inline_pool: Any) -> None:
    # The same voxels, written from the top plane down.
    image, dose = study(STORED, ImagePositionPatient=[0, 0, 9], GridFrameOffsetVector=[0, -3, -6, -9])
    document = Document()
    root = open_entry(document, image, inline_pool)
    found = read_map(dose, root, pool=inline_pool)
    document.commit(found.step)
    (item,) = document.overlays_of(root.id)
    assert found.is_on_grid
    for k in range(4):
        z = float(root.geometry.to_patient((k, 0, 0))[2])
        np.testing.assert_allclose(item.values[k], STORED[round((9 - z) / 3)] * 0.1, rtol=1e-6)
    document.close()


def test_a_dose_whose_rows_and_columns_run_the_other_way_is_turned_round(study: Any, inline_pool: Any) -> None:
    # Rows 0.5 mm and columns 2 mm apart: the first pixel lies where the image's last one does.
    image, dose = study(STORED, ImageOrientationPatient=[-1, 0, 0, 0, -1, 0], ImagePositionPatient=[8, 2.5, 0])
    document = Document()
    root = open_entry(document, image, inline_pool)
    found = read_map(dose, root, pool=inline_pool)
    document.commit(found.step)
    (item,) = document.overlays_of(root.id)
    assert found.is_on_grid and item.geometry.same_grid(root.geometry)
    for k in range(4):
        z = float(root.geometry.to_patient((k, 0, 0))[2])
        np.testing.assert_allclose(item.values[k], STORED[round(z / 3), ::-1, ::-1] * 0.1, rtol=1e-6)
    (shown,) = resolve(ViewWish(volume_id=root.id), document).maps
    assert shown.start == (0, 0, 0)
    document.close()


def test_a_dose_on_another_grid_keeps_its_own_and_is_sampled_where_the_image_is(study: Any, inline_pool: Any) -> None:
    image, dose = study(STORED[:, :3, :3], PixelSpacing=[1.7, 1.7], ImagePositionPatient=[0.3, 0.4, 0])
    document = Document()
    root = open_entry(document, image, inline_pool)
    found = read_map(dose, root, pool=inline_pool)
    document.commit(found.step)
    (item,) = document.overlays_of(root.id)
    assert not found.is_on_grid
    assert item.geometry.spacing[1:] == (1.7, 1.7) and item.geometry.origin == pytest.approx((0.3, 0.4, 0))
    np.testing.assert_allclose(item.values, STORED[:, :3, :3] * 0.1, rtol=1e-6)
    oracle = sitk.GetImageFromArray((STORED[:, :3, :3] * 0.1).astype(np.float32))
    oracle.SetSpacing((1.7, 1.7, 3.0))
    oracle.SetOrigin((0.3, 0.4, 0.0))
    image_grid = sitk.GetImageFromArray(np.zeros(SHAPE, np.float32))
    image_grid.SetSpacing(root.geometry.spacing[::-1])
    image_grid.SetOrigin(root.geometry.origin)
    wanted = sitk.GetArrayFromImage(sitk.Resample(oracle, image_grid, sitk.Transform(), sitk.sitkLinear, -1.0))
    for n in range(4):
        state = resolve(ViewWish(volume_id=root.id, index=n), document)
        (shown,) = state.maps
        assert shown.start is None and shown.item.id == item.id
        values = sampled_map(state, item)
        inside = wanted[n] >= 0
        assert inside.any()
        np.testing.assert_allclose(values[inside], wanted[n][inside], atol=1e-4)
    plain = compose(replace(state, maps=()), document).pixels
    assert (compose(state, document).pixels != plain).any()
    document.close()


def test_a_dose_of_another_frame_of_reference_is_refused(study: Any, inline_pool: Any) -> None:
    image, dose = study(STORED, FrameOfReferenceUID="1.2.3.77")
    assert series_under(dose, [image, dose]) == ()
    assert "frame of reference" in why_no_series(dose)
    document = Document()
    root = open_entry(document, image, inline_pool)
    with pytest.raises(Refused, match="another frame of reference"):
        read_map(dose, root, pool=inline_pool)
    document.close()


def test_a_map_names_the_series_that_it_was_made_from_first(shared_data: Path) -> None:
    (made,) = opening.find([shared_data / "single" / "parametric_map_float.dcm"]).series
    assert made.geometry is not None
    source = replace(made, id="a", object_kind="", identity=replace(made.identity, series_uid=made.refers_to[0]))
    other = replace(source, id="b", identity=replace(made.identity, series_uid="1.2"))
    assert [e.id for e in series_under(made, [other, made, source])] == ["a", "b"]
    assert [e.id for e in series_under(made, [other, replace(other, id="c")], preferred="c")] == ["c", "b"]
