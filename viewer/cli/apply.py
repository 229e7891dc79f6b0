"""``negatoscope apply``: one operation on one series, its result as a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from viewer.cli import choose, installed, results, say
from viewer.core.errors import BadParameter, GeometryMismatch
from viewer.core.images import Labels, Mask
from viewer.core.operation import OperationSpec
from viewer.core.volume import Volume
from viewer.core.words import _
from viewer.io import open as opening
from viewer.io.gate import harmless
from viewer.io.save import ready_target
from viewer.jobs.pool import Pool
from viewer.session.apply import Scope, prepare, start
from viewer.session.document import Document
from viewer.session.opening import open_entry


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("apply", help=_("run one operation and write its result"))
    parser.add_argument("operation", metavar="MENU/OPERATION")
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help=_("volume, mask, overlay: .nii.gz, .nrrd, .mha; numbers: .csv, .json"))
    choose.add_choice(parser)
    choose.add_stack(parser)
    parser.add_argument("--index", type=int, metavar="N", help=_("one plane only, counted from 0"))
    parser.add_argument("--mask", type=Path, metavar="MASK", help=_("a mask or label image on the same grid"))
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help=_("a parameter; may be repeated"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object: what was made, with what, and what is to be said of it"))
    choose.add_force(parser)


def run(args: argparse.Namespace) -> int:
    """0; all that can go wrong is raised."""
    registry = installed.registry()
    spec = registry.spec(args.operation)
    results.check_ending(args.out, spec)
    ready_target(args.out, overwrite=args.force)
    given = parameters(args.param)
    for name in given:
        spec.parameter(name)
    entry = choose.choose(choose.find([args.path], args), args.series)
    choose.check_phase(entry, args.phase)
    with Pool() as pool, Pool(inline=True, lanes=True) as here:
        document = Document()
        volume = open_entry(document, entry, pool)
        if args.mask is not None:
            given[mask_parameter(spec)] = read_mask(args.mask, spec, volume, pool)
        scope = Scope("slice", 0, args.index, args.phase or 0) if args.index is not None else Scope(phase=args.phase or 0)
        call = prepare(document, spec, given, volume_id=volume.id, scope=scope)
        images = call.images[args.phase : args.phase + 1] if args.phase is not None and len(call.images) > 1 else call.images
        made = start(call if images is call.images else _with_images(call, images), here).result()
    if args.phase is None and len(images) < volume.phases:
        words = _("{name}: only phase 0 of {count} was worked on. Another one is named with --phase.")
        say.err(words.format(name=harmless(entry.title), count=volume.phases))
    results.save(args.out, made[0], volume, overwrite=args.force, more_phases=[r[0] for r in made[1:]])
    if args.json:
        say.json_object(results.json_made(spec.name, args.out, made))
    results.warned(entry.title, [result for several in made for result in several])
    for warning in volume.warnings:
        say.err(_("{name}: {warning}").format(name=harmless(entry.title), warning=warning))
    return 0


def parameters(words: list[str]) -> dict[str, Any]:
    """``name=value`` words as a dictionary. Raises BadParameter for what has another form."""
    given: dict[str, Any] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name:
            raise BadParameter(_('--param takes NAME=VALUE, not "{word}".').format(word=harmless(word)))
        given[name.strip()] = value
    return given


def mask_parameter(spec: OperationSpec) -> str:
    """The parameter that ``--mask`` feeds."""
    for parameter in spec.parameters:
        if parameter.type in ("labels", "mask"):
            return parameter.name
    raise BadParameter(_('"{operation}" takes no mask.').format(operation=spec.name))


def read_mask(path: Path, spec: OperationSpec, volume: Volume, pool: Pool) -> Mask | Labels:
    """A mask file as the parameter wants it. Raises GeometryMismatch when it lies on another grid, BadParameter when it holds no labels."""
    entry = choose.choose(choose.find([path]), None)
    loaded = opening.load(entry, pool=pool)
    values = loaded.values
    if loaded.is_color or values.dtype.kind not in "iu" or int(values.min()) < 0:
        raise BadParameter(_("{name} is no mask: labels are whole numbers from 0.").format(name=harmless(path.name)))
    geometry = loaded.geometry
    if not volume.geometry.is_patient and geometry.shape == volume.geometry.shape:
        geometry = volume.geometry  # neither file says where it lies: only the size can be compared
    if not geometry.same_grid(volume.geometry):
        raise GeometryMismatch(_("{name} does not lie on the grid of the image.").format(name=harmless(path.name)))
    wanted = spec.parameter(mask_parameter(spec)).type
    return Mask(values > 0, volume.geometry) if wanted == "mask" else Labels(np.asarray(values), volume.geometry)


def _with_images(call: Any, images: Any) -> Any:
    from dataclasses import replace

    return replace(call, images=images)
