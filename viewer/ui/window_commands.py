"""What the actions of the window do, where a command of the view is not enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QWidget

from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.draw.screenshot import screenshot
from viewer.io import samples
from viewer.session import hand
from viewer.session.laying import Role
from viewer.session.readings import OPINIONS
from viewer.session.settings import cache_folder
from viewer.ui import language
from viewer.ui.classify_open import ClassifyOpen
from viewer.ui.dialogs.about import show_about
from viewer.ui.dialogs.confirm import Confirm
from viewer.ui.dialogs.explain import show_explanation
from viewer.ui.dialogs.stack import StackDialog
from viewer.ui.dialogs.tags import show_tags
from viewer.ui.icons import keep_promise
from viewer.ui.navigation_commands import NavigationCommands
from viewer.ui.panels.measurements import delete_measurement

if TYPE_CHECKING:
    from viewer.ui.window import Window

PLANES = ("acquired", "axial", "coronal", "sagittal")
_CONTEXT = (
    "window.auto", "window.invert", "view.fit", "view.actual", "view.standard", "view.reset", "",
    "view.key_image", "view.magnifier", "view.ruler", "", "fusion.lay_over", "view.original", "view.text", "view.identity", "",
    "view.explain", "edit.copy_picture", "file.export",
)  # fmt: skip


class WindowCommands(QObject):
    """Handlers of the action table, bound by id."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self.language = language.LanguageWatch(window)
        self.navigation = NavigationCommands(window)
        self.classify_open = ClassifyOpen(window)

    def handlers(self) -> dict[str, Any]:
        host = self._window.host
        return {
            **self.navigation.handlers(),
            **self._window.fusion_commands.handlers(),
            "file.open_folder": self._ask_folder,
            "file.open_file": self._ask_files,
            "file.open_stack": self._ask_stack,
            "file.add_overlay": lambda: self._ask_to_add("overlay"),
            "file.add_segmentation": lambda: self._ask_to_add("segmentation"),
            "file.sample": self.open_sample,
            "file.close_all": self.close_all,
            "file.export": lambda: self._window.open_export("screenshot"),
            "file.export_recipe": lambda: self._window.open_export("recipe"),
            "file.quit": self.quit,
            "edit.undo": host.undo,
            "edit.redo": host.redo,
            "edit.delete": self._delete_selected,
            "edit.copy_picture": self._copy_picture,
            **{f"view.{plane}": (lambda plane=plane: host.set_wish(hand.with_plane(host.wish, host.seen, plane))) for plane in PLANES},
            "view.cine": self._window.cine.toggle,
            "view.previous_series": lambda: self.next_series(-1),
            "view.next_series": lambda: self.next_series(1),
            "view.identity": self._toggle_identity,
            "view.labels": lambda: host.change_wish(show_labels=not host.wish.show_labels),
            "view.original": lambda: host.change_wish(show_original=not host.wish.show_original),
            "view.explain": lambda: show_explanation(host, self._window),
            "view.tags": self._show_tags,
            "view.results": lambda: self._window.show_results(not self._window.results.isVisible()),
            "view.browser": lambda: self._show_part(self._window.browser),
            "view.dock": lambda: self._show_part(self._window.dock),
            "view.full_screen": self._toggle_full_screen,
            "view.next_region": lambda: self._focus_region(1),
            "view.previous_region": lambda: self._focus_region(-1),
            **{f"language.{name}": (lambda name=name: self.language.choose(name)) for name in language.CHOICES},
            "brush.smaller": lambda: self._window.view.turn_tool(-1),
            "brush.larger": lambda: self._window.view.turn_tool(1),
            "gesture.cancel": self._cancel,
            "analysis.classify": lambda: self._classify(all_planes=False),
            "analysis.classify_open": self.classify_open.run,
            "analysis.classify_all": lambda: self._classify(all_planes=True),
            **{f"reading.{opinion}": (lambda opinion=opinion: self._read(opinion)) for opinion in OPINIONS},
            "reading.disagreements": self._window.show_disagreements,
            "help.palette": self._window.open_palette,
            "help.about": self._about,
        }

    def open_sample(self) -> None:
        """The sample study: made on the spot into the cache folder."""
        self._window.host.work.run_thread(
            lambda _progress: samples.sample_paths(cache_folder() / "sample"),
            _("Making the sample study"),
            self._window.open_paths,
            self._window.host.report,
        )

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self._window, _("Open folder"), self._last_folder())
        if chosen:
            self._window.host.settings.set("last_folder", chosen)
            self._window.open_paths([chosen])

    def _ask_files(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileNames(self._window, _("Open file"), self._last_folder())
        if chosen:
            self._window.host.settings.set("last_folder", str(Path(chosen[0]).parent))
            self._window.open_paths(chosen)

    def _ask_stack(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self._window, _("Open folder of pictures as a stack"), self._last_folder())
        if chosen:
            self._window.host.settings.set("last_folder", chosen)
            folder = Path(chosen)
            StackDialog(self._window.host, folder, lambda spacing: self._window.open_paths([folder], stack=spacing), self._window).open()

    def _ask_to_add(self, role: Role) -> None:
        title = _("Add as overlay") if role == "overlay" else _("Add as segmentation")
        chosen, _filter = QFileDialog.getOpenFileName(self._window, title, self._last_folder())
        if chosen:
            self._window.attaching.attach_path(Path(chosen), role)

    def _last_folder(self) -> str:
        return str(self._window.host.settings.get("last_folder", str(Path.home())))

    def listed_images(self) -> list[str]:
        """The ids of the images in the list of series, as they stand there."""
        opener = self._window.opener
        return [name for name in self._window.browser.listed_ids() if (row := opener.row(name)) is not None and row.entry.kind != "other"]

    def next_series(self, sign: int) -> None:
        """Show the image before or after the current one in the list of series, as it stands there."""
        opener, listed = self._window.opener, self.listed_images()
        now = listed.index(opener.current_id) if opener.current_id in listed else -1
        if 0 <= now + sign < len(listed):
            opener.show(listed[now + sign])

    def _show_tags(self) -> None:
        row = self._window.opener.row(self._window.opener.shown_id)
        if row is not None:
            show_tags(self._window.host, row.entry, self._window, is_shown=True)

    def _about(self) -> None:
        show_about(self._window)

    def open_context_menu(self, place: QPoint) -> None:
        menu = QMenu(self._window)
        menu.addMenu(self._window.view_bar.preset.menu(menu))
        for name in _CONTEXT:
            if not name:
                menu.addSeparator()
                continue
            action = self._window.actions_table[name]
            keep_promise(action)
            menu.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    def _delete_selected(self) -> None:
        delete_measurement(self._window.panel_host, self._window.tooling.selected_id)

    def _copy_picture(self) -> None:
        size = self._window.view.viewport_size
        picture = screenshot(self._window.host.document, self._window.host.wish, (int(size[0]), int(size[1])), seen_in=size)
        QApplication.clipboard().setImage(picture)
        self._window.host.say("ok", _("Picture copied, without name and ID."))

    def _toggle_identity(self) -> None:
        self._window.grid.set_identity(not self._window.grid.identity)
        self._window.refresh_actions()

    def toggle_maximised(self) -> None:
        """Give the active view the room of the others, or, where there is one view, that of browser and panels; and back."""
        grid = self._window.grid
        if len(grid.views) > 1 and grid.active_view.parent() is grid:
            grid.toggle_maximised(grid.active_view)
            self._window.refresh_actions()
            return
        both = self._window.browser.isVisible() or self._window.dock.isVisible()
        self._window.browser.setVisible(not both)
        self._window.dock.setVisible(not both)
        self._window.refresh_actions()

    def _show_part(self, part: QWidget) -> None:
        part.setVisible(not part.isVisible())
        self._window.refresh_actions()

    def _toggle_full_screen(self) -> None:
        self._window.showNormal() if self._window.isFullScreen() else self._window.showFullScreen()
        self._window.refresh_actions()

    def _cancel(self) -> None:
        self._window.view.cancel_gesture()
        self._window.host.clear_preview()
        self._window.tooling.cancel()

    def _classify(self, *, all_planes: bool) -> None:
        panel = self._window.dock.show_panel("classify")
        run = getattr(panel, "classify_all" if all_planes else "classify_current", None)
        if run is not None:
            run()

    def _read(self, opinion: str) -> None:
        """Say what is thought of the report of the slice in view: in the panel, which shows it, and takes a label and a note."""
        panel = self._window.dock.show_panel("classify")
        give = getattr(panel, "give_opinion", None)
        if give is not None:
            give(opinion)

    def _focus_region(self, sign: int) -> None:
        regions: list[QWidget] = [
            self._window.top_bar,
            self._window.browser,
            self._window.center,
            self._window.results,
            self._window.dock,
            self._window.messages,
            self._window.status,
        ]
        shown = [r for r in regions if r.isVisible()]
        focus = QApplication.focusWidget()
        now = next((n for n, r in enumerate(shown) if focus is not None and (r is focus or r.isAncestorOf(focus))), -1)
        for step in range(1, len(shown) + 1):
            region = shown[(now + sign * step) % len(shown)]
            inside = [w for w in region.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus and w.isVisible() and w.isEnabled()]
            target = (
                self._window.view
                if region is self._window.center and self._window.center.currentWidget() is self._window.grid
                else inside[0]
                if inside
                else None
            )
            if target is not None:
                target.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def close_all(self) -> None:
        """Close what is open; ask first if something would be lost."""
        self.leave(self._window.host.close_all)

    def quit(self) -> None:
        """Close the window; ask first if something would be lost."""
        self.leave(lambda: self._window.close())

    @property
    def has_work(self) -> bool:
        """Whether there are steps in force that closing would lose."""
        return self._window.host.document.history.position > 0

    def leave(self, go_on: Callable[[], object]) -> None:
        """Go on at once if nothing is lost, else after the user has said so."""
        if not self.has_work:
            go_on()
            return
        document = self._window.host.document
        segments = sum(len(layer.segments) for layer in document.items("layer"))
        shapes = len(document.items("annotation"))
        title = _("Close without saving?")
        if segments:
            title = ngettext("Close without saving {count} segment?", "Close without saving {count} segments?", segments)
        elif shapes:
            title = ngettext("Close without saving {count} measurement?", "Close without saving {count} measurements?", shapes)
        self._confirm(title, _("Segments, measurements and reports of this session are lost. Export what you need first."), go_on)

    def _confirm(self, title: str, text: str, go_on: Any) -> None:
        dialog = Confirm(title, text, keep=_("Keep open"), go_on=_("Close without saving"), parent=self._window)
        dialog.accepted.connect(go_on)
        dialog.open()
