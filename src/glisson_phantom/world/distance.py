"""Distances to polygons, and the cover of pixels by polygons."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from glisson_phantom.world.canvas import Canvas, Field, Points

OUT_OF_REACH_UM = 80.0
_SUBPIXEL_BITS = 4
_SUBPIXELS = 1 << _SUBPIXEL_BITS


def signed_distance_um(
    canvas: Canvas, polygons_um: Sequence[Points], reach_um: float = OUT_OF_REACH_UM
) -> Field:
    """Measure the distance to the union of polygons in µm, positive inside, up to ±`reach_um`.

    The grid of 1 µm is aligned to the world, so that chunks agree. Distances are right to within
    1.5 µm and 2 %: OpenCV's exact distances differ between processes, its 5 x 5 distances do not.
    """
    near = [polygon for polygon in polygons_um if canvas.touches(polygon, reach_um)]
    if not near:
        return np.full(canvas.shape, -reach_um, np.float32)
    coarse = _whole_um_canvas(canvas, reach_um)
    mask = polygon_mask(coarse, near)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    distance = inside - outside + (0.5 - mask.astype(np.float32))
    return resample(np.clip(distance, -reach_um, reach_um), coarse, canvas)


def polygon_mask(canvas: Canvas, polygons_um: Sequence[Points]) -> np.ndarray:
    """Draw a mask, (H, W) uint8, with 1 on pixels whose centre lies in a polygon."""
    mask = np.zeros(canvas.shape, np.uint8)
    for polygon in polygons_um:
        cv2.fillPoly(mask, [_corners(canvas, polygon)], 1, cv2.LINE_8, _SUBPIXEL_BITS)
    return mask


def polygon_cover(canvas: Canvas, polygon_um: Points) -> tuple[tuple[slice, slice], Field]:
    """Return the part of the canvas round a polygon, and the polygon's cover there, 0 to 1."""
    px = canvas.px_from_um(polygon_um)
    limit = (canvas.width_px, canvas.height_px)
    low = np.clip(np.floor(px.min(0)).astype(int) - 2, 0, limit)
    high = np.clip(np.ceil(px.max(0)).astype(int) + 3, 0, limit)
    mask = np.zeros((max(high[1] - low[1], 0), max(high[0] - low[0], 0)), np.uint8)
    if mask.size:
        corners = np.round((px - low) * _SUBPIXELS - _SUBPIXELS / 2).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    part = (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0])))
    return part, mask.astype(np.float32) / 255


def resample(field: Field, source: Canvas, target: Canvas) -> Field:
    """Interpolate a field of one canvas linearly on the grid of another canvas."""
    scale = target.mpp / source.mpp
    x_px = (target.x_um - source.x_um) / source.mpp + 0.5 * scale - 0.5
    y_px = (target.y_um - source.y_um) / source.mpp + 0.5 * scale - 0.5
    affine = np.array([[scale, 0, x_px], [0, scale, y_px]])
    return cv2.warpAffine(
        field,
        affine,
        (target.width_px, target.height_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32, copy=False)


def _corners(canvas: Canvas, polygon_um: Points) -> np.ndarray:
    px = canvas.px_from_um(polygon_um)
    return np.round(px * _SUBPIXELS - _SUBPIXELS / 2).astype(np.int32)


def _whole_um_canvas(canvas: Canvas, margin_um: float) -> Canvas:
    x_um, y_um = np.floor(canvas.low_um - margin_um)
    right_um, bottom_um = canvas.high_um + margin_um
    width, height = int(np.ceil(right_um - x_um)), int(np.ceil(bottom_um - y_um))
    return Canvas(float(x_um), float(y_um), width, height, 1.0, canvas.seed)
