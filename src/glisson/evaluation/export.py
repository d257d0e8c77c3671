"""Export a model to the formats of other programs: `glisson.export` and its verb."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glisson.dataset import FolderTiles
from glisson.errors import MissingExtra, SettingsError
from glisson.evaluation.tiles import check_mpp
from glisson.model import Exported, Format, ModelBundle, export_model, find_model

Pixels = NDArray[np.uint8]


def export(
    model: str | Path | None,
    out: str | Path,
    tiles: str | Path | Pixels,
    formats: Sequence[Format | str] | None = None,
    count: int = 24,
) -> tuple[Exported, ...]:
    """Write a model in the formats of other programs, each compared with the trained model.

    Args:
        model: name or folder of a model; None for the shipped model.
        out: folder to write to.
        tiles: what to compare on: a folder of tiles, or pixels, (N, H, W, 3) uint8 at the model's
            µm/px and window.
        formats: what to write; None for all, without int8 where that cannot be made.
        count: number of tiles to take from a folder.

    Raises:
        ModelError: the model cannot be used.
        SettingsError: an unknown format, or too few tiles.
        MissingExtra: a format needs a package that is not installed.
        OutputError: `out` cannot be written to.
    """
    bundle = find_model(model)
    pixels = tiles if isinstance(tiles, np.ndarray) else sample_tiles(Path(tiles), count, bundle)
    if unknown := [each for each in formats or () if each not in list(Format)]:
        raise SettingsError(
            f"There is no format '{unknown[0]}'. Give some of: {', '.join(Format)}."
        )
    wanted = None if formats is None else [Format(each) for each in formats]
    made = export_formats(bundle, Path(out), pixels, wanted)
    return tuple(each for _, each in made if isinstance(each, Exported))


def export_formats(
    bundle: ModelBundle, out: Path, pixels: Pixels, formats: Sequence[Format] | None
) -> Iterator[tuple[Format, Exported | str]]:
    """Write one format after the other; yield each with its file, or why int8 was left out.

    Raises:
        GlissonError: as `export`.
    """
    for format in formats or list(Format):
        try:
            yield format, export_model(bundle, out, format, pixels)
        except (MissingExtra, SettingsError) as error:  # no nncf, or too few tiles
            if formats or format is not Format.INT8:
                raise
            yield format, str(error)


def sample_tiles(folder: Path, count: int, bundle: ModelBundle) -> Pixels:
    """Read tiles of a folder, chosen at random by a fixed seed: (N, H, W, 3) uint8.

    Raises:
        SettingsError: the tiles have another µm/px than the model.
    """
    source = FolderTiles(folder, bundle.spec.mpp)
    check_mpp(bundle, source.rows)
    rows = np.random.default_rng(0).permutation(len(source.rows))[:count]
    return np.stack([source.read(source.rows[int(row)]).rgb for row in rows])
