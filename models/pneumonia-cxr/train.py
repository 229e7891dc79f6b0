"""Train the 224-pixel pneumonia classifier, export it to ONNX and write its card.

    python models/pneumonia-cxr/train.py DATA OUT [--volumes FOLDER ...] [--epochs 7 8] [--seed 224] [--only N] [--card-only]

DATA is the folder of the films (`labels.csv`, `normal.zip`, `pneumonia.zip`); FOLDERs hold DICOM planes of CT, MR or PET which the
gate learns as strangers. OUT receives `member*.pt` after every epoch (a broken training goes on from there), `model.onnx` and
`card.toml`. `--only N` trains one member and stops: the members can be trained side by side in processes of their own. Needs the extra
`train`. Trained on `patient_split=train`; temperature, threshold and figures come from the patients held out.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import augment
import gating
import numpy as np
import onnxruntime
import torch
from films import MEAN, STD, Films, prepared, read_films
from graph import OPSET, Joined, export
from network import HEAD
from numpy.typing import NDArray
from strangers import MISPLACED, read_volumes, strangers
from training import GREAT, LITTLE, Member, train_member

sys.path.append(str(Path(__file__).resolve().parents[1]))
from figures import auc_of, figures, intervals, shifted, sigmoid

# One recipe a member: how strongly films are moved, and the share of batches with mix-up.
RECIPES = ({"strength": 1.2, "blend": 0.4}, {"strength": 1.2, "blend": 0.2})
SHOWN = 1200  # films, and twice as many strangers, that the gate is fitted on


def session_of(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def answers(session: onnxruntime.InferenceSession, films: NDArray[np.uint8], name: str) -> NDArray[np.float32]:
    """One output of the graph for films (N, 224, 224)."""
    parts = np.array_split(films, max(1, len(films) // 16))
    return np.concatenate([session.run([name], {"film": prepared(part[:, None].astype(np.float32))})[0] for part in parts])


def balanced_loss(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean log loss with both classes weighing the same."""
    each = np.logaddexp(0, np.where(labels == 1, -logits, logits))
    return float((each[labels == 1].mean() + each[labels == 0].mean()) / 2)


