"""What the window does with models: lists them, adds those that are chosen or dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from viewer.core.errors import ModelUnusable
from viewer.core.model_card import CARD_FILE, MODEL_FILE, ModelCard, card_of
from viewer.core.words import gettext as _
from viewer.session.model_facts import is_model_path
from viewer.session.models import is_built_in, read_mapping
from viewer.session.own_models import add_model, fill_checksums
from viewer.ui.dialogs.add_model import AddModelDialog
from viewer.ui.dialogs.confirm import Confirm
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.dialogs.model_list import ModelListDialog
from viewer.ui.dialogs.model_words import added_words
from viewer.ui.model_checks import check_then

if TYPE_CHECKING:
    from viewer.ui.window import Window


class ModelCommands(QObject):
    """Handlers of the models' actions, and the way in for what is dropped."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._host = window, window.host
        self._waiting: list[Path] = []

    def handlers(self) -> dict[str, Any]:
        return {"models.list": self.show_list, "models.add": self.choose_file}

    def show_list(self, name: str = "") -> None:
        """Open the list of models, with one of them in hand."""
        ModelListDialog(self._host, self.choose_file, name, self._window).open()

    def choose_file(self, parent: QWidget | None = None) -> None:
        """Ask for an ONNX file, and add it."""
        settings = self._host.settings
        start = str(settings.get("last_folder", str(Path.home())))
        chosen, _filter = QFileDialog.getOpenFileName(parent or self._window, _("Add a model"), start, "ONNX (*.onnx)")
        if chosen:
            settings.set("last_folder", str(Path(chosen).parent))
            self.add(Path(chosen), parent)

    def take_models(self, paths: Sequence[Path]) -> list[Path]:
        """Add what is a model among dropped paths; the others are given back."""
        models = [path for path in paths if is_model(path)]
        self._waiting += models
        if models and len(self._waiting) == len(models):
            self._add_next()
        return [path for path in paths if path not in models]

    def _add_next(self) -> None:
        """One after the other: each may have its questions."""
        if self._waiting:
            dialog = self.add(self._waiting[0])
            if dialog is None:
                self._one_is_done()
            else:
                dialog.finished.connect(self._one_is_done)

    def _one_is_done(self, _result: int = 0) -> None:
        del self._waiting[:1]
        self._add_next()

    def add(self, path: Path, parent: QWidget | None = None) -> Dialog | None:
        """Add a file ``.onnx`` after its questions, or a folder with its card after its checks; the dialog, where there is one."""
        if path.is_file() and path.name == MODEL_FILE and (path.parent / CARD_FILE).is_file():
            path = path.parent
        if path.is_dir() and (path / CARD_FILE).is_file():
            return self._add_folder(path, parent or self._window)
        dialog = AddModelDialog(self._host, path / MODEL_FILE if path.is_dir() else path, parent or self._window)
        dialog.open()
        return dialog

    # --- a folder with its card ---

    def _add_folder(self, folder: Path, parent: QWidget) -> Dialog | None:
        host = self._host
        with host.reporting():
            text = read_mapping(folder)
            fill_checksums(text, folder / MODEL_FILE)  # a card written by hand has none
            card = card_of(text, folder)
            same = next((known for known in host.models.cards if known.name == card.name), None)
            if same is not None and same.folder.resolve() == folder.resolve():
                host.say("info", _("The model “{title}” is among your own already.").format(title=_(card.title)))
            elif same is not None and is_built_in(same):
                raise ModelUnusable(_('"{name}" is the name of a built-in model; choose another.').format(name=card.name))
            elif same is not None:
                title = _("Replace the model “{title}”?").format(title=_(same.title))
                text = _("There is version {version} among your own models; this is version {other}.").format(
                    version=same.version, other=card.version
                )
                dialog = Confirm(title, text, keep=_("Keep"), go_on=_("Replace"), parent=parent)
                dialog.accepted.connect(lambda: self._check_and_copy(folder, card, overwrite=True))
                dialog.open()
                return dialog
            else:
                self._check_and_copy(folder, card, overwrite=False)
        return None

    def _check_and_copy(self, folder: Path, card: ModelCard, *, overwrite: bool) -> None:
        """It is loaded in a worker first: what is not what its card says is never copied."""
        host, title = self._host, _("Adding {name}").format(name=card.name)

        def added(kept: ModelCard) -> None:
            host.models.reload()
            show: tuple[str, Callable[[], None]] = (_("Model list"), lambda: self.show_list(kept.name))
            host.say("ok", added_words(kept), (show,))

        def copy() -> None:
            host.work.run_thread(lambda _progress: add_model(folder, overwrite=overwrite), title, added, host.report)

        check_then(host, card.model_path, card.card, copy, host.report)


def is_model(path: Path) -> bool:
    """Whether a dropped path is a model: a file ``.onnx``, or a folder with one and its card."""
    try:
        is_folder = path.is_dir()
        names = {name for name in (MODEL_FILE, CARD_FILE) if (path / name).is_file()} if is_folder else set()
    except OSError:
        return False
    return is_model_path(names, path.suffix, is_folder=is_folder)
