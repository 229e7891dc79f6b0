"""The classifier against a bare ``InferenceSession.run`` of the same tensor: from the key to the painted result, first use, heat-maps,
a series, and the window's largest gap meanwhile. With CUDA also batches of 256.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.gaps import LIMIT_MS, Pulse
from benchmarks.table import Row
from benchmarks.timing import in_turns, median_ms
from viewer.core.geometry import Geometry
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window

ROUNDS, PLANES, SIDE, LONGEST_S = 15, 120, 224, 60.0
GPU_BATCH, SAME_WITHIN = 256, 1e-3
OVER_BARE_MS, FIRST_MS, OCCLUSION_MS = 15.0, 1000.0, 2000.0
CAM_AT_MOST, SERIES_AT_MOST = 1.2, 1 / 0.9
PAUSE_MS = 120
"""Between rounds: the threads of one onnxruntime spin for a while after a run, and would take the processors from the other."""
CLASSIFY, HEAT_MAP = "Classify/Classify", "Classify/Heat map"
ROOT = Path(__file__).resolve().parents[1]
FIRST = """
import json, sys
from benchmarks.classifier import first_use
print(json.dumps(first_use()), flush=True)
"""


def film(name: str, rows: int, columns: int, dtype: type[np.generic] = np.uint8, *, planes: int = 1, modality: str = "DX") -> Volume:
    """Something like a chest film: bright middle and edges, two dark fields, noise; each plane another."""
    rng = np.random.default_rng(11)
    y, x = np.meshgrid(np.linspace(-1, 1, rows, dtype=np.float32), np.linspace(-1, 1, columns, dtype=np.float32), indexing="ij")
    lungs = sum(np.exp(-(((x - side) / 0.3) ** 2 + (y / 0.6) ** 2) * 2) for side in (-0.45, 0.45))
    body = 190 - 130 * lungs + 40 * np.exp(-((x / 0.12) ** 2))
    scale = 1 if dtype is np.uint8 else 12
    values = np.stack([np.clip(body + rng.normal(0, 8, body.shape) + plane % 7, 0, 255) * scale for plane in range(planes)]).astype(dtype)
    who = Identity(
        modality=modality, body_part="CHEST", view_position="PA", patient_age="004Y", series_uid=f"1.2.{name}", series_description="Made film"
    )
    grid = Geometry((planes, rows, columns), (0, 0, 0), (1.0, 0.14, 0.14))
    return Volume(f"volume-{name}", values[None], grid, "image" if planes == 1 else "volume", title="Made", identity=who)


class Bench:
    """The real window with its workers, and onnxruntime alone beside it."""

    def __init__(self) -> None:
        from viewer.jobs.pool import Pool
        from viewer.session.plugins import discover
        from viewer.session.settings import Settings
        from viewer.ui import theme
        from viewer.ui.application import WARM
        from viewer.ui.host import Host
        from viewer.ui.window import Window as MainWindow

        sys.setswitchinterval(0.001)  # as the program does at its start
        self.app = QApplication.instance() or QApplication(["classifier"])
        theme.apply_theme(self.app, "dark")
        self.host = Host(discover(), Pool(2, warm=WARM), Settings())
        self.window = MainWindow(self.host, restore=False)
        self.window.resize(1400, 900)
        self.window.show()
        self.window.dock.show_panel("classify")
        wait_until(lambda: self.host.registry.known_spec(CLASSIFY) is not None)  # the workers have started
        settle(500)

    def show(self, volume: Volume) -> None:
        self.host.document.add_source(volume)
        self.host.show_volume(volume.id)
        settle(300)

    def click(self) -> float:
        """Milliseconds from the key to the painted panel with a report, of an image that had none; an earlier one is taken back first."""
        from viewer.ui.panels.report_views import ScoreRows

        while self.reports():
            self.host.undo()
            settle(PAUSE_MS)
        loop, painted = QEventLoop(), _Painted(self.window.dock.panel("classify").findChild(ScoreRows))
        failures: list[str] = []

        def look(*_: object) -> None:
            if self.reports() and painted.is_new:
                loop.quit()

        def failed(notice: Any) -> None:
            if notice.kind == "err":
                failures.append(notice.text)
                loop.quit()

        self.host.document_changed.connect(painted.forget)
        self.host.notice.connect(failed)
        painted.seen = look
        began = time.perf_counter()
        self.window.actions_table["analysis.classify"].trigger()
        QTimer.singleShot(int(LONGEST_S * 1000), loop.quit)
        loop.exec()
        spent = ((painted.at or time.perf_counter()) - began) * 1000
        self.host.document_changed.disconnect(painted.forget)
        self.host.notice.disconnect(failed)
        painted.stop()
        if not self.reports():
            raise RuntimeError(f"there was no report: {failures or 'time is over'}")
        return spent

    def reports(self) -> tuple[Any, ...]:
        return tuple(self.host.document.reports_of(self.host.root_id))

    def run(self, name: str, parameters: dict[str, Any], kind: str) -> float:
        """Milliseconds from the call to the committed step."""
        loop, errors = QEventLoop(), list[BaseException]()
        began = time.perf_counter()
        call = self.host.prepare(name, parameters, self.host.scope(kind))
        self.host.run(call, lambda _step: loop.quit(), lambda error: (errors.append(error), loop.quit()))
        QTimer.singleShot(int(LONGEST_S * 1000), loop.quit)
        loop.exec()
        if errors:
            raise errors[0]
        return (time.perf_counter() - began) * 1000

    def close(self) -> None:
        self.window.close()


class _Painted(QObject):
    """When the frame was done in which a widget was painted first since the document changed: all of the window, and out of its hands.

    It looks at that widget and the window alone: a filter of all events takes long.
    """

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self._widget, self.is_new, self.at, self.seen = widget, False, 0.0, lambda: None
        for watched in (widget, widget.window()):
            watched.installEventFilter(self)

    def forget(self, *_: object) -> None:
        self.is_new = False

    def stop(self) -> None:
        for watched in (self._widget, self._widget.window()):
            watched.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  Qt's name
        if watched is self._widget and event.type() == QEvent.Type.Paint:
            self.is_new = True
        if watched is self._widget or event.type() != QEvent.Type.UpdateRequest or self.is_new:
            return False
        watched.event(event)
        if self.is_new:
            self.at = time.perf_counter()
            self.seen()
        return True


def settle(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + LONGEST_S
    while not is_so():
        if time.monotonic() > limit:
            raise TimeoutError("the window did not get ready")
        settle(20)


def rows() -> list[Row]:
    """All figures, of the model that the program chooses for a chest film."""
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")):
            os.environ[name] = str(Path(folder) / part)
        return [*_first(), *_measure()]


def first_use() -> dict[str, float]:
    """In a fresh process: the first click after the window stands, with nothing loaded for models; and the same at once again."""
    bench = Bench()
    volume = film("first", SIDE, SIDE)
    bench.host.document.add_source(volume)
    bench.host.show_volume(volume.id)
    bench.app.processEvents()
    figures = {"first": bench.click(), "second": bench.click()}
    bench.close()
    return figures


def _first() -> list[Row]:
    found = []
    for _round in range(3):
        done = subprocess.run([sys.executable, "-c", FIRST], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
        found.append(json.loads(done.stdout.splitlines()[-1])["first"])
    return [Row("first use: key to painted result, no library and no model loaded", statistics.median(found), limit=FIRST_MS)]


def _measure() -> list[Row]:
    bench = Bench()
    small = film("224", SIDE, SIDE)
    bench.show(small)
    bench.click()
    model = bench.reports()[-1].model
    bare = Bare(model)
    found = [Row(f"loading {model}: session alone", bare.load_ms)]
    found += _clicks(bench, bare, small, "224 x 224")
    large = film("large", 2500, 2048, np.uint16)
    bench.show(large)
    bench.click()
    found += _clicks(bench, bare, large, "2500 x 2048, 16 bits")
    found += _explained(bench, bare, small, model)
    found += _series(bench, bare, model)
    bench.close()
    return found + _cuda(bare)


class Bare:
    """onnxruntime and nothing else."""

    def __init__(self, model: str) -> None:
        import onnxruntime

        from viewer.session.models import choose_model, list_models

        self.card = choose_model(list_models()[0], model)
        began = time.perf_counter()
        self.session = onnxruntime.InferenceSession(str(self.card.model_path), self.options(), providers=["CPUExecutionProvider"])
        self.load_ms = (time.perf_counter() - began) * 1000
        self.name = self.session.get_inputs()[0].name
        self.output = self.card.output.name or self.session.get_outputs()[0].name

    @staticmethod
    def options() -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        options.add_session_config_entry("session.force_spinning_stop", "1")  # as the program's sessions
        return options

    def tensor(self, volume: Volume) -> NDArray[np.float32]:
        from plugins.classify import feeding
        from viewer.session.apply import Scope, image_of

        image = image_of(volume, Scope())
        return np.stack([feeding.plane_input(self.card, image, plane) for plane in range(volume.geometry.shape[0])])

    def outputs(self) -> list[str]:
        """What the program asks the graph for beside the map: the scores, and how strange the image is."""
        spec = self.card.familiarity
        return [self.output, *([spec.output] if spec.kind == "output" and spec.output else [])]

    def run(self, tensor: NDArray[np.float32]) -> float:
        began = time.perf_counter()
        self.session.run(self.outputs(), {self.name: tensor})
        return (time.perf_counter() - began) * 1000


def _clicks(bench: Bench, bare: Bare, volume: Volume, words: str) -> list[Row]:
    tensor = bare.tensor(volume)
    bare.run(tensor)
    ours, alone, pulse = [], [], Pulse()
    worst = 0.0
    for _round in range(ROUNDS):
        settle(PAUSE_MS)
        pulse.start()
        ours.append(bench.click())
        worst = max(worst, pulse.stop())
        settle(PAUSE_MS)
        alone.append(bare.run(tensor))
    beside = statistics.median(alone)
    limit = beside + OVER_BARE_MS if volume.geometry.shape[1:] == (SIDE, SIDE) else None
    note = f"worker's own figure {bench.reports()[-1].milliseconds:.1f} ms; least {min(ours):.1f} ms, bare {min(alone):.1f} ms"
    return [
        Row(f"key to painted result, {words}", statistics.median(ours), rival="bare run", rival_figure=beside, limit=limit, note=note),
        Row(f"largest gap of the window meanwhile, {words}", worst, limit=LIMIT_MS),
    ]


def _explained(bench: Bench, bare: Bare, volume: Volume, model: str) -> list[Row]:
    """The exact map in the same run, and occlusion."""
    bench.host.show_volume(volume.id)
    settle(300)
    pulse = Pulse()
    spent, alone, tensor = [], [], np.repeat(bare.tensor(volume), 28, axis=0)
    for _round in range(3):
        settle(PAUSE_MS)
        pulse.start()
        spent.append(bench.run(HEAT_MAP, {"model": model, "method": "occlusion"}, "slice"))
        gap = pulse.stop()
        settle(PAUSE_MS)
        alone.append(_timed(lambda: [bare.run(tensor) for _batch in range(7)]))
    return [
        *_map_in_the_same_run(bare, volume),
        Row(
            "occlusion, 14 x 14 patches, call to step",
            statistics.median(spent),
            rival="bare runs of as many",
            rival_figure=statistics.median(alone),
            limit=OCCLUSION_MS,
        ),
        Row("largest gap of the window meanwhile", gap, limit=LIMIT_MS),
    ]


def _map_in_the_same_run(bare: Bare, volume: Volume) -> list[Row]:
    """Scores and the exact map from one run of the program's session, beside scores alone from a bare one."""
    from plugins.classify import batching, explain, onnx_trust

    tensor, wanted = bare.tensor(volume), explain.wanted(bare.card)
    if not wanted:
        return []
    runner = batching.loaded(bare.card, "CPU")
    names = [onnx_trust.output_name(runner.facts, bare.card), *wanted]
    entry = onnx_trust.input_name(runner.facts, bare.card)
    positive = explain.usual_class(bare.card)

    def ours() -> None:
        found = dict(zip(names, runner.run(names, {entry: tensor}), strict=True))
        explain.exact_map(bare.card, found[wanted[0]], positive)

    def alone() -> None:
        bare.session.run([bare.output], {bare.name: tensor})

    pairs = in_turns(ours, alone, rounds=60, warm_up=5)
    # The least of each: two onnxruntimes in one process take each other's processors, and others' work does too.
    with_map, without = (min(times) for times in zip(*pairs, strict=True))
    return [Row("scores and exact map of one film, least", with_map, rival="scores alone", rival_figure=without, at_most=CAM_AT_MOST)]


