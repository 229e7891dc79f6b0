"""States of finding one's way: key images and their list, the slider's marks, the magnifier, rulers, hanging, cine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from viewer.core.annotation import Annotation, Measure
from viewer.io.samples import NODULE
from viewer.session.key_images import note_key_image
from viewer.session.view import triple
from viewer.ui.scenes_stage import Stage, at


def key_images(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    host = s.host
    s.window.dock.show_panel("measure")
    s.settle()
    yield "key-images-none"
    s.trigger("window.preset_2")
    for offset, note in ((0, "Nodule, right upper lobe"), (14, ""), (-22, "Compare with the last study")):
        s.turn_to(NODULE.centre_mm)
        host.change_wish(index=host.state.index + offset)
        s.trigger("view.key_image")
        if note:
            note_key_image(host.document, host.document.items("key_image")[-1].id, note)
    s.turn_to(NODULE.centre_mm)
    _measure(s)
    s.settle()
    yield "key-images"
    port = s.window.view.viewport()
    _move(s, QPoint(port.width() - 7, port.height() // 3))
    s.rest()
    yield "slider-under-the-pointer"
    _leave(s)
    s.trigger("file.export_key_images")
    s.settle()
    yield "export-key-images"


def looking_closely(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.trigger("window.preset_2")
    s.turn_to(NODULE.centre_mm)
    s.trigger("view.ruler")
    yield "rulers"
    s.trigger("view.magnifier")
    _move(s, at(s.window.view, NODULE.centre_mm))
    yield "magnifier"
    s.host.change_wish(zoom=12.0, center=NODULE.centre_mm)
    s.rest()
    _move(s, at(s.window.view, NODULE.centre_mm) + QPoint(3, 3))
    yield "magnifier-with-values"
    s.trigger("view.magnifier")
    s.trigger("view.ruler")
    _leave(s)
    s.trigger("view.fit")
    s.trigger("view.neurological")
    yield "neurological"
    s.trigger("view.neurological")


def cine(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.trigger("cine.sweep")
    now = [0.0]
    s.window.cine._clock = lambda: now[0]
    s.trigger("view.cine")
    s.window.cine._timer.stop()
    s.window.cine._timer.setInterval(3_600_000)
    s.window.cine._timer.start()
    for _frame in range(12):
        now[0] += 0.1001
        s.window.cine.step()
    s.rest()
    yield "cine-playing"
    s.window.cine.stop()
    s.trigger("cine.loop")


def _measure(s: Stage) -> None:
    """A distance across the nodule, as a finding for the slider."""
    x, y, z = NODULE.centre_mm
    ends = (triple((x - 6, y, z)), triple((x + 6, y, z)))
    line = Annotation("annotation-scene", "distance", s.host.root_id, ends, measures=(Measure("Length", 12.0, "mm"),))
    with s.host.document.edit("Measure a distance") as edit:
        edit.put(line)
        edit.put(replace(line, id="annotation-scene-2", points=tuple(triple((p[0], p[1], p[2] + 20)) for p in ends)))


def _move(s: Stage, place: QPoint) -> None:
    port = s.window.view.viewport()
    none = Qt.MouseButton.NoButton
    where = QPointF(port.mapToGlobal(place))
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(place), where, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(port, event)


def _leave(s: Stage) -> None:
    for receiver in (s.window.view.viewport(), s.window.view):
        QApplication.sendEvent(receiver, QEvent(QEvent.Type.Leave))


NAVIGATION_CHAPTERS = (key_images, looking_closely, cine)
