"""A phantom biopsy as a slide file or in memory, with its truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glisson.frames import BoxL0
from glisson.slides import SYNTHETIC, InMemorySlide
from glisson_phantom.biopsy import Chunk, PhantomBiopsy, Pixels
from glisson_phantom.truth import PhantomTruth
from glisson_phantom.writing import PyramidStyle, write_pyramid


def write_phantom(
    path: Path, biopsy: PhantomBiopsy, style: PyramidStyle = "aperio", workers: int = 1
) -> PhantomTruth:
    """Draw a biopsy, write it as a pyramidal slide and return its truth.

    Memory holds one band of the slide and the compressed truth of its tissue.

    Raises:
        OutputError: the slide cannot be written.
    """
    truth = create_truth(biopsy)
    bands = _draw_bands(biopsy, truth, workers)
    quality = biopsy.scanner.jpeg_quality
    write_pyramid(path, bands, biopsy.size_l0, biopsy.pixel_size, style, quality, comment=SYNTHETIC)
    return truth


def render_phantom(
    biopsy: PhantomBiopsy, offset_l0: tuple[int, int] | None = None, workers: int = 1
) -> tuple[InMemorySlide, PhantomTruth]:
    """Draw a small biopsy as a slide in memory, and return the slide and its truth.

    With `offset_l0` an unscanned black frame surrounds the scanned area, as in MIRAX, and the
    slide's bounds begin there. The truth is in level-0 coordinates, so the offset moves the truth
    too; it has to be a multiple of the truth's pixel.
    """
    truth = create_truth(biopsy)
    rgb = np.concatenate(list(_draw_bands(biopsy, truth, workers)))
    if offset_l0 is None:
        return InMemorySlide(rgb, biopsy.pixel_size, "phantom", synthetic=True), truth
    x, y = offset_l0
    framed = np.zeros((rgb.shape[0] + 2 * y, rgb.shape[1] + 2 * x, 3), np.uint8)
    framed[y : y + rgb.shape[0], x : x + rgb.shape[1]] = rgb
    bounds = BoxL0(x, y, rgb.shape[1], rgb.shape[0])
    slide = InMemorySlide(framed, biopsy.pixel_size, "phantom", bounds, synthetic=True)
    return slide, truth


def create_truth(biopsy: PhantomBiopsy) -> PhantomTruth:
    """Create an empty truth on the grid of `biopsy`."""
    frame = biopsy.truth_frame
    return PhantomTruth(frame, frame.size_px(biopsy.size_l0))


def _draw_bands(biopsy: PhantomBiopsy, truth: PhantomTruth, workers: int) -> Iterator[Pixels]:
    """Draw bands of chunks, cut to the slide, and store the chunks' truth on the way."""
    rows_left = biopsy.size_l0.height
    band: list[Chunk] = []
    for number, chunk in enumerate(biopsy.draw_chunks(workers)):
        truth.put(divmod(number, biopsy.columns), chunk.labels, chunk.features)
        band.append(chunk)
        if len(band) == biopsy.columns:
            pixels = np.concatenate([part.pixels for part in band], axis=1)
            yield np.ascontiguousarray(pixels[:rows_left, : biopsy.size_l0.width])
            rows_left -= pixels.shape[0]
            band = []
