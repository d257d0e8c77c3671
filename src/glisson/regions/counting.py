"""The rule by which portal areas count as portal tracts.

Pathologists count an area with two of bile duct, artery and portal vein. A segmentation sees no
contents, so width decides: a tail or a septum is too narrow for a duct beside an artery, and a
remnant at the core's edge seldom holds both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import shapely
from shapely import Polygon

from glisson.frames import PixelSize
from glisson.regions.settings import RegionSettings
from glisson.regions.tracts import Tract

_TOLERANCE_UM = 0.5


def decide_counts(
    tracts: Iterable[Tract], pixel_size: PixelSize, settings: RegionSettings
) -> tuple[Tract, ...]:
    """Decide by width which tracts count (`COUNTED_DEFINITION`).

    Args:
        tracts: judged complete or partial.
        pixel_size: µm per level-0 pixel.
        settings: the least widths.
    """
    return tuple(
        replace(tract, is_counted=is_wide_enough(tract, pixel_size, settings)) for tract in tracts
    )


def is_wide_enough(tract: Tract, pixel_size: PixelSize, settings: RegionSettings) -> bool:
    """Compare a tract's width with the least width of a complete or of a partial tract."""
    scale = (pixel_size.x_um, pixel_size.y_um)
    outline_um = shapely.transform(tract.outline_l0, lambda points: points * scale)
    least_um = settings.min_width_um if tract.complete else settings.min_partial_width_um
    return measure_width_um(outline_um) >= least_um


def measure_width_um(outline_um: Polygon) -> float:
    """Measure the diameter of the largest disc that fits into an outline in µm, holes filled."""
    filled = Polygon(outline_um.exterior)
    return 2 * float(shapely.maximum_inscribed_circle(filled, tolerance=_TOLERANCE_UM).length)
