"""ZIP archives: opened like folders, never unpacked by member name, and hostile ones cost a sentence (RELIABILITY choice 5)."""

from __future__ import annotations

import io
import os
import re
import resource
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from viewer.core.errors import OperationCancelled, UnreadableFile
from viewer.core.geometry import Geometry
from viewer.io import archive, gate, zip_members
from viewer.io import open as opening
from viewer.io.write import save_array
from viewer.session.document import Document
from viewer.session.opening import open_entry, read_source

GRID = Geometry((2, 3, 4), (1, 2, 3), (3, 2, 1))
VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture(autouse=True)
def nothing_unpacked_stays():
    yield
    archive.forget()


def png(value: int = 7, size: tuple[int, int] = (6, 5)) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full(size, value, dtype=np.uint8)).save(out, "png")
    return out.getvalue()


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def nifti_bytes(tmp_path: Path) -> bytes:
    save_array(tmp_path / "x.nii.gz", VALUES, GRID)
    return (tmp_path / "x.nii.gz").read_bytes()


def only_reason(path: Path) -> str:
    listing = opening.find([path])
    assert not listing.series
    (refusal,) = listing.refused
    assert refusal.path == path
    assert path.name in refusal.reason
    return refusal.reason


def home() -> Path:
    return archive._base()


# --- opened like a folder ------------------------------------------------------------------------------------------


def test_an_archive_opens_like_the_folder_that_was_packed(shared_data, tmp_path, inline_pool):
    folder = shared_data / "mr_head_t1"
    path = zipped(tmp_path / "study.zip", {f"DICOM/{f.name}": f.read_bytes() for f in sorted(folder.iterdir())} | {"readme.txt": b"words"})
    (inside,) = opening.find([path]).series
    (outside,) = opening.find([folder]).series
    assert inside.id == outside.id
    assert inside.archive == path
    assert inside.geometry == outside.geometry
    assert np.array_equal(opening.load(inside, pool=inline_pool).values, opening.load(outside, pool=inline_pool).values)
    assert len(opening.find([path]).skipped) == 1


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_kind_of_image_comes_out_with_its_title(tmp_path, inline_pool, method):
    save_array(tmp_path / "a.nrrd", VALUES, GRID)
    path = zipped(
        tmp_path / "mixed.zip", {"a/b/brain.nii.gz": nifti_bytes(tmp_path), "film.PNG": png(), "c.nrrd": (tmp_path / "a.nrrd").read_bytes()}, method
    )
    entries = opening.find([path]).series
    assert [(e.title, e.reader) for e in entries] == [("brain", "nifti"), ("film", "pictures"), ("c", "nrrd")]
    assert np.array_equal(opening.load(entries[0], pool=inline_pool).values, VALUES)
    assert opening.load(entries[1], pool=inline_pool).values.max() == 7
    assert not any("member-" in note.text for e in entries for note in e.notes)


def test_headers_find_their_voxels_inside_the_archive(tmp_path, inline_pool):
    header = b"ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\nElementDataFile = voxels.raw\n"
    nibabel.save(nibabel.Nifti1Pair(VALUES.T, np.eye(4)), tmp_path / "pair.hdr")
    members = {"x/scan.mhd": header, "x/voxels.raw": VALUES.tobytes(), "voxels.raw": bytes(24), "y/lonely.raw": b"z" * 30}
    members |= {f"p/pair{e}": (tmp_path / f"pair{e}").read_bytes() for e in (".hdr", ".img")}
    listing = opening.find([zipped(tmp_path / "headers.zip", members)])
    assert not listing.refused
    assert [e.title for e in listing.series] == ["scan", "pair"]
    for entry in listing.series:
        assert np.array_equal(opening.load(entry, pool=inline_pool).values, VALUES)
    outside = header.replace(b"voxels.raw", b"../../voxels.raw")
    assert "lies outside" in only_reason(zipped(tmp_path / "out.zip", {"x/scan.mhd": outside, "voxels.raw": VALUES.tobytes()}))


def test_content_tells_an_archive_not_its_name(tmp_path):
    path = zipped(tmp_path / "study.dcm", {"film": png()})
    assert opening.find([path]).series[0].archive == path


def test_archives_inside_a_folder_are_named_and_not_opened(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "film.png").write_bytes(png())
    zipped(folder / "more.zip", {"film.png": png()})
    zipped(folder / "letter.docx", {"[Content_Types].xml": b"<x/>"})
    listing = opening.find([folder])
    assert len(listing.series) == 1
    assert [r.reason for r in listing.refused] == ["more.zip: it is a ZIP archive among other files. Open it by itself."]
    assert [p.name for p in listing.skipped] == ["letter.docx"]


