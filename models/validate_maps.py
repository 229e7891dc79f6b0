"""Deletion and insertion curves of the heat-maps of a model, per method, on films with labels.

    python models/validate_maps.py MODEL DATA [--films 100] [--seed 7] [--split val] [--masks 1000] [--json OUT]

MODEL is a model's folder (card.toml, model.onnx) or the name of an installed one. DATA is a folder with ``labels.csv`` (columns ``file`` and
``label``; with a column ``patient_split`` only its rows ``--split`` are taken) and the films, in the folder or in ZIP files in it.

Taken are films, drawn with the seed, in which the model finds its positive class. The cells of a map are put in order, those that speak
most for the class first. Deletion: in this order they are replaced, in ten steps, by the blurred film; the faster the score falls, the
better the map has told where it comes from (a small area is good). Insertion: the other way round, from the blurred film to the film
(a large area is good). The baselines are cells in random order, and cells by their distance from the middle, which any map of a chest
film has to beat.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from plugins.classify import explain, inference
from plugins.classify.asking import Question
from plugins.classify.feeding import Feed
from plugins.classify.occlusion import occlusion_map
from plugins.classify.rise import rise_map
from viewer.api import Geometry, Image
from viewer.api.models import ModelCard, choose_model, list_models
from viewer.session.models import read_card

CELLS, STEPS = 28, 10


def films(data: Path, split: str, seed: int) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """(file, label, values) of the films of the split, in an order drawn with a seed."""
    with (data / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("patient_split", split) == split]
    order = np.random.default_rng(seed).permutation(len(rows))
    for row, content in _contents(data, [rows[n] for n in order]):
        yield row["file"], row["label"], np.asarray(Picture.open(BytesIO(content)).convert("L"))


def _contents(data: Path, rows: list[dict[str, str]]) -> Iterator[tuple[dict[str, str], bytes]]:
    boxes = [zipfile.ZipFile(path) for path in sorted(data.glob("*.zip"))]
    for row in rows:
        path = data / row["file"]
        if path.is_file():
            yield row, path.read_bytes()
        else:
            yield row, next(box.read(row["file"]) for box in boxes if row["file"] in box.namelist())


def spread(values: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """A map on ``CELLS`` x ``CELLS`` cells, linear between its own."""
    picture = Picture.fromarray(values.astype(np.float32))
    side = (min(CELLS, size[1]), min(CELLS, size[0]))
    return np.asarray(picture.resize(side, Picture.Resampling.BILINEAR), dtype=np.float64)


def areas(question: Question, order: NDArray[np.intp], shape: tuple[int, int], base: NDArray[np.float32]) -> tuple[float, ...]:
    """Areas under the curves of deletion and insertion (mean over the steps) for cells in this order: of the score, then of its log-odds."""
    share = np.zeros(order.size)
    share[order] = (np.arange(order.size) + 0.5) / order.size
    rows, columns = ((np.arange(n) * cells // n).astype(int) for n, cells in zip(question.size, shape, strict=True))
    full = share.reshape(shape)[np.ix_(rows, columns)]
    levels = np.linspace(0, 1, STEPS + 1)
    kept = np.stack([(full > level).astype(np.float32) for level in levels])  # at 0 all is left, at 1 nothing
    odds = np.concatenate([question.ask(part, base) for part in np.array_split(np.concatenate([kept, 1 - kept]), 3)])
    curves = [part[half] for part in (1 / (1 + np.exp(-odds)), odds) for half in (slice(STEPS + 1), slice(STEPS + 1, None))]
    return tuple(float(np.trapezoid(curve, levels)) for curve in curves)


def measured(
    card: ModelCard, data: Path, *, count: int, seed: int, split: str, masks: int, variants: bool = False, partly: Path | None = None
) -> dict[str, dict[str, float]]:
    """By method: mean and standard error of both areas over the films, and how often the map beats the random order of the same film."""
    source = np.random.default_rng(seed)
    runner = inference.load(card, "auto", explain.wanted(card))
    found: dict[str, list[tuple[float, ...]]] = {}
    done = 0
    for _file, _label, values in films(data, split, seed):
        image = Image(values[None], Geometry((1, *values.shape)), range=(0.0, 255.0))
        feed = Feed(card, image)
        sample = feed.batch([0])
        score = explain.usual_class(card)
        question = Question(runner, card, sample, score, (feed.frame.rows, feed.frame.columns))
        threshold = card.threshold_of(score) or 0.5
        if question.ask(np.ones((1, *question.size), np.float32), question.sample)[0] < np.log(threshold / (1 - threshold)):
            continue  # a map tells where a found class comes from
        maps: dict[str, NDArray[np.float64]] = {}
        if explain.wanted(card):
            names = explain.wanted(card)
            feature = runner.run(names, {runner.facts.inputs[0].name: sample})[0]
            maps["exact"] = explain.exact_map(card, feature[:1], score)[0]
        maps["occlusion"] = occlusion_map(question)
        if variants:
            maps["occlusion, patches of one cell"] = occlusion_map(question, reach=1.0)
            maps["occlusion, filled with the mean"] = occlusion_map(question, fill="mean")
        maps["rise"] = rise_map(question, count=masks)
        base = question.blurred(max(question.size) / 14)
        on_cells = {name: spread(values, question.size) for name, values in maps.items()}
        shape = next(iter(on_cells.values())).shape
        down, across = np.indices(shape)
        middle = -np.hypot(down - (shape[0] - 1) / 2, across - (shape[1] - 1) / 2)
        for name, cells in {**on_cells, "from the middle": middle, "random": source.random(shape)}.items():
            order = np.argsort(-cells.ravel(), kind="stable")
            found.setdefault(name, []).append(areas(question, order, (shape[0], shape[1]), base))
        done += 1
        if partly is not None:
            partly.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        if done == count:
            break
    return {name: _summary(np.asarray(rows), np.asarray(found["random"])) for name, rows in found.items()}


def _summary(areas: NDArray[np.float64], random: NDArray[np.float64]) -> dict[str, float]:
    error = areas.std(axis=0, ddof=1) / np.sqrt(len(areas))
    return {
        "films": len(areas), "deletion": round(float(areas[:, 0].mean()), 4), "deletion_error": round(float(error[0]), 4),
        "insertion": round(float(areas[:, 1].mean()), 4), "insertion_error": round(float(error[1]), 4),
        "deletion_odds": round(float(areas[:, 2].mean()), 3), "insertion_odds": round(float(areas[:, 3].mean()), 3),
        "better_deletion": round(float((areas[:, 2] < random[:, 2]).mean()), 3),
        "better_insertion": round(float((areas[:, 3] > random[:, 3]).mean()), 3),
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--films", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--split", default="val")
    parser.add_argument("--masks", type=int, default=1000)
    parser.add_argument("--variants", action="store_true", help="other patches and fills of occlusion, too")
    parser.add_argument("--json", type=Path, help="keeps both areas of each film, as far as it has come")
    args = parser.parse_args()
    card = read_card(Path(args.model)) if Path(args.model).is_dir() else choose_model(list_models()[0], args.model)
    table = measured(card, args.data, count=args.films, seed=args.seed, split=args.split, masks=args.masks, variants=args.variants, partly=args.json)
    films_of = next(iter(table.values()))["films"]
    print(f"{card.name} {card.version}, {films_of:.0f} films over the threshold (split {args.split}), seed {args.seed}, {args.masks} masks")
    print("| order of the cells | deletion: score | log-odds | insertion: score | log-odds | beats random: deletion | insertion |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, row in table.items():
        print(
            f"| {name} | {row['deletion']:.3f} ± {row['deletion_error']:.3f} | {row['deletion_odds']:.2f} "
            f"| {row['insertion']:.3f} ± {row['insertion_error']:.3f} | {row['insertion_odds']:.2f} "
            f"| {100 * row['better_deletion']:.0f} % | {100 * row['better_insertion']:.0f} % |"
        )


if __name__ == "__main__":
    main()
