"""Which devices onnxruntime can run a model on here, and whether it is installed so that it can at all."""

from __future__ import annotations

import ctypes
import functools
import importlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated, Any

from plugins.classify import wire
from plugins.classify.onnx_trust import Known
from viewer.api import DeviceOf, Help, ModelUnusable, gettext

CPU, CUDA = "CPU", "CUDA"
PROVIDERS: Mapping[str, str] = {
    CPU: "CPUExecutionProvider", CUDA: "CUDAExecutionProvider", "TensorRT": "TensorrtExecutionProvider",
    "TensorRT-RTX": "NvTensorRTRTXExecutionProvider", "CoreML": "CoreMLExecutionProvider", "DirectML": "DmlExecutionProvider",
    "OpenVINO": "OpenVINOExecutionProvider", "ROCm": "ROCMExecutionProvider", "MIGraphX": "MIGraphXExecutionProvider",
    "QNN": "QNNExecutionProvider", "XNNPACK": "XnnpackExecutionProvider", "WebGPU": "WebGpuExecutionProvider", "oneDNN": "DnnlExecutionProvider",
}  # fmt: skip
"""Devices by the names of onnxruntime's providers. Not among them: Azure, which would send images over the network."""
OPTIONS: Mapping[str, Mapping[str, str]] = {CUDA: {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}}
"""What a provider is told. Left to itself CUDA rounds the factors of each product to 10 bits, on GPUs that can: rounded so on a CPU, the
shipped model's probabilities moved by up to 0.018. And it would try every way to convolve anew for each size of a batch."""
WHEELS = (
    "onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-rocm", "onnxruntime-migraphx",
    "onnxruntime-qnn", "onnxruntime-silicon", "onnxruntime-training", "onnxruntime-webgpu", "ort-nightly", "ort-nightly-gpu",
)  # fmt: skip
"""All of them put their files into the one folder ``onnxruntime``."""
ModelDevice = Annotated[str, DeviceOf(), Help("What runs the model. Where it cannot, the CPU does.", "Device")]
"""The parameter ``device`` of every operation that runs a model."""
GPU_WHEEL = "onnxruntime-gpu[cuda,cudnn]"
_MOST_AT_ONCE, _MOST_VALUES, _MOST_CACHED = 32, 4 << 20, 100_352
_MOST_CALLERS, _MOST_SHARED, _LEAST_BATCHES = 8, 200_704, 4
_PLACES = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : |/\S+\.(?:cc|h|cu):\d+ [^()]*\((?:[^()]|\([^()]*\))*\)\s*(?:const )?")
# What the oldest onnxruntime that the program takes (1.24) knows; newer files make the runtime say how far it goes.
_SURE_IR, _SURE_OPSET = 10, 21


@dataclass(frozen=True, slots=True)
class Device:
    """Something that a model can be run on. ``reason``: why it cannot be used; "" where it can."""

    name: str
    provider: str
    reason: str = ""

    @property
    def is_usable(self) -> bool:
        return not self.reason


def installed_wheels() -> tuple[str, ...]:
    """Packages of the onnxruntime family that are installed here."""
    found = []
    for name in WHEELS:
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(name)
    return tuple(found)


def check_install() -> None:
    """Refuses several onnxruntimes in one place: whichever was written last is what runs, often without CUDA. Raises ModelUnusable."""
    found = installed_wheels()
    if len(found) > 1:
        raise ModelUnusable(
            gettext(
                "{first} and {others} are both installed and overwrite each other. Run these two commands: pip uninstall -y {all}, "
                'then pip install {wheel} (with an NVIDIA GPU: pip install "{gpu_wheel}").'
            ).format(first=found[0], others=", ".join(found[1:]), **_again(found))
        )


def _again(found: tuple[str, ...]) -> dict[str, str]:
    return {"all": " ".join(found), "wheel": "onnxruntime", "gpu_wheel": GPU_WHEEL}


@functools.cache
def runtime() -> Any:
    """The module onnxruntime, ready: nothing is reported to anyone, libraries of CUDA are found. Raises ModelUnusable."""
    check_install()
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")  # the same for TensorRT, which is not told by an option; before its libraries are loaded
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError as err:
        raise ModelUnusable(gettext("onnxruntime cannot be used: {reason}. Install it again: pip install onnxruntime.").format(reason=err)) from err
    if not hasattr(onnxruntime, "InferenceSession"):  # what a second wheel leaves behind when the first is removed from beneath it
        found = installed_wheels() or ("onnxruntime",)
        raise ModelUnusable(
            gettext(
                "Files of {name} are missing, as after another onnxruntime has been removed. Run these two commands: pip uninstall -y {all}, "
                'then pip install {wheel} (with an NVIDIA GPU: pip install "{gpu_wheel}").'
            ).format(name=found[0], **_again(found))
        )
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(4)  # a device that does not start is told in a sentence, not in lines on stderr
    if PROVIDERS[CUDA] in onnxruntime.get_available_providers() and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    return onnxruntime


