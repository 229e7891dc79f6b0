"""QActions made from the table of actions, with the keys of the profile in use; handlers are bound by id."""

from __future__ import annotations

import string
import weakref
from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from viewer.core.words import gettext as _
from viewer.session.profile import Profile
from viewer.ui import icons, theme
from viewer.ui.action_table import COMING, READING, REASONS, TABLE, WHILE_READING, WITHOUT_IMAGE, ActionSpec, KeyScope
from viewer.ui.controls import IconButton


class Actions(QObject):
    """QActions made from the table, plus those of the plugins' tools and operations.

    Handlers are bound by id; keys come with :meth:`use_profile`.
    """

    profile_changed = Signal()

    def __init__(self, window: QWidget, view: QWidget) -> None:
        """``view``: where the keys of scope V count; elsewhere a letter, an arrow or Space belongs to the focused control."""
        super().__init__(window)
        self._window, self._view = window, view
        self._actions: dict[str, QAction] = {}
        self._told: tuple[set[str], bool, dict[str, str]] | None = None
        self._reasons: dict[str, str] = {}
        self._specs: dict[str, ActionSpec] = {}
        self._narrow: frozenset[str] = frozenset()
        self._profile = Profile()
        self._buttons: weakref.WeakKeyDictionary[IconButton, tuple[str, str]] = weakref.WeakKeyDictionary()
        for spec in TABLE:
            self.add(spec)

    def add(self, spec: ActionSpec) -> QAction:
        """Make the action of a spec; its handler comes with :meth:`bind`, its keys with the next :meth:`use_profile`."""
        action = QAction(_(spec.title), self)
        action.setObjectName(spec.id)
        action.setIconText(_(spec.title))
        action.setCheckable(spec.is_checkable)
        is_global = spec.scope == "G"
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut if is_global else Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setAutoRepeat(spec.scope == "V")
        if spec.icon and spec.icon in icons.icon_names():
            icons.promise_icon(action, spec.icon, size=16)
        (self._window if is_global else self._view).addAction(action)
        self._actions[spec.id], self._specs[spec.id] = action, spec
        self._told = None
        return action

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._actions

    def specs(self) -> Iterable[ActionSpec]:
        return tuple(self._specs.values())

    def coming(self) -> tuple[ActionSpec, ...]:
        """What is not there yet, but has keys kept for it."""
        return tuple(spec for spec in COMING if spec.id not in self._specs)

    def scopes(self) -> dict[str, str]:
        """Where the keys of each action count, by id; of those to come too."""
        return {spec.id: spec.scope for spec in (*self.coming(), *self._specs.values())}

    def bind(self, action_id: str, handler: Callable[[], None]) -> None:
        """Call ``handler`` when the action is triggered (a bound method)."""
        self._actions[action_id].triggered.connect(lambda _checked=False: handler())

    # --- keys ---

    @property
    def profile(self) -> Profile:
        return self._profile

    def use_profile(self, profile: Profile) -> None:
        """Other keys, at once."""
        self._profile = profile
        self._give_keys()
        for button, (action_id, words) in tuple(self._buttons.items()):
            if isValid(button):
                self.name_button(button, action_id, words)
        self.profile_changed.emit()

    def keys(self, action_id: str) -> tuple[str, ...]:
        """The keys of an action in the profile in use, in the form of ``normal_key``."""
        return self._profile.keys.get(action_id, ())

    def shown_keys(self, action_id: str) -> tuple[str, ...]:
        """The same in the system's words."""
        native = QKeySequence.SequenceFormat.NativeText
        return tuple(dict.fromkeys(QKeySequence(key).toString(native) for key in self.keys(action_id)))

    def name_button(self, button: IconButton, action_id: str, words: str) -> None:
        """Name a button by its words and the key of its action, now and whenever the keys change."""
        self._buttons[button] = (action_id, words)
        keys = self.shown_keys(action_id)
        name = f"{words} ({keys[0]})" if keys else words
        if button.property("unavailable"):
            button.setProperty("ownToolTip", name)  # its tooltip says why
            button.setAccessibleName(name)
        else:
            button.set_name(name)

    def count_in(self, scope: KeyScope, on: bool) -> None:
        """Whether a narrow scope (S, C) counts now: its keys then come before those of the view."""
        narrow = self._narrow | {scope} if on else self._narrow - {scope}
        if narrow != self._narrow:
            self._narrow = narrow
            self._give_keys()

    def use_keys_in(self, widget: QWidget, scope: KeyScope) -> None:
        """Let the keys of a narrow scope count in a panel too."""
        for spec in self._specs.values():
            if spec.scope == scope:
                widget.addAction(self._actions[spec.id])

    def _give_keys(self) -> None:
        keys, narrow = self._profile.keys, set[str]()
        for spec in self._specs.values():
            if spec.scope in self._narrow:
                narrow.update(keys.get(spec.id, ()))
        for spec in self._specs.values():
            given = keys.get(spec.id, ()) if spec.scope in self._narrow or spec.scope in ("G", "V") else ()
            hidden = narrow if spec.scope == "V" else ()
            wanted = [sequence for key in given if key not in hidden for sequence in sequences(key)]
            action = self._actions[spec.id]
            if [s.toString(QKeySequence.SequenceFormat.PortableText) for s in action.shortcuts()] != wanted:
                action.setShortcuts([QKeySequence(text) for text in wanted])
            tip = self._tip(spec)
            action.setProperty("ownToolTip", tip)
            if not action.property("unavailable"):
                action.setToolTip(tip)

    def set_available(self, facts: set[str], *, is_reading: bool = False, reasons: Mapping[str, str] | None = None) -> None:
        """Enable what has what it needs; the rest says in its tooltip what is missing.

        Parameters
        ----------
        facts : set of str
            The needs that are met.
        is_reading : bool
            Whether the image is not whole yet: then it can be looked at, and no more.
        reasons : mapping of str to str, optional
            Why a need is not met, where that depends on the image; in place of the words of the table.
        """
        own = dict(reasons or {})
        if (facts, is_reading, own) == self._told:
            return  # scrolling asks a hundred times a second
        self._told = set(facts), is_reading, own
        for spec_id, spec in self._specs.items():
            if not spec.needs:
                continue
            is_of_image = spec.needs not in WITHOUT_IMAGE
            met = spec.needs in facts and ("image" in facts or not is_of_image)
            missing = "image" if is_of_image and "image" not in facts else spec.needs
            reason = "" if met else own.get(missing) or _(REASONS[missing])
            if not reason and is_reading and not (spec.command or spec_id in WHILE_READING):
                reason = _(READING)
            if self._reasons.get(spec_id) != reason:  # most stay as they are, and there are hundreds
                self._reasons[spec_id] = reason
                theme.set_available(self._actions[spec_id], reason)

    def menu_title(self, spec: ActionSpec) -> str:
        """The words in a menu: with an ellipsis where a dialog opens."""
        return f"{_(spec.title)}…" if spec.opens_dialog else _(spec.title)

    def _tip(self, spec: ActionSpec) -> str:
        shown = self.shown_keys(spec.id)
        keys = f" ({shown[0]})" if shown else ""
        return f"{_(spec.title)}{keys}\n{_(spec.tip)}" if spec.tip else f"{_(spec.title)}{keys}"


def is_segment_tool(name: str) -> bool:
    """Whether a tool's keys are of scope S, and S counts while it is in hand."""
    return name.startswith("Segment/")


def sequences(key: str) -> tuple[str, ...]:
    """What Qt is told of a key: a sign is bound with Shift too, since keyboards differ in which they need it for."""
    modifiers, _plus, _rest = key[:-1].rpartition("+")
    if key[-1] not in string.punctuation:
        return (key,)
    return key, f"{modifiers}+Shift+{key[-1]}" if modifiers else f"Shift+{key[-1]}"
