"""The slides of the soak test (SYNTHETIC): a few drawn ones, mirrored and recoloured.

Drawing is slow and the soak test is about losing nothing, so that two dozen phantoms of 2 µm/px
make all good slides; every file has its own bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glisson.frames import PixelSize, RegionUm, Size
from glisson_phantom import PhantomSettings, phantom_in_memory, plan_biopsy
from glisson_phantom.writing import write_pyramid

Pixels = NDArray[np.uint8]

DRAWN = 24
MPP = 2.0
_LENGTH_MM = 2.0
_SIDE_PX = 900
"""Cut from the middle of what was drawn."""


def good_slides(folder: Path, count: int, processes: int = 2) -> list[Path]:
    """`count` slides `case-001.svs` and on; those that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"case-{number:03d}.svs" for number in range(1, count + 1)]
    missing = [path for path in paths if not path.exists()]
    if missing:
        drawn = _drawn(folder.parent / "drawn", processes)
        for path, pixels in zip(paths, _variants(drawn), strict=False):
            if not path.exists():
                write_slide(path, pixels)
    return paths


def write_slide(path: Path, pixels: Pixels) -> None:
    """A slide as Aperio's, of 2 µm/px."""
    size = Size(pixels.shape[1], pixels.shape[0])
    write_pyramid(path, pixels, size, PixelSize(MPP, MPP), quality=90)


def _drawn(folder: Path, processes: int) -> list[Pixels]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{seed}.npy" for seed in range(DRAWN)]
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(_draw, paths))
    return [_middle(np.load(path)) for path in paths]


def _middle(pixels: Pixels) -> Pixels:
    top, left = (max(0, (side - _SIDE_PX) // 2) for side in pixels.shape[:2])
    return pixels[top : top + _SIDE_PX, left : left + _SIDE_PX]


def _draw(path: Path) -> None:
    if path.exists():
        return
    seed = int(path.stem)
    asked = PhantomSettings(
        seed=seed, length_mm=_LENGTH_MM, stage=1 + seed % 4, mpp=MPP, artefacts=0
    )
    slide, _ = phantom_in_memory(plan_biopsy(asked))
    size, um = slide.info.size_l0, MPP
    whole = RegionUm(0, 0, size.width * um, size.height * um)
    unfinished = path.with_name(f".{path.name}")  # numpy adds no ending to one that is there
    np.save(unfinished, slide.read(whole, um).rgb)
    unfinished.rename(path)


def _variants(drawn: list[Pixels]) -> Iterator[Pixels]:
    """Each slide four ways round, then again a little darker, and on."""
    turns = (np.s_[:, :], np.s_[::-1, :], np.s_[:, ::-1], np.s_[::-1, ::-1])
    for step in range(100):
        for turn in turns:
            for pixels in drawn:
                yield _darker(pixels[turn], step)


def _darker(pixels: Pixels, step: int) -> Pixels:
    """By 1 % of the light a step, as another scan of the same glass."""
    return (pixels * (1 - 0.01 * step)).astype(np.uint8)
