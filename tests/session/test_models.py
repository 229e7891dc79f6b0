"""The models that are at hand: built in and added, usable and not, by name and by image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

from tests.core.card_samples import CARD
from viewer.core.errors import ModelUnusable
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.volume import Identity, Volume
from viewer.io.open import find
from viewer.session import models
from viewer.session.models import best_fit, check_file, choose_model, facts_of, fits, is_built_in, list_models, own_folder, read_card
from viewer.session.own_models import add_model
from viewer.session.settings import Settings, data_folder

BUILT_IN = Path(__file__).resolve().parents[2] / "models" / "pneumonia-cxr-28"
DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of b"abc", FIPS 180-2


def put(parent: Path, folder_name: str, **more: Any) -> Path:
    folder = parent / folder_name
    folder.mkdir(parents=True)
    card = {key: value for key, value in CARD.items() if key not in ("external", "values")} | {"name": folder_name, "sha256": DIGEST} | more
    (folder / "card.toml").write_text(tomli_w.dumps(card), "utf-8")
    (folder / "model.onnx").write_bytes(b"abc")
    return folder


def film(modality: str = "DX", body_part: str = "CHEST", **more: Any) -> Volume:
    identity = Identity(modality=modality, body_part=body_part, view_position="PA", **more)
    return Volume("v", np.zeros((1, 1, 4, 4), np.uint8), Geometry((1, 4, 4)), identity=identity)


def test_built_in_models_and_the_users_own_are_listed_together() -> None:
    put(data_folder() / "models", "mine")
    cards, broken = list_models()
    assert {"pneumonia-cxr-28", "mine"} <= {card.name for card in cards} and not broken
    assert {card.name: is_built_in(card) for card in cards}["mine"] is False
    assert {card.name: is_built_in(card) for card in cards}["pneumonia-cxr-28"] is True


def test_the_folder_of_the_settings_is_taken_where_one_is_named(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "there")
    assert "there" not in [card.name for card in list_models()[0]]
    Settings().set("model_folder", str(tmp_path / "elsewhere"))
    assert own_folder() == tmp_path / "elsewhere"
    assert "there" in [card.name for card in list_models()[0]]
    for other in ("not/absolute", str(BUILT_IN.parent)):
        Settings().set("model_folder", other)
        assert own_folder() == data_folder() / "models"
        assert list_models()[1] == ()


def test_of_two_models_with_one_name_the_built_in_one_is_taken_and_the_other_told() -> None:
    put(data_folder() / "models", "copy", name="pneumonia-cxr-28")
    cards, broken = list_models()
    assert [is_built_in(card) for card in cards if card.name == "pneumonia-cxr-28"] == [True]
    assert broken == (("copy", 'The model in the folder copy has the name "pneumonia-cxr-28" of a built-in one; give it another name.'),)


def test_of_two_own_models_with_one_name_the_first_folder_is_taken(tmp_path: Path) -> None:
    put(tmp_path, "a"), put(tmp_path, "b", name="a")
    cards, broken = list_models([tmp_path])
    assert [card.folder.name for card in cards] == ["a"]
    assert broken[0][0] == "b" and "a and b have the same name" in broken[0][1]


def test_a_changed_card_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path, "m")
    read: list[Path] = []
    monkeypatch.setattr(models, "read_card", lambda folder: read.append(folder) or read_card(folder))
    assert [list_models([tmp_path])[0][0].title for _ in range(3)] == ["Lungs"] * 3 and len(read) == 1
    text = (folder / "card.toml").read_text("utf-8").replace("Lungs", "Other")
    (folder / "card.toml").write_text(text, "utf-8")
    os.utime(folder / "card.toml", ns=(1, 1))
    assert list_models([tmp_path])[0][0].title == "Other" and len(read) == 2
    (folder / "card.toml").unlink()
    (folder / "model.onnx").unlink(missing_ok=True)
    assert list_models([tmp_path]) == ((), ())


def test_whatever_lies_in_the_folder_listing_goes_on(tmp_path: Path) -> None:
    put(tmp_path, "good")
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    put(tmp_path, ".being-added.tmp")
    for name, text in (
        ("b1", b"\xff\xfe"),
        ("b2", b"a = " + b"[" * 20_000),
        ("b3", b"a = " + b"9" * 10_000),
        ("b4", (tmp_path / "good" / "card.toml").read_bytes() + b"#" * (1 << 20)),
        ("b5", b"schema = 9"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.toml").write_bytes(text)
    (tmp_path / "b6" / "card.toml").mkdir(parents=True)
    (tmp_path / "b7").mkdir()
    (tmp_path / "b7" / "card.toml").symlink_to(tmp_path / "good" / "card.toml")
    (tmp_path / "b8").mkdir()
    os.mkfifo(tmp_path / "b8" / "card.toml")  # a pipe must not be waited for
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "b9").symlink_to(tmp_path / "good")
    cards, broken = list_models([tmp_path, tmp_path / "nowhere", tmp_path / "file"])
    assert [card.name for card in cards] == ["good"]
    assert [name for name, _reason in broken] == [f"b{n}" for n in range(1, 10)]
    assert all(name in reason and "\n" not in reason for name, reason in broken)


def test_a_home_that_cannot_be_written_to_leaves_the_built_in_models(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Path:
        raise OSError("read-only")

    monkeypatch.setattr(models, "data_folder", refuse)
    assert "pneumonia-cxr-28" in [card.name for card in list_models()[0]]


def test_files_are_held_against_their_checksums_also_those_with_weights(tmp_path: Path) -> None:
    folder = put(tmp_path, "m", external={"weights.bin": DIGEST})
    card = read_card(folder)
    with pytest.raises(ModelUnusable, match=r"no file weights\.bin"):
        check_file(card)
    (folder / "weights.bin").write_bytes(b"abc")
    check_file(card)
    (folder / "weights.bin").write_bytes(b"abd")
    os.utime(folder / "weights.bin", ns=(1, 1))
    with pytest.raises(ModelUnusable, match="checksum"):
        check_file(card)
    (folder / "weights.bin").unlink()
    (folder / "weights.bin").symlink_to(folder / "model.onnx")
    with pytest.raises(ModelUnusable, match=r"no file weights\.bin"):
        check_file(card)


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card(put(tmp_path, "m"))
    check_file(card)
    monkeypatch.setattr(models, "checksum", lambda path: pytest.fail("read again"))
    check_file(card)


def test_a_model_is_chosen_by_name_else_the_first_that_classifies_and_is_no_benchmark(tmp_path: Path) -> None:
    put(tmp_path, "a", benchmark=True), put(tmp_path, "b", task="image", classes=[]), put(tmp_path, "c")
    cards = list_models([tmp_path])[0]
    assert choose_model(cards).name == "c" and choose_model(cards, "a").name == "a"
    with pytest.raises(ModelUnusable, match=r'no model "d"\. There are: a, b, c\.'):
        choose_model(cards, "d")
    with pytest.raises(ModelUnusable, match="No model is installed"):
        choose_model(cards[:2])


def test_the_best_fit_of_an_opened_image_and_of_an_operations_image_is_the_same(tmp_path: Path) -> None:
    put(tmp_path, "chest"), put(tmp_path, "hand", applies={"modality": ["DX"], "body_part": ["HAND"]})
    cards = list_models([tmp_path])[0]
    for part, name in (("CHEST", "chest"), ("HAND", "hand")):
        volume = film(body_part=part, patient_age="004Y")
        image = Image(volume.data[0], volume.geometry, modality="DX", body_part=part, view_position="PA", patient_age="004Y")
        assert facts_of(volume) == facts_of(image)
        assert [best_fit(cards, thing)[0].name for thing in (volume, image)] == [name, name]  # type: ignore[union-attr]
    assert best_fit(cards, film("MR")) == (None, "No model is for this image: it is MR, and the models are for CR, DX.")
    assert fits(cards[0], film()) and not fits(cards[0], film("MR"))


def test_of_real_series_the_models_that_come_with_the_program_are_for_chest_films_alone(shared_data: Path) -> None:
    cards = list_models()[0]
    folders = ("ct_chest_lidc", "mr_head_t1", "petctmr_sts001", "single", "cxr_native")
    found = [(entry, best_fit(cards, entry)) for name in folders for entry in find([shared_data / name]).series if entry.kind != "other"]
    tagged = {(e.identity.modality, e.identity.body_part) for e, (card, _why) in found if card is not None and e.identity.modality}
    assert tagged == {("CR", "CHEST"), ("DX", "THORAX")}
    told = {e.identity.modality: why for e, (card, why) in found if card is None}
    assert {"CT", "MR", "PT", "US", "NM"} <= set(told) and all(f"it is {m}" in why for m, why in told.items() if m != "CR")
    assert "it shows EXTREMITY, and the models are for CHEST" in told["CR"]
    films = [card for e, (card, _why) in found if e.files[0].parent.name == "cxr_native"]
    assert len(films) == 12 and {card.name for card in films if card is not None} == {"pneumonia-cxr"}


def test_the_age_comes_from_the_dates_where_the_file_does_not_say_it() -> None:
    assert facts_of(film(patient_birth_date="2016-03-01", study_date="2020-03-01")).age_years == 4.0


def test_an_added_copy_of_a_built_in_model_runs_through_the_same_checks() -> None:
    card = add_model(BUILT_IN, name="copy")
    check_file(card)
    assert card.folder == own_folder() / "copy"
