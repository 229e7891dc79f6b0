"""The settings: one page a subject; every change counts at once, and each page can be put back as it was shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.ui.controls import Button, Segmented
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.dialogs.key_page import KeyPage
from viewer.ui.dialogs.settings_models import ModelsPage
from viewer.ui.dialogs.settings_pages import GeneralPage, Page, PluginsPage, PrivacyPage, SegmentPage, ViewPage

if TYPE_CHECKING:
    from viewer.ui.window import Window

PAGES = ("general", "view", "segment", "models", "plugins", "privacy", "keys")


class SettingsDialog(Dialog):
    """Pages under a row of their names. No Apply: what is changed is in force."""

    def __init__(self, window: Window, page: str = "general") -> None:
        super().__init__(_("Settings"), width=720, height=600, parent=window)
        words = {
            "general": _("General"), "view": _("View"), "segment": _("Segment"), "models": _("Models"), "plugins": _("Plugins"),
            "privacy": _("Privacy"), "keys": _("Keys"),
        }  # fmt: skip
        self.tabs = Segmented([(name, words[name]) for name in PAGES], value=page, name=_("Pages of the settings"), parent=self.frame)
        self.body.addWidget(self.tabs)
        self._window = window
        self.pages: dict[str, Page] = {}
        self._scroll = QScrollArea(self.frame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget(self._scroll)
        # One under the other and one shown: a stack would be as high as the highest.
        self._stack = QVBoxLayout(inside)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._scroll.setWidget(inside)
        inside.setAutoFillBackground(False)
        self._scroll.viewport().setAutoFillBackground(False)
        self.body.addWidget(self._scroll, 1)
        self.reset = Button(_("Reset this page"), icon="rotate-ccw", parent=self.frame)
        self.reset.clicked.connect(lambda: self.page.reset())
        close = Button(_("Close"), parent=self.frame)
        close.clicked.connect(self.reject)
        self.add_buttons(self.reset, close, caption=_("Changes take effect at once."))
        self.tabs.value_changed.connect(lambda name: self.show_page(str(name)))
        self.show_page(page)
        self.tabs.button(page).setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def page(self) -> Page:
        """The page in front."""
        return self.pages[str(self.tabs.value())]

    def show_page(self, name: str) -> None:
        """Bring a page of ``PAGES`` to the front; it is made when it is first shown."""
        if self.tabs.value() != name:
            self.tabs.set_value(name)
            return
        if name not in self.pages:
            self.pages[name] = self._make(name)
            self._stack.addWidget(self.pages[name])
        for other, page in self.pages.items():
            page.setVisible(other == name)
        self._scroll.setAccessibleName(self.pages[name].accessibleName())
        self.reset.setVisible(self.pages[name].can_reset)

    def _make(self, name: str) -> Page:
        window = self._window
        if name == "keys":
            return KeyPage(window.keyboard, self._scroll)
        if name == "plugins":
            return PluginsPage(window.host, self._scroll)
        if name == "models":
            return ModelsPage(window.host, window.model_commands.show_list, self._scroll)
        if name == "privacy":
            return PrivacyPage(window.host, window.panel_host.recents, self._scroll)
        kinds = {"general": GeneralPage, "view": ViewPage, "segment": SegmentPage}
        return kinds[name](window.host, self._scroll)


def open_settings(window: Window, page: str = "general") -> SettingsDialog:
    """Open the settings over a window, on a page of ``PAGES``."""
    dialog = SettingsDialog(window, page)
    dialog.open()
    return dialog