def _series(bench: Bench, bare: Bare, model: str) -> list[Row]:
    volume = film("series", 512, 512, np.int16, planes=PLANES)
    volume = replace(volume, windows=(Window(1500, 3000),))
    bench.show(volume)
    tensor = bare.tensor(volume)
    batches: dict[int, float] = {}
    for batch in (1, 2, 4, 8, 16, 32, 64):
        parts = [tensor[start : start + batch] for start in range(0, PLANES, batch)]
        bare.run(parts[0])
        batches[batch] = min(_timed(lambda parts=parts: [bare.run(part) for part in parts]) for _round in range(2))
    best = min(batches, key=lambda batch: batches[batch])
    parts = [tensor[start : start + best] for start in range(0, PLANES, best)]
    ours, alone, pulse, worst = [], [], Pulse(), 0.0
    for _round in range(3):
        settle(PAUSE_MS)
        pulse.start()
        ours.append(bench.run(CLASSIFY, {"model": model}, "volume"))
        worst = max(worst, pulse.stop())
        settle(PAUSE_MS)
        alone.append(_timed(lambda: [bare.run(part) for part in parts]))
    return [
        Row(
            f"series of {PLANES} planes of 512 x 512, call to step",
            statistics.median(ours),
            rival=f"bare runs of {best}",
            rival_figure=statistics.median(alone),
            at_most=SERIES_AT_MOST,
            note=f"{PLANES * 1000 / statistics.median(ours):.0f} planes/s, bare {PLANES * 1000 / statistics.median(alone):.0f}",
        ),
        Row("largest gap of the window meanwhile, series", worst, limit=LIMIT_MS),
    ]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _cuda(bare: Bare) -> list[Row]:
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return [Row("no CUDA here", 0.0, note="rows for batches of 256 on a GPU appear where onnxruntime finds one")]
    return on_device(bare, "CUDAExecutionProvider", "cuda", "CUDA")


