"""Enhancements: tone curves, smoothing, sharpening. Each gives a new volume on the same grid; the original stays."""
