"""From a class map to fragments of tissue and whole portal tracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon, STRtree
from shapely.affinity import affine_transform

from glisson.classes import BACKGROUND, PORTAL
from glisson.frames import BoxPx, Frame
from glisson.regions.clean import cleaned
from glisson.regions.outline import smooth_outline
from glisson.regions.settings import RegionSettings
from glisson.regions.trace import trace_mask

_BRIDGING_SHARE = 0.25
_BRIDGING_LENGTH_OF_WIDTH = 2.0
_BRIDGING_SOLIDITY = 0.55


class MapCrop(Protocol):
    """A rectangle of a class map."""

    @property
    def labels(self) -> NDArray[np.uint8]:
        """(H, W) class indices."""
        ...

    @property
    def portal_probability(self) -> NDArray[np.float32]:
        """(H, W) probability of portal, 0 to 1."""
        ...


class LabelMap(Protocol):
    """A class map, predicted or true."""

    @property
    def frame(self) -> Frame:
        """Its grid."""
        ...

    def boxes(self) -> tuple[BoxPx, ...]:
        """Disjoint boxes that hold all tissue; none cuts a piece of it."""
        ...

    def crop(self, box_px: BoxPx) -> MapCrop:
        """The map inside a box."""
        ...


@dataclass(frozen=True)
class Fragment:
    """One connected piece of tissue.

    Attributes:
        number: from 1, from the top left.
        polygon_l0: exact area, in level-0 pixels.
        outline_l0: the same with its stairs smoothed.
    """

    number: int
    polygon_l0: Polygon
    outline_l0: Polygon


@dataclass(frozen=True)
class Tract:
    """One portal tract, whole.

    Attributes:
        number: from 1, fragment by fragment from the top left.
        fragment_number: the fragment it lies in.
        polygon_l0: exact area, in level-0 pixels.
        outline_l0: the same with its stairs smoothed: for display and perimeter.
        edge_contact_fraction: share of the outer contour at the tissue's edge, 0 to 1.
        complete: whether the contour is free of the edge (`COMPLETE_DEFINITION`).
        bridging: whether it is so long or so branched that tracts have grown together.
        probability: mean portal probability inside, 0 to 1; None for one drawn by hand.
    """

    number: int
    fragment_number: int
    polygon_l0: Polygon
    outline_l0: Polygon
    edge_contact_fraction: float
    complete: bool
    bridging: bool
    probability: float | None


@dataclass(frozen=True)
class Regions:
    """All that was traced on a slide.

    Attributes:
        frame: the class map's grid.
        fragments: pieces of tissue.
        tracts: portal tracts.
        countable: whether tracts can be counted one by one.
        not_countable_reason: why not, or None.
        doubtful_px: portal areas left out for their low probability, on the class map's grid.
    """

    frame: Frame
    fragments: tuple[Fragment, ...]
    tracts: tuple[Tract, ...]
    countable: bool
    not_countable_reason: str | None
    doubtful_px: tuple[Polygon, ...] = ()


def find_regions(label_map: LabelMap, settings: RegionSettings | None = None) -> Regions:
    """Trace fragments and tracts on the whole map."""
    settings = settings or RegionSettings()
    fragments: list[Fragment] = []
    tracts: list[Tract] = []
    doubtful: list[Polygon] = []
    for box in sorted(label_map.boxes(), key=lambda b: (b.y_px, b.x_px)):
        crop = label_map.crop(box)
        _add_box(crop, box, label_map.frame, settings, fragments, tracts, doubtful)
    reason = not_countable_reason(tracts)
    return Regions(
        label_map.frame, tuple(fragments), tuple(tracts), reason is None, reason, tuple(doubtful)
    )


def not_countable_reason(tracts: Sequence[Tract]) -> str | None:
    """Why tracts cannot be counted one by one, or None where they can."""
    bridging = _bridging_share(tracts)
    if bridging <= _BRIDGING_SHARE:
        return None
    return (
        f"Tracts cannot be counted one by one: {bridging:.0%} of the portal area lies in "
        "bridges between tracts, as in septal fibrosis (stage 3 or more)."
    )


def _add_box(
    crop: MapCrop,
    box: BoxPx,
    frame: Frame,
    settings: RegionSettings,
    fragments: list[Fragment],
    tracts: list[Tract],
    doubtful: list[Polygon],
) -> None:
    labels = cleaned(_framed(crop.labels), frame.mpp, settings)
    origin = (box.x_px - 1, box.y_px - 1)
    tissue = labels != BACKGROUND.index
    pieces = trace_mask(tissue, origin)
    first_number = len(fragments) + 1
    for piece in pieces:
        outline = _in_l0(smooth_outline(piece), frame)
        fragments.append(Fragment(len(fragments) + 1, _in_l0(piece, frame), outline))
    found = _Tracing(
        crop, labels, origin, frame, settings, STRtree(pieces), pieces, first_number,
        _distance_to_glass(tissue),
    )  # fmt: skip
    for polygon in trace_mask(labels == PORTAL.index, origin):
        tract = found.tract(polygon, len(tracts) + 1)
        if (tract.probability or 0.0) < settings.min_tract_probability:
            doubtful.append(polygon)
        else:
            tracts.append(tract)


def _framed(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels with one pixel of background around: a box's border is open glass."""
    return np.pad(labels, 1, constant_values=BACKGROUND.index)


