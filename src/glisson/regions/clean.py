"""Clean a class map: fill small holes and drop small pieces."""

from __future__ import annotations

from dataclasses import dataclass

from glisson.regions.settings import RegionSettings
from glisson.regions.spans import Grid, Spans, count_pixels, label_components, merge_spans


@dataclass(frozen=True)
class Labels:
    """A rectangle of a class map as masks.

    Attributes:
        grid: positions of its pixels on the line.
        tissue: lobule and portal.
        portal: the portal part of the tissue.
    """

    grid: Grid
    tissue: Spans
    portal: Spans


def clean_labels(labels: Labels, mpp: float, settings: RegionSettings) -> Labels:
    """Fill enclosed background, drop debris, fill lumina of tracts, drop small portal areas.

    The rectangle must hold whole pieces of tissue: background that touches its border counts as
    open glass.

    Args:
        labels: predicted labels.
        mpp: µm per pixel.
        settings: the sizes.
    """
    px, grid = mpp**2, labels.grid
    tissue = _fill_holes(labels.tissue, grid, settings.max_tissue_hole_um2 / px)
    tissue = _drop_specks(tissue, grid, settings.min_fragment_area_um2 / px)
    portal = labels.portal.take(tissue.index_of(labels.portal.start) >= 0)
    portal = _fill_holes(portal, grid, settings.max_portal_hole_um2 / px)
    # A hole in a tract may have been glass.
    tissue = merge_spans([tissue, portal])
    portal = _drop_specks(portal, grid, settings.min_tract_area_um2 / px)
    return Labels(grid, tissue, portal)


def _fill_holes(mask: Spans, grid: Grid, most_px: float) -> Spans:
    """Fill the holes of a mask that are smaller than `most_px`."""
    gaps = mask.gaps(grid.line_length)
    component = label_components(gaps, grid.stride)
    small = count_pixels(gaps, component) < most_px
    small[component[0]] = False
    return merge_spans([mask, gaps.take(small[component])])


def _drop_specks(mask: Spans, grid: Grid, least_px: float) -> Spans:
    """Drop the regions of a mask that are smaller than `least_px`."""
    component = label_components(mask, grid.stride)
    small = count_pixels(mask, component) < least_px
    return mask.take(~small[component])
