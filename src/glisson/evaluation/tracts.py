"""Whole portal tracts of a slide, found against drawn; and what the false ones lie on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from glisson.dataset import (
    AnnotatedSlide,
    LabelledSlide,
    Meaning,
    MeaningTable,
    SlideLabels,
    Split,
    Splits,
    open_labelled,
)
from glisson.exchange import read_geojson
from glisson.model import ModelBundle, Runtime
from glisson.regions import (
    LEAST_TRIAD_KINDS,
    TRIAD,
    Regions,
    RegionSettings,
    count_triad_kinds,
    find_regions,
)
from glisson.segmentation import SegmentSettings, segment_beside_artefacts
from glisson.tissue import TissueSettings, find_tissue

LEAST_IOU = 0.5
"""Overlap over union at which a found tract is a drawn one: above it, a pair is unique."""

LEAST_SHARE = 0.3
"""Part of a false tract that has to lie on a feature for it to be named."""

MERGED = "part of a drawn tract, cut or joined otherwise"
UNEXPLAINED = "nothing that is known"
_FEATURES = "{slide}.features.geojson"
_EXPLAIN_NOTHING = ("Interface", *TRIAD)


@dataclass(frozen=True)
class TractScore:
    """Tracts of one slide.

    Attributes:
        source: the slide.
        split: its split.
        drawn_um2: areas of the tracts drawn, in what was looked at.
        found_um2: areas of the tracts found there.
        pairs: (drawn, found), positions of those with an IoU of `LEAST_IOU` or more.
        countable: whether the tracts found can be counted one by one.
        tissue_mm2: tissue that was looked at.
        causes: number of false tracts by what they lie on; empty where that is not known.
        with_triad: of each tract drawn, whether it holds two of bile duct, artery and portal vein,
            which makes it a portal tract (Crawford et al. 1998; Cazzaniga et al. 2025); empty where
            that is not known.
        aside: positions of the tracts found that are drawn ones without two of the triad, or lie
            for the most part on such: where portal tracts are counted, they are neither right nor
            false.
        counted: number of the tracts found that count as portal tracts (`COUNTED_DEFINITION`).
        seconds: from the slide on disk to its tracts.
    """

    source: AnnotatedSlide
    split: Split
    drawn_um2: tuple[float, ...]
    found_um2: tuple[float, ...]
    pairs: tuple[tuple[int, int], ...]
    tissue_mm2: float
    countable: bool = True
    causes: dict[str, int] = field(default_factory=dict)
    with_triad: tuple[bool, ...] = ()
    aside: tuple[int, ...] = ()
    counted: int = 0
    seconds: float = 0.0

    @property
    def drawn(self) -> int:
        """Number of tracts drawn."""
        return len(self.drawn_um2)

    @property
    def found(self) -> int:
        """Number of tracts found."""
        return len(self.found_um2)

    @property
    def matched(self) -> int:
        """Number of tracts found that are drawn ones."""
        return len(self.pairs)


def score_tracts(
    slides: Sequence[AnnotatedSlide],
    splits: Splits,
    bundle: ModelBundle,
    runtime: Runtime,
    table: MeaningTable | None = None,
    told: Callable[[str, int, int], None] | None = None,
) -> list[TractScore]:
    """Segment every slide as `glisson segment` does and compare its tracts with those drawn."""
    scores = []
    for number_, source in enumerate(slides, 1):
        if told:
            told(source.name, number_, len(slides))
        with open_labelled(source, table) as labelled:
            started = time.perf_counter()
            regions = _segmented(labelled, bundle, runtime)
            seconds = time.perf_counter() - started
            score = compare(labelled, regions, splits.of_slide[source.name])
            scores.append(replace(score, seconds=seconds))
    return scores


def _segmented(labelled: LabelledSlide, bundle: ModelBundle, runtime: Runtime) -> Regions:
    settings = SegmentSettings.of_model(bundle.spec)
    slide = labelled.slide
    tissue = find_tissue(slide, TissueSettings(threads=runtime.workers))
    class_map, _ = segment_beside_artefacts(slide, tissue, runtime, settings)
    return find_regions(class_map, RegionSettings.of_model(bundle.spec))


def compare(labelled: LabelledSlide, regions: Regions, split: Split) -> TractScore:
    """Tracts found on a slide against those drawn; ignored areas count for neither."""
    labels = labelled.labels
    seen = looked_at(labels)
    least_l0 = RegionSettings().min_tract_area_um2 / labels.pixel_size.area_um2
    drawn = _mostly_in(drawn_tracts(labels, least_l0), seen)
    found = _mostly_in([tract.polygon_l0 for tract in regions.tracts], seen)
    counted = _mostly_in([t.polygon_l0 for t in regions.tracts if t.is_counted], seen)
    pairs = matched_pairs(drawn, found)
    false = [each for index, each in enumerate(found) if index not in {f for _, f in pairs}]
    tissue = shapely.union_all(labels.tissue_l0).intersection(seen)
    features = _features(labelled)
    with_triad = _with_triad(drawn, features)
    pixel_um2 = labels.pixel_size.area_um2
    return TractScore(
        labelled.source,
        split,
        tuple(tract.area * pixel_um2 for tract in drawn),
        tuple(tract.area * pixel_um2 for tract in found),
        tuple(pairs),
        tissue.area * pixel_um2 * 1e-6,
        regions.countable,
        _causes(false, drawn, features),
        with_triad,
        _aside(drawn, with_triad, found, pairs),
        len(counted),
    )


def looked_at(labels: SlideLabels) -> BaseGeometry:
    """The area in which every tract was drawn, in level-0 pixels."""
    regions = labels.areas_l0.get(Meaning.REGION)
    size = labels.size_l0
    whole = shapely.union_all(regions) if regions else shapely.box(0, 0, size.width, size.height)
    return whole.difference(labels.unknown_l0)


def drawn_tracts(labels: SlideLabels, least_l0: float) -> list[Polygon]:
    """Drawn portal areas, those that touch joined, too small ones left out."""
    joined = shapely.union_all(labels.areas_l0.get(Meaning.PORTAL, ()))
    return [part for part in shapely.get_parts(joined) if part.area >= least_l0]


def matched_pairs(drawn: Sequence[Polygon], found: Sequence[Polygon]) -> list[tuple[int, int]]:
    """(drawn, found) with an IoU of `LEAST_IOU` or more; disjoint tracts pair once at most."""
    tree = shapely.STRtree(found)
    pairs = []
    for index, tract in enumerate(drawn):
        for other in tree.query(tract, "intersects"):
            overlap = tract.intersection(found[other]).area
            if overlap >= LEAST_IOU * (tract.area + found[other].area - overlap):
                pairs.append((index, int(other)))
    return pairs


def _mostly_in(tracts: Sequence[Polygon], area: BaseGeometry) -> list[Polygon]:
    shapely.prepare(area)
    return [
        tract
        for tract in tracts
        if area.contains(tract) or tract.intersection(area).area > 0.5 * tract.area
    ]


Features = dict[str, list[Polygon | MultiPolygon]]


def _features(labelled: LabelledSlide) -> Features | None:
    """Outlines by name of what else is known of a slide; None where nobody says."""
    path = labelled.source.slide.parent / _FEATURES.format(slide=labelled.source.name)
    if not path.exists():
        return None
    by_name: Features = {}
    info = labelled.slide.info
    for area in read_geojson(path, info.bounds_l0, info.size_l0).areas:
        by_name.setdefault(area.class_name, []).append(area.geometry_l0)
    return by_name


def _with_triad(drawn: Sequence[Polygon], features: Features | None) -> tuple[bool, ...]:
    """Whether each tract holds two of the triad; empty where nothing of it is known."""
    if features is None or not any(name in features for name in TRIAD):
        return ()
    return tuple((count_triad_kinds(drawn, features) >= LEAST_TRIAD_KINDS).tolist())


def _aside(
    drawn: Sequence[Polygon],
    with_triad: Sequence[bool],
    found: Sequence[Polygon],
    pairs: Sequence[tuple[int, int]],
) -> tuple[int, ...]:
    """Positions of found tracts that are, or mostly lie on, drawn ones without two of the triad."""
    less = [tract for tract, holds in zip(drawn, with_triad, strict=False) if not holds]
    if not less:
        return ()
    area = shapely.union_all(less)
    of_found = {other: with_triad[index] for index, other in pairs}
    return tuple(
        index
        for index, tract in enumerate(found)
        if not of_found.get(index, tract.intersection(area).area < 0.5 * tract.area)
    )


def _causes(
    false: Sequence[Polygon], drawn: Sequence[Polygon], features: Features | None
) -> dict[str, int]:
    if features is None:
        return {}
    areas = {
        name: shapely.union_all(outlines)
        for name, outlines in features.items()
        if name not in _EXPLAIN_NOTHING
    }
    areas[MERGED] = shapely.union_all(drawn)
    return dict(Counter(_cause(tract, areas) for tract in false))


def _cause(tract: Polygon, areas: dict[str, BaseGeometry]) -> str:
    shares = {name: tract.intersection(area).area / tract.area for name, area in areas.items()}
    name = max(shares, key=lambda each: shares[each])
    return name if shares[name] >= LEAST_SHARE else UNEXPLAINED
