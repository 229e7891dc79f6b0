"""``negatoscope demo``: the main job on the sample study without a window, each result as a file."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from viewer.cli import installed, results, say
from viewer.core.annotation import Annotation
from viewer.core.errors import SaveFailed
from viewer.core.ids import new_id
from viewer.core.images import Verdicts
from viewer.core.measure import measure_annotation
from viewer.core.volume import Volume
from viewer.core.window import CT_PRESETS
from viewer.core.words import _
from viewer.io import open as opening
from viewer.io import samples
from viewer.io.recipe import save_recipe
from viewer.io.save import ready_target, save_atomic
from viewer.io.series import SeriesEntry
from viewer.io.write import annotations_table, save_mask, save_tables
from viewer.jobs.pool import Pool
from viewer.session.apply import Scope, SegmentRef, apply, input_of
from viewer.session.document import Document
from viewer.session.history import Origin
from viewer.session.opening import open_entry
from viewer.session.plugins import Registry
from viewer.session.recipe import recipe_of
from viewer.session.view import ViewWish

PICTURE, FILM, MASK, RECIPE, TABLE, VERDICT = (
    "ct-thorax-nodule.png", "chest-film.png", "ct-thorax-nodule.nii.gz", "recipe.toml", "measurements.csv", "classification.json",
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("demo", help=_("do the main job on the sample study, without a window"))
    parser.add_argument("--out", type=Path, default=Path("demo-out"), metavar="DIR")
    parser.add_argument("--study", type=Path, metavar="DIR", help=_("keep the made CT of the sample study in this folder, to try other verbs on"))
    parser.add_argument("--force", action="store_true", help=_("replace files that exist"))


def run(args: argparse.Namespace) -> int:
    """Open, enhance, grow, measure, classify, undo and redo all of it, and take the results out."""
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise SaveFailed(_("{name} cannot be made: {reason}.").format(name=args.out.name, reason=err.strerror)) from err
    for name in (PICTURE, FILM, MASK, RECIPE, TABLE, VERDICT):
        ready_target(args.out / name, overwrite=args.force)
    registry = installed.registry()
    with tempfile.TemporaryDirectory(prefix="negatoscope-demo-") as folder, Pool() as pool:
        listing = opening.find(samples.sample_paths(args.study or Path(folder)))
        for refusal in listing.refused:
            say.err(refusal.reason)
        document = Document()
        thorax = open_entry(document, _phantom(listing.series), pool)
        segment = _grow_nodule(document, thorax, registry, pool)
        film = _classify_film(document, listing.series, registry, pool, args)
        _undo_and_redo(document)
        _take_out(document, thorax, film, segment, args)
    for name in sorted(p.name for p in args.out.iterdir()):
        say.out(str(args.out / name))
    return 0


def _phantom(series: tuple[SeriesEntry, ...]) -> SeriesEntry:
    return next(e for e in series if e.identity.series_uid == samples.IDENTITY.series_uid)


def _grow_nodule(document: Document, thorax: Volume, registry: Registry, pool: Pool) -> SegmentRef:
    """Grow the nodule from a seed in its middle, measure it, draw a region in it, smooth the picture."""

    def do(name: str, **parameters: Any) -> None:
        spec = registry.spec(name, pool)
        apply(document, spec, parameters, pool, volume_id=input_of(document, spec, thorax.id), scope=Scope())

    # Half way between lung and nodule: the rim of a ball smaller than its voxels' blur lies there.
    do("Segment/Region growing", seed=(samples.NODULE.centre_mm,), low=(samples.TISSUES_HU["lung"] + samples.NODULE.value_hu) / 2, high=200.0)
    layer = document.layers_of(thorax.id)[-1]
    segment = SegmentRef(layer.id, layer.segments[0].label)
    do("Measure/Segment statistics", mask=segment)
    _draw_ellipse(document, thorax)
    do("Enhance/Gaussian")
    return segment


def _draw_ellipse(document: Document, thorax: Volume) -> None:
    """A region well inside the nodule, as a hand would draw it on the plane through the middle."""
    plane = thorax.geometry.nearest(samples.NODULE.centre_mm)
    if plane is None:
        return
    __, row, column = thorax.geometry.to_index(samples.NODULE.centre_mm)
    half = samples.NODULE.diameter_mm / 2 * 0.7
    places = ((row, column), (row, column + half / thorax.geometry.spacing[2]), (row + half / thorax.geometry.spacing[1], column))
    points = tuple((float(x), float(y), float(z)) for x, y, z in (thorax.geometry.to_patient((plane[0], r, c)) for r, c in places))
    ellipse = Annotation(new_id("annotation"), "ellipse", thorax.id, points, name="Nodule")
    with document.edit("Ellipse", origin=Origin("tool", "Measure/Ellipse")) as edit:
        edit.put(measure_annotation(ellipse, thorax))


def _classify_film(document: Document, series: tuple[SeriesEntry, ...], registry: Registry, pool: Pool, args: argparse.Namespace) -> Volume | None:
    entry = next((e for e in series if e.identity.modality in ("CR", "DX", "RG") and e.kind == "image"), None)
    if entry is None:
        say.err(_("The chest film of the sample study is not installed (pydicom-data); the phantom's middle plane is classified instead."))
    film = open_entry(document, entry, pool) if entry is not None else document.volume(document.root_ids()[0])
    scope = Scope("slice", 0, film.geometry.shape[0] // 2)
    spec = registry.spec("Classify/Classify", pool)
    __, given = apply(document, spec, {}, pool, volume_id=film.id, scope=scope)
    rows = [
        results.json_verdict(
            v, path=entry.files[0].name if entry is not None else samples.PHANTOM_FOLDER, series=film.identity.series_uid, index=scope.index, phase=0
        )
        for r in given
        if isinstance(r, Verdicts)
        for v in r.items
    ]
    text = json.dumps(say.clean({"results": rows, "refused": []}), indent=1)
    save_atomic(args.out / VERDICT, text.encode(), overwrite=args.force)
    for warning in rows[0]["warnings"]:
        say.err(warning)
    return film if entry is not None else None


def _undo_and_redo(document: Document) -> None:
    """All the way back and forward again; a demo of undo that would notice if it failed."""
    there, steps = document.state_hash(), document.history.position
    document.go_to(0)
    document.go_to(steps)
    if document.state_hash() != there:
        raise RuntimeError("undoing and redoing every step did not give the same state")


def _take_out(document: Document, thorax: Volume, film: Volume | None, segment: SegmentRef, args: argparse.Namespace) -> None:
    from viewer.draw.screenshot import png_bytes, screenshot

    plane = thorax.geometry.nearest(samples.NODULE.centre_mm)
    lung = next(w for w in CT_PRESETS if w.name == "Lung")
    wish = ViewWish(volume_id=thorax.id, index=plane[0] if plane else None, window=lung, window_unit="HU")
    save_atomic(args.out / PICTURE, png_bytes(screenshot(document, wish, (1024, 1024))), overwrite=args.force)
    if film is not None:
        save_atomic(args.out / FILM, png_bytes(screenshot(document, ViewWish(volume_id=film.id), (1024, 1024))), overwrite=args.force)
    layer = document.layer(segment.layer_id)
    save_mask(args.out / MASK, document.labels(layer.id), layer.geometry, overwrite=args.force)
    save_recipe(args.out / RECIPE, recipe_of(document.history, thorax.id, document), overwrite=args.force)
    tables = [*document.tables_of(thorax.id)]
    if document.annotations_of(thorax.id):
        tables.append(annotations_table(document.annotations_of(thorax.id), lambda _id: thorax.geometry.unit))
    save_tables(args.out / TABLE, tables, overwrite=args.force)
