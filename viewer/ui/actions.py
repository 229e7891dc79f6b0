"""The one table of actions: menus, keys, palette, key sheet and tests all read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from viewer.core.words import gettext as _
from viewer.core.words import mark
from viewer.ui import icons, theme
from viewer.ui.views.commands import KEYS

KeyScope = Literal["G", "V", "S"]
Needs = Literal["", "image", "undo", "redo", "selection", "ct", "planes", "phases", "patient", "model", "dicom", "open"]

REASONS: dict[str, str] = {
    "image": mark("Open an image first."),
    "undo": mark("Nothing to undo."),
    "redo": mark("Nothing to redo."),
    "selection": mark("Select a measurement first."),
    "ct": mark("Presets are for CT in HU."),
    "planes": mark("This image has one slice."),
    "phases": mark("This image has one phase."),
    "patient": mark("This image has no patient orientation."),
    "model": mark("No model is installed."),
    "dicom": mark("The image shown is no DICOM file."),
    "open": mark("Nothing is open."),
}
_WITHOUT_IMAGE = frozenset(("undo", "redo", "model", "open"))
"""Needs that have nothing to do with what the view shows."""
READING = mark("Still reading. Wait until the series is whole.")
_WHILE_READING = frozenset(
    ("tool.window", "tool.pan", "tool.zoom", "tool.scroll", "edit.undo", "edit.redo", "file.close_all", "view.identity", "view.previous_series",
     "view.next_series", "view.tags"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing the user can do. ``id`` is permanent; ``keys`` the default ones; ``needs`` what must be there."""

    id: str
    title: str
    menu: str = ""
    icon: str = ""
    keys: tuple[str, ...] = ()
    scope: KeyScope = "G"
    needs: Needs = ""
    tip: str = ""
    is_checkable: bool = False
    opens_dialog: bool = False
    command: str = ""
    """A command of the view (``viewer.ui.views.commands``) that the action runs; its keys are named there."""

    @property
    def all_keys(self) -> tuple[str, ...]:
        """The default keys, wherever they are named."""
        return self.keys or tuple(key for key, command in KEYS.items() if command and command == self.command)


FILE, EDIT, VIEW, WINDOWING, TOOLS, ANALYSIS, HELP = (
    mark("File"), mark("Edit"), mark("View"), mark("Windowing"), mark("Tools"), mark("Analysis"), mark("Help"),
)  # fmt: skip
MENUS = (FILE, EDIT, VIEW, WINDOWING, TOOLS, ANALYSIS, HELP)

