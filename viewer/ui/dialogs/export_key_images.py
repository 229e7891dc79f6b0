"""The page of the export dialog for key images: all of them into a new folder, or one as a file."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtWidgets import QWidget

from viewer.core.key_image import KeyImage
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.draw.key_pictures import key_picture, picture_names
from viewer.draw.screenshot import png_bytes
from viewer.io.save import save_atomic, save_folder
from viewer.session.key_images import place_words
from viewer.ui.controls import ChoiceRow, Hint, Segmented, SwitchRow
from viewer.ui.dialogs.export_pages import Page, Writer, name_of
from viewer.ui.host import Host

_ALL = ""
_SIDES = (1024, 2048)


class KeyImagesPage(Page):
    """Each key image as it was marked: plane, window and turns; fitted into a square, or one pixel to an image pixel."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent)
        self._items: tuple[KeyImage, ...] = host.document.items("key_image")
        choices: list[tuple[object, str]] = []
        if len(self._items) != 1:
            choices.append((_ALL, ngettext("All {count} key images", "All {count} key images", len(self._items))))
        for item in self._items:
            place = place_words(item, host.document.volume(item.volume_id))
            choices.append((item.id, "  ".join(part for part in (place, item.note) if part)))
        self.which = ChoiceRow(_("Key images"), choices, parent=self)
        self.scale = Segmented(
            ((_SIDES[0], _("{side} px").format(side=_SIDES[0])), (_SIDES[1], _("{side} px").format(side=_SIDES[1])), (0, _("1:1 pixels"))),
            value=_SIDES[0], name=_("Scale"), parent=self,
        )  # fmt: skip
        self.text = SwitchRow(_("Overlay text"), True, parent=self)
        self.marks = SwitchRow(_("Segments, maps and measurements"), True, parent=self)
        self.hide_identity = SwitchRow(_("Hide patient name and ID"), True, parent=self)
        self.note = Hint("", parent=self)
        for part in (self.which, self.scale, self.text, self.marks, self.hide_identity, self.note):
            self.column.addWidget(part)
        self.column.addStretch(1)
        for row in (self.which, self.scale, self.text, self.marks, self.hide_identity):
            row.value_changed.connect(self._change)
        self._show_note()

    def reason(self) -> str:
        return "" if self._items else _("No image is marked as a key image.")

    def stem(self) -> str:
        base = re.sub(r"_[0-9]{3,}$", "", name_of(self.host, hide_identity=bool(self.hide_identity.value()))) if self.host.root_id else "key"
        chosen = self._chosen()
        return f"{base}_{picture_names(self.host.document, chosen)[0][3:]}" if not self._is_folder() and chosen else f"{base}_key-images"

    def ending(self) -> str:
        return "" if self._is_folder() else ".png"

    def copy_reason(self) -> str:
        return _("Key images go to files.")

    def writer(self) -> Writer:
        document, chosen, side = self.host.document, self._chosen(), int(str(self.scale.value()))
        size = (side, side) if side else None
        text, marks = ("full" if self.text.value() else "none"), bool(self.marks.value())
        pictures = [
            png_bytes(
                key_picture(
                    document, item, size, like=self.host.wish if marks else None, text=text,
                    identity=not self.hide_identity.value(), annotations=marks or text != "none",
                )
            )
            for item in chosen
        ]  # fmt: skip
        names = picture_names(document, chosen)
        if not self._is_folder():
            return lambda path, overwrite: save_atomic(path, pictures[0], overwrite=overwrite)

        def fill(folder: Path) -> None:
            for name, picture in zip(names, pictures, strict=True):
                save_atomic(folder / f"{name}.png", picture)

        return lambda path, _overwrite: save_folder(path, fill)

    def _chosen(self) -> tuple[KeyImage, ...]:
        wanted = self.which.value()
        return tuple(item for item in self._items if wanted in (_ALL, item.id))

    def _is_folder(self) -> bool:
        return self.which.value() == _ALL

    def _show_note(self) -> None:
        count = len(self._chosen())
        folder = ngettext("A folder with {count} picture.", "A folder with {count} pictures.", count)
        self.note.setText(_("Burned-in text is part of the pixels and stays.") if not self._is_folder() else folder)

    def _change(self, _value: object) -> None:
        self._show_note()
        self.changed.emit()
