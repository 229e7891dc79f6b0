"""The one table of actions: menus, palette, key sheet and tests all read it. Which keys they have is said by the profile in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from viewer.core.words import mark, names
from viewer.session.desk import ARRANGEMENTS

KeyScope = Literal["G", "V", "S", "C"]
Needs = Literal[
    "", "image", "undo", "redo", "selection", "key_images", "ct", "planes", "phases", "patient", "model", "classify", "report", "dicom",
    "open", "grey", "mpr", "turned", "views", "named", "preview", "fusion", "aligned", "processed",
]  # fmt: skip

REASONS: dict[str, str] = {
    "image": mark("Open an image first."),
    "undo": mark("Nothing to undo."),
    "redo": mark("Nothing to redo."),
    "selection": mark("Select a measurement first."),
    "ct": mark("Presets are for CT in HU."),
    "key_images": mark("No image is marked as a key image."),
    "planes": mark("This image has one slice."),
    "phases": mark("This image has one phase."),
    "patient": mark("This image has no patient orientation."),
    "model": mark("No model is installed."),
    "classify": mark("No model is installed."),
    "report": mark("Classify this image first."),
    "dicom": mark("The image shown is no DICOM file."),
    "open": mark("Nothing is open."),
    "grey": mark("This is a colour image."),
    "mpr": mark("No planes can be cut through this image."),
    "turned": mark("No plane is turned."),
    "processed": mark("Nothing was done to this image."),
    "fusion": mark("Fuse this image with a second one first."),
    "aligned": mark("The second image lies where its file says."),
    "views": mark("There is one view."),
    "named": mark("Select a segment or a measurement first."),
    "preview": mark("No preview is shown."),
}
WITHOUT_IMAGE = frozenset(("undo", "redo", "open", "views"))
"""Needs that have nothing to do with what the view shows."""
READING = mark("Still reading. Wait until the series is whole.")
WHILE_READING = frozenset(
    ("tool.window", "tool.pan", "tool.zoom", "tool.scroll", "edit.undo", "edit.redo", "file.close_all", "view.identity", "view.previous_series",
     "view.next_series", "view.tags"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing the user can do. ``id`` is permanent; ``needs`` what must be there.

    Its keys stand in the profiles (``resources/keys``); ``keys`` are what a plugin asks for, and gets where they are free.
    """

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
    """A command of the view (``viewer.ui.views.commands``) that the action runs."""


FILE, EDIT, VIEW, LAYOUT, WINDOWING, TOOLS, ANALYSIS, HELP = (
    mark("File"), mark("Edit"), mark("View"), mark("Layout"), mark("Windowing"), mark("Tools"), mark("Analysis"), mark("Help"),
)  # fmt: skip
LANGUAGE, LANGUAGE_TIP = mark("Language"), mark("Language of the window: at once, and from now on.")
MENUS = (FILE, EDIT, VIEW, LAYOUT, WINDOWING, TOOLS, ANALYSIS, HELP)

