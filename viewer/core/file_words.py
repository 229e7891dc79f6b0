"""Body parts and views as files write them: which words mean the same. Source: PS3.16 Annex L and CID 4010, what archives hold."""

from __future__ import annotations

import re

_PARTS = {
    "CHEST": ("CHEST", "THORAX", "LUNG", "LUNGS", "CXR", "TORAX", "胸部", "胸"),
    "ABDOMEN": ("ABDOMEN", "ABD", "腹部"),
    "HEAD": ("HEAD", "BRAIN", "头部", "头颅", "颅脑"),
    "HAND": ("HAND", "HANDS", "手"),
    "KNEE": ("KNEE", "KNEES", "膝"),
}
_VIEWS = {
    "PA": ("PA", "POSTEROANTERIOR"),
    "AP": ("AP", "ANTEROPOSTERIOR"),
    "LATERAL": ("LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT", "LLATERAL", "RLATERAL"),
    "DECUBITUS": ("LLD", "RLD", "DECUBITUS", "DECUB"),
    "OBLIQUE": ("LAO", "RAO", "LPO", "RPO", "OBLIQUE", "OBL"),
}
_PART_OF = {word: part for part, words in _PARTS.items() for word in words}
_VIEW_OF = {word: view for view, words in _VIEWS.items() for word in words}
_STRONGER = ("DECUBITUS", "LATERAL", "OBLIQUE")
"""Said beside AP or PA they are what matters: "AP LLD" is of a patient who lies on the left side."""


def body_parts(text: str) -> frozenset[str]:
    """The body parts that a file names, each in one word: ``THORAX`` is ``CHEST``; empty if it names none."""
    words = _words(text)
    return frozenset(_PART_OF.get(word, word) for word in words)


def view(text: str) -> str:
    """The view that a file names, in one word: PA, AP (also ``AP AXIAL``), LATERAL, DECUBITUS, OBLIQUE, else as it is; "" if none."""
    said = text.strip().upper()
    words = [*_words(said), "".join(re.findall(r"[A-Z]", said))]
    found = [_VIEW_OF[word] for word in words if word in _VIEW_OF]
    for stronger in _STRONGER:
        if stronger in found:
            return stronger
    return found[0] if found else said


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", text.upper()) if word]
