"""A section during drawing: dyes, distances to structures, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, LOBULE, PORTAL
from glisson_phantom.features import Feature
from glisson_phantom.plan.disease import Disease
from glisson_phantom.plan.layout import Layout
from glisson_phantom.plan.preparation import Texture
from glisson_phantom.world import (
    OUT_OF_REACH_UM,
    Canvas,
    Field,
    Mask,
    noise,
    sample,
    signed_distance_um,
)

Points = NDArray[np.float64]
Part = tuple[slice, slice]
Amount = Field | np.floating[Any] | float
_LEAST_RIM_UM = 3.0
"""Least width of the collagen round a wide portal vein."""


@dataclass
class Dyes:
    """Concentrations on a canvas, (H, W) float32; 1.0 is an optical density of 1.

    Attributes:
        eosin: cytoplasm, collagen.
        haematoxylin: nuclei, and a little of everything.
        red_cells: blood.
        brown: lipofuscin, iron, formalin pigment.
        bile: yellow-green.
    """

    eosin: Field
    haematoxylin: Field
    red_cells: Field
    brown: Field
    bile: Field

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Dyes:
        """Return the dyes of bare glass."""
        return cls(*(np.zeros(shape, np.float32) for _ in fields(cls)))

    def layers(self) -> tuple[Field, ...]:
        """Return all dyes in the order above."""
        return self.eosin, self.haematoxylin, self.red_cells, self.brown, self.bile

    def fade(self, factor: Field, part: Part = (slice(None), slice(None))) -> None:
        """Multiply every dye in place; `factor` has the part's shape."""
        for dye in self.layers():
            dye[part] *= factor

    def cover(self, amount: Field, eosin: Amount, haematoxylin: Amount) -> None:
        """Lay opaque matter over the dyes, `amount` 0 to 1."""
        rest = 1 - amount
        self.fade(rest)
        self.eosin += eosin * amount
        self.haematoxylin += haematoxylin * amount


class Ground:
    """Signed distances that all parts of the drawing share, in µm, positive inside."""

    def __init__(self, canvas: Canvas, layout: Layout) -> None:
        self.canvas = canvas
        self._layout = layout

    def measure_to(self, polygons_um: Sequence[Points]) -> Field:
        """Measure the distance to polygons, up to 80 µm."""
        return signed_distance_um(self.canvas, polygons_um)

    @cached_property
    def core(self) -> Field:
        """Return the distance to tissue, whose edge is smooth in places and torn in others."""
        distance = self.measure_to([core.outline_um for core in self._layout.cores])
        torn = np.clip(noise(self.canvas, 700, 6) + 0.3, 0.15, 1.6)
        wavy = 2.0 * noise(self.canvas, 18, 3) + 6.0 * noise(self.canvas, 110, 4)
        return distance + torn * (wavy + 5.0 * noise(self.canvas, 45, 7))

    @cached_property
    def portal(self) -> Field:
        """Return the distance to tracts and septa; 0 is the truth's border."""
        layout = self._layout
        tracts = self.measure_to(
            [polygon for tract in layout.tracts for polygon in tract.polygons_um]
        )
        septa = self.measure_to([septum.polygon_um for septum in layout.septa])
        distance = np.maximum(tracts, septa)
        if float(distance.max()) <= -OUT_OF_REACH_UM:
            return distance
        distance = distance + 7 * noise(self.canvas, 60, 1) + 3.5 * noise(self.canvas, 28, 2)
        wide = [v for tract in layout.tracts if tract.has_rim_only for v in tract.veins]
        if not any(self.canvas.touches(v.polygon(), OUT_OF_REACH_UM) for v in wide):
            return distance
        return np.maximum(distance, self.measure_to([v.polygon(_LEAST_RIM_UM) for v in wide]))

    @cached_property
    def central(self) -> Field:
        """Return the distance to lumina and walls of hepatic veins."""
        return self.measure_to([vein.profile.polygon() for vein in self._layout.central_veins])

    @cached_property
    def tear(self) -> Field:
        """Return the distance to clefts."""
        return self._roughen(self.measure_to(self._layout.lesions.tears_um), 3.0, 5)

    @cached_property
    def capsule(self) -> Field:
        """Return the distance to Glisson's capsule."""
        return self._roughen(self.measure_to(self._layout.lesions.capsule_um), 5.0, 20)

    @cached_property
    def collapse(self) -> Field:
        """Return the distance to bands of bridging necrosis."""
        return self._roughen(self.measure_to(self._layout.lesions.collapse_um), 16.0, 21)

    @cached_property
    def clot(self) -> Field:
        """Return the distance to clots."""
        return self._roughen(self.measure_to(self._layout.lesions.clots_um), 12.0, 22)

    def _roughen(self, distance: Field, size_um: float, stream: int) -> Field:
        if float(distance.max()) <= -OUT_OF_REACH_UM:
            return distance
        return distance + size_um * noise(self.canvas, 34, stream)

    def classify(self) -> NDArray[np.uint8]:
        """Classify every pixel exactly."""
        labels = np.full(self.canvas.shape, LOBULE.index, np.uint8)
        labels[self.portal > 0] = PORTAL.index
        labels[(self.core <= 0) | (self.tear > 0)] = BACKGROUND.index
        return labels


