"""Class maps rid of what is too small to be what it was called."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.regions.settings import RegionSettings
from glisson.regions.spans import Grid, Spans, areas, components, united


@dataclass(frozen=True)
class Labels:
    """A rectangle of a class map as masks.

    Attributes:
        grid: how it lies on the line.
        tissue: lobule and portal.
        portal: the part of it that is portal.
    """

    grid: Grid
    tissue: Spans
    portal: Spans


def cleaned(labels: Labels, mpp: float, settings: RegionSettings) -> Labels:
    """Labels with debris, pin-holes and specks reassigned, in that order.

    The rectangle must hold whole pieces of tissue: what touches its border counts as open to
    the glass.

    Args:
        labels: as predicted.
        mpp: µm per pixel.
        settings: the sizes.
    """
    px, grid = mpp**2, labels.grid
    tissue = _filled(labels.tissue, grid, settings.max_tissue_hole_um2 / px)
    tissue = _without_specks(tissue, grid, settings.min_fragment_area_um2 / px)
    portal = labels.portal.only(tissue.index_of(labels.portal.start) >= 0)
    portal = _filled(portal, grid, settings.max_portal_hole_um2 / px)
    # A hole in a tract may have been glass.
    tissue = united(tissue, portal)
    portal = _without_specks(portal, grid, settings.min_tract_area_um2 / px)
    return Labels(grid, tissue, portal)


def _filled(mask: Spans, grid: Grid, most_px: float) -> Spans:
    """A mask with what it encloses, where that is less than `most_px`."""
    gaps = mask.gaps(grid.line_length)
    component = components(gaps, grid.stride)
    small = areas(gaps, component) < most_px
    small[component[0]] = False
    return united(mask, gaps.only(small[component]))


def _without_specks(mask: Spans, grid: Grid, least_px: float) -> Spans:
    """A mask without its regions of less than `least_px`."""
    component = components(mask, grid.stride)
    small = areas(mask, component) < least_px
    return mask.only(~small[component])