def test_an_unchanged_archive_is_unpacked_once(tmp_path):
    path = zipped(tmp_path / "a.zip", {"film.png": png()})
    first, second = opening.find([path]).series[0], opening.find([path]).series[0]
    assert first.files == second.files
    os.utime(path, ns=(1, 1))
    assert opening.find([path]).series[0].files != first.files


def test_a_volume_of_an_archive_is_read_again_after_a_crash(tmp_path, inline_pool):
    path = zipped(tmp_path / "a.zip", {"b/brain.nii.gz": nifti_bytes(tmp_path), "film.png": png()})
    document = Document()
    volume = open_entry(document, opening.find([path]).series[0], inline_pool)
    source = document.sources[volume.id] if isinstance(document.sources, dict) else next(iter(document.sources))
    assert source.files == (path,)
    archive.forget()  # as if the process had ended: the unpacked files are gone
    again = read_source(source, inline_pool)
    assert again.id == volume.id
    assert np.array_equal(again.values, volume.values)
    document.close()


# --- private, and gone afterwards ----------------------------------------------------------------------------------


def test_unpacked_files_are_for_the_user_alone_under_names_of_our_own(tmp_path):
    old = os.umask(0)
    try:
        (entry,) = opening.find([zipped(tmp_path / "a.zip", {"Mustermann^Max/IM1.png": png()})]).series
    finally:
        os.umask(old)
    place = entry.files[0]
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o700 for p in (place.parent, place.parent.parent))
    assert "Mustermann" not in str(place)
    assert "IM1" not in str(place)


def test_everything_goes_when_the_process_ends_and_what_a_killed_one_left_goes_at_the_next_start(tmp_path):
    path = zipped(tmp_path / "a.zip", {"film.png": png()})
    code = f"import os, sys; from pathlib import Path; from viewer.io import open as o; e = o.find([Path({str(path)!r})]).series[0]\n"
    code += "print(e.files[0], flush=True); (os._exit(9) if sys.argv[1] == 'killed' else None)"

    def run(how: str) -> Path:
        return Path(subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=False).stdout.strip())

    assert not run("ends").exists()
    assert list(home().iterdir()) == []
    left = run("killed")
    assert left.exists()
    (mine,) = opening.find([path]).series  # its first unpacking sweeps
    assert not left.exists()
    archive.sweep()
    assert mine.files[0].exists()  # its owner lives
    archive.forget()
    assert list(home().iterdir()) == []


