"""negatoscope: a desktop viewer with analysis tools for medical images. See ``viewer/README.md`` for the architecture."""

import os

__version__ = "0.1.0"

# onnxruntime (seen with 1.32.0) writes an identifier into the temporary folder when it is imported, and holds the
# address of a service for usage data. This program talks to no network; it must be said before the import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
