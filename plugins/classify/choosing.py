"""Which model an operation takes: the one of a name, else the one of its kind whose card fits the image best."""

from __future__ import annotations

from viewer.api import Image, ModelUnusable, gettext
from viewer.api.models import ModelCard, best_fit, by_fit, fits, installed_model, list_models


def classifier_for(name: str, image: Image) -> ModelCard:
    """The installed model of a name, or ("") the classifier that fits best. Raises ModelUnusable."""
    if name:
        return installed_model(name)
    found, reason = best_fit(list_models()[0], image)
    if found is None:
        raise ModelUnusable(reason)
    return found


def network_for(name: str, image: Image, task: str) -> ModelCard:
    """The installed model of a name, or ("") the one of the task ``image`` or ``segmentation`` that fits best. Raises ModelUnusable."""
    if name:
        return installed_model(name)
    found = by_fit(list_models()[0], image, task)
    if not found:
        words = {"image": gettext("No model for pictures is installed."), "segmentation": gettext("No model for segmentation is installed.")}
        raise ModelUnusable(words[task])
    if not fits(found[0], image):
        raise ModelUnusable(gettext("None of the installed models of this kind is for such images. Choose one by name to run it nevertheless."))
    return found[0]
