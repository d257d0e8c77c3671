"""Checks that annotations were drawn on the slide that they are used for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from glisson.errors import AnnotationError
from glisson.exchange.geojson_reader import Annotations
from glisson.slides import SlideInfo

_OUTSIDE_L0 = 2.0
"""Level-0 pixels by which QuPath's rounding may move an outline over the slide's edge."""


def check_same_image(annotations: Annotations, info: SlideInfo, path: Path) -> None:
    """Compare the image that a file says it was drawn on, and where its outlines lie.

    Raises:
        AnnotationError: another size, other bounds, or outlines outside the slide.
    """
    check_image_size(annotations, info, path)
    _check_bounds(annotations, info, path)
    check_inside([area.geometry_l0 for area in annotations.areas], info, path)


def check_image_size(annotations: Annotations, info: SlideInfo, path: Path) -> None:
    """Compare the size a file was drawn on with the slide's, whole or cropped to its bounds.

    Raises:
        AnnotationError: another size.
    """
    block = annotations.slide_block
    size = block.get("width"), block.get("height")
    if None in size:
        return
    allowed = [(info.size_l0.width, info.size_l0.height)]
    if info.bounds_l0 is not None:
        allowed.append((int(info.bounds_l0.width_l0), int(info.bounds_l0.height_l0)))
    if size not in allowed:
        width, height = allowed[-1]
        raise AnnotationError(
            f"{path} was drawn on an image of {size[0]} x {size[1]} px, but {info.name} has "
            f"{width} x {height} px. It belongs to another slide, or to a reduced copy."
        )


def _check_bounds(annotations: Annotations, info: SlideInfo, path: Path) -> None:
    block = annotations.slide_block
    if "boundsX" not in block:
        return
    found = block.get("boundsX"), block.get("boundsY")
    own = (0, 0) if info.bounds_l0 is None else (info.bounds_l0.x_l0, info.bounds_l0.y_l0)
    if found != own:
        raise AnnotationError(
            f"{path} counts from the corner {found} of its slide's scanned area, but that of "
            f"{info.name} is {own}. It belongs to another slide."
        )


def check_inside(areas_l0: Sequence[BaseGeometry], info: SlideInfo, path: Path) -> None:
    """Compare where outlines lie with the slide's size.

    Raises:
        AnnotationError: outlines outside the slide.
    """
    if not areas_l0:
        return
    left, top, right, bottom = shapely.total_bounds(areas_l0)
    size, slack = info.size_l0, _OUTSIDE_L0
    if left < -slack or top < -slack or right > size.width + slack or bottom > size.height + slack:
        raise AnnotationError(
            f"{path} reaches to x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}, outside "
            f"{info.name} ({size.width} x {size.height} px). It belongs to another slide, or its "
            "coordinates are not level-0 pixels."
        )