def test_a_folder_whose_owner_lives_is_not_swept(tmp_path):
    path = zipped(tmp_path / "a.zip", {"film.png": png()})
    code = (
        f"import sys; from pathlib import Path; from viewer.io import open as o; print(o.find([Path({str(path)!r})]).series[0].files[0], flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code + "; sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        theirs = Path(other.stdout.readline().strip())
        archive.sweep()
        assert theirs.exists()
        other.communicate("")
    assert not theirs.exists()


def test_cancelling_leaves_nothing(tmp_path):
    path = zipped(tmp_path / "a.zip", {f"{n}.png": png(n) for n in range(9)})
    calls = []

    def stop(_done: int, _total: int) -> None:
        calls.append(1)
        if len(calls) > 12:
            raise OperationCancelled("stop")

    with pytest.raises(OperationCancelled):
        opening.find([path], progress=stop)
    assert not list(home().rglob("member-*"))


# --- hostile and broken --------------------------------------------------------------------------------------------

CLIMBING = (
    "../film.png", "../../film.png", "a/../../film.png", "/tmp/film.png", "//server/share/film.png", "..\\film.png", "a\\..\\..\\film.png",
    "C:\\film.png", "C:film.png", "\\\\server\\share\\film.png", "con.png", "a/NUL", "film.png:stream", "film\x07.png",
)  # fmt: skip


@pytest.mark.parametrize("name", CLIMBING)
def test_zip_slip_is_refused_by_name_and_the_good_twin_opens(tmp_path, name):
    before = set(tmp_path.parent.rglob("*"))
    path = tmp_path / "slip.zip"
    zipped(path, {name: png(1), "good.png": png(2)})
    listing = opening.find([path])
    (refusal,) = listing.refused
    assert "leads out of the archive" in refusal.reason or "control characters" in refusal.reason
    assert refusal.reason.isprintable()
    assert [e.title for e in listing.series] == ["good"]
    assert {p for p in set(tmp_path.parent.rglob("*")) - before if "unpacked" not in str(p)} == {path}
    assert not Path("/tmp/film.png").exists()


def test_nul_in_a_name_is_refused(tmp_path):
    path = zipped(tmp_path / "nul.zip", {"filmX.png": png()})
    path.write_bytes(path.read_bytes().replace(b"filmX", b"film\0"))
    assert "control characters" in only_reason(path)


def test_links_are_refused(tmp_path):
    info = zipfile.ZipInfo("film.png")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    assert "film.png: it is a link" in only_reason(tmp_path / "link.zip")


def test_encrypted_members_and_other_methods_are_named(tmp_path):
    path = zipped(tmp_path / "locked.zip", {"film.png": png()})
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\1\2")
    struct.pack_into("<H", content, place + 8, 1)
    path.write_bytes(content)
    assert "film.png: it is encrypted" in only_reason(path)
    for method, name in ((zipfile.ZIP_BZIP2, "BZip2"), (zipfile.ZIP_LZMA, "LZMA")):
        assert name in only_reason(zipped(tmp_path / f"{name}.zip", {"film.png": png()}, method))


def test_an_archive_inside_an_archive_is_named_and_skipped(tmp_path):
    inner = zipped(tmp_path / "inner.zip", {"film.png": png()}).read_bytes()
    listing = opening.find(
        [zipped(tmp_path / "outer.zip", {"inner.zip": inner, "more": inner, "a.tar.gz": b"\x1f\x8b" + bytes(99), "film.png": png()})]
    )
    assert [e.title for e in listing.series] == ["film"]
    assert [r.reason.split(":")[1].strip() for r in listing.refused] == ["inner.zip", "more", "a.tar.gz"]
    assert all("archive inside an archive" in r.reason for r in listing.refused)


def test_a_bomb_is_refused_by_its_ratio_and_small_or_dense_ones_open(tmp_path):
    picture = png(0, (4000, 4000))
    bomb = picture + bytes(20 << 20)
    assert "more than 200 times" in only_reason(zipped(tmp_path / "bomb.zip", {"film.png": bomb}))
    assert opening.find([zipped(tmp_path / "small.zip", {"film.png": picture + bytes(9 << 20)})]).series
    assert opening.find([zipped(tmp_path / "stored.zip", {"film.png": bomb}, zipfile.ZIP_STORED)]).series


def test_all_images_together_must_fit_the_budget(tmp_path):
    path = zipped(tmp_path / "large.zip", {f"{n}.png": png() + os.urandom(1 << 20) for n in range(4)})
    gate.set_limit(3 << 20)
    try:
        reason = only_reason(path)
    finally:
        gate.set_limit(None)
    assert "4.0 MiB" in reason
    assert "3.0 MiB" in reason


def patched(path: Path, field: int, value: int, *, central: bool = True) -> Path:
    """The first entry of the table (or the local header) with another number of 32 bits."""
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\1\2" if central else b"PK\3\4") + field, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        (24, 10, "does not hold"),  # larger than said
        (24, 9_000, "does not hold"),  # smaller than said
        (24, 0xFFFFFFFE, "is said to hold 4.0 GiB|more than 200 times"),
        (16, 12345, "checksum"),
        (20, 5, "damaged|cut short|does not hold|checksum"),
        (20, 0x7FFFFFFF, "reaches beyond"),
        (42, 7, "no member where"),
        (42, 0x7FFFFFF0, "reaches beyond|over each other"),
        (20, 0xFFFFFFFF, "table of contents is damaged|reaches beyond"),  # ZIP64 announced, and not there
    ],
)  # fmt: skip
def test_lying_sizes_and_places_cost_a_sentence(tmp_path, field, value, word):
    path = patched(zipped(tmp_path / "liar.zip", {"film.png": png(3, (40, 40)) + os.urandom(3000)}), field, value)
    assert re.search(word, only_reason(path))


def test_members_that_share_their_bytes_are_refused(tmp_path):
    path = zipped(tmp_path / "overlap.zip", {"a.png": png() + os.urandom(5000), "b.png": png()})
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 4)
    struct.pack_into("<I", content, second + 42, 100)
    path.write_bytes(content)
    assert "lie over each other" in only_reason(path)


def test_a_cut_archive_is_refused_wherever_it_is_cut(tmp_path):
    whole = zipped(tmp_path / "cut.zip", {"a.png": png(), "b.png": png(9, (30, 30))}).read_bytes()
    for length in range(4, len(whole) - 1, 7):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        assert "cut short" in only_reason(tmp_path / "cut.zip")


def test_of_two_members_of_one_name_the_last_counts(tmp_path, inline_pool):
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as file:
        file.writestr("film.png", png(1))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("film.png", png(2))
    listing = opening.find([tmp_path / "twice.zip"])
    (entry,) = listing.series
    assert opening.load(entry, pool=inline_pool).values.max() == 2
    assert "two members of this name" in listing.refused[0].reason


