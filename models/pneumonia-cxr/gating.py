"""Fitting the `unfamiliar` output: distance from the training films, and a small network trained on made-up strangers."""

from __future__ import annotations

from collections.abc import Callable

import augment
import numpy as np
import torch
import torch.nn.functional as F
from graph import Gate
from numpy.typing import NDArray
from torch import Tensor

KEPT = 64  # axes along which distance is measured
STEPS, BATCH, JITTER = 1500, 64, 0.2
FAR, ODD = 0.999, 0.995  # shares of films that distance and judge leave below the threshold

See = Callable[[NDArray[np.uint8]], Tensor]
"""What the gate sees (N, numbers) of pictures (N, 224, 224)."""


def lightly(films: NDArray[np.uint8], *, seed: int) -> NDArray[np.uint8]:
    """Films (N, 224, 224) as others might have made them: little moved, other tones and sharpness."""
    source, out = torch.Generator().manual_seed(seed), []
    for part in torch.from_numpy(films)[:, None].split(64):
        x = part.float() / 255
        moved = augment.turned(x, source, side=x.shape[-1], strength=0.5)
        toned = torch.where(augment.chance(len(x), 0.5, source), augment.toned(moved, source), moved)
        soft = torch.where(augment.chance(len(x), 0.5, source), augment.softened(toned, source), toned)
        out.append((augment.recompressed(soft, source) * 255).round().to(torch.uint8)[:, 0])
    return torch.cat(out).numpy()


def fit_gate(see: See, films: NDArray[np.uint8], strange: NDArray[np.uint8], held_out: NDArray[np.uint8], *, seed: int) -> Gate:
    """A gate whose judge tells films, plain and lightly changed, from `strange`; the threshold 1 is set on the films `held_out`."""
    torch.manual_seed(seed)
    own, other = torch.cat([see(films), see(lightly(films, seed=seed))]), see(strange)
    gate = Gate(own.shape[1], KEPT)
    gate.middle.copy_(own.mean(0, keepdim=True))
    spread = own.std(0, keepdim=True)
    gate.spread.copy_(spread + 1e-3 * spread.mean())
    near, far = (((part - gate.middle) / gate.spread).clamp(-8, 8) for part in (own, other))
    _, lengths, directions = torch.pca_lowrank(near, q=KEPT)
    gate.axes.copy_(directions / (lengths / len(near) ** 0.5))
    optimiser = torch.optim.AdamW(gate.judge.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=STEPS)
    labels = torch.cat([torch.full((BATCH,), 0.01), torch.full((BATCH,), 0.99)])
    for _ in range(STEPS):
        x = torch.cat([part[torch.randint(len(part), (BATCH,))] for part in (near, far)])
        loss = F.binary_cross_entropy_with_logits(gate.judge(x + JITTER * torch.randn_like(x))[:, 0], labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    gate.eval()
    with torch.no_grad():
        parts = gate.parts(torch.cat([see(held_out), see(lightly(held_out, seed=seed + 1))]))
        gate.scale[0].copy_(parts.median(0).values)
        gate.scale[1, 0], gate.scale[1, 1] = torch.quantile(parts[:, 0], FAR), torch.quantile(parts[:, 1], ODD)
    return gate
