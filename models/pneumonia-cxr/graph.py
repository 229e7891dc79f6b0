"""The whole graph: preparation, members, one linear layer, strangeness; and writing it as one ONNX file."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from films import MEAN, SIDE, STD
from network import HEAD, Convolution
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from training import Member, leveled

OPSET = 17
SHALLOW, MIDDLE, DEEP = 2, 4, 6  # stages whose maps the gate sees
GRID = 4  # places a side at which the gate sees the middle stage


def triangle(side: int) -> Tensor:
    """(side, 224): one axis of the antialiased bilinear reduction as a matrix."""
    return F.interpolate(torch.eye(SIDE)[None, None], (side, SIDE), mode="bilinear", antialias=True, align_corners=False)[0, 0]


class Gate(nn.Module):
    """How unlike the training films a film is: pooled maps of three depths, judged twice.

    By distance: squared length of the whitened pooled maps (Mahalanobis), for strangeness of any kind. By a small network trained
    on made-up strangers, which also sees where things are, for films that lie, are turned, inverted or cut. Each on the scale on
    which the films' middle is 0 and the threshold 1; the larger of the two counts.
    """

    def __init__(self, seen: int, kept: int, width: int = 48) -> None:
        super().__init__()
        self.kept = kept
        for name, shape in (("middle", (1, seen)), ("spread", (1, seen)), ("axes", (seen, kept)), ("scale", (2, 2))):
            self.register_buffer(name, torch.zeros(shape) if name != "spread" else torch.ones(shape))
        self.judge = nn.Sequential(nn.Dropout(0.3), nn.Linear(seen, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 1))

    @staticmethod
    def seen(stages: list[Tensor]) -> Tensor:
        """(N, numbers): means and spreads over all places, and the middle stage's means over a coarse grid."""
        parts = []
        for stage in (SHALLOW, MIDDLE, DEEP):
            mean = stages[stage].mean((2, 3), keepdim=True)
            parts += [mean, ((stages[stage] - mean) ** 2).mean((2, 3)).clamp(min=1e-6).sqrt()]
        step = stages[MIDDLE].shape[-1] // GRID
        parts.append(F.avg_pool2d(stages[MIDDLE], step, step))
        return torch.cat([part.flatten(1) for part in parts], 1)

    def parts(self, seen: Tensor) -> Tensor:
        """(N, 2) unscaled: logarithm of the mean squared distance, and the judge's logit."""
        z = ((seen - self.middle) / self.spread).clamp(-8, 8)
        far = ((z @ self.axes) ** 2).mean(1, keepdim=True)
        return torch.cat([torch.log(far + 1e-3), self.judge(z)], 1)

    def forward(self, seen: Tensor) -> Tensor:
        scaled = (self.parts(seen) - self.scale[0]) / (self.scale[1] - self.scale[0])
        return torch.maximum(scaled[:, :1], scaled[:, 1:])


class Joined(nn.Module):
    """Members as one network with one linear layer over all their maps.

    One member sees each film straight and mirrored; of two, the first sees it straight and the second mirrored, which costs the
    same. Mirrored maps are turned back, and the mean of logits is linear in the pooled maps: the activation map is exact.
    """

    def __init__(self, members: list[Member], side: int, gate: Gate | None) -> None:
        super().__init__()
        self.members, self.gate = nn.ModuleList(members), gate
        self.register_buffer("reduce", triangle(side))
        self.classifier = nn.Linear(HEAD * len(members), 1)
        with torch.no_grad():
            self.classifier.weight.copy_(torch.cat([m.classifier.weight for m in members], 1) / len(members))
            self.classifier.bias.copy_(torch.stack([m.classifier.bias for m in members]).mean(0))

    def small(self, film: Tensor) -> Tensor:
        """The graph's input (N, 1, 224, 224) on 0..1 and as small as the members take it."""
        gray = film * STD + MEAN
        reduced: Tensor = gray if len(self.reduce) == SIDE else self.reduce @ gray @ self.reduce.T
        return reduced

    def looked(self, film: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (N, channels, h, w), and what the gate sees of the first member's stages."""
        x = leveled(self.small(film))
        if len(self.members) == 1:
            both = [stage.reshape(2, -1, *stage.shape[1:]) for stage in self.members[0].body.stages(torch.cat([x, x.flip(3)]))]
            return (both[-1][0] + both[-1][1].flip(3)) / 2, Gate.seen([stage[0] for stage in both])
        stages = self.members[0].body.stages(x)
        return torch.cat([stages[-1], self.members[1].body(x.flip(3)).flip(3)], 1), Gate.seen(stages)

    def forward(self, film: Tensor) -> tuple[Tensor, Tensor]:
        maps, seen = self.looked(film)
        logit = self.classifier(F.adaptive_avg_pool2d(maps, 1).flatten(1))
        return logit, self.gate(seen) if self.gate is not None else seen


def fuse(net: nn.Module) -> None:
    """Fold every batch normalisation into the convolution before it, in place."""
    for part in net.modules():
        if isinstance(part, Convolution) and isinstance(part.norm, nn.BatchNorm2d):
            part.conv, part.norm = nn.utils.fuse_conv_bn_eval(part.conv, part.norm), nn.Identity()


def halve(model: onnx.ModelProto) -> None:
    """Store the large weights in 16 bits, each with a Cast beside it: half the size, and the runtime unfolds them on loading."""
    casts = []
    for tensor in list(model.graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < 4096 or tensor.name.startswith("classifier."):
            continue
        small = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_half")
        casts.append(helper.make_node("Cast", [small.name], [tensor.name], to=TensorProto.FLOAT))
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(small)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)


def export(net: Joined, out: Path) -> None:
    """Write one self-contained ONNX file whose maps before the pooling are called `features`.

    Without a gate its second output is what a gate would see.
    """
    net = copy.deepcopy(net).eval()
    fuse(net)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.onnx"
        torch.onnx.export(
            net,
            (torch.zeros(2, 1, SIDE, SIDE),),
            str(raw),
            dynamo=False,
            opset_version=OPSET,
            input_names=["film"],
            output_names=["logit", "unfamiliar"],
            dynamic_axes={"film": {0: "N"}, "logit": {0: "N"}, "unfamiliar": {0: "N"}},
        )
        model = onnx.load(str(raw))
    (pool,) = [node for node in model.graph.node if node.op_type == "GlobalAveragePool"]
    old = pool.input[0]
    for node in model.graph.node:
        node.input[:] = ["features" if name == old else name for name in node.input]
        node.output[:] = ["features" if name == old else name for name in node.output]
        node.doc_string = ""
    halve(model)
    # The exporter's own stamp is replaced: equal weights then give equal files whichever torch wrote them.
    model.producer_name, model.producer_version, model.ir_version = "negatoscope", "", 8
    onnx.checker.check_model(model, full_check=True)
    out.write_bytes(model.SerializeToString(deterministic=True))
