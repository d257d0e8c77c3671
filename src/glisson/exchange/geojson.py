"""Outlines as GeoJSON, exactly as QuPath 0.5 to 0.7 reads it (docs/qupath.md)."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
)
from glisson.errors import OutlineError, OutputError
from glisson.exchange.qupath_rules import MOST_VERTICES, broken_rules
from glisson.files.atomic import atomic_path
from glisson.measurement import CandidateMeasurements, Measurements, TractMeasurements
from glisson.regions import Regions, on_qupath_grid
from glisson.slides import SlideInfo
from glisson.version import __version__

GeoJsonFrame = Literal["qupath", "level0"]
Document = dict[str, Any]

_AREAS = {"Polygon", "MultiPolygon", "GeometryCollection"}
_ENDINGS = (".geojson", ".json", ".geojson.gz", ".json.gz")
"""QuPath takes a file of any other ending for one without objects, and says nothing."""
_TOLERANCES_L0 = (4.0, 8.0, 16.0, 32.0, 64.0)
"""Level-0 px; a pixel of the class map has 4 to 8."""
_NAMESPACE = uuid.UUID("6f0d1c9e-5a0e-5b57-9d55-3f0c8f3b8f11")


def write_tracts_geojson(
    path: Path,
    regions: Regions,
    measurements: Measurements,
    info: SlideInfo,
    model: str,
    frame: GeoJsonFrame = "qupath",
) -> None:
    """Write tissue (locked), and one annotation a tract (to be corrected) or candidate.

    A candidate has a class of its own, so that nobody counts it before a person accepts it, and so
    has a tract that does not count.

    Coordinates are level-0 pixels; in the frame `qupath` less the slide's bounds, which
    QuPath crops to. Rounded to 0.01 px and valid after rounding; checked before the file
    gets its name. A name that ends in `.gz` is compressed.

    Raises:
        OutputError: the file cannot be written.
        OutlineError: QuPath would refuse it.
    """
    _write(path, tracts_document(regions, measurements, info, model, frame))


@dataclass(frozen=True)
class Drawn:
    """An annotation to write.

    Attributes:
        name: shown in QuPath; none where empty.
        class_name: QuPath class; none where empty.
        colour: RGB of the class.
        outline_l0: polygons, lines or points in level-0 pixels.
        locked: whether QuPath keeps it from being edited.
        identifier: the id it had; without one that is a UUID it gets one of its own.
    """

    name: str
    class_name: str
    colour: tuple[int, int, int]
    outline_l0: BaseGeometry
    locked: bool = False
    identifier: str = ""


def write_annotations_geojson(
    path: Path,
    drawn: Sequence[Drawn],
    info: SlideInfo,
    source: str,
    frame: GeoJsonFrame = "qupath",
) -> None:
    """Write annotations by whoever `source` names, in the order given.

    Coordinates as in `write_tracts_geojson`. What vanishes on QuPath's grid is left out.

    Raises:
        OutputError: the file cannot be written, or would be refused by QuPath.
    """
    shift_l0 = _shift(info, frame)
    features = []
    for number, each in enumerate(drawn, 1):
        identifier = each.identifier
        if not _is_uuid(identifier):
            identifier = _identifier(info, source, f"{each.class_name} {number}")
        for geometry in _on_grid(translate(each.outline_l0, *shift_l0)):
            features.append(
                _feature(identifier, geometry, each.name, each.class_name, each.colour,
                         {}, {"Source": source}, each.locked)
            )  # fmt: skip
            identifier = _identifier(info, source, f"{identifier} {len(features)}")
    block = _slide_block(info, source, frame)
    _write(path, {"type": "FeatureCollection", "features": features, "glisson": block})


def _write(path: Path, document: Document) -> None:
    """Checked before the file gets its name."""
    if not path.name.lower().endswith(_ENDINGS):
        raise OutputError(f"{path} would not open in QuPath: end its name in .geojson.")
    broken = broken_rules(document)
    if broken:
        raise OutlineError(f"{path} would not open in QuPath: {broken[0]}. Please report this.")
    data = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    with atomic_path(path) as unfinished:
        compressed = path.suffix == ".gz"
        unfinished.write_bytes(gzip.compress(data, mtime=0) if compressed else data)


def tracts_document(
    regions: Regions,
    measurements: Measurements,
    info: SlideInfo,
    model: str,
    frame: GeoJsonFrame = "qupath",
) -> Document:
    """The FeatureCollection that `write_tracts_geojson` writes."""
    shift_l0 = _shift(info, frame)
    tissue = _tissue_geometry(regions, shift_l0)
    features = [] if tissue is None else [_tissue_feature(tissue, measurements, info, model)]
    shapely.prepare(tissue)
    for tract, measured in zip(regions.tracts, measurements.tracts, strict=True):
        geometry = _tract_geometry(tract.outline_l0, tissue, shift_l0)
        if geometry is not None:
            features.append(_tract_feature(geometry, measured, info, model))
    for candidate, listed in zip(regions.candidates, measurements.candidates, strict=True):
        geometry = _tract_geometry(candidate.outline_l0, tissue, shift_l0)
        if geometry is not None:
            features.append(_candidate_feature(geometry, listed, info, model))
    return {
        "type": "FeatureCollection",
        "features": features,
        "glisson": _slide_block(info, model, frame),
    }


def _shift(info: SlideInfo, frame: GeoJsonFrame) -> tuple[float, float]:
    if frame == "level0" or info.bounds_l0 is None:
        return 0.0, 0.0
    return -info.bounds_l0.x_l0, -info.bounds_l0.y_l0


def _tissue_geometry(
    regions: Regions, shift_l0: tuple[float, float]
) -> Polygon | MultiPolygon | None:
    if not regions.fragments:
        return None
    outlines = shapely.union_all([fragment.outline_l0 for fragment in regions.fragments])
    return on_qupath_grid(_thinned(translate(outlines, *shift_l0)))


def _thinned(outline_l0: BaseGeometry) -> BaseGeometry:
    """An outline with as few vertices as QuPath bears: only those of whole resections have more."""
    thin = outline_l0
    for tolerance_l0 in _TOLERANCES_L0:
        if shapely.get_num_coordinates(thin) <= MOST_VERTICES // 2:
            break
        thin = shapely.simplify(outline_l0, tolerance_l0)
    return thin


def _tract_geometry(
    outline_l0: Polygon, tissue: Polygon | MultiPolygon | None, shift_l0: tuple[float, float]
) -> Polygon | MultiPolygon | None:
    """A tract inside the tissue as it is written: QuPath nests only what is covered."""
    if tissue is None:
        return None
    outline = _thinned(translate(outline_l0, *shift_l0))
    # To cut with all the tissue takes long, and few tracts reach its edge.
    inside = shapely.contains_properly(tissue, outline)
    return on_qupath_grid(shapely.intersection(outline, _around(outline) if inside else tissue))


def _around(outline: BaseGeometry) -> Polygon:
    """A rectangle that covers an outline and does not touch it."""
    left, top, right, bottom = outline.bounds
    return shapely.box(left - 1, top - 1, right + 1, bottom + 1)


def _tissue_feature(
    geometry: Polygon | MultiPolygon, measurements: Measurements, info: SlideInfo, model: str
) -> Document:
    biopsy = measurements.biopsy
    numbers = {
        "Biopsy tissue area mm^2": biopsy.tissue_area_mm2,
        "Biopsy portal area mm^2": biopsy.portal_area_mm2,
        "Biopsy portal percent": biopsy.portal_percent,
        "Biopsy lobule area mm^2": biopsy.lobule_area_mm2,
    }
    return _feature(
        _identifier(info, model, "tissue"),
        geometry,
        TISSUE_QUPATH_NAME,
        TISSUE_QUPATH_NAME,
        TISSUE_COLOUR,
        numbers,
        {"Model": model},
        locked=True,
    )


def _tract_feature(
    geometry: Polygon | MultiPolygon, tract: TractMeasurements, info: SlideInfo, model: str
) -> Document:
    numbers = {
        "PT area µm^2": tract.area_um2,
        "PT perimeter µm": tract.perimeter_um,
        "PT equivalent diameter µm": tract.equivalent_diameter_um,
        "PT width µm": tract.width_um,
        "PT probability": tract.probability,
        "PT edge contact fraction": tract.edge_contact_fraction,
    }
    texts = {
        "Tract": "complete" if tract.complete else "partial",
        "Fragment": str(tract.fragment_number),
        "Model": model,
    }
    return _feature(
        _identifier(info, model, f"tract {tract.number}"),
        geometry,
        f"PT {tract.number}",
        PORTAL.qupath_name if tract.is_counted else UNCOUNTED_QUPATH_NAME,
        PORTAL.colour if tract.is_counted else UNCOUNTED_COLOUR,
        numbers,
        texts,
        locked=False,
    )


def _candidate_feature(
    geometry: Polygon | MultiPolygon, candidate: CandidateMeasurements, info: SlideInfo, model: str
) -> Document:
    """The measurements are called as a tract's: accepted, it is one."""
    numbers = {
        "PT area µm^2": candidate.area_um2,
        "PT probability": candidate.probability,
        "PT edge contact fraction": candidate.edge_contact_fraction,
    }
    texts = {
        "Tract": "complete" if candidate.complete else "partial",
        "Fragment": str(candidate.fragment_number),
        "Model": model,
    }
    return _feature(
        _identifier(info, model, f"candidate {candidate.number}"),
        geometry,
        f"Candidate {candidate.number}",
        CANDIDATE_QUPATH_NAME,
        CANDIDATE_COLOUR,
        numbers,
        texts,
        locked=False,
    )


