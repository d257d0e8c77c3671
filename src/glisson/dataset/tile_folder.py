"""Tiles on disk: pictures and masks as in the paper, with a manifest beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glisson.dataset.labels import IGNORED
from glisson.dataset.manifest import MANIFEST_FILE, TileRow, read_manifest
from glisson.dataset.masks import labels_of_picture, read_picture
from glisson.dataset.splits import (
    LEAK,
    SLIDE_LEAK,
    UNNAMED_PATIENTS,
    Splits,
    SplitSettings,
    SplitUnit,
    torn_patients,
)
from glisson.dataset.study import UNKNOWN, UNKNOWN_PATIENT, Split, is_synthetic
from glisson.dataset.tiles import TilePixels, class_shares
from glisson.errors import AnnotationError, SettingsError

IMAGES, MASKS, IGNORED_MASKS = "Original", "Mask", "Ignored"
SETTINGS_FILE = "tiles.json"
NO_PATIENTS = (
    "The tiles name no patients: neighbouring tiles of one may lie in training and validation, so "
    "the validation scores may be too good."
)


def is_tile_folder(path: Path) -> bool:
    """Whether a folder holds tiles rather than slides."""
    return (path / IMAGES).is_dir()


class FolderTiles:
    """Tiles of a folder, as `write_tiles` or the paper's own scripts leave them.

    Attributes:
        folder: holds `Original/` and `Mask/`.
        rows: its manifest; without one, what the pictures themselves say, split at random, all
            of the patient `UNKNOWN_PATIENT`.
        leak: why scores of validation are too good, or may be; None if they are not.
        synthetic: whether the folder says that its slides are synthetic.

    Raises:
        SettingsError: no tiles, a run that wrote them was stopped, a manifest that does not
            parse, or a patient in two splits.
        AnnotationError: pictures without their pair, not square, or of several sizes.
    """

    def __init__(
        self, folder: Path, mpp: float | None = None, validation: float = 0.2, seed: int = 0
    ) -> None:
        self.folder = folder
        drawn = Splits(SplitSettings(SplitUnit.TILE, validation, (), seed), {})
        listed = _is_listed(folder)
        rows = read_manifest(folder / MANIFEST_FILE) if listed else _bare(folder, mpp, drawn)
        if not rows:
            raise SettingsError(f"{folder} holds no tiles. Write them with `glisson tiles`.")
        self.rows = tuple(rows)
        self.leak = _leak(folder, rows)
        self.synthetic = is_synthetic(folder)

    def read(self, row: TileRow) -> TilePixels:
        """Pixels and labels of a tile.

        Raises:
            AnnotationError: a file is missing, damaged, of another size, or of other colours.
        """
        return read_pair(self.folder, row.tile)


def read_settings(folder: Path) -> dict[str, Any]:
    """What `tiles.json` says; empty where there is none.

    Raises:
        SettingsError: it does not parse.
    """
    path = folder / SETTINGS_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}. Write the tiles into a new folder."
        ) from error
    return found if isinstance(found, dict) else {}


def _is_listed(folder: Path) -> bool:
    """Whether there is a manifest; settings without one are a run that was stopped."""
    listed = (folder / MANIFEST_FILE).exists()
    if not listed and (folder / SETTINGS_FILE).exists():
        raise SettingsError(
            f"{folder} is not finished: {SETTINGS_FILE} is there, {MANIFEST_FILE} is not. Run "
            "`glisson tiles` again; it goes on where it was stopped."
        )
    return listed


def _leak(folder: Path, rows: Sequence[TileRow]) -> str | None:
    """The leak that the rows show, or that only `tiles.json` knows of."""
    split = read_settings(folder).get("split")
    split = split if isinstance(split, dict) else {}
    named = [row for row in rows if row.patient not in ("", UNKNOWN_PATIENT)]
    torn = torn_patients((row.patient, row.split) for row in named)
    _check_torn(folder, torn, split.get("by"))
    if split.get("by") == SplitUnit.TILE:
        return LEAK
    if torn:
        return SLIDE_LEAK
    if len(named) < len(rows):
        return NO_PATIENTS
    return None if split.get("patients_named", True) else UNNAMED_PATIENTS


def _check_torn(folder: Path, torn: dict[str, set[Split]], by: object) -> None:
    """Refuse patients in two splits that were not split so on purpose; in the test set, always."""
    on_purpose = by in (SplitUnit.SLIDE, SplitUnit.TILE)
    wrong = [name for name, where in torn.items() if not on_purpose or Split.TEST in where]
    if wrong:
        raise SettingsError(
            f"{folder / MANIFEST_FILE}: patients in two splits: {', '.join(wrong[:5])}. Run "
            "`glisson tiles` again, or give all tiles of a patient one split."
        )


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
    rows = [_bare_row(folder, name, mpp, splits) for name in sorted(images)]
    _check_one_size(folder, rows)
    return rows


def _bare_row(folder: Path, name: str, mpp: float, splits: Splits) -> TileRow:
    pixels = read_pair(folder, name)
    background, lobule, portal = class_shares(pixels.labels)
    size_px = _side_px(folder, name, pixels)
    return TileRow(
        tile=name, slide=name, patient=UNKNOWN_PATIENT, institution=UNKNOWN, diagnosis=UNKNOWN,
        split=splits.of(name, 0, 0), mpp=mpp, size_px=size_px, x_px=0, y_px=0, x_l0=0, y_l0=0,
        width_l0=size_px, height_l0=size_px, background=background, lobule=lobule, portal=portal,
        ignored=float(np.mean(pixels.labels == IGNORED)),
    )  # fmt: skip


def _side_px(folder: Path, name: str, pixels: TilePixels) -> int:
    height, width = pixels.labels.shape
    if height != width:
        raise AnnotationError(
            f"{folder / IMAGES / name}.png is {width} x {height} px, but tiles are square: "
            f"{min(width, height)} x {min(width, height)} px. Cut it anew."
        )
    return int(width)


def _check_one_size(folder: Path, rows: Sequence[TileRow]) -> None:
    first = rows[0]
    for row in rows:
        if row.size_px != first.size_px:
            raise AnnotationError(
                f"{folder / IMAGES / row.tile}.png is {row.size_px} x {row.size_px} px, "
                f"{first.tile}.png {first.size_px} x {first.size_px} px. Square tiles of one size "
                "are needed; keep each size in a folder of its own."
            )
