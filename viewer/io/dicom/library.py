"""What is used of pydicom, in one piece.

Imported where it is used, because pydicom takes a third of a second. Its modules import each other in circles: two threads that
each begin with another of them meet them half made. Whoever imports this module waits until all of it is there.
"""

from __future__ import annotations

from pydicom import Dataset, dcmread
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_description, dictionary_VR, keyword_for_tag, private_dictionary_description, private_dictionary_VR
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from pydicom.values import convert_string

__all__ = [
    "UID", "CTImageStorage", "Dataset", "ExplicitVRLittleEndian", "FileMetaDataset", "convert_encodings", "convert_string", "dcmread", "decode_bytes",
    "dictionary_VR", "dictionary_description", "keyword_for_tag", "private_dictionary_VR", "private_dictionary_description",
]  # fmt: skip
