"""Recently opened folders and files: paths only, ten of them (RELIABILITY choice 12), as a list of links and as a menu."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.ui import theme
from viewer.ui.controls import Button
from viewer.ui.host import Host
from viewer.ui.menu_text import menu_text
from viewer.ui.opening import Opener
from viewer.ui.theme import sizes

_LONGEST = 60


class Recents(QObject):
    """The paths of the settings, and which of them are still there. That is asked beside the window: a share may not answer."""

    changed = Signal()

    def __init__(self, host: Host, opener: Opener) -> None:
        super().__init__(host)
        self._host, self._opener = host, opener
        self._missing: set[Path] = set()

    def paths(self) -> tuple[Path, ...]:
        """The latest first."""
        return self._host.settings.recent()

    def reason(self, path: Path) -> str:
        """Why a path cannot be opened; "" as far as is known."""
        return _("It is not there any more: {path}").format(path=path) if path in self._missing else ""

    def open(self, path: Path) -> None:
        self._opener.open_paths([path])

    def clear(self) -> None:
        """Forget all of them."""
        self._host.settings.clear_recent()
        self._missing.clear()
        self.changed.emit()

    def check(self) -> None:
        """Look which ones are still there; ``changed`` follows if that is news."""
        paths = self.paths()
        if paths:
            self._host.work.run_thread(
                lambda _progress: {path for path in paths if not path.exists()}, _("Recent folders"), self._take, self._host.report, quiet=True
            )

    def _take(self, missing: set[Path]) -> None:
        if missing != self._missing:
            self._missing = missing
            self.changed.emit()

    def build_menu(self, parent: QWidget) -> QMenu:
        """ "Open recent": the paths, and Clear."""
        menu = QMenu(_("Open recent"), parent)
        menu.setToolTipsVisible(True)
        for path in self.paths():
            text = str(path)
            action = menu.addAction(menu_text(text, _LONGEST, keep_end=True))
            action.setToolTip(text)
            action.triggered.connect(partial(self.open, path))
            theme.set_available(action, self.reason(path))
        if not self.paths():
            theme.set_available(menu.addAction(_("Nothing was opened yet")), _("Folders and files that were opened are listed here."))
        menu.addSeparator()
        clear = menu.addAction(_("Clear recent"))
        clear.triggered.connect(self.clear)
        theme.set_available(clear, "" if self.paths() else _("There is nothing to clear."))
        return menu


class RecentList(QWidget):
    """Links to the recent paths by their names, and "Clear recent"."""

    def __init__(self, recents: Recents, *, shown: int, width: int, parent: QWidget | None = None) -> None:
        """``shown``: how many at most; ``width``: room for the words, in pixels."""
        super().__init__(parent)
        self.setAccessibleName(_("Recently opened"))
        self._recents, self._shown, self._room = recents, shown, width
        self._links: list[tuple[Path, Button]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(sizes().hair)
        recents.changed.connect(self._refresh)

    def fill(self) -> int:
        """List what there is now; returns how many."""
        paths = self._recents.paths()[: self._shown]
        if [path for path, _link in self._links] != list(paths):
            self._build(paths)
            self._recents.check()
        self._mark()
        return len(paths)

    def _refresh(self) -> None:
        if [path for path, _link in self._links] != list(self._recents.paths()[: self._shown]):
            self._build(self._recents.paths()[: self._shown])
        self._mark()

    def _build(self, paths: Sequence[Path]) -> None:
        while (taken := self._column.takeAt(0)) is not None:
            widget = taken.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._links = [(path, self._link(path)) for path in paths]
        if paths:
            clear = Button(_("Clear recent"), icon="x", variant="link", tooltip=_("Forget what was opened. The files stay."), parent=self)
            clear.clicked.connect(self._recents.clear)
            self._column.addSpacing(sizes().tight)
            self._column.addWidget(clear, 0, Qt.AlignmentFlag.AlignLeft)

    def _link(self, path: Path) -> Button:
        link = Button("", variant="link", tooltip=str(path), parent=self)
        link.setText(link.fontMetrics().elidedText(path.name or str(path), Qt.TextElideMode.ElideMiddle, self._room))
        link.setAccessibleName(_("Open {path}").format(path=path))
        link.clicked.connect(partial(self._recents.open, path))
        self._column.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)
        return link

    def _mark(self) -> None:
        for path, link in self._links:
            theme.set_available(link, self._recents.reason(path))
