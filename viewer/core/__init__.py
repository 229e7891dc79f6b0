"""Values and rules: standard library and numpy only; no Qt, no file formats, no state."""
