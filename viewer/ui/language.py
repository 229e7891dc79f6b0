"""The language of the window: changed at once, by another window on the same host.

What is open, its views, the history, the tool in hand and all that runs belong to the host and go on; the widgets are made anew in
the other language, in the same places. Qt's own dialogs speak it through Qt's translations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QObject, QTimer, QTranslator
from PySide6.QtWidgets import QApplication

from viewer.core import words
from viewer.core.catalogue import Fault
from viewer.core.words import ngettext
from viewer.session.settings import Settings

if TYPE_CHECKING:
    from viewer.ui.host import Host
    from viewer.ui.window import Window

SETTING = "language"
SYSTEM = "system"
CHOICES = (SYSTEM, *words.LANGUAGES)
"""What may be chosen: the system's language, or one of ours."""
_LOOK_AGAIN_MS = 200
_translators: list[QTranslator] = []


def chosen(settings: Settings) -> str:
    """One of ``CHOICES``: what the settings say."""
    name = settings.get(SETTING, "")
    return name if name in words.LANGUAGES else SYSTEM


def speak(application: QApplication, name: str) -> tuple[Fault, ...]:
    """Speak a language (one of ``CHOICES``, "" as the system's) from now on, in what is made from now on; what is wrong with its catalogues."""
    faults = words.use("" if name == SYSTEM else name)
    for old in _translators:
        application.removeTranslator(old)
    _translators.clear()
    if words.language() != words.ENGLISH:
        translator = QTranslator(application)
        if translator.load(f"qtbase_{words.language()}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            application.installTranslator(translator)
            _translators.append(translator)
    return faults


def tell(host: Host, faults: tuple[Fault, ...]) -> None:
    """Say in the message bar what of the translation is damaged."""
    if faults:
        text = ngettext("{count} translation is damaged and stays English.", "{count} translations are damaged and stay English.", len(faults))
        host.say("warn", text, details="\n".join(map(str, faults)))


class LanguageWatch(QObject):
    """Follows the setting: whoever changes it, menu or settings dialog, has the window speak it at once."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._settings = window, window.host.settings
        self._is_over = False
        self._settings.watch(self._take)

    def choose(self, name: str) -> None:
        """Remember a choice, one of ``CHOICES``."""
        self._settings.set(SETTING, "" if name == SYSTEM else name)
        self.show_choice()

    def show_choice(self) -> None:
        """Check the menu's line of the language that was chosen."""
        now = chosen(self._settings)
        for name in CHOICES:
            self._window.actions_table[f"language.{name}"].setChecked(name == now)

    def close(self) -> None:
        """Follow no more."""
        self._is_over = True

    def _take(self, key: str) -> None:
        if key == SETTING and not self._is_over:
            # The menu or dialog that asked for it is to be through first.
            QTimer.singleShot(0, self, self._follow)

    def _follow(self) -> None:
        name = chosen(self._settings)
        if (words.system_language() if name == SYSTEM else name) == words.language():
            self.show_choice()
        else:
            change(self._window, name)


def change(window: Window, name: str) -> Window:
    """Another window in the place of this one, in another language; the old one goes when nothing that runs needs it any more."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    faults = speak(application, name)
    window.commands.language.close()
    window.cine.stop()
    window.host.clear_preview()
    window.tooling.cancel()
    new = type(window)(window.host, restore=False, after=window)
    _take_places(window, new)
    _take_parts(window, new)
    _take_settings(window, new)
    window.hide()
    new.activateWindow()
    _bury(window)
    tell(new.host, faults)
    return new


def _take_places(old: Window, new: Window) -> None:
    """Size, place and parts of the window as they were."""
    new.restoreGeometry(old.saveGeometry())
    new.resize(old.size())
    new.browser.setVisible(old.browser.isVisibleTo(old))
    new.dock.setVisible(old.dock.isVisibleTo(old))
    new.results.setVisible(old.results.isVisibleTo(old))
    new.setWindowState(old.windowState())
    new.show()
    # Sizes count once the parts are laid out.
    QApplication.sendPostedEvents()
    new.horizontal.setSizes(old.horizontal.sizes())
    new.vertical.setSizes(old.vertical.sizes())


def _take_parts(old: Window, new: Window) -> None:
    """What the widgets themselves remember."""
    new.grid.set_identity(old.grid.identity)
    new.grid.set_message(old.grid.message)
    if old.grid.is_maximised:
        new.grid.toggle_maximised(new.grid.active_view)
    new.layout_commands.take_over(old.layout_commands)
    new.browser.filter.setText(old.browser.filter.text())
    for row in new.opener.rows():
        picture = new.opener.picture(row.entry)
        if picture is not None:
            new.browser.take_thumbnail(row.entry.id, picture)
    new.dock.take_over(old.dock)
    for message in old.messages.take_messages():
        # A sentence of ours is said again; what it was put together from stays as it was.
        new.messages.show_message(
            message.kind, words.gettext(message.text), [(words.gettext(text), call) for text, call in message.links], about=message.about
        )
    new.center.setCurrentIndex(old.center.currentIndex())
    new.refresh_actions()
    new.commands.language.show_choice()


def _take_settings(old: Window, new: Window) -> None:
    """The settings dialog, where the language was chosen in it."""
    from viewer.ui.dialogs.settings import SettingsDialog, open_settings  # a window starts without it

    for dialog in old.findChildren(SettingsDialog):
        if dialog.isVisible():
            page = next(name for name, made in dialog.pages.items() if made is dialog.page)
            dialog.hide()
            open_settings(new, page)


def _bury(window: Window) -> None:
    """Delete a window that is not shown any more once no task is left that may call back into its widgets."""
    timer = QTimer(window)
    timer.setInterval(_LOOK_AGAIN_MS)

    def look() -> None:
        if window.host.work.is_idle:
            timer.stop()
            window.panel_host.recents.setParent(window)
            keep: QObject = window
            keep.deleteLater()

    timer.timeout.connect(look)
    timer.start()
    look()
