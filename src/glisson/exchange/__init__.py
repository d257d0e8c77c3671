"""Results for other programs: QuPath, spreadsheets, image readers."""

from __future__ import annotations

from glisson.exchange.artefacts_file import ARTEFACTS_FILE, write_artefacts_geojson
from glisson.exchange.class_map_file import StoredClassMap, read_class_map, write_class_map
from glisson.exchange.geojson import NewAnnotation, write_annotations_geojson, write_tracts_geojson
from glisson.exchange.geojson_reader import Annotation, Annotations, read_geojson
from glisson.exchange.overview import write_overview
from glisson.exchange.qupath.geojson_rules import find_geojson_errors
from glisson.exchange.qupath.project import write_qupath_project
from glisson.exchange.qupath.project_rules import find_project_errors
from glisson.exchange.same_image import (
    LEAST_OVERLAP,
    check_image_size,
    check_inside,
    check_overlap,
    check_same_image,
)
from glisson.exchange.tables import write_tables
from glisson.exchange.thumbnails import (
    DOUBTFUL,
    is_doubtful,
    name_candidate_thumbnail,
    name_thumbnail,
    write_thumbnails,
)

__all__ = [
    "ARTEFACTS_FILE",
    "DOUBTFUL",
    "LEAST_OVERLAP",
    "Annotation",
    "Annotations",
    "NewAnnotation",
    "StoredClassMap",
    "check_image_size",
    "check_inside",
    "check_overlap",
    "check_same_image",
    "find_geojson_errors",
    "find_project_errors",
    "is_doubtful",
    "name_candidate_thumbnail",
    "name_thumbnail",
    "read_class_map",
    "read_geojson",
    "write_annotations_geojson",
    "write_artefacts_geojson",
    "write_class_map",
    "write_overview",
    "write_qupath_project",
    "write_tables",
    "write_thumbnails",
    "write_tracts_geojson",
]
