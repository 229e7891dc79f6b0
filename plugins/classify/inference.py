"""Running an ONNX model in a worker: checked first, on the device that really does the work, its outputs checked as they come."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plugins.classify import devices, onnx_file, onnx_trust
from plugins.classify.devices import CPU, CUDA, PROVIDERS
from plugins.classify.encoding import Encoder
from plugins.classify.onnx_container import check_container
from plugins.classify.onnx_model import OnnxFacts, ValueFact
from viewer.api import ModelUnusable, gettext
from viewer.api.models import EncoderSpec, ModelCard, check_file, file_state

_MOST_ELEMENTS = 1 << 28
_MOST_LOADED = 4
_loaded: OrderedDict[tuple[object, ...], Runner] = OrderedDict()


class Runner:
    """A loaded model. ``device`` is what does the work, which need not be what was asked for; ``note`` says why, "" where nothing is to be said.

    Both may change with a run: what fails on another device is run again on the CPU, and stays there. Read them after the run.
    """

    def __init__(self, name: str, facts: OnnxFacts, make: Callable[[str], Any], device: str) -> None:
        self.name, self.facts = name, facts
        self._declared: dict[str, ValueFact] = {}
        self.encoder: Encoder | None = None
        """Stands before the model: it then takes planes where its own graph takes features of them."""
        self.again: Callable[[str, int], Runner] | None = None
        """Loads the same model on a device for so many callers; None where it has been loaded so itself."""
        self._make: Callable[[str], Any] | None = make
        self.session: Any = None
        self.device, self.note = CPU, ""
        self._start(device)
        if self.device == CPU:
            self._make = None  # with the bytes of the model, which are of no more use

    def beside(self, callers: int) -> Runner:
        """The same model on the same device, for so many that run it at a time and share the processors. Raises ModelUnusable."""
        return self if self.again is None or callers == 1 else self.again(self.device, callers)

    def run(
        self, names: Sequence[str], feeds: Mapping[str, NDArray[Any]], progress: Callable[[float], object] | None = None
    ) -> list[NDArray[Any]]:  # fmt: skip
        """The named outputs, in that order, for inputs by name.

        ``progress`` is called with the share that is done where an encoder makes features of many planes; may raise to stop.

        Raises
        ------
        ModelUnusable
            The model failed, or an output is no tensor of numbers, is not what the file declares, or holds NaN or infinities.
        """
        given = dict(feeds)
        if self.encoder is not None:
            given = self.encoder.feeds(next(iter(feeds.values())), progress)
            if self.encoder.runner.note and self.device != self.encoder.runner.device:
                self._fall_back(self.encoder.runner.note)  # so that one device is told, and it is the one
        try:
            outputs = self.session.run(list(names), given)
        except Exception as err:  # onnxruntime raises classes of its own, all children of Exception
            if self.device == CPU:
                raise self._failed(err) from err
            self._fall_back(
                gettext("{device} failed ({reason}); the CPU was used instead.").format(device=self.device, reason=devices.first_line(err))
            )
            try:
                outputs = self.session.run(list(names), given)
            except Exception as again:
                raise self._failed(again) from again
        return [self._checked(name, value) for name, value in zip(names, outputs, strict=True)]

    def _start(self, device: str) -> None:
        if device == CPU:
            self.session = self._session(CPU)
            return
        try:
            self.session = self._made(device)
        except Exception as err:  # noqa: BLE001  onnxruntime raises classes of its own
            self._fall_back(
                gettext("{device} could not be used ({reason}); the CPU was used instead.").format(device=device, reason=devices.first_line(err))
            )
            return
        # Asking for CUDA and not getting it is only a warning to onnxruntime: what counts is what the session says.
        if PROVIDERS[device] in self.session.get_providers():
            self.device = device
        else:
            self.note = gettext("{device} could not be used ({reason}); the CPU was used instead.").format(
                device=device, reason=devices.missing_of(device)
            )

    def _fall_back(self, note: str) -> None:
        self.session = None  # lets go of the device's memory first
        self.session, self.device, self.note = self._session(CPU), CPU, note
        self._make = None

    def _session(self, device: str) -> Any:
        try:
            return self._made(device)
        except MemoryError:
            raise
        except Exception as err:  # onnxruntime raises classes of its own, all children of Exception
            raise ModelUnusable(
                gettext('The model "{name}" could not be loaded: {reason}').format(name=self.name, reason=devices.first_line(err))
            ) from err

    def _made(self, device: str) -> Any:
        assert self._make is not None
        return self._make(device)

    def _failed(self, err: Exception) -> ModelUnusable:
        return ModelUnusable(gettext('The model "{card}" failed: {reason}').format(card=self.name, reason=devices.first_line(err)))

    def _checked(self, name: str, value: Any) -> NDArray[Any]:
        if name not in self._declared:
            self._declared[name] = self.facts.value(name) or ValueFact(name)
        declared = self._declared[name]
        if declared.kind == "sequence" and isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            value = self._table(name, value)
        elif not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub" or declared.kind != "tensor":
            found = value.dtype.name if isinstance(value, np.ndarray) and declared.kind == "tensor" else declared.kind
            found = {"object": "string", "tensor": type(value).__name__}.get(found, found)
            raise ModelUnusable(
                gettext('The output {output} of the model "{card}" is no array of numbers ({found}).').format(
                    output=name, card=self.name, found=found
                )
            )
        elif not _is_as_declared(declared, value):
            raise ModelUnusable(
                gettext('The output {output} of the model "{card}" is {found}; its file says {said}.').format(
                    output=name,
                    card=self.name,
                    found=f"{value.dtype} {onnx_trust.shape_text(value.shape)}",
                    said=f"{declared.dtype} {onnx_trust.shape_text(declared.dims or ())}",
                )
            )
        if value.size > _MOST_ELEMENTS:
            raise ModelUnusable(
                gettext('The output {output} of the model "{card}" has {count} numbers, more than can be shown.').format(
                    output=name, card=self.name, count=value.size
                )
            )
        bad = int(np.count_nonzero(~np.isfinite(value))) if value.dtype.kind == "f" else 0
        if bad:
            raise ModelUnusable(
                gettext('The model "{card}" gave {bad} of {count} outputs that are no numbers.').format(card=self.name, bad=bad, count=value.size)
            )
        return np.asarray(value)

    def _table(self, name: str, rows: Sequence[Mapping[Any, float]]) -> NDArray[np.float32]:
        """(N, classes) from what ZipMap gives: a score by class for each row, in the order of its classes."""
        labels = self.facts.labels_of(name)
        keys = list(labels) if set(labels) == set(rows[0]) else sorted(rows[0])
        if any(set(row) != set(keys) for row in rows):
            raise ModelUnusable(
                gettext('The output {output} of the model "{card}" names other classes from row to row.').format(output=name, card=self.name)
            )
        return np.array([[row[key] for key in keys] for row in rows], dtype=np.float32)


def load(card: ModelCard, device: str = "auto", extra_outputs: Sequence[str] = (), *, callers: int = 1) -> Runner:
    """The model of a card, loaded once in a worker's life (the last few are kept, until their files change).

    Parameters
    ----------
    card : ModelCard
        Its file is held against checksum and card before anything of it is run.
    device : str
        "auto" takes CUDA where it works, else the CPU; a name of :data:`devices.PROVIDERS` takes that one, else the CPU, with a note.
    extra_outputs : sequence of str
        Values within the graph that become outputs, too.
    callers : int
        How many will run it at a time: each gets its share of the processors.

    Raises
    ------
    ModelUnusable
        The model may not or cannot be run; one sentence says why.
    """
    state = tuple(file_state(path) for path in (card.model_path, *(card.folder / name for name in card.beside)))
    key = (
        str(card.model_path), card.sha256, state, device.lower() or "auto", tuple(extra_outputs), card.input, card.output, tuple(card.beside.items()),
        card.encoder, callers,
    )  # fmt: skip
    runner = _loaded.get(key)
    if runner is None:
        network = checked(card)
        for name in dict.fromkeys(extra_outputs):
            network = network._replace(content=onnx_file.with_output(network.content, name, found=network.facts))
        runner = _started(card, network, device, callers)
        if card.encoder is not None:
            encoder = _started(card, checked_encoder(card, card.encoder), device, callers)
            runner.encoder = Encoder(encoder, card, network.facts)
            if callers == 1:
                encoder.again = lambda where, many: _encoder_of(load(card, where, extra_outputs, callers=many))
        elif callers == 1:
            runner.again = lambda where, many: load(card, where, extra_outputs, callers=many)
        runner = _limited(key, runner)
    _loaded.move_to_end(key)
    return runner


def _encoder_of(runner: Runner) -> Runner:
    assert runner.encoder is not None
    return runner.encoder.runner


class Network(NamedTuple):
    """A graph that may be run. What was checked is what will be run, whatever becomes of its files."""

    content: bytes
    facts: OnnxFacts
    weights: Mapping[str, bytes]
    """What lies in files beside it, by their names."""


def _started(card: ModelCard, network: Network, device: str, callers: int) -> Runner:
    content, found, weights = network
    is_free, threads = has_free_sizes(found), max(1, devices.cores() // callers)
    return Runner(card.name, found.light(), lambda asked: _session(content, card.folder, asked, is_free, weights, threads), chosen(device))


def checked(card: ModelCard) -> Network:
    """A card's model, after all checks. Raises ModelUnusable."""
    found = _read(card, card.model_path, card.sha256)
    onnx_trust.check_card(found.facts, card)
    return found


