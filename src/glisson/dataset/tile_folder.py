"""Tiles on disk: pictures and masks as in the paper, and a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glisson.dataset.labels import IGNORED
from glisson.dataset.manifest import MANIFEST_FILE, TileRow, read_manifest
from glisson.dataset.masks import decode_mask, read_picture
from glisson.dataset.splits import (
    LEAK,
    SLIDE_LEAK,
    UNNAMED_PATIENTS,
    Splits,
    SplitSettings,
    SplitUnit,
    find_shared_patients,
)
from glisson.dataset.study import UNKNOWN, UNKNOWN_PATIENT, Split, is_synthetic
from glisson.dataset.tiles import TilePixels, measure_class_shares
from glisson.errors import AnnotationError, SettingsError
from glisson.files.json_files import read_json

IMAGES, MASKS, IGNORED_MASKS = "Original", "Mask", "Ignored"
SETTINGS_FILE = "tiles.json"
NO_PATIENTS = (
    "The tiles name no patients: neighbouring tiles of one patient may lie in training and "
    "validation, so the validation scores may be too good."
)


def is_tile_folder(path: Path) -> bool:
    """Return whether a folder holds tiles rather than slides."""
    return (path / IMAGES).is_dir()


class FolderTiles:
    """Tiles in a folder that `write_tiles` or the paper's own scripts wrote.

    Attributes:
        folder: with `Original/` and `Mask/`.
        rows: of the manifest. Without a manifest, rows from the pictures alone: split at random,
            with the patient `UNKNOWN_PATIENT`.
        leak: why validation scores are or may be too good, or None.
        synthetic: whether the folder declares its slides synthetic.

    Raises:
        SettingsError: no tiles; an unfinished folder; an invalid manifest; a patient in two
            splits.
        AnnotationError: pictures without mask, not square, or of several sizes.
    """

    def __init__(
        self, folder: Path, mpp: float | None = None, validation: float = 0.2, seed: int = 0
    ) -> None:
        self.folder = folder
        if (folder / MANIFEST_FILE).exists():
            rows = read_manifest(folder / MANIFEST_FILE)
        elif (folder / SETTINGS_FILE).exists():
            raise SettingsError(
                f"{folder} is not finished: {SETTINGS_FILE} is there, {MANIFEST_FILE} is not. Run "
                "`glisson tiles` again; it resumes where it was stopped."
            )
        else:
            splits = Splits(SplitSettings(SplitUnit.TILE, validation, (), seed), {})
            rows = _make_rows(folder, mpp, splits)
        if not rows:
            raise SettingsError(f"{folder} holds no tiles. Write them with `glisson tiles`.")
        self.rows = tuple(rows)
        self.leak = _find_leak(folder, rows)
        self.synthetic = is_synthetic(folder)

    def read(self, row: TileRow) -> TilePixels:
        """Read the pixels and labels of a tile.

        Raises:
            AnnotationError: a file is missing or damaged, or has another size or other colours.
        """
        return read_pair(self.folder, row.tile)


def read_settings(folder: Path) -> dict[str, Any]:
    """Read `tiles.json`; a missing file is empty.

    Raises:
        SettingsError: the file cannot be parsed.
    """
    path = folder / SETTINGS_FILE
    try:
        return read_json(path) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}. Write the tiles into a new folder."
        ) from error


def _find_leak(folder: Path, rows: Sequence[TileRow]) -> str | None:
    """Return the leak that the rows show or that `tiles.json` records."""
    split = read_settings(folder).get("split")
    split = split if isinstance(split, dict) else {}
    named = [row for row in rows if row.patient not in ("", UNKNOWN_PATIENT)]
    shared = find_shared_patients((row.patient, row.split) for row in named)
    is_meant = split.get("by") in (SplitUnit.SLIDE, SplitUnit.TILE)
    wrong = [name for name, where in shared.items() if not is_meant or Split.TEST in where]
    if wrong:
        raise SettingsError(
            f"{folder / MANIFEST_FILE}: patients in two splits: {', '.join(wrong[:5])}. Run "
            "`glisson tiles` again, or give all tiles of a patient one split."
        )
    if split.get("by") == SplitUnit.TILE:
        return LEAK
    if shared:
        return SLIDE_LEAK
    if len(named) < len(rows):
        return NO_PATIENTS
    return None if split.get("patients_named", True) else UNNAMED_PATIENTS


def read_pair(folder: Path, name: str) -> TilePixels:
    """Read the picture and mask of a tile, by name without suffix.

    Raises:
        AnnotationError: a file is missing or damaged, or has another size or other colours.
    """
    image_path, mask_path = folder / IMAGES / f"{name}.png", folder / MASKS / f"{name}.png"
    rgb, picture = read_picture(image_path), read_picture(mask_path)
    if rgb.shape != picture.shape:
        raise AnnotationError(
            f"{mask_path} is {picture.shape[1]} x {picture.shape[0]} px, its image "
            f"{rgb.shape[1]} x {rgb.shape[0]} px. Export both again."
        )
    labels = decode_mask(picture, str(mask_path))
    ignored = folder / IGNORED_MASKS / f"{name}.png"
    if ignored.exists():
        labels[read_picture(ignored)[..., 0] > 0] = IGNORED
    return TilePixels(rgb, labels)


def _make_rows(folder: Path, mpp: float | None, splits: Splits) -> list[TileRow]:
    """Make rows for the paper's `Original/` and `Mask/`, without patients and with given µm/px."""
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
    rows = [_make_row(folder, name, mpp, splits) for name in sorted(images)]
    first = rows[0]
    for row in rows:
        if row.size_px != first.size_px:
            raise AnnotationError(
                f"{folder / IMAGES / row.tile}.png is {row.size_px} x {row.size_px} px, "
                f"{first.tile}.png {first.size_px} x {first.size_px} px. Square tiles of one size "
                "are needed; put each size into its own folder."
            )
    return rows


def _make_row(folder: Path, name: str, mpp: float, splits: Splits) -> TileRow:
    pixels = read_pair(folder, name)
    background, lobule, portal = measure_class_shares(pixels.labels)
    height, width = pixels.labels.shape
    if height != width:
        raise AnnotationError(
            f"{folder / IMAGES / name}.png is {width} x {height} px, but tiles are square: "
            f"{min(width, height)} x {min(width, height)} px. Cut it again."
        )
    return TileRow(
        tile=name,
        slide=name,
        patient=UNKNOWN_PATIENT,
        institution=UNKNOWN,
        diagnosis=UNKNOWN,
        split=splits.of(name, 0, 0),
        mpp=mpp,
        size_px=width,
        x_px=0,
        y_px=0,
        x_l0=0,
        y_l0=0,
        width_l0=width,
        height_l0=height,
        background=background,
        lobule=lobule,
        portal=portal,
        ignored=float(np.mean(pixels.labels == IGNORED)),
    )
