"""Hepatocytes: their places, plates and zones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from glisson_phantom.draw.section import Points, Section
from glisson_phantom.world import Canvas, Field, Scatter, noise, scatter

_REACH_UM = 30.0
_FAR_UM = 600.0


@dataclass(frozen=True)
class Cells:
    """The mosaic of hepatocytes on a section.

    Attributes:
        scatter: centres of the cells.
        of_pixel: (H, W) int32 index of the cell a pixel belongs to.
        border_um: (H, W) distance to the nearest cell border.
        sinusoid_um: (H, W) distance to the nearest border between plates.
        vein_um: (N,) distance to the nearest hepatic vein's centre.
        tract_um: (N,) distance to the nearest tract's centre.
    """

    scatter: Scatter
    of_pixel: NDArray[np.int32]
    border_um: Field
    sinusoid_um: Field
    vein_um: NDArray[np.float64]
    tract_um: NDArray[np.float64]

    @cached_property
    def zone(self) -> NDArray[np.float64]:
        """Return (N,) 0 periportal to 1 perivenular."""
        return np.asarray(self.tract_um / (self.tract_um + self.vein_um + 1e-9))

    def spread(self, value_of_cell: NDArray[np.float64]) -> Field:
        """Spread a value per cell over the cell's pixels, (H, W) float32."""
        return np.take(value_of_cell.astype(np.float32), self.of_pixel)


def place_cells(section: Section) -> Cells:
    """Place hepatocytes all over the canvas; other tissue covers them later."""
    wide = section.canvas.pad(_REACH_UM)
    centres = scatter(wide, section.texture.cell_pitch_um, 0.62, 10)
    label = _assign_cells(wide, centres)
    vein_um, vein_angle = _find_nearest(
        centres.points_um, [v.profile.centre_um for v in section.layout.central_veins]
    )
    tract_um, _ = _find_nearest(centres.points_um, [t.centre_um for t in section.layout.tracts])
    plates = _assign_plates(wide, centres, vein_um, vein_angle)
    pictures = [_measure_to_change(wide, label), _measure_to_change(wide, plates[label])]
    border_um, sinusoid_um, cell = _ruffle(section, wide, [*pictures, label.astype(np.float32)])
    return Cells(centres, cell.astype(np.int32), border_um, sinusoid_um, vein_um, tract_um)


def _assign_cells(canvas: Canvas, centres: Scatter) -> NDArray[np.int32]:
    """Return the index of the nearest centre for every pixel."""
    px = np.floor(canvas.px_from_um(centres.points_um)).astype(np.int64)
    inside = ((px >= 0) & (px < (canvas.width_px, canvas.height_px))).all(axis=1)
    seeds = np.ones(canvas.shape, np.uint8)
    seeds[px[inside, 1], px[inside, 0]] = 0
    _, label = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(int(label.max()) + 1, np.int32)
    lookup[label[px[inside, 1], px[inside, 0]]] = np.flatnonzero(inside)
    return np.take(lookup, label)


def _measure_to_change(canvas: Canvas, label: NDArray[np.int32]) -> Field:
    """Measure the distance in µm to the next pixel with another label."""
    same = np.ones(canvas.shape, np.uint8)
    same[:, 1:] &= label[:, 1:] == label[:, :-1]
    same[1:] &= label[1:] == label[:-1]
    return cv2.distanceTransform(same, cv2.DIST_L2, 3) * np.float32(canvas.mpp)


def _find_nearest(points_um: Points, targets_um: list[Points]) -> tuple[Points, Points]:
    """Return the distance in µm to the nearest target, and the angle from there."""
    if not targets_um:
        return np.full(len(points_um), _FAR_UM), np.zeros(len(points_um))
    tree = cKDTree(np.array(targets_um))
    distance, index = tree.query(points_um)
    offset = points_um - np.array(targets_um)[index]
    return np.minimum(distance, _FAR_UM), np.arctan2(offset[:, 1], offset[:, 0])


def _assign_plates(
    canvas: Canvas, centres: Scatter, vein_um: Points, vein_angle: Points
) -> NDArray[np.int32]:
    """Assign cells to plates of 1 to 3 cells: radial near central veins, winding elsewhere."""
    coarse = canvas.coarsen(8)
    px = np.floor(coarse.px_from_um(centres.points_um)).astype(int)
    column = np.clip(px[:, 0], 0, coarse.width_px - 1)
    row = np.clip(px[:, 1], 0, coarse.height_px - 1)
    first, second = noise(coarse, 150, 33)[row, column], noise(coarse, 130, 34)[row, column]
    radial = np.exp(-((vein_um / 170.0) ** 2)) * vein_angle * 5.0
    return (
        np.floor(2.3 * first + radial).astype(np.int32) * 97
        + np.floor(2.3 * second).astype(np.int32) * 7
        + (centres.draw(13) < 0.12).astype(np.int32)
    )


def _ruffle(section: Section, wide: Canvas, pictures: list[Field]) -> list[Field]:
    """Cut pictures of the wide canvas to the section, and bend their lines by 1 to 2 µm."""
    canvas = section.canvas
    margin = round((canvas.x_um - wide.x_um) / wide.mpp)
    bend = np.float32(1.7 / canvas.mpp)
    x = bend * section.noise(13, 8) + np.arange(canvas.width_px, dtype=np.float32) + margin
    y = (
        bend * section.noise(13, 9)
        + (np.arange(canvas.height_px, dtype=np.float32) + margin)[:, None]
    )
    linear = cv2.convertMaps(x, y, cv2.CV_16SC2)
    nearest = cv2.convertMaps(x, y, cv2.CV_16SC2, nninterpolation=True)
    *distances, index = pictures
    bent = [cv2.remap(distance, *linear, cv2.INTER_LINEAR) for distance in distances]
    return [*bent, cv2.remap(index, nearest[0], None, cv2.INTER_NEAREST)]
