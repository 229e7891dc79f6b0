"""The public door for classifiers: which models there are, and whether their files are what their cards say."""

from viewer.session.models import ModelCard, check_file, choose_model, fits, list_models

__all__ = ["ModelCard", "check_file", "choose_model", "fits", "list_models"]
