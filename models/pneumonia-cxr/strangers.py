"""Pictures that are no upright frontal chest film, made up at random: what the `unfamiliar` output learns to tell from films.

All are (224, 224) float32 on 0..1. Nothing here comes from the pictures on which the rates in the card are measured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane = NDArray[np.float32]
SIDE = 224


def plane_of(picture: Image.Image) -> Plane:
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32) / 255


def picture_of(plane: Plane) -> Image.Image:
    return Image.fromarray((np.clip(plane, 0, 1) * 255).astype(np.uint8))


# --- chest films that do not stand as they should ---------------------------------------------------------------------------------------


def turned_left(film: Plane, _: Generator) -> Plane:
    return np.rot90(film)


def turned_right(film: Plane, _: Generator) -> Plane:
    return np.rot90(film, 3)


def upside_down(film: Plane, source: Generator) -> Plane:
    return film[::-1] if source.random() < 0.5 else film[::-1, ::-1]


def aslant(film: Plane, source: Generator) -> Plane:
    angle = float(source.uniform(35, 145)) * float(source.choice([-1, 1]))
    filled = picture_of(np.pad(film, 112, mode=("reflect" if source.random() < 0.5 else "constant")))
    return plane_of(filled.rotate(angle, Image.Resampling.BILINEAR).crop((112, 112, 336, 336)))


def inverted(film: Plane, _: Generator) -> Plane:
    return 1 - film


def half(film: Plane, source: Generator) -> Plane:
    """One half, now and then moved a little towards the middle; squeezed to the whole square as the host does."""
    at = int(source.integers(0, 12)) if source.random() < 0.5 else 0
    cut = (film[at : at + 112], film[112 - at : 224 - at], film[:, at : at + 112], film[:, 112 - at : 224 - at])[int(source.integers(4))]
    return plane_of(picture_of(cut))


def quarter(film: Plane, source: Generator) -> Plane:
    top, left = (int(source.choice([0, 112])) if source.random() < 0.6 else int(source.integers(0, 113)) for _ in range(2))
    return plane_of(picture_of(film[top : top + 112, left : left + 112]))


def detail(film: Plane, source: Generator) -> Plane:
    side = int(source.integers(30, 100))
    top, left = source.integers(0, 224 - side, 2)
    return plane_of(picture_of(film[top : top + side, left : left + side]))


def shuffled(film: Plane, source: Generator) -> Plane:
    count = int(source.choice([2, 4, 7, 8]))
    parts = [part for row in np.split(film, count) for part in np.split(row, count, axis=1)]
    order = source.permutation(len(parts))
    return np.block([[parts[order[row * count + column]] for column in range(count)] for row in range(count)])


def repeated(film: Plane, source: Generator) -> Plane:
    across, down = ((2, 1), (1, 2), (2, 2), (3, 1))[int(source.integers(4))]
    return plane_of(picture_of(np.tile(film, (down, across))))


def lost(film: Plane, source: Generator) -> Plane:
    """The film small on an empty ground."""
    wide, high = (int(v) for v in source.integers(40, 110, 2))
    out = np.full((SIDE, SIDE), source.choice([0.0, source.random(), 1.0]), np.float32)
    top, left = int(source.integers(0, SIDE - high)), int(source.integers(0, SIDE - wide))
    out[top : top + high, left : left + wide] = np.asarray(picture_of(film).resize((wide, high), Image.Resampling.BILINEAR), np.float32) / 255
    return out


def negative_turned(film: Plane, source: Generator) -> Plane:
    return np.rot90(1 - film, int(source.integers(1, 4)))


MISPLACED: tuple[Callable[[Plane, Generator], Plane], ...] = (
    turned_left, turned_right, upside_down, inverted, half, half, quarter, aslant, detail, shuffled, repeated, lost, negative_turned,
)  # fmt: skip


# --- other pictures, drawn ----------------------------------------------------------------------------------------------------------------


def clouds(source: Generator, power: float | None = None) -> Plane:
    """Noise whose amplitude falls with frequency, 0..1: from white noise to broad shades."""
    slope = float(source.uniform(0, 3)) if power is None else power
    down, across = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    squash = float(np.exp(source.normal(0, 0.5)))
    size = np.sqrt((down * squash) ** 2 + (across / squash) ** 2)
    size[0, 0] = 1
    spectrum = (source.normal(size=size.shape) + 1j * source.normal(size=size.shape)) / size**slope
    spectrum[0, 0] = 0
    plane = np.fft.irfft2(spectrum, (SIDE, SIDE))
    low, high = np.percentile(plane, [1, 99])
    return np.clip((plane - low) / (high - low + 1e-9), 0, 1).astype(np.float32)


def _disc(source: Generator, centre: NDArray[np.float64], radii: NDArray[np.float64], *, wobble: float = 0.08) -> Plane:
    """Distance from the middle of a wobbling ellipse, 1 on its rim."""
    down, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    tilt = float(source.uniform(-0.3, 0.3))
    y, x = down - centre[0], across - centre[1]
    y, x = y * np.cos(tilt) - x * np.sin(tilt), y * np.sin(tilt) + x * np.cos(tilt)
    angle = np.arctan2(y, x)
    rim = 1 + sum(wobble * float(source.normal()) / k * np.cos(k * angle + float(source.uniform(0, 6.3))) for k in (1, 2, 3, 5))
    return np.asarray(np.hypot(y / radii[0], x / radii[1]) / rim, np.float32)


def section(source: Generator) -> Plane:
    """A round body cut across, with organs and bright bone, on black: like CT or MR of a trunk, a head or a limb."""
    body = _disc(source, np.array([0.5, 0.5]) + source.normal(0, 0.03, 2), source.uniform(0.28, 0.5, 2))
    ground = float(source.choice([0, 0, 0.02, 0.05]))
    out = np.where(body < 1, source.uniform(0.2, 0.7) + source.uniform(0, 0.3) * (clouds(source, 1.2) - 0.5), ground).astype(np.float32)
    if source.random() < 0.6:
        thick = float(source.uniform(0.03, 0.15))
        out[(body < 1 - float(source.uniform(0, 0.1))) & (body > 1 - thick)] = source.choice([1.0, 0.9, 0.05, 0.7])
    for _ in range(int(source.integers(1, 14))):
        organ = _disc(source, source.uniform(0.25, 0.75, 2), source.uniform(0.015, 0.2, 2))
        inside = (organ < 1) & (body < 0.9)
        out[inside] = source.random() + source.uniform(0, 0.2) * (clouds(source, 1.0)[inside] - 0.5)
    return np.clip(out + source.normal(0, source.uniform(0, 0.06), out.shape) * (body < 1.05), 0, 1).astype(np.float32)


def limb(source: Generator) -> Plane:
    """One to four bones with brighter rims and joints, in a sleeve of soft tissue: like a film of an arm, a leg or a hand."""
    down, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5
    tilt = float(source.uniform(0, np.pi)) if source.random() < 0.5 else float(source.normal(0, 0.25))
    along, beside = down * np.cos(tilt) + across * np.sin(tilt), across * np.cos(tilt) - down * np.sin(tilt)
    joint = float(source.uniform(-0.6, 0.6))
    bend = float(source.uniform(-0.6, 0.6)) * np.maximum(along - joint, 0)
    sleeve = float(source.uniform(0.15, 0.45)) * (1 + 0.3 * np.sin(along * source.uniform(2, 9) + source.uniform(0, 6)))
    ground = float(source.choice([0.0, 0.03, source.uniform(0, 0.3)]))
    flesh = float(source.uniform(0.15, 0.5))
    out = ground + flesh * np.sqrt(np.clip(1 - ((beside - bend) / sleeve) ** 2, 0, 1))
    count = int(source.choice([1, 1, 2, 2, 3, 4]))
    for number in range(count):
        middle = bend + (number - (count - 1) / 2) * sleeve * 1.6 / count + 0.03 * np.sin(along * source.uniform(2, 8))
        flare = 1 + source.uniform(0.2, 1.5) * np.exp(-(((along - joint) / source.uniform(0.05, 0.2)) ** 2))
        reach = np.abs(beside - middle) / (float(source.uniform(0.25, 0.6)) * sleeve / count * flare)
        rim = np.exp(-(((reach - 0.85) / 0.15) ** 2)) * source.uniform(0.1, 0.4)
        gap = 1 - source.uniform(0.3, 1) * np.exp(-(((along - joint) / 0.02) ** 2)) if source.random() < 0.7 else 1.0
        out = out + (np.clip(1 - reach, 0, 0.3) * source.uniform(0.5, 1.6) + rim * (reach < 1.2)) * gap
    out = out + 0.06 * (clouds(source, 1.3) - 0.5) * (out > ground + 0.02)
    return np.asarray(np.clip(out, 0, 1), np.float32)


def fan(source: Generator) -> Plane:
    """Speckle in a sector or a box, darker with depth, dark cysts and bright layers: like ultrasound."""
    down, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    if source.random() < 0.5:
        top = float(source.uniform(-0.3, 0.1))
        depth, angle = np.hypot(down - top, across - 0.5), np.arctan2(across - 0.5, down - top)
        seen = (np.abs(angle) < source.uniform(0.4, 0.9)) & (depth < source.uniform(0.8, 1.2)) & (depth > source.uniform(0, 0.2) - top * 0.8)
    else:
        depth, seen = down, (np.abs(across - 0.5) < source.uniform(0.3, 0.51)) & (down > source.uniform(0, 0.1))
    speckle = np.abs(clouds(source, float(source.uniform(0, 1.0))) - 0.5) * source.uniform(1, 2.5)
    broad = clouds(source, 1.8)
    layers = 0.5 + 0.5 * np.sin(depth * source.uniform(8, 60) + 4 * broad)
    out = speckle * (0.3 + broad + source.uniform(0, 1) * layers) * np.exp(-depth * source.uniform(0, 2.5)) * source.uniform(0.6, 1.6)
    for _ in range(int(source.integers(0, 4))):
        cyst = _disc(source, source.uniform(0.2, 0.8, 2), source.uniform(0.04, 0.2, 2), wobble=0.15)
        out[cyst < 1] *= source.uniform(0, 0.5)
    return np.asarray(np.clip(np.where(seen, out, 0), 0, 1), np.float32)


def scene(source: Generator) -> Plane:
    """Things that hide each other, of all sizes, with shades and textures: as photographs are."""
    size = SIDE
    image = picture_of(clouds(source) * source.uniform(0.2, 1))
    for _ in range(int(source.integers(3, 60))):
        radius = float(np.clip(source.pareto(1.2) * 6, 3, 130))
        x, y = source.uniform(-20, size + 20, 2)
        ink = picture_of(np.clip(source.random() + source.uniform(0, 0.6) * (clouds(source) - 0.5), 0, 1)) if radius > 20 else None
        shade = int(source.integers(0, 256))
        mask = Image.new("L", (size, size), 0)
        pen, kind = ImageDraw.Draw(mask), source.integers(4)
        if kind == 0:
            pen.ellipse((x - radius, y - radius * 0.7, x + radius, y + radius * 0.7), fill=255)
        elif kind == 1:
            pen.rectangle((x - radius, y - radius * 0.6, x + radius, y + radius * 0.6), fill=255)
        elif kind == 2:
            corners = [(x + radius * np.cos(a) * source.uniform(0.4, 1.2), y + radius * np.sin(a)) for a in np.sort(source.uniform(0, 6.3, 5))]
            pen.polygon(corners, fill=255)
        else:
            pen.line((x, y, *source.uniform(0, size, 2)), fill=255, width=int(source.integers(1, 9)))
        if ink is not None:
            image.paste(ink, mask=mask)
        else:
            image.paste(shade, mask=mask)
    if source.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(float(source.uniform(0.3, 3))))
    return plane_of(image)


def cells(source: Generator) -> Plane:
    """Many small round things or a net: like tissue or cells under a microscope."""
    ground = 0.4 + 0.5 * clouds(source, float(source.uniform(0.5, 2)))
    image = picture_of(ground)
    pen = ImageDraw.Draw(image)
    least, most = source.uniform(1, 4), source.uniform(4, 16)
    for _ in range(int(source.integers(20, 400))):
        x, y = source.uniform(0, SIDE, 2)
        wide, high = source.uniform(least, most, 2)
        rim = None if source.random() < 0.5 else int(source.integers(0, 256))
        pen.ellipse((x - wide, y - high, x + wide, y + high), fill=int(source.integers(0, 160)), outline=rim)
    if source.random() < 0.6:
        image = image.filter(ImageFilter.GaussianBlur(float(source.uniform(0.5, 2))))
    return plane_of(image)


def page(source: Generator) -> Plane:
    """Lines of strokes on a plain ground: text, drawings, charts."""
    light = source.random() < 0.7
    image = Image.new("L", (SIDE, SIDE), int(source.integers(190, 256)) if light else int(source.integers(0, 60)))
    pen, ink = ImageDraw.Draw(image), int(source.integers(0, 90)) if light else int(source.integers(160, 256))
    pitch = int(source.integers(5, 30))
    for y in range(int(source.integers(2, 20)), SIDE, pitch):
        x = float(source.uniform(2, 30))
        while x < SIDE - source.uniform(2, 60):
            long = source.uniform(1, pitch)
            pen.line(
                (x, y + source.uniform(-pitch, pitch) * 0.3, x + long, y + source.uniform(-pitch, pitch) * 0.3),
                fill=ink,
                width=int(source.integers(1, 3)),
            )
            x += long + source.uniform(0.5, pitch * 0.7)
    shade = float(source.uniform(0, 0.4)) * (clouds(source, 2.5) - 0.5)
    return np.asarray(np.clip(plane_of(image) + shade, 0, 1), np.float32)


def simple(source: Generator) -> Plane:
    """Flat grey, noise, slopes, stripes, boards, rings, discs."""
    down, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5
    tilt, pitch = source.uniform(0, np.pi), source.uniform(2, 80)
    way = down * np.cos(tilt) + across * np.sin(tilt)
    off = source.normal(0, 0.2, 2)
    far = np.hypot(down - off[0], across - off[1])
    board = np.sin(down * pitch + 0.1) * np.sin(across * pitch + 0.1)
    size, stripes = float(source.uniform(0.1, 0.45)), 0.5 + 0.5 * np.sin(way * pitch)
    noise = 0.5 + source.normal(0, source.uniform(0.01, 0.3), down.shape)
    flat, extreme = np.full_like(down, source.random()), np.full_like(down, source.choice([0.0, 1.0]))
    rings = 0.5 + 0.5 * np.sin(far * pitch)
    discs = ((far < size) * 1.0, far * source.uniform(0.5, 2), 1 - far * source.uniform(0.5, 3))
    made = (flat, extreme, source.random(down.shape), noise, way + 0.5, stripes, (board > 0) * 1.0, rings, *discs)
    plane = np.asarray(made[int(source.integers(len(made)))], np.float32)
    if source.random() < 0.5:
        low, high = np.sort(source.random(2))
        plane = low + (high - low) * plane
    return np.asarray(np.clip(plane + source.normal(0, source.choice([0, 0, 0.03]), plane.shape), 0, 1), np.float32)


DRAWN: tuple[Callable[[Generator], Plane], ...] = (clouds, section, section, limb, limb, fan, scene, scene, cells, page, simple)


# --- planes of volumes -------------------------------------------------------------------------------------------------------------------


def read_volumes(folders: list[Path]) -> list[NDArray[np.float32]]:
    """Each folder's DICOM planes as one volume (planes, rows, columns), in the order of their positions."""
    import pydicom

    found = []
    for folder in folders:
        planes = [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]
        planes = sorted((p for p in planes if "PixelData" in p and "ImagePositionPatient" in p), key=lambda p: float(p.ImagePositionPatient[2]))
        shapes = [p.pixel_array.shape for p in planes]
        if planes:
            slope = [(float(p.get("RescaleSlope", 1)), float(p.get("RescaleIntercept", 0))) for p in planes]
            same = [p.pixel_array * s + i for p, (s, i), shape in zip(planes, slope, shapes, strict=True) if shape == shapes[0]]
            found.append(np.stack(same).astype(np.float32))
    return found


