"""Changes at random that leave a film's diagnosis as it is: against what tells the label here and nowhere else.

All take and give films (N, 1, H, W) float32 on 0..1 and draw from the generator given.
"""

from __future__ import annotations

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor


def uniform(n: int, low: float, high: float, source: Generator) -> Tensor:
    """(n, 1, 1, 1)."""
    return (torch.rand(n, generator=source) * (high - low) + low).reshape(n, 1, 1, 1)


def chance(n: int, share: float, source: Generator) -> Tensor:
    return (torch.rand(n, generator=source) < share).reshape(n, 1, 1, 1)


def resized(x: Tensor, side: int) -> Tensor:
    """Antialiased."""
    return x if x.shape[-1] == side else F.interpolate(x, (side, side), mode="bilinear", antialias=True, align_corners=False)


def turned(x: Tensor, source: Generator, *, side: int, strength: float = 1.0) -> Tensor:
    """Turns, shifts, zoom, aspect and mirroring, then the size asked for; the border is filled by reflection.

    Black corners look like "normal" here. One film in four only changes size.
    """
    n = len(x)
    angle, across, down = (uniform(n, -a, a, source).flatten() * strength for a in (0.21, 0.16, 0.16))
    zoom, aspect = (uniform(n, -0.25, 0.15, source).flatten() * strength).exp(), uniform(n, -0.12, 0.12, source).flatten() * strength
    wide, high = zoom * (1 + aspect), zoom * (1 - aspect)
    mirrored = torch.where(chance(n, 0.5, source).flatten(), -1.0, 1.0)
    rows = torch.stack([angle.cos() * wide * mirrored, -angle.sin() * high, across, angle.sin() * wide * mirrored, angle.cos() * high, down], 1)
    grid = F.affine_grid(rows.reshape(n, 2, 3), [n, 1, side, side], align_corners=False)
    moved = F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    plain = resized(x, side)
    plain = torch.where(mirrored.reshape(n, 1, 1, 1) < 0, plain.flip(3), plain)
    return torch.where(chance(n, 0.25, source), plain, moved)


def blurred(x: Tensor, sigma: float) -> Tensor:
    reach = max(1, round(2.5 * sigma))
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    line = line / line.sum()
    x = F.conv2d(F.pad(x, (reach, reach, 0, 0), mode="reflect"), line.reshape(1, 1, 1, -1))
    return F.conv2d(F.pad(x, (0, 0, reach, reach), mode="reflect"), line.reshape(1, 1, -1, 1))


def equalised(x: Tensor) -> Tensor:
    """Each film's grey levels spread evenly (by their ranks on a small copy)."""
    small = F.interpolate(x, (48, 48), mode="area").flatten(1).sort(1).values.contiguous()
    ranks = torch.searchsorted(small, x.flatten(1).contiguous())
    return (ranks.float() / small.shape[1]).reshape(x.shape)


def toned(x: Tensor, source: Generator) -> Tensor:
    """Gamma, contrast, brightness, slopes of light, flattening of broad shades, equalisation."""
    n = len(x)
    x = x.clamp(0, 1)
    x = torch.where(chance(n, 0.15, source), torch.lerp(x, equalised(x), uniform(n, 0.3, 1, source)), x)
    broad = blurred(F.interpolate(x, (28, 28), mode="area"), 3.0)
    broad = F.interpolate(broad, x.shape[-2:], mode="bilinear", align_corners=False)
    local = torch.where(chance(n, 0.35, source), uniform(n, -0.3, 0.6, source), torch.zeros(n, 1, 1, 1))
    x = (x - local * (broad - broad.mean((2, 3), keepdim=True))).clamp(0, 1)
    x = x ** uniform(n, -0.5, 0.5, source).exp()
    x = (x - 0.5) * uniform(n, -0.4, 0.4, source).exp() + 0.5 + uniform(n, -0.15, 0.15, source)
    ramp = torch.linspace(-1, 1, x.shape[-1])
    return x + uniform(n, -0.1, 0.1, source) * ramp + uniform(n, -0.1, 0.1, source) * ramp[:, None]