def checked_encoder(card: ModelCard, spec: EncoderSpec) -> Network:
    """The same of the network that stands before it."""
    found = _read(card, card.folder / spec.file, spec.sha256)
    onnx_trust.check_encoder(found.facts, card)
    return found


def _read(card: ModelCard, path: Path, sha256: str) -> Network:
    devices.check_install()
    name = f"{card.name}/{path.name}"
    try:
        check_container(path, name)
        content = path.read_bytes()
    except OSError as err:
        check_file(card)  # says so where it is not there
        raise ModelUnusable(gettext('The model "{card}" cannot be read: {reason}').format(card=card.name, reason=err.strerror or str(err))) from err
    if hashlib.sha256(content).hexdigest() != sha256.lower():
        raise ModelUnusable(gettext('The model "{card}" is damaged or was changed: its checksum is not the card\'s.').format(card=card.name))
    found = onnx_file.facts_of(content, name)
    known = devices.known_versions(found.ir_version, found.opsets.get("", 0))
    return Network(content, found, onnx_trust.check_content(found, card.folder, card.external, known))


def chosen(device: str) -> str:
    """The device that is tried first. Raises ModelUnusable for a name that is none."""
    if device.lower() in ("auto", ""):
        return CUDA if CUDA in devices.available() else CPU
    return devices.named(device)


