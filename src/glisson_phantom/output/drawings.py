"""Outlines of the truth: interface, features, ducts and vessels, and tracts as readers draw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from glisson.classes import (
    LOBULE,
    PORTAL,
    TISSUE_COLOUR,
    TISSUE_QUPATH_NAME,
    UNCOUNTED_COLOUR,
    UNCOUNTED_QUPATH_NAME,
)
from glisson.exchange import NewAnnotation
from glisson.frames import BoxPx, Frame, PixelSize
from glisson.regions import (
    BILE_DUCT,
    HEPATIC_ARTERY,
    PORTAL_VEIN,
    Regions,
    smooth_outline,
    trace_mask,
)
from glisson_phantom import Annotator, Feature, PhantomBiopsy, PhantomTruth, annotate

INTERFACE_UM = 25.0
"""Width of the interface: one hepatocyte on the lobule's side (20 to 30 µm in textbooks)."""
_LEAST_AREA_UM2 = 30.0
_MOST_VERTICES = 5_000
_INTERFACE_COLOUR = (220, 60, 140)
_PROFILE_COLOUR = (60, 60, 200)


def outline_features(
    truth: PhantomTruth, regions: Regions, pixel_size: PixelSize
) -> list[NewAnnotation]:
    """Outline the interface, then every connected piece of every feature."""
    outlines = _outline_interface(regions, pixel_size) if regions.tracts else []
    for box in truth.feature_boxes():
        flags = truth.features(box)
        for feature in Feature:
            mask = (flags & np.uint32(feature)) > 0
            outlines += [
                NewAnnotation(feature.title, feature.title, LOBULE.colour, outline)
                for outline in _trace_feature(mask, box, truth.frame)
            ]
    return outlines


def outline_profiles(biopsy: PhantomBiopsy, regions: Regions) -> list[NewAnnotation]:
    """Outline the ducts, arteries and portal veins whose middle lies in a tract.

    The needle cut other profiles away.
    """
    pixel = biopsy.pixel_size
    um_per_l0 = np.array([pixel.x_um, pixel.y_um])
    named = [
        (name, shapely.Polygon(profile.polygon() / um_per_l0))
        for tract in biopsy.layout.tracts
        for name, profiles in (
            (BILE_DUCT, tract.ducts),
            (HEPATIC_ARTERY, tract.arteries),
            (PORTAL_VEIN, tract.veins),
        )
        for profile in profiles
    ]
    middles = shapely.centroid([outline for _, outline in named])
    tracts = shapely.STRtree([tract.polygon_l0 for tract in regions.tracts])
    inside = np.unique(tracts.query(middles, "within")[0])
    return [
        NewAnnotation(name, name, _PROFILE_COLOUR, outline)
        for name, outline in (named[k] for k in inside)
    ]


def _trace_feature(mask: np.ndarray, box: BoxPx, frame: Frame) -> Iterator[BaseGeometry]:
    if not mask.any():
        return
    for polygon in trace_mask(mask, (box.x_px, box.y_px)):
        if polygon.area * frame.mpp**2 >= _LEAST_AREA_UM2:
            yield from split_outline(shapely.transform(smooth_outline(polygon), frame.l0_from_px))


def _outline_interface(regions: Regions, pixel_size: PixelSize) -> list[NewAnnotation]:
    """Outline the band of lobule beside tracts."""
    tracts = shapely.union_all([tract.outline_l0 for tract in regions.tracts])
    tissue = shapely.union_all([fragment.outline_l0 for fragment in regions.fragments])
    band = tracts.buffer(INTERFACE_UM / pixel_size.x_um).intersection(tissue).difference(tracts)
    return [
        NewAnnotation("Interface", "Interface", _INTERFACE_COLOUR, piece)
        for piece in split_outline(band)
    ]


def split_outline(outline: BaseGeometry) -> list[Polygon]:
    """Return the polygons of an outline, and halve those that are too long for QuPath to edit."""
    parts = [part for part in shapely.get_parts(outline) if part.geom_type == "Polygon"]
    return [piece for part in parts for piece in _halve(part)]


def _halve(polygon: Polygon) -> list[Polygon]:
    if shapely.get_num_coordinates(polygon) <= _MOST_VERTICES:
        return [polygon]
    left, top, right, bottom = polygon.bounds
    x, y = (left + right) / 2, (top + bottom) / 2
    if right - left > bottom - top:
        halves = shapely.box(left, top, x, bottom), shapely.box(x, top, right, bottom)
    else:
        halves = shapely.box(left, top, right, y), shapely.box(left, y, right, bottom)
    return [piece for half in halves for piece in split_outline(polygon.intersection(half))]


def draw_as_reader(
    reader: Annotator, regions: Regions, pixel_size: PixelSize, seed: int
) -> list[NewAnnotation]:
    """Draw tissue and portal areas as a reader does; the class says which areas count."""
    um_per_l0 = np.array([pixel_size.x_um, pixel_size.y_um])
    outlines_um = [_scale(tract.outline_l0, um_per_l0) for tract in regions.tracts]
    tissue = shapely.union_all([fragment.outline_l0 for fragment in regions.fragments])
    outlines = []
    if not tissue.is_empty:
        outlines.append(
            NewAnnotation(
                TISSUE_QUPATH_NAME, TISSUE_QUPATH_NAME, TISSUE_COLOUR, tissue, locked=True
            )
        )
    for index, outline_um in annotate(outlines_um, reader, seed):
        inside = _scale(outline_um, 1 / um_per_l0).intersection(tissue)
        tract = regions.tracts[index]
        class_name = PORTAL.qupath_name if tract.is_counted else UNCOUNTED_QUPATH_NAME
        colour = PORTAL.colour if tract.is_counted else UNCOUNTED_COLOUR
        outlines.append(NewAnnotation(f"PT {tract.number}", class_name, colour, inside))
    return outlines


def _scale(polygon: Polygon, factor: np.ndarray) -> Polygon:
    return shapely.transform(polygon, lambda points: points * factor)
