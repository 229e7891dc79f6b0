"""The Classify tab. The only part of this plugin that knows Qt: a card for each thing that is told, and the page that joins them."""

from plugins.classify.panel.page import ClassifyPanel, build

__all__ = ["ClassifyPanel", "build"]
