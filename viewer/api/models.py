"""The public door for classifiers: which models there are, and whether their files are what their cards say."""

from viewer.core.model_card import CLASSIFYING, InputSpec, ModelCard, ModelClass, ValueSpec
from viewer.session.models import check_file, choose_model, fits, list_models

__all__ = [
    "CLASSIFYING", "InputSpec", "ModelCard", "ModelClass", "ValueSpec", "check_file", "choose_model", "fits", "list_models",
]  # fmt: skip
