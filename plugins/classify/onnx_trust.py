"""Whether an ONNX file may be run: what it is, what it needs, and whether it is what its card says. Nothing of it is run here."""

from __future__ import annotations

import hashlib
import math
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from plugins.classify.onnx_model import OnnxFacts, ValueFact, damaged
from viewer.api import ModelUnusable, gettext
from viewer.api.models import MAX_MODEL_BYTES, ModelCard, memory_limit

MOST_DIM = 1 << 20
FLOATS = ("float32", "float16", "float64")
_OWN_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_MICROSOFT = "com.microsoft"
MICROSOFT_OPS = frozenset((
    "Attention", "BiasAdd", "BiasGelu", "BiasSoftmax", "BiasSplitGelu", "ConvTransposeWithDynamicPads", "DequantizeLinear",
    "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "EmbedLayerNormalization", "FastGelu", "FusedConv", "FusedGemm", "FusedMatMul",
    "FusedMatMulActivation", "Gelu", "GemmFastGelu", "GridSample", "GroupNorm", "Inverse", "MatMulInteger16", "MatMulIntegerToFloat",
    "MatMulNBits", "MultiHeadAttention", "NhwcConv", "NhwcFusedConv", "NhwcMaxPool", "Pad", "QAttention", "QGemm", "QLinearAdd",
    "QLinearAveragePool", "QLinearConcat", "QLinearConv", "QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearMul", "QLinearReduceMean",
    "QLinearSigmoid", "QLinearSoftmax", "QLinearWhere", "QuantizeLinear", "QuickGelu", "RelativePositionBias", "RotaryEmbedding",
    "SkipGroupNorm", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "Trilu", "Unique",
))  # fmt: skip
"""Microsoft's operators that only compute, as tools for quantising write them. Not those that load code or files (EPContext, PythonOp)."""


@dataclass(frozen=True, slots=True)
class Known:
    """The newest versions that the runtime takes."""

    ir_version: int
    opset: int
    runtime: str


def check_content(found: OnnxFacts, folder: Path, external: Mapping[str, str], known: Known) -> dict[str, bytes]:
    """All that can be said of a file without its card: versions, operators, sizes, weights in other files.

    Returns
    -------
    dict of bytes
        What is in the files of weights, by name: read once, so that what was checked is what can be run, whatever becomes of the files.

    Raises
    ------
    ModelUnusable
        One sentence, about the first thing that is wrong.
    """
    _check_versions(found, known)
    _check_operators(found)
    _check_sizes(found)
    beside = _external(found, folder, external)
    if not found.outputs:
        raise ModelUnusable(gettext("{file} has no output: there is nothing to show. Export the model again.").format(file=found.file))
    _need_input(found)
    return beside


def check_card(found: OnnxFacts, card: ModelCard) -> None:
    """The file takes and gives what the card says. Raises ModelUnusable."""
    value = found.value(input_name(found, card))
    assert value is not None
    takes = FLOATS if card.encoder is not None else (card.input.dtype,)
    if value.kind != "tensor" or (value.dtype and value.dtype not in takes):
        raise ModelUnusable(
            gettext('The card of "{card}" says that {input} takes {said}; the model takes {found}.').format(
                card=card.name, input=value.name, said=takes[0], found=value.dtype or value.kind
            )
        )
    _check_dims(value, card, found.file)
    _check_fed_size(settled(card, found))
    output_name(found, card)
    for name in (card.familiarity.output, card.explain.feature):
        if name and found.value(name) is None:
            raise ModelUnusable(
                gettext('The card of "{card}" names the value "{name}"; the model has none of that name.').format(card=card.name, name=name)
            )


def input_name(found: OnnxFacts, card: ModelCard) -> str:
    """The input that the image goes to. Raises ModelUnusable where there are none, several, or not the card's."""
    names = [value.name for value in found.inputs]
    if card.input.name and card.input.name not in names:
        raise ModelUnusable(
            gettext('The card of "{card}" names the input "{name}"; the model takes {names}.').format(
                card=card.name, name=card.input.name, names=_listed(names)
            )
        )
    _need_input(found)
    if len(names) > 1:
        raise ModelUnusable(
            gettext("{file} takes {names}: more than the one input that an image can give. Export it with the others as constants.").format(
                file=found.file, names=_listed(names)
            )
        )
    return names[0]


