"""Train the 28-pixel pneumonia classifier, export it to ONNX and write its card.

    python models/pneumonia-cxr-28/train.py DATA OUT [--members 4] [--epochs 75] [--seed 28] [--threads 1] [--card-only]

DATA is `pneumoniamnist.npz` or the folder that holds it; OUT receives `model.onnx` and `card.toml`. Needs the extra `train`
(torch, onnx) besides numpy and onnxruntime. Everything is chosen on the validation split; the test split is read once, at the end.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

# What the host does to the values 0..255 before the graph: (value / 255 - MEAN) / STD.
MEAN, STD = 0.5, 0.25
OPSET = 17
FLOOR = 0.05  # added to each film's own standard deviation, so that an empty film does not divide by zero


@dataclass(frozen=True, slots=True)
class Split:
    """Films (N, 28, 28) uint8 and labels (N,) int64, 1 = pneumonia."""

    films: NDArray[np.uint8]
    labels: NDArray[np.int64]


def read_splits(path: Path) -> dict[str, Split]:
    """The three official splits; films of train that repeat there or stand in val as well are dropped from train."""
    with np.load(path / "pneumoniamnist.npz" if path.is_dir() else path) as box:
        splits = {name: Split(box[f"{name}_images"], box[f"{name}_labels"].ravel().astype(np.int64)) for name in ("train", "val", "test")}
    seen = {film.tobytes() for film in splits["val"].films}
    keep = []
    for index, film in enumerate(splits["train"].films):
        if film.tobytes() not in seen:
            keep.append(index)
            seen.add(film.tobytes())
    splits["train"] = Split(splits["train"].films[keep], splits["train"].labels[keep])
    return splits


def as_input(films: NDArray[np.uint8]) -> Tensor:
    """(N, 28, 28) uint8 to the graph's input, (N, 1, 28, 28) float32: the preprocessing that the card describes."""
    return ((torch.from_numpy(films).float() / 255 - MEAN) / STD)[:, None]


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.norm1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.second, self.norm2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.first(x)))
        return F.relu(x + self.norm2(self.second(y)))


def convolution(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU())


class Member(nn.Module):
    """One small network: (N, 1, 28, 28) to feature maps (N, 64, 7, 7); `forward` adds pooling and the linear layer."""

    CHANNELS = 64

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(convolution(1, 16, 1), convolution(16, 32, 2), Residual(32), convolution(32, 64, 2), Residual(64))
        self.drop = nn.Dropout(0.2)
        self.classifier = nn.Linear(self.CHANNELS, 1)

    def features(self, x: Tensor) -> Tensor:
        # Each film is put on its own mean and spread: exposure alone tells the label in this set (AUC 0.66 on test).
        x = x - x.mean((2, 3), keepdim=True)
        out: Tensor = self.body(x / ((x * x).mean((2, 3), keepdim=True).sqrt() + FLOOR))
        return out

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(self.drop(self.features(x).mean((2, 3))))
        return out[:, 0]


class Joined(nn.Module):
    """All members as one network with one linear layer over all their maps, each seen straight and mirrored.

    The mean of the members' logits is linear in the pooled maps, and mirrored maps are turned back before they are
    averaged, so the class activation map of the whole is exact: weights times `features`, plus the bias.
    """

    def __init__(self, members: list[Member]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.classifier = nn.Linear(Member.CHANNELS * len(members), 1)
        with torch.no_grad():
            self.classifier.weight.copy_(torch.cat([m.classifier.weight for m in members], 1) / len(members))
            self.classifier.bias.copy_(torch.stack([m.classifier.bias for m in members]).mean(0))

    def features(self, x: Tensor) -> Tensor:
        both = torch.cat([x, x.flip(3)])
        maps = torch.cat([m.features(both) for m in self.members], 1)  # type: ignore[operator]
        straight, mirrored = maps.reshape(2, -1, maps.shape[1], maps.shape[2], maps.shape[3]).unbind(0)
        return (straight + mirrored.flip(3)) / 2

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))
        return out


# --- augmentation --------------------------------------------------------------------------------------------------------------------


