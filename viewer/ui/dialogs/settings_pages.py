"""The pages of the settings but for the keys: rows that write into the settings; what follows from it is the preferences' affair."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from viewer.core.labels import SEGMENT_COLORS
from viewer.core.sentence import joined
from viewer.core.words import gettext as _
from viewer.core.words import names, ngettext
from viewer.session.left_behind import remove_left_behind
from viewer.session.profile import PROFILES, TITLES
from viewer.session.settings import DEFAULTS, LEAVE_NOTHING, data_folder
from viewer.ui.controls import Button, ChoiceRow, FormRow, Hint, NoteBox, NumberRow, SectionTitle, Swatch, SwitchRow
from viewer.ui.host import Host
from viewer.ui.recents import Recents
from viewer.ui.theme import set_available, sizes

_LABELS = 168
_SWATCHES_IN_A_ROW = 6


class Page(QWidget):
    """Rows of settings under each other."""

    can_reset = True
    keys: tuple[str, ...] = ()
    """Of the settings on the page."""

    def __init__(self, host: Host, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.host, self.settings = host, host.settings
        self.rows: dict[str, FormRow] = {}
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, sizes().gap, sizes().margin, sizes().gap)
        self.column.setSpacing(sizes().row_gap)

    def reset(self) -> None:
        """All of the page as it was shipped."""
        self.settings.reset(self.keys)
        self.show_values()

    def show_values(self) -> None:
        """Show what is in the settings."""
        for key, row in self.rows.items():
            row.set_value(self.settings.chosen(key))  # type: ignore[attr-defined]

    def choice(self, key: str, label: str, choices: list[tuple[object, str]], hint: str = "") -> ChoiceRow:
        """A row for one of a few."""
        values = [value for value, _words in choices]
        now = self.settings.chosen(key)
        row = ChoiceRow(label, choices, DEFAULTS[key], parent=self)
        row.set_value(now if now in values else DEFAULTS[key])
        self._add(key, row, hint)
        return row

    def switch(self, key: str, label: str, hint: str = "") -> SwitchRow:
        """A row for on and off."""
        row = SwitchRow(label, DEFAULTS[key], help=hint, parent=self)
        row.set_value(self.settings.chosen(key))
        self._add(key, row, "")
        return row

    def _add(self, key: str, row: Any, hint: str) -> None:
        row.set_label_width(_LABELS)
        row.settled.connect(lambda value: self.settings.set(key, value))
        self.rows[key] = row
        self.column.addWidget(row)
        if hint:
            self.column.addWidget(Hint(hint, parent=self))


class GeneralPage(Page):
    """Language, theme, text size, profile."""

    keys = ("language", "theme", "text_scale", "profile")

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(host, _("General"), parent)
        self.language = self.choice("language", _("Language"), [("", _("As the system")), *names().items()])
        self.theme = self.choice("theme", _("Theme"), [("dark", _("Dark")), ("light", _("Light")), ("system", _("As the system"))])
        scales: list[tuple[object, str]] = [(1.0, "100 %"), (1.25, "125 %"), (1.5, "150 %")]
        self.scale = self.choice("text_scale", _("Text size"), scales, _("Takes effect at the next start."))
        profiles: list[tuple[object, str]] = [(name, _(TITLES[name])) for name in PROFILES]
        self.profile = self.choice("profile", _("Profile"), profiles, _("Keys, mouse and presets as the hand knows them from another viewer."))
        self.column.addStretch(1)


class ViewPage(Page):
    """How the image is shown and how the mouse acts on it."""

    keys = ("corner_text", "smooth", "letters", "up_is_brighter", "wheel_acceleration", "magnifier", "ruler", "neurological")

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(host, _("View"), parent)
        levels: list[tuple[object, str]] = [("full", _("Full")), ("short", _("Short")), ("none", _("None"))]
        self.text = self.choice("corner_text", _("Corner text"), levels)
        ends: list[tuple[object, str]] = [("HF", _("H and F (head, feet)")), ("SI", _("S and I (superior, inferior)"))]
        self.letters = self.choice("letters", _("Letters of the body's ends"), ends)
        self.smooth = self.switch("smooth", _("Smooth between pixels when enlarged"), _("Off: each pixel is a square. Values are never changed."))
        self.direction = self.switch("up_is_brighter", _("Dragging up makes the image brighter"), _("Off: dragging down does."))
        self.wheel = self.switch("wheel_acceleration", _("A wheel turned quickly goes faster"), _("Through long stacks, several slices to a notch."))
        sizes_of_lens: list[tuple[object, str]] = [(factor, f"{factor}×") for factor in (2, 3, 4)]
        self.magnifier = self.choice("magnifier", _("Magnifier"), sizes_of_lens)
        self.ruler = self.switch("ruler", _("Rulers along the edges"))
        self.neurological = self.switch(
            "neurological", _("Neurological orientation"), _("The patient's left on the left of the screen; a badge says so.")
        )
        self.column.addStretch(1)


class SegmentPage(Page):
    """How segments are laid over the image, and the colours of new ones."""

    keys = ("label_opacity", "segment_colors")

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(host, _("Segment"), parent)
        self.opacity = NumberRow(_("Opacity"), 0, 100, 28, unit="%", decimals=0, parent=self)
        self.opacity.set_label_width(_LABELS)
        self.opacity.value_changed.connect(lambda percent: self.settings.set("label_opacity", percent / 100))
        self.column.addWidget(self.opacity)
        self.column.addWidget(SectionTitle(_("Colours of new segments, in turn"), parent=self))
        grid = QGridLayout()
        grid.setSpacing(sizes().tight)
        grid.setColumnStretch(_SWATCHES_IN_A_ROW, 1)
        self.swatches: list[Swatch] = []
        for at, color in enumerate(SEGMENT_COLORS):
            swatch = Swatch(color, _("Colour {number}").format(number=at + 1), parent=self)
            swatch.clicked.connect(partial(self._choose, at))
            grid.addWidget(swatch, at // _SWATCHES_IN_A_ROW, at % _SWATCHES_IN_A_ROW)
            self.swatches.append(swatch)
        self.column.addLayout(grid)
        self.column.addWidget(Hint(_("The shipped colours are told apart with each common colour deficiency."), parent=self))
        self.column.addStretch(1)
        self.show_values()

    def show_values(self) -> None:
        self.opacity.set_value(round(100 * self.settings.chosen("label_opacity")))
        for swatch, color in zip(self.swatches, self._colors(), strict=True):
            swatch.set_color(color)

    def set_color(self, at: int, color: str) -> None:
        """The colour of the segments that are the ``at``-th (from 0) of twelve."""
        colors = list(self._colors())
        colors[at] = color
        self.settings.set("segment_colors", colors)
        self.show_values()

    def _colors(self) -> list[str]:
        own = self.settings.chosen("segment_colors")
        return [own[n] if n < len(own) and QColor(str(own[n])).isValid() else color for n, color in enumerate(SEGMENT_COLORS)]

    def _choose(self, at: int, _checked: bool = False) -> None:
        dialog = QColorDialog(QColor(self._colors()[at]), self)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.colorSelected.connect(lambda color: self.set_color(at, color.name().upper()))
        dialog.open()


class PluginsPage(Page):
    """The plugins that were found; those that are not built in are off until they are switched on here."""

    can_reset = False

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(host, _("Plugins"), parent)
        self.switches: dict[str, SwitchRow] = {}
        for plugin in host.registry.plugins:
            name = f"{plugin.name}=={plugin.version}"
            row = SwitchRow(_(plugin.title), plugin.is_enabled or name in self.settings.chosen("plugins"), help=self._about(plugin), parent=self)
            reason = _("Built-in plugins are always on.") if plugin.is_builtin else plugin.error
            set_available(row.switch, reason)
            row.settled.connect(partial(self._switch, name))
            self.switches[plugin.name] = row
            self.column.addWidget(row)
        self.column.addWidget(
            Hint(
                _("A plugin runs with all your rights. A change to one that is not built in takes effect at the next start, for this version only."),
                parent=self,
            )
        )
        self.column.addStretch(1)

    def _switch(self, name: str, on: bool) -> None:
        kept = [other for other in self.settings.chosen("plugins") if other != name]
        self.settings.set("plugins", [*kept, name] if on else kept)

    @staticmethod
    def _about(plugin: Any) -> str:
        if plugin.error:
            return str(plugin.error)
        words = [_("Version {version}").format(version=plugin.version)]
        if plugin.operations:
            words.append(ngettext("{count} operation", "{count} operations", len(plugin.operations)))
        if plugin.tools:
            words.append(ngettext("{count} tool", "{count} tools", len(plugin.tools)))
        return " · ".join(str(word) for word in words)


class PrivacyPage(Page):
    """What the program remembers."""

    keys = (LEAVE_NOTHING,)

    def __init__(self, host: Host, recents: Recents, parent: QWidget | None = None) -> None:
        super().__init__(host, _("Privacy"), parent)
        self._recents = recents
        self.nothing = self.switch(
            LEAVE_NOTHING, _("Leave nothing on this computer"),
            _("No recent folders, no journal, no remembered layout. After a crash nothing can be recovered."),
        )  # fmt: skip
        self.column.addWidget(SectionTitle(_("What is remembered otherwise"), parent=self))
        for text in (
            _("The paths of the last ten folders and files, never names from images. A path may hold a name."),
            _("A journal of your changes while an image is open, for you alone; it goes when the image is closed."),
            _("How the window was arranged, and these settings. Nothing is sent anywhere."),
        ):
            self.column.addWidget(Hint(text, parent=self))
        row = QHBoxLayout()
        self.forget = Button(_("Forget now"), icon="trash-2", parent=self)
        self.forget.clicked.connect(self._forget)
        row.addWidget(self.forget)
        row.addStretch(1)
        self.column.addLayout(row)
        self.told = NoteBox("ok", "", parent=self)
        self.told.hide()
        self.column.addWidget(self.told)
        self.column.addStretch(1)

    def _forget(self) -> None:
        words = {
            "recent": _("recent folders and files"), "last_folder": _("the last folder"), "export_folder": _("the folder of exports"),
            "window": _("place and size of the window"), "splitter": _("widths of its parts"), "layout": _("the layout"),
            "links": _("the links of views"),
        }  # fmt: skip
        found = [str(words[trace]) for trace in self.settings.forget() if trace in words]
        store = self.host.document.store
        journals = remove_left_behind(data_folder() / "journals", besides=store.path if store is not None else None)
        if journals:
            found.append(ngettext("the journal of a session that crashed", "the journals of {count} sessions that crashed", journals))
        self._recents.changed.emit()
        text = _("Wiped: {things}. Deleted files can sometimes be read back from a disk.").format(things=joined(found, ", "))
        self.told.show_note("ok", text if found else _("There was nothing to forget."))