def _need_input(found: OnnxFacts) -> None:
    if not found.inputs:
        raise ModelUnusable(gettext("{file} takes no input: it cannot be asked about an image.").format(file=found.file))


def output_name(found: OnnxFacts, card: ModelCard) -> str:
    """The output that is judged: the card's, else the first of scores (not of labels). Raises ModelUnusable if the card's is not there."""
    names = [value.name for value in found.outputs]
    if card.output.name:
        if card.output.name not in names:
            raise ModelUnusable(
                gettext('The card of "{card}" names the output "{name}"; the model gives {names}.').format(
                    card=card.name, name=card.output.name, names=_listed(names)
                )
            )
        return card.output.name
    if not found.outputs:
        raise ModelUnusable(gettext("{file} has no output: there is nothing to show. Export the model again.").format(file=found.file))
    values = [value for value in found.outputs if value.name != card.familiarity.output] or list(found.outputs)
    scores = [value for value in values if value.dtype in FLOATS or value.kind == "sequence"]
    return (scores or values)[0].name


def settled(card: ModelCard, found: OnnxFacts) -> ModelCard:
    """The card with what it leaves open and the graph has fixed: how many inputs go in at a time (exporters often leave that at 1)."""
    value = found.value(input_name(found, card))
    fixed = value.dims[0] if value is not None and value.dims else None
    if card.input.batch is not None or not isinstance(fixed, int) or fixed < 1:
        return card
    return replace(card, input=replace(card.input, batch=fixed))


def check_encoder(found: OnnxFacts, card: ModelCard) -> None:
    """The encoder takes a plane as the card says, and gives the features that it names. Raises ModelUnusable."""
    taken, _output = encoder_ends(found, card)
    assert card.encoder is not None
    said = tuple({"N": None, "C": card.input.channels, "H": card.input.height, "W": card.input.width}[axis] for axis in card.encoder.layout)
    is_type = not taken.dtype or taken.dtype == card.input.dtype
    if not is_type or (taken.dims is not None and not _goes_with(taken.dims, said)):
        raise ModelUnusable(
            gettext('The card of "{card}" says that its encoder takes {layout} of {said}, {dtype}; {file} takes {found}, {found_dtype}.').format(
                card=card.name,
                layout=card.encoder.layout,
                said=shape_text(said),
                dtype=card.input.dtype,
                file=found.file,
                found=shape_text(taken.dims or ()),
                found_dtype=taken.dtype or taken.kind,
            )
        )
    if taken.dims is not None:
        _check_open(taken.dims, said, card.encoder.layout, card, found.file)


def encoder_ends(found: OnnxFacts, card: ModelCard) -> tuple[ValueFact, str]:
    """The input of a card's encoder, and the name of the output with its features. Raises ModelUnusable."""
    assert card.encoder is not None
    asked = replace(card, name=found.file, input=replace(card.input, name=card.encoder.input), output=replace(card.output, name=card.encoder.output))
    taken = found.value(input_name(found, asked))
    assert taken is not None
    return taken, output_name(found, asked)


def _check_versions(found: OnnxFacts, known: Known) -> None:
    if not found.ir_version or not found.opsets:
        raise damaged(found.file, gettext("no opset"))
    opset = found.opsets.get("", 0)
    if found.ir_version > known.ir_version:
        raise ModelUnusable(
            gettext(
                "{file} is of ONNX's format {found}; {runtime} knows up to {known}. Export it in an older one, or install a newer onnxruntime."
            ).format(file=found.file, found=found.ir_version, runtime=known.runtime, known=known.ir_version)
        )
    if opset > known.opset:
        raise ModelUnusable(
            gettext(
                "{file} needs opset {found}; {runtime} knows up to {known}. Export it with an older opset, or install a newer onnxruntime."
            ).format(file=found.file, found=opset, runtime=known.runtime, known=known.opset)
        )


