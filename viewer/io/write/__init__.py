"""Values to files: volumes, masks, pictures of masks, tables. All through :func:`viewer.io.save.save_atomic`."""

from __future__ import annotations

from viewer.io.write.grids import save_array, save_mask, save_volume
from viewer.io.write.pictures import save_mask_picture
from viewer.io.write.tables import annotations_table, reports_table, save_tables

__all__ = ["annotations_table", "reports_table", "save_array", "save_mask", "save_mask_picture", "save_tables", "save_volume"]
