"""A second file over the image that is shown: the menu after a drop, and "Add as overlay" and "Add as segmentation"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtWidgets import QMenu, QWidget

from viewer.core.errors import NegatoscopeError, Refused
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.io import open as io_open
from viewer.io.series import Listing, SeriesEntry
from viewer.session.attach import label_values
from viewer.session.history import ItemChange, Step
from viewer.session.laying import Role, lay, why_not
from viewer.session.maps import laying_words
from viewer.ui import theme
from viewer.ui.fusing import Fusing
from viewer.ui.host import Host
from viewer.ui.menu_text import menu_text
from viewer.ui.opening import Opener

_LONGEST = 40


class DropMenu(QMenu):
    """What a dropped file can be: opened, laid over the image, or its segmentation. Enter takes the marked one, Esc none."""

    def __init__(self, entry: SeriesEntry, root: Volume, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTipsVisible(True)
        self.setAccessibleName(_("What to do with {name}").format(name=entry.title))
        shown = menu_text(root.identity.series_description or root.title, _LONGEST)
        self.open = self.addAction(_("Open {name}").format(name=menu_text(entry.title, _LONGEST)))
        self.overlay = self.addAction(_("Overlay on {series}").format(series=shown))
        self.fusion = self.addAction(_("Fuse with {series}").format(series=shown))
        self.fusion.setToolTip(_("Lay it over the image with colours and a window of its own; it may lie on another grid."))
        self._title = _("Segmentation of {series}").format(series=shown)
        self.segmentation = self.addAction(self._title)
        for action, role in ((self.overlay, "overlay"), (self.segmentation, "segmentation")):
            theme.set_available(action, why_not(entry, root, role))  # type: ignore[arg-type]
        self.is_checking = self.segmentation.isEnabled()
        if self.is_checking:
            theme.set_available(self.segmentation, _("Its values are being looked at."))
            self.segmentation.setText(_("{title} (being looked at)").format(title=self._title))
        self.setActiveAction(self.open)

    def take_verdict(self, reason: str) -> None:
        """Its values are known: "" where they can be segments, which is then what is meant."""
        self.is_checking = False
        self.segmentation.setText(self._title)
        theme.set_available(self.segmentation, reason)
        if not reason and self.activeAction() in (self.open, None):
            self.setActiveAction(self.segmentation)


class Attaching(QObject):
    """Lays listed or dropped files over the image in the active view, each as one undoable step."""

    def __init__(self, host: Host, opener: Opener, parent: QWidget) -> None:
        super().__init__(parent)
        self._host, self._opener, self._window = host, opener, parent
        self.menu: DropMenu | None = None
        self.fusing: Fusing | None = None

    # --- a drop ---

    def offer(self, paths: Sequence[Path], place: QPoint) -> None:
        """Ask what a dropped file is to be, if an image is shown that it could belong to; else open it."""
        if self._host.state.volume is None or len(paths) != 1:
            self._opener.open_paths(paths)
            return

        def look(progress: Callable[[int, int], None]) -> Listing | None:
            return None if paths[0].is_dir() else io_open.find(paths, progress=progress)

        def looked(listing: Listing | None) -> None:
            series = listing.series if listing is not None else ()
            root = self._root()
            if len(series) != 1 or series[0].kind == "other" or root is None:
                self._opener.open_paths(paths)
            else:
                self._ask(series[0], root, paths, place)

        self._host.work.run_thread(look, _("Looking at {name}").format(name=paths[0].name), looked, self._host.report, quiet=True)

    def _ask(self, entry: SeriesEntry, root: Volume, paths: Sequence[Path], place: QPoint) -> None:
        menu = self.menu = DropMenu(entry, root, self._window)
        read: list[Volume] = []
        task = ""

        def check(progress: Callable[[int, int], None]) -> Volume | str:
            volume = io_open.load(entry, pool=self._host.pool, progress=progress)
            try:
                label_values(volume)
            except Refused as reason:
                return str(reason)
            return volume

        def checked(found: Volume | str) -> None:
            if isinstance(found, Volume):
                read.append(found)
            if self.menu is menu:
                menu.take_verdict(found if isinstance(found, str) else "")

        def failed(error: BaseException) -> None:
            if self.menu is menu:
                menu.take_verdict(str(error) if isinstance(error, NegatoscopeError) else type(error).__name__)

        def closed() -> None:
            self.menu = None
            if not read:
                self._host.work.cancel(task)
            menu.deleteLater()

        menu.open.triggered.connect(lambda: self._opener.open_paths(paths))
        menu.fusion.triggered.connect(lambda: self.fuse(paths))
        menu.overlay.triggered.connect(lambda: self.attach(entry, "overlay", read[0] if read else None))
        menu.segmentation.triggered.connect(lambda: self.attach(entry, "segmentation", read[0] if read else None))
        menu.aboutToHide.connect(lambda: QTimer.singleShot(0, self, closed))
        if menu.is_checking:
            task = self._host.work.run_thread(check, _("Looking at {name}").format(name=entry.title), checked, failed, quiet=True)
        menu.popup(place)

    def fuse(self, paths: Sequence[Path]) -> None:
        """List a file and lay it over the shown image as a second one."""
        fusing = self.fusing
        if fusing is not None:
            self._opener.open_paths(paths, lambda listing: fusing.lay_entry(listing.series[0]) if listing.series else None, shows=False)

    # --- attaching ---

    def why_not(self, entry: SeriesEntry, role: Role) -> str:
        """Why a listed series cannot be laid over the shown image; "" if nothing in its header speaks against it."""
        if self._host.why_closed:
            return self._host.why_closed
        shown = self._opener.shown_id
        return _("It is the image itself.") if shown == entry.id else why_not(entry, self._root(), role)

    def attach_path(self, path: Path, role: Role) -> None:
        """Lay a file over the shown image."""

        def looked(listing: Listing) -> None:
            if not listing.series:
                self._opener.open_paths([path])  # says why there is nothing
                return
            self.attach(listing.series[0], role)

        find = lambda progress: io_open.find([path], progress=progress)
        self._host.work.run_thread(find, _("Looking at {name}").format(name=path.name), looked, self._host.report)

    def attach(self, entry: SeriesEntry, role: Role, volume: Volume | None = None) -> None:
        """Lay a series over the shown image; ``volume`` if it is read already. What cannot be is said."""
        root, document = self._root(), self._host.document
        reason = self._host.why_closed or why_not(entry, root, role)
        if reason or root is None:
            self._host.say("warn", _("{name} cannot be added. {reason}").format(name=entry.title, reason=reason))
            return
        phase, count = self._host.state.phase, sum(len(layer.segments) for layer in document.layers_of(root.id))

        def make(progress: Callable[[int, int], None]) -> Step:
            read = volume if volume is not None else io_open.load(entry, pool=self._host.pool, progress=progress)
            return lay(role, entry, read, root, phase=phase, segments=count)

        def add(step: Step) -> None:
            with self._host.reporting():
                document.commit(step)
                self._tell(entry, role, step)

        def done(step: Step) -> None:
            self._host.when_still(document, lambda: add(step))

        def failed(error: BaseException) -> None:
            if isinstance(error, Refused):
                self._host.say("warn", _("{name} cannot be added. {reason}").format(name=entry.title, reason=error))
            else:
                self._host.report(error)

        self._host.work.run_thread(make, _("Adding {name}").format(name=entry.title), done, failed)

    def _tell(self, entry: SeriesEntry, role: Role, step: Step) -> None:
        is_warning = False
        if role == "overlay":
            item = next(c.after for c in step.changes if isinstance(c, ItemChange))
            text, is_warning = laying_words(item.geometry, self._host.document.volume(item.volume_id), entry.title)
        else:
            layers = [c.after for c in step.changes if isinstance(c, ItemChange) and c.kind == "layer"]
            text = ngettext("Added {count} segment.", "Added {count} segments.", sum(len(layer.segments) for layer in layers))
        host = self._host
        host.change_wish(**({"show_labels": True} if role == "segmentation" else {"show_overlays": True}))

        def undo() -> None:
            if host.document.history.next_undo is step:
                host.undo()

        host.say("warn" if is_warning else "ok", text, ((_("Undo"), undo),))

    def _root(self) -> Volume | None:
        host = self._host
        return host.document.volume(host.root_id) if host.root_id else None
