"""Models of the user's own come into their folder whole or not at all, and go from it; nothing else is touched."""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.core.card_samples import CARD
from viewer.core.errors import ModelUnusable, SaveFailed
from viewer.session import own_models
from viewer.session.models import list_models, own_folder
from viewer.session.own_models import add_model, name_for, remove_model, write_card

CONTENT, WEIGHTS = b"not a network, which nobody asks here" * 100, b"weights" * 1000


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def card(**more: Any) -> dict[str, Any]:
    kept = {key: value for key, value in CARD.items() if key not in ("external", "sha256")}
    return kept | {"sha256": digest(CONTENT)} | more


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "download"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(CONTENT)
    (folder / "weights.bin").write_bytes(WEIGHTS)
    (folder / "card.toml").write_text(tomli_w.dumps(card(external={"weights.bin": digest(WEIGHTS)})), "utf-8")
    (folder / "setup.sh").write_text("rm -rf /")
    return folder


def own_names() -> list[str]:
    return [c.name for c in list_models([own_folder()])[0]]


def everything() -> dict[str, bytes]:
    return {str(p.relative_to(own_folder())): p.read_bytes() for p in sorted(own_folder().rglob("*")) if p.is_file()}


def test_a_folder_is_copied_with_the_files_that_its_card_names_and_no_other(source: Path) -> None:
    added = add_model(source)
    assert added.folder == own_folder() / "lungs" and added.name == "lungs"
    assert sorted(p.name for p in added.folder.iterdir()) == ["card.toml", "model.onnx", "weights.bin"]
    assert (added.folder / "model.onnx").read_bytes() == CONTENT and (added.folder / "weights.bin").read_bytes() == WEIGHTS
    assert sorted(os.listdir(own_folder())) == ["lungs"], "nothing is left over"
    assert own_names() == ["lungs"]


