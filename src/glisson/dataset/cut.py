"""Cut a study of annotated slides into tiles: `glisson.tiles` and its verb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glisson.dataset.labels import format_candidate_warning
from glisson.dataset.slide_tiles import SlideTiles
from glisson.dataset.splits import SplitSettings, find_leak, split_study
from glisson.dataset.study import AnnotationSettings
from glisson.dataset.tile_writing import Progress, WrittenTiles, write_tiles
from glisson.dataset.tiles import TileSettings


@dataclass(frozen=True)
class CutSettings:
    """Settings of the tiles of a study.

    Attributes:
        tiles: settings of the tiles in each folder; by default the paper's two pixel sizes.
        split: which slides train, validate and test.
        annotations: names of the annotation files and meanings of their classes.
    """

    tiles: Sequence[TileSettings] = (TileSettings(mpp=1.0), TileSettings(mpp=2.0))
    split: SplitSettings = field(default_factory=SplitSettings)
    annotations: AnnotationSettings = field(default_factory=AnnotationSettings)


@dataclass(frozen=True)
class TilesResult:
    """The tiles of a study.

    Attributes:
        folders: the tiles in each folder, one folder for each µm/px.
        failed: error message by name of each slide that could not be used or has no tile.
        warnings: on patients in several splits, on candidates and other objects left out, and on
            annotations that fit the tissue badly.
    """

    folders: dict[Path, WrittenTiles]
    failed: dict[str, str]
    warnings: tuple[str, ...]


def cut_tiles(
    study: str | Path,
    out: str | Path,
    settings: CutSettings | None = None,
    progress: Progress | None = None,
) -> TilesResult:
    """Cut annotated slides into tiles with masks and manifests.

    Each µm/px gets its own folder in `out`. A second call resumes where the first one stopped.

    Args:
        study: cases.csv, or a folder of annotated slides.
        out: folder to write to.
        settings: of tiles, split and annotations.
        progress: called with folder and slide, number of slides done, number of slides.

    Raises:
        SettingsError: an invalid table or split, or `out` holds tiles of other settings.
        AnnotationError: slides without annotations, or annotations without a slide.
        OutputError: `out` cannot be written to.
    """
    settings = settings or CutSettings()
    slides = settings.annotations.read_study(Path(study))
    splits = split_study(slides, settings.split)
    folders: dict[Path, WrittenTiles] = {}
    for number, tiles in enumerate(settings.tiles):
        folder = Path(out) / f"{tiles.mpp:g}um"
        start, total = number * len(slides), len(settings.tiles) * len(slides)
        report = _offset_progress(progress, folder.name, start, total)
        meanings = settings.annotations.meanings
        folders[folder] = write_tiles(folder, slides, splits, tiles, meanings, report)
    candidates = {name: n for each in folders.values() for name, n in each.candidates.items()}
    doubts = {name: texts for each in folders.values() for name, texts in each.warnings.items()}
    warnings = (
        find_leak(slides, splits),
        format_candidate_warning(candidates),
        *(f"{name}: {text}" for name, texts in sorted(doubts.items()) for text in texts),
    )
    return TilesResult(
        folders,
        {name: text for each in folders.values() for name, text in each.failed.items()},
        tuple(filter(None, warnings)),
    )


tiles = cut_tiles  # as the verb is called


def _offset_progress(
    progress: Progress | None, folder: str, start: int, total: int
) -> Progress | None:
    """Make the progress of one folder count among all folders."""
    if progress is None:
        return None
    return lambda name, done, _: progress(f"{folder}/{name}", start + done, total)


def open_study(
    study: str | Path,
    tiles: TileSettings,
    split: SplitSettings | None = None,
    annotations: AnnotationSettings | None = None,
    progress: Progress | None = None,
) -> SlideTiles:
    """Read and split a study whose tiles are read from the slides, without files in between.

    Raises:
        SettingsError: an invalid table or split.
        AnnotationError: slides without annotations, or annotations without a slide.
        SlideError: a slide cannot be read.
    """
    annotations = annotations or AnnotationSettings()
    slides = annotations.read_study(Path(study))
    splits = split_study(slides, split or SplitSettings())
    return SlideTiles(slides, splits, tiles, annotations.meanings, progress)
