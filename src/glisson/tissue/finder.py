"""Find the tissue of an H&E slide, by colour, texture and shape; nothing is learned."""

from __future__ import annotations

import logging
import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.masks.pieces import find_pieces
from glisson.slides.slide import Slide
from glisson.tissue.artefacts import (
    are_lines,
    find_black_padding,
    find_pen,
    find_white_padding,
    mark_grey,
)
from glisson.tissue.background import Glass, estimate_glass
from glisson.tissue.density import density, evidence
from glisson.tissue.features import Look, Looks, find_looks
from glisson.tissue.grid import Grid, read_grid
from glisson.tissue.morphology import close, dilate, drop_specks, fill_narrow_holes
from glisson.tissue.picture import Picture
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Cause, Mask, TissueMap

log = logging.getLogger(__name__)


def find_tissue(slide: Slide, settings: TissueSettings | None = None) -> TissueMap:
    """Find the tissue of an H&E slide.

    The grid starts at the slide's level-0 corner, at `settings.mpp` (4 µm/px), doubled
    until the scanned area has at most `settings.max_grid_px` pixels. Memory: about 20
    bytes for a scanned grid pixel, of which the picture keeps 3, and the threads' reads of at
    most `settings.max_read_px`. Enclosed fat is tissue, wider lumens are not. An empty or
    dark-field slide gives an empty mask with a warning.

    Raises:
        SlideError: as `slide.read` raises it.
    """
    settings = settings or TissueSettings()
    grid = read_grid(slide, settings)
    found = _find_scanned(grid, settings)
    if not grid.is_complete:  # no later step needs the grid's pixels but the picture
        grid.rgb[~grid.readable] = found.background_rgb
    return replace(
        found,
        mask=grid.on_whole_slide(found.mask, outside=False),
        causes=grid.on_whole_slide(found.causes, outside=Cause.PADDING),
        warnings=_grid_warnings(grid, settings) + found.warnings,
        picture=Picture(grid.rgb, grid.box_px.x_px, grid.box_px.y_px, found.background_rgb),
    )


def _find_scanned(grid: Grid, settings: TissueSettings) -> TissueMap:
    grid = _add_padding(grid, find_black_padding(grid, settings))
    if not grid.readable.any():
        return _report_nothing(grid, "No tissue found: nothing of the slide was scanned.")
    if _is_dark(grid, settings):
        return _report_nothing(grid, _DARK)
    grid, glass = _find_glass(grid, settings)
    found = _find_on_glass(grid, glass, settings)
    return replace(found, warnings=_find_warnings(found, glass, settings))


_DARK = (
    "No tissue found: the background is dark (fluorescence or dark field?). "
    "Glisson reads H&E slides in bright field."
)


def _add_padding(grid: Grid, padding: Mask) -> Grid:
    if not padding.any():
        return grid
    causes = grid.causes.copy()
    causes[padding] = Cause.PADDING
    return replace(grid, causes=causes)


def _is_dark(grid: Grid, settings: TissueSettings) -> bool:
    """Decide whether four fifths of the readable pixels are dark."""
    brightest = max(0, math.ceil(3 * settings.dark_value) - 1)
    perhaps = cv2.inRange(grid.rgb, (0,) * 3, (min(255, brightest),) * 3).view(np.bool_)
    if np.count_nonzero(perhaps & grid.readable) <= 0.8 * np.count_nonzero(grid.readable):
        return False
    grey = grid.rgb[grid.readable].mean(axis=1, dtype=np.float32)
    return float(np.mean(grey < settings.dark_value)) > 0.8


def _find_glass(grid: Grid, settings: TissueSettings) -> tuple[Grid, Glass]:
    """Find the glass beside white padding; without padding, white itself may be the glass."""
    white = find_white_padding(grid, settings)
    if white.any():
        rest = _add_padding(grid, dilate(white, grid.frame.mpp, grid.frame.mpp))
        glass = _estimate(rest, settings)
        # Pale tissue on saturated glass is pink like some glass but not as smooth.
        is_darker = sum(glass.rgb) < 3 * 252
        is_pink = evidence(density(np.array(glass.rgb, np.uint8))) > settings.glass_chroma
        is_glass = not is_pink or glass.roughness <= settings.max_glass_roughness
        if glass.is_open and is_darker and is_glass:
            return rest, glass
    return grid, _estimate(grid, settings)