def softened(x: Tensor, source: Generator) -> Tensor:
    """Blur or sharpening, coarser sampling, noise: sharpness alone tells the label in this set."""
    n = len(x)
    soft = blurred(x, float(torch.rand(1, generator=source)) * 1.2 + 0.4)
    x = x + torch.where(chance(n, 0.6, source), uniform(n, -1, 1, source), torch.zeros(n, 1, 1, 1)) * (soft - x)
    side = int(x.shape[-1] * (0.35 + 0.6 * float(torch.rand(1, generator=source))))
    coarse = F.interpolate(resized(x, side), x.shape[-2:], mode="bilinear", align_corners=False)
    x = torch.where(chance(n, 0.2, source), coarse, x)
    return x + torch.randn(x.shape, generator=source) * uniform(n, 0, 0.05, source) * chance(n, 0.6, source)


def recompressed(x: Tensor, source: Generator, *, share: float = 0.25) -> Tensor:
    """Some films through JPEG of quality 25 to 90."""
    x = x.clamp(0, 1)
    levels = (x[:, 0] * 255).round().to(torch.uint8).numpy()
    for index in torch.nonzero(chance(len(x), share, source).flatten()).flatten().tolist():
        box = io.BytesIO()
        Image.fromarray(levels[index]).save(box, "JPEG", quality=int(25 + 65 * float(torch.rand(1, generator=source))))
        with Image.open(box) as back:
            x[index, 0] = torch.from_numpy(np.array(back)).float() / 255
    return x


def hidden(x: Tensor, source: Generator) -> Tensor:
    """Frames of half of the films are blanked or replaced by a mirror image, corners and boxes blanked (markers, collimation)."""
    n, _, high, wide = x.shape
    row, column = torch.arange(high).reshape(1, 1, -1, 1), torch.arange(wide).reshape(1, 1, 1, -1)
    edges = [torch.where(chance(n, 0.5, source), uniform(n, 0, 0.11, source) * high, torch.zeros(n, 1, 1, 1)) for _ in range(4)]
    gone = (row < edges[0]) | (row >= high - edges[1]) | (column < edges[2]) | (column >= wide - edges[3])
    gone &= chance(n, 0.4, source)
    for share, low, most in ((0.3, 0.08, 0.3), (0.15, 0.05, 0.2)):
        size = torch.where(chance(n, share, source), uniform(n, low, most, source) * high, torch.zeros(n, 1, 1, 1))
        tall = size * uniform(n, -0.6, 0.6, source).exp()
        top, left = uniform(n, -0.05, 0.95, source) * high, uniform(n, -0.05, 0.95, source) * wide
        gone |= (row >= top) & (row < top + tall) & (column >= left) & (column < left + size)
    flat = torch.where(chance(n, 0.4, source), uniform(n, 0, 1, source), x.mean((2, 3), keepdim=True))
    return torch.where(gone, torch.where(chance(n, 0.15, source), torch.rand(x.shape, generator=source), flat), x)


def frameless(x: Tensor, share: float) -> Tensor:
    """The outer `share` of each side replaced by the mirror image of what lies inside."""
    edge = round(x.shape[-1] * share)
    return F.pad(x[..., edge:-edge, edge:-edge], (edge,) * 4, mode="reflect")


def augmented(x: Tensor, source: Generator, *, side: int, strength: float = 1.0) -> Tensor:
    """Films (N, 1, 224, 224) changed at random, of the size asked for."""
    n = len(x)
    cut = frameless(x, float(torch.rand(1, generator=source)) * 0.09 + 0.01)
    x = turned(torch.where(chance(n, 0.25, source), cut, x), source, side=side, strength=strength)
    x = torch.where(chance(n, 0.85, source), toned(x, source), x)
    x = torch.where(chance(n, 0.7, source), softened(x, source), x)
    return hidden(recompressed(x, source), source)


def mixed(x: Tensor, y: Tensor, source: Generator) -> tuple[Tensor, Tensor]:
    """Mix-up: each film and label blended with another's."""
    share = float(np.random.default_rng(int(torch.randint(2**31, (1,), generator=source))).beta(0.4, 0.4))
    other = torch.randperm(len(x), generator=source)
    return share * x + (1 - share) * x[other], share * y + (1 - share) * y[other]
