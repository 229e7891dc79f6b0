"""The pages of the export dialog: each knows what it can save, under which name, and hands the work over as a function for a thread.

What a page saves is taken on the window's thread when Export is pressed (volumes never change, labels are copied); the
thread only computes and writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QByteArray, QMimeData, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontDatabase, QImage, QPixmap
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from viewer.core.errors import NegatoscopeError
from viewer.core.report import Table
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.draw.screenshot import Size, png_bytes, screenshot
from viewer.io.recipe import recipe_text, save_recipe
from viewer.io.save import save_atomic
from viewer.io.straight import straightening
from viewer.io.write.grids import save_mask
from viewer.io.write.pictures import save_mask_picture
from viewer.io.write.tables import annotations_table, csv_text, json_text, reports_table, save_tables
from viewer.session.recipe import recipe_of
from viewer.session.view import ViewWish
from viewer.ui.controls import ChoiceRow, Hint, Label, Segmented, SwitchRow, divider
from viewer.ui.host import Host
from viewer.ui.theme import sizes
from viewer.ui.views.slice_view import SliceView

PREVIEW, _LOW_PREVIEW = 300, 200
_ROOMY = 700
Writer = Callable[[Path, bool], None]
"""Writes to a path; True: what is there may be replaced."""


class Page(QWidget):
    """What the dialog asks of a page."""

    changed = Signal()
    """Name, ending or what is saved changed."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(parent)
        self.host = host
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(sizes().row_gap)

    def reason(self) -> str:
        """Why there is nothing to save here; "" if there is."""
        return ""

    def stem(self) -> str:
        """The name that is proposed, without its ending."""
        return name_of(self.host, hide_identity=True)

    def ending(self) -> str:
        """The ending with its dot; "" for a folder."""
        raise NotImplementedError

    def writer(self) -> Writer:
        """Take what is to be saved now, and give the function that saves it."""
        raise NotImplementedError

    def copy(self) -> str:
        """Put it on the clipboard; the sentence to say, "" where there is nothing for a clipboard."""
        return ""

    def copy_reason(self) -> str:
        """Why it cannot be copied."""
        return ""


class ChoosingPage(Page):
    """A page of a few choices and a line on what comes of them."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent)
        self.note = Hint("", parent=self)

    def lay_out(self, rows: Sequence[ChoiceRow], *more: QWidget) -> None:
        """The rows, then what follows from them; the line is said anew with each choice."""
        for part in (*rows, *more, self.note):
            self.column.addWidget(part)
        self.column.addStretch(1)
        for row in rows:
            row.value_changed.connect(self._change)

    def show_note(self) -> None:
        """Say what will be saved."""
        raise NotImplementedError

    def series_name(self) -> str:
        """The proposed name without the number of a slice."""
        return re.sub(r"_\d{3,}$", "", name_of(self.host, hide_identity=True))

    def _change(self, _value: object) -> None:
        self.show_note()
        self.changed.emit()


def name_of(host: Host, *, hide_identity: bool) -> str:
    """A file name from modality, body and series, with the patient's name and ID only if asked for."""
    state = host.state
    volume = state.volume
    if volume is None:
        return "export"
    who = volume.identity
    first = " ".join((who.modality, who.body_part))
    parts = [first, who.series_description or ("" if hide_identity and not who.series_uid else volume.title)]
    if not hide_identity:
        parts.insert(0, " ".join((who.patient_name, who.patient_id)))
    named = "_".join(slug for part in parts if (slug := slug_of(part)))
    number = state.index if state.count > 1 else state.phase
    many = state.count if state.count > 1 else volume.phases
    return f"{named or 'image'}_{number + 1:03d}" if many > 1 else named or "image"


def slug_of(text: str) -> str:
    """Letters and digits of any script, in small letters, joined by hyphens."""
    return re.sub(r"[\W_]+", "-", text).strip("-").lower()[:48]


