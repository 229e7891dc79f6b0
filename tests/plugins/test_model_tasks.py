"""Models of every kind and origin through the operations: probabilities as bare onnxruntime gives them, pictures and labels by arithmetic."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture
from scipy import ndimage, special

sys.path.insert(0, str(Path(__file__).parent))
from classifier_samples import bare, card_with, image_with, zoo_card

from plugins.classify import batching, choosing, feeding, label_maps, pictures, returning
from plugins.classify.classify import classified
from viewer.core.errors import ModelUnusable, NegatoscopeError, Refused
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.model_card import ModelCard
from viewer.core.window import Window
from viewer.session import models as installed

RNG = np.random.default_rng(44)
FILMS = RNG.integers(0, 256, (5, 40, 40)).astype(np.uint8)
COLORS = RNG.integers(0, 256, (2, 40, 40, 3)).astype(np.uint8)
LEVELS = {"scale": 255.0, "mean": [0.5], "std": [0.25]}


def pillow(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return np.asarray(Picture.fromarray(values.astype(np.float32)).resize((columns, rows), Picture.Resampling.BILINEAR))


def normal(values: np.ndarray) -> np.ndarray:
    return ((values / 255 - 0.5) / 0.25).astype(np.float32)


def scores(card: ModelCard, image: Image) -> np.ndarray:
    return np.array([[value for _name, value in verdict.scores] for verdict in classified(card, image).items])


# --- scores: the same as bare onnxruntime's, of models from every exporter ---


def test_pytorch_one_logit(tmp_path: Path) -> None:
    card = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32}, normalisation=LEVELS)
    fed = normal(np.stack([pillow(film, 32, 32) for film in FILMS]))[:, None]
    expected = special.expit(bare(card, fed).astype(float))
    assert scores(card, image_with(FILMS)) == pytest.approx(np.hstack([expected, 1 - expected]), abs=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_a_fixed_batch_gives_the_same(tmp_path: Path, batch: int) -> None:
    free = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32}, normalisation=LEVELS)
    fixed = replace(free, input=replace(free.input, batch=batch))
    assert scores(fixed, image_with(FILMS)) == pytest.approx(scores(free, image_with(FILMS)), abs=1e-6)


def test_pytorch_colour_with_softmax_in_the_graph(tmp_path: Path) -> None:
    classes = [{"name": name} for name in ("Red", "Green", "Blue")]
    options = {"height": 24, "width": 24, "channels": 3}
    card = zoo_card(
        "torch_softmax", tmp_path, task="multi-class", classes=classes, input=options, output={"activation": "none"}, normalisation=LEVELS
    )
    fed = normal(np.stack([[pillow(color[..., n], 24, 24) for n in range(3)] for color in COLORS]))
    assert scores(card, image_with(COLORS)) == pytest.approx(bare(card, fed), abs=1e-6)
    grey = normal(np.stack([np.repeat(pillow(film, 24, 24)[None], 3, 0) for film in FILMS]))
    assert scores(card, image_with(FILMS)) == pytest.approx(bare(card, grey), abs=1e-6)


def test_pytorch_several_labels(tmp_path: Path) -> None:
    classes = [{"name": name} for name in "ABCD"]
    options = {"height": 32, "width": 32}
    card = zoo_card("torch_multilabel", tmp_path, task="multi-label", classes=classes, input=options, output={"activation": "none"})
    fed = np.stack([pillow(film, 32, 32) for film in FILMS])[:, None]
    assert scores(card, image_with(FILMS)) == pytest.approx(bare(card, fed), abs=1e-6)


def test_pytorch_neighbouring_planes(tmp_path: Path) -> None:
    options = {"height": 32, "width": 32, "channels": 3, "planes": "neighbours", "batch": 1}
    two = [{"name": "No", "output": 0}, {"name": "Yes", "output": 1}]
    card = zoo_card("torch_neighbours", tmp_path, classes=two, input=options, output={"activation": "softmax"}, normalisation=LEVELS)
    small = normal(np.stack([pillow(film, 32, 32) for film in FILMS]))
    expected = [special.softmax(bare(card, small[[max(n - 1, 0), n, min(n + 1, 4)]][None]).astype(float), axis=1)[0] for n in range(5)]
    assert scores(card, image_with(FILMS)) == pytest.approx(np.array(expected), abs=1e-6)
    assert [verdict.index for verdict in classified(card, image_with(FILMS)).items] == [0, 1, 2, 3, 4]


def test_pytorch_volumes_give_one_verdict_on_all_planes(tmp_path: Path) -> None:
    options = {"height": 16, "width": 16, "layout": "NCDHW", "planes": "volume", "depth": 8}
    card = zoo_card("torch_cnn3d", tmp_path, input=options, normalisation=LEVELS)
    volume = RNG.integers(0, 256, (8, 16, 16)).astype(np.uint8)
    (verdict,) = classified(card, image_with(volume)).items
    assert verdict.scores[0][1] == pytest.approx(float(special.expit(float(bare(card, normal(volume)[None, None])[0, 0]))), abs=1e-6)
    assert verdict.index == 4
    assert "all planes" in dict(verdict.facts)["planes"]
    with pytest.raises(NegatoscopeError, match="takes a volume of several planes; this image is one plane"):
        classified(card, image_with(volume[0]))


def test_pytorch_a_cnn_and_a_recurrent_network_read_a_sequence(tmp_path: Path) -> None:
    two = [{"name": "No", "output": 0}, {"name": "Yes", "output": 1}]
    options = {"height": 24, "width": 24, "layout": "NTCHW", "planes": "sequence", "batch": 1}
    card = zoo_card("torch_cnn_lstm", tmp_path, classes=two, input=options, output={"activation": "softmax"}, normalisation=LEVELS)
    fed = normal(np.stack([pillow(film, 24, 24) for film in FILMS]))[None, :, None]
    expected = special.softmax(bare(card, fed).astype(float), axis=1)
    assert scores(card, image_with(FILMS)) == pytest.approx(expected, abs=1e-6)


def test_pytorch_a_recurrent_network_reads_a_sequence_of_rows(tmp_path: Path) -> None:
    options = {"height": 4, "width": 4, "layout": "NTF", "planes": "sequence", "batch": 1}
    card = zoo_card("torch_features_lstm", tmp_path, input=options, normalisation=LEVELS)
    fed = normal(np.stack([pillow(film, 4, 4) for film in FILMS])).reshape(1, 5, 16)
    assert scores(card, image_with(FILMS))[0, 0] == pytest.approx(float(special.expit(float(bare(card, fed)[0, 0]))), abs=1e-6)


def test_keras_four_blocks_channels_last_to_one_sigmoid(tmp_path: Path) -> None:
    options = {"height": 224, "width": 224, "channels": 3, "layout": "NHWC"}
    card = zoo_card("keras_four_blocks", tmp_path, input=options, output={"activation": "none"}, normalisation={"scale": 255.0})
    fed = np.stack([np.repeat(pillow(film, 224, 224)[..., None], 3, -1) for film in FILMS[:2]]).astype(np.float32) / 255
    assert scores(card, image_with(FILMS[:2]))[:, :1] == pytest.approx(bare(card, fed), abs=1e-6)


@pytest.mark.parametrize(("name", "order"), [("sklearn_logistic", "012"), ("sklearn_logistic_zipmap", "012"), ("sklearn_forest_zipmap", None)])
def test_scikit_learn_rows_of_values(tmp_path: Path, name: str, order: str | None) -> None:
    digits = RNG.integers(0, 17, (3, 8, 8)).astype(np.uint8)
    card = zoo_card(name, tmp_path, task="multi-class", classes=[{"name": n} for n in "ABC"], input={"layout": "NF"}, output={"activation": "none"})
    expected = bare(card, digits.reshape(3, 64).astype(np.float32), {"sklearn_logistic": "probabilities"}.get(name, "output_probability"))
    if isinstance(expected, list):
        # The words of the forest come in their order in the file, which is alphabetic: one, two, zero.
        expected = np.array([[row[key] for key in sorted(row)] for row in expected])
    assert scores(card, image_with(digits)) == pytest.approx(np.asarray(expected), abs=1e-6)
    assert order is None or np.ptp(expected) > 0.01


def test_a_model_of_any_size_sees_every_pixel(tmp_path: Path) -> None:
    card = zoo_card("mean_level", tmp_path, input={"height": "any", "width": "any"}, normalisation={"scale": 255.0})
    assert scores(card, image_with(FILMS))[:, 0] == pytest.approx(special.expit(FILMS.mean(axis=(1, 2)) / 255), abs=1e-5)


def test_c02_a_monochrome1_film_gets_the_score_of_its_twin(tmp_path: Path) -> None:
    card = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32}, normalisation=LEVELS)
    deep = FILMS[:1].astype(np.uint16) * 16
    for window in (None, Window(2000, 3000)):
        twin = None if window is None else Window(4095 - 2000 + 1, 3000)
        film, other = image_with(deep, window=window), image_with(4095 - deep, window=twin, is_inverted=True)
        assert scores(card, other) == pytest.approx(scores(card, film), abs=1e-6)


def test_planes_of_nothing_but_padding_are_left_out_and_harm_no_other(tmp_path: Path) -> None:
    card = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32})
    stack = FILMS.astype(np.int16) * 4
    stack[2] = -5
    found = classified(card, image_with(stack, padding=(-5.0, -5.0))).items
    assert [verdict.index for verdict in found] == [0, 1, 3, 4]
    with pytest.raises(ModelUnusable, match="nothing but padding"):
        classified(card, image_with(stack[2], padding=(-5.0, -5.0)))


def test_a_verdict_says_what_was_asked_and_what_went_in(tmp_path: Path) -> None:
    card = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32, "fit": "crop"}, threshold={"value": 0.4})
    verdict = classified(card, image_with(FILMS)).items[0]
    facts = dict(verdict.facts)
    assert facts["sha256"] == card.sha256
    assert facts["input"] == "1 x 32 x 32 NCHW float32"
    assert facts["values"] == "8 bits as they are"
    assert facts["fit"] == "cropped to its middle"
    assert (verdict.device, verdict.threshold, verdict.thresholds, verdict.maps) == ("CPU", 0.4, (0.4, None), ())


def test_heat_maps_come_with_the_scores_of_the_same_run(tmp_path: Path) -> None:
    card = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32}, normalisation=LEVELS)
    with_maps = classified(card, image_with(FILMS[:1]), heat_maps=True).items[0]
    logit = float(bare(card, normal(pillow(FILMS[0], 32, 32))[None, None])[0, 0])
    assert {overlay.score for overlay in with_maps.maps} == {"Square", "No square"}
    assert float(with_maps.maps[0].values.mean()) == pytest.approx(logit, abs=1e-4)
    assert with_maps.scores == classified(card, image_with(FILMS[:1])).items[0].scores
    series = classified(card, image_with(FILMS), heat_maps=True).items
    assert [[overlay.score for overlay in verdict.maps] for verdict in series] == [["Square"]] * 5


# --- pictures ---


def smooth(values: np.ndarray) -> np.ndarray:
    return np.asarray(ndimage.uniform_filter(values.astype(np.float64), (1, 3, 3), mode="nearest"))


def denoise(tmp_path: Path, **parts: Any) -> ModelCard:
    options = {"height": "any", "width": "any", **parts.pop("input", {})}
    return zoo_card("denoise", tmp_path, task="image", classes=[], input=options, output={"activation": "none", **parts.pop("output", {})}, **parts)


HU = np.asarray(RNG.integers(-900, 900, (4, 30, 40)), np.int16)


@pytest.mark.parametrize("values", [{"kind": "range", "low": -1000.0, "high": 1000.0, "unit": "HU"}, {"kind": "window", "center": 0, "width": 2000}])
def test_a_denoised_image_is_in_the_images_unit(tmp_path: Path, values: dict[str, Any]) -> None:
    card = denoise(tmp_path, values=values, normalisation=LEVELS)
    made = pictures.pictured(card, image_with(HU, unit="HU"))
    assert made.unit == "HU"
    assert made.values == pytest.approx(smooth(HU), abs=0.02)


def test_percentiles_and_the_files_window_are_gone_backwards_too(tmp_path: Path) -> None:
    inside = np.clip(HU, -500, 500)
    card = denoise(tmp_path, normalisation=LEVELS)
    made = pictures.pictured(card, image_with(HU, window=Window(0, 1000, "LINEAR_EXACT")))
    assert made.values == pytest.approx(smooth(inside), abs=0.02)
    made = pictures.pictured(denoise(tmp_path, values={"kind": "percentiles", "percentiles": [0, 100]}), image_with(HU, is_inverted=True))
    assert made.values == pytest.approx(smooth(HU), abs=0.02)


def test_eight_bits_colour_and_padding(tmp_path: Path) -> None:
    card = denoise(tmp_path)
    assert pictures.pictured(card, image_with(FILMS)).values == pytest.approx(smooth(FILMS), abs=1e-3)
    framed = HU.copy()
    framed[:, :, :6] = -2000
    made = pictures.pictured(denoise(tmp_path, values={"kind": "range", "low": -1000.0, "high": 1000.0}), image_with(framed, padding=(-2000, -2000)))
    assert np.all(made.values[:, :, :6] == -2000)
    assert made.values[:, :, 8:] == pytest.approx(smooth(HU)[:, :, 8:], abs=0.02)


def test_a_picture_of_another_size_comes_back_to_the_grid_of_the_image(tmp_path: Path) -> None:
    """A slope stays a slope through making small, smoothing and making large again."""
    ramp = np.add.outer(np.arange(60) * 4.0, np.arange(90) * 3.0).astype(np.float32)[None]
    for fit in ("squeeze", "pad", "crop"):
        card = denoise(tmp_path, input={"height": 20, "width": 20, "fit": fit}, values={"kind": "range", "low": 0.0, "high": 600.0})
        made = pictures.pictured(card, image_with(ramp))
        assert made.values.shape == ramp.shape
        assert made.values[0, 15:45, 30:60] == pytest.approx(ramp[0, 15:45, 30:60], abs=3)
        if fit == "crop":
            assert np.array_equal(made.values[0, :, :15], ramp[0, :, :15])
            assert np.array_equal(made.values[0, :, 75:], ramp[0, :, 75:])


def test_values_of_a_generator_are_in_the_cards_unit_without_the_files_window(tmp_path: Path) -> None:
    card = denoise(tmp_path, output={"picture": "values", "unit": "HU"})
    made = pictures.pictured(card, image_with(FILMS, window=Window(100, 100)))
    assert (made.unit, made.window) == ("HU", None)
    assert made.values == pytest.approx(smooth(FILMS), abs=1e-3)


def test_a_picture_larger_than_the_input_fills_the_image(tmp_path: Path) -> None:
    options = {"task": "image", "classes": [], "output": {"activation": "none"}}
    filling = zoo_card("enlarge", tmp_path, input={"height": 20, "width": 20}, **options)
    made = pictures.pictured(filling, image_with(FILMS)).values
    expected = np.stack([np.kron(pillow(film, 20, 20), np.ones((2, 2))) for film in FILMS])
    assert made == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("depth", "fit", "linear", "nearest"),
    [
        # Planes 0..7 in a block of 4: the centre of plane p lies at (p + 0.5) / 2 - 0.5.
        (4, "squeeze", [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3], [0, 0, 1, 1, 2, 2, 3, 3]),
        (8, "squeeze", list(range(8)), list(range(8))),
        (4, "crop", [None, None, 0, 1, 2, 3, None, None], [None, None, 0, 1, 2, 3, None, None]),
        (10, "pad", [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_a_block_comes_back_plane_by_plane(depth: int, fit: str, linear: list[Any], nearest: list[Any]) -> None:
    options = {"height": 8, "width": 8, "layout": "NCDHW", "planes": "volume", "depth": depth, "fit": fit}
    feed = feeding.Feed(card_with(task="image", classes=[], input=options), image_with(FILMS.repeat(2, axis=0)[:8, :8, :8]))
    block = np.broadcast_to(np.arange(depth, dtype=np.float32)[None, None, :, None, None], (1, 1, depth, 8, 8))
    answer = batching.Answer((0,), block, {}, 0.0)
    for method, expected in (("bilinear", linear), ("nearest", nearest)):
        found = [None if channels is None else float(channels[0, 4, 4]) for _plane, channels in returning.pictures(feed, answer, method=method)]
        assert found == [None if place is None else pytest.approx(place) for place in expected]


# --- label maps ---

PARTS = [{"name": "Background", "output": 0}, {"name": "Middle", "output": 1}, {"name": "Bright", "output": 2}]


def expected_labels(levels: np.ndarray) -> np.ndarray:
    return np.where(levels < 0.25, 0, np.where(levels <= 0.75, 1, 2))


@pytest.mark.parametrize("name", ["segment_softmax", "segment_argmax"])
def test_classes_become_labels_with_their_names(tmp_path: Path, name: str) -> None:
    options = {"height": "any", "width": "any"}
    card = zoo_card(name, tmp_path, task="segmentation", classes=PARTS, input=options, output={"activation": "none"}, normalisation={"scale": 255.0})
    made = label_maps.labelled(card, image_with(FILMS))
    assert made.names == ("Middle", "Bright")
    assert made.values.dtype == np.uint8
    near = np.abs(FILMS / 255 - 0.25) < 0.004, np.abs(FILMS / 255 - 0.75) < 0.004
    sure = ~(near[0] | near[1])
    assert np.array_equal(made.values[sure], expected_labels(FILMS / 255)[sure])
    assert sure.mean() > 0.95


def test_classes_that_are_not_named_belong_to_nothing_and_order_is_the_cards(tmp_path: Path) -> None:
    options = {"height": "any", "width": "any"}
    only = [{"name": "Bright", "output": 2}, {"name": "Dark", "output": 0}]
    card = zoo_card(
        "segment_softmax", tmp_path, task="segmentation", classes=only, input=options, normalisation={"scale": 255.0}, output={"activation": "none"}
    )
    made = label_maps.labelled(card, image_with(FILMS))
    assert made.names == ("Bright", "Dark")
    assert np.all(made.values[FILMS > 200] == 1)
    assert np.all(made.values[FILMS < 50] == 2)
    assert np.all(made.values[(FILMS > 80) & (FILMS < 170)] == 0)


@pytest.mark.parametrize(("limit", "level"), [(None, 0.5), (0.9, 0.5 + np.log(9) / 20)])
def test_one_logit_is_held_against_its_threshold_and_comes_back_to_the_grid(tmp_path: Path, limit: float | None, level: float) -> None:
    one = [{"name": "Bright", **({} if limit is None else {"threshold": limit})}]
    options = {"height": 16, "width": 16}
    card = zoo_card("segment_fixed", tmp_path, task="segmentation", classes=one, input=options, normalisation={"scale": 255.0})
    blocks = np.kron(RNG.integers(0, 256, (1, 16, 16)), np.ones((1, 5, 3), int)).astype(np.uint8)
    made = label_maps.labelled(card, image_with(blocks))
    assert made.names == ("Bright",)
    assert np.array_equal(made.values, (pillow_blocks(blocks) / 255 >= level).astype(np.uint8))


def pillow_blocks(blocks: np.ndarray) -> np.ndarray:
    """What a 16 x 16 model sees of each pixel's cell."""
    return np.kron(pillow(blocks[0], 16, 16), np.ones((5, 3)))[None]


