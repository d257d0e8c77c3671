"""The slides of the soak test (SYNTHETIC): a few phantoms, mirrored and recoloured.

Drawing is slow, and the soak test is about lost slides, so two dozen phantoms of 2 µm/px make all
good slides; every file has its own bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glisson.frames import PixelSize, RegionUm, Size
from glisson_phantom import PhantomSettings, plan_biopsy, render_phantom
from glisson_phantom.writing import write_pyramid

Pixels = NDArray[np.uint8]

DRAWN = 24
MPP = 2.0
_LENGTH_MM = 2.0
_SIDE_PX = 900
"""Side of the cut from the middle of a phantom."""


def make_good_slides(folder: Path, count: int, processes: int = 2) -> list[Path]:
    """Make the missing ones of `count` slides, `case-001.svs` and on; return all paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"case-{number:03d}.svs" for number in range(1, count + 1)]
    missing = [path for path in paths if not path.exists()]
    if missing:
        drawn = _draw_all(folder.parent / "drawn", processes)
        for path, pixels in zip(paths, _vary(drawn), strict=False):
            if not path.exists():
                write_slide(path, pixels)
    return paths


def write_slide(path: Path, pixels: Pixels) -> None:
    """Write a slide as Aperio's, of 2 µm/px."""
    size = Size(pixels.shape[1], pixels.shape[0])
    write_pyramid(path, pixels, size, PixelSize(MPP, MPP), quality=90)


def _draw_all(folder: Path, processes: int) -> list[Pixels]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{seed}.npy" for seed in range(DRAWN)]
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(_draw, paths))
    return [_cut_middle(np.load(path)) for path in paths]


def _cut_middle(pixels: Pixels) -> Pixels:
    top, left = (max(0, (side - _SIDE_PX) // 2) for side in pixels.shape[:2])
    return pixels[top : top + _SIDE_PX, left : left + _SIDE_PX]


def _draw(path: Path) -> None:
    if path.exists():
        return
    seed = int(path.stem)
    settings = PhantomSettings(
        seed=seed, length_mm=_LENGTH_MM, stage=1 + seed % 4, mpp=MPP, artefacts=0
    )
    slide, _ = render_phantom(plan_biopsy(settings))
    size, um = slide.info.size_l0, MPP
    whole = RegionUm(0, 0, size.width * um, size.height * um)
    unfinished = path.with_name(f".{path.name}")  # with its ending, which numpy would add
    np.save(unfinished, slide.read(whole, um).rgb)
    unfinished.rename(path)


def _vary(drawn: list[Pixels]) -> Iterator[Pixels]:
    """Yield every slide in four orientations, then again a little darker, and so on."""
    turns = (np.s_[:, :], np.s_[::-1, :], np.s_[:, ::-1], np.s_[::-1, ::-1])
    for step in range(100):
        for turn in turns:
            for pixels in drawn:
                yield _darken(pixels[turn], step)


def _darken(pixels: Pixels, step: int) -> Pixels:
    """Darken by 1 % of the light a step, as in another scan of the same glass."""
    return (pixels * (1 - 0.01 * step)).astype(np.uint8)
