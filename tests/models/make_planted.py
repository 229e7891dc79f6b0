"""Make ``zoo/planted.onnx``: a small network that tells whether a square with a texture lies in an image of noise.

    python tests/models/make_planted.py [OUT]

A heat-map of its score must have its maximum in the square. Needs the extra ``train`` (torch, onnx); the test needs :func:`images` only.
Training takes about a minute on one core and is seeded; the bytes may differ in the last digits between versions of torch.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE, LEAST, MOST = 48, 10, 15
OUT = Path(__file__).parent / "zoo" / "planted.onnx"


def images(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, 48, 48) of smoothed noise, and the square that each has: (N, 4) of top, left, bottom, right; every second has none (zeros).

    Half of the squares are brighter than what is around them, half are a checked pattern of the same mean.
    """
    source = np.random.default_rng(seed)
    pictures = np.empty((count, SIDE, SIDE), np.float64)
    boxes = np.zeros((count, 4), np.int64)
    rows, columns = np.indices((SIDE, SIDE))
    for n in range(count):
        rough = source.normal(0, 1, (SIDE + 4, SIDE + 4))
        smooth = sum(rough[a : a + SIDE, b : b + SIDE] for a in range(5) for b in range(5)) / 5
        picture = 110 + 22 * smooth + 14 * source.normal(0, 1, (SIDE, SIDE))
        if n % 2 == 0:
            side = int(source.integers(LEAST, MOST + 1))
            top, left = (int(v) for v in source.integers(0, SIDE - side + 1, 2))
            boxes[n] = top, left, top + side, left + side
            inside = (slice(top, top + side), slice(left, left + side))
            if source.random() < 0.5:
                picture[inside] += 60
            else:
                picture[inside] += np.where((rows[inside] // 2 + columns[inside] // 2) % 2, 45, -45)
        pictures[n] = picture
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8), boxes


def main(out: Path) -> None:
    """Train on squares that move from image to image, and write the network."""
    import torch
    from torch import nn

    torch.manual_seed(5)
    torch.set_num_threads(1)

    def block(inside: int, outside: int) -> list[nn.Module]:
        return [nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(), nn.MaxPool2d(2)]

    body = nn.Sequential(*block(1, 8), *block(8, 16), nn.Conv2d(16, 24, 3, padding=1), nn.ReLU())
    net = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 1))
    pictures, boxes = images(6000, 1)
    x = (torch.from_numpy(pictures).float()[:, None] / 255 - 0.5) / 0.25
    y = torch.from_numpy((boxes[:, 2] > 0).astype(np.float32))[:, None]
    epochs, batch = 12, 50
    rate = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-3)
    slower = torch.optim.lr_scheduler.OneCycleLR(rate, 4e-3, total_steps=epochs * len(x) // batch)
    for epoch in range(epochs):
        for part in torch.randperm(len(x)).split(batch):
            loss = nn.functional.binary_cross_entropy_with_logits(net(x[part]), y[part])
            rate.zero_grad()
            loss.backward()
            rate.step()
            slower.step()
        print(epoch, float(loss))
    net.eval()
    pictures, boxes = images(600, 2)
    with torch.no_grad():
        told = net((torch.from_numpy(pictures).float()[:, None] / 255 - 0.5) / 0.25)[:, 0] > 0
    print("right:", float((told.numpy() == (boxes[:, 2] > 0)).mean()))
    torch.onnx.export(
        net, x[:1], out, input_names=["image"], output_names=["logit"], opset_version=17, dynamic_axes={"image": {0: "N"}, "logit": {0: "N"}},
        dynamo=False,
    )  # fmt: skip
    print(out, out.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
