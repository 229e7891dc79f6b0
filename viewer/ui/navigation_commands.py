"""What the actions for finding one's way do: key images, magnifier, rulers, hanging, what cine does at its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence

from viewer.session.history import Changes
from viewer.session.key_images import indices_in, shown_key_image, toggle_key_image
from viewer.ui.cine import MODES
from viewer.ui.views.slice_view import SliceView

if TYPE_CHECKING:
    from viewer.ui.window import Window

_HELD_S = 0.35
"""A key that is down longer than this was held, and lets go of what it switched on."""


class NavigationCommands(QObject):
    """Handlers of the action table, bound by id; keeps all views alike in magnifier, rulers and letters."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._host = window, window.host
        self._has_magnifier, self._pressed_at = False, 0.0
        if self._host.settings.chosen("neurological"):
            self._host.set_neurological(True)
        window.grid.made.connect(self._connect_view)
        window.tooling.segment_changed.connect(self._mark_segment)
        window.cine.told.connect(self._check)
        window.host.document_changed.connect(self._take_changes)
        window.actions_table["view.magnifier"].setAutoRepeat(False)

    def handlers(self) -> dict[str, Any]:
        return {
            "view.key_image": self.toggle_key_image,
            "view.previous_key_image": lambda: self.next_key_image(-1),
            "view.next_key_image": lambda: self.next_key_image(1),
            "file.export_key_images": lambda: self._window.open_export("key_images"),
            "view.magnifier": self._toggle_magnifier,
            "view.ruler": lambda: self._switch("ruler"),
            "view.neurological": lambda: self._switch("neurological"),
            **{f"cine.{mode}": (lambda mode=mode: self._set_mode(mode)) for mode in MODES},
        }

    def settings(self) -> dict[str, Callable[[], None]]:
        """What follows when a setting is changed, by its key."""
        return {"magnifier": self._show_magnifier, "ruler": self._show_ruler, "neurological": self._show_neurological}

    def checked(self) -> dict[str, bool]:
        """Which of the actions are in force."""
        state = self._host.state
        return {
            "view.key_image": state.volume is not None and shown_key_image(self._host.document, state) is not None,
            "view.magnifier": self._has_magnifier,
            "view.ruler": self._host.settings.chosen("ruler"),
            "view.neurological": self._host.settings.chosen("neurological"),
            **{f"cine.{mode}": self._window.cine.mode == mode for mode in MODES},
        }

    def facts(self) -> set[str]:
        """The needs of actions that are met, of those that are known here."""
        return {"key_images"} if self._host.document.items("key_image") else set()

    # --- key images ---

    def toggle_key_image(self) -> None:
        """Mark the image in view, or take its mark off."""
        if self._host.state.volume is not None:
            with self._host.reporting():
                toggle_key_image(self._host.document, self._host.wish, self._host.state)
        self._check()

    def next_key_image(self, sign: int) -> None:
        """The key image before or after the slice in view, at the end the first one again; where none lies along these slices, one that does not."""
        state, marked = self._host.state, self._host.document.items("key_image")
        there = sorted(indices_in(marked, state)) if state.volume is not None else []
        if not there:
            elsewhere = [item for item in marked if item.volume_id == self._host.root_id] or marked
            if elsewhere:
                self._host.show_key_image(elsewhere[0 if sign > 0 else -1])
            return
        walks_frames = state.count == 1
        now = state.phase if walks_frames else state.index
        beyond = [n for n in there if (n > now if sign > 0 else n < now)]
        found = (beyond or there)[0 if sign > 0 else -1]
        self._host.change_wish(**({"phase": found} if walks_frames else {"index": found}))

    # --- what all views have ---

    def _connect_view(self, view: SliceView) -> None:
        view.installEventFilter(self)
        view.navigator.magnifier.set_factor(self._host.settings.chosen("magnifier"))
        view.navigator.magnifier.set_on(self._has_magnifier)
        view.navigator.set_ruler(self._host.settings.chosen("ruler"))
        self._mark_segment()

    def _mark_segment(self, _segment: object = None) -> None:
        active = self._window.tooling.active
        for view in self._window.grid.views:
            view.navigator.slider.set_segment((active.layer_id, active.label) if active is not None else None)

    def _toggle_magnifier(self) -> None:
        self._pressed_at = time.monotonic()
        self._set_magnifier(not self._has_magnifier)

    def _set_magnifier(self, is_on: bool) -> None:
        self._has_magnifier = is_on
        self._show_magnifier()

    def _show_magnifier(self) -> None:
        for view in self._window.grid.views:
            view.navigator.magnifier.set_factor(self._host.settings.chosen("magnifier"))
            view.navigator.magnifier.set_on(self._has_magnifier)
        self._check()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        # The press came as a shortcut; only the release says how long the key was down.
        if event.type() == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent) and self._has_magnifier and not event.isAutoRepeat():
            name = QKeySequence(event.key()).toString(QKeySequence.SequenceFormat.PortableText)
            if name in self._window.actions_table.keys("view.magnifier") and time.monotonic() - self._pressed_at > _HELD_S:
                self._set_magnifier(False)
        return False

    def _switch(self, setting: str) -> None:
        self._host.settings.set(setting, not self._host.settings.chosen(setting))

    def _show_ruler(self) -> None:
        for view in self._window.grid.views:
            view.navigator.set_ruler(self._host.settings.chosen("ruler"))
        self._check()

    def _show_neurological(self) -> None:
        self._host.set_neurological(self._host.settings.chosen("neurological"))
        self._check()

    def _set_mode(self, mode: Any) -> None:
        self._window.cine.set_mode(mode)
        self._check()

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("key_image"):
            self._window.refresh_actions()

    def _check(self) -> None:
        for action_id, on in self.checked().items():
            self._window.actions_table[action_id].setChecked(on)
