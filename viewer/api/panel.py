"""The public door for panels: what a plugin's ``panel.py`` may use of the window. The only part of the door with Qt behind it.

A panel is ``build(panel_host: PanelHost) -> QWidget``, named by ``[[panel]]`` in the manifest.
"""

from viewer.core.words import gettext, mark, ngettext
from viewer.session import heat
from viewer.session.apply import LayerRef, Scope, SegmentRef, lane_limits
from viewer.session.headline import headline
from viewer.session.history import Changes, Step
from viewer.session.readings import OPINION_TITLES, OPINIONS, give_reading, report_in_view, toggled, why_not_read
from viewer.session.repeats import repeated
from viewer.session.view import ViewState, ViewWish
from viewer.session.wish import HeatWish
from viewer.ui import controls, icons, theme
from viewer.ui.panel_host import PanelHost
from viewer.ui.panels.key_image_list import KeyImageList
from viewer.ui.panels.map_list import MapList
from viewer.ui.panels.measurement_list import MeasurementForm, MeasurementList
from viewer.ui.panels.operation_panel import OperationPanel
from viewer.ui.panels.report_views import HeatStrip, ScorePlot, ScoreRows, over_threshold, reports_in, slice_of_plane
from viewer.ui.panels.segment_list import SegmentList
from viewer.ui.panels.tool_options import ToolOptions
from viewer.ui.panels.tool_palette import ToolPalette
from viewer.ui.tooling import delete_segment, rename_segment
from viewer.ui.work import Task

__all__ = [
    "OPINIONS", "OPINION_TITLES", "Changes", "HeatStrip", "HeatWish", "KeyImageList", "LayerRef", "MapList", "MeasurementForm",
    "MeasurementList", "OperationPanel", "PanelHost", "Scope", "ScorePlot", "ScoreRows", "SegmentList", "SegmentRef", "Step", "Task",
    "ToolOptions", "ToolPalette", "ViewState", "ViewWish", "controls", "delete_segment", "gettext", "give_reading", "headline", "heat",
    "icons", "lane_limits", "mark", "ngettext", "over_threshold", "rename_segment", "repeated", "report_in_view", "reports_in", "slice_of_plane",
    "theme", "toggled", "why_not_read",
]  # fmt: skip
