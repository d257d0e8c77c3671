"""Results for other programs: QuPath, spreadsheets, image readers."""

from __future__ import annotations

from glisson.exchange.artefacts_file import ARTEFACTS_FILE, write_artefacts_geojson
from glisson.exchange.class_map_file import StoredClassMap, read_class_map, write_class_map
from glisson.exchange.geojson import Drawn, write_annotations_geojson, write_tracts_geojson
from glisson.exchange.geojson_reader import Annotation, Annotations, read_geojson
from glisson.exchange.overview import write_overview
from glisson.exchange.qupath_project import write_qupath_project
from glisson.exchange.qupath_project_rules import broken_project_rules
from glisson.exchange.qupath_rules import broken_rules
from glisson.exchange.same_image import check_image_size, check_inside, check_same_image
from glisson.exchange.tables import write_tables
from glisson.exchange.thumbnails import (
    DOUBTFUL,
    candidate_thumbnail_name,
    is_doubtful,
    thumbnail_name,
    write_thumbnails,
)

__all__ = [
    "ARTEFACTS_FILE",
    "DOUBTFUL",
    "Annotation",
    "Annotations",
    "Drawn",
    "StoredClassMap",
    "broken_project_rules",
    "broken_rules",
    "candidate_thumbnail_name",
    "check_image_size",
    "check_inside",
    "check_same_image",
    "is_doubtful",
    "read_class_map",
    "read_geojson",
    "thumbnail_name",
    "write_annotations_geojson",
    "write_artefacts_geojson",
    "write_class_map",
    "write_overview",
    "write_qupath_project",
    "write_tables",
    "write_thumbnails",
    "write_tracts_geojson",
]
