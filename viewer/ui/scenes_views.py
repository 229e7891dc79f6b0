"""Pictures of several views: layouts, planes and their crosshair, turned planes, slabs, two series beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from viewer.io.samples import NODULE
from viewer.ui.scenes_stage import Stage


def views(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.turn_to(NODULE.centre_mm)
    s.trigger("window.preset_2")
    s.trigger("layout.mpr")
    s.trigger("tool.crosshair")
    s.click(NODULE.centre_mm)
    yield "mpr"
    s.host.turn(0, float(np.radians(25)))
    s.rest()
    yield "mpr-turned"
    s.trigger("layout.straighten")
    s.trigger("slab.mip")
    s.rest()
    yield "mpr-slab"
    s.trigger("slab.off")
    s.trigger("layout.mpr_four")
    s.rest()
    yield "2x2-linked-with-crosshair"
    s.trigger("layout.choose")
    yield "layout-chooser"


def beside(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.turn_to(NODULE.centre_mm)
    s.trigger("layout.1x2")
    s.host.activate(1)
    yield "empty-cell"
    s.show("CT thorax phantom")
    s.turn_to(NODULE.centre_mm)
    s.trigger("link.window")
    s.trigger("window.preset_3")
    s.rest()
    yield "compare"
    s.show("MR")
    s.trigger("link.by_offset")
    s.rest()
    yield "compare-linked-by-offset"
    s = stage(size=(1600, 1000))
    s.open_sample()
    s.trigger("layout.3x3")
    for cell in range(9):
        s.host.activate(cell)
        s.show("CT thorax phantom")
        s.host.set_links(type(s.host.desk.links)(scroll=False))
        s.host.change_wish(index=2 + 4 * cell)
    s.rest()
    yield "3x3"


VIEW_CHAPTERS = (views, beside)