def available() -> tuple[str, ...]:
    """Names of the devices that the installed onnxruntime was built for, the CPU last."""
    built_for = runtime().get_available_providers()
    return (*(name for name, provider in PROVIDERS.items() if provider in built_for and name != CPU), CPU)


def named(device: str) -> str:
    """A device's name as :data:`PROVIDERS` has it, whatever its case. Raises ModelUnusable."""
    for name, provider in PROVIDERS.items():
        if device.lower() in (name.lower(), provider.lower()):
            return name
    raise ModelUnusable(gettext('There is no device "{name}". There are: {names}.').format(name=device, names=", ".join(("auto", *available()))))


@functools.cache
def devices() -> tuple[Device, ...]:
    """What is installed, each tried with a model of one node. Call it in a worker. Raises ModelUnusable for a mixed install."""
    found = [Device(name, PROVIDERS[name], _reason(name)) for name in available()]
    if all(device.name != CUDA for device in found):
        words = gettext('The installed onnxruntime cannot use it. Run: pip uninstall -y {wheels}, then pip install "{gpu_wheel}".')
        found.append(Device(CUDA, PROVIDERS[CUDA], words.format(wheels=" ".join(installed_wheels()) or "onnxruntime", gpu_wheel=GPU_WHEEL)))
    return tuple(sorted(found, key=lambda device: device.name != CPU))


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def at_once(values: int, device: str) -> int:
    """How many inputs of so many values go in at a time: enough to keep a device busy; of a CPU, what stays in its cache, and Cancel is quick."""
    return max(1, min(_MOST_AT_ONCE, (_MOST_CACHED if device == CPU else _MOST_VALUES) // max(1, values)))


def callers(values: int, device: str, batches: int) -> int:
    """How many batches of inputs of so many values are run at a time.

    On a CPU as many as there are processors: each with a thread of its own waits for no other, which does up to half as much again.
    One where memory would add up (large inputs), where it would not pay to load the model for it, and on other devices.
    """
    many = min(cores(), _MOST_CALLERS)
    return many if device == CPU and values <= _MOST_SHARED and batches >= _LEAST_BATCHES * many else 1


def first_line(error: BaseException) -> str:
    """What onnxruntime said, without the places in its sources."""
    lines = str(error).strip().splitlines()
    if len(lines) > 1 and lines[0].endswith("following indices"):
        lines = [f"{lines[0]}: {'; '.join(line.strip() for line in lines[1:] if line.startswith(' index'))}"]
    return _PLACES.sub("", lines[0]).strip() if lines else type(error).__name__


@functools.cache
def known_versions(ir_version: int, opset: int) -> Known:
    """Up to which format and opset the installed runtime goes, asked with a model of one node where a file's are newer than all take."""
    onnxruntime = runtime()
    name = f"onnxruntime {onnxruntime.__version__}"
    known_ir, known_opset = ir_version, opset
    if ir_version > _SURE_IR:
        known_ir = _asked(r"max supported IR version: (\d+)", ir_version, _SURE_OPSET, ir_version)
    if opset > _SURE_OPSET:
        known_opset = _asked(r"till opset (\d+)", _SURE_IR, opset, opset)
    return Known(known_ir, known_opset, name)


def _asked(pattern: str, ir_version: int, opset: int, wanted: int) -> int:
    try:
        _try(_probe(ir_version, opset), PROVIDERS[CPU])
    except Exception as err:  # noqa: BLE001  onnxruntime raises classes of its own
        said = re.search(pattern, str(err))
        return int(said.group(1)) if said else wanted - 1
    return wanted


def _reason(name: str) -> str:
    try:
        got = _try(_probe(_SURE_IR, _SURE_OPSET), PROVIDERS[name])
    except Exception as err:  # noqa: BLE001  onnxruntime raises classes of its own
        return first_line(err)
    return "" if PROVIDERS[name] in got else gettext("It is installed, but does not start: {reason}.").format(reason=missing_of(name))


def missing_of(name: str) -> str:
    """Why a device that onnxruntime was built for does not start; it only says that it did not."""
    if name != CUDA:
        return gettext("its driver or libraries are missing")
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return gettext("no NVIDIA driver was found")
    return gettext("its libraries or the driver are missing or too old")


def _try(model: bytes, provider: str) -> list[str]:
    onnxruntime = runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    asked = [provider] if provider == PROVIDERS[CPU] else [provider, PROVIDERS[CPU]]
    return list(onnxruntime.InferenceSession(model, options, providers=asked, enable_fallback=0).get_providers())


def _probe(ir_version: int, opset: int) -> bytes:
    """A model of one node: y = -x."""
    floats = wire.message(1, wire.number_field(1, 1) + wire.message(2, wire.message(1, wire.number_field(1, 1))))
    node = b"".join(wire.message(number, text) for number, text in ((1, b"x"), (2, b"y"), (4, b"Neg")))
    values = (wire.message(field, wire.message(1, name) + wire.message(2, floats)) for field, name in ((11, b"x"), (12, b"y")))
    graph = wire.message(1, node) + wire.message(2, b"probe") + b"".join(values)
    return wire.number_field(1, ir_version) + wire.message(7, graph) + wire.message(8, wire.number_field(2, opset))
