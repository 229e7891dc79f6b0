from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtGui import QImage

from viewer.core.annotation import Annotation, Measure
from viewer.core.errors import Refused
from viewer.core.geometry import Geometry
from viewer.core.labels import LabelLayer, Segment
from viewer.core.overlay import ScalarMap
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.draw.screenshot import png_bytes, screenshot
from viewer.session.document import Document
from viewer.session.history import ItemChange
from viewer.session.view import ViewWish

pytestmark = pytest.mark.usefixtures("qapp")
GEOMETRY = Geometry((5, 300, 400), (0, 0, 0), (2.0, 1.0, 1.0))
WHO = Identity(patient_name="SECRETNAME", patient_id="SECRETID", series_uid="1.2")


def full_document(**facts: Any) -> Document:
    """An image with a segment, a map and a line."""
    data = np.random.default_rng(2).integers(-1000, 2000, (1, *GEOMETRY.shape)).astype(np.int16)
    volume = Volume("root", data, GEOMETRY, **{"unit": "HU", "identity": WHO, **facts})
    layer = LabelLayer("layer", "L", GEOMETRY, "root", (Segment(1, "S", "#37F8C8"),))
    heat = ScalarMap("heat", "Heat", "root", GEOMETRY, np.ones(GEOMETRY.shape, np.float32))
    line = Annotation("line", "distance", "root", ((50, 50, 4), (200, 100, 4)), measures=(Measure("Length", 158.1, "mm"),))
    document = Document()
    document.add_source(volume)
    changes: Any = tuple(ItemChange(k, i.id, None, i) for k, i in (("layer", layer), ("overlay", heat), ("annotation", line)))  # type: ignore[arg-type]
    document.commit(document.step("Add", changes))
    with document.edit("Paint") as edit:
        edit.paint("layer", (slice(2, 3), slice(100, 200), slice(100, 200)), np.ones((1, 100, 100), np.bool_), 1)
    return document


def pixels(image: QImage) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png_bytes(image))).convert("RGB"))  # from memory: nothing to close


def windowed(values: NDArray[Any], center: float, width: float) -> NDArray[np.float64]:
    return np.floor(np.clip(((values - (center - 0.5)) / (width - 1) + 0.5) * 255, 0, 255) + 0.5)


@pytest.mark.parametrize("is_inverted", [False, True])
def test_at_full_size_without_annotations_pixels_are_the_windowed_data(is_inverted: bool) -> None:
    document = full_document(is_inverted=is_inverted)
    found = pixels(screenshot(document, ViewWish("root", index=2, window=Window(40, 400), zoom=3.3), annotations=False))
    expected = windowed(document.volume("root").values[2].astype(float), 40, 400)
    expected = 255 - expected if is_inverted else expected
    assert all(np.array_equal(found[..., channel], expected) for channel in range(3))


def test_a_larger_picture_is_letterboxed_on_black() -> None:
    document = full_document(windows=(Window(-3000, 2),))  # all white
    found = pixels(screenshot(document, ViewWish("root", index=2), (800, 800), annotations=False))
    assert found.shape == (800, 800, 3)
    assert (found[100:700].min(), found[:99].max(), found[701:].max()) == (255, 0, 0)


def test_reformats_have_square_pixels() -> None:
    assert pixels(screenshot(full_document(), ViewWish("root", plane="coronal"), annotations=False)).shape == (10, 400, 3)


def test_annotations_are_drawn_and_left_out() -> None:
    document, wish = full_document(), ViewWish("root", index=2)
    with_all, bare = pixels(screenshot(document, wish)), pixels(screenshot(document, wish, annotations=False))
    changed = np.any(with_all != bare, axis=2)
    assert changed[150, 150]  # the segment and the map
    assert changed[75, 125]  # the line
    assert changed[270:, :150].any()  # texts


def test_identity_is_left_out_unless_asked_for() -> None:
    document, wish = full_document(), ViewWish("root", index=0)
    known, unknown = (pixels(screenshot(document, wish, identity=i)) for i in (True, False))
    assert np.any(known != unknown)
    nobody = full_document(identity=Identity(series_uid="1.2"))
    assert np.array_equal(unknown, pixels(screenshot(nobody, wish)))


def test_handles_and_seeds_stay_in_the_window() -> None:
    document = full_document()
    busy = ViewWish("root", index=2, selected_id="line", seeds=((150.0, 150.0, 4.0),))
    assert np.array_equal(pixels(screenshot(document, busy)), pixels(screenshot(document, ViewWish("root", index=2))))


def test_a_png_holds_pixels_and_no_words() -> None:
    data = png_bytes(screenshot(full_document(), ViewWish("root"), identity=True))
    assert Image.open(io.BytesIO(data)).info.keys() <= {"dpi", "gamma", "srgb"}
    assert b"tEXt" not in data
    assert b"iTXt" not in data
    assert b"SECRET" not in data


def test_the_same_part_is_seen_at_another_size() -> None:
    document = full_document(windows=(Window(500, 3000),))
    wish = ViewWish("root", index=2, zoom=2.0, center=(100.0, 80.0, 4.0))
    small = pixels(screenshot(document, wish, (200, 100), annotations=False)).astype(float)
    large = pixels(screenshot(document, wish, (600, 300), annotations=False, seen_in=(200, 100))).astype(float)
    assert np.corrcoef(small[..., 0].ravel(), large[1::3, 1::3, 0].ravel())[0, 1] > 0.95


def test_small_pictures_average_rather_than_skip() -> None:
    stripes = np.zeros((1, 1, 256, 256), np.uint8)
    stripes[..., ::2] = 255
    document = Document()
    document.add_source(Volume("root", stripes, Geometry((1, 256, 256)), windows=(Window(127.5, 255, "LINEAR_EXACT"),)))
    found = pixels(screenshot(document, ViewWish("root"), (64, 64), annotations=False))
    assert np.abs(found[4:-4, 4:-4].astype(int) - 128).max() <= 4


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (40000, 10), (30000, 30000)])
def test_impossible_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(Refused):
        screenshot(full_document(), ViewWish("root"), size)


def test_a_size_whose_sides_are_allowed_is_not_refused_for_its_sides() -> None:
    with pytest.raises(Refused, match="million pixels"):
        screenshot(full_document(), ViewWish("root"), (20000, 20000))


def test_an_empty_view_is_refused() -> None:
    with pytest.raises(Refused):
        screenshot(Document(), ViewWish("gone"))


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (90, 500), (300, 120), (2400, 1800)])
def test_every_size_can_be_painted(size: tuple[int, int]) -> None:
    image = screenshot(full_document(badges=("INCOMPLETE", "LOSSY 12:1")), ViewWish("root", index=2), size, identity=True)
    assert (image.width(), image.height()) == size