def uniform(n: int, low: float, high: float, source: torch.Generator) -> Tensor:
    return torch.rand(n, generator=source) * (high - low) + low


def turned(x: Tensor, source: torch.Generator) -> Tensor:
    """Small turns, shifts, zoom and aspect; the border is filled by reflection, for black corners look like "normal" here.

    Zoom is even about 1 and every fourth film stays: where the mean zoom was inward, plain films leaned to "normal".
    """
    n = len(x)
    angle, shift = uniform(n, -0.14, 0.14, source), uniform(2 * n, -0.12, 0.12, source).reshape(n, 2)
    zoom, aspect = uniform(n, -0.14, 0.14, source).exp(), uniform(n, -0.08, 0.08, source)
    wide, high = zoom * (1 + aspect), zoom * (1 - aspect)
    rows = torch.stack([angle.cos() * wide, -angle.sin() * high, shift[:, 0], angle.sin() * wide, angle.cos() * high, shift[:, 1]], 1)
    grid = F.affine_grid(rows.reshape(n, 2, 3), list(x.shape), align_corners=False)
    stays = (uniform(n, 0, 1, source) < 0.25).reshape(n, 1, 1, 1)
    return torch.where(stays, x, F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False))


def toned(x: Tensor, source: torch.Generator) -> Tensor:
    """Gamma, contrast, brightness, a slope of light, blur or sharpening, noise: on films of 0..1."""
    n = len(x)
    column = (n, 1, 1, 1)
    x = x.clamp(0, 1) ** uniform(n, -0.4, 0.4, source).exp().reshape(column)
    x = (x - 0.5) * uniform(n, 0.7, 1.3, source).reshape(column) + 0.5 + uniform(n, -0.12, 0.12, source).reshape(column)
    ramp = torch.linspace(-1, 1, x.shape[-1])
    x = x + uniform(n, -0.1, 0.1, source).reshape(column) * ramp + uniform(n, -0.1, 0.1, source).reshape(column) * ramp[:, None]
    tap = torch.tensor([0.25, 0.5, 0.25])
    soft = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), (tap[:, None] * tap)[None, None])
    x = x + uniform(n, -0.8, 0.8, source).reshape(column) * (soft - x)  # positive blurs, negative sharpens
    noise = torch.randn(x.shape, generator=source) * uniform(n, 0, 0.03, source).reshape(column)
    return (x + noise).clamp(0, 1)


def hidden(x: Tensor, source: torch.Generator) -> Tensor:
    """The outer frame (0 to 3 pixels) of half of the films and one box in a third of them lose their content.

    The outermost two pixels alone tell the label (AUC 0.88 on test): collimation, markers, position.
    """
    n, _, high, wide = x.shape
    row, column = torch.arange(high)[None, :, None], torch.arange(wide)[None, None, :]
    depth = (uniform(n, -3, 4, source).floor().clamp(min=0))[:, None, None]
    gone = (row < depth) | (row >= high - depth) | (column < depth) | (column >= wide - depth)
    size = torch.where(uniform(n, 0, 1, source) < 1 / 3, uniform(n, 4, 10, source), torch.zeros(n))[:, None, None]
    top, left = uniform(n, 0, high - 4, source)[:, None, None], uniform(n, 0, wide - 4, source)[:, None, None]
    gone |= (row >= top) & (row < top + size) & (column >= left) & (column < left + size)
    fill = uniform(n, 0, 1, source).reshape(n, 1, 1, 1)
    return torch.where(gone[:, None], fill, x)


def augmented(x: Tensor, source: torch.Generator) -> Tensor:
    """Films (N, 1, 28, 28) in 0..1, each changed at random and mirrored half of the time (side markers lose their meaning)."""
    x = torch.where(uniform(len(x), 0, 1, source).reshape(-1, 1, 1, 1) < 0.5, x.flip(3), x)
    return hidden(toned(turned(x, source), source), source)


# --- training ------------------------------------------------------------------------------------------------------------------------