def plane_of_volume(volume: NDArray[np.float32], source: Generator) -> Plane:
    """A plane along one of the three axes, in a window at random, turned or mirrored now and then."""
    axis = int(source.choice([0, 0, 0, 1, 2])) if volume.shape[0] > 20 else 0
    count = volume.shape[axis]
    plane = np.take(volume, int(source.integers(count // 6, max(count - count // 6, count // 6 + 1))), axis=axis)
    kind = source.integers(3)
    low, high = np.percentile(plane, [float(source.uniform(0, 30)), float(source.uniform(90, 100))]) if kind else (-1000.0, 400.0)
    plane = np.clip((plane - low) / max(float(high - low), 1e-3), 0, 1)
    if source.random() < 0.3:
        plane = np.rot90(plane, int(source.integers(1, 4)))
    if source.random() < 0.2:
        plane = 1 - plane
    if source.random() < 0.4:
        rows, columns = (int(v * source.uniform(0.5, 0.95)) for v in plane.shape)
        top, left = int(source.integers(0, plane.shape[0] - rows + 1)), int(source.integers(0, plane.shape[1] - columns + 1))
        plane = plane[top : top + rows, left : left + columns]
    return plane_of(picture_of(np.asarray(plane, np.float32)))


def strangers(films: NDArray[np.uint8], count: int, *, volumes: list[NDArray[np.float32]], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """`count` pictures (count, 224, 224) uint8 and the kind of each: half misplaced films, the rest drawn or from volumes."""
    source = np.random.default_rng(seed)
    planes, kinds = np.empty((count, SIDE, SIDE), np.uint8), []
    for index in range(count):
        share = source.random()
        if share < 0.5:
            change = MISPLACED[int(source.integers(len(MISPLACED)))]
            plane, kind = change(films[int(source.integers(len(films)))].astype(np.float32) / 255, source), change.__name__
        elif volumes and share < 0.62:
            plane, kind = plane_of_volume(volumes[int(source.integers(len(volumes)))], source), "volume"
        else:
            draw = DRAWN[int(source.integers(len(DRAWN)))]
            plane, kind = draw(source), draw.__name__
        planes[index] = (np.clip(plane, 0, 1) * 255).round()
        kinds.append(kind)
    return planes, np.array(kinds)
