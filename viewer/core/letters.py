"""The letters of the patient's sides as the user wants them: H and F for head and feet as DICOM has them, or S and I (CONVENTIONS C09).

Everything inside the program says H and F; only what is shown goes through here.
"""

from __future__ import annotations

from typing import Literal

LetterStyle = Literal["HF", "SI"]
_SHOWN = str.maketrans("HF", "SI")

_style: LetterStyle = "HF"


def use_letters(style: str) -> None:
    """Show letters this way from now on; anything unknown is DICOM's way."""
    global _style
    _style = "SI" if style == "SI" else "HF"


def shown_letters(letters: str) -> str:
    """Letters of one direction (``LPH``), as they are shown."""
    return letters.translate(_SHOWN) if _style == "SI" else letters