TABLE: tuple[ActionSpec, ...] = (
    ActionSpec("file.open_folder", mark("Open folder"), FILE, "folder-open", ("Ctrl+O",), opens_dialog=True),
    ActionSpec("file.open_file", mark("Open file"), FILE, "file", ("Ctrl+Shift+O",), opens_dialog=True),
    ActionSpec("file.open_stack", mark("Open folder of pictures as a stack"), FILE, "gallery-vertical-end", opens_dialog=True),
    ActionSpec("file.add_overlay", mark("Add as overlay"), FILE, "flame", needs="image", tip=mark("A file on the same grid, laid over the image."),
        opens_dialog=True),
    ActionSpec("file.add_segmentation", mark("Add as segmentation"), FILE, "blend", needs="image",
        tip=mark("A file of whole numbers on the same grid."), opens_dialog=True),
    ActionSpec("file.sample", mark("Open the sample study"), FILE, "images"),
    ActionSpec("file.close_all", mark("Close all"), FILE, "x", ("Ctrl+W",), needs="open"),
    ActionSpec("file.export", mark("Export"), FILE, "download", ("Ctrl+E",), needs="image", opens_dialog=True),
    ActionSpec("file.export_recipe", mark("Export recipe"), FILE, "save", needs="undo", opens_dialog=True),
    ActionSpec("file.quit", mark("Quit"), FILE, "", ("Ctrl+Q",)),
    ActionSpec("edit.undo", mark("Undo"), EDIT, "undo-2", ("Ctrl+Z",), needs="undo"),
    ActionSpec("edit.redo", mark("Redo"), EDIT, "redo-2", ("Ctrl+Y", "Ctrl+Shift+Z"), needs="redo"),
    ActionSpec("edit.delete", mark("Delete measurement"), EDIT, "trash-2", ("Del", "Backspace"), "V", "selection"),
    ActionSpec("edit.copy_picture",
        mark("Copy picture"), EDIT, "copy", ("Ctrl+Shift+C",), "G", "image", mark("Copies the view without name and ID.")),
    ActionSpec("view.acquired", mark("As acquired"), VIEW, "", (), "V", "image", is_checkable=True),
    ActionSpec("view.axial", mark("Axial"), VIEW, "", (), "V", "patient", is_checkable=True),
    ActionSpec("view.coronal", mark("Coronal"), VIEW, "", (), "V", "patient", is_checkable=True),
    ActionSpec("view.sagittal", mark("Sagittal"), VIEW, "", (), "V", "patient", is_checkable=True),
    ActionSpec("view.fit", mark("Fit to window"), VIEW, "scan", (), "V", "image", command="zoom.fit"),
    ActionSpec("view.actual", mark("Actual size (1:1)"), VIEW, "", (), "V", "image", command="zoom.full_size"),
    ActionSpec("view.zoom_in", mark("Zoom in"), VIEW, "zoom-in", (), "V", "image", command="zoom.in"),
    ActionSpec("view.zoom_out", mark("Zoom out"), VIEW, "zoom-out", (), "V", "image", command="zoom.out"),
    ActionSpec("view.rotate_right", mark("Rotate right"), VIEW, "rotate-cw", (), "V", "image", command="view.rotate_right"),
    ActionSpec("view.rotate_left", mark("Rotate left"), VIEW, "rotate-ccw", (), "V", "image", command="view.rotate_left"),
    ActionSpec("view.flip_horizontal", mark("Flip left and right"), VIEW, "flip-horizontal-2", (), "V", "image", command="view.flip_horizontal"),
    ActionSpec("view.flip_vertical", mark("Flip top and bottom"), VIEW, "flip-vertical-2", (), "V", "image", command="view.flip_vertical"),
    ActionSpec("view.reset", mark("Reset view"), VIEW, "refresh-cw", (), "V", "image", command="view.reset"),
    ActionSpec("view.previous_slice", mark("Previous slice"), VIEW, "", (), "V", "planes", command="slice.previous"),
    ActionSpec("view.next_slice", mark("Next slice"), VIEW, "", (), "V", "planes", command="slice.next"),
    ActionSpec("view.back_ten", mark("Ten slices back"), VIEW, "", (), "V", "planes", command="slice.back_ten"),
    ActionSpec("view.on_ten", mark("Ten slices on"), VIEW, "", (), "V", "planes", command="slice.on_ten"),
    ActionSpec("view.first_slice", mark("First slice"), VIEW, "skip-back", (), "V", "planes", command="slice.first"),
    ActionSpec("view.last_slice", mark("Last slice"), VIEW, "skip-forward", (), "V", "planes", command="slice.last"),
    ActionSpec("view.previous_phase", mark("Previous phase"), VIEW, "", (), "V", "phases", command="phase.previous"),
    ActionSpec("view.next_phase", mark("Next phase"), VIEW, "", (), "V", "phases", command="phase.next"),
    ActionSpec("view.cine", mark("Play"), VIEW, "play", ("C",), "V", "planes",
        mark("The phases, or the slices where there is one phase."), is_checkable=True),
    ActionSpec("view.previous_series", mark("Previous series"), VIEW, "", ("PgUp",), "V", "image"),
    ActionSpec("view.next_series", mark("Next series"), VIEW, "", ("PgDown",), "V", "image"),
    ActionSpec("view.text", mark("Corner text"), VIEW, "type", (), "V", "image", mark("Full, short, none."), command="view.text"),
    ActionSpec("view.identity", mark("Hide name and ID"), VIEW, "user-round-x", ("Shift+H",), "V", "image", is_checkable=True),
    ActionSpec("view.graphics", mark("Overlays of the file"), VIEW, "", (), "V", "image",
        mark("Graphics and shutter that the DICOM file lays over its picture."), is_checkable=True, command="view.graphics"),
    ActionSpec("view.regions", mark("Regions of the file"), VIEW, "", (), "V", "image",
        mark("Regions that the DICOM file marks in its picture."), is_checkable=True, command="view.regions"),
    ActionSpec("view.labels", mark("Segments"), VIEW, "blend", ("G",), "V", "image", is_checkable=True),
    ActionSpec("view.overlays", mark("Maps"), VIEW, "flame", ("J",), "V", "image", is_checkable=True),
    ActionSpec("view.original",
        mark("Show the original"), VIEW, "eye", ("Q",), "V", "image", mark("The image as it was opened, without enhancement."), is_checkable=True),
    ActionSpec("view.explain", mark("How this image is shown"), VIEW, "info", ("Ctrl+I",), "G", "image",
        mark("From the bytes of the file to the screen: what was found, done and left out."), opens_dialog=True),
    ActionSpec("view.tags", mark("DICOM tags"), VIEW, "tags", ("Ctrl+T",), "G", "dicom",
        mark("Every element of the file of this slice."), opens_dialog=True),
    ActionSpec("view.results", mark("Results"), VIEW, "panel-bottom", ("Ctrl+J",), is_checkable=True),
    ActionSpec("view.browser", mark("Studies"), VIEW, "panel-left", ("Ctrl+B",), is_checkable=True),
    ActionSpec("view.dock", mark("Panels"), VIEW, "panel-right", ("Ctrl+D",), is_checkable=True),
    ActionSpec("view.full_screen", mark("Full screen"), VIEW, "maximize", ("F11",), is_checkable=True),
    ActionSpec("view.next_region", mark("Next part of the window"), VIEW, "", ("F6",)),
    ActionSpec("view.previous_region", mark("Previous part of the window"), VIEW, "", ("Shift+F6",)),
    ActionSpec("window.preset_1", mark("Soft tissue"), WINDOWING, "", (), "V", "ct", command="window.preset_1"),
    ActionSpec("window.preset_2", mark("Lung"), WINDOWING, "", (), "V", "ct", command="window.preset_2"),
    ActionSpec("window.preset_3", mark("Bone"), WINDOWING, "", (), "V", "ct", command="window.preset_3"),
    ActionSpec("window.preset_4", mark("Brain"), WINDOWING, "", (), "V", "ct", command="window.preset_4"),
    ActionSpec("window.preset_5", mark("Mediastinum"), WINDOWING, "", (), "V", "ct", command="window.preset_5"),
    ActionSpec("window.preset_6", mark("Liver"), WINDOWING, "", (), "V", "ct", command="window.preset_6"),
    ActionSpec("window.preset_7", mark("Abdomen"), WINDOWING, "", (), "V", "ct", command="window.preset_7"),
    ActionSpec("window.preset_8", mark("Subdural"), WINDOWING, "", (), "V", "ct", command="window.preset_8"),
    ActionSpec("window.preset_9", mark("Stroke"), WINDOWING, "", (), "V", "ct", command="window.preset_9"),
    ActionSpec("window.file", mark("The file's own windows, in turn"), WINDOWING, "", (), "V", "image", command="window.file"),
    ActionSpec("window.full", mark("Full range of values"), WINDOWING, "", (), "V", "image", command="window.full"),
    ActionSpec("window.auto",
        mark("Auto"), WINDOWING, "", (), "V", "image", mark("1st to 99th percentile of the middle third."), command="window.auto"),
    ActionSpec("window.invert", mark("Invert"), WINDOWING, "invert", (), "V", "image", is_checkable=True, command="view.invert"),
    ActionSpec("tool.window",
        mark("Window"), TOOLS, "contrast", ("W",), "V", "image", mark("Drag right for a wider window, up for brighter."), is_checkable=True),
    ActionSpec("tool.pan", mark("Pan"), TOOLS, "hand", ("P",), "V", "image",
        mark("Drag the image. The middle button always pans."), is_checkable=True),
    ActionSpec("tool.zoom", mark("Zoom"), TOOLS, "zoom-in", ("Z",), "V", "image",
        mark("Drag up to enlarge. The right button always zooms."), is_checkable=True),
    ActionSpec("tool.scroll",
        mark("Scroll"), TOOLS, "gallery-vertical-end", ("S",), "V", "planes",
        mark("Drag through the slices. The wheel always scrolls."), is_checkable=True),
    ActionSpec("brush.smaller", mark("Smaller brush"), TOOLS, "", ("[",), "V", "image"),
    ActionSpec("brush.larger", mark("Larger brush"), TOOLS, "", ("]",), "V", "image"),
    ActionSpec("gesture.cancel", mark("Cancel the gesture, tool or preview"), TOOLS, "", ("Esc",)),
    ActionSpec("analysis.classify", mark("Classify"), ANALYSIS, "scan-search", ("F5",), "G", "image", mark("Ask the model about this image.")),
    ActionSpec("analysis.classify_all", mark("Classify all planes"), ANALYSIS, "", ("Shift+F5",), "G", "image"),
    ActionSpec("help.palette", mark("Find a command"), HELP, "search", ("Ctrl+K",)),
    ActionSpec("help.keys", mark("All keys"), HELP, "keyboard", ("F1", "?")),
    ActionSpec("help.about", mark("About negatoscope"), HELP, "info", (), opens_dialog=True),
)  # fmt: skip


