"""Every real file against what independent programs found in it (expected.json)."""

from __future__ import annotations

import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.io import dicom

LOSSY = {"1.2.840.10008.1.2.4." + s for s in ("50", "51", "53", "55", "81", "91", "203")}
NO_PICTURES = ("Segmentation", "Whole Slide", "1.1.66.", "RT Dose", "Parametric Map")


def locate(data: Path, key: str, want: dict[str, Any]) -> Path | None:
    if ":" not in key:
        return data / key
    package, name = key.split(":", 1)
    root = Path(str(importlib.import_module({"pydicom": "pydicom", "pydicom-data": "data_store"}[package]).__file__)).parent
    inside = root / want.get("path_in_package", "").split("/", 1)[-1]
    return inside if inside.is_file() else next(iter(root.rglob(Path(name).name)), None)


def files(data: Path) -> list[tuple[str, Path, dict[str, Any]]]:
    expected = json.loads((data / "expected.json").read_text())
    found = [(k, locate(data, k, w), w) for k, w in expected.items() if not k.startswith("_") and w["kind"] == "dicom-file"]
    return [(k, p, w) for k, p, w in found if p is not None]


def is_picture(want: dict[str, Any]) -> bool:
    name = want.get("sop_class_name") or ""
    return bool(want.get("stored") and want.get("photometric") and not any(o in name for o in NO_PICTURES))


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(np.round(array).astype("<i4")).tobytes()).hexdigest()


def grey_problem(data: np.ndarray, want: dict[str, Any]) -> str:
    truth = want.get("rescaled") or want["stored"]
    values = data.reshape(truth["shape"])
    if truth["sha256_dtype"] == "int32" and truth["sha256"] in (digest(values), digest(values[::-1])):
        return ""
    is_lossy = want["transfer_syntax"] in LOSSY
    if truth["sha256_dtype"] == "int32" and not is_lossy:
        return "voxels differ"
    slack = 2.0 if is_lossy else 1e-5 * max(1.0, abs(truth["max"]))
    got = (float(values.min()), float(values.max()), float(values.mean(dtype=np.float64)))
    wanted = (truth["min"], truth["max"], truth["mean"])
    return "" if np.allclose(got, wanted, atol=slack, rtol=1e-5) else f"{got} instead of {wanted}"


@pytest.mark.slow
def test_every_grey_picture_has_the_stored_oracles_values(shared_data: Path, inline_pool) -> None:
    problems, count = [], 0
    for key, path, want in files(shared_data):
        if not is_picture(want) or (want.get("samples_per_pixel") or 1) > 1 or want["photometric"] == "PALETTE COLOR":
            continue
        listing = dicom.scan([path])
        if len(listing.series) != 1:
            problems.append(f"{key}: {listing.refused}")
            continue
        problem = grey_problem(dicom.load(listing.series[0], pool=inline_pool).data, want)
        count += 1
        if problem:
            problems.append(f"{key}: {problem}")
    assert not problems
    assert count > 60


@pytest.mark.slow
def test_every_colour_picture_has_simpleitks_colours(shared_data: Path, inline_pool) -> None:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    problems, count = [], 0
    for key, path, want in files(shared_data):
        is_colour = is_picture(want) and ((want.get("samples_per_pixel") or 1) > 1 or want["photometric"] == "PALETTE COLOR")
        truth = want.get("simpleitk") or {}
        if not is_colour or truth.get("components") != 3 or want["bits_allocated"] != 8 or want.get("simpleitk_colour_wrong"):
            continue
        oracle = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        (entry,) = dicom.scan([path]).series
        data = dicom.load(entry, pool=inline_pool).data
        # A dozen frames of a long run tell as much as all.
        apart = data.reshape(oracle.shape)[:12].astype(np.int16) - oracle[:12]
        worst = np.abs(apart).mean(axis=tuple(range(oracle.ndim - 1))).max()
        count += 1
        if worst > (3.0 if "YBR" in want["photometric"] or want["transfer_syntax"] in LOSSY else 0.01):
            problems.append(f"{key}: {worst}")
    assert not problems
    assert count > 20


def test_every_file_is_listed_or_refused_by_name(shared_data: Path) -> None:
    for key, path, want in files(shared_data):
        listing = dicom.scan([path])
        assert listing.series or listing.refused, key
        for refusal in listing.refused:
            assert path.name in refusal.reason
        for entry in listing.series:
            assert want.get("transfer_syntax") in (None, entry.transfer_syntax), key
            assert not want.get("modality") or want["modality"] == entry.identity.modality, key
            if entry.kind != "other" and want.get("pixel_spacing_row_then_column"):
                spacing = want["pixel_spacing_row_then_column"]
                assert entry.geometry.in_plane_known == all(s > 0 for s in spacing), key
                assert not entry.geometry.in_plane_known or np.allclose(entry.geometry.spacing[1:], spacing, rtol=1e-3), key
