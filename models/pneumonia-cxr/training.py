"""Training one member of the classifier: EfficientNet-Lite0 from ImageNet weights, on balanced batches of strongly changed films."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import augment
import numpy as np
import torch
import torch.nn.functional as F
from films import Films
from network import HEAD, Lite, imagenet
from torch import Tensor, nn

BATCH, RATE, DECAY, SMOOTHING = 32, 6e-4, 0.02, 0.03
FLOOR = 0.02  # added to each film's own spread, so that an empty film does not divide by zero
INSET = 10  # a tenth of each side is left out where a film's mean and spread are measured: collimation and markers lie there
PLANNED, FALL = 18, 3  # epochs of the one cycle of the learning rate, and of its fall to nothing, in a straight line, at the end
LITTLE, GREAT = 160, 192  # pixels a side in the first part of the training, and in the second and in the graph


def leveled(x: Tensor) -> Tensor:
    """Films put on the mean and spread of their own inside: exposure tells the label in this set and nowhere else."""
    edge = x.shape[-1] // INSET
    inside = x[..., edge:-edge, edge:-edge]
    mean = inside.mean((2, 3), keepdim=True)
    spread = ((inside - mean) ** 2).mean((2, 3), keepdim=True).sqrt()
    return (x - mean) / (spread + FLOOR) / 2


class Member(nn.Module):
    """Films (N, 1, H, W) on 0..1 to logits (N,)."""

    def __init__(self, body: Lite) -> None:
        super().__init__()
        self.body, self.drop, self.classifier = body, nn.Dropout(0.3), nn.Linear(HEAD, 1)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(self.drop(self.body(leveled(x)).mean((2, 3))))
        return out[:, 0]


def gray(body: Lite) -> Lite:
    """The same network for one channel: three equal channels through the first layer are one through the sum of its weights."""
    old = body.stem.conv
    new = nn.Conv2d(1, old.out_channels, old.kernel_size, old.stride, bias=False)  # type: ignore[arg-type]
    new.weight.data.copy_(old.weight.data.sum(1, keepdim=True))
    body.stem.conv = new
    return body


def epoch_of(films: Films, source: np.random.Generator) -> np.ndarray:
    """Every normal once, as many bacterial as viral pneumonias, others each time: batches (steps, BATCH) of half of each class."""
    well = source.permutation(np.flatnonzero(films.labels == 0))
    steps = 2 * len(well) // BATCH
    kinds = [np.flatnonzero(films.subtypes == kind) for kind in ("bacteria", "virus")]
    ill = source.permutation(np.concatenate([source.permutation(kind)[: (len(well) + 1) // 2] for kind in kinds]))
    side = steps * BATCH // 2
    return np.concatenate([part[:side].reshape(steps, -1) for part in (ill, well)], axis=1)


def follow(mean: Member, member: Member, step: int) -> None:
    """Bring the running mean of the weights on by a step; it begins short and ends at 200 steps."""
    with torch.no_grad():
        for average, value in zip(mean.state_dict().values(), member.state_dict().values(), strict=True):
            if average.is_floating_point():
                average.lerp_(value, 1 - min(0.995, (1 + step) / (10 + step)))
            else:
                average.copy_(value)


def train_member(
    films: Films, *, seed: int, epochs: tuple[int, int], strength: float, blend: float, kept: Path, say: Callable[[str], None]
) -> Member:
    """The running mean of the weights after `epochs` at the little and at the great size; goes on from `kept` if that is there.

    `strength` scales turns, shifts and zoom; `blend` is the share of batches with mix-up. AdamW, clipped gradients; the learning rate
    follows a cycle of `PLANNED` epochs that is left for a straight fall `FALL` epochs before the end.
    """
    torch.manual_seed(seed)
    member = Member(gray(imagenet(0))).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = copy.deepcopy(member)
    pixels, labels = torch.from_numpy(films.films)[:, None], torch.from_numpy(films.labels).float()
    steps, total = 2 * int((films.labels == 0).sum()) // BATCH, sum(epochs)
    groups = [{"params": member.body.parameters(), "lr": RATE}, {"params": member.classifier.parameters(), "lr": 5 * RATE}]
    optimiser = torch.optim.AdamW(groups, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [RATE, 5 * RATE], total_steps=PLANNED * steps, pct_start=0.1, div_factor=20, final_div_factor=20
    )
    parts = {"member": member, "mean": mean, "optimiser": optimiser, "schedule": schedule}
    first = 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        first = int(state.pop("epoch"))
        for name, part in parts.items():
            part.load_state_dict(state[name])
    for epoch in range(first, total):
        # Seeded by epoch, so that a training that was broken off goes on as it would have.
        torch.manual_seed(seed * 1000 + epoch)
        source, numbers = torch.Generator().manual_seed(seed * 1000 + epoch), np.random.default_rng((seed, epoch))
        member.train()
        losses = []
        for step, chosen in enumerate(epoch_of(films, numbers)):
            x = augment.augmented(pixels[chosen].float() / 255, source, side=LITTLE if epoch < epochs[0] else GREAT, strength=strength)
            y = labels[chosen] * (1 - 2 * SMOOTHING) + SMOOTHING
            if numbers.random() < blend:
                x, y = augment.mixed(x, y, source)
            loss = F.binary_cross_entropy_with_logits(member(x.contiguous(memory_format=torch.channels_last)), y)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(member.parameters(), 2.0)
            optimiser.step()
            done = epoch * steps + step
            if epoch < total - FALL:
                schedule.step()
            else:
                left = 1 - (done + 1 - (total - FALL) * steps) / (FALL * steps)
                for group, rate in zip(optimiser.param_groups, schedule.get_last_lr(), strict=True):
                    group["lr"] = rate * left
            losses.append(loss.item())
            follow(mean, member, done)
        say(f"  epoch {epoch + 1} of {total}: loss {np.mean(losses):.4f}")
        torch.save({name: part.state_dict() for name, part in parts.items()} | {"epoch": epoch + 1}, kept.with_suffix(".new"))
        kept.with_suffix(".new").replace(kept)
    return mean.eval()
