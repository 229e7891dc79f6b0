"""The user's settings at work: each is put in force when the window is made, and at once when it is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from viewer.core import labels
from viewer.core.letters import use_letters
from viewer.core.words import gettext as _
from viewer.draw import picture
from viewer.session.settings import LEAVE_NOTHING
from viewer.ui import theme
from viewer.ui.views.mouse import use_handling

if TYPE_CHECKING:
    from viewer.ui.window import Window


class Preferences(QObject):
    """Follows the settings for one window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._settings = window, window.host.settings
        self._acts = {
            "theme": self._take_theme, "profile": window.keyboard.take_profile, "corner_text": self._take_text, "smooth": self._take_smooth,
            "up_is_brighter": self._take_hand, "wheel_acceleration": self._take_hand, "letters": self._take_letters,
            "label_opacity": self._take_opacity, "segment_colors": self._take_colors, LEAVE_NOTHING: self._take_privacy,
            "model_folder": window.host.models.reload,
            **window.commands.navigation.settings(),
        }  # fmt: skip
        for key in ("smooth", "letters", "segment_colors", "up_is_brighter"):
            self._acts[key]()
        self._settings.watch(self._take)

    def _take(self, key: str) -> None:
        if key in self._acts and isValid(self._window):
            self._acts[key]()

    def _take_theme(self) -> None:
        application = cast(QApplication, QApplication.instance())
        theme.apply_theme(application, self._settings.chosen("theme"), text_scale=theme.theme().text_scale)

    def _take_text(self) -> None:
        level = self._settings.chosen("corner_text")
        self._change_all(text=level if level in ("full", "short", "none") else "full")

    def _take_opacity(self) -> None:
        self._change_all(label_opacity=max(0.0, min(1.0, self._settings.chosen("label_opacity"))))

    def _take_smooth(self) -> None:
        picture.use_smoothing(self._settings.chosen("smooth"))
        self._repaint()

    def _take_letters(self) -> None:
        use_letters(self._settings.chosen("letters"))
        self._repaint()

    def _take_hand(self) -> None:
        use_handling(is_up_brighter=self._settings.chosen("up_is_brighter"), accelerates=self._settings.chosen("wheel_acceleration"))

    def _take_colors(self) -> None:
        labels.use_segment_colors(self._settings.chosen("segment_colors"))

    def _take_privacy(self) -> None:
        if not self._settings.chosen(LEAVE_NOTHING):
            return
        said = _("Nothing is left on this computer from now on. After a crash nothing can be recovered.")
        if not self._window.host.drop_journal():
            said = _("Nothing is left on this computer from now on. The journal of what is open goes when that is closed.")
        self._window.host.say("info", said)

    def _change_all(self, **changes: Any) -> None:
        host = self._window.host
        for number, wish in enumerate(tuple(host.desk.wishes)):
            host.ask(number, replace(wish, **changes))

    def _repaint(self) -> None:
        for view in self._window.grid.views:
            view.viewport().update()
