"""``negatoscope info``: which series are in files and folders."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from viewer.cli import choose, say
from viewer.core.errors import NegatoscopeError
from viewer.core.sentence import sentence_of
from viewer.core.volume import Volume
from viewer.core.words import _, ngettext
from viewer.io import open as opening
from viewer.io.gate import harmless
from viewer.io.series import Refusal, SeriesEntry
from viewer.jobs.pool import Pool
from viewer.session.alone import first_state
from viewer.session.explain import explain

JSON_KEY = "series"


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("info", help=_("list the series in files and folders"))
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    choose.add_stack(parser)
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    parser.add_argument("--range", action="store_true", help=_("read all voxels and give the smallest and the largest value"))
    parser.add_argument("--explain", action="store_true", help=_("read all voxels and say how each image is shown, from its bytes to the screen"))


def run(args: argparse.Namespace) -> int:
    """0 where anything was found, else 2."""
    listing = choose.look(args.paths, args)
    refused = list(listing.refused)
    described = []
    with Pool() as pool:  # starts no process unless a picture must be decoded
        for entry in listing.series:
            described.append(describe(entry))
            if (args.range or args.explain) and entry.kind != "other":
                try:
                    described[-1] |= _of_voxels(opening.load(entry, pool=pool), args)
                except NegatoscopeError as error:
                    refused.append(Refusal(entry.archive or entry.files[0], sentence_of(error)))
    for refusal in refused:
        say.err(refusal.reason)
    if args.json:
        say.json_object({"series": described, "refused": [{"path": str(r.path), "reason": r.reason} for r in refused]})
    else:
        for series in described:
            say.out(_lines(series))
        if listing.skipped:
            text = ngettext("{count} other file was left out.", "{count} other files were left out.", len(listing.skipped))
            say.err(text)
    return 0 if listing.series else 2


def _of_voxels(volume: Volume, args: argparse.Namespace) -> dict[str, Any]:
    """What only the read voxels can tell, as far as it was asked for."""
    found: dict[str, Any] = {}
    if args.range:
        limits = value_range(volume)
        found["range"] = list(limits) if limits else None
    if args.explain:
        notes = ((chapter, note) for chapter in explain(first_state(volume)) for note in chapter.notes)
        found["explanation"] = [{"topic": c.topic, "title": c.title, "text": n.text, "warning": n.is_warning} for c, n in notes]
    return found


def value_range(volume: Volume) -> tuple[float, float] | None:
    """Smallest and largest value; NaN does not count, None where there is nothing else."""
    low, high = np.inf, -np.inf
    for phase in volume.data:
        for plane in phase:
            part = plane[np.isfinite(plane)] if plane.dtype.kind == "f" else plane
            if part.size:
                low, high = min(low, part.min()), max(high, part.max())
    return (_plain(low), _plain(high)) if low <= high else None


def describe(entry: SeriesEntry) -> dict[str, Any]:
    """A series as the JSON object has it; what is not known is None."""
    geometry = entry.geometry
    spacing = origin = direction = None
    if geometry is not None and geometry.in_plane_known:
        spacing = [geometry.spacing[0] if geometry.between_known else None, *geometry.spacing[1:]]
    if geometry is not None and geometry.is_patient:
        origin, direction = list(geometry.origin), list(geometry.direction)
    identity = entry.identity
    found: dict[str, Any] = {
        "id": entry.id,
        "series_uid": identity.series_uid,
        "study_uid": identity.study_uid,
        "patient_id": identity.patient_id,
        "patient_name": identity.patient_name,
        "modality": identity.modality,
        "description": identity.series_description or entry.title,
        "title": entry.title,
        "kind": entry.kind,
        "shape": list(entry.shape),
        "phases": entry.phases,
        "colour": entry.is_color,
        "spacing_mm": spacing,
        "origin_mm": origin,
        "direction": direction,
        "unit": entry.unit,
        "range": None,
        "transfer_syntax": entry.transfer_syntax,
        "files": len(entry.files),
        "warnings": list(entry.warnings),
    }
    if identity.modality == "PT" and entry.reader == "dicom":
        found |= _suv(entry)
    if entry.object_kind:
        names = getattr(entry.plan, "names", None)
        segments = {} if names is None else {"segments": list(names)}
        found["object"] = {"kind": entry.object_kind, "title": entry.title, "refers_to": list(entry.refers_to), **segments}
    return found


def _suv(entry: SeriesEntry) -> dict[str, Any]:
    """SUVbw of a PET series: ``factor`` times the value, or None, and how that comes."""
    from viewer.io.dicom.meaning import suv_of_entry
    from viewer.io.dicom.suv import Suv

    suv = suv_of_entry(entry)
    if suv is None:
        return {}
    if isinstance(suv, Suv):
        return {"suv": {"factor": suv.factor, "reason": suv.how, "estimate": suv.is_estimate}}
    return {"suv": {"factor": None, "reason": suv.reason, "estimate": False}}


def _lines(series: Mapping[str, Any]) -> str:
    """A series in two or more lines for people."""
    shape = " x ".join(str(n) for n in series["shape"])
    phases = ngettext(", {count} phase", ", {count} phases", series["phases"]) if series["phases"] > 1 else ""
    spacing = series["spacing_mm"]
    steps = " x ".join("?" if s is None else f"{s:.4g}" for s in spacing) + " mm" if spacing else _("spacing not known")
    what = f"{series['kind']}, {shape}{phases}, {steps}"
    if series["kind"] == "other":
        what = _("no image")
    if "object" in series and series["kind"] == "other":
        names = series["object"].get("segments", [])
        what = harmless(": ".join(part for part in (series["object"]["title"], ", ".join(names[:20])) if part))
    # Of pictures the title tells the parts of a series apart; what an object is stands on the next line.
    name = series["description"] if series["kind"] == "other" else series["title"]
    title = " ".join(part for part in (series["modality"], name) if part)
    lines = [
        harmless(title) or _("(no description)"),
        f"  {what}, " + ngettext("{count} file", "{count} files", series["files"]),
        f"  id {harmless(series['id'])}",
    ]
    if series["range"]:
        low, high = series["range"]
        lines.append(_("  values {low:g} to {high:g} {unit}").format(low=low, high=high, unit=series["unit"]).rstrip())
    if series.get("suv"):
        lines.append(f"  {series['suv']['reason']}")
    lines += [f"  ! {harmless(warning)}" for warning in series["warnings"]]
    title = ""
    for note in series.get("explanation", ()):
        if note["title"] != title:
            title = note["title"]
            lines.append(f"  {title}")
        lines.append(f"    {'!' if note['warning'] else '-'} {harmless(note['text'])}")
    return "\n".join(lines)


def _plain(value: Any) -> float:
    number = value.item() if hasattr(value, "item") else value
    return int(number) if number == int(number) else float(number)
