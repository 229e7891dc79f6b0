"""What kind of file a model is, by its first bytes: other kinds are named, with what to do, and never opened."""

from __future__ import annotations

import stat
from pathlib import Path

from viewer.api import ModelUnusable, gettext
from viewer.api.models import MAX_MODEL_BYTES


def called(path: Path) -> str:
    """What messages call a file: every model's is named ``model.onnx``, so the folder is said, too."""
    return f"{path.parent.name}/{path.name}" if path.name == "model.onnx" else path.name


def check_container(path: Path, name: str = "") -> None:
    """The file is there, no link, of a sane size, and by its first bytes no other kind of model. Raises ModelUnusable, OSError.

    ``name``: what messages call it, if not :func:`called`.
    """
    name = name or called(path)
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ModelUnusable(gettext("{file} is a link or no file at all. Put the model itself there.").format(file=name))
    if found.st_size > MAX_MODEL_BYTES:
        raise ModelUnusable(gettext("{file} is larger than {size} GiB.").format(file=name, size=MAX_MODEL_BYTES >> 30))
    with path.open("rb") as file:
        start = file.read(4096)
    kind = _other_kind(start, path.suffix.lower())
    if kind:
        raise ModelUnusable(kind.format(file=name))


def _other_kind(start: bytes, suffix: str) -> str:
    """What to say of a model of another kind; "" where it may be ONNX."""
    torch = gettext("{file} is a PyTorch file, not ONNX. It may hold code and is not opened: export the model with torch.onnx.export.")
    keras = gettext("{file} is a Keras model, not ONNX. Convert it with tf2onnx (python -m tf2onnx.convert).")
    if start[:4] == b"PK\x03\x04":
        if b"data.pkl" in start or suffix in (".pt", ".pth", ".ckpt", ".bin"):
            return torch
        is_keras = suffix == ".keras" or b"model.weights.h5" in start or b"metadata.json" in start
        return keras if is_keras else gettext("{file} is a ZIP archive, not ONNX. Unpack it first.")
    if start[:1] == b"\x80" and 2 <= start[1] <= 5 if len(start) > 1 else False:
        if suffix in (".pt", ".pth", ".ckpt", ".bin"):
            return torch
        return gettext(
            "{file} is a Python pickle, not ONNX. It may hold code and is not opened: export the model as ONNX (torch.onnx.export, skl2onnx)."
        )
    if start[:8] == b"\x89HDF\r\n\x1a\n":
        return keras
    if start[4:8] == b"TFL3":
        return gettext("{file} is a TensorFlow Lite model, not ONNX. Convert it with tf2onnx (python -m tf2onnx.convert --tflite).")
    if start[4:8] == b"ORTM":
        return gettext("{file} is in onnxruntime's own format. Use the .onnx file that it was made from.")
    if start[8:10] == b'{"' and suffix == ".safetensors":
        return gettext("{file} holds weights only, no model. Export the model as ONNX.")
    by_name = {".pt": torch, ".pth": torch, ".h5": keras, ".keras": keras}
    return by_name.get(suffix, "") if start else ""