def balanced_loss(logits: Tensor, labels: Tensor) -> float:
    """Mean log loss with both classes weighing the same."""
    each = F.binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
    return float((each[labels == 1].mean() + each[labels == 0].mean()) / 2)


def stressed(films: NDArray[np.uint8], seed: int) -> Tensor:
    """Validation films, three copies, changed as in training: the plain ones are too easy to choose by (AUC above 0.99)."""
    source = torch.Generator().manual_seed(seed)
    plain = torch.from_numpy(films).float()[:, None] / 255
    return torch.cat([(toned(turned(plain, source), source) - MEAN) / STD for _ in range(3)])


def train_member(train: Split, judge: Callable[[Member], float], *, seed: int, epochs: int, say: Callable[[str], None]) -> Member:
    """One member: balanced batches, mix-up, AdamW with a cosine; the running mean of its weights at its best epoch."""
    torch.manual_seed(seed)
    source = torch.Generator().manual_seed(seed)
    films, labels = torch.from_numpy(train.films).float()[:, None] / 255, torch.from_numpy(train.labels)
    ill, well = (labels == 1).nonzero()[:, 0], (labels == 0).nonzero()[:, 0]
    batch, steps = 64, 2 * len(well) // 64
    member, mean = Member(), Member()
    mean.load_state_dict(member.state_dict())
    optimiser = torch.optim.AdamW(member.parameters(), lr=3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=epochs * steps, pct_start=0.15)
    best, kept = float("inf"), copy.deepcopy(mean)
    for epoch in range(epochs):
        member.train()
        # As many pneumonias as normals in every epoch, others each time: the scores assume one half of each.
        drawn = [group[torch.randperm(len(group), generator=source)[: len(well)]] for group in (ill, well)]
        for step in range(steps):
            part = slice(step * batch // 2, (step + 1) * batch // 2)
            chosen = torch.cat([drawn[0][part], drawn[1][part]])
            x, y = augmented(films[chosen], source), labels[chosen].float() * 0.94 + 0.03
            share = float(torch.distributions.Beta(0.3, 0.3).sample()) if step % 2 else 1.0
            other = torch.randperm(len(x), generator=source)
            x, y = share * x + (1 - share) * x[other], share * y + (1 - share) * y[other]
            loss = F.binary_cross_entropy_with_logits(member((x - MEAN) / STD), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                rate = min(0.99, (1 + epoch * steps + step) / (10 + epoch * steps + step))
                for average, value in zip(mean.state_dict().values(), member.state_dict().values(), strict=True):
                    if average.is_floating_point():
                        average.lerp_(value, 1 - rate)
        if epoch >= epochs // 2:
            mean.eval()
            loss_here = judge(mean)
            say(f"  epoch {epoch + 1}: balanced validation loss {loss_here:.4f}")
            if loss_here < best:
                best, kept = loss_here, copy.deepcopy(mean)
    return kept.eval()


# --- figures -------------------------------------------------------------------------------------------------------------------------


def auc_of(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Area under the ROC curve by ranks, ties at their mean rank."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    ill = int(labels.sum())
    return float((ranks[labels == 1].sum() - ill * (ill + 1) / 2) / (ill * (len(labels) - ill)))


def calibration_error(p: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Expected calibration error of the positive class, ten bins of equal width."""
    where = np.minimum((p * 10).astype(int), 9)
    gaps = [abs(float((p - labels)[where == b].mean())) * float((where == b).mean()) for b in range(10) if (where == b).any()]
    return float(sum(gaps))


def shifted(p: NDArray[np.float64], prevalence: float) -> NDArray[np.float64]:
    """Probabilities that assume one half, moved to another prevalence by a constant on the logit."""
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(1 / (1 + (1 - p) / p * (1 - prevalence) / prevalence))


def figures(p: NDArray[np.float64], labels: NDArray[np.int64], threshold: float) -> dict[str, float]:
    called, prevalence = p >= threshold, float(labels.mean())
    moved = shifted(p, prevalence)
    return {
        "auc": auc_of(p, labels),
        "accuracy": float((called == labels).mean()),
        "sensitivity": float(called[labels == 1].mean()),
        "specificity": float((~called)[labels == 0].mean()),
        "ece": calibration_error(p, labels),
        "ece_shifted": calibration_error(moved, labels),
        "brier": float(((p - labels) ** 2).mean()),
        "brier_shifted": float(((moved - labels) ** 2).mean()),
    }


def intervals(p: NDArray[np.float64], labels: NDArray[np.int64], threshold: float, *, seed: int, times: int = 2000) -> dict[str, list[float]]:
    """95 % percentile bootstrap intervals over films (there are no patient numbers, so they are somewhat too narrow)."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(times):
        drawn = random.integers(0, len(p), len(p))
        rows.append(figures(p[drawn], labels[drawn], threshold))
    return {name: [round(float(v), 4) for v in np.percentile([row[name] for row in rows], [2.5, 97.5])] for name in rows[0]}


def fit_temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The temperature of least balanced loss."""
    z, y = torch.from_numpy(logits), torch.from_numpy(labels)
    options = np.exp(np.linspace(-np.log(4), np.log(4), 401))
    return float(min(options, key=lambda t: balanced_loss(z / float(t), y)))


def pick_threshold(p: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """One half, unless another threshold is better on validation by more than one standard error of balanced accuracy."""

    def right(threshold: float) -> tuple[float, float]:
        each = (float((p[labels == 1] >= threshold).mean()), float((p[labels == 0] < threshold).mean()))
        counts = (int((labels == 1).sum()), int((labels == 0).sum()))
        error = sum(v * (1 - v) / n for v, n in zip(each, counts, strict=True)) ** 0.5 / 2
        return sum(each) / 2, error

    options = [round(float(t), 2) for t in np.arange(0.35, 0.66, 0.05)]
    best = max(options, key=lambda t: right(t)[0])
    at_half, error = right(0.5)
    return 0.5 if right(best)[0] <= at_half + error else best


# --- export and card -----------------------------------------------------------------------------------------------------------------


def fuse(module: nn.Module) -> None:
    """Fold every batch normalisation into the convolution before it, in place."""
    if isinstance(module, Residual):
        for conv, norm in (("first", "norm1"), ("second", "norm2")):
            setattr(module, conv, nn.utils.fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
            setattr(module, norm, nn.Identity())
    elif isinstance(module, nn.Sequential) and len(module) == 3 and isinstance(module[1], nn.BatchNorm2d):
        module[0], module[1] = nn.utils.fuse_conv_bn_eval(module[0], module[1]), nn.Identity()
    for child in module.children():
        fuse(child)


def export(net: Joined, out: Path) -> None:
    """Write one self-contained ONNX file whose map before the pooling is called `features`."""
    fuse(net)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.onnx"
        torch.onnx.export(
            net,
            (torch.zeros(2, 1, 28, 28),),
            str(raw),
            dynamo=False,
            opset_version=OPSET,
            input_names=["film"],
            output_names=["logit"],
            dynamic_axes={"film": {0: "N"}, "logit": {0: "N"}},
        )
        model = onnx.load(str(raw))
    (pool,) = [node for node in model.graph.node if node.op_type == "GlobalAveragePool"]
    old = pool.input[0]
    for node in model.graph.node:
        node.input[:] = ["features" if name == old else name for name in node.input]
        node.output[:] = ["features" if name == old else name for name in node.output]
        node.doc_string = ""
    # The exporter's own stamp is replaced: equal weights then give equal files whichever torch wrote them.
    model.producer_name, model.producer_version = "negatoscope", ""
    onnx.checker.check_model(model, full_check=True)
    out.write_bytes(model.SerializeToString(deterministic=True))


def onnx_logits(path: Path, films: Tensor, threads: int) -> NDArray[np.float64]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (out,) = session.run(["logit"], {"film": films.numpy()})
    return np.asarray(out[:, 0], np.float64)


def border_only(films: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Films whose inside, all but a frame of two pixels, is blank: what is then left to tell the label is no lung."""
    out = films.copy()
    out[:, 2:-2, 2:-2] = 128
    return out


def borderless(films: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Films whose outer two pixels are replaced by the mirror image of what lies inside."""
    return np.pad(films[:, 2:-2, 2:-2], ((0, 0), (2, 2), (2, 2)), mode="reflect")


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-x)))


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("data", type=Path)
    reader.add_argument("out", type=Path)
    reader.add_argument("--members", type=int, default=4)
    reader.add_argument("--epochs", type=int, default=75)
    reader.add_argument("--seed", type=int, default=28)
    reader.add_argument("--threads", type=int, default=1)
    reader.add_argument("--no-test", action="store_true", help="stop before the test split and the card are touched (for trials)")
    reader.add_argument("--card-only", action="store_true", help="keep OUT/model.onnx, fit temperature and threshold and write the card again")
    asked = reader.parse_args()
    torch.set_num_threads(asked.threads)
    torch.use_deterministic_algorithms(True)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {text}", flush=True)

    splits = read_splits(asked.data)
    train, val = splits["train"], splits["val"]
    say(f"train {len(train.labels)} films after dropping repeats, val {len(val.labels)}")
    val_labels, plain, hard = torch.from_numpy(val.labels), as_input(val.films), stressed(val.films, asked.seed)

    @torch.no_grad()
    def judge(member: nn.Module) -> float:
        return (balanced_loss(member(plain).flatten(), val_labels) + balanced_loss(member(hard).flatten(), val_labels.repeat(3))) / 2

    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "model.onnx"
    if not asked.card_only:
        members = []
        for number in range(asked.members):
            say(f"member {number + 1} of {asked.members}")
            members.append(train_member(train, judge, seed=asked.seed * 1000 + number, epochs=asked.epochs, say=say))
        net = Joined(members).eval()
        say(f"validation: joined loss {judge(net):.4f}")
        export(net, path)
    # Temperature and threshold come from plain and changed films together: the plain ones are far easier than any test.
    hard_logits, many = onnx_logits(path, torch.cat([plain, hard]), asked.threads), np.tile(val.labels, 4)
    temperature = round(fit_temperature(hard_logits, many), 4)
    threshold = pick_threshold(sigmoid(hard_logits / temperature), many)
    say(f"validation, plain and changed films: {figures(sigmoid(hard_logits / temperature), many, threshold)}")
    val_p = sigmoid(onnx_logits(path, plain, asked.threads) / temperature)
    on_val = figures(val_p, val.labels, threshold)
    say(f"temperature {temperature}, threshold {threshold}, val {on_val}, {path.stat().st_size} bytes")
    if asked.no_test:
        return
    test = splits["test"]
    test_p = sigmoid(onnx_logits(path, as_input(test.films), asked.threads) / temperature)
    on_test, spread = figures(test_p, test.labels, threshold), intervals(test_p, test.labels, threshold, seed=asked.seed)
    say(f"test {on_test}")
    say(f"95 % {spread}")
    template = (Path(__file__).parent / "card.template.toml").read_text(encoding="utf-8")
    words: dict[str, object] = {"mean": MEAN, "std": STD, "temperature": temperature, "threshold": threshold, "seed": asked.seed, "opset": OPSET}
    words |= {"members": asked.members, "epochs": asked.epochs, "channels": Member.CHANNELS * asked.members, "train_films": len(train.labels)}
    words |= {f"val_{k}": round(v, 4) for k, v in on_val.items()} | {f"test_{k}": round(v, 4) for k, v in on_test.items()}
    words |= {f"spread_{k}": v for k, v in spread.items()}
    # Both must hold: as they stand (the scores assume one half of each) and moved to the test's own prevalence.
    words["calibrated"] = str(max(on_test["ece"], on_test["ece_shifted"]) < 0.05).lower()
    for name, change in (("border_only", border_only), ("borderless", borderless)):
        words[f"auc_{name}"] = round(auc_of(onnx_logits(path, as_input(change(test.films)), asked.threads), test.labels), 4)
        say(f"test AUC {name}: {words[f'auc_{name}']}")
    words["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (asked.out / "card.toml").write_text(template.format(**words), encoding="utf-8")


if __name__ == "__main__":
    main()
