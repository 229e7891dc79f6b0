"""The profile in use: reads it with the user's own changes, gives keys to the actions and gestures to the mouse, and keeps what is changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject

from viewer.core.words import gettext as _
from viewer.session.profile import KeyFileError, Profile, load_profile, own_file, read_key_file, text_of, write_own
from viewer.ui.actions import Actions, is_segment_tool
from viewer.ui.cine import Cine
from viewer.ui.dock import Dock
from viewer.ui.host import Host
from viewer.ui.tooling import Tooling
from viewer.ui.views.commands import use_presets
from viewer.ui.views.mouse import use_handling


class Keyboard(QObject):
    """Stands between the settings, the key files and the table of actions."""

    def __init__(self, host: Host, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.host, self.actions = host, actions
        self.problems: tuple[str, ...] = ()
        """Sentences about what could not be used of the files read last."""
        self._read()

    @property
    def profile(self) -> Profile:
        return self.actions.profile

    @property
    def own_path(self) -> Path:
        """Where the user's changes to the profile in use are kept."""
        return own_file(self.host.settings.path.parent, self.profile.name)

    def follow(self, tooling: Tooling, dock: Dock, cine: Cine) -> None:
        """Have the narrow scopes count while their tool is in hand, their panel is shown, or cine runs; say what was wrong in the files."""
        self._tooling, self._dock = tooling, dock
        tooling.tool_changed.connect(self._look)
        dock.panel_shown.connect(self._look)
        cine.changed.connect(self._count_cine)
        self._look()
        self.tell()

    def _look(self, _name: str = "") -> None:
        is_shown = self._dock.current_name == "segment"
        panel = self._dock.panel("segment")
        if is_shown and panel is not None:
            self.actions.use_keys_in(panel, "S")
        self.actions.count_in("S", is_shown or is_segment_tool(self._tooling.name))

    def _count_cine(self, is_playing: bool) -> None:
        self.actions.count_in("C", is_playing)

    def take_profile(self) -> None:
        """Another profile was chosen in the settings: it counts at once."""
        if self.host.settings.chosen("profile") != self.profile.name:
            self._read()
            self.tell()

    def change(self, profile: Profile) -> None:
        """Take changed keys into use and keep them."""
        use_handling(gestures=profile.mouse)
        self.actions.use_profile(profile)
        try:
            write_own(self.own_path, profile)
        except OSError as err:
            self.host.say("warn", _("The keys count until the program ends; they could not be kept: {reason}").format(reason=err))

    def take_file(self, path: Path) -> bool:
        """Take the keys of a file over into the profile in use; False, and said why, if it cannot be read."""
        try:
            stated = read_key_file(path)
        except KeyFileError as err:
            self.host.report(err)
            return False
        scopes, profile, problems = self.actions.scopes(), self.profile, list(stated.problems)
        for action_id, keys in stated.keys.items():
            if action_id not in scopes:
                problems.append(_("{file}: there is no action “{action}”.").format(file=path.name, action=action_id))
                continue
            profile = profile.with_keys(action_id, ())
            for key in keys:
                profile = profile.given(action_id, key, scopes)
        self.change(replace(profile, mouse={**profile.mouse, **stated.mouse}))
        self.problems = tuple(problems)
        self.tell()
        return True

    def write_file(self, path: Path) -> None:
        """Write all keys and gestures in use into a file that :meth:`take_file` reads. Raises OSError."""
        path.write_text(text_of(self.profile.keys, self.profile.mouse), encoding="utf-8")

    def tell(self) -> None:
        """Say in the message bar what could not be used."""
        if self.problems:
            more = len(self.problems) - 1
            text = self.problems[0] if not more else _("{first} And {more} more; see Details.").format(first=self.problems[0], more=more)
            self.host.say("warn", text, details="\n".join(self.problems) if more else "")

    def _read(self) -> None:
        name = self.host.settings.get("profile", "default")
        folder = self.host.settings.path.parent
        asked = {spec.id: spec.keys for spec in self.actions.specs() if spec.keys}
        profile, self.problems = load_profile(name, own_file(folder, name), scopes=self.actions.scopes(), asked=asked)
        use_handling(gestures=profile.mouse)
        use_presets(profile.name)
        self.actions.use_profile(profile)
