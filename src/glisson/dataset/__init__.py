"""From annotated slides to labelled tiles and splits."""

from glisson.dataset.labels import IGNORED, SlideLabels, read_labels
from glisson.dataset.manifest import (
    Distribution,
    TileRow,
    check_classes_present,
    distributions,
    read_manifest,
)
from glisson.dataset.meanings import Meaning, MeaningTable, parse_meanings
from glisson.dataset.slide_tiles import SlideTiles
from glisson.dataset.source import TileSource
from glisson.dataset.splits import LEAK, Splits, SplitSettings, SplitUnit, split_study
from glisson.dataset.study import (
    ANNOTATIONS,
    SYNTHETIC,
    AnnotatedSlide,
    Split,
    is_synthetic,
    read_study,
)
from glisson.dataset.tile_folder import FolderTiles, WrittenTiles, is_tile_folder, write_tiles
from glisson.dataset.tiles import (
    LabelledSlide,
    Tile,
    TilePixels,
    TileSettings,
    class_shares,
    open_labelled,
)

__all__ = [
    "ANNOTATIONS",
    "IGNORED",
    "LEAK",
    "SYNTHETIC",
    "AnnotatedSlide",
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
    "WrittenTiles",
    "check_classes_present",
    "class_shares",
    "distributions",
    "is_synthetic",
    "is_tile_folder",
    "open_labelled",
    "parse_meanings",
    "read_labels",
    "read_manifest",
    "read_study",
    "split_study",
    "write_tiles",
]
