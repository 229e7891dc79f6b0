"""A folder of pictures as one stack: ordered as people count, with the spacing that was asked for and no other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
from PIL import Image

from viewer.cli import main as cli
from viewer.core.errors import BadParameter, InconsistentSeries, JobFailed, UnreadableFile
from viewer.io import open as opening
from viewer.io import picture_stack
from viewer.io.picture_stack import natural, parse_spacing
from viewer.jobs.pool import Pool
from viewer.session.document import Document
from viewer.session.opening import open_entry, read_source
from viewer.session.store import Store, restore

SPACING = (0.5, 0.25, 3.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """img1 to img11, plane n holds n; and two files that do not belong."""
    place = tmp_path / "scan"
    place.mkdir()
    for n in range(1, 12):
        Image.fromarray(np.full((4, 6), n, dtype=np.uint8)).save(place / f"img{n}.png")
    Image.fromarray(np.zeros((9, 9), dtype=np.uint8)).save(place / "cover.png")
    (place / "notes.txt").write_text("words")
    return place


def opened(folder: Path, pool: Pool, spacing=SPACING):
    (entry,) = picture_stack.find([folder], spacing).series
    return entry, opening.load(entry, pool=pool)


def test_by_default_pictures_stay_single(folder):
    assert [e.kind for e in opening.find([folder]).series] == ["image"] * 12


def test_planes_are_ordered_as_people_count(folder, inline_pool):
    entry, volume = opened(folder, inline_pool)
    assert volume.values[:, 0, 0].tolist() == list(range(1, 12))
    assert [f.name for f in entry.files][:3] == ["img1.png", "img2.png", "img3.png"]
    assert entry.title == "scan"
    assert [opening.load_plane(entry, n, 0, pool=inline_pool).values.max() for n in (0, 1, 10)] == [1, 2, 11]


@pytest.mark.parametrize(
    "names",
    [
        ["a1", "a2", "a10"], ["1", "2", "10", "a"], ["img 9 z1", "img 9 z02", "img 10 z1"], ["A1", "a2", "A3"], ["x1.5", "x1.10"], ["", "0", "a"],
        ["s2/i10", "s10/i2"], ["٢", "١٠"],
    ],
)  # fmt: skip
def test_natural_order(names):
    turned = names[::-1]
    assert sorted(turned, key=natural) == names


def test_the_spacing_is_what_was_asked_for_and_the_patient_is_not(folder, inline_pool):
    entry, volume = opened(folder, inline_pool)
    geometry = volume.geometry
    assert geometry == entry.geometry
    assert geometry.spacing == (3.0, 0.25, 0.5)
    assert geometry.in_plane_known
    assert geometry.between_known
    assert not geometry.is_patient
    assert geometry.to_patient((2, 1, 3)) == pytest.approx((3 * 0.5, 1 * 0.25, 2 * 3.0))
    assert any("asked for" in note.text for note in volume.notes)


def test_what_is_not_known_is_in_pixels(folder, inline_pool):
    geometry = opened(folder, inline_pool, (None, None, 3.0))[1].geometry
    assert geometry.unit == "px"
    assert not geometry.in_plane_known
    geometry = opened(folder, inline_pool, (0.5, 0.5, None))[1].geometry
    assert geometry.in_plane_known
    assert not geometry.between_known


def test_pictures_of_another_size_are_left_out_by_name(folder):
    listing = picture_stack.find([folder], SPACING)
    (refusal,) = listing.refused
    assert refusal.reason == "cover.png: it is 9 x 9, grey, 8 bit, the stack is 6 x 4, grey, 8 bit; it was left out."
    assert [p.name for p in listing.skipped] == ["notes.txt"]


def test_16_bit_tiffs_and_colour_are_read_as_other_programs_do(tmp_path, inline_pool):
    grey, color = (
        np.random.default_rng(1).integers(0, 65536, (5, 7, 9), dtype=np.uint16),
        np.random.default_rng(2).integers(0, 256, (5, 7, 9, 3), dtype=np.uint8),
    )
    for n in range(5):
        (tmp_path / "grey").mkdir(exist_ok=True)
        (tmp_path / "color").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / "grey" / f"{n}.tif", grey[n], compression="deflate" if n % 2 else None)
        Image.fromarray(color[n]).save(tmp_path / "color" / f"{n}.png")
    assert np.array_equal(opened(tmp_path / "grey", inline_pool)[1].values, grey)
    names = [str(tmp_path / "grey" / f"{n}.tif") for n in range(5)]
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(names)), grey)
    volume = opened(tmp_path / "color", inline_pool)[1]
    assert volume.is_color
    assert np.array_equal(volume.data[0], color)


def test_multi_page_files_and_folders_without_pictures_are_refused_by_name(folder, tmp_path):
    tifffile.imwrite(folder / "pages.tif", np.zeros((3, 4, 6), dtype=np.uint8), photometric="minisblack")
    assert any("pages.tif: it holds 3 pages" in r.reason for r in picture_stack.find([folder], SPACING).refused)
    (tmp_path / "none").mkdir()
    assert "no picture" in picture_stack.find([tmp_path / "none"], SPACING).refused[0].reason


def test_a_damaged_picture_leaves_its_plane_empty_with_a_badge_and_its_name(folder, inline_pool):
    content = bytearray((folder / "img5.png").read_bytes())
    content[45:50] = bytes(5)
    (folder / "img5.png").write_bytes(content)
    (folder / "img7.png").write_bytes((folder / "img7.png").read_bytes()[:-15])
    listing = picture_stack.find([folder], SPACING)
    (entry,) = listing.series
    assert any("img7.png" in r.reason for r in listing.refused)
    volume = opening.load(entry, pool=inline_pool)
    assert volume.badges == ("INCOMPLETE",)
    assert any("img5.png" in w for w in volume.warnings)
    assert volume.values[:, 0, 0].tolist() == [1, 2, 3, 4, 0, 6, 8, 9, 10, 11]
    with pytest.raises(UnreadableFile, match=r"img5\.png"):
        opening.load_plane(entry, 4, 0, pool=inline_pool)


def test_a_picture_that_kills_its_worker_costs_itself_alone(folder, monkeypatch, inline_pool):
    real = picture_stack.decode

    def dies(requests):
        if any("img5" in request.path for request in requests):
            raise JobFailed("The worker died.")
        return real(requests)

    monkeypatch.setattr(picture_stack, "decode", dies)
    volume = opened(folder, inline_pool)[1]
    assert volume.values[:, 0, 0].tolist() == [1, 2, 3, 4, 0, 6, 7, 8, 9, 10, 11]
    assert any("img5.png" in w for w in volume.warnings)


def test_the_stack_is_read_again_after_a_crash_with_its_spacing(folder, tmp_path, inline_pool):
    store = Store(tmp_path / "journal.nego")
    document = Document(store)
    (entry,) = picture_stack.find([folder], SPACING).series
    volume = open_entry(document, entry, inline_pool)
    store.close(discard=False)
    document.store = None
    again = restore(tmp_path / "journal.nego", lambda source: read_source(source, inline_pool))
    found = again.volume(volume.id)
    assert np.array_equal(found.values, volume.values)
    assert found.geometry == volume.geometry
    again.close()


def test_a_changed_picture_is_noticed_at_recovery(folder, inline_pool):
    document = Document()
    volume = open_entry(document, picture_stack.find([folder], SPACING).series[0], inline_pool)
    source = document.source(volume.id)
    Image.fromarray(np.full((4, 6), 99, dtype=np.uint8)).save(folder / "img5.png")
    with pytest.raises(InconsistentSeries):
        read_source(source, inline_pool)
    document.close()


def test_ids_say_which_pictures_and_which_spacing(folder):
    first = picture_stack.find([folder], SPACING).series[0].id
    assert first == picture_stack.find([folder], SPACING).series[0].id
    assert first != picture_stack.find([folder], (0.5, 0.25, 4.0)).series[0].id
    (folder / "img3.png").unlink()
    assert first != picture_stack.find([folder], SPACING).series[0].id


@pytest.mark.parametrize(("text", "found"), [("0.5,0.25,3", SPACING), ("1, 1 ,?", (1, 1, None)), ("unknown,?,", (None, None, None))])
def test_spacing_in_words(text, found):
    assert parse_spacing(text) == found


@pytest.mark.parametrize("text", ["", "1", "1,2", "1,2,3,4", "0,1,1", "-1,1,1", "nan,1,1", "inf,1,1", "1e308,1,1", "a,b,c", "1;1;1", "0,5,1,2"])
def test_spacing_that_is_none_is_refused(text):
    with pytest.raises(BadParameter):
        parse_spacing(text)


# --- command line --------------------------------------------------------------------------------------------------


def test_info_and_convert_take_a_stack(folder, tmp_path, capsys):
    assert cli.main(["info", str(folder), "--stack", "--spacing", "0.5,0.25,3", "--json"]) == 0
    (series,) = json.loads(capsys.readouterr().out)["series"]
    assert (series["shape"], series["spacing_mm"], series["origin_mm"]) == ([11, 4, 6], [3, 0.25, 0.5], None)
    out = tmp_path / "out.nrrd"
    assert cli.main(["convert", str(folder), str(out), "--stack", "--spacing", "0.5,0.25,3"]) == 0
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(out)))[:, 0, 0].tolist() == list(range(1, 12))
    assert sitk.ReadImage(str(out)).GetSpacing() == pytest.approx((0.5, 0.25, 3))


def test_spacing_without_stack_is_refused(folder, capsys):
    assert cli.main(["info", str(folder), "--spacing", "1,1,1"]) != 0
    assert "--stack" in capsys.readouterr().err