TABLE: tuple[ActionSpec, ...] = (
    ActionSpec("file.open_folder", mark("Open folder"), FILE, "folder-open", (), opens_dialog=True),
    ActionSpec("file.open_file", mark("Open file"), FILE, "file", (), opens_dialog=True),
    ActionSpec("file.open_stack", mark("Open folder of pictures as a stack"), FILE, "gallery-vertical-end", opens_dialog=True),
    ActionSpec("file.add_overlay", mark("Add as overlay"), FILE, "flame", needs="image",
        tip=mark("A file laid over the image: a dose, a heat map, an energy."), opens_dialog=True),
    ActionSpec("file.add_segmentation", mark("Add as segmentation"), FILE, "blend", needs="image",
        tip=mark("A file of whole numbers on the same grid."), opens_dialog=True),
    ActionSpec("file.sample", mark("Open the sample study"), FILE, "images"),
    ActionSpec("file.close_all", mark("Close all"), FILE, "x", (), needs="open"),
    ActionSpec("file.export", mark("Export"), FILE, "download", (), needs="image", opens_dialog=True),
    ActionSpec("file.export_key_images", mark("Export key images"), FILE, "key-image", needs="key_images", opens_dialog=True),
    ActionSpec("file.export_recipe", mark("Export recipe"), FILE, "save", needs="undo", opens_dialog=True),
    ActionSpec("file.quit", mark("Quit"), FILE, "", ()),
    ActionSpec("edit.undo", mark("Undo"), EDIT, "undo-2", (), needs="undo"),
    ActionSpec("edit.redo", mark("Redo"), EDIT, "redo-2", (), needs="redo"),
    ActionSpec("edit.delete", mark("Delete measurement"), EDIT, "trash-2", (), "V", "selection"),
    ActionSpec("edit.rename", mark("Rename the selected segment or measurement"), EDIT, "pencil", needs="named"),
    ActionSpec("edit.settings", mark("Settings"), EDIT, "settings", opens_dialog=True),
    ActionSpec("edit.copy_picture",
        mark("Copy picture"), EDIT, "copy", (), "G", "image", mark("Copies the view without name and ID.")),
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
    ActionSpec("view.cine", mark("Play"), VIEW, "play", (), "V", "planes",
        mark("The phases, or the slices where there is one phase."), is_checkable=True),
    *(
        ActionSpec(f"cine.{mode}", title, VIEW, "", scope="V", needs="planes", tip=tip, is_checkable=True)
        for mode, title, tip in (
            ("loop", mark("Play in a loop"), mark("From the end straight to the beginning again.")),
            ("sweep", mark("Play to and fro"), mark("At each end it turns round.")),
            ("once", mark("Play once"), mark("It stops at the end.")),
        )
    ),
    ActionSpec("view.key_image", mark("Mark as key image"), VIEW, "key-image", scope="V", needs="image", is_checkable=True,
        tip=mark("Marks this image as worth seeing again; once more takes the mark off.")),
    ActionSpec("view.previous_key_image", mark("Previous key image"), VIEW, "", scope="V", needs="key_images"),
    ActionSpec("view.next_key_image", mark("Next key image"), VIEW, "", scope="V", needs="key_images"),
    ActionSpec("view.magnifier", mark("Magnifier"), VIEW, "magnifier", scope="V", needs="image", is_checkable=True,
        tip=mark("A lens at the pointer, without smoothing, with the values. Hold the key, or press it for on and off.")),
    ActionSpec("view.ruler", mark("Rulers"), VIEW, "ruler", scope="V", needs="image", is_checkable=True,
        tip=mark("Rulers along the left and the lower edge.")),
    ActionSpec("view.standard", mark("Orient to standard"), VIEW, "", scope="V", needs="patient", command="view.standard",
        tip=mark("Turns and mirrors the picture as its plane is usually hung.")),
    ActionSpec("view.neurological", mark("Neurological orientation"), VIEW, "", scope="V", needs="image", is_checkable=True,
        tip=mark("The patient's left on the left of the screen, in all views; a badge says so.")),
    ActionSpec("view.previous_series", mark("Previous series"), VIEW, "", (), "V", "image"),
    ActionSpec("view.next_series", mark("Next series"), VIEW, "", (), "V", "image"),
    ActionSpec("view.first_series", mark("First series"), VIEW, "", (), "V", "image"),
    ActionSpec("view.last_series", mark("Last series"), VIEW, "", (), "V", "image"),
    ActionSpec("view.previous_study", mark("Previous study"), VIEW, "", (), "V", "image"),
    ActionSpec("view.next_study", mark("Next study"), VIEW, "", (), "V", "image"),
    ActionSpec("view.text", mark("Corner text"), VIEW, "type", (), "V", "image", mark("Full, short, none."), command="view.text"),
    ActionSpec("view.identity", mark("Hide name and ID"), VIEW, "user-round-x", (), "V", "image", is_checkable=True),
    ActionSpec("view.graphics", mark("Overlays of the file"), VIEW, "", (), "V", "image",
        mark("Graphics and shutter that the DICOM file lays over its picture."), is_checkable=True, command="view.graphics"),
    ActionSpec("view.regions", mark("Regions of the file"), VIEW, "", (), "V", "image",
        mark("Regions that the DICOM file marks in its picture."), is_checkable=True, command="view.regions"),
    ActionSpec("view.labels", mark("Segments"), VIEW, "blend", (), "V", "image", is_checkable=True),
    ActionSpec("view.overlays", mark("Maps"), VIEW, "flame", (), "V", "image", is_checkable=True),
    ActionSpec("fusion.lay_over", mark("Fuse with another series"), VIEW, "blend", (), "V", "image",
        mark("PET on CT, a dose, a second MR: in colours, with a window of its own."), opens_dialog=True),
    ActionSpec("fusion.show", mark("Second image"), VIEW, "", (), "V", "fusion", is_checkable=True),
    ActionSpec("fusion.blend", mark("Fusion: blend"), VIEW, "", (), "V", "fusion", is_checkable=True),
    ActionSpec("fusion.difference", mark("Fusion: difference"), VIEW, "", (), "V", "fusion", mark("Second less first."), is_checkable=True),
    ActionSpec("fusion.curtain", mark("Fusion: curtain"), VIEW, "", (), "V", "fusion",
        mark("Left of the line the first, right the second."), is_checkable=True),
    ActionSpec("fusion.by_hand", mark("Place the second image by hand"), VIEW, "", (), "V", "fusion"),
    ActionSpec("fusion.align", mark("Align the second image (rigid)"), VIEW, "", (), "V", "fusion",
        mark("Finds the turn and shift that bring it over the first, by mutual information.")),
    ActionSpec("fusion.as_files_say", mark("Second image as the files say"), VIEW, "", (), "V", "aligned", mark("Forgets how the two were aligned.")),
    ActionSpec("fusion.exchange", mark("Exchange the two images"), VIEW, "", (), "V", "fusion"),
    ActionSpec("fusion.remove", mark("Take the second image off"), VIEW, "", (), "V", "fusion"),
    ActionSpec("view.original",
        mark("Show the original"), VIEW, "eye", (), "V", "image", mark("The image as it was opened, without enhancement."), is_checkable=True),
    ActionSpec("view.explain", mark("How this image is shown"), VIEW, "info", (), "G", "image",
        mark("From the bytes of the file to the screen: what was found, done and left out."), opens_dialog=True),
    ActionSpec("view.tags", mark("DICOM tags"), VIEW, "tags", (), "G", "dicom",
        mark("Every element of the file of this slice."), opens_dialog=True),
    ActionSpec("view.results", mark("Results"), VIEW, "panel-bottom", (), is_checkable=True),
    ActionSpec("view.browser", mark("Studies"), VIEW, "panel-left", (), is_checkable=True),
    ActionSpec("view.dock", mark("Panels"), VIEW, "panel-right", (), is_checkable=True),
    ActionSpec("view.full_screen", mark("Full screen"), VIEW, "maximize", (), is_checkable=True),
    ActionSpec("language.system", mark("Language of the system"), VIEW, "languages", (), is_checkable=True, tip=LANGUAGE_TIP),
    *(ActionSpec(f"language.{code}", own, VIEW, "languages", (), is_checkable=True, tip=LANGUAGE_TIP) for code, own in names().items()),
    ActionSpec("view.next_region", mark("Next part of the window"), VIEW, "", ()),
    ActionSpec("view.previous_region", mark("Previous part of the window"), VIEW, "", ()),
    ActionSpec("layout.choose", mark("Layout"), LAYOUT, "layout-grid", tip=mark("Views, what they do together, and slabs."), opens_dialog=True),
    *(
        ActionSpec(f"layout.{a.name}", a.title, LAYOUT, a.icon if a.icon != "layout-grid" else "", needs="mpr" if a.planes else "",
            is_checkable=True)
        for a in ARRANGEMENTS.values()
    ),
    ActionSpec("layout.before_after", mark("Before and after, side by side"), LAYOUT, "", needs="processed",
        tip=mark("The image as it was opened beside what was made of it; both go together.")),
    ActionSpec("layout.maximise", mark("Maximise this view"), LAYOUT, "maximize", (), "V", is_checkable=True),
    ActionSpec("layout.detach", mark("View in a window of its own"), LAYOUT, "monitor", needs="image",
        tip=mark("For a second monitor. It shows what the active view shows, and stays linked.")),
    ActionSpec("view.next_view", mark("Next view"), LAYOUT, "", (), "V", "views"),
    ActionSpec("view.previous_view", mark("Previous view"), LAYOUT, "", (), "V", "views"),
    ActionSpec("view.crosshair", mark("Crosshair and reference lines"), LAYOUT, "reference-lines", (), "V", "image", is_checkable=True),
    ActionSpec("layout.straighten", mark("Straighten the planes"), LAYOUT, "", needs="turned",
        tip=mark("Axial, sagittal and coronal again, through the crosshair.")),
    *(
        ActionSpec(f"link.{name}", title, LAYOUT, "", tip=tip, is_checkable=True)
        for name, title, tip in (
            ("scroll", mark("Link scrolling"), mark("Parallel planes of one frame of reference go to the same place.")),
            ("cursor", mark("Link the crosshair"), mark("All views of one frame of reference go to the slice that holds the crosshair.")),
            ("zoom", mark("Link zoom"), mark("The same scale in millimetres.")),
            ("pan", mark("Link panning"), mark("Parallel planes have the same place in their middle.")),
            ("window", mark("Link the window"), mark("Images of one series, or in HU or SUV alike, share the window.")),
            ("by_offset", mark("Link by offset"),
                mark("From now on the slices that are shown belong together, also without a common frame of reference.")),
        )
    ),
    ActionSpec("slab.off", mark("One plane"), LAYOUT, "", needs="mpr", is_checkable=True),
    ActionSpec("slab.mip", mark("Maximum of a slab (MIP)"), LAYOUT, "slab", needs="mpr", is_checkable=True),
    ActionSpec("slab.minip", mark("Minimum of a slab (MinIP)"), LAYOUT, "", needs="mpr", is_checkable=True),
    ActionSpec("slab.mean", mark("Mean of a slab"), LAYOUT, "", needs="mpr", is_checkable=True),
    ActionSpec("slab.thicker", mark("Thicker slab"), LAYOUT, "", needs="mpr"),
    ActionSpec("slab.thinner", mark("Thinner slab"), LAYOUT, "", needs="mpr"),
    ActionSpec("window.preset_1", mark("Soft tissue"), WINDOWING, "", (), "V", "ct", command="window.preset_1"),
    ActionSpec("window.preset_2", mark("Lung"), WINDOWING, "", (), "V", "ct", command="window.preset_2"),
    ActionSpec("window.preset_3", mark("Bone"), WINDOWING, "", (), "V", "ct", command="window.preset_3"),
    ActionSpec("window.preset_4", mark("Brain"), WINDOWING, "", (), "V", "ct", command="window.preset_4"),
    ActionSpec("window.preset_5", mark("Mediastinum"), WINDOWING, "", (), "V", "ct", command="window.preset_5"),
    ActionSpec("window.preset_6", mark("Liver"), WINDOWING, "", (), "V", "ct", command="window.preset_6"),
    ActionSpec("window.preset_7", mark("Abdomen"), WINDOWING, "", (), "V", "ct", command="window.preset_7"),
    ActionSpec("window.preset_8", mark("Subdural"), WINDOWING, "", (), "V", "ct", command="window.preset_8"),
    ActionSpec("window.preset_9", mark("Stroke"), WINDOWING, "", (), "V", "ct", command="window.preset_9"),
    ActionSpec("window.preset_10", mark("Temporal bone"), WINDOWING, "", (), "V", "ct", command="window.preset_10"),
    ActionSpec("window.preset_11", mark("Spine"), WINDOWING, "", (), "V", "ct", command="window.preset_11"),
    ActionSpec("window.preset_12", mark("CTA"), WINDOWING, "", (), "V", "ct", command="window.preset_12"),
    ActionSpec("window.file_1", mark("First window of the file"), WINDOWING, "", (), "V", "image", command="window.file_1"),
    ActionSpec("window.file_2", mark("Second window of the file"), WINDOWING, "", (), "V", "image", command="window.file_2"),
    ActionSpec("window.file", mark("The file's own windows, in turn"), WINDOWING, "", (), "V", "image", command="window.file"),
    ActionSpec("window.full", mark("Full range of values"), WINDOWING, "", (), "V", "image", command="window.full"),
    ActionSpec("window.auto",
        mark("Auto"), WINDOWING, "", (), "V", "image", mark("1st to 99th percentile of the middle third."), command="window.auto"),
    ActionSpec("window.invert", mark("Invert"), WINDOWING, "invert", (), "V", "image", is_checkable=True, command="view.invert"),
    ActionSpec("window.linear", mark("Linear"), WINDOWING, "", (), "V", "grey",
        mark("DICOM's usual function: whole steps, one grey level less wide."), is_checkable=True, command="window.linear"),
    ActionSpec("window.linear_exact", mark("Linear exact"), WINDOWING, "", (), "V", "grey",
        mark("From exactly half a width below the level to half above."), is_checkable=True, command="window.linear_exact"),
    ActionSpec("window.sigmoid", mark("Sigmoid"), WINDOWING, "", (), "V", "grey",
        mark("A soft curve: nothing is quite black or white."), is_checkable=True, command="window.sigmoid"),
    ActionSpec("window.histogram", mark("Histogram"), WINDOWING, "chart-column", (), "V", "image",
        mark("How often each value occurs, with handles for the window."), is_checkable=True),
    ActionSpec("window.color_map", mark("Colour map"), WINDOWING, "color-map", (), "V", "grey", opens_dialog=True),
    ActionSpec("window.color_bar", mark("Colour bar"), WINDOWING, "", (), "V", "grey",
        mark("What the colours mean, on the image."), is_checkable=True, command="window.color_bar"),
    ActionSpec("window.save_preset", mark("Save this window as a preset"), WINDOWING, "save", (), "V", "grey", opens_dialog=True),
    ActionSpec("tool.region_window", mark("Window from a region"), TOOLS, "window-region", (), "V", "grey",
        mark("Drag a rectangle: the window becomes its 1st to 99th percentile."), is_checkable=True),
    ActionSpec("tool.window",
        mark("Window"), TOOLS, "contrast", (), "V", "image", mark("Drag right for a wider window, up for brighter."), is_checkable=True),
    ActionSpec("tool.pan", mark("Pan"), TOOLS, "hand", (), "V", "image",
        mark("Drag the image. The middle button always pans."), is_checkable=True),
    ActionSpec("tool.zoom", mark("Zoom"), TOOLS, "zoom-in", (), "V", "image",
        mark("Drag up to enlarge. The right button always zooms."), is_checkable=True),
    ActionSpec("tool.crosshair", mark("Crosshair"), TOOLS, "crosshair", (), "V", "image",
        mark("Drag to go to a place in all views; drag a handle of a line to turn a plane."), is_checkable=True),
    ActionSpec("tool.scroll",
        mark("Scroll"), TOOLS, "gallery-vertical-end", (), "V", "planes",
        mark("Drag through the slices. The wheel always scrolls."), is_checkable=True),
    ActionSpec("tool.nudge", mark("Nudge"), TOOLS, "hand", (), "V", "fusion",
        mark("Drag the second image into place, with Ctrl turn it. Each drag is one step."), is_checkable=True),
    ActionSpec("brush.smaller", mark("Smaller brush"), TOOLS, "", (), "S", "image"),
    ActionSpec("brush.larger", mark("Larger brush"), TOOLS, "", (), "S", "image"),
    ActionSpec("segment.add", mark("Add a segment"), TOOLS, "plus", (), "S", "image"),
    ActionSpec("preview.accept", mark("Accept the preview"), TOOLS, "check", (), "S", "preview"),
    ActionSpec("gesture.cancel", mark("Cancel the gesture, tool or preview"), TOOLS, "", ()),
    ActionSpec("analysis.classify", mark("Classify"), ANALYSIS, "scan-search", (), "G", "classify", mark("Ask the model about this image.")),
    ActionSpec("analysis.classify_all", mark("Classify all slices"), ANALYSIS, "", (), "G", "model"),
    ActionSpec("analysis.classify_open", mark("Classify all open images"), ANALYSIS, "", (), "G", "open",
        mark("Every image of the list that a model fits, in one step.")),
    ActionSpec("reading.agree", mark("Agree with the model"), ANALYSIS, "check", (), "G", "report", mark("The same again takes it back.")),
    ActionSpec("reading.disagree", mark("Disagree with the model"), ANALYSIS, "x", (), "G", "report", mark("The same again takes it back.")),
    ActionSpec("reading.unsure", mark("Be unsure about the model's result"), ANALYSIS, "circle-question-mark", (), "G", "report",
        mark("The same again takes it back.")),
    ActionSpec("reading.disagreements", mark("Show disagreements"), ANALYSIS, "table-2", (), "G", "image",
        mark("The results that you disagreed with, in the results drawer.")),
    ActionSpec("models.list", mark("Models"), ANALYSIS, "brain-circuit", (), tip=mark("Which models there are, what they tell and how well."),
        opens_dialog=True),
    ActionSpec("models.add", mark("Add model"), ANALYSIS, "plus", tip=mark("A network in an ONNX file, with or without a card."),
        opens_dialog=True),
    ActionSpec("help.palette", mark("Find a command"), HELP, "search", ()),
    ActionSpec("help.keys", mark("All keys"), HELP, "keyboard", ()),
    ActionSpec("help.about", mark("About negatoscope"), HELP, "info", (), opens_dialog=True),
)  # fmt: skip


COMING: tuple[ActionSpec, ...] = (
    ActionSpec("file.save_session", mark("Save the session"), FILE),
    ActionSpec("view.next_stage", mark("Next stage"), VIEW, scope="V"),
    ActionSpec("view.previous_stage", mark("Previous stage"), VIEW, scope="V"),
    ActionSpec("tool.rotate", mark("Rotate by dragging"), TOOLS, scope="V"),
    ActionSpec("tool.Measure/Angle", mark("Angle"), TOOLS, scope="V"),
    ActionSpec("tool.Measure/Polygon", mark("Polygon"), TOOLS, scope="V"),
    ActionSpec("tool.Measure/Text", mark("Text"), TOOLS, scope="V"),
    ActionSpec("segment.next", mark("Next segment"), TOOLS, scope="S"),
    ActionSpec("segment.previous", mark("Previous segment"), TOOLS, scope="S"),
    ActionSpec("segment.interpolate", mark("Interpolate between slices"), TOOLS, scope="S"),
)  # fmt: skip
"""What is to come, with the keys that are kept for it (reserved). One that is in ``TABLE`` by now counts there."""
