"""Labels of every pixel of a slide, from its annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.affinity import affine_transform
from shapely.geometry.base import BaseGeometry

from glisson.classes import BACKGROUND, CANDIDATE_QUPATH_NAME, LOBULE, PORTAL
from glisson.dataset.meanings import UNCLASSIFIED, Meaning, MeaningTable
from glisson.errors import AnnotationError
from glisson.exchange import (
    Annotation,
    check_image_size,
    check_inside,
    check_overlap,
    read_geojson,
)
from glisson.exchange.geojson_reader import Skipped
from glisson.frames import BoxPx, Frame, PixelSize, Size
from glisson.masks.fill import fill_areas
from glisson.regions import trace_mask
from glisson.slides import Slide
from glisson.tissue import TissueMap, find_tissue

Labels = NDArray[np.uint8]
Area: TypeAlias = Polygon | MultiPolygon

IGNORED = 255
"""Value of pixels that losses and scores leave out."""

_PAINTED = (
    (Meaning.TISSUE, LOBULE.index),
    (Meaning.CANDIDATE, IGNORED),
    (Meaning.LOBULE, LOBULE.index),
    (Meaning.PORTAL, PORTAL.index),
    (Meaning.BACKGROUND, BACKGROUND.index),
    (Meaning.IGNORE, IGNORED),
)
"""Later rows paint over earlier ones."""

_ON_TISSUE = (Meaning.LOBULE, Meaning.PORTAL, Meaning.CANDIDATE)
"""Meanings of areas that lie on tissue."""

_DECIDED = (Meaning.LOBULE, Meaning.PORTAL, Meaning.BACKGROUND)
"""Meanings painted over candidates: there, a person has decided."""


@dataclass(frozen=True)
class SlideLabels:
    """Annotated areas of a slide, to be read as pixels of any µm/px.

    Attributes:
        pixel_size: of the slide.
        size_l0: of the slide; pixels beyond it are ignored.
        areas_l0: polygons of each meaning, in level-0 pixels of the whole file.
        tissue_found: whether the tissue outline comes from the tissue finder, not from a person.
        warnings: what was left out, and how badly the drawn areas fit the tissue.
    """

    pixel_size: PixelSize
    size_l0: Size
    areas_l0: dict[Meaning, tuple[Area, ...]]
    tissue_found: bool
    warnings: tuple[str, ...] = ()

    def crop(self, box_px: BoxPx, mpp: float) -> Labels:
        """Return (H, W) uint8 class indices and `IGNORED` in a box of the grid of `mpp` µm/px.

        A pixel belongs to the area that contains its centre.
        """
        frame = Frame(self.pixel_size, mpp)
        labels = np.full((box_px.height_px, box_px.width_px), BACKGROUND.index, np.uint8)
        for meaning, value in _PAINTED:
            _paint(labels, self._clip_areas(meaning, box_px, frame), value)
        if Meaning.REGION in self.areas_l0:
            seen = np.zeros_like(labels)
            _paint(seen, self._clip_areas(Meaning.REGION, box_px, frame), 1)
            labels[seen == 0] = IGNORED
        size = frame.size_px(self.size_l0)
        labels[max(size.height - box_px.y_px, 0) :] = IGNORED
        labels[:, max(size.width - box_px.x_px, 0) :] = IGNORED
        return labels

    @property
    def tissue_l0(self) -> tuple[Area, ...]:
        """Return all tissue areas: outline, lobule and portal tracts."""
        kinds = (Meaning.TISSUE, Meaning.LOBULE, Meaning.PORTAL)
        return tuple(area for kind in kinds for area in self.areas_l0.get(kind, ()))

    @property
    def candidate_count(self) -> int:
        """Return the number of undecided portal areas."""
        return len(self.areas_l0.get(Meaning.CANDIDATE, ()))

    @property
    def unknown_l0(self) -> BaseGeometry:
        """Return ignored areas and undecided candidates, in level-0 pixels."""
        ignored, candidates, *decided = (
            shapely.union_all(self.areas_l0.get(meaning, ()))
            for meaning in (Meaning.IGNORE, Meaning.CANDIDATE, *_DECIDED)
        )
        return shapely.union(ignored, candidates.difference(shapely.union_all(decided)))

    def _clip_areas(self, meaning: Meaning, box_px: BoxPx, frame: Frame) -> list[Area]:
        """Return the areas of a meaning clipped to the box, in pixels of the box."""
        areas = self.areas_l0.get(meaning, ())
        if not areas:
            return []
        corners_px = np.array([[0, 0], [box_px.width_px, box_px.height_px]], float)
        corners_px += (box_px.x_px, box_px.y_px)
        corners_l0 = frame.l0_from_px(corners_px)
        (x_l0, y_l0), (x_end_l0, y_end_l0) = corners_l0.tolist()
        bounds_l0 = x_l0, y_l0, x_end_l0, y_end_l0
        hits = self._trees[meaning].query(shapely.box(*bounds_l0))
        clipped = shapely.clip_by_rect([areas[i] for i in sorted(hits)], *bounds_l0)
        x_scale = box_px.width_px / (x_end_l0 - x_l0)
        y_scale = box_px.height_px / (y_end_l0 - y_l0)
        onto_px = [x_scale, 0, 0, y_scale, -x_l0 * x_scale, -y_l0 * y_scale]
        return [affine_transform(area, onto_px) for area in clipped if area.area > 0]

    @cached_property
    def _trees(self) -> dict[Meaning, shapely.STRtree]:
        return {meaning: shapely.STRtree(areas) for meaning, areas in self.areas_l0.items()}


def read_labels(
    slide: Slide,
    path: Path,
    table: MeaningTable,
    tissue: TissueMap | None = None,
    force: bool = False,
) -> SlideLabels:
    """Read a slide's annotations.

    Without a drawn outline of the tissue, the tissue finder outlines it. Tissue without
    annotation is lobule.

    Args:
        slide: the annotated slide.
        path: GeoJSON file of the annotations.
        table: meanings of its classes.
        tissue: the slide's tissue, if it has been found before.
        force: accept areas that lie beside the tissue.

    Raises:
        AnnotationError: not GeoJSON, a class without meaning, a line or point instead of an
            area, no annotation, the frame of another slide, or areas beside the tissue.
    """
    document = read_geojson(path, slide.info.bounds_l0, slide.info.size_l0)
    check_image_size(document, slide.info, path)
    table.check((area.class_name for area in document.areas), str(path))
    _check_are_areas(document.skipped, table, path)
    areas = _group_by_meaning(document.areas, table)
    if not set(areas) - {Meaning.SKIP, Meaning.IGNORE, Meaning.CANDIDATE}:
        raise AnnotationError(
            f"{path} annotates nothing. Outline portal tracts in QuPath; where a slide has none, "
            f"draw its tissue or a region. {document.note_on_others or ''}".rstrip()
        )
    inside = [area for kind, each in areas.items() if kind is not Meaning.REGION for area in each]
    check_inside(inside, slide.info, path)
    found = Meaning.TISSUE not in areas
    pieces_l0 = _trace_tissue(tissue or find_tissue(slide))
    drawn = [area for kind in _ON_TISSUE for area in areas.get(kind, ())] if found else ()
    doubt = check_overlap(
        drawn or areas.get(Meaning.TISSUE, ()), pieces_l0, slide.info, path, force
    )
    if found:
        areas[Meaning.TISSUE] = pieces_l0
    warnings = document.note_on_others, _describe_skipped(document.areas, table), doubt
    said = tuple(filter(None, warnings))
    return SlideLabels(slide.info.pixel_size, slide.info.size_l0, areas, found, said)


def _trace_tissue(tissue: TissueMap) -> tuple[Area, ...]:
    """Return the pieces of found tissue, in level-0 pixels."""
    affine = tissue.frame.affine_l0_from_px
    return tuple(affine_transform(each, affine) for each in trace_mask(tissue.mask))


def _describe_skipped(areas: Sequence[Annotation], table: MeaningTable) -> str | None:
    """Say which cells were drawn as annotations and left out; None without any."""
    cells = Counter(area.class_name for area in areas if table.is_cell(area.class_name))
    if not cells:
        return None
    names = ", ".join(f"{count} '{name}'" for name, count in sorted(cells.items()))
    return f"annotations of cells are left out: {names}."


def format_candidate_warning(counts: Mapping[str, int]) -> str | None:
    """Return a warning on the candidates left out, from their number by slide; None without any."""
    count, slides = sum(counts.values()), sum(number > 0 for number in counts.values())
    if not count:
        return None
    return (
        f"{count} candidate{'' if count == 1 else 's'} ({CANDIDATE_QUPATH_NAME}) of {slides} "
        f"slide{'' if slides == 1 else 's'} left out: losses and scores ignore their pixels. In "
        f"QuPath, give a true one the class '{PORTAL.qupath_name}' and delete the others."
    )


def _group_by_meaning(
    areas: Sequence[Annotation], table: MeaningTable
) -> dict[Meaning, tuple[Area, ...]]:
    kinds: dict[Meaning, list[Area]] = {}
    for area in areas:
        meaning = table.of(area.class_name)
        if meaning is not None:
            kinds.setdefault(meaning, []).append(area.geometry_l0)
    return {meaning: tuple(found) for meaning, found in kinds.items()}


def _check_are_areas(skipped: Sequence[Skipped], table: MeaningTable, path: Path) -> None:
    """Reject lines and points whose class has a meaning: their pixels would silently be lobule.

    Polygons without area (stray clicks) and lines without a meaning (of the ruler) are skipped.
    """
    for each in skipped:
        means_something = table.of(each.class_name) not in (None, Meaning.SKIP)
        if means_something and "Polygon" not in each.geometry_type:
            raise AnnotationError(
                f"{path}: '{each.class_name or UNCLASSIFIED}' is drawn as a {each.geometry_type}, "
                f"which has no area ({each.where}). Outline it in QuPath with the brush or the "
                "polygon tool, or delete it."
            )


def _paint(labels: Labels, areas: list[Area], value: int) -> None:
    height, width = labels.shape
    labels[fill_areas(areas, (height, width))] = value