def _check_operators(found: OnnxFacts) -> None:
    own = {(function.domain, function.op) for function in found.functions}
    for node in found.every_node():
        is_known = node.domain in _OWN_DOMAINS or (node.domain == _MICROSOFT and node.op in MICROSOFT_OPS) or (node.domain, node.op) in own
        if not is_known:
            raise ModelUnusable(
                gettext("{file} needs the operator {op} of {domain}, which is not run here. Export it with ONNX's own operators.").format(
                    file=found.file, op=node.op, domain=node.domain
                )
            )


def _check_sizes(found: OnnxFacts) -> None:
    values = [value for graph in found.every_graph() for value in (*graph.inputs, *graph.outputs, *graph.values)]
    shapes = [(value.name, value.dtype, value.dims or ()) for value in values] + [(w.name, w.dtype, w.dims) for w in found.every_weights()]
    most = memory_limit()
    for name, dtype, dims in shapes:
        fixed = [size for size in dims if isinstance(size, int)]
        if max(fixed, default=0) > MOST_DIM or math.prod(fixed) * _itemsize(dtype) > most:
            raise ModelUnusable(
                gettext("{file} declares {name} as {shape}, which is no size to be run here.").format(
                    file=found.file, name=name or "?", shape=" x ".join(str(size) if size is not None else "?" for size in dims)
                )
            )


def _external(found: OnnxFacts, folder: Path, external: Mapping[str, str]) -> dict[str, bytes]:
    read: dict[str, bytes] = {}
    for weights in found.every_weights():
        if not weights.is_external:
            continue
        location = weights.external.get("location", "")
        if not _is_plain(location):
            raise ModelUnusable(
                gettext('{file} takes weights from "{place}", outside of its folder. Such a model is refused.').format(
                    file=found.file, place=location
                )
            )
        if location not in external:
            raise ModelUnusable(
                gettext("{file} takes weights from {place}, which its card does not list with a checksum. Export it as one file, or list it.").format(
                    file=found.file, place=location
                )
            )
        if location not in read:
            read[location] = _read(found.file, folder / location, external[location])
        offset, length = (_whole(weights.external.get(key, default)) for key, default in (("offset", "0"), ("length", "-1")))
        needed = weights.size * _itemsize(weights.dtype)
        if offset is None or length is None or offset < 0 or (length >= 0 and length != needed) or offset + needed > len(read[location]):
            raise ModelUnusable(
                gettext("{file} looks for {name} where {place} has no such bytes. One of the two is damaged or of another version.").format(
                    file=found.file, name=weights.name, place=location
                )
            )
    return read


def _read(file: str, path: Path, sha256: str) -> bytes:
    """What is in a file with weights: regular, no link of either kind, and with the card's checksum."""
    try:
        is_file = _is_own(path.lstat())
        content = b""
        if is_file:
            # Once more of what was opened: another may lie there by now.
            opened = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            with os.fdopen(opened, "rb") as stream:
                state = os.fstat(opened)
                if state.st_size > MAX_MODEL_BYTES:
                    raise ModelUnusable(gettext("{file} is larger than {size} GiB.").format(file=path.name, size=MAX_MODEL_BYTES >> 30))
                is_file = _is_own(state)
                content = stream.read() if is_file else b""
    except OSError as err:
        raise ModelUnusable(
            gettext("{file} takes weights from {place}, which cannot be read: {reason}").format(
                file=file, place=path.name, reason=err.strerror or str(err)
            )
        ) from err
    if not is_file:
        raise ModelUnusable(
            gettext("{file} takes weights from {place}, which is a link. Put the file itself there.").format(file=file, place=path.name)
        )
    if hashlib.sha256(content).hexdigest() != sha256.lower():
        raise ModelUnusable(
            gettext("{file} takes weights from {place}, which is damaged or was changed: its checksum is not the card's.").format(
                file=file, place=path.name
            )
        )
    return content


