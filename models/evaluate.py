"""How well a binary model does on labelled pictures, fed by the program's own reader and its own preparation.

    python models/evaluate.py MODEL DATA [--split COLUMN=VALUE] [--positive LABEL] [--json]

MODEL is the name of an installed model or a model's folder. DATA is a folder with `labels.csv` (columns file and label; the files beside
it or in zip archives beside it), that `labels.csv` itself, or a `pneumoniamnist.npz` (its `test` films, or those of `--split split=val`).
Prints AUC, accuracy, sensitivity, specificity and calibration errors with 95 % bootstrap intervals, by patient where there is a column
`patient`.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from figures import figures, intervals
from numpy.typing import NDArray

from plugins.classify.classify import classified
from viewer.api.models import ModelCard, choose_model, list_models
from viewer.core.errors import NegatoscopeError
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.io.open import find, load
from viewer.jobs.pool import Pool
from viewer.session.apply import Scope, image_of
from viewer.session.models import read_card

# What a label that is not the positive class may be called where `--positive` is not given.
NEGATIVE = ("no finding", "no pneumonia", "normal", "negative", "healthy", "0", "false", "no")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `labels.csv`."""

    file: str
    label: str
    patient: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Probabilities of the positive class, labels (1 = positive), patients (where unknown each film its own), strangeness (nan: not told)."""

    p: NDArray[np.float64]
    labels: NDArray[np.int64]
    patients: NDArray[np.str_]
    strange: NDArray[np.float64]
    are_patients_known: bool
    """Whether the table tells any patient."""


def card_of(model: str) -> ModelCard:
    """A card by the folder it lies in, or by the name of an installed model."""
    folder = Path(model)
    return read_card(folder.resolve()) if (folder / "card.toml").is_file() else choose_model(list_models()[0], model)


def rows_of(table: Path, wanted: list[str]) -> list[Row]:
    """The lines of a table that have the wanted values (`COLUMN=VALUE`)."""
    with table.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        columns = reader.fieldnames or []
        pairs = [(name, value) for name, _, value in (part.partition("=") for part in wanted)]
        missing = [name for name in ("file", "label", *(name for name, _ in pairs)) if name not in columns]
        if missing:
            raise SystemExit(f"{table} has no column {missing[0]!r}; it has {', '.join(columns)}.")
        return [Row(r["file"], r["label"].strip(), r.get("patient") or "") for r in reader if all(r[name] == value for name, value in pairs)]


def is_positive(label: str, positive: str) -> bool:
    """Whether a label is the class that is looked for; without a name, everything that does not say "normal"."""
    plain = label.strip().casefold().replace("_", " ")
    return plain == positive.strip().casefold().replace("_", " ") if positive else plain not in NEGATIVE


class Pictures:
    """Files beside a table, or in zip archives beside it, as images that the program's reader has read."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder, self.scratch, self.pool = folder, scratch, Pool(inline=True)
        self.inside = {name: box for path in sorted(folder.glob("*.zip")) for box in [zipfile.ZipFile(path)] for name in box.namelist()}

    def path(self, file: str) -> Path:
        parts = PurePosixPath(file)
        if parts.is_absolute() or ".." in parts.parts:
            raise SystemExit(f"The table names {file}, which lies outside of {self.folder}.")
        beside = self.folder / parts
        if beside.is_file():
            return beside
        box = self.inside.get(file)
        if box is None:
            raise SystemExit(f"The table names {file}; it is neither in {self.folder} nor in a zip archive there.")
        unpacked = self.scratch / parts.name
        unpacked.write_bytes(box.read(file))
        return unpacked

    def image(self, file: str) -> Image:
        path = self.path(file)
        listing = find([path])
        if not listing.series:
            raise SystemExit(f"{file} cannot be read: {listing.refused[0].reason if listing.refused else 'it is no image'}")
        volume = load(listing.series[0], pool=self.pool)
        if path.parent == self.scratch:
            path.unlink()
        return image_of(volume, Scope())


def films_of_box(path: Path, split: str) -> Iterator[tuple[Image, Row]]:
    """A split of `pneumoniamnist.npz`, all films as one image of many planes would lose their own percentiles: one by one."""
    with np.load(path) as box:
        films, labels = box[f"{split}_images"], box[f"{split}_labels"].ravel()
    for film, label in zip(films, labels, strict=True):
        frame = Geometry((1, *film.shape), is_patient=False, in_plane_known=False)
        yield Image(film[None], frame, range=(float(film.min()), float(film.max()))), Row("", "pneumonia" if label else "normal", "")


def images_of(data: Path, wanted: list[str], scratch: Path) -> Iterator[tuple[Image, Row]]:
    """Every image of a data set with its line."""
    if data.is_dir() and not (data / "labels.csv").is_file() and (data / "pneumoniamnist.npz").is_file():
        data = data / "pneumoniamnist.npz"
    if data.suffix == ".npz":
        yield from films_of_box(data, dict(part.split("=", 1) for part in wanted).get("split", "test"))
        return
    table = data / "labels.csv" if data.is_dir() else data
    if not table.is_file():
        raise SystemExit(f"{data} holds no labels.csv.")
    pictures = Pictures(table.parent, scratch)
    for row in rows_of(table, wanted):
        yield pictures.image(row.file), row