def _estimate(grid: Grid, settings: TissueSettings) -> Glass:
    return estimate_glass(grid.rgb, grid.readable, grid.frame.mpp, settings)


def _find_on_glass(grid: Grid, glass: Glass, settings: TissueSettings) -> TissueMap:
    mpp = grid.frame.mpp
    looks = find_looks(grid, glass, settings)
    log.debug("glass %s, %s", glass.rgb, looks.thresholds)
    causes = grid.causes.copy()
    causes[find_pen(looks, mpp, settings) & grid.readable] = Cause.PEN
    clean = drop_specks(looks.has(Look.WEAK) & (causes == Cause.NONE), settings.speck_um2, mpp)
    solid = fill_narrow_holes(close(clean, settings.close_um, mpp), settings.fill_um, mpp)
    solid &= causes == Cause.NONE
    mask = _select_tissue(solid, looks, causes, mpp, settings)
    mark_grey(causes, looks.has(Look.GREY) & ~mask, mpp, settings)
    return TissueMap(mask, grid.frame, causes, glass.rgb)


def _select_tissue(
    solid: Mask,
    looks: Looks,
    causes: NDArray[np.uint8],
    mpp: float,
    settings: TissueSettings,
) -> Mask:
    """Select the pieces that are tissue; write the cause of every other piece."""
    found = find_pieces(solid)
    small = found.area_px * mpp**2 < settings.min_fragment_mm2 * 1e6
    faint = found.share(looks.has(Look.SEED)) < settings.min_seed_share
    # Texture is costly: only faint pieces are tested.
    pale = found.share(looks.has(Look.STRONG)) < 0.5
    textured = found.share(looks.find_textured(found.select(pale)))
    flat = np.asarray(pale & (textured < settings.min_texture))
    line = are_lines(found, solid, mpp, settings)
    for cause, chosen in (
        (Cause.DEBRIS, small),
        (Cause.FLAT, flat | faint),
        (Cause.EDGE, line),
    ):
        found.write(causes, chosen, cause)
    return found.select(~(small | faint | flat | line))


def _report_nothing(grid: Grid, warning: str) -> TissueMap:
    mask = np.zeros(grid.causes.shape, bool)
    pixels = grid.rgb[grid.readable]
    red, green, blue = np.median(pixels, axis=0).astype(int) if pixels.size else (0, 0, 0)
    return TissueMap(mask, grid.frame, grid.causes, (int(red), int(green), int(blue)), (warning,))


def _grid_warnings(grid: Grid, settings: TissueSettings) -> tuple[str, ...]:
    found = []
    if grid.frame.mpp > settings.mpp:
        found.append(
            f"The slide is very large: Glisson searched for tissue at {grid.frame.mpp:g} µm/px "
            f"instead of {settings.mpp:g}."
        )
    unreadable = np.count_nonzero(grid.causes == Cause.UNREADABLE) / grid.causes.size
    if unreadable:
        found.append(f"{unreadable:.1%} of the slide's area could not be read.")
    return tuple(found)


def _find_warnings(found: TissueMap, glass: Glass, settings: TissueSettings) -> tuple[str, ...]:
    warnings = []
    if not glass.is_open:
        warnings.append("No open glass was seen: its colour was taken from the brightest pixels.")
    if found.is_empty:
        warnings.append(
            "No tissue found: the slide holds nothing that looks like H&E tissue, or its stain is "
            "too pale to be told from glass."
        )
    elif found.fraction_of_slide > settings.max_tissue_fraction:
        warnings.append(
            f"Tissue covers {found.fraction_of_slide:.0%} of the scanned area: "
            "a cropped field, or glass taken for tissue. Check the outline."
        )
    return tuple(warnings)