def fit_temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The temperature of least balanced loss."""
    options = np.exp(np.linspace(-np.log(4), np.log(4), 401))
    return round(float(min(options, key=lambda t: balanced_loss(logits / t, labels))), 4)


def pick_threshold(p: NDArray[np.float64], labels: NDArray[np.int64], films: int) -> float:
    """One half, unless another is better by more than one standard error of balanced accuracy over so many films."""

    def right(threshold: float) -> tuple[float, float]:
        each = (float((p[labels == 1] >= threshold).mean()), float((p[labels == 0] < threshold).mean()))
        shares = (float(labels.mean()), 1 - float(labels.mean()))
        return sum(each) / 2, sum(v * (1 - v) / (n * films) for v, n in zip(each, shares, strict=True)) ** 0.5 / 2

    best = max((round(float(t), 2) for t in np.arange(0.35, 0.66, 0.05)), key=lambda t: right(t)[0])
    at_half, error = right(0.5)
    return 0.5 if right(best)[0] <= at_half + error else best


def flagged_of(session: onnxruntime.InferenceSession, films: Films, seed: int) -> tuple[float, dict[str, float]]:
    """Share of films told as unfamiliar, and the share of each kind of misplaced film made of them."""
    source = np.random.default_rng(seed)
    some = films.films[source.permutation(len(films.films))[:120]]
    rates = {}
    for change in dict.fromkeys(MISPLACED):
        made = np.stack([np.clip(change(film.astype(np.float32) / 255, source), 0, 1) * 255 for film in some]).round().astype(np.uint8)
        rates[change.__name__] = round(float((answers(session, made, "unfamiliar") > 1).mean()), 4)
    return round(float((answers(session, films.films, "unfamiliar") > 1).mean()), 4), rates


def make_graph(members: list[Member], train: Films, tuned: Films, volumes: list[Path], out: Path, *, seed: int, threads: int) -> Joined:
    """Fit the gate on the training films and on strangers, and write the model."""
    bare = out / "bare.onnx"
    export(Joined(members, GREAT, None), bare)
    session = session_of(bare, threads)
    some = train.films[np.random.default_rng(seed).permutation(len(train.films))[:SHOWN]]
    strange, _ = strangers(train.films, 2 * SHOWN, volumes=read_volumes(volumes), seed=seed)
    gate = gating.fit_gate(lambda films: torch.from_numpy(answers(session, films, "unfamiliar")), some, strange, tuned.films, seed=seed)
    bare.unlink()
    net = Joined(members, GREAT, gate).eval()
    export(net, out / "model.onnx")
    return net


def judge(path: Path, held_out: Films, halves: NDArray[np.bool_], *, threads: int, seed: int, say: Callable[[str], None]) -> dict[str, object]:
    """Temperature, threshold and all figures of a written model on the held-out patients, as words of the card.

    Temperature and threshold come from one half of these patients, plain and three times changed: the plain films alone are far
    easier than any test. The figures are of all of them, and those of the other half alone beside them.
    """
    session = session_of(path, threads)
    plain = answers(session, held_out.films, "logit")[:, 0].astype(np.float64)
    hard = [answers(session, gating.lightly(held_out.films, seed=seed + n), "logit")[:, 0].astype(np.float64) for n in range(3)]
    first, labels = halves, held_out.labels
    many, truth = np.concatenate([z[first] for z in (plain, *hard)]), np.tile(labels[first], 4)
    temperature = fit_temperature(many, truth)
    threshold = pick_threshold(sigmoid(many / temperature), truth, int(first.sum()))
    p, all_p, all_labels = sigmoid(plain / temperature), sigmoid(np.concatenate([plain, *hard]) / temperature), np.tile(labels, 4)
    sets = {
        "val": (p, labels, held_out.patients),
        "second": (p[~first], labels[~first], held_out.patients[~first]),
        "changed": (all_p, all_labels, np.tile(held_out.patients, 4)),
    }
    words: dict[str, object] = {"temperature": temperature, "threshold": threshold}
    for name, (scores, truths, patients) in sets.items():
        values, spread = figures(scores, truths, threshold), intervals(scores, truths, threshold, groups=patients, seed=seed)
        words |= {f"{name}_{k}": round(v, 4) for k, v in values.items()} | {
            f"{name}_{k}_interval": [round(v, 4) for v in s] for k, s in spread.items()
        }
        say(f"{name}: {values}")
    edged = np.round(augment.frameless(torch.from_numpy(held_out.films)[:, None].float(), 0.06)[:, 0].numpy()).astype(np.uint8)
    rim = held_out.films.copy()
    rim[:, 14:-14, 14:-14] = 128
    for name, changed in (("borderless", edged), ("border_only", rim)):
        words[f"auc_{name}"] = round(auc_of(answers(session, changed, "logit")[:, 0].astype(np.float64), labels), 4)
    kept, rates = flagged_of(session, held_out[~first], seed)
    words |= {"held_out_flagged": kept, "strangers_flagged": round(float(np.mean(list(rates.values()))), 4)}
    words["calibrated"] = str(max(float(str(words[f"{name}_ece_shifted"])) for name in ("val", "second")) < 0.05).lower()
    say(f"temperature {temperature}, threshold {threshold}, flagged {kept}, misplaced {rates}")
    say(f"moved to the set's prevalence {shifted(p, float(labels.mean())).mean():.3f}, true {labels.mean():.3f}")
    return words


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("data", type=Path)
    reader.add_argument("out", type=Path)
    reader.add_argument("--volumes", type=Path, nargs="*", default=[])
    reader.add_argument("--epochs", type=int, nargs=2, default=(7, 8), metavar=("LITTLE", "GREAT"))
    reader.add_argument("--seed", type=int, default=224)
    reader.add_argument("--threads", type=int, default=2)
    reader.add_argument("--members", type=int, nargs="+", default=list(range(len(RECIPES))), help="which of the members are joined")
    reader.add_argument("--only", type=int, help="train this member and stop")
    reader.add_argument("--card-only", action="store_true", help="keep OUT/model.onnx and write the card again")
    asked = reader.parse_args()
    torch.set_num_threads(asked.threads)
    asked.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {text}", flush=True)

    films, sides = read_films(asked.data)
    train, held_out = films[sides == "train"], films[sides == "val"]
    # Every second patient of those held out tunes; the others are looked at afterwards.
    halves = np.isin(held_out.patients, np.unique(held_out.patients)[::2])
    say(f"{len(train.labels)} films to train on, {len(held_out.labels)} held out, {int(halves.sum())} of them to tune with")
    path = asked.out / "model.onnx"
    if not asked.card_only:
        members = []
        for number in asked.members if asked.only is None else [asked.only]:
            say(f"member {number}")
            kept = asked.out / f"member{number}.pt"
            epochs = (asked.epochs[0], asked.epochs[1])
            members.append(train_member(train, seed=asked.seed + number, epochs=epochs, **RECIPES[number], kept=kept, say=say))
        if asked.only is not None:
            return
        make_graph(members, train, held_out[halves], asked.volumes, asked.out, seed=asked.seed, threads=asked.threads)
    words = judge(path, held_out, halves, threads=asked.threads, seed=asked.seed, say=say)
    words |= {"mean": MEAN, "std": STD, "opset": OPSET, "seed": asked.seed, "epochs": sum(asked.epochs), "little": LITTLE, "great": GREAT}
    words |= {"members": len(asked.members), "channels": HEAD * len(asked.members), "places": GREAT // 32}
    words |= {"train_films": len(train.labels), "train_patients": len(set(train.patients)), "val_films": len(held_out.labels)}
    words |= {"val_patients": len(set(held_out.patients)), "val_prevalence": round(float(held_out.labels.mean()), 4)}
    words |= {"second_films": int((~halves).sum()), "second_patients": len(set(held_out.patients[~halves]))}
    words["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    template = (Path(__file__).parent / "card.template.toml").read_text(encoding="utf-8")
    (asked.out / "card.toml").write_text(template.format(**words), encoding="utf-8")
    say(f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