def test_a_bare_file_is_added_with_a_card_that_is_given(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(CONTENT)
    text = card(positive=None)
    del text["sha256"]
    added = add_model(tmp_path / "net.onnx", text, name="mine")
    assert added.name == "mine" and added.sha256 == digest(CONTENT)
    assert tomllib.loads((added.folder / "card.toml").read_text("utf-8"))["name"] == "mine"


def test_a_file_without_a_card_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(CONTENT)
    with pytest.raises(ModelUnusable, match=r"net\.onnx has no card: put a card\.toml beside it"):
        add_model(tmp_path / "net.onnx")


def test_a_name_that_is_taken_is_refused_unless_it_may_be_replaced(source: Path) -> None:
    add_model(source)
    (source / "card.toml").write_text(tomli_w.dumps(card(title="Second")), "utf-8")
    with pytest.raises(ModelUnusable, match='a model "lungs" already'):
        add_model(source)
    assert add_model(source, overwrite=True).title == "Second"
    assert sorted(os.listdir(own_folder())) == ["lungs"] and sorted(os.listdir(own_folder() / "lungs")) == ["card.toml", "model.onnx"]


@pytest.mark.parametrize("name", ["pneumonia-cxr-28", "Pneumonia-CXR-28"])
def test_the_name_of_a_built_in_model_is_refused_also_to_be_replaced(source: Path, name: str) -> None:
    with pytest.raises(ModelUnusable, match="built-in"):
        add_model(source, name=name, overwrite=True)
    assert own_names() == []


def spoil_checksum(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(CONTENT[:-1] + b"?")


def spoil_weights(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"")


def link_model(folder: Path) -> None:
    (folder / "model.onnx").rename(folder / "other")
    (folder / "model.onnx").symlink_to(folder / "other")


def link_weights(folder: Path) -> None:
    (folder / "weights.bin").rename(folder / "other")
    (folder / "weights.bin").symlink_to(folder / "other")


def pipe_for_model(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    os.mkfifo(folder / "model.onnx")


def no_model(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def bad_card(folder: Path) -> None:
    (folder / "card.toml").write_text("schema = 1")


@pytest.mark.parametrize("spoil", [spoil_checksum, spoil_weights, link_model, link_weights, pipe_for_model, no_model, bad_card])
@pytest.mark.parametrize("is_replaced", [False, True])
def test_what_is_not_right_is_refused_and_leaves_all_as_it_was(source: Path, spoil: Any, is_replaced: bool) -> None:
    if is_replaced:
        add_model(source)
    before = everything()
    spoil(source)
    with pytest.raises(ModelUnusable) as caught:
        add_model(source, overwrite=True)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert everything() == before


@pytest.mark.parametrize("call", range(1, 12))
def test_wherever_the_disk_fails_there_is_the_old_model_or_the_new_one(source: Path, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    add_model(source)
    before = everything()
    (source / "card.toml").write_text(tomli_w.dumps(card(title="Second")), "utf-8")
    calls = 0
    real_rename, real_fsync = Path.rename, os.fsync

    def failing(real: Any) -> Any:
        def run(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise OSError(28, "No space left on device")
            return real(*arguments)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", failing(real_rename))
        patch.setattr(os, "fsync", failing(real_fsync))
        try:
            add_model(source, overwrite=True)
        except SaveFailed as error:
            assert str(error).endswith(".")  # noqa: PT017  either may be
    found = everything()
    assert found == before or (sorted(found) == ["lungs/card.toml", "lungs/model.onnx"] and b"Second" in found["lungs/card.toml"])
    assert list_models([own_folder()])[1] == ()


def test_what_a_crash_has_left_goes_and_a_model_that_was_being_replaced_comes_back(source: Path) -> None:
    add_model(source)
    add_model(source, name="second")
    parent = own_folder()
    (parent / "lungs").rename(parent / ".lungs.0123456789ab.old")
    for name in (".lungs.0123456789ab.new", ".x.0123456789ab.gone", ".keep me"):
        (parent / name).mkdir()
    for left in parent.glob(".*"):
        os.utime(left, (1, 1))
    (parent / ".young.0123456789ab.new").mkdir()
    remove_model("second")
    assert sorted(os.listdir(parent)) == [".keep me", ".young.0123456789ab.new", "lungs"]
    assert own_names() == ["lungs"]


def test_an_added_model_is_removed_by_its_name_or_that_of_its_folder(source: Path) -> None:
    add_model(source)
    (own_folder() / "lungs").rename(own_folder() / "other-folder")
    remove_model("lungs")
    assert os.listdir(own_folder()) == []
    add_model(source)
    (own_folder() / "lungs" / "card.toml").write_text("broken [")
    remove_model("lungs")
    assert os.listdir(own_folder()) == []


def test_built_in_and_unknown_models_are_not_removed(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="comes with the program"):
        remove_model("pneumonia-cxr-28")
    bystander = own_folder().parent / "bystander"
    bystander.mkdir(parents=True)
    (bystander / "card.toml").write_text("x = 1")
    (own_folder() / "no-model").mkdir(parents=True)
    for name in ("nothing", "../bystander", "", ".", "..", "no-model", "a/b", "x\0y"):
        with pytest.raises(ModelUnusable, match="There is no model"):
            remove_model(name)
    assert bystander.is_dir() and (own_folder() / "no-model").is_dir()


def test_what_is_removed_is_what_listing_has_under_the_name(source: Path) -> None:
    add_model(source)
    parent = own_folder()
    for name in (".lungs.0123456789ab.old", ".aaa", "zzz"):
        shutil.copytree(parent / "lungs", parent / name)
    assert [name for name, _reason in list_models([parent])[1]] == ["zzz"]
    remove_model("zzz")
    remove_model("lungs")
    assert sorted(os.listdir(parent)) == [".aaa", ".lungs.0123456789ab.old"]


def test_an_own_model_with_the_name_of_a_built_in_one_can_be_removed(source: Path) -> None:
    add_model(source)
    (own_folder() / "lungs").rename(own_folder() / "pneumonia-cxr-28")
    text = (own_folder() / "pneumonia-cxr-28" / "card.toml").read_text("utf-8").replace('"lungs"', '"pneumonia-cxr-28"')
    (own_folder() / "pneumonia-cxr-28" / "card.toml").write_text(text, "utf-8")
    assert [name for name, _reason in list_models()[1]] == ["pneumonia-cxr-28"]
    remove_model("pneumonia-cxr-28")
    assert list_models()[1] == () and "pneumonia-cxr-28" in [c.name for c in list_models()[0]]


def test_of_a_linked_folder_the_link_is_removed_and_not_what_it_leads_to(source: Path) -> None:
    own_folder().mkdir(parents=True)
    (own_folder() / "linked").symlink_to(source)
    remove_model("linked")
    assert os.listdir(own_folder()) == [] and (source / "model.onnx").is_file()


def test_a_folder_that_cannot_be_made_is_told(source: Path) -> None:
    shutil.rmtree(own_folder(), ignore_errors=True)
    own_folder().parent.mkdir(parents=True, exist_ok=True)
    own_folder().write_text("a file is in the way")
    with pytest.raises(SaveFailed, match="cannot be made"):
        add_model(source)


def test_a_card_is_written_as_it_is_read() -> None:
    assert tomllib.loads(write_card(CARD)) == CARD
    assert tomllib.loads(write_card({"a": None, "b": (1, None), "c": {"d": None}})) == {"b": [1], "c": {}}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My Net v2.onnx", "my-net-v2.onnx"),
        ("../../x", "x"),
        ("肺炎 模型", "肺炎-模型"),
        ("///", "model"),
        ("a" * 99, "a" * 64),
        ("CON", "model-con"),
    ],
)
def test_any_text_gives_a_name_that_a_card_may_have(text: str, name: str) -> None:
    from viewer.core.card_rules import is_plain

    assert name_for(text) == name and is_plain(name)


def test_renames_are_the_only_way_in(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the files are copied the listing must not see them."""
    seen: list[list[str]] = []
    real = own_models.check_file
    monkeypatch.setattr(own_models, "check_file", lambda card: (seen.append(own_names()), real(card)))
    add_model(source)
    assert seen == [[]]
