"""What an ONNX file holds, read without running any of it: versions, inputs, outputs, nodes, weights; and one more output for it."""

from __future__ import annotations

from pathlib import Path

from plugins.classify import wire
from plugins.classify.onnx_container import called, check_container
from plugins.classify.onnx_model import Graph, Node, OnnxFacts, ValueFact, Weights, damaged
from plugins.classify.onnx_reader import MOST_DEPTH, MOST_NODES, Reader
from plugins.classify.wire import Damaged, Span
from viewer.api import ModelUnusable, gettext

__all__ = ["MOST_DEPTH", "MOST_NODES", "Graph", "Node", "OnnxFacts", "ValueFact", "Weights", "facts", "facts_of", "with_output"]


def facts(path: Path) -> OnnxFacts:
    """Read an ONNX file. Raises ModelUnusable with a sentence that names it: not ONNX, empty, cut off, too large, not to be read."""
    try:
        check_container(path)
        return facts_of(path.read_bytes(), called(path))
    except OSError as err:
        raise ModelUnusable(gettext("{file} cannot be read: {reason}").format(file=called(path), reason=err.strerror or str(err))) from err


def facts_of(content: bytes, file: str) -> OnnxFacts:
    """The same from bytes; ``file`` is what messages call it. Raises ModelUnusable."""
    if not content:
        raise ModelUnusable(gettext("{file} is empty.").format(file=file))
    try:
        return Reader(content, file).model()
    except Damaged as err:
        raise damaged(file, err.args[0]) from err  # a text that is said in the language of the window


def with_output(content: bytes, tensor: str, *, file: str = "", found: OnnxFacts | None = None) -> bytes:
    """The same model with one of its values as a further output: what is known of its type and shape goes with it.

    ``found``: what was read of the model, if it was. Where it is an output already the bytes are returned as they are.
    Raises ModelUnusable where there is no such value.
    """
    found = found or facts_of(content, file or gettext("The model"))
    if any(value.name == tensor for value in found.outputs):
        return content
    if found.value(tensor) is None:
        raise ModelUnusable(gettext('{file} has no value named "{name}".').format(file=found.file, name=tensor))
    at = 0
    for number, _kind, _value, span in wire.fields(content, (0, len(content))):
        if number == 7:
            described = wire.message(12, _described(content, span, tensor))
            # The length of the graph stands before it: key and length are written anew, all else is taken as it is.
            return b"".join((content[:at], wire.message(7, content[span[0] : span[1]] + described), content[span[1] :]))
        at = span[1]
    raise damaged(found.file, gettext("no graph"))


def _described(content: bytes, graph: Span, tensor: str) -> bytes:
    """A ValueInfoProto: the file's own where it has one, made from the weights' type and shape, or the bare name."""
    for number, kind, _value, span in wire.fields(content, graph):
        if number in (11, 13) and kind == wire.BYTES:
            for inner, _kind, _number, place in wire.fields(content, span):
                if inner == 1 and content[place[0] : place[1]] == tensor.encode():
                    return content[span[0] : span[1]]
    return wire.message(1, tensor.encode())
