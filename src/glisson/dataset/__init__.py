"""From annotated slides to labelled tiles and splits."""

from glisson.dataset.cut import CutSettings, TilesResult, cut_tiles, open_study
from glisson.dataset.labels import IGNORED, SlideLabels, format_candidate_warning, read_labels
from glisson.dataset.manifest import (
    Distribution,
    TileRow,
    check_classes_present,
    read_manifest,
    summarize_splits,
)
from glisson.dataset.meanings import Meaning, MeaningTable, parse_meanings
from glisson.dataset.slide_tiles import SlideTiles
from glisson.dataset.source import TileSource
from glisson.dataset.splits import (
    LEAK,
    SLIDE_LEAK,
    UNNAMED_PATIENTS,
    Splits,
    SplitSettings,
    SplitUnit,
    find_leak,
    split_study,
)
from glisson.dataset.study import (
    ANNOTATIONS,
    SYNTHETIC,
    UNKNOWN_PATIENT,
    AnnotatedSlide,
    AnnotationSettings,
    Split,
    is_synthetic,
    read_study,
)
from glisson.dataset.tile_folder import NO_PATIENTS, FolderTiles, is_tile_folder
from glisson.dataset.tile_writing import WrittenTiles, write_tiles
from glisson.dataset.tiles import (
    LabelledSlide,
    Tile,
    TilePixels,
    TileSettings,
    measure_class_shares,
    open_labelled,
)

__all__ = [
    "ANNOTATIONS",
    "IGNORED",
    "LEAK",
    "NO_PATIENTS",
    "SLIDE_LEAK",
    "SYNTHETIC",
    "UNKNOWN_PATIENT",
    "UNNAMED_PATIENTS",
    "AnnotatedSlide",
    "AnnotationSettings",
    "CutSettings",
    "Distribution",
    "FolderTiles",
    "LabelledSlide",
    "Meaning",
    "MeaningTable",
    "SlideLabels",
    "SlideTiles",
    "Split",
    "SplitSettings",
    "SplitUnit",
    "Splits",
    "Tile",
    "TilePixels",
    "TileRow",
    "TileSettings",
    "TileSource",
    "TilesResult",
    "WrittenTiles",
    "check_classes_present",
    "cut_tiles",
    "find_leak",
    "format_candidate_warning",
    "is_synthetic",
    "is_tile_folder",
    "measure_class_shares",
    "open_labelled",
    "open_study",
    "parse_meanings",
    "read_labels",
    "read_manifest",
    "read_study",
    "split_study",
    "summarize_splits",
    "write_tiles",
]