def _feature(
    identifier: str,
    geometry: BaseGeometry,
    name: str,
    class_name: str,
    colour: tuple[int, int, int],
    numbers: Mapping[str, float | None],
    texts: dict[str, str],
    locked: bool,
) -> Document:
    properties: Document = {"objectType": "annotation"}
    if name:
        properties["name"] = name
    if class_name:
        properties["classification"] = {"name": class_name, "color": list(colour)}
    properties |= {
        "isLocked": locked,
        "measurements": {k: round(v, 6) for k, v in numbers.items() if v is not None},
        "metadata": texts,
    }
    return {
        "type": "Feature",
        "id": identifier,
        "geometry": {"type": geometry.geom_type, "coordinates": _coordinates(geometry)},
        "properties": properties,
    }


def _on_grid(geometry_l0: BaseGeometry) -> list[BaseGeometry]:
    """A geometry on QuPath's grid, in as many annotations as it needs; none where it vanishes.

    Lines in several parts are written apart: QuPath reads them as one and cannot export it.
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


def _coordinates(geometry: BaseGeometry) -> list[Any]:
    """GeoJSON's nested lists, with two decimals."""
    if isinstance(geometry, MultiPolygon | MultiPoint):
        return [_coordinates(part) for part in geometry.geoms]
    if isinstance(geometry, Polygon):
        return [_coordinates(ring) for ring in (geometry.exterior, *geometry.interiors)]
    points: list[Any] = np.round(shapely.get_coordinates(geometry), 2).tolist()
    return points[0] if geometry.geom_type == "Point" else points


def _identifier(info: SlideInfo, model: str, thing: str) -> str:
    """The same object of the same slide and model has the same id in every run."""
    size = info.size_l0
    return str(uuid.uuid5(_NAMESPACE, f"{info.name}|{size.width}x{size.height}|{model}|{thing}"))


def _slide_block(info: SlideInfo, model: str, frame: GeoJsonFrame) -> Document:
    """Facts that GeoJSON has no place for; QuPath ignores the block, our scripts read it."""
    bounds, size = info.bounds_l0, info.size_l0
    cropped = frame == "qupath" and bounds is not None
    return {
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
        "model": model,
    }
