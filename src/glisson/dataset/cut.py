"""Cut a study of annotated slides into tiles: `glisson.tiles` and its verb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glisson.dataset.labels import candidate_warning
from glisson.dataset.slide_tiles import SlideTiles
from glisson.dataset.splits import SplitSettings, leak_of, split_study
from glisson.dataset.study import AnnotationSettings, read_study
from glisson.dataset.tile_writing import Progress, WrittenTiles, write_tiles
from glisson.dataset.tiles import TileSettings

DEFAULT_TILES = (TileSettings(mpp=1.0), TileSettings(mpp=2.0))
"""The paper's two pixel sizes (Cazzaniga et al. 2025)."""


@dataclass(frozen=True)
class TilesResult:
    """The tiles of a study.

    Attributes:
        folders: the tiles in each folder, one folder for each µm/px.
        failed: error message by name of each slide that could not be used or has no tile.
        warnings: on patients in several splits, and on candidates left out.
    """

    folders: dict[Path, WrittenTiles]
    failed: dict[str, str]
    warnings: tuple[str, ...]


def cut_tiles(
    study: str | Path,
    out: str | Path,
    tiles: Sequence[TileSettings] = DEFAULT_TILES,
    split: SplitSettings | None = None,
    annotations: AnnotationSettings | None = None,
    progress: Progress | None = None,
) -> TilesResult:
    """Cut annotated slides into tiles with masks and manifests.

    Each µm/px gets its own folder in `out`. A second call continues where the first one stopped.

    Args:
        study: cases.csv, or a folder of annotated slides.
        out: folder to write to.
        tiles: settings of the tiles, one for each folder.
        split: which slides train, validate and test; by patient if None.
        annotations: names of the annotation files and meanings of their classes.
        progress: called with folder and slide, number of slides done, number of slides.

    Raises:
        SettingsError: an invalid table or split, or `out` holds tiles of other settings.
        AnnotationError: slides without annotations, or annotations without a slide.
        OutputError: `out` cannot be written to.
    """
    annotations = annotations or AnnotationSettings()
    slides = read_study(Path(study), annotations.names)
    splits = split_study(slides, split or SplitSettings())
    folders: dict[Path, WrittenTiles] = {}
    for number, settings in enumerate(tiles):
        folder = Path(out) / f"{settings.mpp:g}um"
        start, total = number * len(slides), len(tiles) * len(slides)
        report = _offset_progress(progress, folder.name, start, total)
        folders[folder] = write_tiles(
            folder, slides, splits, settings, annotations.meanings, progress=report
        )
    candidates = {name: n for each in folders.values() for name, n in each.candidates.items()}
    warnings = leak_of(slides, splits), candidate_warning(candidates)
    return TilesResult(
        folders,
        {name: text for each in folders.values() for name, text in each.failed.items()},
        tuple(filter(None, warnings)),
    )


def _offset_progress(
    progress: Progress | None, folder: str, start: int, total: int
) -> Callable[[str, int, int], None] | None:
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
    slides = read_study(Path(study), annotations.names)
    splits = split_study(slides, split or SplitSettings())
    return SlideTiles(slides, splits, tiles, annotations.meanings, progress)
