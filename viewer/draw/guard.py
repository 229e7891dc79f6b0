"""A look at Qt's version before anything of Qt is made."""

from __future__ import annotations

import sys

from viewer.core.errors import UnsupportedFeature
from viewer.core.words import _

_LOSES_NONE = (6, 12, 0)
_IMMORTAL_SINCE = (3, 12)


def check_qt(qt_version: str | None = None, python_version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Refuse a PySide6 that ends the process after some thousand calls. To be called before a Qt application is made.

    PySide6 6.12.0 drops a reference to ``None`` with every call that returns nothing; before Python 3.12 made ``None``
    immortal, the interpreter dies of it within seconds.

    Parameters
    ----------
    qt_version : str, optional
        PySide6's version; the installed one's if left out.
    python_version : two numbers
        Python's major and minor version.

    Raises
    ------
    UnsupportedFeature
        With the command that mends it.
    """
    if qt_version is None:
        import PySide6

        qt_version = PySide6.__version__
    if _numbers(qt_version) == _LOSES_NONE and python_version < _IMMORTAL_SINCE:
        raise UnsupportedFeature(
            _(
                'PySide6 {qt} crashes with Python {python}. Install another one: pip install "PySide6-Essentials<6.12", or use Python 3.12 or newer.'
            ).format(qt=qt_version, python=".".join(map(str, python_version)))
        )


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers: (6, 12, 0) of ``6.12.0`` and of ``6.12.0.post1``."""
    numbers = []
    for part in version.split(".")[:3]:
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
