"""D15: names and paths of every shape work, in the worker too, or get a message; and no other file is touched."""

from __future__ import annotations

import io
import os
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.io import seeds
from viewer.io import archive, picture_stack
from viewer.io import open as opening
from viewer.jobs.pool import Pool
from viewer.session.document import Document
from viewer.session.opening import open_entry, read_source
from viewer.session.store import Store, restore

NAMES = {
    "umlauts": "Müßiggänger Ørsted",
    "composed": unicodedata.normalize("NFC", "Ä é"),
    "decomposed": unicodedata.normalize("NFD", "Ä é"),
    "CJK": "胸部 エックス線 흉부",
    "Arabic": "صورة",
    "emoji": "🫁👩‍⚕️",
    "surrogate bytes": os.fsdecode(b"caf\xe9 \xff\xfe"),
    "newline": "two\nlines\ttab",
    "escape": "\x1b]0;title\x07",
    "right to left": "abc\u202egnp.",
    "trailing dot": "scan.",
    "trailing blank": "scan ",
    "leading dash": "-rf",
    "quotes": "a'b\"c`d$e",
    "percent": "100%s%d{name}{0}",
    "device": "CON",
    "colon": "C:scan",
    "wildcards": "scan[1]*?",
    "long": "n" * 240,
    "long in bytes": "胸" * 80,
}
KINDS = ("dicom.1", "dicom.5", "nifti1 gz", "nrrd", "mha", "mgh", "png", "tiff", "zip")


@pytest.fixture(scope="module")
def workers() -> Iterator[Pool]:
    pool = Pool(1)
    pool.warm()
    yield pool
    pool.close()
    archive.forget()


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.leaves("children", "threads")  # the module's pool
@pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))
def test_d15_every_name_of_file_and_folder_opens_every_kind(tmp_path: Path, workers: Pool, name: str) -> None:
    for kind in KINDS:
        file, make = seeds.PLAIN[kind]
        folder = tmp_path / kind / name
        folder.mkdir(parents=True)
        (folder / f"{name}{Path(file).suffix}").write_bytes(make())
        (folder / f"{name}.dcm.txt").write_bytes(b"words")
    before = everything(tmp_path)
    for kind in KINDS:
        file, _make = seeds.PLAIN[kind]
        path = tmp_path / kind / name / f"{name}{Path(file).suffix}"
        given = path if kind == "zip" else path.parent
        listing = opening.find([given])
        assert listing.series, (kind, listing.refused)
        for entry in listing.series:
            assert entry.title.isprintable()
            assert all(note.text.isprintable() for note in entry.notes)
            assert opening.load(entry, pool=workers).data.size
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))
def test_d15_what_is_said_of_a_file_is_fit_for_a_terminal(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.dcm"
    for content in (b"words", b"", seeds.dicom()[:180], seeds.picture("png")[:-9]):
        path.write_bytes(content)
        (refusal,) = opening.find([path]).refused
        assert refusal.reason.isprintable()


@pytest.mark.parametrize("name", ["umlauts", "surrogate bytes", "newline", "long in bytes"])
def test_d15_a_source_of_any_name_is_found_again_by_the_journal(tmp_path: Path, inline_pool: Pool, name: str) -> None:
    path = tmp_path / f"{NAMES[name]}.nii"
    path.write_bytes(seeds.nifti())
    store = Store(tmp_path / "j.nego")
    document = Document(store)
    volume = open_entry(document, opening.find([path]).series[0], inline_pool)
    store.close(discard=False)
    document.store = None
    again = restore(tmp_path / "j.nego", lambda source: read_source(source, inline_pool))
    assert np.array_equal(again.volume(volume.id).values, volume.values)
    again.close()


@pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))
def test_d15_names_inside_archives(tmp_path: Path, inline_pool: Pool, name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        shown = name.encode("utf-8", "replace").decode()
        file.writestr(zipfile.ZipInfo(f"{shown}/{shown}.png", (2000, 1, 1, 0, 0, 0)), seeds.picture("png"))
    (tmp_path / "a.zip").write_bytes(out.getvalue())
    listing = opening.find([tmp_path / "a.zip"])
    assert len(listing.series) + len(listing.refused) == 1
    for entry in listing.series:
        assert entry.title.isprintable()
        assert opening.load(entry, pool=inline_pool).data.size
        assert entry.files[0].name.isascii()
    for refusal in listing.refused:
        assert refusal.reason.isprintable()
    archive.forget()


def test_d15_paths_beyond_every_limit_get_a_message(tmp_path: Path) -> None:
    for path in (tmp_path / ("n" * 256), tmp_path / "/".join(["n" * 200] * 25), Path("\0"), tmp_path / "a\0b"):
        (refusal,) = opening.find([path]).refused
        assert refusal.reason.isprintable()
        (refusal, *_more) = picture_stack.find([path], (1, 1, 1)).refused
        assert refusal.reason.isprintable()


def test_d15_a_path_longer_than_260_characters_opens(tmp_path: Path, inline_pool: Pool) -> None:
    folder = tmp_path / "/".join(["long folder name " + "x" * 60] * 6)
    folder.mkdir(parents=True)
    (folder / "film.png").write_bytes(seeds.picture("png"))
    assert len(str(folder)) > 400
    (entry,) = opening.find([tmp_path]).series
    assert opening.load(entry, pool=inline_pool).data.size


def test_d15_composed_and_decomposed_names_are_two_files(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        (tmp_path / f"{unicodedata.normalize(form, 'Ä')}.png").write_bytes(seeds.picture("png"))
    assert len(opening.find([tmp_path]).series) == len(list(tmp_path.iterdir()))
