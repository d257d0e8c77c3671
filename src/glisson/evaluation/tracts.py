"""Whole portal tracts of a slide: found against drawn, and causes of false tracts."""

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
"""Least intersection over union of a found and a drawn tract that match; makes pairs unique."""

LEAST_SHARE = 0.3
"""Least share of a false tract that a feature must cover to be its cause."""

MERGED = "part of a drawn tract, cut or joined otherwise"
UNEXPLAINED = "nothing that is known"
_FEATURES = "{slide}.features.geojson"
_EXPLAIN_NOTHING = ("Interface", *TRIAD)


@dataclass(frozen=True)
class TractScore:
    """Tracts of one slide, inside the annotated area.

    Attributes:
        source: the slide.
        split: its split.
        drawn_um2: areas of the tracts drawn.
        found_um2: areas of the tracts found.
        pairs: (drawn, found) positions of tracts with an IoU of `LEAST_IOU` or more.
        tissue_mm2: annotated tissue.
        countable: whether the tracts found can be counted.
        causes: number of false tracts by the feature below them; empty without features.
        with_triad: for each tract drawn, whether it holds two of bile duct, artery and portal
            vein, which make a portal tract (Crawford et al. 1998; Cazzaniga et al. 2025); empty
            without features.
        aside: positions of the tracts found that match or mostly overlap drawn tracts without two
            of the triad; in counts of portal tracts they are neither right nor false.
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
        """Return the number of tracts drawn."""
        return len(self.drawn_um2)

    @property
    def found(self) -> int:
        """Return the number of tracts found."""
        return len(self.found_um2)

    @property
    def matched(self) -> int:
        """Return the number of tracts found that match drawn tracts."""
        return len(self.pairs)


def score_tracts(
    slides: Sequence[AnnotatedSlide],
    splits: Splits,
    bundle: ModelBundle,
    runtime: Runtime,
    table: MeaningTable | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[TractScore]:
    """Segment every slide like `glisson segment`, and compare found with drawn tracts.

    Args:
        slides: with annotations.
        splits: of the slides.
        bundle: the model.
        runtime: runs the model.
        table: meanings of the annotation classes.
        progress: called before each slide with the step, its number and the number of slides.
    """
    scores, settings = [], SegmentSettings.of_model(bundle.spec)
    for number, source in enumerate(slides, 1):
        if progress:
            progress(f"tracts of {source.name}: slide", number, len(slides))
        with open_labelled(source, table) as labelled:
            started = time.perf_counter()
            tissue = find_tissue(labelled.slide, TissueSettings(threads=runtime.workers))
            class_map, _ = segment_beside_artefacts(labelled.slide, tissue, runtime, settings)
            regions = find_regions(class_map, RegionSettings.of_model(bundle.spec))
            seconds = time.perf_counter() - started
            score = compare(labelled, regions, splits.of_slide[source.name])
            scores.append(replace(score, seconds=seconds))
    return scores


def compare(labelled: LabelledSlide, regions: Regions, split: Split) -> TractScore:
    """Compare the tracts found on a slide with the drawn tracts, outside ignored areas."""
    labels = labelled.labels
    seen = find_annotated_area(labels)
    least_l0 = RegionSettings().min_tract_area_um2 / labels.pixel_size.area_um2
    drawn = _select_inside(list_drawn_tracts(labels, least_l0), seen)
    found = _select_inside([tract.polygon_l0 for tract in regions.tracts], seen)
    counted = _select_inside([t.polygon_l0 for t in regions.tracts if t.is_counted], seen)
    pairs = match_tracts(drawn, found)
    false = [each for index, each in enumerate(found) if index not in {f for _, f in pairs}]
    tissue = shapely.union_all(labels.tissue_l0).intersection(seen)
    features, with_triad = _read_features(labelled), ()
    if features is not None and any(name in features for name in TRIAD):
        with_triad = tuple((count_triad_kinds(drawn, features) >= LEAST_TRIAD_KINDS).tolist())
    pixel_um2 = labels.pixel_size.area_um2
    return TractScore(
        labelled.source,
        split,
        tuple(tract.area * pixel_um2 for tract in drawn),
        tuple(tract.area * pixel_um2 for tract in found),
        tuple(pairs),
        tissue.area * pixel_um2 * 1e-6,
        regions.countable,
        _count_causes(false, drawn, features),
        with_triad,
        _find_aside(drawn, with_triad, found, pairs),
        len(counted),
    )


def find_annotated_area(labels: SlideLabels) -> BaseGeometry:
    """Return the area in which a person drew every tract, in level-0 pixels."""
    regions = labels.areas_l0.get(Meaning.REGION)
    size = labels.size_l0
    whole = shapely.union_all(regions) if regions else shapely.box(0, 0, size.width, size.height)
    return whole.difference(labels.unknown_l0)


def list_drawn_tracts(labels: SlideLabels, least_l0: float) -> list[Polygon]:
    """Return the drawn portal areas; join touching areas, skip areas below `least_l0`."""
    joined = shapely.union_all(labels.areas_l0.get(Meaning.PORTAL, ()))
    return [part for part in shapely.get_parts(joined) if part.area >= least_l0]


def match_tracts(drawn: Sequence[Polygon], found: Sequence[Polygon]) -> list[tuple[int, int]]:
    """Return the (drawn, found) pairs of tracts with an IoU of `LEAST_IOU` or more."""
    tree = shapely.STRtree(found)
    pairs = []
    for index, tract in enumerate(drawn):
        for other in tree.query(tract, "intersects"):
            overlap = tract.intersection(found[other]).area
            if overlap >= LEAST_IOU * (tract.area + found[other].area - overlap):
                pairs.append((index, int(other)))
    return pairs


def _select_inside(tracts: Sequence[Polygon], area: BaseGeometry) -> list[Polygon]:
    shapely.prepare(area)
    return [
        tract
        for tract in tracts
        if area.contains(tract) or tract.intersection(area).area > 0.5 * tract.area
    ]


Features = dict[str, list[Polygon | MultiPolygon]]


def _read_features(labelled: LabelledSlide) -> Features | None:
    """Read the outlines of other structures by name; None without their file."""
    path = labelled.source.slide.parent / _FEATURES.format(slide=labelled.source.name)
    if not path.exists():
        return None
    by_name: Features = {}
    info = labelled.slide.info
    for area in read_geojson(path, info.bounds_l0, info.size_l0).areas:
        by_name.setdefault(area.class_name, []).append(area.geometry_l0)
    return by_name


def _find_aside(
    drawn: Sequence[Polygon],
    with_triad: Sequence[bool],
    found: Sequence[Polygon],
    pairs: Sequence[tuple[int, int]],
) -> tuple[int, ...]:
    """Return the positions of found tracts that match or cover tracts without the triad."""
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


def _count_causes(
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
    causes: Counter[str] = Counter()
    for tract in false:
        shares = {name: tract.intersection(area).area / tract.area for name, area in areas.items()}
        name = max(shares, key=lambda each: shares[each])
        causes[name if shares[name] >= LEAST_SHARE else UNEXPLAINED] += 1
    return dict(causes)
