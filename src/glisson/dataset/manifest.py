"""The manifest: a table of tiles with their origin, content and split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glisson.classes import CLASSES, PORTAL
from glisson.dataset.study import UNKNOWN_PATIENT, Split
from glisson.errors import SettingsError
from glisson.files.csv_tables import read_rows, unescape_cell, write_rows

MANIFEST_FILE = "manifest.csv"


class TileRow(BaseModel):
    """Row of a manifest: one tile.

    Attributes:
        tile: name, unique in the manifest.
        mpp: µm/px.
        x_px: left edge on the slide's grid of `mpp` µm/px; `y_px` is the top edge.
        x_l0: left edge in level-0 pixels of the whole file; with `y_l0`, `width_l0`, `height_l0`.
        background: fraction of the labelled pixels; background, lobule and portal sum to 1.
        ignored: fraction of the pixels without label.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tile: str = Field(min_length=1, pattern=r"^[^/\\\x00]+$")
    slide: str
    patient: str
    institution: str
    diagnosis: str
    split: Split
    mpp: float = Field(gt=0)
    size_px: int = Field(gt=0)
    x_px: int
    y_px: int
    x_l0: float
    y_l0: float
    width_l0: float
    height_l0: float
    background: float = Field(ge=0, le=1)
    lobule: float = Field(ge=0, le=1)
    portal: float = Field(ge=0, le=1)
    ignored: float = Field(ge=0, le=1)

    @property
    def shares(self) -> tuple[float, float, float]:
        """Return the fractions in the order of `CLASSES`."""
        return self.background, self.lobule, self.portal


def write_manifest(path: Path, rows: Iterable[TileRow]) -> None:
    """Write a manifest, whole or not at all."""
    write_rows(path, list(TileRow.model_fields), (row.model_dump() for row in rows))


def read_manifest(path: Path) -> list[TileRow]:
    """Read a manifest.

    Raises:
        SettingsError: the file is missing, or a line is invalid.
    """
    return [_parse_row(row, f"{path}, line {line}") for line, row in read_rows(path)]


def _parse_row(row: dict[str, Any], where: str) -> TileRow:
    cells = {key: unescape_cell(cell) if cell else cell for key, cell in row.items()}
    try:
        return TileRow.model_validate(cells)
    except ValidationError as error:
        problem = error.errors()[0]
        raise SettingsError(f"{where}: {problem['loc']}: {problem['msg']}.") from error


@dataclass(frozen=True)
class Distribution:
    """Content of a split.

    Attributes:
        split: name.
        tiles: number of tiles.
        slides: number of slides.
        patients: number of patients; tiles without patient are not counted.
        shares: fraction of the labelled pixels of each class, in the order of `CLASSES`.
    """

    split: Split
    tiles: int
    slides: int
    patients: int
    shares: tuple[float, ...]


def summarize_splits(rows: Sequence[TileRow]) -> list[Distribution]:
    """Count tiles, slides, patients and classes of every split that has tiles, pixels pooled."""
    found = []
    for split in Split:
        chosen = [row for row in rows if row.split is split]
        if chosen:
            labelled = np.array([1 - row.ignored for row in chosen])
            shares = labelled @ np.array([row.shares for row in chosen]) / labelled.sum()
            slides = {row.slide for row in chosen}
            patients = {row.patient for row in chosen} - {UNKNOWN_PATIENT}
            found.append(
                Distribution(split, len(chosen), len(slides), len(patients), tuple(shares.tolist()))
            )
    return found


def check_classes_present(rows: Sequence[TileRow]) -> None:
    """Reject a training or validation split without tiles or without one of the classes.

    Raises:
        SettingsError: names the split and the class.
    """
    found = {each.split: each for each in summarize_splits(rows)}
    for split in (Split.TRAIN, Split.VALIDATION):
        if split not in found:
            raise SettingsError(
                f"The split {split} has no tiles. Annotate more slides, or split them again."
            )
        absent = [
            c.name for c, share in zip(CLASSES, found[split].shares, strict=True) if not share
        ]
        if absent:
            hint = " No portal tract was outlined there." if PORTAL.name in absent else ""
            raise SettingsError(
                f"The split {split} holds no {' and no '.join(absent)}.{hint} "
                "Annotate more slides, or draw the splits with another --seed."
            )
