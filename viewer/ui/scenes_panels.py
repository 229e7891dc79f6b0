"""The states of the dock's panels and of the results drawer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from viewer.core.geometry import Triple
from viewer.core.ids import new_id
from viewer.core.labels import LabelLayer, Segment, segment_color
from viewer.core.words import gettext as _
from viewer.io.samples import NODULE
from viewer.session.apply import Scope, SegmentRef
from viewer.session.plugins import OperationEntry, Plugin
from viewer.ui.scenes_classify import CLASSIFY_CHAPTERS
from viewer.ui.scenes_stage import Stage
from viewer.ui.tooling import rename_segment

Maker = Callable[..., Stage]
X, Y, Z = NODULE.centre_mm
IN_LUNG: Triple = (X + 22, Y - 20, Z)


def enhance(stage: Maker) -> Iterator[str]:
    s = thorax(stage)
    panel = s.window.dock.show_panel("enhance").operations
    choose(panel, "CLAHE")
    yield "enhance-form"
    s.press(panel.preview.switch)
    s.wait(lambda: s.window.view._preview is not None, "the preview is shown")
    yield "enhance-preview"
    s.press(panel.preview.switch)
    choose(panel, "Gamma")
    s.type(panel.form.rows["gamma"].field, "90")
    yield "enhance-field-error"
    s.type(panel.form.rows["gamma"].field, "0.5", enter=True)
    s.settle()
    yield "enhance-applied"


def enhance_network(stage: Maker) -> Iterator[str]:
    s = thorax(stage)
    panel = s.window.dock.show_panel("enhance").operations
    choose(panel, "Network")
    yield "enhance-no-network"


def enhance_busy(stage: Maker) -> Iterator[str]:
    s = thorax(stage, workers=1)
    panel = s.window.dock.show_panel("enhance").operations
    choose(panel, "Median")
    s.type(panel.form.rows["radius"].field, "3")
    s.press(panel.apply_button)
    s.wait(lambda: any(t.title == _("Median") and t.done > 30 for t in s.host.work.tasks()), "the median is on its way")
    yield "enhance-busy"
    s.press(s.window.status.jobs)
    yield "jobs-running"
    s.window.jobs.close()
    s.press(panel.cancel_button)
    s.settle()
    yield "enhance-cancelled"


def enhance_failed(stage: Maker) -> Iterator[str]:
    s = thorax(stage, extra=(faulty_plugin,))
    panel = s.window.dock.show_panel("enhance").operations
    for title in ("Logarithm", "Deconvolution"):
        choose(panel, title)
        s.press(panel.apply_button)
        s.settle()
    yield "enhance-failed"
    s.press(s.window.status.jobs)
    yield "jobs-done-and-failed"
    s.window.jobs.close()


def segment(stage: Maker) -> Iterator[str]:
    s = stage()
    s.window.dock.show_panel("segment")
    yield "segment-nothing-open"
    s = thorax(stage, preset=True)
    panel = s.window.dock.show_panel("segment")
    yield "segment-empty"
    s.trigger("tool.Segment/Brush")
    s.drag((X - 5, Y, Z), (X + 4, Y + 2, Z), (X + 4, Y - 4, Z))
    yield "segment-brush"
    s.trigger("tool.Segment/Seeds")
    s.click((X, Y, Z))
    panel.show_operation("Segment/Region growing")
    operations = panel.operations
    s.type(operations.form.rows["low"].field, "-200")
    s.type(operations.form.rows["high"].field, "300")
    s.press(operations.preview.switch)
    s.wait(lambda: s.window.view._preview is not None, "the preview is shown")
    yield "segment-grow-preview"
    s.press(operations.apply_button)
    s.settle()
    yield "segment-grown"


def segment_watershed(stage: Maker) -> Iterator[str]:
    s = thorax(stage, preset=True)
    panel = s.window.dock.show_panel("segment")
    s.trigger("tool.Segment/Brush")
    s.drag((X, Y, Z), (X + 1, Y, Z))
    s.window.tooling.add_segment("Lung")
    s.drag(IN_LUNG, (X + 22, Y + 20, Z), (X - 16, Y + 22, Z))
    panel.show_operation("Segment/Watershed")
    operations = panel.operations
    operations.scope.set_value("slice")
    s.press(operations.preview.switch)
    s.wait(lambda: s.window.view._preview is not None, "the preview is shown")
    yield "segment-watershed-preview"


def segment_list(stage: Maker) -> Iterator[str]:
    s = thorax(stage, preset=True)
    s.window.dock.show_panel("segment")
    s.trigger("tool.Segment/Brush")  # its options are short: the list is in sight
    layer = balls(s, ["Nodule", "Aorta", "Oesophagus", "Vertebral body with a name that is longer than its row has room for"])
    rename_segment(s.host, SegmentRef(layer, 2), is_locked=True)
    rename_segment(s.host, SegmentRef(layer, 3), is_visible=False)
    yield "segments-locked-and-hidden"
    s = thorax(stage, preset=True)
    s.window.dock.show_panel("segment")
    s.trigger("tool.Segment/Brush")
    balls(s, [f"Structure {number}" for number in range(1, 14)])
    yield "segments-13"


def measure(stage: Maker) -> Iterator[str]:
    s = thorax(stage, preset=True)
    panel = s.window.dock.show_panel("measure")
    yield "measure-empty"
    s.window.show_results()
    yield "results-empty"
    s.window.show_results(False)
    s.trigger("tool.Measure/Distance")
    s.drag((X - 9, Y, Z), (X + 9, Y, Z))
    s.trigger("tool.Measure/Ellipse")
    s.drag((10.0, 30.0, Z), (40.0, 55.0, Z))
    s.trigger("tool.Measure/Distance")
    s.drag((-80.0, -60.0, Z), (80.0, -60.0, Z))
    s.window.tooling.select("")
    s.trigger("tool.window")
    yield "measure-on-image"
    table = panel.measurements.table
    table.selectRow(1)
    yield "measure-selected"
    run(s, "Segment/Threshold", {"low": -200.0, "high": 3000.0})
    run(s, "Measure/Segment statistics", {})
    s.window.show_results()
    yield "results-features"
    s.window.results.show_source("measurements")
    yield "results-measurements"
    s.window.show_results(False)
    run(s, "Measure/Sobel", {}, "volume")
    yield "measure-map"


def history(stage: Maker) -> Iterator[str]:
    s = thorax(stage, preset=True)
    s.window.dock.show_panel("history")
    yield "history-empty"
    for number in range(14):
        s.window.tooling.pick("Measure/Distance")
        s.drag((-70.0 + 10 * number, -40.0, Z), (-70.0 + 10 * number, 10.0 + 2 * number, Z))
    run(s, "Enhance/Gaussian", {})
    run(s, "Segment/Threshold", {"low": 150.0, "high": 3000.0})
    s.window.tooling.pick("window")
    yield "history-long"
    for __ in range(2):
        s.trigger("edit.undo")
    yield "history-undone-steps"


PANEL_CHAPTERS = (
    enhance, enhance_network, enhance_busy, enhance_failed, segment, segment_watershed, segment_list, measure, *CLASSIFY_CHAPTERS, history,
)  # fmt: skip


# --- how a scene is set ---

_FAULTY = '''
from viewer.api import Image, operation


@operation()
def deconvolve(image: Image) -> Image:
    """Sharpen by the inverse of the blur."""
    raise ValueError("the kernel is singular")
'''


def thorax(stage: Maker, *, preset: bool = False, **options: Any) -> Stage:
    """The sample study, at the nodule's slice of the phantom."""
    s = stage(**options)
    s.open_sample()
    s.turn_to(NODULE.centre_mm)
    if preset:
        s.trigger("window.preset_2")
    s.rest()
    return s


