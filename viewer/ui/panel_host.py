"""What a panel gets: the window's shared parts, by name. Plugins reach it through :mod:`viewer.api.panel`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from viewer.core.images import Image
from viewer.core.model_card import ModelCard
from viewer.session.apply import Scope, image_of
from viewer.session.document import Document
from viewer.session.plugins import Registry
from viewer.session.view import ViewState
from viewer.ui.actions import Actions
from viewer.ui.host import Host
from viewer.ui.opening import Opener
from viewer.ui.recents import Recents
from viewer.ui.tooling import Tooling

if TYPE_CHECKING:
    from viewer.ui.attaching import Attaching
    from viewer.ui.fusing import Fusing


class PanelHost:
    """The host, the tool in hand, the actions, and ways to bring other parts of the window to the front."""

    def __init__(self, host: Host, tooling: Tooling, actions: Actions, opener: Opener) -> None:
        self.host, self.tooling, self.actions, self.opener = host, tooling, actions, opener
        self.recents = Recents(host, opener)
        self.attaching: Attaching | None = None
        """Lays listed series over the shown image."""
        self.fusing: Fusing | None = None
        """Lays a second image over the shown one."""
        self.show_panel: Callable[[str], object] = lambda _name: None
        """Bring a dock tab to the front."""
        self.show_results: Callable[[], None] = lambda: None
        """Open the results drawer."""
        self.export: Callable[[str], None] = lambda _tab: None
        """Open the export dialog on a tab: screenshot, mask, measurements."""
        self.show_details: Callable[[str, str], None] = lambda _title, _text: None
        """Show a long text (a traceback, a list of files) in a dialog."""

        self.show_disagreements: Callable[[], None] = lambda: None
        """Open the results drawer on the reports that the reader disagreed with."""
        self.show_models: Callable[[str], None] = lambda _name: None
        """Open the list of models, at one of them or ("") at the first."""
        self.show_card: Callable[[ModelCard], None] = lambda _card: None
        """Show all that a model's card says."""
        self.copy_text: Callable[[str], None] = lambda text: QGuiApplication.clipboard().setText(text)
        """Put a text on the clipboard."""

    def image_of(self, root_id: str, plane: int, phase: int) -> Image | None:
        """One plane of an opened image as an operation gets it, its original values; None once it is closed."""
        if not self.document.has_volume(root_id):
            return None
        return image_of(self.document.volume(root_id), Scope("slice", 0, plane, phase))

    @property
    def document(self) -> Document:
        return self.host.document

    @property
    def registry(self) -> Registry:
        return self.host.registry

    @property
    def state(self) -> ViewState:
        """What the active view shows."""
        return self.host.state

    @property
    def root_id(self) -> str:
        """Id of the opened volume in the active view, "" for none."""
        return self.host.root_id
