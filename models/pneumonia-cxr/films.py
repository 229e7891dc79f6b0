"""Reading the training films and preparing them as the card says; numpy and Pillow only."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# What the host does to the values 0..255 before the graph: (value / 255 - MEAN) / STD.
MEAN, STD, SIDE = 0.5, 0.25, 224


@dataclass(frozen=True, slots=True)
class Films:
    """Films (N, 224, 224) uint8, labels (N,) int64 (1 = pneumonia), subtypes, patients and file names."""

    films: NDArray[np.uint8]
    labels: NDArray[np.int64]
    subtypes: NDArray[np.str_]
    patients: NDArray[np.str_]
    names: NDArray[np.str_]

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Films:
        return Films(self.films[chosen], self.labels[chosen], self.subtypes[chosen], self.patients[chosen], self.names[chosen])


def squeezed(picture: Image.Image) -> NDArray[np.float32]:
    """The whole film squeezed to 224x224, values 0..255: Pillow's antialiased bilinear; a film of that size stays as it is."""
    gray = picture if picture.mode in ("L", "F") else picture.convert("L")
    if gray.size != (SIDE, SIDE):
        gray = gray.convert("F").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(gray, np.float32)


def prepared(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values 0..255 (..., 224, 224) to the graph's input: the normalisation that the card describes."""
    return np.asarray((levels / np.float32(255) - np.float32(MEAN)) / np.float32(STD), np.float32)


def read_films(folder: Path) -> tuple[Films, NDArray[np.str_]]:
    """All films of the folder (`labels.csv`, zips named after the classes) and the side of `patient_split` each is on."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    pixels = np.empty((len(rows), SIDE, SIDE), np.uint8)
    boxes = {name: zipfile.ZipFile(folder / f"{name}.zip") for name in ("normal", "pneumonia")}
    for index, row in enumerate(rows):
        with Image.open(io.BytesIO(boxes[row["label"]].read(row["file"]))) as picture:
            pixels[index] = squeezed(picture).round()
    labels = np.array([row["label"] == "pneumonia" for row in rows], np.int64)
    subtypes, patients, names, sides = (np.array([row[k] or "normal" for row in rows]) for k in ("subtype", "patient", "file", "patient_split"))
    return Films(pixels, labels, subtypes, patients, names), sides


def blocks(films: Films, count: int = 3) -> NDArray[np.int64]:
    """The fold of each film: patients in the order of their numbers, cut into `count` blocks within each series of names.

    The official test films are the lowest numbers of each series, so neighbours in number are what a test does not have:
    holding out a whole block is nearer to it than holding out patients at random.
    """
    series = np.array([re.sub(r"[-\d]+$", "", patient) for patient in films.patients])
    number = np.array([int((re.findall(r"\d+", patient) or ["0"])[-1]) for patient in films.patients])
    fold = np.zeros(len(number), np.int64)
    for name in np.unique(series):
        here = np.flatnonzero(series == name)
        known = np.unique(number[here])
        fold[here] = np.searchsorted(known, number[here]) * count // len(known)
    return fold
