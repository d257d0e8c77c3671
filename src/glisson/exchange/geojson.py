"""Outlines as GeoJSON, exactly as QuPath 0.5 to 0.7 reads it (docs/qupath.md)."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from shapely import MultiPoint, MultiPolygon, Polygon
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from glisson.classes import (
    CANDIDATE_COLOUR,
    CANDIDATE_QUPATH_NAME,
    PORTAL,
    TISSUE_COLOUR,
    TISSUE_QUPATH_NAME,
    UNCOUNTED_COLOUR,
    UNCOUNTED_QUPATH_NAME,
    Rgb,
)
from glisson.errors import OutlineError, OutputError
from glisson.exchange.qupath.geojson_rules import MOST_VERTICES, find_geojson_errors
from glisson.files.atomic import atomic_path
from glisson.measurement import (
    BiopsyMeasurements,
    CandidateMeasurements,
    Measurements,
    TractMeasurements,
    qupath_measurements,
)
from glisson.regions import PortalArea, Regions, on_qupath_grid
from glisson.slides import SlideInfo
from glisson.version import __version__

GeoJsonFrame = Literal["qupath", "level0"]
Document = dict[str, Any]

_AREAS = {"Polygon", "MultiPolygon", "GeometryCollection"}
_ENDINGS = (".geojson", ".json", ".geojson.gz", ".json.gz")
"""QuPath reads no objects from a file of any other ending, without a message."""
_TOLERANCES_L0 = (4.0, 8.0, 16.0, 32.0, 64.0)
"""Level-0 px; a pixel of the class map has 4 to 8."""
_MARGIN_L0 = 0.125
"""Level-0 px from a tract to the tissue's edge: 0.1, and what vertices move by in QuPath:
0.005 px by its grid, and twice 0.008 px by float32 from x = 131,072 px on."""
_NAMESPACE = uuid.UUID("6f0d1c9e-5a0e-5b57-9d55-3f0c8f3b8f11")


def write_tracts_geojson(
    path: Path,
    regions: Regions,
    measurements: Measurements,
    info: SlideInfo,
    model: str,
    frame: GeoJsonFrame = "qupath",
) -> None:
    """Write an annotation of the tissue (locked) and of every tract and candidate (to correct).

    Candidates have their own class, so that nobody counts them before a person accepts them.
    Tracts that do not count have their own class too.

    Coordinates are level-0 pixels, minus the slide's bounds in the frame `qupath`, since QuPath
    crops to the bounds. They are rounded to 0.01 px, and outlines are valid after rounding. The
    file is compressed if its name ends in `.gz`.

    Raises:
        OutputError: the file cannot be written.
        OutlineError: QuPath would refuse the file.
    """
    _write(path, make_tracts_document(regions, measurements, info, model, frame))


@dataclass(frozen=True)
class NewAnnotation:
    """An annotation to write.

    Attributes:
        name: shown in QuPath; no name if empty.
        class_name: QuPath class; unclassified if empty.
        colour: RGB of the class.
        outline_l0: polygons, lines or points in level-0 pixels.
        locked: whether QuPath protects it from edits.
        identifier: its UUID; Glisson makes another id from any other text.
    """

    name: str
    class_name: str
    colour: Rgb
    outline_l0: BaseGeometry
    locked: bool = False
    identifier: str = ""


def write_annotations_geojson(
    path: Path,
    annotations: Sequence[NewAnnotation],
    info: SlideInfo,
    source: str,
    frame: GeoJsonFrame = "qupath",
) -> None:
    """Write annotations by `source`, a person or program, in the order given.

    Coordinates as in `write_tracts_geojson`. Annotations that vanish on QuPath's grid are left out.

    Raises:
        OutputError: the file cannot be written.
        OutlineError: QuPath would refuse the file.
    """
    shift_l0 = _find_shift(info, frame)
    features: list[Document] = []
    for number, annotation in enumerate(annotations, 1):
        identifier = annotation.identifier
        if not _is_uuid(identifier):
            identifier = _identify(info, source, f"{annotation.class_name} {number}")
        for geometry in _snap_to_grid(translate(annotation.outline_l0, *shift_l0)):
            named = replace(annotation, outline_l0=geometry, identifier=identifier)
            features.append(_make_feature(named, {}, {"Source": source}))
            identifier = _identify(info, source, f"{identifier} {len(features)}")
    _write(path, _make_document(features, info, source, frame))


def _write(path: Path, document: Document) -> None:
    """Write a document that QuPath can read; check it before the file gets its name."""
    if not path.name.lower().endswith(_ENDINGS):
        raise OutputError(f"{path} would not open in QuPath: end its name in .geojson.")
    if errors := find_geojson_errors(document):
        raise OutlineError(f"{path} would not open in QuPath: {errors[0]}. Please report this.")
    data = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def make_tracts_document(
    regions: Regions,
    measurements: Measurements,
    info: SlideInfo,
    model: str,
    frame: GeoJsonFrame = "qupath",
) -> Document:
    """Make the FeatureCollection that `write_tracts_geojson` writes."""
    shift_l0 = _find_shift(info, frame)
    features = []
    if regions.fragments:
        outlines = shapely.union_all([fragment.outline_l0 for fragment in regions.fragments])
        tissue = on_qupath_grid(_simplify(translate(outlines, *shift_l0)))
        if tissue is not None:
            features.append(_make_tissue_feature(tissue, measurements.biopsy, info, model))
            inside = _shrink(tissue)
            for area, measured in _pair_areas(regions, measurements):
                geometry = _cut(translate(area.outline_l0, *shift_l0), inside)
                if geometry is not None:
                    features.append(_make_area_feature(geometry, measured, info, model))
    return _make_document(features, info, model, frame)


def _find_shift(info: SlideInfo, frame: GeoJsonFrame) -> tuple[float, float]:
    """Return what to add to level-0 coordinates: QuPath counts from the bounds' corner."""
    if frame == "level0" or info.bounds_l0 is None:
        return 0.0, 0.0
    return -info.bounds_l0.x_l0, -info.bounds_l0.y_l0