class ScreenshotPage(Page):
    """The view as a picture: what is in it, how large."""

    def __init__(self, host: Host, view: SliceView, parent: QWidget) -> None:
        super().__init__(host, parent)
        self._seen_in = view.viewport_size
        self.preview = QLabel(self)
        # As wide as 300 and as high as the view would be; in a small window the rest of the dialog needs the room.
        highest = PREVIEW if view.window().height() >= _ROOMY else _LOW_PREVIEW
        width, height = self._seen_in
        self.preview.setFixedSize(PREVIEW, max(120, min(highest, round(PREVIEW * height / width))))
        self.preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.preview.setProperty("role", "image")
        self.preview.setAccessibleName(_("Preview of the picture"))
        self.size_words = Label("", "caption", parent=self)
        wish = host.wish
        self.text = SwitchRow(_("Overlay text"), wish.text != "none", parent=self)
        self.segments = SwitchRow(_("Segments"), wish.show_labels, parent=self)
        self.measurements = SwitchRow(_("Measurements"), wish.show_annotations, parent=self)
        self.maps = SwitchRow(_("Maps"), wish.show_overlays, parent=self)
        self.hide_identity = SwitchRow(_("Hide patient name and ID"), True, parent=self)
        self.scale = Segmented(((1, "1×"), (2, "2×"), (4, "4×"), (0, _("1:1 pixels"))), value=1, name=_("Scale"), parent=self)
        right = QVBoxLayout()
        right.setSpacing(sizes().hair)
        right.addWidget(Label(_("Include"), "small", parent=self))
        for row in (self.text, self.segments, self.measurements, self.maps):
            right.addWidget(row)
        right.addWidget(divider(self))
        right.addWidget(self.hide_identity)
        right.addWidget(Hint(_("Burned-in text is part of the pixels and stays."), parent=self))
        right.addStretch(1)
        across = QHBoxLayout()
        across.setSpacing(sizes().wide)
        left = QVBoxLayout()
        left.setSpacing(sizes().gap)
        left.addWidget(self.preview)
        left.addWidget(self.size_words)
        across.addLayout(left)
        across.addLayout(right, 1)
        self.column.addLayout(across)
        line = QHBoxLayout()
        line.setSpacing(sizes().margin)
        line.addWidget(Label(_("Scale"), "small", parent=self))
        line.addWidget(self.scale, 1)
        self.column.addLayout(line)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self.refresh)
        for row in (self.text, self.segments, self.measurements, self.maps, self.hide_identity):
            row.value_changed.connect(self._change)
        self.scale.value_changed.connect(self._change)
        self.refresh()

    def reason(self) -> str:
        return self.host.why_closed

    def stem(self) -> str:
        return name_of(self.host, hide_identity=self.hide_identity.value())

    def ending(self) -> str:
        return ".png"

    def picture_size(self) -> Size:
        """Width and height of the file in pixels."""
        factor = int(str(self.scale.value()))
        if factor:
            return round(self._seen_in[0] * factor), round(self._seen_in[1] * factor)
        width, height = self.host.state.layout.size
        return max(1, round(width)), max(1, round(height))

    def picture(self) -> QImage:
        """The picture in full size."""
        return self._draw(self.picture_size() if self.scale.value() else None)

    def writer(self) -> Writer:
        image = self.picture()
        return lambda path, overwrite: save_atomic(path, png_bytes(image), overwrite=overwrite)

    def copy(self) -> str:
        QApplication.clipboard().setImage(self.picture())
        hidden = self.hide_identity.value()
        return _("Picture copied, without name and ID.") if hidden else _("Picture copied, with name and ID.")

    def refresh(self) -> None:
        """Draw the preview anew: the picture as it will be, made smaller."""
        width, height = self.picture_size()
        self.size_words.setText(_("{width} × {height} px · PNG").format(width=width, height=height))
        if self.host.state.volume is None:
            return
        # Texts are made for the view's size: the preview is that, shrunk. A picture at 1:1 is drawn as it is unless it is huge.
        size = (width, height) if not self.scale.value() and width * height < 4_000_000 else (round(self._seen_in[0]), round(self._seen_in[1]))
        try:
            image = self._draw(None if not self.scale.value() and size == (width, height) else size)
        except NegatoscopeError as err:
            self.size_words.setText(str(err))
            return
        ratio = self.devicePixelRatioF()
        small = image.scaled(self.preview.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
        small.setDevicePixelRatio(ratio)
        self.preview.setPixmap(QPixmap.fromImage(small))

    def _wish(self) -> ViewWish:
        wish = self.host.wish
        text = (wish.text if wish.text != "none" else "full") if self.text.value() else "none"
        segments, measurements, maps = self.segments.value(), self.measurements.value(), self.maps.value()
        return replace(wish, text=text, show_labels=segments, show_annotations=measurements, show_overlays=maps)

    def _draw(self, size: Size | None) -> QImage:
        any_mark = any(row.value() for row in (self.text, self.segments, self.measurements, self.maps))
        identity = not self.hide_identity.value()
        return screenshot(self.host.document, self._wish(), size, annotations=any_mark, identity=identity, seen_in=self._seen_in if size else None)

    def _change(self, _value: object) -> None:
        self._later.start()
        self.changed.emit()


class MaskPage(ChoosingPage):
    """The segments of a layer, all or one, on the grid of their image."""

    FORMATS = ((".nii.gz", "NIfTI (.nii.gz)"), (".nrrd", "NRRD (.nrrd)"), (".png", "PNG (.png)"))

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent)
        self._layers = tuple(x for x in host.document.layers_of(host.root_id) if x.segments) if host.root_id else ()
        choices: list[tuple[object, str]] = []
        for layer in self._layers:
            every = _("All segments") if len(self._layers) == 1 else _("All of {layer}").format(layer=layer.name)
            choices.append(((layer.id, 0), every))
            choices += [((layer.id, s.label), _("{number}  {segment}").format(number=s.label, segment=s.name)) for s in layer.segments]
        self.which = ChoiceRow(_("Segments"), choices, parent=self)
        self.format = ChoiceRow(_("Format"), self.FORMATS, parent=self)
        self.lay_out((self.which, self.format))
        self.show_note()

    def reason(self) -> str:
        return "" if self._layers else _("No segments yet.")

    def stem(self) -> str:
        chosen = self.which.value()
        base = self.series_name()
        if not isinstance(chosen, tuple) or not chosen[1]:
            return f"{base}_mask"
        segment = self.host.document.layer(chosen[0]).segment(chosen[1])
        return f"{base}_{slug_of(segment.name) if segment else chosen[1]}"

    def ending(self) -> str:
        return "" if self._is_folder() else str(self.format.value())

    def copy_reason(self) -> str:
        return _("A mask goes to a file.")

    def writer(self) -> Writer:
        chosen = self.which.value()
        if not isinstance(chosen, tuple):
            raise ValueError("no layer is chosen")
        layer_id, label = chosen
        layer = self.host.document.layer(layer_id)
        labels = self.host.document.labels(layer_id).copy()
        as_picture = self.format.value() == ".png"

        def write(path: Path, overwrite: bool) -> None:
            # One segment alone is 0 and 1; all of them keep their numbers.
            values = (labels == label).astype(np.uint8) if label else labels
            if as_picture:
                save_mask_picture(path, values, layer.geometry, overwrite=overwrite)
            else:
                save_mask(path, values, layer.geometry, overwrite=overwrite)

        return write

    def _is_folder(self) -> bool:
        chosen = self.which.value()
        planes = self.host.document.layer(chosen[0]).geometry.shape[0] if isinstance(chosen, tuple) else 1
        return self.format.value() == ".png" and planes > 1

    def show_note(self) -> None:
        chosen = self.which.value()
        if not isinstance(chosen, tuple):
            self.note.setText(_("No segments yet."))
            return
        geometry = self.host.document.layer(chosen[0]).geometry
        is_picture = self.format.value() == ".png"
        planes, rows, columns = geometry.shape if is_picture else geometry.straight().shape
        text = _("{columns} × {rows} × {planes} voxels, on the grid of the image.").format(columns=columns, rows=rows, planes=planes)
        if not (is_picture or geometry.is_rectangular):
            text = _("{columns} × {rows} × {planes} voxels.").format(columns=columns, rows=rows, planes=planes)
            text = f"{text} {straightening(geometry, is_labels=True)}"
        if self._is_folder():
            text = f"{text} {ngettext('A folder with {count} picture.', 'A folder with {count} pictures.', planes)}"
        self.note.setText(text)


