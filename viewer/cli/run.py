"""``negatoscope run``: a recipe over files and folders."""

from __future__ import annotations

import argparse
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from viewer.cli import choose, installed, results, say
from viewer.core.errors import NegatoscopeError, SaveFailed, UnreadableFile
from viewer.core.images import Annotations, Image, Labels, Mask, Numbers, Overlay, Verdicts
from viewer.core.words import _, ngettext
from viewer.io.gate import harmless
from viewer.io.recipe import RecipeStep, read_recipe
from viewer.io.save import ready_target
from viewer.io.series import SeriesEntry
from viewer.io.write import reports_table, save_array, save_mask, save_tables, save_volume
from viewer.jobs.pool import Pool
from viewer.session import heat
from viewer.session.document import Document
from viewer.session.heat_file import of_all_slices
from viewer.session.opening import open_entry
from viewer.session.plugins import Registry
from viewer.session.recipe import run_recipe


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("run", help=_("run a recipe over files and folders"))
    parser.add_argument("recipe", type=Path, metavar="RECIPE")
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    choose.add_force(parser)


def run(args: argparse.Namespace) -> int:
    """0 when at least one series went through, 2 otherwise."""
    recipe = read_recipe(args.recipe)
    registry = installed.registry()
    for step in recipe:
        spec = registry.spec(step.operation)
        for name in step.parameters:
            spec.parameter(name)
    if args.out.exists() and not args.out.is_dir():
        raise SaveFailed(_("{name} is not a folder.").format(name=harmless(args.out.name)))
    entries = [e for e in choose.find(args.paths).series if e.kind != "other"]
    if not entries:
        raise UnreadableFile(_("There is no series with pictures here."))
    made = [folder for folder in (args.out, *args.out.parents) if not folder.exists()]
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise SaveFailed(_("{name} cannot be made: {reason}.").format(name=harmless(args.out.name), reason=err.strerror)) from err
    try:
        done = _run_all(entries, recipe, registry, args.out, args.force)
    finally:
        for folder in made:  # the innermost first; those that hold something stay
            with suppress(OSError):
                folder.rmdir()
    say.err(ngettext("{count} series written.", "{count} series written.", done))
    return 0 if done else 2


def _run_all(entries: list[SeriesEntry], recipe: tuple[RecipeStep, ...], registry: Registry, folder: Path, overwrite: bool) -> int:
    """How many went through; what did not is said."""
    stems = _stems(entries)
    done = 0
    with Pool() as pool, Pool(inline=True, lanes=True) as here:
        for entry, stem in zip(entries, stems, strict=True):
            try:
                _run_one(entry, recipe, registry, pool, here, folder, stem, overwrite)
                done += 1
            except NegatoscopeError as err:
                say.err(_("{name}: {reason}").format(name=harmless(entry.title or stem), reason=err))
    return done


def _run_one(
    entry: SeriesEntry, recipe: tuple[RecipeStep, ...], registry: Registry, pool: Pool, here: Pool, folder: Path, stem: str, overwrite: bool
) -> None:  # fmt: skip
    document = Document()
    volume = open_entry(document, entry, pool)
    made = run_recipe(document, recipe, registry, here, root_id=volume.id)
    results.warned(entry.title or stem, [r for _step, given in made for r in given])
    kinds = {type(r) for _step, given in made for r in given}
    if volume.phases > 1 and kinds & {Mask, Labels, Overlay, Annotations, Numbers}:
        words = _("{name}: of {count} phases the first alone was segmented, mapped and measured.")
        say.err(words.format(name=harmless(entry.title or stem), count=volume.phases))
    has_maps = Overlay in kinds or any(isinstance(r, Verdicts) and any(v.maps for v in r.items) for _step, given in made for r in given)
    planned = {Image: f"{stem}.nrrd", Mask: f"{stem}-mask.nrrd", Labels: f"{stem}-mask.nrrd", Overlay: f"{stem}-map.nrrd"}
    for kind, name in planned.items():
        if kind in kinds or (kind is Overlay and has_maps):
            ready_target(folder / name, overwrite=overwrite)
    if Image in kinds:
        results.told(folder / planned[Image], save_volume(folder / planned[Image], document.current(volume.id), overwrite=overwrite, with_gaps=True))
    layers = document.layers_of(volume.id)
    if layers:
        target = folder / planned[Mask]
        results.told(target, save_mask(target, document.labels(layers[-1].id), layers[-1].geometry, overwrite=overwrite))
    overlays = document.overlays_of(volume.id)
    if overlays:
        target, last = folder / planned[Overlay], overlays[-1]
        if heat.is_heat(last):
            # Maps of all classes that came with the scores are of no order; one that was asked for is the one that is meant.
            last = last if Overlay in kinds else heat.usual_map(document, last)
            maps = of_all_slices(document, last)
            results.name_heat_map(target, last)
            if volume.phases > 1:
                results.told(target, (_("Of phase {phase} alone.").format(phase=last.phase),))
            is_unfamiliar = heat.unfamiliar_among(document, maps) > 0 or any(
                isinstance(r, Overlay) and r.is_unfamiliar for _step, given in made for r in given
            )
            results.save_heat_map(target, maps, volume.geometry, overwrite=overwrite, is_unfamiliar=is_unfamiliar)
        else:
            results.told(target, save_array(target, last.values[None], last.geometry, overwrite=overwrite, with_gaps=True))
    tables = results.tables_of([r for _step, many in made for r in many if isinstance(r, Annotations | Numbers)], volume)
    reports = document.reports_of(volume.id)
    if tables or reports:
        save_tables(folder / f"{stem}.csv", [*tables, *([reports_table(reports)] if reports else [])], overwrite=overwrite)


def _stems(entries: list[SeriesEntry]) -> list[str]:
    """A file name for each series: from its file or description, safe everywhere, without identity, each only once."""
    stems: list[str] = []
    for entry in entries:
        name = entry.files[0].name.split(".")[0] if len(entry.files) == 1 else f"{entry.identity.modality} {entry.identity.series_description}"
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-").lower()[:60] or "series"
        number, wanted = 2, stem
        while stem in stems:
            stem, number = f"{wanted}-{number}", number + 1
        stems.append(stem)
    return stems