def _pair_areas(
    regions: Regions, measurements: Measurements
) -> Iterator[tuple[PortalArea, TractMeasurements | CandidateMeasurements]]:
    yield from zip(regions.tracts, measurements.tracts, strict=True)
    yield from zip(regions.candidates, measurements.candidates, strict=True)


def _simplify(outline_l0: BaseGeometry) -> BaseGeometry:
    """Drop vertices until QuPath can edit an outline: only whole resections have too many."""
    simple = outline_l0
    for tolerance_l0 in _TOLERANCES_L0:
        if shapely.get_num_coordinates(simple) <= MOST_VERTICES // 2:
            break
        simple = shapely.simplify(outline_l0, tolerance_l0)
    return simple


def _shrink(tissue_l0: Polygon | MultiPolygon) -> BaseGeometry:
    """Shrink the written tissue by `_MARGIN_L0`; tracts are cut with the result.

    QuPath nests only objects that their parent covers. QuPath 0.6 and 0.7 hang or fail where a
    tract sticks out by the rounding of its vertices.
    """
    shrunk = shapely.buffer(tissue_l0, -_MARGIN_L0, join_style="mitre")
    shapely.prepare(shrunk)
    return shrunk


def _cut(outline_l0: BaseGeometry, inside_l0: BaseGeometry) -> Polygon | MultiPolygon | None:
    """Cut a portal area to the shrunk tissue."""
    outline = _simplify(outline_l0)
    # Cutting with all tissue takes long, and few areas reach its edge: a box does for the others.
    if shapely.contains_properly(inside_l0, outline):
        left, top, right, bottom = outline.bounds
        return on_qupath_grid(
            shapely.intersection(outline, shapely.box(left - 1, top - 1, right + 1, bottom + 1))
        )
    return on_qupath_grid(shapely.intersection(outline, inside_l0))


def _make_tissue_feature(
    tissue: BaseGeometry, biopsy: BiopsyMeasurements, info: SlideInfo, model: str
) -> Document:
    identifier, name = _identify(info, model, "tissue"), TISSUE_QUPATH_NAME
    annotation = NewAnnotation(name, name, TISSUE_COLOUR, tissue, True, identifier)
    return _make_feature(annotation, qupath_measurements(biopsy), {"Model": model})


