"""The shape of an area: how round, how solid, how long and how broad."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from glisson.frames import PixelSize

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """The shape of an outline.

    Attributes:
        perimeter_um: of the outer ring.
        circularity: 4π·area/perimeter² of the outer ring; 1 for a disc, less for all else.
        solidity: area, holes left out, over the area of the convex hull, 0 to 1.
        major_axis_um: of the ellipse of the same second moments, as scikit-image's
            `regionprops` gives it (four times the root of the larger eigenvalue of the
            covariance), but of the polygon, not of pixels.
        minor_axis_um: the same of the smaller eigenvalue.
    """

    perimeter_um: float
    circularity: float
    solidity: float
    major_axis_um: float
    minor_axis_um: float


def shape_of(outline_um: Polygon) -> Shape:
    """Describe an outline in µm; holes count in solidity and axes."""
    perimeter = outline_um.exterior.length
    filled = Polygon(outline_um.exterior).area
    major, minor = ellipse_axes(outline_um)
    return Shape(
        perimeter_um=perimeter,
        circularity=4 * math.pi * filled / perimeter**2,
        solidity=min(1.0, outline_um.area / outline_um.convex_hull.area),
        major_axis_um=major,
        minor_axis_um=minor,
    )


def ellipse_axes(polygon: Polygon) -> tuple[float, float]:
    """Return the axes of the ellipse of the same second moments, the longer first, in its unit."""
    middle = shapely.get_coordinates(polygon.centroid)[0]
    moments = _moments(polygon.exterior, middle)
    for hole in polygon.interiors:
        moments = moments - _moments(hole, middle)
    area, xx, yy, xy = (float(moment) for moment in moments)
    covariance: Points = np.array([[xx, xy], [xy, yy]]) / area
    minor, major = (float(axis) for axis in np.linalg.eigvalsh(covariance).clip(0))
    return 4 * math.sqrt(major), 4 * math.sqrt(minor)


def _moments(ring: BaseGeometry, middle: Points) -> Points:
    """Return area and second moments xx, yy, xy of a ring round a point, by Green's theorem."""
    points: Points = shapely.get_coordinates(ring) - middle
    x, y = points[:, 0], points[:, 1]
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    xx = (cross * (x[:-1] ** 2 + x[:-1] * x[1:] + x[1:] ** 2)).sum() / 12
    yy = (cross * (y[:-1] ** 2 + y[:-1] * y[1:] + y[1:] ** 2)).sum() / 12
    mixed = x[:-1] * y[1:] + 2 * x[:-1] * y[:-1] + 2 * x[1:] * y[1:] + x[1:] * y[:-1]
    found = np.array([cross.sum() / 2, xx, yy, (cross * mixed).sum() / 24])
    return found * (1 if found[0] >= 0 else -1)


def in_um(
    geometries_l0: Sequence[BaseGeometry],
    pixel_size: PixelSize,
    origin_l0: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.object_]:
    """Convert geometries of level-0 pixels to µm from `origin_l0`.

    The origin is subtracted first: near it, numbers keep all their digits wherever on the slide
    the tissue lies.
    """
    scale = np.array([pixel_size.x_um, pixel_size.y_um])
    geometries = np.array(geometries_l0, object)
    return np.asarray(shapely.transform(geometries, lambda points: (points - origin_l0) * scale))
