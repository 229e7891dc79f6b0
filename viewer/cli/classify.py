"""``negatoscope classify``: a model's scores for images, planes and folders of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from viewer.cli import choose, installed, results, say
from viewer.core import digits
from viewer.core.errors import JobFailed, NegatoscopeError, Refused, UnreadableFile
from viewer.core.images import Overlay, Result, Verdict, Verdicts
from viewer.core.sentence import sentence_of
from viewer.core.volume import Volume
from viewer.core.words import _, ngettext
from viewer.io.gate import harmless
from viewer.io.save import ready_target
from viewer.io.series import SeriesEntry
from viewer.io.write.grids import ending_of
from viewer.jobs.pool import Pool
from viewer.session import heat
from viewer.session.apply import Call, Scope, prepare, run_name, start
from viewer.session.document import Document
from viewer.session.models import check_file, installed_model
from viewer.session.opening import open_entry
from viewer.session.settings import Settings

JSON_KEY = "results"
OPERATION, HEAT_MAP = "Classify/Classify", "Classify/Heat map"


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("classify", help=_("classify images with a model"))
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    parser.add_argument("--model", default="", metavar="NAME", help=_("a model as models lists them; without it the one that fits each image best"))
    parser.add_argument("--device", default="", metavar="NAME", help=_("auto, CPU, CUDA or what else is there; without it that of the settings"))
    choose.add_choice(parser)
    parser.add_argument("--index", type=int, metavar="N", help=_("one plane only, counted from 0"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    parser.add_argument(
        "--heat-map", type=Path, metavar="OUT", help=_("also write where the score comes from, on the image's grid: .nii.gz, .nrrd, .mha")
    )
    parser.add_argument(
        "--class", dest="score", default="", metavar="NAME", help=_("the class that the heat map explains; without it the positive or the highest")
    )
    parser.add_argument(
        "--method", default="auto", choices=("auto", *heat.METHODS), help=_("of the heat map: exact where the network has one, else occlusion")
    )
    parser.add_argument("--force", action="store_true", help=_("replace the heat map's file"))


def run(args: argparse.Namespace) -> int:
    """0 when at least one image was classified, 2 otherwise."""
    if args.model:
        check_file(installed_model(args.model))  # before anything is read
    args.device = args.device or Settings().chosen("device")
    listing = choose.find(args.paths)
    refused = [{"path": str(r.path), "reason": r.reason} for r in listing.refused]
    if args.heat_map is not None:
        ending_of(args.heat_map)
        ready_target(args.heat_map, overwrite=args.force)
        choose.choose(listing, args.series)  # one series, one file
    entries = [choose.choose(listing, args.series)] if args.series else [e for e in listing.series if e.kind != "other"]
    spec = installed.registry().spec(OPERATION)
    rows: list[dict[str, Any]] = []
    with Pool() as pool, Pool(inline=True, lanes=True) as here:
        for entry in entries:
            try:
                rows += [_row(entry, v, index, phase) for v, index, phase in _verdicts(entry, spec, args, pool, here)]
            except NegatoscopeError as err:
                name = harmless(entry.files[0].name if len(entries) > 1 else "")
                say.err(str(err) if not name or name in str(err) else _("{name}: {reason}").format(name=name, reason=err))
                refused.append({"path": str(entry.files[0]), "reason": sentence_of(err)})
    if args.json:
        say.json_object({"results": rows, "refused": refused})
    else:
        _print(rows)
    if not rows and not refused:
        raise UnreadableFile(_("There is no image to classify here."))
    return 0 if rows else 2


def _verdicts(entry: SeriesEntry, spec: Any, args: argparse.Namespace, pool: Pool, here: Pool) -> list[tuple[Verdict, int, int]]:
    """(verdict, plane, phase) of every plane asked for; all phases of a cine unless one is named."""
    choose.check_phase(entry, args.phase)
    document = Document()
    volume = open_entry(document, entry, pool)
    if args.index is not None and not 0 <= args.index < volume.geometry.shape[0]:
        raise Refused(
            _("There is no plane {index}: the series has {count}, counted from 0.").format(index=args.index, count=volume.geometry.shape[0])
        )
    scope = Scope(phase=args.phase or 0, is_every_phase=args.phase is None)
    # Of one plane, too, all are handed over: a model may look at its neighbours, or at all of them.
    given = {"model": args.model, "device": args.device, "plane": args.index}
    made = _made(prepare(document, spec, given, volume_id=volume.id, scope=scope), here)
    of_phases = zip(scope.phases_of(volume, spec), made, strict=True)
    found = [(v, v.index, phase) for phase, given_back in of_phases for result in given_back if isinstance(result, Verdicts) for v in result.items]
    if args.heat_map is not None:
        _save_heat(document, volume, args, Scope(phase=args.phase or 0), found[-1][0].model if found else args.model, here)
    return found


def _save_heat(document: Document, volume: Volume, args: argparse.Namespace, scope: Scope, model: str, here: Pool) -> None:
    """Write the heat-map of the planes that were asked about, of the first phase where all were; says which class, method and phase it is of."""
    parameters = {"model": model, "score": args.score, "method": args.method, "device": args.device, "plane": args.index}
    made = _made(prepare(document, installed.registry().spec(HEAT_MAP), parameters, volume_id=volume.id, scope=scope), here)
    maps = [result for result in made[0] if isinstance(result, Overlay)]
    is_unfamiliar = any(item.is_unfamiliar for item in maps)
    results.save_heat_map(args.heat_map, maps, volume.geometry, overwrite=args.force, is_unfamiliar=is_unfamiliar)
    for item in maps:
        results.name_heat_map(args.heat_map, item)
        if volume.phases > 1:
            results.told(args.heat_map, (_("Of phase {phase} alone.").format(phase=scope.phase),))
        say.err(_(heat.CAUTION))


def _made(call: Call, pool: Pool) -> list[tuple[Result, ...]]:
    """What a call gives; a model that had to be stopped is named."""
    try:
        return list(start(call, pool).result())
    except JobFailed as err:
        raise JobFailed(_("{name}: {reason}").format(name=run_name(call), reason=err), err.details) from err


def _row(entry: SeriesEntry, verdict: Verdict, index: int, phase: int) -> dict[str, Any]:
    # A series of one file a plane is named by that plane's file.
    path = entry.files[index] if len(entry.files) == entry.shape[0] and index < len(entry.files) else entry.files[0]
    return results.json_verdict(verdict, path=str(path), series=entry.id, index=index, phase=phase)


def _print(rows: list[dict[str, Any]]) -> None:
    several = {row["series"] for row in rows if row["phase"]}
    for row in rows:
        scores = "  ".join(f"{label['name']} {digits.score(label['probability'])}" for label in row["labels"])
        said = _("This model has not seen such images.") if row["unfamiliar"] else scores
        name = f"{harmless(Path(row['path']).name)} [{row['index']}]"
        if row["series"] in several:
            name = _("{name} phase {phase}").format(name=name, phase=row["phase"])
        say.out(f"{name}  {said}  ({row['model']}, {row['device']}, {row['milliseconds']:.1f} ms)")
    _warn(rows)
    if rows:
        say.err(_("Research and education only – not for diagnosis."))


def _warn(rows: list[dict[str, Any]]) -> None:
    """Each warning once: alone where it is said of all images, else with whom it is said of."""
    images = {row["path"] for row in rows}
    for warning in dict.fromkeys(w for row in rows for w in row["warnings"]):
        told = {row["path"] for row in rows if warning in row["warnings"]}
        who = harmless(Path(min(told)).name) if len(told) == 1 else ngettext("{count} image", "{count} images", len(told))
        say.err(warning if told == images else _("{name}: {reason}").format(name=who, reason=warning))
