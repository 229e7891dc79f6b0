from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from viewer.cli.main import main
from viewer.cli.render import size_of, window_for
from viewer.core.errors import BadParameter
from viewer.core.geometry import Geometry
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A NIfTI volume, stored from right to left, front to back and feet to head, each voxel another value."""
    values = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.0, 1.0, 2.0))
    path = tmp_path / "stack.nii.gz"
    sitk.WriteImage(image, str(path))
    return path


def render(*words: Any) -> int:
    return main(["render", *map(str, words)])


def grey(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        return np.asarray(image.convert("L")).astype(float)


def windowed(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.floor(np.clip(((values - 59.5) / 119 + 0.5) * 255, 0, 255) + 0.5)


def test_planes_are_counted_from_the_right_the_front_and_the_feet(stack: Path, tmp_path: Path) -> None:
    values = np.arange(120.0).reshape(4, 5, 6)
    expected = {"acquired": values[1], "axial": values[1], "coronal": values[::-1, 1], "sagittal": values[::-1, :, 1]}
    for plane, picture in expected.items():
        out = tmp_path / f"{plane}.png"
        assert render(stack, out, "--plane", plane, "--index", 1, "--window", "60,120", "--no-annotations") == 0
        found = grey(out)
        if plane in ("coronal", "sagittal"):  # planes are twice as far apart as columns
            assert found.shape == (8, picture.shape[1])
            continue
        assert np.array_equal(found, windowed(picture))


def test_the_size_asked_for_is_given(stack: Path, tmp_path: Path) -> None:
    assert render(stack, tmp_path / "a.png", "--size", "320x200") == 0
    assert grey(tmp_path / "a.png").shape == (200, 320)


@pytest.mark.parametrize(
    "words",
    [
        ("--index", "4"), ("--index", "-1"), ("--plane", "coronal", "--index", "5"),
        ("--window", "60,0"), ("--window", "60,-5"), ("--window", "Nonsense"),
        ("--slab", "mip"), ("--slab", "max:3"), ("--slab", "mip:-1"), ("--turn", "30"), ("--turn", "xy:30"), ("--turn", "rl:nan"),
        ("--through", "1,2"), ("--through", "1,2,x"), ("--through", "1,2,500"), ("--through", "1,2,3", "--index", "1"),
        ("--size", "0x10"), ("--size", "10"), ("--phase", "1"), ("--series", "nobody"), ("--plane", "oblique"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_exits_2_and_leaves_no_file(
    stack: Path, tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert render(stack, tmp_path / "out.png", *words) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["stack.nii.gz"]
    assert capsys.readouterr().err


def test_a_slab_is_numpys_and_says_so(stack: Path, tmp_path: Path) -> None:
    values = np.arange(120.0).reshape(4, 5, 6)
    words = ("--window", "60,120", "--no-annotations", "--index", 1)
    for mode, gather in (("mip", np.max), ("minip", np.min), ("mean", np.mean)):
        out = tmp_path / f"{mode}.png"
        assert render(stack, out, *words, "--slab", f"{mode}:4") == 0  # planes 2 mm apart: one on either side
        assert np.abs(grey(out) - windowed(gather(values[0:3], axis=0))).max() <= 1


def test_a_turned_plane_is_simpleitks(stack: Path, tmp_path: Path) -> None:
    image = sitk.ReadImage(str(stack))
    out = tmp_path / "out.png"
    place = (2.0, 3.0, 3.0)
    words = ("--plane", "axial", "--turn", "rl:30", "--turn", "fh:-20", "--through", "2,3,3", "--window", "60,120", "--no-annotations")
    assert render(stack, out, *words) == 0
    found = grey(out)
    # The matrix of the two turns, the later one on the left.
    a, b = np.radians((30, -20))
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    right, down, _normal = (about_z @ about_x).T
    # The picture holds the whole volume in squares of the smallest spacing, 1 mm, its middle that of the volume along both sides.
    ends = np.array(np.meshgrid([-0.5, 5.5], [-0.5, 4.5], [-1.0, 7.0])).reshape(3, -1).T
    rows, columns = found.shape
    assert (rows, columns) == tuple(int(np.ceil(np.ptp(ends @ side) - 1e-6)) for side in (down, right))
    middle = [((ends @ side).max() + (ends @ side).min()) / 2 for side in (right, down)]
    for row in range(rows):
        for column in range(columns):
            x = middle[0] + column - (columns - 1) / 2 - np.dot(place, right)
            y = middle[1] + row - (rows - 1) / 2 - np.dot(place, down)
            at = np.asarray(place) + x * right + y * down
            if not all(0.01 < i < n - 1.01 for i, n in zip(image.TransformPhysicalPointToContinuousIndex(at.tolist()), (6, 5, 4), strict=True)):
                continue
            value = image.EvaluateAtContinuousIndex(image.TransformPhysicalPointToContinuousIndex(at.tolist()), sitk.sitkLinear)
            assert abs(found[row, column] - windowed(np.array(value))) <= 1


def test_what_cannot_be_cut_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "flat.png")
    assert render(tmp_path / "flat.png", tmp_path / "out.png", "--turn", "rl:30") == 2
    assert "only one plane" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_width_that_is_not_positive_names_the_order(stack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(stack, tmp_path / "out.png", "--window", "-600,-1500") == 2
    assert "CENTRE,WIDTH" in capsys.readouterr().err


def test_an_existing_file_is_kept_unless_forced(stack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(b"mine")
    assert render(stack, out) == 2
    assert out.read_bytes() == b"mine"
    assert render(stack, out, "--force") == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_only_png_is_written(stack: Path, tmp_path: Path) -> None:
    assert render(stack, tmp_path / "out.jpg") == 2


def volume(**facts: Any) -> Volume:
    return Volume("v", np.zeros((1, 1, 2, 2), np.int16), Geometry((1, 2, 2)), **facts)


def test_presets_are_refused_where_they_mean_nothing() -> None:
    assert window_for(volume(unit="HU", identity=Identity(modality="CT")), "Lung") == Window(-600, 1500, name="Lung")
    assert window_for(volume(), "Lung").width == 1500  # the file does not say what it holds
    with pytest.raises(BadParameter, match="HU"):
        window_for(volume(identity=Identity(modality="MR")), "Lung")
    own = Window(10, 20, name="Lung")
    assert window_for(volume(identity=Identity(modality="MR"), windows=(own,)), "lung") == own


def test_sizes_are_understood() -> None:
    assert size_of("1024x768") == (1024, 768)
    for text in ("1024", "x", "-1x5", "0x5", "1e3x5"):
        with pytest.raises(argparse.ArgumentTypeError):
            size_of(text)