def _distance_to_glass(tissue: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels from each tissue pixel's centre to the nearest glass pixel's centre."""
    return np.asarray(cv2.distanceTransform(tissue.astype(np.uint8), cv2.DIST_L2, 5))


def _in_l0(polygon_px: Polygon, frame: Frame) -> Polygon:
    moved: Polygon = affine_transform(polygon_px, frame.affine_l0_from_px)
    return moved


@dataclass(frozen=True)
class _Tracing:
    """What is needed to describe each tract of one box."""

    crop: MapCrop
    labels: NDArray[np.uint8]
    origin_px: tuple[int, int]
    frame: Frame
    settings: RegionSettings
    tree: STRtree
    pieces: list[Polygon]
    first_number: int
    to_glass_px: NDArray[np.float32]

    def tract(self, polygon_px: Polygon, number: int) -> Tract:
        fragment = self._fragment(polygon_px)
        outline = smooth_outline(polygon_px)
        contact = self._edge_contact(polygon_px)
        return Tract(
            number=number,
            fragment_number=self.first_number + fragment,
            polygon_l0=_in_l0(polygon_px, self.frame),
            outline_l0=_in_l0(outline, self.frame),
            edge_contact_fraction=contact,
            complete=contact <= self.settings.max_edge_contact,
            bridging=is_bridging(outline, self.pieces[fragment]),
            probability=self._probability(polygon_px),
        )

    def _fragment(self, polygon_px: Polygon) -> int:
        """The piece of tissue that a tract lies in."""
        inside = polygon_px.representative_point()
        return int(self.tree.query(inside, predicate="within")[0])

    def _edge_contact(self, polygon_px: Polygon) -> float:
        """Share of the pixels along the outer contour that lie at the glass."""
        columns, rows, inner = self._own_pixels(Polygon(polygon_px.exterior))
        rim = inner & ~cv2.erode(inner.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        near = self.to_glass_px[rows, columns] <= self.settings.edge_reach_um / self.frame.mpp + 0.5
        return float((near & rim).sum() / max(rim.sum(), 1))

    def _probability(self, polygon_px: Polygon) -> float:
        columns, rows, inner = self._own_pixels(polygon_px)
        probability = np.pad(self.crop.portal_probability, 1)[rows, columns]
        return float(probability[inner].mean())

    def _own_pixels(self, polygon_px: Polygon) -> tuple[slice, slice, NDArray[np.bool_]]:
        """A tract's bounding box in the labels, with a margin of 1 px, and its mask there."""
        left, top, right, bottom = (int(value) for value in polygon_px.bounds)
        x, y = left - self.origin_px[0] - 1, top - self.origin_px[1] - 1
        columns, rows = (
            slice(max(x, 0), right - self.origin_px[0] + 1),
            slice(max(y, 0), bottom - self.origin_px[1] + 1),
        )
        shape = self.labels[rows, columns].shape
        offset = (self.origin_px[0] + columns.start, self.origin_px[1] + rows.start)
        return columns, rows, _rasterised(polygon_px, offset, shape)


def _rasterised(
    polygon_px: Polygon, offset_px: tuple[int, int], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """The pixels of an exact polygon."""
    mask = np.zeros(shape, np.uint8)
    for ring, value in [(polygon_px.exterior, 1), *((r, 0) for r in polygon_px.interiors)]:
        _fill_ring(mask, np.asarray(ring.coords) - offset_px, value)
    return mask.astype(bool)


def _fill_ring(mask: NDArray[np.uint8], ring: NDArray[np.float64], value: int) -> None:
    """Fill the pixels whose centres lie in a ring of pixel edges, by crossing parity."""
    start, end = ring[:-1], ring[1:]
    vertical = start[:, 0] == end[:, 0]
    crossings = np.zeros((mask.shape[0], mask.shape[1] + 1), np.int32)
    for (x, y0), (_, y1) in zip(
        start[vertical].astype(int), end[vertical].astype(int), strict=True
    ):
        crossings[min(y0, y1) : max(y0, y1), x] += 1
    inside = (np.cumsum(crossings, axis=1) % 2)[:, : mask.shape[1]] == 1
    mask[inside] = value


def is_bridging(outline_px: Polygon, piece_px: Polygon) -> bool:
    """Longer than twice the core's width and ragged, or so branched that it fills little
    of its hull: several tracts joined by septa.

    Args:
        outline_px: a tract's outline, in any unit that is the same along x and y.
        piece_px: the piece of tissue it lies in, in the same.
    """
    solidity = outline_px.area / outline_px.convex_hull.area
    length_px = _long_side(outline_px)
    core_width_px = 2 * piece_px.area / max(piece_px.length, 1e-9)
    long = length_px > _BRIDGING_LENGTH_OF_WIDTH * core_width_px
    return bool(long or (solidity < _BRIDGING_SOLIDITY and length_px > core_width_px))


def _long_side(polygon: Polygon) -> float:
    box = shapely.minimum_rotated_rectangle(polygon)
    corners = np.asarray(box.exterior.coords)
    return float(np.hypot(*np.diff(corners, axis=0).T).max())


def _bridging_share(tracts: Sequence[Tract]) -> float:
    """Share of the portal area that lies in bridging tracts, 0 to 1."""
    total = sum(tract.polygon_l0.area for tract in tracts)
    bridging = sum(tract.polygon_l0.area for tract in tracts if tract.bridging)
    return bridging / total if total else 0.0
