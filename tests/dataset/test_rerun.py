"""Tiles written a second time, after something was corrected or a run was killed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glisson.dataset import (
    IGNORED,
    AnnotatedSlide,
    FolderTiles,
    Split,
    Splits,
    SplitSettings,
    SplitUnit,
    TileSettings,
    write_tiles,
)
from glisson.dataset import tile_writing as writing
from glisson.errors import SettingsError
from tests.dataset.scene import box, feature, features, source, write_slide

ONE_UM = TileSettings(mpp=1.0, size_px=64)


def splits_of(*slides: AnnotatedSlide, by: SplitUnit = SplitUnit.PATIENT) -> Splits:
    return Splits(SplitSettings(by), {slide.name: Split.TRAIN for slide in slides})


def write(out: Path, *slides: AnnotatedSlide) -> FolderTiles:
    written = write_tiles(out, slides, splits_of(*slides), ONE_UM)
    assert not written.failed
    return FolderTiles(out)


def portal_px(tiles: FolderTiles) -> int:
    return sum(int((tiles.read(row).labels == 2).sum()) for row in tiles.rows)


def names(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.png")}


def test_corrected_annotations_are_taken_over(tmp_path: Path) -> None:
    slide, other = (source(write_slide(tmp_path / "slides", name)) for name in ("a", "b"))
    before = portal_px(write(tmp_path / "out", slide, other))
    kept = tmp_path / "out" / "Original" / "b_x64_y64.png"
    written_at = kept.stat().st_mtime_ns
    corrected = [*features(), feature("Portal tract", box(500, 500, 540, 540))]
    write_slide(tmp_path / "new", "a", found=corrected)
    shutil.copy(tmp_path / "new" / "a.geojson", slide.annotations)
    assert portal_px(write(tmp_path / "out", slide, other)) == before + 40 * 40
    assert kept.stat().st_mtime_ns == written_at, "the other slide is kept"


def test_candidates_left_out_are_said_each_time_and_written_down(tmp_path: Path) -> None:
    drawn = [*features(), feature("Portal tract?", box(500, 100, 540, 140))]
    unsure = source(write_slide(tmp_path / "slides", "a", found=drawn))
    plain = source(write_slide(tmp_path / "slides", "b"))
    splits = splits_of(unsure, plain)
    picture = tmp_path / "out" / "Original" / "a_x64_y64.png"
    stamps = set()
    for _ in range(2):
        written = write_tiles(tmp_path / "out", [unsure, plain], splits, ONE_UM)
        assert written.candidates == {"a": 1}
        stamps.add(picture.stat().st_mtime_ns)
        facts = json.loads((tmp_path / "out" / "tiles.json").read_text())
        assert facts["candidates_left_out"] == {"a": 1}
    assert len(stamps) == 1, "nothing was cut anew"
    tiles = FolderTiles(tmp_path / "out")
    ignored = sum(int((tiles.read(row).labels == IGNORED).sum()) for row in tiles.rows)
    assert ignored == 40 * 40
    unsure.annotations.write_bytes(plain.annotations.read_bytes())
    assert write_tiles(tmp_path / "out", [unsure, plain], splits, ONE_UM).candidates == {}


def test_another_readers_annotations_are_taken_over(tmp_path: Path) -> None:
    slide = source(write_slide(tmp_path / "slides"))
    before = portal_px(write(tmp_path / "out", slide))
    reader = slide.annotations.with_name("a.reader-2.geojson")
    one_tract = {"type": "FeatureCollection", "features": features()[:2]}
    reader.write_text(json.dumps(one_tract))
    after = portal_px(write(tmp_path / "out", replace(slide, annotations=reader)))
    assert 0 < after < before


def test_where_the_annotations_lie_does_not_matter(tmp_path: Path) -> None:
    slide = source(write_slide(tmp_path / "slides"))
    write(tmp_path / "out", slide)
    picture = tmp_path / "out" / "Original" / "a_x64_y64.png"
    written_at = picture.stat().st_mtime_ns
    moved = shutil.copy(slide.annotations, tmp_path / "a.geojson")
    write(tmp_path / "out", replace(slide, annotations=Path(moved)))
    assert picture.stat().st_mtime_ns == written_at


def test_a_redrawn_slide_is_cut_anew(tmp_path: Path) -> None:
    slide = source(write_slide(tmp_path / "slides"))
    write(tmp_path / "out", slide)
    facts = slide.slide.stat()
    Image.fromarray(np.full((640, 640, 3), 7, np.uint8)).save(slide.slide)
    os.utime(slide.slide, ns=(facts.st_atime_ns, facts.st_mtime_ns + 10**9))
    tiles = write(tmp_path / "out", slide)
    assert {int(tiles.read(row).rgb.max()) for row in tiles.rows} == {7}


def test_another_pixel_size_leaves_no_old_tiles(tmp_path: Path) -> None:
    """Slides whose names begin alike are told apart."""
    near = [source(write_slide(tmp_path / "slides", name)) for name in ("a_x0_y0", "a_x0")]
    slide = source(write_slide(tmp_path / "slides", "a"))
    write(tmp_path / "out", slide, *near)
    beside = [tmp_path / "out" / "Mask" / f"{name}_x64_y64.png" for name in ("a_x0_y0", "a_x0")]
    written_at = [path.stat().st_mtime_ns for path in beside]
    tiles = write(tmp_path / "out", replace(slide, mpp=0.5), *near)
    assert len([row for row in tiles.rows if row.slide == "a"]) == 25
    for folder in ("Original", "Mask"):
        assert names(tmp_path / "out" / folder) == {row.tile for row in tiles.rows}
    assert [path.stat().st_mtime_ns for path in beside] == written_at


def test_what_is_no_longer_ignored_leaves_no_old_mask(tmp_path: Path) -> None:
    ignore = feature("Ignore*", box(70, 70, 90, 90))
    slide = source(write_slide(tmp_path / "slides", found=[*features(), ignore]))
    write(tmp_path / "out", slide)
    assert names(tmp_path / "out" / "Ignored") == {"a_x64_y64"}
    write_slide(tmp_path / "slides")
    tiles = write(tmp_path / "out", slide)
    assert not names(tmp_path / "out" / "Ignored")
    assert not any(row.ignored for row in tiles.rows)


def test_corrected_facts_are_taken_over_without_new_tiles(tmp_path: Path) -> None:
    slide = source(write_slide(tmp_path / "slides"), patient="p1", institution="Monza")
    write(tmp_path / "out", slide)
    picture = tmp_path / "out" / "Original" / "a_x64_y64.png"
    written_at = picture.stat().st_mtime_ns
    corrected = replace(slide, patient="p2", institution="Palermo", diagnosis="PBC")
    tiles = write(tmp_path / "out", corrected)
    facts = {(row.patient, row.institution, row.diagnosis) for row in tiles.rows}
    assert facts == {("p2", "Palermo", "PBC")}
    assert picture.stat().st_mtime_ns == written_at


@pytest.mark.parametrize("writes_before_the_kill", [1, 2])
def test_a_kill_never_leaves_a_word_on_another_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes_before_the_kill: int
) -> None:
    """First split by tile, then anew by patient; killed just before and after the manifest."""
    slides = [source(write_slide(tmp_path / "slides", name)) for name in "ab"]
    out, alive = tmp_path / "out", iter([True] * writes_before_the_kill)
    write_tiles(out, slides, splits_of(*slides, by=SplitUnit.TILE), ONE_UM)

    def mortal(real: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: object) -> None:
            if not next(alive, False):
                raise KeyboardInterrupt
            real(*arguments)

        return call

    with monkeypatch.context() as patch:
        for name in ("write_json", "write_manifest"):
            patch.setattr(writing, name, mortal(getattr(writing, name)))
        with pytest.raises(KeyboardInterrupt):
            write_tiles(out, slides, splits_of(*slides), ONE_UM)
    assert "split" not in json.loads((out / "tiles.json").read_text())
    write_tiles(out, slides, splits_of(*slides), ONE_UM)
    assert json.loads((out / "tiles.json").read_text())["split"]["by"] == "patient"


def test_a_folder_that_is_half_redone_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = source(write_slide(tmp_path / "slides"))
    write(tmp_path / "out", slide)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "encode_mask", killed)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out", replace(slide, mpp=0.5))
    with pytest.raises(SettingsError, match=r"not finished.*again"):
        FolderTiles(tmp_path / "out", mpp=1.0)
    monkeypatch.undo()
    assert len(write(tmp_path / "out", replace(slide, mpp=0.5)).rows) == 25


def test_a_slide_without_tiles_is_told_every_time(tmp_path: Path) -> None:
    thin = [feature("Tissue", box(0, 0, 4, 4))]
    slides = [
        source(write_slide(tmp_path / "slides", "a")),
        source(write_slide(tmp_path / "slides", "b", found=thin)),
    ]
    for _ in range(2):
        written = write_tiles(tmp_path / "out", slides, splits_of(*slides), ONE_UM)
        assert list(written.failed) == ["b"]
        assert "no tile: none is at least 10% tissue" in written.failed["b"]
        assert {row.slide for row in written.rows} == {"a"}


def test_a_slide_that_is_gone_costs_only_itself(tmp_path: Path) -> None:
    slides = [source(write_slide(tmp_path / "slides", name)) for name in "ab"]
    slides[1].slide.unlink()
    written = write_tiles(tmp_path / "out", slides, splits_of(*slides), ONE_UM)
    assert list(written.failed) == ["b"]
    assert len(written.rows) == 64


def test_damaged_settings_are_named(tmp_path: Path) -> None:
    slide = source(write_slide(tmp_path / "slides"))
    write(tmp_path / "out", slide)
    (tmp_path / "out" / "tiles.json").write_text("{")
    with pytest.raises(SettingsError, match=r"tiles\.json cannot be read"):
        FolderTiles(tmp_path / "out")
