"""The export dialog's page for maps: a heat-map on the grid of its image, another map as it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from viewer.core.overlay import ScalarMap
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.io.write.grids import save_array
from viewer.session.heat import CAUTION, METHOD_NAMES, caption, is_heat, unfamiliar_among
from viewer.session.heat_file import of_all_slices, save_heat
from viewer.ui.controls import ChoiceRow, NoteBox
from viewer.ui.dialogs.export_pages import ChoosingPage, Writer, slug_of
from viewer.ui.host import Host


class MapsPage(ChoosingPage):
    """The maps over the image, one at a time; the heat-map in view first, with its like on other slices."""

    FORMATS = ((".nii.gz", "NIfTI (.nii.gz)"), (".nrrd", "NRRD (.nrrd)"), (".mha", "MetaImage (.mha)"))

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(host, parent)
        self._series: dict[str, tuple[ScalarMap, ...]] = {}
        choices: list[tuple[object, str]] = []
        for item in self._maps():
            like = of_all_slices(host.document, item) if is_heat(item) else (item,)
            if any(item in known for known in self._series.values()):
                continue
            self._series[item.id] = like
            choices.append((item.id, self._title(item)))
        self.which = ChoiceRow(_("Map"), choices, parent=self)
        self.format = ChoiceRow(_("Format"), self.FORMATS, parent=self)
        self.warning = NoteBox("warn", parent=self)
        self.lay_out((self.which, self.format), self.warning)
        self.show_note()

    def _maps(self) -> list[ScalarMap]:
        shown = [shown.item for shown in self.host.state.maps][::-1]
        every = self.host.document.overlays_of(self.host.root_id) if self.host.root_id else ()
        return [*shown, *(item for item in every if item not in shown)]

    def _title(self, item: ScalarMap) -> str:
        if not is_heat(item):
            return _(item.name)
        return _("{title} ({method})").format(title=caption(item), method=_(METHOD_NAMES.get(item.method, item.method)))

    def _chosen(self) -> tuple[ScalarMap, ...]:
        return self._series.get(str(self.which.value()), ())

    def reason(self) -> str:
        return "" if self._series else _("No maps yet.")

    def stem(self) -> str:
        base = self.series_name()
        chosen = self._chosen()
        if not chosen:
            return f"{base}_map"
        first, ending = chosen[0], "_unfamiliar" if self._strange() else ""
        return f"{base}_heat-map_{slug_of(first.score)}{ending}" if is_heat(first) else f"{base}_{slug_of(first.name) or 'map'}"

    def ending(self) -> str:
        return str(self.format.value())

    def copy_reason(self) -> str:
        return _("A map goes to a file.")

    def writer(self) -> Writer:
        chosen = self._chosen()
        if not chosen:
            raise ValueError("no map is chosen")
        first, geometry = chosen[0], self.host.document.volume(chosen[0].volume_id).geometry
        is_unfamiliar = self._strange() > 0

        def write(path: Path, overwrite: bool) -> None:
            if is_heat(first):
                save_heat(path, chosen, geometry, overwrite=overwrite, is_unfamiliar=is_unfamiliar)
            else:
                save_array(path, first.values[None], first.geometry, overwrite=overwrite, with_gaps=True)

        return write

    def _strange(self) -> int:
        """How many of the chosen maps are of images that the model has not seen the like of."""
        return unfamiliar_among(self.host.document, self._chosen())

    def show_note(self) -> None:
        chosen, strange = self._chosen(), self._strange()
        said = ngettext(
            "{count} slice of this map is of a kind that the model has not seen: it may mislead. The file and its name say so.",
            "{count} slices of this map are of a kind that the model has not seen: they may mislead. The file and its name say so.",
            strange,
        )
        self.warning.show_note("warn", said if strange else "")
        if not chosen:
            self.note.setText(_("No maps yet."))
        elif is_heat(chosen[0]):
            planes, rows, columns = self.host.document.volume(chosen[0].volume_id).geometry.straight().shape
            size = _("{columns} × {rows} × {planes} voxels, on the grid of the image, 0 where there is no map.")
            slices = ngettext("Heat map of {count} slice.", "Heat maps of {count} slices.", len(chosen))
            first = _("{first} {second}").format(first=size.format(columns=columns, rows=rows, planes=planes), second=slices)
            self.note.setText(_("{first} {second}").format(first=first, second=_(CAUTION)))
        else:
            planes, rows, columns = chosen[0].geometry.straight().shape
            self.note.setText(_("{columns} × {rows} × {planes} voxels.").format(columns=columns, rows=rows, planes=planes))