def test_zip64_and_something_in_front_open(tmp_path, inline_pool, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = zipped(tmp_path / "long.zip", {"a.png": png(1), "b.png": png(2)})
    assert b"PK\6\6" in path.read_bytes()
    assert [opening.load(e, pool=inline_pool).values.max() for e in opening.find([path]).series] == [1, 2]
    monkeypatch.undo()
    plain = zipped(tmp_path / "plain.zip", {"a.png": png(1)}).read_bytes()
    with (tmp_path / "front.zip").open("wb") as file:
        file.write(b"PK\3\4" + bytes(500) + plain)
    assert len(opening.find([tmp_path / "front.zip"]).series) == 1


@pytest.mark.parametrize(
    ("members", "word"), [({}, "archive is empty"), ({"a.txt": b"x"}, "there is 1 file"), ({"[Content_Types].xml": b"x"}, "office")]
)
def test_an_archive_without_images_says_so(tmp_path, members, word):
    assert word in only_reason(zipped(tmp_path / "none.zip", members))


def test_one_part_of_several_is_refused(tmp_path):
    path = zipped(tmp_path / "part.zip", {"a.png": png()})
    content = bytearray(path.read_bytes())
    struct.pack_into("<HH", content, content.index(b"PK\5\6") + 4, 3, 0)
    path.write_bytes(content)
    assert "several parts" in only_reason(path)


def million_members(path: Path, count: int) -> Path:
    """A table of contents by hand: zipfile would take minutes."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, zlib.crc32(b""), 0, 0, 1, 0) + b"a"
    line = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    with path.open("wb") as file:
        file.write(local)
        for _ in range(count // 1000):
            file.write(line * 1000)
        file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count % 65536, count % 65536, count * len(line), len(local), 0))
    return path


def test_a_million_members_cost_a_sentence_and_no_memory(tmp_path):
    path = million_members(tmp_path / "many.zip", 1_000_000)
    code = "import resource; from pathlib import Path; from viewer.io import open as o; before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    code += f"print(o.find([Path({str(path)!r})]).refused[0].reason)\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    said, grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert "100,000" in said or "100000" in said or "that is no archive" in said
    assert int(grown) < 200_000
    assert resource.getpagesize()


def test_damage_in_the_packed_data_names_the_member(tmp_path):
    path = zipped(tmp_path / "bad.zip", {"x/film.png": png(3, (60, 60)) + os.urandom(2000), "good.png": png()})
    content = bytearray(path.read_bytes())
    content[300:340] = bytes(40)
    path.write_bytes(content)
    listing = opening.find([path])
    assert [e.title for e in listing.series] == ["good"]
    assert "x/film.png" in listing.refused[0].reason


def test_a_damaged_image_inside_goes_by_its_member_name(tmp_path, inline_pool):
    cut = png(3, (60, 60))[:-20]
    listing = opening.find([zipped(tmp_path / "a.zip", {"x/film.png": cut})])
    assert listing.refused[0].reason.startswith("a.zip: x/film.png: ")
    garbage = bytearray(png(3, (60, 60)))
    garbage[50:60] = bytes(10)
    (entry,) = opening.find([zipped(tmp_path / "b.zip", {"x/film.png": bytes(garbage)})]).series
    with pytest.raises(UnreadableFile, match=r"b\.zip: x/film\.png"):
        opening.load(entry, pool=inline_pool)
    with pytest.raises(UnreadableFile, match=r"b\.zip: x/film\.png"):
        opening.load_plane(entry, 0, 0, pool=inline_pool)


def test_limits_are_those_that_were_decided():
    assert (zip_members.MEMBERS_LIMIT, zip_members.MEMBER_BYTES_LIMIT, zip_members.RATIO_LIMIT) == (100_000, 4 << 30, 200)


def test_files_without_uids_have_the_same_ids_in_the_archive_and_beside_it(tmp_path):
    members = {"deep/head.nii.gz": nifti_bytes(tmp_path), "film.png": png()}
    folder = tmp_path / "folder"
    for name, content in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    inside = {entry.id for entry in opening.find([zipped(tmp_path / "all.zip", members)]).series}
    assert inside == {entry.id for entry in opening.find([folder]).series}
    archive.forget()
    assert inside == {entry.id for entry in opening.find([tmp_path / "all.zip"]).series}


def test_a_dicom_file_without_uids_has_the_same_id_in_the_archive(tmp_path, shared_data):
    content = (shared_data / "single" / "GH1301.dcm").read_bytes().replace(b"\x20\x00\x0e\x00", b"\x20\x00\x0f\x00", 1)
    (tmp_path / "a.dcm").write_bytes(content)
    (outside,) = opening.find([tmp_path / "a.dcm"]).series
    assert outside.id.startswith("file-")
    (inside,) = opening.find([zipped(tmp_path / "all.zip", {"a.dcm": content})]).series
    assert inside.id == outside.id
