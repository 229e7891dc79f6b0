"""Segmentation: thresholds, growing, watershed, clusters, clean-up of masks, and the brush."""