def ask(card: ModelCard, data: Path, *, wanted: list[str], positive: str) -> Asked:
    """The model's probability of its positive class for every image; an image of several planes counts with its largest."""
    found: list[tuple[float, int, str, float]] = []
    are_known = False
    with tempfile.TemporaryDirectory() as scratch:
        for number, (image, row) in enumerate(images_of(data, wanted, Path(scratch))):
            verdicts = classified(card, image).items
            best = max(verdicts, key=lambda verdict: dict(verdict.scores)[card.positive])
            strange = float("nan") if best.strangeness is None else best.strangeness
            patient, are_known = row.patient or f"film {number}", are_known or bool(row.patient)
            found.append((dict(best.scores)[card.positive], int(is_positive(row.label, positive)), patient, strange))
    if not found:
        raise SystemExit("No line of the table is left to be evaluated.")
    p, labels, patients, strange = zip(*found, strict=True)
    return Asked(np.array(p, np.float64), np.array(labels, np.int64), np.array(patients), np.array(strange, np.float64), are_known)


def report(card: ModelCard, asked: Asked, *, threshold: float, times: int, seed: int) -> dict[str, object]:
    """All that is printed, as one mapping."""
    assumed = card.output.prevalence or 0.5
    values = figures(asked.p, asked.labels, threshold, assumed=assumed)
    spread = intervals(asked.p, asked.labels, threshold, groups=asked.patients, assumed=assumed, times=times, seed=seed)
    limit = card.familiarity.threshold if card.familiarity.kind else None
    told = np.isfinite(asked.strange) | np.isinf(asked.strange)
    flagged = None if limit is None or not told.any() else float((asked.strange[told] > limit).mean())
    return {
        "model": card.name,
        "version": card.version,
        "sha256": card.sha256,
        "films": len(asked.p),
        "positive": int(asked.labels.sum()),
        "patients": len(set(asked.patients.tolist())) if asked.are_patients_known else None,
        "prevalence": float(asked.labels.mean()),
        "assumed_prevalence": assumed,
        "threshold": threshold,
        "unfamiliar": flagged,
        "figures": {name: {"value": value, "interval": list(spread[name])} for name, value in values.items()},
    }


def printed(found: dict[str, object], told: dict[str, dict[str, list[float] | float]]) -> str:
    """The report as a table for people."""
    of = f" of {found['patients']} patients" if found["patients"] is not None else ", their patients not known"
    seen = f"{found['films']} films{of}, {found['positive']} positive"
    lines = [f"{found['model']} {found['version']}: {seen}; threshold {found['threshold']}", f"{'':<34}{'value':>8}   95 % interval"]
    words = {
        "auc": "AUC", "accuracy": "accuracy", "sensitivity": "sensitivity", "specificity": "specificity",
        "ece": "calibration error (ECE), as given", "ece_shifted": "ECE, moved to this prevalence", "brier": "Brier score, as given",
        "brier_shifted": "Brier score, moved",
    }  # fmt: skip
    for name, word in words.items():
        low, high = told[name]["interval"]  # type: ignore[misc]
        lines.append(f"{word:<34}{told[name]['value']:>8.4f}   {low:.4f} to {high:.4f}")
    if found["unfamiliar"] is not None:
        lines.append(f"{'told as unfamiliar':<34}{found['unfamiliar']:>8.4f}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("model", help="name of an installed model, or a model's folder")
    reader.add_argument("data", type=Path, help="folder with labels.csv, the table itself, or pneumoniamnist.npz")
    reader.add_argument("--split", action="append", default=[], metavar="COLUMN=VALUE", help="only these lines; may be given several times")
    reader.add_argument("--positive", default="", metavar="LABEL", help="the label of the class that is looked for")
    reader.add_argument("--threshold", type=float, help="instead of the card's")
    reader.add_argument("--bootstrap", type=int, default=2000, metavar="N", help="draws for the intervals")
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--json", action="store_true", help="print one JSON object")
    asked = reader.parse_args(arguments)
    if any("=" not in part for part in asked.split):
        reader.error("--split takes COLUMN=VALUE")
    try:
        card = card_of(asked.model)
        if card.task != "binary" or not card.positive:
            raise SystemExit(f"{card.name} is no binary model with a positive class; these figures are for such models only.")
        answers = ask(card, asked.data, wanted=asked.split, positive=asked.positive)
    except NegatoscopeError as err:
        raise SystemExit(str(err)) from err
    threshold = asked.threshold if asked.threshold is not None else (card.threshold if card.threshold is not None else 0.5)
    found = report(card, answers, threshold=threshold, times=asked.bootstrap, seed=asked.seed)
    sys.stdout.write(json.dumps(found, indent=1) + "\n" if asked.json else printed(found, found["figures"]) + "\n")  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main())
