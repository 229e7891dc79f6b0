"""The dock: tabs with the plugins' panels and the history. A panel is made when its tab is first shown."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from viewer.core.operation import load
from viewer.core.words import gettext as _
from viewer.session.plugins import PanelEntry
from viewer.ui import theme
from viewer.ui.controls import DockTabs, EmptyState
from viewer.ui.panel_host import PanelHost

_FIRST_AFTER_MS = 100


class Dock(QWidget):
    """One tab per panel; a panel that fails to build says so in its place and harms nothing else."""

    panel_shown = Signal(str)

    def __init__(self, panels: PanelHost, history: Callable[[PanelHost], QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(300)
        self._panels = panels
        self._names: list[str] = []
        self._builders: list[Callable[[], QWidget]] = []
        self._built: dict[int, QWidget] = {}
        self.tabs = DockTabs(name=_("Panels"), parent=self)
        self.stack = QStackedWidget(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self.stack, 1)
        for entry in panels.registry.panels:
            self._add(entry.name, entry.icon or "circle-dot", _(entry.title), lambda entry=entry: self._build_plugin(entry))
        self._add("history", "history", _("History"), lambda: history(panels))
        self.tabs.currentChanged.connect(self._show)
        # The first panel is built once the window has been painted, and the first picture with it.
        self._first = QTimer(self)
        self._first.setSingleShot(True)
        self._first.timeout.connect(lambda: self._show(self.tabs.currentIndex()))
        self._first.start(_FIRST_AFTER_MS)

    def panel(self, name: str) -> QWidget | None:
        """A panel that was built already, or is in front."""
        if self._first.isActive() and name == self.current_name:
            self._show(self.tabs.currentIndex())
        return self._built.get(self._names.index(name)) if name in self._names else None

    def show_panel(self, name: str) -> QWidget | None:
        """Bring a tab to the front, building its panel if need be."""
        if name not in self._names:
            return None
        self.tabs.setCurrentIndex(self._names.index(name))
        self._show(self._names.index(name))
        return self.panel(name)

    def take_over(self, before: Dock) -> None:
        """Show the panel that another dock shows; what was entered in its panels is there again."""
        for index, panel in before._built.items():
            if not any(hasattr(part, "take_over") for part in panel.findChildren(QWidget)):
                continue
            self._show(index)
            mine = [part for part in self._built[index].findChildren(QWidget) if hasattr(part, "take_over")]
            theirs = [part for part in panel.findChildren(QWidget) if hasattr(part, "take_over")]
            for new, old in zip(mine, theirs, strict=False):
                if type(new) is type(old):
                    new.take_over(old)
        self.tabs.setCurrentIndex(before.tabs.currentIndex())
        self._show(self.tabs.currentIndex())

    @property
    def current_name(self) -> str:
        return self._names[self.tabs.currentIndex()]

    def _add(self, name: str, icon: str, title: str, build: Callable[[], QWidget]) -> None:
        self._names.append(name)
        self._builders.append(build)
        self.tabs.add_tab(icon, title)
        self.stack.addWidget(QWidget(self.stack))

    def _show(self, index: int) -> None:
        self._first.stop()
        if index not in self._built:
            widget = self._builders[index]()
            widget.setMinimumWidth(0)
            self._built[index] = widget
            old = self.stack.widget(index)
            self.stack.removeWidget(old)
            old.deleteLater()
            self.stack.insertWidget(index, widget)
        self.stack.setCurrentIndex(index)
        self.panel_shown.emit(self._names[index])

    def _build_plugin(self, entry: PanelEntry) -> QWidget:
        try:
            widget = load(entry.run)(self._panels)
            if not isinstance(widget, QWidget):
                raise TypeError(f"{entry.run} gave {type(widget).__name__}, not a widget")
        except Exception as err:  # noqa: BLE001  a plugin's panel may fail in any way; it must not take the window along
            self._panels.host.say(
                "err", _("The panel of {plugin} failed: {reason}").format(plugin=entry.plugin, reason=err), details=traceback.format_exc()
            )
            failed = EmptyState(_("This panel could not be made."), str(err), icon="circle-alert", parent=self)
            theme.set_property(failed, "role", "panel")
            return failed
        return widget
