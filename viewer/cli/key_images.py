"""``negatoscope key-images``: pictures of the images that a key object selection names, as .png files in a new folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from viewer.cli import say
from viewer.cli.render import size_of
from viewer.core.errors import NegatoscopeError, Refused
from viewer.core.words import _, ngettext
from viewer.io import open as opening
from viewer.io.gate import harmless
from viewer.io.objects.key_images import marked_planes, read_key_images
from viewer.io.save import save_atomic, save_folder
from viewer.jobs.pool import Pool
from viewer.session.document import Document
from viewer.session.key_images import add_key_images, key_images_from


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    text = _("write pictures of the images that a DICOM key object selection names")
    parser: argparse.ArgumentParser = subparsers.add_parser("key-images", help=text)
    parser.add_argument("file", type=Path, metavar="FILE", help=_("the key object selection"))
    parser.add_argument("paths", nargs="+", type=Path, metavar="STUDY", help=_("where the images are"))
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help=_("a new folder for the pictures"))
    parser.add_argument("--size", type=size_of, metavar="WxH", help=_("size of the picture in pixels; one for each image pixel if not given"))
    parser.add_argument("--no-annotations", action="store_true", help=_("draw the image and nothing else"))
    parser.add_argument("--identity", action="store_true", help=_("write who was examined, where and when into the corners"))


def run(args: argparse.Namespace) -> int:
    """0 if any picture was written; a series that cannot be read is said, and the others go on."""
    if args.out.exists():
        raise Refused(_("There is something called {name} already. Choose a new name for the folder.").format(name=harmless(args.out.name)))
    if args.file.is_dir():
        raise Refused(_("{name} is a folder: name one of its files.").format(name=harmless(str(args.file))))
    found = read_key_images(args.file)
    named = [(entry, places) for entry in opening.find(args.paths).series if (places := marked_planes(found, entry))]
    if not named:
        text = _("None of the images that {name} names is there. Name the folder that holds them.")
        raise Refused(text.format(name=harmless(args.file.name)))
    document = Document()
    with Pool() as pool:
        for entry, places in named:
            try:
                volume = opening.load(entry, pool=pool)
            except NegatoscopeError as err:
                say.err(str(err))
                continue
            document.add_source(volume)
            add_key_images(document, key_images_from(places, volume, note=found.description, origin=found.title.words))
    items = document.items("key_image")
    if not items:
        raise Refused(_("None of the images that {name} names could be read.").format(name=harmless(args.file.name)))
    from viewer.draw.key_pictures import key_picture, picture_names
    from viewer.draw.screenshot import png_bytes

    def fill(folder: Path) -> None:
        for item, name in zip(items, picture_names(document, items), strict=True):
            picture = key_picture(document, item, args.size, identity=args.identity, annotations=not args.no_annotations)
            save_atomic(folder / f"{name}.png", png_bytes(picture))

    save_folder(args.out, fill)
    missing = len(found.references) - len({(item.volume_id, item.phase, item.index) for item in items})
    if missing > 0:
        say.err(ngettext("{count} of the images named is not there.", "{count} of the images named are not there.", missing))
    return 0
