"""Pictures of several views: layouts, planes and their crosshair, turned planes, slabs, two series beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from viewer.core.ids import new_id
from viewer.core.oblique import turn_of, turned_about
from viewer.core.slab import Slab
from viewer.core.volume import Volume
from viewer.io.samples import NODULE
from viewer.session.document import Source
from viewer.session.view import triple
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


def cuts(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.trigger("window.preset_2")
    flat = turn_of(s.host.state.geometry, "axial")
    s.host.change_wish(plane="axial", turn=turned_about(flat, (1, 0, 0), 50), place=NODULE.centre_mm, index=None, slab=Slab("mip", 12.0))
    s.rest()
    yield "oblique-slab"
    put_in(s, without_planes(s.host.state.volume))
    s.trigger("window.preset_1")
    s.trigger("layout.mpr")
    s.rest()
    yield "planes-leaning-and-missing"


def without_planes(volume: Volume | None) -> Volume:
    """The same image as if its gantry had been tilted and some of its planes were lost."""
    assert volume is not None
    planes = volume.geometry.shape[0]
    kept = [n for n in range(planes) if not planes // 2 < n <= planes // 2 + planes // 8]
    shape = (len(kept), *volume.geometry.shape[1:])
    origins = tuple(triple(volume.geometry.to_patient((n, 0.35 * n, 0))) for n in kept)
    geometry = replace(volume.geometry, shape=shape, origin=origins[0], plane_origins=origins, between_known=False)
    return Volume(
        new_id("volume"), volume.data[:, kept], geometry, unit=volume.unit, title=volume.title, identity=volume.identity, windows=volume.windows,
        badges=("TILT", "INCOMPLETE"),
    )  # fmt: skip


def put_in(s: Stage, volume: Volume) -> None:
    """Show a volume that no file holds."""
    s.host.document.add_source(volume, Source(volume.id))
    s.host.show_volume(volume.id)
    s.rest()


VIEW_CHAPTERS = (views, beside, cuts)