def choose(panel: Any, title: str) -> None:
    """Choose an operation in the list of a panel."""
    panel.chooser.setCurrentIndex(panel.chooser.findText(_(title)))


def run(s: Stage, name: str, parameters: dict[str, Any], scope: str = "volume", target: SegmentRef | None = None) -> None:
    """Run an operation on what is shown; masks it needs are the active segment."""
    spec = s.host.registry.spec(name, s.host.pool)
    given = dict(parameters)
    active = s.window.tooling.active
    for parameter in spec.parameters:
        if parameter.type == "mask" and active is not None:
            given[parameter.name] = active
    what = Scope("volume") if scope == "volume" else s.host.scope(scope)
    s.host.run(s.host.prepare(name, given, what, target))
    s.settle()


def balls(s: Stage, names: list[str]) -> str:
    """A layer with a ball of each name on the slice in view; its id."""
    import numpy as np

    volume = s.host.state.volume
    assert volume is not None
    geometry = volume.geometry
    layer = LabelLayer(
        new_id("layer"), "Segments", geometry, volume.root_id, tuple(Segment(n, name, segment_color(n)) for n, name in enumerate(names, 1))
    )
    whole = (slice(0, geometry.shape[0]), slice(0, geometry.shape[1]), slice(0, geometry.shape[2]))
    planes, rows, columns = np.ogrid[whole]
    with s.host.document.edit("Draw {count} segments", count=len(names)) as edit:
        edit.put(layer)
        for number in range(len(names)):
            k, j, i = geometry.to_index((X + 32 * (number % 5), Y - 50 + 34 * (number // 5), Z))
            ball = ((planes - k) * 2.5) ** 2 + ((rows - j) * 1.1) ** 2 + ((columns - i) * 1.1) ** 2 < 12**2
            edit.paint(layer.id, whole, ball, number + 1)
    s.window.tooling.set_active(SegmentRef(layer.id, 1))
    s.rest()
    return layer.id


def faulty_plugin(folder: Path) -> Plugin:
    """A plugin whose one operation fails, written on the spot."""
    place = folder / "faulty"
    place.mkdir(exist_ok=True)
    (place / "faulty_filter.py").write_text(_FAULTY, encoding="utf-8")
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
    return Plugin("faulty", "Faulty", "1.0", False, True, (OperationEntry("Enhance/Deconvolution", "faulty_filter:deconvolve", "faulty"),))
