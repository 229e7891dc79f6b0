"""The public door for models: which there are, which fits an image, whether their files are what their cards say, and the user's own."""

from viewer.core.file_words import view as view_of
from viewer.core.model_card import CLASSIFYING, EncoderSpec, InputSpec, ModelCard, ModelClass, ValueSpec, card_of
from viewer.core.model_fit import Fit, ImageFacts, fit_of, names_part, names_view, years_of
from viewer.io.gate import limit as memory_limit
from viewer.session.model_facts import PROBABILITIES, FileFacts, Tensor, TriedModel
from viewer.session.models import (
    MAX_MODEL_BYTES,
    best_fit,
    by_fit,
    check_file,
    checksum,
    choose_model,
    facts_of,
    file_state,
    fits,
    installed_model,
    is_built_in,
    list_models,
    own_folder,
)
from viewer.session.own_models import add_model, name_for, remove_model, write_card

__all__ = [
    "CLASSIFYING", "MAX_MODEL_BYTES", "PROBABILITIES", "EncoderSpec", "FileFacts", "Fit", "ImageFacts", "InputSpec", "ModelCard", "ModelClass",
    "Tensor", "TriedModel", "ValueSpec", "add_model", "best_fit", "by_fit", "card_of", "check_file", "checksum", "choose_model", "facts_of",
    "file_state", "fit_of", "fits", "installed_model", "is_built_in", "list_models", "memory_limit", "name_for", "names_part", "names_view",
    "own_folder", "remove_model", "view_of", "write_card", "years_of",
]  # fmt: skip