def test_labels_lie_on_the_grid_and_padding_belongs_to_nothing(tmp_path: Path) -> None:
    geometry = Geometry((5, 40, 40), (1.0, 2.0, 3.0), (2.0, 0.7, 0.7))
    values = FILMS.astype(np.int16)
    values[:, :8] = -100
    options = {"height": 16, "width": 16, "fit": "pad"}
    card = zoo_card(
        "segment_fixed", tmp_path, task="segmentation", classes=[{"name": "All"}], input=options, values={"kind": "range", "low": -2e4, "high": 1.0}
    )
    made = label_maps.labelled(card, image_with(values, padding=(-100.0, -100.0), geometry=geometry))
    assert made.geometry == geometry
    assert not made.values[:, :8].any()
    assert made.values[:, 8:].all()


def test_without_a_name_only_a_model_for_such_images_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = denoise(tmp_path, applies={"modality": ["CT"]})
    monkeypatch.setattr(choosing, "list_models", lambda: ((card,), ()))
    monkeypatch.setattr(installed, "list_models", lambda: ((card,), ()))
    assert choosing.network_for("", image_with(HU, modality="CT"), "image") is card
    assert choosing.network_for(card.name, image_with(HU, modality="MR"), "image") is card
    with pytest.raises(ModelUnusable, match="None of the installed models of this kind is for such images"):
        choosing.network_for("", image_with(HU, modality="MR"), "image")
    with pytest.raises(ModelUnusable, match=r"^No model for segmentation is installed\.$"):
        choosing.network_for("", image_with(HU), "segmentation")


@pytest.mark.parametrize(
    ("run", "task", "words"),
    [
        (pictures.pictured, "segmentation", "names the task segmentation, and image is needed"),
        (label_maps.labelled, "image", "names the task image, and segmentation is needed"),
        (classified, "image", "gives pictures, not scores"),
    ],
)
def test_a_model_of_another_task_is_refused_in_a_sentence(tmp_path: Path, run: Any, task: str, words: str) -> None:
    classes = [{"name": "A"}] if task == "segmentation" else []
    card = zoo_card("denoise", tmp_path, task=task, classes=classes, input={"height": "any", "width": "any"}, output={"activation": "none"})
    with pytest.raises(Refused, match=words):
        run(card, image_with(FILMS))
