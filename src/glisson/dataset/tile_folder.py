"""Tiles on disk: pictures and masks as in the paper, with a manifest beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.dataset.labels import IGNORED, Labels
from glisson.dataset.manifest import MANIFEST_FILE, TileRow, read_manifest, write_manifest
from glisson.dataset.masks import labels_of_picture, mask_picture, read_picture
from glisson.dataset.meanings import MeaningTable
from glisson.dataset.splits import LEAK, Splits, SplitSettings, SplitUnit
from glisson.dataset.study import SYNTHETIC, SYNTHETIC_FILE, AnnotatedSlide, is_synthetic
from glisson.dataset.tiles import (
    LabelledSlide,
    Tile,
    TilePixels,
    TileSettings,
    class_shares,
    open_labelled,
)
from glisson.errors import AnnotationError, GlissonError, OutputError, SettingsError
from glisson.files import atomic_path

IMAGES, MASKS, IGNORED_MASKS = "Original", "Mask", "Ignored"
SETTINGS_FILE = "tiles.json"
_DONE = "slides"
NO_PATIENTS = (
    "The tiles name no patients: neighbouring tiles of one may lie in training and validation, so "
    "the validation scores may be too good."
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class WrittenTiles:
    """What was written.

    Attributes:
        rows: the manifest.
        failed: message by slide that could not be used; the others are whole.
    """

    rows: tuple[TileRow, ...]
    failed: dict[str, str]


def write_tiles(
    out: Path,
    slides: Sequence[AnnotatedSlide],
    splits: Splits,
    settings: TileSettings,
    table: MeaningTable | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> WrittenTiles:
    """Write `Original/`, `Mask/` and `manifest.csv`; slides done before are kept.

    Ignored pixels are black in `Mask/`, as the paper has no colour for them, and white in a
    picture of the same name in `Ignored/`, which is there only where a tile has any.

    Raises:
        OutputError: the folder cannot be written to.
        SettingsError: the folder holds tiles of other settings.
    """
    _prepare(out, settings, splits, table or MeaningTable())
    if any(is_synthetic(slide.slide.parent) for slide in slides):
        (out / SYNTHETIC_FILE).write_text(f"{SYNTHETIC}\n", encoding="utf-8")
    rows: list[TileRow] = []
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        work = {
            pool.submit(_slide_rows, out, s, splits, settings, table or MeaningTable()): s.name
            for s in slides
        }
        for number, future in enumerate(as_completed(work), 1):
            try:
                rows += future.result()
            except OutputError:
                pool.shutdown(cancel_futures=True)
                raise
            except GlissonError as error:
                failed[work[future]] = str(error)
            if progress:
                progress(work[future], number, len(work))
    rows.sort(key=lambda row: row.tile)
    write_manifest(out / MANIFEST_FILE, rows)
    return WrittenTiles(tuple(rows), failed)


def _prepare(out: Path, settings: TileSettings, splits: Splits, table: MeaningTable) -> None:
    path = out / SETTINGS_FILE
    now = {"tiles": asdict(settings), "classes": [list(row) for row in table.own]}
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if {key: before.get(key) for key in now} != now:
            raise SettingsError(
                f"{out} holds tiles of other settings ({path.name}). Choose another folder."
            )
    try:
        for name in (IMAGES, MASKS, _DONE):
            (out / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Tiles cannot be written to {out}: {error.strerror}.") from error
    with atomic_path(path) as unfinished:
        text = json.dumps({**now, "split": asdict(splits.settings)}, indent=2)
        unfinished.write_text(text + "\n", encoding="utf-8")


def _slide_rows(
    out: Path,
    source: AnnotatedSlide,
    splits: Splits,
    settings: TileSettings,
    table: MeaningTable,
) -> list[TileRow]:
    """Rows of one slide; its tiles are written unless its own table says that they are."""
    part = out / _DONE / f"{source.name}.csv"
    if not part.exists():
        with open_labelled(source, table) as labelled:
            rows = [
                row
                for tile in labelled.tiles(settings)
                if (row := _written(out, labelled, tile, splits, settings)) is not None
            ]
        write_manifest(part, rows)
    return [
        row.model_copy(update={"split": splits.of(row.slide, row.x_px, row.y_px)})
        for row in read_manifest(part)
    ]


def _written(
    out: Path, labelled: LabelledSlide, tile: Tile, splits: Splits, settings: TileSettings
) -> TileRow | None:
    """Write one tile; None when so much of it cannot be read that nothing is left."""
    pixels = labelled.read(tile.box_px, settings.mpp)
    ignored = pixels.labels == IGNORED
    if ignored.mean() > settings.max_ignored:
        return None
    row = tile_row(labelled.source, tile, pixels.labels, splits, settings)
    _write_picture(out / IMAGES / f"{row.tile}.png", pixels.rgb)
    _write_picture(out / MASKS / f"{row.tile}.png", mask_picture(pixels.labels))
    if ignored.any():
        (out / IGNORED_MASKS).mkdir(exist_ok=True)
        _write_picture(out / IGNORED_MASKS / f"{row.tile}.png", ignored.astype(np.uint8) * 255)
    return row


def tile_row(
    source: AnnotatedSlide, tile: Tile, labels: Labels, splits: Splits, settings: TileSettings
) -> TileRow:
    """The manifest's line on one tile."""
    box, box_l0 = tile.box_px, tile.box_l0
    background, lobule, portal = class_shares(labels)
    return TileRow(
        tile=f"{source.name}_x{box.x_px}_y{box.y_px}",
        slide=source.name,
        patient=source.patient,
        institution=source.institution,
        diagnosis=source.diagnosis,
        split=splits.of(source.name, box.x_px, box.y_px),
        mpp=settings.mpp,
        size_px=settings.size_px,
        x_px=box.x_px,
        y_px=box.y_px,
        x_l0=round(box_l0.x_l0, 4),
        y_l0=round(box_l0.y_l0, 4),
        width_l0=round(box_l0.width_l0, 4),
        height_l0=round(box_l0.height_l0, 4),
        background=round(background, 6),
        lobule=round(lobule, 6),
        portal=round(portal, 6),
        ignored=round(float(np.mean(labels == IGNORED)), 6),
    )


