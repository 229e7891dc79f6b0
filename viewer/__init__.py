"""negatoscope: a desktop viewer with analysis tools for medical images. See ``viewer/README.md`` for the architecture."""

__version__ = "0.1.0"