def _make_area_feature(
    geometry: BaseGeometry,
    measured: TractMeasurements | CandidateMeasurements,
    info: SlideInfo,
    model: str,
) -> Document:
    """Make a tract's or candidate's feature.

    A candidate's measurements have a tract's names: a person may accept it as a tract.
    """
    number = measured.number
    if isinstance(measured, CandidateMeasurements):
        title, thing = f"Candidate {number}", f"candidate {number}"
        class_name, colour = CANDIDATE_QUPATH_NAME, CANDIDATE_COLOUR
    else:
        title, thing = f"PT {number}", f"tract {number}"
        class_name, colour = PORTAL.qupath_name, PORTAL.colour
        if not measured.is_counted:
            class_name, colour = UNCOUNTED_QUPATH_NAME, UNCOUNTED_COLOUR
    identifier = _identify(info, model, thing)
    texts = {
        "Tract": "complete" if measured.complete else "partial",
        "Fragment": str(measured.fragment_number),
        "Model": model,
    }
    annotation = NewAnnotation(title, class_name, colour, geometry, False, identifier)
    return _make_feature(annotation, qupath_measurements(measured), texts)


def _make_feature(
    annotation: NewAnnotation, numbers: Mapping[str, float | None], texts: dict[str, str]
) -> Document:
    properties: Document = {"objectType": "annotation"}
    if annotation.name:
        properties["name"] = annotation.name
    if annotation.class_name:
        colour = list(annotation.colour)
        properties["classification"] = {"name": annotation.class_name, "color": colour}
    properties |= {
        "isLocked": annotation.locked,
        "measurements": {k: round(v, 6) for k, v in numbers.items() if v is not None},
        "metadata": texts,
    }
    outline = annotation.outline_l0
    return {
        "type": "Feature",
        "id": annotation.identifier,
        "geometry": {"type": outline.geom_type, "coordinates": _list_coordinates(outline)},
        "properties": properties,
    }


def _snap_to_grid(geometry_l0: BaseGeometry) -> list[BaseGeometry]:
    """Snap a geometry to QuPath's grid; one geometry for each annotation that it needs.

    Lines in several parts become several annotations: QuPath reads them as one and cannot export
    it. A geometry that vanishes on the grid gives an empty list.
    """
    if geometry_l0.geom_type in _AREAS:
        area = on_qupath_grid(geometry_l0)
        return [] if area is None else [area]
    snapped = shapely.transform(geometry_l0, lambda points: np.round(points, 2))
    parts = shapely.get_parts(snapped) if snapped.geom_type == "MultiLineString" else [snapped]
    return [part for part in parts if part.is_valid and not part.is_empty]


def _is_uuid(text: str) -> bool:
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False


def _list_coordinates(geometry: BaseGeometry) -> list[Any]:
    """Return GeoJSON's nested lists, with two decimals."""
    if isinstance(geometry, MultiPolygon | MultiPoint):
        return [_list_coordinates(part) for part in geometry.geoms]
    if isinstance(geometry, Polygon):
        return [_list_coordinates(ring) for ring in (geometry.exterior, *geometry.interiors)]
    points: list[Any] = np.round(shapely.get_coordinates(geometry), 2).tolist()
    return points[0] if geometry.geom_type == "Point" else points


def _identify(info: SlideInfo, source: str, thing: str) -> str:
    """Make the UUID of an object, which is the same in every run on the same slide and model."""
    size = info.size_l0
    return str(uuid.uuid5(_NAMESPACE, f"{info.name}|{size.width}x{size.height}|{source}|{thing}"))


def _make_document(
    features: list[Document], info: SlideInfo, source: str, frame: GeoJsonFrame
) -> Document:
    """Make a FeatureCollection with a block of facts on the slide.

    GeoJSON has no place for such facts. QuPath ignores the block; Glisson's scripts read it.
    """
    bounds, size = info.bounds_l0, info.size_l0
    cropped = frame == "qupath" and bounds is not None
    block = {
        "image": info.path.name if info.path else info.name,
        "frame": frame,
        "width": int(bounds.width_l0) if cropped and bounds else size.width,
        "height": int(bounds.height_l0) if cropped and bounds else size.height,
        "boundsX": bounds.x_l0 if bounds else 0,
        "boundsY": bounds.y_l0 if bounds else 0,
        "pixelWidth": info.pixel_size.x_um,
        "pixelHeight": info.pixel_size.y_um,
        "pixelSizeSource": info.pixel_size_source,
        "tool": f"Glisson {__version__}",
        "model": source,
    }
    return {"type": "FeatureCollection", "features": features, "glisson": block}
