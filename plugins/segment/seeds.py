"""Seeds for region growing: a click adds a point to the open form, a Shift-click takes the nearest away."""

from __future__ import annotations

from viewer.api import gettext
from viewer.api.tool import Annotation, Pointer, ToolHost

GRASP = 12
"""Screen pixels around a seed within which a Shift-click takes hold of it."""


class Seeds:
    """Places seeds; the host paints them and hands them to the operation."""

    options = None

    def press(self, host: ToolHost, pointer: Pointer) -> None:
        if pointer.shift:
            if not host.remove_point_near(pointer.position, GRASP * pointer.pixel):
                host.say(gettext("There is no seed to remove here."))
        elif host.volume.geometry.nearest(pointer.position) is None:
            host.say(gettext("Click inside the image."))
        else:
            host.add_point(pointer.position)

    def move(self, host: ToolHost, pointer: Pointer) -> None:
        """A seed is placed by the press alone."""

    def release(self, host: ToolHost, pointer: Pointer) -> None:
        """A seed is placed by the press alone."""

    def cancel(self, host: ToolHost) -> None:
        """Nothing is in the making."""

    def shapes(self, host: ToolHost, pointer: Pointer | None) -> tuple[Annotation, ...]:
        return ()
