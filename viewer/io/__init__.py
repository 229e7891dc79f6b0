"""Bytes to values and values to bytes: all conventions of file formats (RAS, Slicer, DICOM) end here."""