def _is_own(state: os.stat_result) -> bool:
    return stat.S_ISREG(state.st_mode) and state.st_nlink <= 1


def _check_dims(value: ValueFact, card: ModelCard, file: str) -> None:
    spec = card.input
    if value.dims is None:
        if card.fed_layout not in ("NF", "NTF") and (spec.height is None or spec.width is None):
            raise ModelUnusable(
                gettext('The model "{card}" leaves open what size it takes, and so does its card. Write height and width into the card.').format(
                    card=card.name
                )
            )
        return
    said = said_dims(card)
    if not _goes_with(value.dims, said):
        raise ModelUnusable(
            gettext('The card of "{card}" says that {input} is {layout} of {said}; the model takes {found}.').format(
                card=card.name, input=value.name, layout=spec.layout, said=shape_text(said), found=shape_text(value.dims)
            )
        )
    _check_open(value.dims, said, spec.layout, card, file)


def _check_open(dims: Sequence[int | str | None], said: Sequence[int | None], axes: str, card: ModelCard, file: str) -> None:
    """What the card leaves open, the graph must, too: onnxruntime would refuse images of any other size."""
    keys = {"H": "height", "W": "width", "D": "depth", "T": "depth"}
    fixed = [
        f"{keys[axis]} = {found}"
        for axis, found, wanted in zip(axes, dims, said, strict=True)
        if axis in keys and wanted is None and isinstance(found, int)
    ]
    if fixed:
        raise ModelUnusable(
            gettext('The card of "{card}" leaves open what {file} has fixed. Write into [input] of the card: {keys}.').format(
                card=card.name, file=file, keys=", ".join(fixed)
            )
        )


def _goes_with(dims: Sequence[int | str | None], said: Sequence[int | None]) -> bool:
    """Whether a shape of a graph can be the card's: what one of them leaves open, the other may settle."""
    return len(dims) == len(said) and all(
        not isinstance(found, int) or wanted is None or found == wanted for found, wanted in zip(dims, said, strict=True)
    )


def _check_fed_size(card: ModelCard) -> None:
    said = fed_dims(card)
    if math.prod(size for size in said if size is not None) * _itemsize(card.input.dtype) > memory_limit():
        raise ModelUnusable(
            gettext('The card of "{card}" asks for an input of {said}, which is more than the memory allows.').format(
                card=card.name, said=shape_text(said)
            )
        )


def said_dims(card: ModelCard) -> tuple[int | None, ...]:
    """The input's shape as the card has it; None where it may be any."""
    # How many features an encoder makes, only the graphs say.
    return _sizes(card, card.input.layout, has_features=card.encoder is not None)


def fed_dims(card: ModelCard) -> tuple[int | None, ...]:
    """The shape of what is made of an image: that of the input, or of the planes before the encoder."""
    return _sizes(card, card.fed_layout)


def _sizes(card: ModelCard, axes: str, *, has_features: bool = False) -> tuple[int | None, ...]:
    spec = card.input
    # A row of a classical model has as many values as there are pixels.
    count = None if has_features or spec.height is None or spec.width is None else spec.height * spec.width * spec.channels
    sizes = {"N": spec.batch, "C": spec.channels, "D": spec.depth, "T": spec.depth, "H": spec.height, "W": spec.width, "F": count}
    return tuple(sizes[axis] for axis in axes)


def shape_text(dims: Iterable[int | str | None]) -> str:
    """A shape for people: "? x 1 x 224 x 224"."""
    return " x ".join(str(size) if isinstance(size, int) else "?" for size in dims) or "1"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or gettext("none")


def _is_plain(location: str) -> bool:
    return bool(location) and location not in (".", "..") and not any(c in location for c in "/\\:*\0") and location == Path(location).name


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _itemsize(dtype: str) -> int:
    try:
        return np.dtype(dtype).itemsize or 1 if dtype else 1
    except TypeError:
        return 2 if dtype == "bfloat16" else 1
