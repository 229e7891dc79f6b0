"""Cross-validate one recipe of training on a third of the patients that it has not seen: the table of trials in README.md.

    python models/pneumonia-cxr/trials.py DATA OUT "all changes" --third 0 [--threads 2]

DATA is the folder of the films, as for `train.py`. Held out is a third of the patients (`films.blocks`; 0 has the lowest numbers), of
whose films 700 are drawn. OUT receives `<recipe>-<third>.pt`, the weights, and `.json`, the figures. A recipe that learns from others
(`teachers`) needs theirs there first. Needs the extra `train`; three to eight minutes on one core.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import augment
import numpy as np
import torch
import torch.nn.functional as F
from films import Films, blocks, read_films
from network import HEAD, imagenet
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from training import BATCH, DECAY, RATE, SMOOTHING, Member, follow, gray, leveled

sys.path.append(str(Path(__file__).resolve().parents[1]))
from figures import auc_of


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a trial does otherwise than the first: `changes` are all, or moves alone; `looks` counts epochs of learning without labels."""

    changes: str = "all"
    strength: float = 1.0
    is_leveled: bool = True
    blend: float = 0.5
    rate: float = RATE
    member: int = 0
    epochs: int = 5
    sides: tuple[int, ...] = (160,)
    looks: int = 0
    teachers: tuple[str, ...] = ()


RECIPES = {
    "all changes": Recipe(),
    "turns and zoom only": Recipe(changes="moves"),
    "exposure not levelled": Recipe(is_leveled=False),
    "no mix-up": Recipe(blend=0),
    "stronger moves": Recipe(strength=1.5),
    "a third of the learning rate": Recipe(rate=2e-4),
    "EfficientNet-Lite2": Recipe(member=2, epochs=4),
    "160, then 224 pixels": Recipe(sides=(160, 224), epochs=4),
    "pre-trained without labels": Recipe(looks=2),
    "distilled from three": Recipe(teachers=("all changes", "no mix-up", "stronger moves")),
}
HELD_OUT = 700
LOOK_SIDE, LOOK_BATCH, LOOK_WIDTH, SHARPNESS = 128, 48, 64, 0.2

# Eight changes of held-out films (N, 1, 224, 224) on 0..1.
CHANGES: dict[str, Callable[[Tensor, Generator], Tensor]] = {
    "blur": lambda x, _: augment.blurred(x, 1.6),
    "sharpening": lambda x, _: (x + (x - augment.blurred(x, 1.2))).clamp(0, 1),
    "tones": lambda x, source: augment.toned(x, source).clamp(0, 1),
    "frame": lambda x, _: augment.frameless(x, 0.08),
    "JPEG": lambda x, source: augment.recompressed(x.clone(), source, share=1.0),
    "coarse": lambda x, _: F.interpolate(augment.resized(x, 80), (224, 224), mode="bilinear", align_corners=False),
    "noise": lambda x, source: (x + torch.randn(x.shape, generator=source) * 0.05).clamp(0, 1),
    "moves": lambda x, source: augment.turned(x, source, side=224),
}


class Unleveled(Member):
    """A member that sees the exposure as it is."""

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(self.drop(self.body((x - 0.5) * 2).mean((2, 3))))
        return out[:, 0]


