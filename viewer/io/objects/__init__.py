"""DICOM objects that are no pictures of their own: segmentations, structure sets, and what else refers to a series."""
