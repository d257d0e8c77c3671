"""Slides for benchmarks (SYNTHETIC): drawn cores on glass, of any size and tissue area.

One core is drawn at 0.5 µm/px and cached. Every slide is a collage of the core, tile by tile, so
that a slide of 200,000 x 200,000 px takes minutes instead of days. Glass tiles are encoded once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from glisson.files.atomic import atomic_path
from glisson.frames import RegionUm
from glisson.slides import SlideInfo
from glisson_phantom import PhantomSettings, plan_biopsy, render_phantom

Pixels = NDArray[np.uint8]

TILE_PX = 256
DOWNSAMPLES = (1, 4, 16)
MPP_L0 = 0.25
CORE_MPP = 0.5
CORE = PhantomSettings(
    seed=11,
    length_mm=14.2,
    width_mm=1.15,
    shape="curved",
    breaks=0,
    stage=1,
    mpp=CORE_MPP,
    artefacts=0,
)
_JPEG_QUALITY = 80
_GLASS_PX = 200


@dataclass(frozen=True)
class PlacedCore:
    """A core on a slide: its corner, the share of its length, and whether it is mirrored."""

    x_l0: int
    y_l0: int
    share: float = 1.0
    mirrored: bool = False


@dataclass(frozen=True)
class BenchSlide:
    """The plan of a slide: name, level-0 size and cores."""

    name: str
    width_l0: int
    height_l0: int
    cores: tuple[PlacedCore, ...]


STANDARD = BenchSlide(
    "two-cores", 60_000, 40_000, (PlacedCore(600, 800), PlacedCore(600, 20_800, mirrored=True))
)
"""15 x 10 mm at 0.25 µm/px, two cores."""

GIANT = BenchSlide(
    "eight-cores",
    200_000,
    200_000,
    tuple(PlacedCore(8_000 + 70_000 * (k % 2), 10_000 + 45_000 * (k // 2)) for k in range(8)),
)
"""50 x 50 mm at 0.25 µm/px, eight cores far apart."""


def make_slide(folder: Path, slide: BenchSlide) -> Path:
    """Write the slide unless it exists; return its path."""
    path = folder / f"{slide.name}.svs"
    if not path.exists():
        core = make_core(folder)
        with atomic_path(path) as unfinished:
            _write(unfinished, slide, core)
    return path


def make_core(folder: Path) -> Pixels:
    """Return (H, W, 3) of the core at `CORE_MPP`, drawn or from the cache in `folder`."""
    path = folder / "core.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        slide, _ = render_phantom(plan_biopsy(CORE), workers=os.cpu_count() or 1)
        with atomic_path(path) as unfinished, unfinished.open("wb") as file:
            np.save(file, _cut_to_tissue(slide.read(_whole_region(slide.info), CORE_MPP).rgb))
    core: Pixels = np.load(path, mmap_mode="r")
    return core


def _whole_region(info: SlideInfo) -> RegionUm:
    size, pixel = info.size_l0, info.pixel_size
    return RegionUm(0, 0, size.width * pixel.x_um, size.height * pixel.y_um)


def _cut_to_tissue(rgb: Pixels) -> Pixels:
    """Cut to the coloured rectangle with a margin, in whole pixels of the last level."""
    step = round(DOWNSAMPLES[-1] * MPP_L0 / CORE_MPP)
    coloured = rgb[::step, ::step].astype(int)
    rows, columns = np.nonzero(coloured.max(axis=2) - coloured.min(axis=2) > 40)
    top, left = (max(0, int(side.min()) - 10) * step for side in (rows, columns))
    bottom, right = ((int(side.max()) + 10) * step for side in (rows, columns))
    return np.ascontiguousarray(rgb[top:bottom, left:right])


def _write(path: Path, slide: BenchSlide, core: Pixels) -> None:
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for number, downsample in enumerate(DOWNSAMPLES):
            width, height = slide.width_l0 // downsample, slide.height_l0 // downsample
            shape = f"{slide.width_l0}x{slide.height_l0} ({TILE_PX}x{TILE_PX})"
            shape += f" -> {width}x{height}" if number else ""
            tiff.write(
                _encode_tiles(slide, core, downsample),
                shape=(height, width, 3),
                dtype=np.uint8,
                tile=(TILE_PX, TILE_PX),
                photometric="ycbcr",
                compression="jpeg",
                subsampling=(2, 2),
                subfiletype=min(number, 1),
                metadata=None,
                software=False,
                description="Aperio Image Library v0.0.0\r\n"
                f"{shape} JPEG/YCC Q={_JPEG_QUALITY}|AppMag = 40|MPP = {MPP_L0}",
            )
            if number == 0:  # Aperio's second page
                tiff.write(np.full((64, 64, 3), 240, np.uint8), photometric="rgb", metadata=None)


def _encode_tiles(slide: BenchSlide, core: Pixels, downsample: int) -> Iterator[bytes]:
    """Yield the encoded tiles of a level, row by row."""
    glass = np.tile(_make_glass(core), (2, 2, 1))[:TILE_PX, :TILE_PX]
    empty = _encode(glass)
    side = TILE_PX * downsample
    for y in range(0, slide.height_l0 // downsample * downsample, side):
        for x in range(0, slide.width_l0 // downsample * downsample, side):
            tile = _paste_tile(slide, core, downsample, x, y, glass)
            yield empty if tile is None else _encode(tile)


def _make_glass(core: Pixels) -> Pixels:
    """Mirror a corner of the drawing, with its noise, so that the pattern repeats."""
    corner = np.asarray(core[:_GLASS_PX, :_GLASS_PX])
    return np.concatenate([np.concatenate([corner, corner[:, ::-1]], axis=1)] * 2)


def _paste_tile(
    slide: BenchSlide, core: Pixels, downsample: int, x_l0: int, y_l0: int, glass: Pixels
) -> Pixels | None:
    """Paste the cores of a tile on glass; return None for bare glass."""
    tile = None
    for placed in slide.cores:
        part = _cut_part(core, placed, downsample, x_l0, y_l0)
        if part is not None:
            tile = glass.copy() if tile is None else tile
            window, pixels = part
            tile[window] = pixels
    return tile


def _cut_part(
    core: Pixels, placed: PlacedCore, downsample: int, x_l0: int, y_l0: int
) -> tuple[tuple[slice, slice], Pixels] | None:
    """Return the part of a tile that a core covers, and the core's pixels there."""
    fine = round(CORE_MPP / MPP_L0)  # level-0 px per pixel of the drawing
    height, width = core.shape[0] * fine, int(core.shape[1] * placed.share) * fine
    side = TILE_PX * downsample
    left, right = max(x_l0, placed.x_l0), min(x_l0 + side, placed.x_l0 + width)
    top, bottom = max(y_l0, placed.y_l0), min(y_l0 + side, placed.y_l0 + height)
    step = max(downsample, fine)
    rows, columns = (bottom - top) // step, (right - left) // step
    if rows <= 0 or columns <= 0:
        return None
    y, x = (top - placed.y_l0) // fine, (left - placed.x_l0) // fine
    count = step // fine
    if placed.mirrored:
        x = width // fine - x - columns * count
    pixels = np.asarray(core[y : y + rows * count, x : x + columns * count])
    pixels = pixels[:, ::-1] if placed.mirrored else pixels
    size = ((right - left) // downsample, (bottom - top) // downsample)
    kind = cv2.INTER_AREA if downsample > fine else cv2.INTER_CUBIC
    scaled = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=kind)
    row, column = (top - y_l0) // downsample, (left - x_l0) // downsample
    return np.s_[row : row + size[1], column : column + size[0]], scaled


def _encode(tile: Pixels) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(tile, level=_JPEG_QUALITY, subsampling="420"))
