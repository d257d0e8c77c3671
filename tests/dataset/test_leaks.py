"""Patients in several splits: refused, or told wherever a score is shown."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glisson.dataset import (
    LEAK,
    NO_PATIENTS,
    SLIDE_LEAK,
    UNKNOWN_PATIENT,
    UNNAMED_PATIENTS,
    AnnotatedSlide,
    FolderTiles,
    SlideTiles,
    Split,
    Splits,
    SplitSettings,
    SplitUnit,
    TileSettings,
    TileSource,
    find_leak,
    read_study,
    split_study,
    summarize_splits,
    write_tiles,
)
from glisson.errors import AnnotationError, SettingsError
from tests.dataset.scene import source, write_slide

ONE_UM = TileSettings(mpp=1.0, size_px=64)


def study(**roles: Split) -> list[AnnotatedSlide]:
    """Slides named `<patient>_<letter>`."""
    return [
        AnnotatedSlide(Path(f"{name}.svs"), Path("x"), name.split("_")[0], role=role)
        for name, role in roles.items()
    ]


TORN = study(p1_a=Split.TRAIN, p1_b=Split.VALIDATION, p2_a=Split.TRAIN)
WHOLE = study(p1_a=Split.TRAIN, p1_b=Split.TRAIN, p2_a=Split.VALIDATION)
IN_TEST = study(p1_a=Split.TRAIN, p1_b=Split.TEST, p2_a=Split.VALIDATION)


@pytest.mark.parametrize("by", SplitUnit)
def test_the_test_set_shares_no_patient_whatever_the_split(by: SplitUnit) -> None:
    with pytest.raises(SettingsError, match="two splits: p1"):
        split_study(IN_TEST, SplitSettings(by))


def test_an_institution_that_shares_a_patient_cannot_be_held_out() -> None:
    slides = [replace(slide, institution=f"site {slide.name[-1]}", role=None) for slide in TORN]
    for by in SplitUnit:
        with pytest.raises(SettingsError, match="two splits: p1"):
            split_study(slides, SplitSettings(by, 0.5, ("site b",)))


def test_slides_of_one_patient_in_two_splits_are_told(caplog: pytest.LogCaptureFixture) -> None:
    settings = SplitSettings(SplitUnit.SLIDE)
    assert find_leak(TORN, split_study(TORN, settings)) == SLIDE_LEAK
    assert SLIDE_LEAK in caplog.text
    assert find_leak(WHOLE, split_study(WHOLE, settings)) is None


def test_leaks_of_other_splits() -> None:
    assert find_leak(WHOLE, split_study(WHOLE, SplitSettings())) is None
    assert find_leak(WHOLE, split_study(WHOLE, SplitSettings(SplitUnit.TILE))) == LEAK


def test_a_study_without_patients_says_so(tmp_path: Path) -> None:
    for name in "abcd":
        write_slide(tmp_path, name)
    slides = read_study(tmp_path)
    assert find_leak(slides, split_study(slides, SplitSettings())) == UNNAMED_PATIENTS
    with (tmp_path / "cases.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["slide", "patient"], *([f"{n}.png", n] for n in "abcd")])
    named = read_study(tmp_path)
    assert find_leak(named, split_study(named, SplitSettings())) is None, "named as their slides"


def test_no_slide_validates_where_tiles_are_drawn() -> None:
    slides = study(p1_a=Split.TEST, **{f"q{n}_a": Split.TRAIN for n in range(20)})
    splits = split_study(slides, SplitSettings(SplitUnit.TILE))
    assert splits.of_slide.pop("p1_a") is Split.TEST
    assert set(splits.of_slide.values()) == {Split.TRAIN}
    drawn = {splits.of("q1_a", x, 0) for x in range(0, 6400, 64)}
    assert drawn == {Split.TRAIN, Split.VALIDATION}
    assert splits.of("p1_a", 0, 0) in Split


@pytest.fixture
def slides(tmp_path: Path) -> list[AnnotatedSlide]:
    return [
        source(write_slide(tmp_path / "slides", name), patient=name[0]) for name in ("pa", "pb")
    ]


def drawn(by: SplitUnit, second: Split = Split.VALIDATION) -> Splits:
    return Splits(SplitSettings(by), {"pa": Split.TRAIN, "pb": second})


@pytest.mark.parametrize(("by", "leak"), [(SplitUnit.SLIDE, SLIDE_LEAK), (SplitUnit.TILE, LEAK)])
def test_folders_and_slides_tell_the_same_leak(
    tmp_path: Path, slides: list[AnnotatedSlide], by: SplitUnit, leak: str
) -> None:
    write_tiles(tmp_path / "out", slides, drawn(by), ONE_UM)
    sources: list[TileSource] = [
        FolderTiles(tmp_path / "out"),
        SlideTiles(slides, drawn(by), ONE_UM),
    ]
    assert [each.leak for each in sources] == [leak, leak]


def test_slides_split_without_a_tear_do_not_leak(
    tmp_path: Path, slides: list[AnnotatedSlide]
) -> None:
    others = [replace(slide, patient=slide.name) for slide in slides]
    write_tiles(tmp_path / "out", others, drawn(SplitUnit.SLIDE), ONE_UM)
    assert FolderTiles(tmp_path / "out").leak is None
    assert SlideTiles(others, drawn(SplitUnit.SLIDE), ONE_UM).leak is None


def test_a_folder_of_unnamed_patients_says_so(tmp_path: Path, slides: list[AnnotatedSlide]) -> None:
    unnamed = [replace(slide, patient=slide.name, patient_named=False) for slide in slides]
    write_tiles(tmp_path / "out", unnamed, drawn(SplitUnit.PATIENT), ONE_UM)
    assert FolderTiles(tmp_path / "out").leak == UNNAMED_PATIENTS


@pytest.mark.parametrize("settings", ["patient", None])
def test_a_manifest_that_tears_a_patient_is_refused(
    tmp_path: Path, slides: list[AnnotatedSlide], settings: str | None
) -> None:
    write_tiles(tmp_path / "out", slides, drawn(SplitUnit.SLIDE), ONE_UM)
    path = tmp_path / "out" / "tiles.json"
    if settings is None:
        path.unlink()
    else:
        path.write_text(json.dumps({"split": {"by": settings}}))
    with pytest.raises(SettingsError, match=r"manifest\.csv: patients in two splits: p\."):
        FolderTiles(tmp_path / "out")


@pytest.mark.parametrize("by", [SplitUnit.SLIDE, SplitUnit.TILE])
def test_a_manifest_with_a_patient_in_the_test_set_is_refused(
    tmp_path: Path, slides: list[AnnotatedSlide], by: SplitUnit
) -> None:
    write_tiles(tmp_path / "out", slides, drawn(by, Split.TEST), ONE_UM)
    with pytest.raises(SettingsError, match="patients in two splits: p"):
        FolderTiles(tmp_path / "out")


def bare(folder: Path, **sizes: tuple[int, int]) -> Path:
    for name, size in sizes.items():
        for kind in ("Original", "Mask"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, (255, 0, 0)).save(folder / kind / f"{name}.png")
    return folder


def test_bare_tiles_have_no_patient(tmp_path: Path) -> None:
    tiles = FolderTiles(bare(tmp_path, t1=(64, 64), t2=(64, 64)), mpp=1.0)
    assert {row.patient for row in tiles.rows} == {UNKNOWN_PATIENT}
    assert [row.slide for row in tiles.rows] == ["t1", "t2"]
    assert tiles.leak == NO_PATIENTS
    assert {each.patients for each in summarize_splits(tiles.rows)} == {0}


def test_a_manifest_without_patients_leaks_as_bare_tiles_do(
    tmp_path: Path, slides: list[AnnotatedSlide]
) -> None:
    unknown = [replace(slide, patient=UNKNOWN_PATIENT) for slide in slides]
    write_tiles(tmp_path / "out", unknown, drawn(SplitUnit.PATIENT), ONE_UM)
    assert FolderTiles(tmp_path / "out").leak == NO_PATIENTS


def test_bare_tiles_are_square(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"t1\.png is 64 x 32 px, .*square: 32 x 32 px"):
        FolderTiles(bare(tmp_path, t1=(64, 32)), mpp=1.0)


def test_bare_tiles_are_of_one_size(tmp_path: Path) -> None:
    folder = bare(tmp_path, t1=(64, 64), t2=(32, 32))
    with pytest.raises(AnnotationError, match=r"t2\.png is 32 x 32 px, t1\.png 64 x 64 px.*quare"):
        FolderTiles(folder, mpp=1.0)


def test_a_folder_copied_without_its_table_is_bare(
    tmp_path: Path, slides: list[AnnotatedSlide]
) -> None:
    write_tiles(tmp_path / "out", slides, drawn(SplitUnit.TILE), ONE_UM)
    for name in ("Original", "Mask"):
        shutil.copytree(tmp_path / "out" / name, tmp_path / "bare" / name)
    tiles = FolderTiles(tmp_path / "bare", mpp=1.0)
    assert len(tiles.rows) == 128
    assert np.array_equal(tiles.read(tiles.rows[0]).rgb.shape, (64, 64, 3))
