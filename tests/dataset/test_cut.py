"""The verb `tiles` as a function."""

from __future__ import annotations

from pathlib import Path

from glisson.dataset import (
    LEAK,
    CutSettings,
    FolderTiles,
    SplitSettings,
    SplitUnit,
    TileSettings,
    cut_tiles,
    open_study,
)
from tests.dataset.scene import box, feature, features, write_slide

TILES = (TileSettings(mpp=2.0, size_px=64), TileSettings(mpp=4.0, size_px=64))


def write_study(folder: Path) -> Path:
    write_slide(folder, "a", found=[*features(), feature("Portal tract?", box(450, 90, 500, 140))])
    write_slide(folder, "b")
    (folder / "cases.csv").write_text("slide,patient,override_mpp\na.png,a,1\nb.png,b,1\n")
    return folder


def test_each_pixel_size_has_its_folder_and_warnings_come_back(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    result = cut_tiles(
        write_study(tmp_path / "study"),
        tmp_path / "out",
        CutSettings(TILES, SplitSettings(SplitUnit.TILE)),
        progress=lambda *step: steps.append(step),
    )
    assert list(result.folders) == [tmp_path / "out" / name for name in ("2um", "4um")]
    for folder, written in result.folders.items():
        assert FolderTiles(folder).rows == written.rows
    assert not result.failed
    leak, candidates = result.warnings
    assert leak == LEAK
    assert candidates.startswith("1 candidate (")
    assert sorted(name for name, _, _ in steps) == ["2um/a", "2um/b", "4um/a", "4um/b"]
    assert [(done, total) for _, done, total in steps] == [(n, 4) for n in range(1, 5)]


def test_a_slide_that_fails_is_named_and_the_others_are_cut(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    (study / "b.png").write_bytes((study / "b.png").read_bytes()[:900])
    result = cut_tiles(study, tmp_path / "out", CutSettings(TILES[:1]))
    assert list(result.failed) == ["b"]
    (written,) = result.folders.values()
    assert {row.slide for row in written.rows} == {"a"}


def test_a_study_opens_with_the_tiles_that_would_be_written(tmp_path: Path) -> None:
    study, settings = write_study(tmp_path / "study"), CutSettings(TILES[:1])
    (written,) = cut_tiles(study, tmp_path / "out", settings).folders.values()
    tiles = open_study(study, TILES[0])
    assert sorted(tiles.rows, key=lambda row: row.tile) == list(written.rows)
    assert [slide.name for slide in tiles.slides] == ["a", "b"]
