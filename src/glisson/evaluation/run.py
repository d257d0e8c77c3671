"""Evaluate models on annotated slides or tiles: `glisson.evaluate` and its verb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glisson.dataset import (
    SYNTHETIC,
    AnnotationSettings,
    FolderTiles,
    SplitSettings,
    SplitUnit,
    TileSettings,
    format_candidate_warning,
    is_synthetic,
    is_tile_folder,
    open_study,
)
from glisson.dataset.manifest import MANIFEST_FILE
from glisson.errors import SettingsError
from glisson.evaluation.models import EvaluationResult, Subject, evaluate_models
from glisson.evaluation.tracts import score_tracts
from glisson.model import ModelBundle, RuntimeKind, find_model, open_runtime

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of an evaluation.

    `size_px` and `annotations` apply to slides alone, `split` to slides and, by its share and
    seed, to tiles without manifest.

    Attributes:
        size_px: side of the tiles.
        annotations: names of the annotation files and meanings of their classes.
        split: which slides train, validate and test; give that of the model's training.
        mpps: µm/px of each folder of tiles without manifest, in the order of the data.
        runtime: `openvino`, `torch` or `auto`.
        threads: processor threads; all if None.
    """

    size_px: int = 256
    annotations: AnnotationSettings = field(default_factory=AnnotationSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    mpps: Sequence[float] = ()
    runtime: RuntimeKind = "auto"
    threads: int | None = None


def evaluate(
    data: str | Path | Sequence[str | Path],
    out: str | Path,
    models: str | Path | Sequence[str | Path | None] | None = None,
    settings: EvaluationSettings | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Score models against annotations; write tables, pictures and `evaluation.html`.

    Slides are scored by tiles and by whole portal tracts, tiles by tiles alone. Several models
    share a table of Dice and IoU and a table of borders.

    Args:
        data: folder of tiles, or study of annotated slides; one for each model.
        out: folder to write to.
        models: name or folder of each model; the shipped model if None.
        settings: how slides are read and split, and how models run.
        progress: called with the kind of step, number of steps done, number of steps.

    Raises:
        SettingsError: numbers of data, models and µm/px differ, or a setting does not apply to
            the data.
        ModelError: a model cannot be used.
        AnnotationError: annotations or tiles cannot be read.
        OutputError: `out` cannot be written to.
    """
    settings = settings or EvaluationSettings()
    folders = [Path(data)] if isinstance(data, str | Path) else [Path(each) for each in data]
    for folder in filter(is_tile_folder, folders):
        _check_applies(folder, settings)
    mpps = _pair_mpps(folders, settings.mpps)
    names = [models] if models is None or isinstance(models, str | Path) else list(models)
    if len(names) != len(folders):
        raise SettingsError(
            f"{len(folders)} DATA and {len(names)} models are given. Give one --model for each "
            "DATA, in order; a model or a folder may be repeated."
        )
    bundles = [find_model(name) for name in names]
    subjects = (
        _open_subject(folder, bundle, mpp, settings, progress)
        for folder, bundle, mpp in zip(folders, bundles, mpps, strict=True)
    )
    report = None if progress is None else lambda done, total: progress("tile", done, total)
    return evaluate_models(Path(out), bundles, subjects, report)


def _has_manifest(folder: Path) -> bool:
    return (folder / MANIFEST_FILE).exists()


def _check_applies(folder: Path, settings: EvaluationSettings) -> None:
    """Reject settings of slides for a folder of tiles, whose manifest already decides them."""
    default, split = EvaluationSettings(), settings.split
    applies = {
        "size_px": settings.size_px == default.size_px,
        "annotations": settings.annotations == default.annotations,
        "split": (split.by, split.hold_out) == (SplitUnit.PATIENT, ())
        and (split == default.split or not _has_manifest(folder)),
    }
    if wrong := [name for name, is_valid in applies.items() if not is_valid]:
        raise SettingsError(
            f"{folder} holds tiles, to which {', '.join(wrong)} cannot be applied. Leave it out, "
            "or cut the slides again with it."
        )


def _pair_mpps(folders: Sequence[Path], mpps: Sequence[float]) -> list[float | None]:
    """Return the µm/px of each folder of tiles without manifest, None for other data."""
    bare = [folder for folder in folders if is_tile_folder(folder) and not _has_manifest(folder)]
    if len(bare) != len(mpps):
        names = f" ({', '.join(map(str, bare))})" if bare else ""
        raise SettingsError(
            f"{len(bare)} folders of tiles have no {MANIFEST_FILE} with their µm/px{names}, and "
            f"--mpp is given {len(mpps)} times. Give one --mpp for each of them, in order (the "
            "paper: 1 or 2)."
        )
    rest = iter(mpps)
    return [next(rest) if folder in bare else None for folder in folders]


def _open_subject(
    folder: Path,
    bundle: ModelBundle,
    mpp: float | None,
    settings: EvaluationSettings,
    progress: Progress | None,
) -> Subject:
    runtime = open_runtime(bundle, settings.runtime, threads=settings.threads)
    warnings: tuple[str, ...] = (SYNTHETIC,) if is_synthetic(folder) else ()
    if is_tile_folder(folder):
        tiles = FolderTiles(folder, mpp, settings.split.validation, settings.split.seed)
        return Subject(bundle, runtime, tiles, str(folder), warnings)
    size = TileSettings(bundle.spec.mpp, settings.size_px)
    source = open_study(folder, size, settings.split, settings.annotations)
    tracts = score_tracts(source.slides, source.splits, bundle, runtime, source.meanings, progress)
    if left_out := format_candidate_warning(source.candidates):
        warnings = (*warnings, left_out)
    warnings = (*warnings, *source.warnings)
    return Subject(bundle, runtime, source, str(folder), warnings, tracts)
