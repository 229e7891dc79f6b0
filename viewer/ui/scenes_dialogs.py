"""The states of messages, jobs, dialogs, menus, command palette and key sheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from viewer.core.words import gettext as _
from viewer.io.objects.readable import Line, Readable
from viewer.io.samples import NODULE
from viewer.ui.controls import Button
from viewer.ui.dialogs.confirm import Confirm
from viewer.ui.dialogs.details import Details
from viewer.ui.dialogs.export import ExportDialog
from viewer.ui.dialogs.keys import KeySheet
from viewer.ui.dialogs.palette import Palette
from viewer.ui.dialogs.report import DocumentDialog
from viewer.ui.dialogs.settings import PAGES, SettingsDialog
from viewer.ui.dialogs.tags import TagBrowser
from viewer.ui.scenes_panels import Maker, balls, choose, run, thorax
from viewer.ui.scenes_stage import Stage

X, Y, Z = NODULE.centre_mm


def messages(stage: Maker) -> Iterator[str]:
    s = thorax(stage)
    panel = s.window.dock.show_panel("enhance").operations
    choose(panel, "Gaussian")
    s.press(panel.apply_button)
    s.settle()
    yield "message-ok"
    s.window.messages.clear_messages()
    s.trigger("tool.Segment/Eraser")
    s.click((X, Y, Z))
    yield "message-info"
    s.trigger("tool.window")
    s.window.messages.clear_messages()
    s.type(s.window.view_bar.width_field, "0", enter=True)
    yield "message-warn"
    s.window.messages.clear_messages()
    for name in ("letter.txt", "report.txt"):
        (s.folder / name).write_text("These are words and no image.\n", encoding="utf-8")
    s.open(s.folder / "letter.txt")
    yield "message-err"
    s.open(s.folder / "report.txt")
    yield "messages-queue"


def export(stage: Maker) -> Iterator[str]:
    s = thorax(stage, preset=True)
    balls(s, ["Nodule", "Aorta"])
    s.trigger("tool.Measure/Distance")
    s.drag((X - 9, Y, Z), (X + 9, Y, Z))
    s.trigger("tool.window")
    run(s, "Enhance/Gaussian", {})
    s.trigger("file.export")
    dialog = dialog_of(s, ExportDialog)

    s.settle()
    yield "export-screenshot"
    for tab in ("mask", "measurements", "recipe"):
        s.press(dialog.tabs.button(tab))
        s.settle()
        yield f"export-{tab}"
    s.press(dialog.tabs.button("screenshot"))
    (s.folder / "home" / "Pictures" / "taken.png").write_bytes(b"")
    s.type(dialog.name, "taken")
    QTest.qWait(200)
    s.settle()
    yield "export-name-exists"
    s.type(dialog.name, "a/b")
    yield "export-bad-name"
    dialog.reject()


def palette(stage: Maker) -> Iterator[str]:
    s = thorax(stage)
    s.trigger("help.palette")
    yield "palette-open"
    dialog = dialog_of(s, Palette)
    s.type(dialog.field, "wat")
    yield "palette-match"
    s.type(dialog.field, "teapot")
    yield "palette-none"
    dialog.reject()
    s.trigger("help.keys")
    yield "key-sheet"
    sheet = dialog_of(s, KeySheet)
    s.type(sheet.field, "slice")
    yield "key-sheet-filter"
    sheet.close()
    s.trigger("view.explain")
    yield "how-it-is-shown"
    QApplication.activeModalWidget().close()
    s.trigger("help.about")
    yield "about"
    QApplication.activeModalWidget().close()
    s.window.host.say(
        "err",
        "The model could not be loaded: the file is damaged.",
        details="Traceback (most recent call last):\n  ...\nInvalidProtobuf: the file is not an ONNX model",
    )
    s.press(next(b for b in s.window.messages.findChildren(Button) if b.text() == _("Details")))
    dialog_of(s, Details)
    yield "details"
    QApplication.activeModalWidget().close()


def settings(stage: Maker) -> Iterator[str]:
    s = thorax(stage)
    s.trigger("edit.settings")
    dialog = dialog_of(s, SettingsDialog)
    for page in PAGES:
        s.press(dialog.tabs.button(page))
        s.settle()
        yield f"settings-{page}"
    dialog.page.choose("window.invert")
    s.press(dialog.page.record)
    yield "settings-keys-recording"
    QTest.keyClick(dialog.page.record, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    s.settle()
    yield "settings-keys-conflict"
    s.press(dialog.page.keep)
    s.type(dialog.page.field, "teapot")
    yield "settings-keys-none"
    dialog.reject()


def menus(stage: Maker) -> Iterator[str]:
    s = thorax(stage)
    s.press(s.window.top_bar.menu_button)
    menu = QApplication.activePopupWidget()
    yield "menu"
    menu.close()
    s.window.commands.open_context_menu(s.window.view.mapToGlobal(QPoint(300, 200)))
    yield "context-menu"
    QApplication.activePopupWidget().close()
    s.window.view_bar.preset.showPopup()
    yield "presets"
    s.window.view_bar.preset.hidePopup()
    balls(s, ["Nodule", "Aorta", "Spine"])
    s.trigger("file.close_all")
    dialog_of(s, Confirm)
    yield "confirm-close"
    QApplication.activeModalWidget().close()


def tags(stage: Maker) -> Iterator[str]:
    s = thorax(stage)
    s.trigger("view.tags")
    dialog = dialog_of(s, TagBrowser)
    s.wait(lambda: dialog.model.tags is not None, "the tags are read")
    s.settle()
    yield "tags"
    s.type(dialog.field, "image position")
    dialog._enter_tree()
    yield "tags-filter"
    s.type(dialog.field, "teapot")
    yield "tags-none"
    dialog.reject()


REPORT = Readable(
    "Imaging Measurement Report",
    (
        Line("entry", 0, "Date", "2024-03-18 09:41:30"),
        Line("entry", 0, "State", "complete, verified"),
        Line("entry", 0, "Verified by", "Dr. Ada Example, Example Hospital, 2024-03-18"),
        Line("heading", 0, "Findings"),
        Line("entry", 1, "Finding", "Nodule"),
        Line("entry", 1, "Finding Site", "Upper lobe of right lung"),
        Line("entry", 1, "Source", "CT Image, series 1, image 24\nCT Image, series 1, image 25"),
        Line("heading", 0, "Imaging Measurements"),
        Line("heading", 1, "Measurement Group"),
        Line("entry", 2, "Length", "18.2 mm"),
        Line("entry", 2, "Volume", "3.1 mL"),
        Line("entry", 2, "Attenuation Coefficient, Mean", "41 HU"),
        Line("heading", 0, "Impression"),
        Line("paragraph", 1, "", "Solitary solid nodule with smooth edges. Nothing to compare with."),
    ),
)


def documents(stage: Maker) -> Iterator[str]:
    s = thorax(stage)
    DocumentDialog(REPORT, about="Example, Person · 4711", host=s.window.host, parent=s.window).open()
    dialog = dialog_of(s, DocumentDialog)
    s.settle()
    yield "report"
    s.type(dialog.field, "nodule")
    yield "report-find"
    dialog.reject()


DIALOG_CHAPTERS = (messages, export, palette, settings, menus, tags, documents)


def dialog_of(s: Stage, kind: type) -> Any:
    """The open dialog of a kind."""
    s.wait(lambda: any(isinstance(w, kind) and w.isVisible() for w in QApplication.topLevelWidgets()), f"a {kind.__name__} is open")
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible())