def fresh(recipe: Recipe) -> Member:
    """A member from ImageNet weights, for one channel."""
    member = (Member if recipe.is_leveled else Unleveled)(imagenet(recipe.member))
    gray(member.body)
    return member.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def drawn(films: Films, source: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Batches of an epoch as `training.epoch_of` has them, but drawn in the order in which the trials of the table were."""
    well = np.flatnonzero(films.labels == 0)
    kinds = [source.permutation(np.flatnonzero(films.subtypes == kind))[: len(well) // 2] for kind in ("bacteria", "virus")]
    ill, well, half = source.permutation(np.concatenate(kinds)), source.permutation(well), BATCH // 2
    for step in range(2 * len(well) // BATCH):
        part = slice(step * half, (step + 1) * half)
        yield np.concatenate([ill[part], well[part]])


def look(member: Member, pixels: Tensor, *, epochs: int, seed: int) -> None:
    """Learn without labels: two views of a film lie nearer to each other than to those of other films (Chen et al. 2020, SimCLR)."""
    source, numbers = Generator().manual_seed(seed), np.random.default_rng(seed)
    onto = nn.Sequential(nn.Linear(HEAD, 256), nn.ReLU(), nn.Linear(256, LOOK_WIDTH))
    optimiser = torch.optim.AdamW([*member.body.parameters(), *onto.parameters()], lr=RATE / 2, weight_decay=DECAY)
    steps = len(pixels) // LOOK_BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE / 2, total_steps=epochs * steps + 1, pct_start=0.1)
    itself = torch.eye(2 * LOOK_BATCH, dtype=torch.bool)
    partner = torch.arange(2 * LOOK_BATCH).roll(LOOK_BATCH)
    member.train()
    for _ in range(epochs):
        for chosen in numbers.permutation(len(pixels))[: steps * LOOK_BATCH].reshape(steps, -1):
            films = pixels[chosen].float() / 255
            views = torch.cat([augment.augmented(films, source, side=LOOK_SIDE) for _ in range(2)])
            maps = member.body(leveled(views.contiguous(memory_format=torch.channels_last)))
            lying = F.normalize(onto(maps.mean((2, 3))), dim=1)
            loss = F.cross_entropy((lying @ lying.T / SHARPNESS).masked_fill(itself, -1e9), partner)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        print(f"  without labels: loss {loss.item():.3f}", flush=True)


def train(films: Films, recipe: Recipe, teachers: list[Member], *, seed: int) -> Member:
    """The running mean of the weights."""
    torch.manual_seed(seed)
    source, numbers = Generator().manual_seed(seed), np.random.default_rng(seed)
    member = fresh(recipe)
    pixels, labels = torch.from_numpy(films.films)[:, None], torch.from_numpy(films.labels).float()
    if recipe.looks:
        look(member, pixels, epochs=recipe.looks, seed=seed)
    mean, rates = copy.deepcopy(member), [recipe.rate, 5 * recipe.rate]
    groups = [{"params": part.parameters(), "lr": rate} for part, rate in zip((member.body, member.classifier), rates, strict=True)]
    optimiser = torch.optim.AdamW(groups, weight_decay=DECAY)
    total = recipe.epochs * (2 * int((films.labels == 0).sum()) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=total + 1, pct_start=0.1, div_factor=20, final_div_factor=20)
    done = 0
    for epoch in range(recipe.epochs):
        side = recipe.sides[epoch * len(recipe.sides) // recipe.epochs]
        member.train()
        losses = []
        for chosen in drawn(films, numbers):
            change = augment.augmented if recipe.changes == "all" else augment.turned
            x = change(pixels[chosen].float() / 255, source, side=side, strength=recipe.strength)
            y = labels[chosen] * (1 - 2 * SMOOTHING) + SMOOTHING
            if recipe.blend and numbers.random() < recipe.blend:
                x, y = augment.mixed(x, y, source)
            x = x.contiguous(memory_format=torch.channels_last)
            if teachers:
                with torch.no_grad():
                    y = (y + torch.stack([teacher(x) for teacher in teachers]).mean(0).sigmoid()) / 2
            loss = F.binary_cross_entropy_with_logits(member(x), y)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(member.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            done += 1
            losses.append(loss.item())
            follow(mean, member, done)
        print(f"  epoch {epoch + 1} of {recipe.epochs}: loss {np.mean(losses):.4f}", flush=True)
    return mean.eval()


def logits(member: Member, films: Tensor, *, side: int, is_mirrored: bool) -> NDArray[np.float64]:
    """(N,); the mean over each film and its mirror image if asked for."""
    parts = []
    with torch.no_grad():
        for some in films.split(64):
            x = augment.resized(some, side).contiguous(memory_format=torch.channels_last)
            parts.append((member(x) + member(x.flip(3))) / 2 if is_mirrored else member(x))
    return torch.cat(parts).numpy().astype(np.float64)


def judged(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, float]:
    """At the threshold of one half, fixed beforehand."""
    found = scores > 0
    rows = {"auc": auc_of(scores, labels), "accuracy": (found == labels).mean()}
    rows |= {"sensitivity": found[labels == 1].mean(), "specificity": (~found[labels == 0]).mean()}
    return {name: round(float(value), 4) for name, value in rows.items()}


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("data", type=Path)
    reader.add_argument("out", type=Path)
    reader.add_argument("recipe", choices=RECIPES)
    reader.add_argument("--third", type=int, choices=(0, 1, 2), default=0)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--threads", type=int, default=2)
    asked = reader.parse_args()
    torch.set_num_threads(asked.threads)
    recipe = RECIPES[asked.recipe]
    all_films, sides = read_films(asked.data)
    usable, third = sides == "train", blocks(all_films)
    trained, held = all_films[usable & (third != asked.third)], all_films[usable & (third == asked.third)]
    held = held[np.sort(np.random.default_rng(0).permutation(len(held.labels))[:HELD_OUT])]
    asked.out.mkdir(parents=True, exist_ok=True)
    teachers = []
    for name in recipe.teachers:
        teacher = fresh(RECIPES[name])
        teacher.load_state_dict(torch.load(asked.out / f"{name}-{asked.third}.pt", weights_only=True))
        teachers.append(teacher.eval())
    member = train(trained, recipe, teachers, seed=asked.seed)
    films = torch.from_numpy(held.films)[:, None].float() / 255
    rows = {"plain": judged(logits(member, films, side=recipe.sides[-1], is_mirrored=True), held.labels)}
    for name, change in CHANGES.items():
        changed = change(films, Generator().manual_seed(5))
        rows[name] = judged(logits(member, changed, side=recipe.sides[-1], is_mirrored=False), held.labels)
    means = {key: round(float(np.mean([rows[name][key] for name in CHANGES])), 4) for key in rows["plain"]}
    rows |= {"changed, mean": means, "changed, worst": {key: min(rows[name][key] for name in CHANGES) for key in means}}
    target = asked.out / f"{asked.recipe}-{asked.third}"
    torch.save(member.state_dict(), target.with_suffix(".pt"))
    target.with_suffix(".json").write_text(json.dumps({"trained": len(trained.labels), "held_out": len(held.labels), **rows}, indent=1) + "\n")
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
