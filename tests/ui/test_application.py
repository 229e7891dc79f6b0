"""The way into the window: refused with a sentence where there is nowhere to show it."""

from __future__ import annotations

import os
import subprocess
import sys


def test_open_without_a_display_is_a_sentence_and_exit_2(tmp_path):
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run([sys.executable, "-m", "viewer.cli.main"], env={**bare, "HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    if sys.platform.startswith("linux"):
        assert done.returncode == 2
        assert "no display" in done.stderr
        assert "Traceback" not in done.stderr