class MeasurementsPage(ChoosingPage):
    """Measurements, tables and reports of the image, for a spreadsheet or a program."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent)
        document = host.document
        self._has_more = len(document.root_ids()) > 1
        scopes: list[tuple[object, str]] = [("this", _("This image")), ("all", _("All open images"))]
        self.scope = ChoiceRow(_("From"), scopes if self._has_more else scopes[:1], parent=self)
        self.format = ChoiceRow(_("Format"), [(".csv", _("CSV, for spreadsheets")), (".json", _("JSON, for programs"))], parent=self)
        self.lay_out((self.scope, self.format))
        if not self._tables() and self._has_more:
            self.scope.set_value("all")
        self.show_note()

    def reason(self) -> str:
        return "" if self._tables() else _("No measurements yet.")

    def stem(self) -> str:
        return f"{self.series_name()}_measurements"

    def ending(self) -> str:
        return str(self.format.value())

    def writer(self) -> Writer:
        tables = self._tables()
        return lambda path, overwrite: save_tables(path, tables, overwrite=overwrite)

    def copy(self) -> str:
        tables = self._tables()
        text = csv_text(tables) if self.format.value() == ".csv" else json_text(tables)
        mime = QMimeData()
        mime.setText(text)
        if self.format.value() == ".csv":
            mime.setData("text/csv", QByteArray(text.encode()))
        QApplication.clipboard().setMimeData(mime)
        return _("Measurements copied.")

    def _roots(self) -> tuple[str, ...]:
        return self.host.document.root_ids() if self.scope.value() == "all" else (self.host.root_id,) if self.host.root_id else ()

    def _tables(self) -> list[Table]:
        document, roots = self.host.document, self._roots()
        annotations = [a for root in roots for a in document.annotations_of(root)]
        reports = [r for root in roots for r in document.reports_of(root)]
        found = [annotations_table(annotations, lambda volume_id: document.volume(volume_id).geometry.unit)] if annotations else []
        found += [t for root in roots for t in document.tables_of(root)]
        return [*found, reports_table(reports)] if reports else found

    def show_note(self) -> None:
        tables = self._tables()
        rows = sum(len(table.rows) for table in tables)
        parts = (ngettext("{count} table", "{count} tables", len(tables)), ngettext("{count} row", "{count} rows", rows))
        self.note.setText(_("{tables}, {rows}. Numbers are not rounded.").format(tables=parts[0], rows=parts[1]))


class RecipePage(Page):
    """The operations of the history, to be run again on other images."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent)
        history = host.document.history
        steps = list(history)[: history.position]
        self._steps = recipe_of(steps, host.root_id or None, host.document)
        self.text = QPlainTextEdit(recipe_text(self._steps), self)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(_("The recipe"))
        face = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        face.setPixelSize(sizes().small)
        self.text.setFont(face)
        self.column.addWidget(self.text, 1)
        by_hand = len(steps) - len(self._steps)
        words = _("The operations on this image, in order. What was drawn or judged by hand is not in a recipe.")
        self.column.addWidget(Hint(words if by_hand else _("The operations on this image, in order."), parent=self))

    def reason(self) -> str:
        return "" if self._steps else _("No operations on this image yet.")

    def stem(self) -> str:
        return "recipe"

    def ending(self) -> str:
        return ".toml"

    def writer(self) -> Writer:
        steps = self._steps
        return lambda path, overwrite: save_recipe(path, steps, overwrite=overwrite)

    def copy(self) -> str:
        QApplication.clipboard().setText(self.text.toPlainText())
        return _("Recipe copied.")

    def sizeHint(self) -> QSize:
        return QSize(PREVIEW, PREVIEW)
