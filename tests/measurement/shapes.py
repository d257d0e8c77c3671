"""Cores whose length is known, as outlines and as class maps."""

from __future__ import annotations

import numpy as np
import rasterio.features
import shapely
from scipy import ndimage
from shapely import LineString, Polygon
from shapely.affinity import affine_transform

from glisson.frames import Frame, PixelSize
from glisson.regions import trace_mask
from glisson_phantom.plan.needle import Core, NeedlePass, Shape, draw_core
from tests.scenes import ArrayMap

MARGIN_PX = 30


def needle(seed: int, shape: Shape, breaks: int = 0) -> list[Core]:
    """A pass of the phantom's needle: its outline and its exact centreline."""
    rng = np.random.default_rng(seed)
    length_um = rng.uniform(9000 if shape == "u" else 6000, 22000)
    width_um = rng.uniform(400, 1200)
    angle = rng.uniform(0, 2 * np.pi)
    return draw_core(rng, NeedlePass(length_um, width_um, shape, angle, breaks))


def outline_of(core: Core) -> Polygon:
    outline = Polygon(core.outline_um)
    return outline if outline.is_valid else shapely.buffer(outline, 0)


def band(points: list[tuple[float, float]], width_um: float) -> Polygon:
    """A core with square tips along a line."""
    return LineString(points).buffer(width_um / 2, cap_style="flat", join_style="round")


def mask_of(outline_um: Polygon, mpp: float) -> np.ndarray:
    """Pixels of an outline, with glass around."""
    left, top, right, bottom = outline_um.bounds
    size = int((bottom - top) / mpp) + 2 * MARGIN_PX, int((right - left) / mpp) + 2 * MARGIN_PX
    corner = left - MARGIN_PX * mpp, top - MARGIN_PX * mpp
    transform = rasterio.Affine(mpp, 0, corner[0], 0, mpp, corner[1])
    filled = rasterio.features.rasterize([outline_um], size, transform=transform)
    return np.asarray(filled).astype(bool)


def ragged(mask: np.ndarray, size_px: float, seed: int) -> np.ndarray:
    """A mask whose edge goes in and out by about `size_px`."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=mask.shape), size_px / 2)
    inner = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)
    return np.asarray(inner + size_px * noise / noise.std() > 0)


def traced(mask: np.ndarray, mpp: float) -> Polygon:
    """The largest piece of a mask, in µm."""
    largest = max(trace_mask(mask), key=lambda piece: piece.area)
    return affine_transform(largest, [mpp, 0, 0, mpp, 0, 0])


def map_of(cores: list[Polygon], pixel_size: PixelSize, mpp: float) -> ArrayMap:
    """A class map of cores without tracts."""
    mask = mask_of(shapely.union_all(cores), mpp)
    return ArrayMap(Frame(pixel_size, mpp), mask.astype(np.uint8))