def _write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    channels = picture[..., ::-1] if picture.ndim == 3 else picture
    _, data = cv2.imencode(".png", channels)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error


def is_tile_folder(path: Path) -> bool:
    """Whether a folder holds tiles rather than slides."""
    return (path / IMAGES).is_dir()


class FolderTiles:
    """Tiles of a folder, as `write_tiles` or the paper's own scripts leave them.

    Attributes:
        folder: holds `Original/` and `Mask/`.
        rows: its manifest; without one, what the pictures themselves say, split at random.
        leak: why scores of validation are too good, if they are.
    """

    def __init__(
        self, folder: Path, mpp: float | None = None, validation: float = 0.2, seed: int = 0
    ) -> None:
        self.folder = folder
        manifest = folder / MANIFEST_FILE
        drawn = Splits(SplitSettings(SplitUnit.TILE, validation, (), seed), {})
        rows = read_manifest(manifest) if manifest.exists() else _bare(folder, mpp, drawn)
        self.rows = tuple(rows)
        self.leak = _leak(folder) if manifest.exists() else NO_PATIENTS
        if not self.rows:
            raise SettingsError(f"{folder} holds no tiles.")

    def read(self, row: TileRow) -> TilePixels:
        """Pixels and labels of a tile.

        Raises:
            AnnotationError: a file is missing, damaged, of another size, or of other colours.
        """
        return read_pair(self.folder, row.tile)


def _leak(folder: Path) -> str | None:
    """The leak of a split by tile, which a folder's own settings tell."""
    path = folder / SETTINGS_FILE
    settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return LEAK if settings.get("split", {}).get("by") == SplitUnit.TILE else None


def read_pair(folder: Path, name: str) -> TilePixels:
    """Picture and mask of one tile, by name without suffix.

    Raises:
        AnnotationError: a file is missing, damaged, of another size, or of other colours.
    """
    image_path, mask_path = folder / IMAGES / f"{name}.png", folder / MASKS / f"{name}.png"
    rgb, picture = read_picture(image_path), read_picture(mask_path)
    if rgb.shape != picture.shape:
        raise AnnotationError(
            f"{mask_path} is {picture.shape[1]} x {picture.shape[0]} px, its image "
            f"{rgb.shape[1]} x {rgb.shape[0]} px. Export both anew."
        )
    labels = labels_of_picture(picture, str(mask_path))
    ignored = folder / IGNORED_MASKS / f"{name}.png"
    if ignored.exists():
        labels[read_picture(ignored)[..., 0] > 0] = IGNORED
    return TilePixels(rgb, labels)


def _bare(folder: Path, mpp: float | None, splits: Splits) -> list[TileRow]:
    """Rows of the paper's `Original/` and `Mask/`, which say neither patient nor µm/px."""
    images = {path.stem for path in (folder / IMAGES).glob("*.png")}
    masks = {path.stem for path in (folder / MASKS).glob("*.png")}
    if not images and not masks:
        raise SettingsError(f"{folder} holds neither {MANIFEST_FILE} nor {IMAGES}/ and {MASKS}/.")
    lone = sorted(images ^ masks)
    if lone:
        raise AnnotationError(
            f"{folder}: {len(lone)} pictures without their pair in {IMAGES}/ or {MASKS}/, such as "
            f"{lone[0]}.png."
        )
    if mpp is None:
        raise SettingsError(f"{folder} does not say its µm/px; give --mpp (the paper: 1 or 2).")
    return [_bare_row(folder, name, mpp, splits) for name in sorted(images)]


def _bare_row(folder: Path, name: str, mpp: float, splits: Splits) -> TileRow:
    pixels = read_pair(folder, name)
    background, lobule, portal = class_shares(pixels.labels)
    size_px = pixels.rgb.shape[0]
    return TileRow(
        tile=name, slide=name, patient=name, institution="unknown", diagnosis="unknown",
        split=splits.of(name, 0, 0), mpp=mpp, size_px=size_px, x_px=0, y_px=0, x_l0=0, y_l0=0,
        width_l0=size_px, height_l0=size_px, background=background, lobule=lobule, portal=portal,
        ignored=float(np.mean(pixels.labels == IGNORED)),
    )  # fmt: skip