def on_device(bare: Bare, provider: str, place: str, device: str) -> list[Row]:
    """Batches of 256 on a device: with the copies there and back, with everything there already, and through the program."""
    import onnxruntime

    from plugins.classify import devices
    from plugins.classify.classify import classified
    from viewer.session.apply import Scope, image_of

    told = [(provider, dict(devices.OPTIONS.get(device, {})))]  # as precise as the program asks for, so that the two do the same work
    session = onnxruntime.InferenceSession(str(bare.card.model_path), bare.options(), providers=told)
    if provider not in session.get_providers():
        return [Row(f"{device} is there but could not be used", 0.0)]
    volume = film("batch", SIDE, SIDE, planes=GPU_BATCH)
    tensor = bare.tensor(volume)
    expected = np.concatenate([bare.session.run([bare.output], {bare.name: tensor[n : n + 32]})[0] for n in range(0, GPU_BATCH, 32)])
    got = session.run([bare.output], {bare.name: tensor})[0]
    apart = float(np.abs(_share(expected) - _share(got)).max())
    binding = session.io_binding()
    binding.bind_ortvalue_input(bare.name, onnxruntime.OrtValue.ortvalue_from_numpy(tensor, place, 0))
    for name in bare.outputs():
        binding.bind_output(name, place)

    def there() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    whole = median_ms(lambda: session.run(bare.outputs(), {bare.name: tensor}), rounds=20, warm_up=3)
    alone = median_ms(there, rounds=20, warm_up=3)
    image = image_of(volume, Scope())
    ours = median_ms(lambda: classified(bare.card, image, device=device), rounds=5)

    def speed(milliseconds: float) -> str:
        return f"{GPU_BATCH * 1000 / milliseconds:.0f} images/s, the device works {min(1.0, alone / milliseconds):.0%} of the time"

    batch = f"batch of {GPU_BATCH}, {device}"
    return [
        Row(f"{batch}, with copies", whole, rival="on the device alone", rival_figure=alone, note=speed(whole)),
        Row(f"{batch}, through the program from {SIDE} px films", ours, rival="on the device alone", rival_figure=alone, note=speed(ours)),
        Row(f"largest difference of a probability, {device} and CPU", apart, unit="", limit=SAME_WITHIN),
    ]


def _share(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))))


if __name__ == "__main__":
    for row in rows():
        print(row)
