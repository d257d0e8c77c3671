"""Writing tiles to a folder: one slide after another, and none twice."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.dataset.fingerprint import Fingerprint, fingerprint
from glisson.dataset.labels import IGNORED
from glisson.dataset.manifest import MANIFEST_FILE, TileRow, read_manifest, write_manifest
from glisson.dataset.masks import mask_picture
from glisson.dataset.meanings import MeaningTable
from glisson.dataset.splits import Splits
from glisson.dataset.study import SYNTHETIC, SYNTHETIC_FILE, AnnotatedSlide, is_synthetic
from glisson.dataset.tile_folder import IGNORED_MASKS, IMAGES, MASKS, SETTINGS_FILE, read_settings
from glisson.dataset.tiles import LabelledSlide, Tile, TileSettings, class_shares, open_labelled
from glisson.errors import AnnotationError, GlissonError, OutputError, SettingsError
from glisson.files.atomic import atomic_path

_DONE = "slides"
_CANDIDATES = "candidates"
_FOLDERS = (IMAGES, MASKS, IGNORED_MASKS)
_TILE_FILE = re.compile(r"(?P<slide>.+)_x\d+_y\d+\.png")
"""Greedy: of `a_x0_y0_x64_y0.png` the slide is `a_x0_y0`, never `a`."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class WrittenTiles:
    """What was written.

    Attributes:
        rows: the manifest.
        failed: message by slide that could not be used, or has no tile; the others are whole.
        candidates: number of candidates by slide that has any; their pixels are ignored.
    """

    rows: tuple[TileRow, ...]
    failed: dict[str, str]
    candidates: dict[str, int]


