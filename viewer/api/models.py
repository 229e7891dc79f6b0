"""The public door for models: which there are, which fits an image, whether their files are what their cards say, and the user's own."""

from viewer.core.model_card import CLASSIFYING, InputSpec, ModelCard, ModelClass, ValueSpec
from viewer.core.model_fit import Fit, ImageFacts, fit_of, years_of
from viewer.session.models import best_fit, check_file, choose_model, facts_of, fits, is_built_in, list_models, own_folder
from viewer.session.own_models import add_model, name_for, remove_model, write_card

__all__ = [
    "CLASSIFYING", "Fit", "ImageFacts", "InputSpec", "ModelCard", "ModelClass", "ValueSpec", "add_model", "best_fit", "check_file",
    "choose_model", "facts_of", "fit_of", "fits", "is_built_in", "list_models", "name_for", "own_folder", "remove_model", "write_card",
    "years_of",
]  # fmt: skip
