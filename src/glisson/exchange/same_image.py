"""Checks that annotations were drawn on the slide that they are used for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from glisson.errors import AnnotationError
from glisson.exchange.geojson_reader import Annotations
from glisson.slides import SlideInfo

_OUTSIDE_L0 = 2.0
"""Level-0 pixels by which QuPath's rounding may move an outline over the slide's edge."""

LEAST_OVERLAP = 0.8
"""Least overlap of drawn and found tissue; outlines of a shifted or reduced copy have less."""
_GOOD_OVERLAP = 0.9
"""Overlap below which a warning names it."""
_EQUAL_OVERLAP = 0.97
"""Overlap from which no shift is looked for."""
_CLEAR_GAIN = 0.05
"""Least gain in overlap over union by a move that shows shifted outlines."""
_LEAST_ON_TISSUE = 0.2
"""Least share of loosely drawn tissue that is found tissue."""
_LEAST_UM2 = 2500.0
"""Smaller outlines say nothing: Glisson finds tissue in pixels of a few µm."""


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


def check_overlap(
    drawn_l0: Sequence[BaseGeometry],
    found_l0: Sequence[BaseGeometry],
    info: SlideInfo,
    path: Path,
    force: bool = False,
) -> str | None:
    """Compare drawn areas with the tissue that Glisson found; return a warning, or None.

    Outlines of a reduced, shifted or mirrored copy of the slide lie beside the tissue. The overlap
    is the share of the drawn area that is tissue or, of loose outlines, the share of the touched
    pieces of tissue that is drawn, whichever is larger: a person may draw one piece of several.

    Args:
        drawn_l0: the drawn tissue, or tracts where no tissue is drawn; level-0 pixels.
        found_l0: pieces of tissue, which do not overlap.
        info: of the slide.
        path: of the outlines.
        force: accept any overlap.

    Raises:
        AnnotationError: the overlap is less than `LEAST_OVERLAP`, or a move would make it whole.
    """
    if not drawn_l0 or not found_l0:
        return None
    drawn = shapely.union_all(drawn_l0)
    if drawn.area * info.pixel_size.area_um2 < _LEAST_UM2:
        return None
    overlap = _measure_overlap(drawn, found_l0)
    if overlap >= _EQUAL_OVERLAP:
        return None
    shift_um = _find_shift_um(drawn, found_l0, info)
    said = (
        f"{path.name}: {overlap:.0%} of the drawn outlines overlap with the tissue that Glisson "
        f"found on {info.name}"
    )
    if shift_um:
        said += f", but all would if moved by x {shift_um[0]:+.0f} µm, y {shift_um[1]:+.0f} µm"
    if (overlap < LEAST_OVERLAP or shift_um) and not force:
        raise AnnotationError(
            f"{said}; {LEAST_OVERLAP:.0%} is the least. They may be of a reduced, shifted or "
            "mirrored copy, or of another slide. Export them from the slide itself, or insist "
            "with --force."
        )
    if overlap >= _GOOD_OVERLAP and not shift_um:
        return None
    return f"{said}. Check in QuPath that they lie on the tissue."


def _find_shift_um(
    drawn_l0: BaseGeometry, found_l0: Sequence[BaseGeometry], info: SlideInfo
) -> tuple[float, float] | None:
    """Return the move in µm that puts drawn outlines onto the tissue; None if no move does."""
    touched = [piece for piece in found_l0 if shapely.intersects(drawn_l0, piece)]
    if not touched:
        return None
    tissue = shapely.union_all(touched)
    to, start = tissue.centroid, drawn_l0.centroid
    moved = translate(drawn_l0, to.x - start.x, to.y - start.y)
    before, after = _measure_iou(drawn_l0, tissue), _measure_iou(moved, tissue)
    if after < _GOOD_OVERLAP or after - before < _CLEAR_GAIN:
        return None
    pixel = info.pixel_size
    return (to.x - start.x) * pixel.x_um, (to.y - start.y) * pixel.y_um


def _measure_iou(one: BaseGeometry, other: BaseGeometry) -> float:
    return float(shapely.intersection(one, other).area / shapely.union(one, other).area)


def _measure_overlap(drawn_l0: BaseGeometry, found_l0: Sequence[BaseGeometry]) -> float:
    """Return the overlap, 0 to 1, as `check_overlap` defines it."""
    shapely.prepare(drawn_l0)
    touched = [piece for piece in found_l0 if shapely.intersects(drawn_l0, piece)]
    common = float(sum(shapely.intersection(drawn_l0, piece).area for piece in touched))
    if not common:
        return 0.0
    on_tissue = common / drawn_l0.area
    covered = common / sum(piece.area for piece in touched)
    return max(on_tissue, covered if on_tissue >= _LEAST_ON_TISSUE else 0.0)