class Actions(QObject):
    """QActions made from the table, plus those of the plugins' tools and operations. Handlers are bound by id."""

    def __init__(self, window: QWidget, view: QWidget) -> None:
        """``view``: where the keys of scope V count; elsewhere a letter, an arrow or Space belongs to the focused control."""
        super().__init__(window)
        self._window, self._view = window, view
        self._actions: dict[str, QAction] = {}
        self._specs: dict[str, ActionSpec] = {}
        for spec in TABLE:
            self.add(spec)

    def add(self, spec: ActionSpec) -> QAction:
        """Make the action of a spec; its handler comes with :meth:`bind`."""
        action = QAction(_(spec.title), self)
        action.setObjectName(spec.id)
        action.setIconText(_(spec.title))
        action.setCheckable(spec.is_checkable)
        action.setShortcuts([QKeySequence(k) for k in spec.all_keys])
        is_global = spec.scope == "G"
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut if is_global else Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setAutoRepeat(spec.scope == "V")
        if spec.icon and spec.icon in icons.icon_names():
            icons.set_icon(action, spec.icon, size=16)
        action.setToolTip(self._tip(spec))
        (self._window if is_global else self._view).addAction(action)
        self._actions[spec.id], self._specs[spec.id] = action, spec
        return action

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._actions

    def specs(self) -> Iterable[ActionSpec]:
        return tuple(self._specs.values())

    def bind(self, action_id: str, handler: Callable[[], None]) -> None:
        """Call ``handler`` when the action is triggered (a bound method)."""
        self._actions[action_id].triggered.connect(lambda _checked=False: handler())

    def set_available(self, facts: set[str], *, is_reading: bool = False) -> None:
        """Enable what has what it needs; the rest says in its tooltip what is missing.

        Parameters
        ----------
        facts : set of str
            The needs that are met.
        is_reading : bool
            Whether the image is not whole yet: then it can be looked at, and no more.
        """
        for spec_id, spec in self._specs.items():
            if not spec.needs:
                continue
            is_of_image = spec.needs not in _WITHOUT_IMAGE
            met = spec.needs in facts and ("image" in facts or not is_of_image)
            reason = "" if met else _(REASONS["image" if is_of_image and "image" not in facts else spec.needs])
            if not reason and is_reading and not (spec.command or spec_id in _WHILE_READING):
                reason = _(READING)
            theme.set_available(self._actions[spec_id], reason)

    def menu_title(self, spec: ActionSpec) -> str:
        """The words in a menu: with an ellipsis where a dialog opens."""
        return f"{_(spec.title)}…" if spec.opens_dialog else _(spec.title)

    def _tip(self, spec: ActionSpec) -> str:
        shown = QKeySequence(spec.all_keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if spec.all_keys else ""
        keys = f" ({shown})" if shown else ""
        return f"{_(spec.title)}{keys}\n{_(spec.tip)}" if spec.tip else f"{_(spec.title)}{keys}"
