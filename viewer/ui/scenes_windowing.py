"""Pictures of windowing: the histogram, the list of windows where presets do not fit, colour maps and their bar, a region, a preset being kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from viewer.core.window import Window
from viewer.io.samples import NODULE
from viewer.ui.scenes_stage import LEFT, NONE, Stage


def windowing(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.turn_to(NODULE.centre_mm)
    s.trigger("window.histogram")
    s.wait(lambda: s.window.histogram.plot.accessibleDescription() == "", "the values are counted")
    s.settle()
    yield "histogram"
    s.trigger("window.sigmoid")
    s.window.histogram.plot.setFocus()
    yield "histogram-sigmoid"
    s.trigger("window.histogram")
    s.trigger("window.preset_1")
    s.host.change_wish(color_map="hot_iron")
    s.trigger("window.color_map")
    s.rest()
    yield "colour-maps"
    QApplication.activePopupWidget().close()
    yield "colour-bar"
    s.host.change_wish(color_map="grey")
    s.trigger("tool.region_window")
    s.rest()
    view, start = s.window.view, s.window.view.rect().center() - QPoint(150, 110)
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    QTest.mouseMove(view.viewport(), start + QPoint(120, 70))
    QTest.mouseMove(view.viewport(), start + QPoint(190, 120))
    yield "window-from-a-region"
    QTest.mouseRelease(view.viewport(), LEFT, NONE, start + QPoint(190, 120))
    s.trigger("tool.window")
    volume = s.host.state.volume
    assert volume is not None
    s.window.view_bar.own.save(volume, Window(60, 300), "Larynx")
    s.trigger("window.save_preset")
    yield "save-a-preset"
    QApplication.activeModalWidget().close()
    s.show("MR")
    s.window.view_bar.preset.showPopup()
    yield "presets-of-an-mr"
    s.window.view_bar.preset.hidePopup()


WINDOWING_CHAPTERS = (windowing,)
