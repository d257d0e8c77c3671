"""Write the tiles of slides to a folder; skip slides that are already done."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.dataset.fingerprint import Fingerprint, fingerprint_slide
from glisson.dataset.labels import IGNORED
from glisson.dataset.manifest import MANIFEST_FILE, TileRow, read_manifest, write_manifest
from glisson.dataset.masks import encode_mask
from glisson.dataset.meanings import MeaningTable
from glisson.dataset.splits import Splits
from glisson.dataset.study import SYNTHETIC, SYNTHETIC_FILE, AnnotatedSlide, is_synthetic
from glisson.dataset.tile_folder import IGNORED_MASKS, IMAGES, MASKS, SETTINGS_FILE, read_settings
from glisson.dataset.tiles import (
    LabelledSlide,
    Tile,
    TileSettings,
    measure_class_shares,
    open_labelled,
)
from glisson.errors import AnnotationError, GlissonError, OutputError, SettingsError
from glisson.files.json_files import read_json, write_json

_DONE = "slides"
_CANDIDATES = "candidates"
_WARNINGS = "warnings"
_FOLDERS = (IMAGES, MASKS, IGNORED_MASKS)
_TILE_FILE = re.compile(r"(?P<slide>.+)_x\d+_y\d+\.png")
"""Greedy: of `a_x0_y0_x64_y0.png` the slide is `a_x0_y0`, never `a`."""

Progress = Callable[[str, int, int], None]
"""Progress callback: name of the slide, number of slides done, number of slides."""


@dataclass(frozen=True)
class WrittenTiles:
    """Tiles in a folder.

    Attributes:
        rows: the manifest.
        failed: error message by name of each slide that could not be used or has no tile.
        candidates: number of candidates of each slide with candidates; tiles ignore their pixels.
        warnings: of each slide whose annotations were left out in part or fit the tissue badly.
    """

    rows: tuple[TileRow, ...]
    failed: dict[str, str]
    candidates: dict[str, int]
    warnings: dict[str, list[str]]


def write_tiles(
    out: Path,
    slides: Sequence[AnnotatedSlide],
    splits: Splits,
    settings: TileSettings,
    table: MeaningTable | None = None,
    progress: Progress | None = None,
) -> WrittenTiles:
    """Write `Original/`, `Mask/` and `manifest.csv`.

    Finished slides are skipped unless their file, annotations or µm/px have changed. Patients,
    institutions, diagnoses and splits of every slide are those of this call.

    Ignored pixels are black in `Mask/`, because the paper has no colour for them, and white in a
    picture of the same name in `Ignored/`.

    Raises:
        OutputError: the folder cannot be written to.
        SettingsError: the folder holds tiles of other settings.
    """
    table = table or MeaningTable()
    own = {"tiles": asdict(settings), "classes": [list(row) for row in table.own]}
    _prepare(out, own)
    if any(is_synthetic(slide.slide.parent) for slide in slides):
        (out / SYNTHETIC_FILE).write_text(f"{SYNTHETIC}\n", encoding="utf-8")
    written = _write_slides(_Writer(out, splits, settings, table), slides, progress)
    own["candidates_left_out"] = written.candidates
    named = all(slide.patient_named for slide in slides)
    split = {**asdict(splits.settings), "patients_named": named}
    # The old split leaves `tiles.json` before the old manifest goes, and the new split follows
    # the new manifest: a killed run never describes the split of another manifest.
    write_json(out / SETTINGS_FILE, own)
    write_manifest(out / MANIFEST_FILE, written.rows)
    write_json(out / SETTINGS_FILE, {**own, "split": split})
    return written


def _prepare(out: Path, own: dict[str, Any]) -> None:
    before = read_settings(out)
    if before and {key: before.get(key) for key in own} != own:
        raise SettingsError(
            f"{out} holds tiles of other settings ({SETTINGS_FILE}). Choose another folder."
        )
    try:
        for name in (IMAGES, MASKS, _DONE):
            (out / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Tiles cannot be written to {out}: {error.strerror}.") from error
    if not before:
        write_json(out / SETTINGS_FILE, own)


def _write_slides(
    writer: _Writer,
    slides: Sequence[AnnotatedSlide],
    progress: Progress | None,
) -> WrittenTiles:
    rows: list[TileRow] = []
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        work = {pool.submit(writer.write, slide): slide.name for slide in slides}
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
    done = [slide for slide in slides if slide.name not in failed]
    facts = {slide.name: writer.read_facts(slide) for slide in done}
    return WrittenTiles(
        tuple(sorted(rows, key=lambda row: row.tile)),
        failed,
        {name: each.candidates for name, each in facts.items() if each.candidates},
        {name: each.warnings for name, each in facts.items() if each.warnings},
    )


class _Writer:
    """Writer of tiles into one folder; several threads may each write a slide."""

    def __init__(
        self, out: Path, splits: Splits, settings: TileSettings, table: MeaningTable
    ) -> None:
        self._out, self._splits, self._settings, self._table = out, splits, settings, table
        self._old = _list_pictures(out)

    def write(self, source: AnnotatedSlide) -> list[TileRow]:
        """Write the tiles of a slide unless they are up to date; return their rows."""
        part = self._out / _DONE / f"{source.name}.csv"
        now = fingerprint_slide(source)
        if not part.exists() or _read_facts(part.with_suffix(".json")).fingerprint != now:
            self._rewrite(source, part, now)
        rows = read_manifest(part)
        if not rows:
            raise AnnotationError(
                f"{source.name} has no tile: none is at least {self._settings.min_tissue:.0%} "
                f"tissue and at most {self._settings.max_ignored:.0%} ignored or unreadable. "
                "Check its tissue and regions in QuPath, and its µm/px; or set less tissue or "
                "smaller tiles."
            )
        facts = {
            "patient": source.patient,
            "institution": source.institution,
            "diagnosis": source.diagnosis,
        }
        return [
            row.model_copy(update=facts | {"split": self._splits.of(row.slide, row.x_px, row.y_px)})
            for row in rows
        ]

    def read_facts(self, source: AnnotatedSlide) -> _Facts:
        """Read what was written of a finished slide."""
        return _read_facts(self._out / _DONE / f"{source.name}.json")

    def _rewrite(self, source: AnnotatedSlide, part: Path, now: Fingerprint) -> None:
        """Remove the old table first and write the new one last, so a table proves whole tiles."""
        self._remove_old(source, part)
        with open_labelled(source, self._table) as labelled:
            tiles = labelled.tiles(self._settings)
            rows = [row for tile in tiles if (row := self._write_tile(labelled, tile))]
            facts = {
                **now,
                _CANDIDATES: labelled.labels.candidate_count,
                _WARNINGS: list(labelled.labels.warnings),
            }
        write_json(part.with_suffix(".json"), facts)
        write_manifest(part, rows)

    def _remove_old(self, source: AnnotatedSlide, part: Path) -> None:
        """Remove the tiles of an earlier run and the manifest that lists them."""
        names = self._old.get(source.name, ())
        old = [self._out / folder / name for folder in _FOLDERS for name in names]
        listed = [part, self._out / MANIFEST_FILE] if old else [part]
        try:
            for path in (*listed, *old):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"{error.filename}, of an earlier run, cannot be removed: {error.strerror}. Close "
                "the program that has it open, or choose another folder."
            ) from error

    def _write_tile(self, labelled: LabelledSlide, tile: Tile) -> TileRow | None:
        """Write a tile and return its row; skip a tile that is mostly unreadable."""
        pixels = labelled.read(tile.box_px, self._settings.mpp)
        ignored = pixels.labels == IGNORED
        if ignored.mean() > self._settings.max_ignored:
            return None
        read = replace(
            tile, shares=measure_class_shares(pixels.labels), ignored=float(ignored.mean())
        )
        row = make_tile_row(labelled.source, read, self._splits, self._settings)
        _write_picture(self._out / IMAGES / f"{row.tile}.png", pixels.rgb)
        _write_picture(self._out / MASKS / f"{row.tile}.png", encode_mask(pixels.labels))
        if ignored.any():
            (self._out / IGNORED_MASKS).mkdir(exist_ok=True)
            white = ignored.astype(np.uint8) * 255
            _write_picture(self._out / IGNORED_MASKS / f"{row.tile}.png", white)
        return row


def _list_pictures(out: Path) -> dict[str, set[str]]:
    """Return the file names of the pictures of an earlier run, by slide."""
    by_slide: dict[str, set[str]] = defaultdict(set)
    for folder in _FOLDERS:
        for name in os.listdir(out / folder) if (out / folder).is_dir() else ():
            if match := _TILE_FILE.fullmatch(name):
                by_slide[match["slide"]].add(name)
    return dict(by_slide)


@dataclass(frozen=True)
class _Facts:
    """Facts on a finished slide; the fingerprint is None where they cannot be read."""

    fingerprint: Mapping[str, Any] | None = None
    candidates: int = 0
    warnings: list[str] = field(default_factory=list)


def _read_facts(path: Path) -> _Facts:
    try:
        facts = read_json(path)
    except (OSError, ValueError):
        return _Facts()
    count, warnings = facts.pop(_CANDIDATES, 0), facts.pop(_WARNINGS, [])
    if not isinstance(count, int) or not isinstance(warnings, list):
        return _Facts()
    return _Facts(facts, count, [str(warning) for warning in warnings])


def make_tile_row(
    source: AnnotatedSlide, tile: Tile, splits: Splits, settings: TileSettings
) -> TileRow:
    """Make the manifest's row of a tile."""
    box, box_l0 = tile.box_px, tile.box_l0
    background, lobule, portal = tile.shares
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
        ignored=round(tile.ignored, 6),
    )


def _write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    channels = picture[..., ::-1] if picture.ndim == 3 else picture
    _, data = cv2.imencode(".png", channels)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