def has_free_sizes(found: OnnxFacts) -> bool:
    """Whether the graph leaves open how large one input is: memory planned for one size is then no use for the next."""
    return any(value.dims is None or any(not isinstance(size, int) for size in value.dims[1:]) for value in found.inputs)


def logits(runner: Runner, card: ModelCard, batch: NDArray[Any], progress: Callable[[float], object] | None = None) -> NDArray[np.float64]:
    """Raw outputs (N, outputs) of a batch as the card lays it out. Raises ModelUnusable for what is no such output."""
    feeds = {onnx_trust.input_name(runner.facts, card): batch}
    return as_rows(card, runner.run([onnx_trust.output_name(runner.facts, card)], feeds, progress)[0], len(batch))


def as_rows(card: ModelCard, found: NDArray[Any], count: int) -> NDArray[np.float64]:
    """The same as rows of numbers (N, outputs)."""
    return np.asarray(per_input(card, found, count), dtype=np.float64).reshape(count, -1)


def per_input(card: ModelCard, found: NDArray[Any], count: int) -> NDArray[Any]:
    """What an output gives for each of ``count`` inputs, along its first axis. Raises ModelUnusable where it does not come to that."""
    if found.ndim and len(found) == count:
        return found
    if count == 1:
        return found[np.newaxis]
    raise ModelUnusable(
        gettext('The model "{card}" gave {found} for {count} images.').format(card=card.name, found=onnx_trust.shape_text(found.shape), count=count)
    )


def _session(content: bytes, folder: Path, device: str, is_free: bool, weights: Mapping[str, bytes], threads: int) -> Any:
    """A session of onnxruntime on a device: the one place where models are started. ``weights``: what lies in files beside it, by name."""
    onnxruntime = devices.runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised, and told in a sentence; its lines on stderr would be a second telling
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = not is_free
    # Its threads wait for more work by spinning: after a run they would take the processors from the window for 30 ms.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # From bytes: what was checked is what is run.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    if weights:
        options.add_external_initializers_from_files_in_memory(list(weights), list(weights.values()), [len(part) for part in weights.values()])
    providers: list[Any] = [PROVIDERS[CPU]]
    if device != CPU:
        providers.insert(0, (PROVIDERS[device], dict(devices.OPTIONS.get(device, {}))))
    if device not in devices.available():
        raise ModelUnusable(gettext("the installed onnxruntime was not built for it"))
    # Left to itself it would go on with the CPU where a device fails, and call it by the device's name.
    session = onnxruntime.InferenceSession(content, options, providers=providers, enable_fallback=0)
    if hasattr(session, "_model_bytes"):
        session._model_bytes = None  # kept for that only: the whole file once more
    return session


def _limited(key: tuple[object, ...], runner: Runner) -> Runner:
    _loaded[key] = runner
    while len(_loaded) > _MOST_LOADED:
        _loaded.popitem(last=False)
    return runner


def _is_as_declared(declared: ValueFact, value: NDArray[Any]) -> bool:
    if declared.kind != "tensor" or (declared.dtype and declared.dtype != value.dtype.name):
        return False
    if declared.dims is None:
        return True
    # The first axis is that of the batch: exporters leave it at 1 where any number goes through.
    pairs = zip(declared.dims[1:], value.shape[1:], strict=False)
    return len(declared.dims) == value.ndim and all(not isinstance(said, int) or said == found for said, found in pairs)
