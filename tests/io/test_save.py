"""A file is the old one or the new one, whole, whatever fails at whatever step."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from viewer.core.errors import SaveFailed, UnreadableFile
from viewer.io import save
from viewer.io.save import ready_target, save_atomic, save_folder

STEPS = ("open", "write", "fsync", "chmod", "validate", "replace")


def fail_at(step: str, code: int, monkeypatch) -> dict:
    """Arguments of save_atomic with which, and after which, the step fails."""
    error = OSError(code, os.strerror(code))

    def fails(*_args, **_more):
        raise error

    if step == "write":
        return {"writer": lambda file: (file.write(b"half"), fails())}
    if step == "validate":
        return {"writer": b"new", "validate": fails}
    monkeypatch.setattr(save.os, step, fails)
    return {"writer": b"new"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("existed", [True, False])
def test_a_fault_at_any_step_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step, code, existed):
    path = tmp_path / "out.bin"
    if existed:
        path.write_bytes(b"old")
    with monkeypatch.context() as patch, pytest.raises(SaveFailed, match=r"out\.bin"):
        save_atomic(path, overwrite=True, **fail_at(step, code, patch))
    assert [p.name for p in tmp_path.iterdir()] == (["out.bin"] if existed else [])
    assert not existed or path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_synced_does_not_spoil_a_whole_file(tmp_path, monkeypatch):
    real = os.fsync

    def only_files(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no")
        real(descriptor)

    monkeypatch.setattr(save.os, "fsync", only_files)
    save_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("moment", ["write", "replace"])
def test_a_killed_process_leaves_the_old_file(tmp_path, moment):
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom viewer.io import save\n"
        "die = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"moment = {moment!r}\n"
        "if moment == 'replace': save.os.replace = die\n"
        "writer = (lambda f: (f.write(b'half'), f.flush(), die())) if moment == 'write' else b'new'\n"
        "save.save_atomic(Path(sys.argv[1]), writer, overwrite=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(("overwrite", "last"), [(True, "replace"), (False, "link")])
def test_the_order_is_write_sync_check_replace_sync_folder(tmp_path, monkeypatch, overwrite, last):
    seen = []
    for name in ("fsync", "replace", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(save.os, name, lambda *a, _real=real, _name=name: (seen.append(_name), _real(*a))[1])

    def check(path):
        seen.append(("check", path.read_bytes()))

    save_atomic(tmp_path / "a", lambda file: (seen.append("write"), file.write(b"x"))[0], validate=check, overwrite=overwrite)
    assert seen == ["write", "fsync", ("check", b"x"), last, "fsync"]


def test_what_the_check_refuses_is_not_saved(tmp_path):
    def refuse(_path):
        raise UnreadableFile("bad")

    with pytest.raises(UnreadableFile):
        save_atomic(tmp_path / "a", b"x", validate=refuse)
    assert not list(tmp_path.iterdir())


def test_an_existing_file_needs_overwrite_and_keeps_its_mode(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with pytest.raises(SaveFailed, match="exists already"):
        save_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    save_atomic(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        save_atomic(tmp_path / "b", b"new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o640


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(SaveFailed, match="exists already"):
        save_atomic(path, lambda file: (file.write(b"new"), path.write_bytes(b"other"))[0])
    assert path.read_bytes() == b"other"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    save_atomic(tmp_path / "link", b"new", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["no/folder/a", "folder", "fifo", "x" * 300, "a\0b"])
def test_places_that_cannot_be_written_get_a_sentence_at_once(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SaveFailed):
        ready_target(tmp_path / name, overwrite=True)
    with pytest.raises(SaveFailed):
        save_atomic(tmp_path / name, b"x", overwrite=True)


def test_a_cancelled_writer_leaves_nothing(tmp_path):
    def cancel(_file):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_atomic(tmp_path / "a", cancel)
    assert not list(tmp_path.iterdir())


def test_a_folder_comes_whole_or_not_at_all(tmp_path):
    def two(folder: Path):
        save_atomic(folder / "1", b"1")
        assert not (tmp_path / "set").exists()
        save_atomic(folder / "2", b"2")

    save_folder(tmp_path / "set", two)
    assert sorted(p.name for p in (tmp_path / "set").iterdir()) == ["1", "2"]
    with pytest.raises(SaveFailed, match="already"):
        save_folder(tmp_path / "set", two)

    def full(folder: Path):
        save_atomic(folder / "1", b"1")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(SaveFailed, match="disk is full"):
        save_folder(tmp_path / "other", full)
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def test_many_writers_of_one_name_leave_one_whole_file(tmp_path):
    contents = [bytes([n]) * 100_000 for n in range(6)]
    threads = [threading.Thread(target=save_atomic, args=(tmp_path / "a", c), kwargs={"overwrite": True}) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_bytes() in contents
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_appears_at_the_last_moment_is_not_replaced(tmp_path, monkeypatch):
    target = tmp_path / "o.bin"

    def another_program(*_words):
        target.write_bytes(b"theirs")
        return False

    monkeypatch.setattr("viewer.io.save.ready_target", lambda path, **_: path)
    monkeypatch.setattr("viewer.io.save.os.path.lexists", another_program)
    with pytest.raises(SaveFailed, match="exists already"):
        save_atomic(target, b"mine")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("o.bin", b"theirs")]


def test_without_hard_links_a_new_file_is_written_all_the_same(tmp_path, monkeypatch):
    def none(*_words):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr("viewer.io.save.os.link", none)
    save_atomic(tmp_path / "o.bin", b"mine")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("o.bin", b"mine")]
