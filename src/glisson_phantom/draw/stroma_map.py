"""The plan's stroma of tracts and septa as fields of a section: dense, loose, packed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from glisson_phantom.draw.section import Points, Section
from glisson_phantom.world import Canvas, Field
from glisson_phantom.world.distance import resample

_BEYOND_UM = 14.0
_FACTORS_BEYOND_UM = 45.0
"""Reach of a tract's values beyond its border; factors reach as far as an infiltrate spills."""
_AMOUNTS = ("hyaline", "myxoid", "packed")
_FACTORS = ("eosin", "haematoxylin", "cells", "ragged")


@dataclass(frozen=True)
class StromaMap:
    """Fields of a section, (H, W) float32, named as in `Stroma`; `infiltrate` is inflammation."""

    hyaline: Field
    myxoid: Field
    packed: Field
    eosin: Field
    haematoxylin: Field
    cells: Field
    ragged: Field
    infiltrate: Field


def map_stroma(section: Section) -> StromaMap:
    """Paint the values of all tracts and septa; hyaline and myxoid stroma in patches."""
    layout = section.layout
    shapes = [(s.infiltrate, s.stroma, s.polygon_um) for s in layout.septa]
    shapes += [(t.infiltrate, t.stroma, p) for t in layout.tracts for p in t.polygons_um]
    near = [shape for shape in shapes if section.canvas.touches(shape[2], 60)]
    coarse = section.canvas.coarsen(8)
    amounts = np.zeros((*coarse.shape, 4), np.float32)
    factors = np.ones((*coarse.shape, 4), np.float32)
    for infiltrate, stroma, polygon in near:
        present = [*(getattr(stroma, name) for name in _AMOUNTS), infiltrate]
        _paint(amounts, coarse, polygon, present, _BEYOND_UM)
        _paint(factors, coarse, polygon, [getattr(stroma, n) for n in _FACTORS], _FACTORS_BEYOND_UM)
    values = {
        name: _refine(section, coarse, layers[..., index])
        for names, layers in (((*_AMOUNTS, "infiltrate"), amounts), (_FACTORS, factors))
        for index, name in enumerate(names)
    }
    for number, name in enumerate(("hyaline", "myxoid")):
        if values[name].any():
            values[name] *= _patches(section, 66 + number)
    return StromaMap(**values)


def _paint(
    layers: Field, coarse: Canvas, polygon_um: Points, values: list[float], beyond_um: float
) -> None:
    """Set a shape's values inside it and some micrometres beyond."""
    corners = [np.round(coarse.px_from_um(polygon_um) * 16 - 8).astype(np.int32)]
    thickness = max(1, round(2 * beyond_um / coarse.mpp))
    cv2.fillPoly(layers, corners, values, shift=4)
    cv2.polylines(layers, corners, True, values, thickness, shift=4)


def _refine(section: Section, coarse: Canvas, layer: Field) -> Field:
    smooth = cv2.GaussianBlur(np.ascontiguousarray(layer), (0, 0), 8 / coarse.mpp)
    return resample(smooth, coarse, section.canvas)


def _patches(section: Section, stream: int) -> Field:
    """Draw patches nearly everywhere, with gaps of plain stroma."""
    return np.clip(np.float32(1.1) + np.float32(0.6) * section.noise(130, stream), 0, 1)
