"""Measuring: distances and ellipses on the image, statistics of segments, and maps and shapes found by filters."""