def write_tiles(
    out: Path,
    slides: Sequence[AnnotatedSlide],
    splits: Splits,
    settings: TileSettings,
    table: MeaningTable | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> WrittenTiles:
    """Write `Original/`, `Mask/` and `manifest.csv`.

    Slides done before are kept, unless their file, their annotations or their µm/px changed since.
    Patients, institutions, diagnoses and splits are those of this call for every slide.

    Ignored pixels are black in `Mask/`, as the paper has no colour for them, and white in a
    picture of the same name in `Ignored/`, which is there only where a tile has any.

    Raises:
        OutputError: the folder cannot be written to.
        SettingsError: the folder holds tiles of other settings.
    """
    table = table or MeaningTable()
    own = {"tiles": asdict(settings), "classes": [list(row) for row in table.own]}
    _prepare(out, own)
    if any(is_synthetic(slide.slide.parent) for slide in slides):
        (out / SYNTHETIC_FILE).write_text(f"{SYNTHETIC}\n", encoding="utf-8")
    written = _written_slides(_Writer(out, splits, settings, table), slides, workers, progress)
    left_out = {"candidates_left_out": written.candidates}
    _finish(out, written.rows, own | left_out, _split_facts(slides, splits))
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
        _write_json(out / SETTINGS_FILE, own)


def _split_facts(slides: Sequence[AnnotatedSlide], splits: Splits) -> dict[str, Any]:
    named = all(slide.patient_named for slide in slides)
    return {**asdict(splits.settings), "patients_named": named}


def _finish(out: Path, rows: Sequence[TileRow], own: dict[str, Any], split: dict[str, Any]) -> None:
    """The manifest, and what `tiles.json` says of its split.

    The word on the old split goes before the old manifest does, and the one on the new comes
    after the new: a run killed in between leaves no word, never one on another manifest.
    """
    _write_json(out / SETTINGS_FILE, own)
    write_manifest(out / MANIFEST_FILE, rows)
    _write_json(out / SETTINGS_FILE, {**own, "split": split})


def _written_slides(
    writer: _Writer, slides: Sequence[AnnotatedSlide], workers: int | None, told: Progress | None
) -> WrittenTiles:
    rows: list[TileRow] = []
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        work = {pool.submit(writer.rows, slide): slide.name for slide in slides}
        for number, future in enumerate(as_completed(work), 1):
            try:
                rows += future.result()
            except OutputError:
                pool.shutdown(cancel_futures=True)
                raise
            except GlissonError as error:
                failed[work[future]] = str(error)
            if told:
                told(work[future], number, len(work))
    counts = {each.name: writer.candidate_count(each) for each in slides if each.name not in failed}
    candidates = {name: count for name, count in counts.items() if count}
    return WrittenTiles(tuple(sorted(rows, key=lambda row: row.tile)), failed, candidates)


class _Writer:
    """Writes the tiles of slides into one folder; slides may be written side by side."""

    def __init__(
        self, out: Path, splits: Splits, settings: TileSettings, table: MeaningTable
    ) -> None:
        self._out, self._splits, self._settings, self._table = out, splits, settings, table
        self._old = _pictures(out)

    def rows(self, source: AnnotatedSlide) -> list[TileRow]:
        """Rows of one slide; its tiles are written unless they were, from the same files."""
        part = self._out / _DONE / f"{source.name}.csv"
        now = fingerprint(source)
        if not part.exists() or _read_facts(part.with_suffix(".json"))[0] != now:
            self._redo(source, part, now)
        rows = read_manifest(part)
        if not rows:
            raise AnnotationError(_no_tile(source, self._settings))
        return [row.model_copy(update=self._facts(source, row)) for row in rows]

    def candidate_count(self, source: AnnotatedSlide) -> int:
        """Number of candidates among the annotations of a slide that is done."""
        return _read_facts(self._out / _DONE / f"{source.name}.json")[1]

    def _facts(self, source: AnnotatedSlide, row: TileRow) -> dict[str, Any]:
        """What may be corrected without touching a pixel."""
        return {
            "patient": source.patient,
            "institution": source.institution,
            "diagnosis": source.diagnosis,
            "split": self._splits.of(row.slide, row.x_px, row.y_px),
        }

    def _redo(self, source: AnnotatedSlide, part: Path, now: Fingerprint) -> None:
        """Its table goes first and comes last: where there is one, the tiles are whole."""
        self._forget(source, part)
        with open_labelled(source, self._table) as labelled:
            tiles = labelled.tiles(self._settings)
            rows = [row for tile in tiles if (row := self._row(labelled, tile)) is not None]
            facts = {**now, _CANDIDATES: labelled.labels.candidate_count}
        _write_json(part.with_suffix(".json"), facts)
        write_manifest(part, rows)

    def _forget(self, source: AnnotatedSlide, part: Path) -> None:
        """Remove what an earlier run wrote, with the manifest that lists it."""
        names = self._old.get(source.name, ())
        old = [self._out / folder / name for folder in _FOLDERS for name in names]
        listed = [part, self._out / MANIFEST_FILE] if old else [part]
        try:
            for path in (*listed, *old):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"{error.filename}, of an earlier run, cannot be removed: {error.strerror}. Close "
                "what has it open, or choose another folder."
            ) from error

    def _row(self, labelled: LabelledSlide, tile: Tile) -> TileRow | None:
        """Write one tile; None when so much of it cannot be read that nothing is left."""
        pixels = labelled.read(tile.box_px, self._settings.mpp)
        ignored = pixels.labels == IGNORED
        if ignored.mean() > self._settings.max_ignored:
            return None
        seen = replace(tile, shares=class_shares(pixels.labels), ignored=float(ignored.mean()))
        row = tile_row(labelled.source, seen, self._splits, self._settings)
        _write_picture(self._out / IMAGES / f"{row.tile}.png", pixels.rgb)
        _write_picture(self._out / MASKS / f"{row.tile}.png", mask_picture(pixels.labels))
        if ignored.any():
            (self._out / IGNORED_MASKS).mkdir(exist_ok=True)
            white = ignored.astype(np.uint8) * 255
            _write_picture(self._out / IGNORED_MASKS / f"{row.tile}.png", white)
        return row


def _pictures(out: Path) -> dict[str, set[str]]:
    """Names of every slide's pictures that an earlier run left, whole or not."""
    found: dict[str, set[str]] = defaultdict(set)
    for folder in _FOLDERS:
        for name in os.listdir(out / folder) if (out / folder).is_dir() else ():
            if match := _TILE_FILE.fullmatch(name):
                found[match["slide"]].add(name)
    return dict(found)


def _read_facts(path: Path) -> tuple[Mapping[str, Any] | None, int]:
    """Read the fingerprint of a slide that is done, and its number of candidates.

    Without a fingerprint (None), the slide is done anew.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None, 0
    if not isinstance(facts, dict):
        return None, 0
    count = facts.pop(_CANDIDATES, 0)
    return facts, count if isinstance(count, int) else 0


def _no_tile(source: AnnotatedSlide, settings: TileSettings) -> str:
    return (
        f"{source.name} has no tile: none is at least {settings.min_tissue:.0%} tissue and at "
        f"most {settings.max_ignored:.0%} ignored or unreadable. Look at its tissue and regions "
        "in QuPath, and at its µm/px; or ask for less tissue or smaller tiles."
    )


def tile_row(source: AnnotatedSlide, tile: Tile, splits: Splits, settings: TileSettings) -> TileRow:
    """The manifest's line on one tile."""
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


def _write_json(path: Path, facts: Mapping[str, Any]) -> None:
    with atomic_path(path) as unfinished:
        unfinished.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    channels = picture[..., ::-1] if picture.ndim == 3 else picture
    _, data = cv2.imencode(".png", channels)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
