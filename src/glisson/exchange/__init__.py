"""Results for other programs: QuPath, spreadsheets, image readers."""

from __future__ import annotations

from glisson.exchange.class_map_file import write_class_map
from glisson.exchange.geojson import Drawn, write_annotations_geojson, write_tracts_geojson
from glisson.exchange.geojson_reader import Annotation, Annotations, read_geojson
from glisson.exchange.overview import write_overview
from glisson.exchange.qupath_project import write_qupath_project
from glisson.exchange.qupath_rules import broken_rules
from glisson.exchange.tables import write_tables

__all__ = [
    "Annotation",
    "Annotations",
    "Drawn",
    "broken_rules",
    "read_geojson",
    "write_annotations_geojson",
    "write_class_map",
    "write_overview",
    "write_qupath_project",
    "write_tables",
    "write_tracts_geojson",
]