@dataclass
class Section:
    """A canvas with its dyes and its truth.

    Attributes:
        canvas: the pixel grid.
        layout: places of all structures.
        disease: disease of the liver.
        texture: look of the preparation.
        ground: distances to structures.
        dyes: concentrations.
        labels: (H, W) uint8 class indices.
        features: (H, W) uint32 flags of `Feature`.
    """

    canvas: Canvas
    layout: Layout
    disease: Disease
    texture: Texture
    ground: Ground
    dyes: Dyes
    labels: NDArray[np.uint8]
    features: NDArray[np.uint32]

    @classmethod
    def start(cls, canvas: Canvas, layout: Layout, disease: Disease, texture: Texture) -> Section:
        """Create a section with its truth and without dyes."""
        ground = Ground(canvas, layout)
        return cls(
            canvas,
            layout,
            disease,
            texture,
            ground,
            Dyes.empty(canvas.shape),
            ground.classify(),
            np.zeros(canvas.shape, np.uint32),
        )

    def noise(self, wavelength_um: float, stream: int) -> Field:
        """Return noise on this canvas."""
        return noise(self.canvas, wavelength_um, stream)

    def at(self, field: NDArray[Any], points_um: Points) -> NDArray[Any]:
        """Return a field's nearest values at points."""
        return sample(field, self.canvas, points_um)

    def mark(self, feature: Feature, where: Mask, part: Part = (slice(None), slice(None))) -> None:
        """Set a feature's flag."""
        self.features[part] |= where.astype(np.uint32) * np.uint32(feature)

    def crop(self, canvas: Canvas) -> Section:
        """Cut the section to a smaller canvas on the same grid."""
        left = round((canvas.x_um - self.canvas.x_um) / canvas.mpp)
        top = round((canvas.y_um - self.canvas.y_um) / canvas.mpp)
        part = (slice(top, top + canvas.height_px), slice(left, left + canvas.width_px))
        return replace(
            self,
            canvas=canvas,
            dyes=Dyes(*(np.ascontiguousarray(dye[part]) for dye in self.dyes.layers())),
            labels=self.labels[part].copy(),
            features=self.features[part].copy(),
        )


def smooth_step(distance: Field, width_um: float = 1.0) -> Field:
    """Turn a signed distance in µm into 0 outside to 1 inside, over `width_um`."""
    return np.clip(distance * np.float32(1 / width_um) + np.float32(0.5), 0, 1)


def blur(field: Field, canvas: Canvas, sigma_um: float) -> Field:
    """Blur a field by a Gaussian."""
    return cv2.GaussianBlur(field, (0, 0), sigma_um / canvas.mpp)
