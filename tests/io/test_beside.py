"""A header can name a file beside it, and no other file in the world."""

from __future__ import annotations

import os
import sys

import pytest

from viewer.core.errors import UnreadableFile
from viewer.io import beside, metaimage, nrrd

NRRD = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: {}\n"
META = "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = {}\n"

OUTSIDE = [
    "../secret.raw", "x/../../secret.raw", "/etc/passwd", "..\\secret.raw", "C:\\secret.raw", "C:secret.raw", "\\\\server\\share\\x.raw",
    "//server/x.raw", "link.raw", "linked/secret.raw", "inside.raw:stream", "CON", "nul.raw", "COM1", "file:///etc/passwd", "....//../secret.raw",
]  # fmt: skip

_opened: list[str] = []
_watch: list[bool] = []


def _audit(event, arguments):
    """Every open of this process passes here, whichever library it comes from; a number is a file that is open already."""
    if event == "open" and _watch and not isinstance(arguments[0], int):
        _opened.append(os.fsdecode(arguments[0]))


sys.addaudithook(_audit)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret.raw").write_bytes(bytes(8))
    inner = tmp_path / "study"
    (inner / "sub").mkdir(parents=True)
    (inner / "inside.raw").write_bytes(bytes(range(8)))
    (inner / "sub" / "inside.raw").write_bytes(bytes(range(8)))
    (inner / "link.raw").symlink_to(tmp_path / "secret.raw")
    (inner / "linked").symlink_to(tmp_path)
    return inner


@pytest.mark.parametrize("named", OUTSIDE)
@pytest.mark.parametrize(("reader", "text", "ending"), [(nrrd, NRRD, "nhdr"), (metaimage, META, "mhd")], ids=["nrrd", "metaimage"])
def test_a_file_outside_is_refused_without_opening_it(folder, named, reader, text, ending):
    header = folder / f"h.{ending}"
    header.write_text(text.format(named))
    _opened.clear()
    _watch.append(True)
    listing = reader.scan([header])
    _watch.clear()
    assert not listing.series
    assert header.name in listing.refused[0].reason
    # The gate asks the system for its memory; Python imports.
    assert {path for path in _opened if not path.startswith(("/proc/", "/sys/", sys.base_prefix, sys.prefix))} == {str(header)}


@pytest.mark.parametrize("named", ["inside.raw", "sub/inside.raw", "sub\\inside.raw", "./inside.raw", "sub/../inside.raw"])
def test_a_file_inside_is_read(folder, inline_pool, named):
    (folder / "h.nhdr").write_text(NRRD.format(named))
    (folder / "h.mhd").write_text(META.format(named))
    for reader, name in ((nrrd, "h.nhdr"), (metaimage, "h.mhd")):
        listing = reader.scan([folder / name])
        assert not listing.refused, listing.refused
        assert reader.load(listing.series[0], pool=inline_pool).values.ravel().tolist() == list(range(8))


@pytest.mark.parametrize("named", ["LIST", "LIST 2", "x%03d.raw 0 2000000000 1"])
@pytest.mark.parametrize(("reader", "text"), [(nrrd, NRRD), (metaimage, META)], ids=["nrrd", "metaimage"])
def test_lists_and_patterns_of_files_are_refused(folder, named, reader, text):
    header = folder / "h.txt"
    header.write_text(text.format(named) + ("inside.raw\n" * 3 if named.startswith("LIST") else ""))
    assert "several files" in reader.scan([header]).refused[0].reason


@pytest.mark.parametrize("named", ["not there.raw", "a\0b", "\x1b]0;x\x07", ""])
def test_a_name_of_nothing_gets_a_sentence(folder, named):
    with pytest.raises(UnreadableFile) as caught:
        beside.resolve(folder / "h.nhdr", named)
    assert str(caught.value).isprintable()


def test_pipes_and_devices_are_not_read(folder):
    os.mkfifo(folder / "pipe.raw")
    (folder / "h.nhdr").write_text(NRRD.format("pipe.raw"))
    assert "not an ordinary file" in nrrd.scan([folder / "h.nhdr"]).refused[0].reason
    with pytest.raises(UnreadableFile, match="not an ordinary file"):
        beside.open_regular(folder / "pipe.raw")
