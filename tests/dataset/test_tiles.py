from __future__ import annotations

import csv
import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glisson.dataset import (
    AnnotatedSlide,
    FolderTiles,
    SlideTiles,
    Split,
    Splits,
    SplitSettings,
    SplitUnit,
    TileSettings,
    check_classes_present,
    read_study,
    split_study,
    summarize_splits,
    write_tiles,
)
from glisson.errors import AnnotationError, SettingsError
from tests.dataset.scene import features, source, true_labels, write_slide

ONE_UM = TileSettings(mpp=1.0, size_px=64)


def all_training(*names: str) -> Splits:
    return Splits(SplitSettings(), dict.fromkeys(names, Split.TRAIN))


def test_tiles_on_disk_are_the_slide(tmp_path: Path) -> None:
    path = write_slide(tmp_path / "slides")
    written = write_tiles(tmp_path / "out", [source(path)], all_training("a"), ONE_UM)
    assert not written.failed
    assert len(written.rows) == 64, "8 x 8 tiles of tissue; bare glass has none"
    folder, truth = FolderTiles(tmp_path / "out"), true_labels()
    picture = np.asarray(Image.open(path))
    for row in folder.rows:
        pixels = folder.read(row)
        part = np.s_[row.y_px : row.y_px + 64, row.x_px : row.x_px + 64]
        assert np.array_equal(pixels.rgb, picture[part])
        assert np.array_equal(pixels.labels, truth[part])
        assert row.portal == pytest.approx((truth[part] == 2).mean(), abs=1e-6)
        assert (row.x_l0, row.width_l0) == (row.x_px, 64)


def test_tiles_from_slides_are_the_tiles_on_disk(tmp_path: Path) -> None:
    path = write_slide(tmp_path / "slides")
    write_tiles(tmp_path / "out", [source(path)], all_training("a"), ONE_UM)
    folder = FolderTiles(tmp_path / "out")
    direct = pickle.loads(pickle.dumps(SlideTiles([source(path)], all_training("a"), ONE_UM)))
    assert sorted(direct.rows, key=lambda row: row.tile) == list(folder.rows)
    for row in folder.rows[::7]:
        assert np.array_equal(direct.read(row).rgb, folder.read(row).rgb)
        assert np.array_equal(direct.read(row).labels, folder.read(row).labels)


def test_ignored_pixels_survive_the_disk(tmp_path: Path) -> None:
    square = {
        "type": "Polygon",
        "coordinates": [[[70, 70], [90, 70], [90, 90], [70, 90], [70, 70]]],
    }
    ignore = {
        "type": "Feature",
        "geometry": square,
        "properties": {"classification": {"name": "Ignore*", "color": [0, 0, 0]}},
    }
    path = write_slide(tmp_path / "slides", found=[*features(), ignore])
    write_tiles(tmp_path / "out", [source(path)], all_training("a"), ONE_UM)
    folder = FolderTiles(tmp_path / "out")
    (row,) = [row for row in folder.rows if row.ignored]
    assert (folder.read(row).labels == 255).sum() == 400
    mask = np.asarray(Image.open(tmp_path / "out" / "Mask" / f"{row.tile}.png"))
    assert set(map(tuple, mask.reshape(-1, 3))) <= {(0, 0, 0), (255, 0, 0), (255, 255, 255)}


def test_a_slide_smaller_than_its_tiles_is_not_lost(tmp_path: Path) -> None:
    settings_ = TileSettings(mpp=1.0, size_px=1024)
    tiles = SlideTiles([source(write_slide(tmp_path))], all_training("a"), settings_)
    (row,) = tiles.rows
    labels = tiles.read(row).labels
    assert np.array_equal(labels[:640, :640], true_labels())
    assert (labels[640:] == 255).all()
    assert (labels[:, 640:] == 255).all()


def test_one_bad_slide_costs_only_itself_and_is_mended_later(tmp_path: Path) -> None:
    sources = [source(write_slide(tmp_path / "slides", name)) for name in "abc"]
    good = sources[1].slide.read_bytes()
    sources[1].slide.write_bytes(good[:2000])
    splits, out = all_training("a", "b", "c"), tmp_path / "out"
    written = write_tiles(out, sources, splits, ONE_UM)
    assert list(written.failed) == ["b"]
    assert {row.slide for row in written.rows} == {"a", "c"}
    kept = (out / "Original" / written.rows[0].tile).with_suffix(".png")
    before = kept.stat().st_mtime_ns
    sources[1].slide.write_bytes(good)
    again = write_tiles(out, sources, splits, ONE_UM)
    assert len(again.rows) == 3 * 64
    assert kept.stat().st_mtime_ns == before, "what was done is kept"


def test_other_settings_do_not_mix(tmp_path: Path) -> None:
    path = write_slide(tmp_path / "slides")
    write_tiles(tmp_path / "out", [source(path)], all_training("a"), ONE_UM)
    with pytest.raises(SettingsError, match="other settings"):
        write_tiles(tmp_path / "out", [source(path)], all_training("a"), TileSettings(2.0, 64))


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """The paper's own folder: pictures and masks, no table."""
    for name, array in (("Original", np.full((64, 64, 3), 200, np.uint8)), ("Mask", None)):
        (tmp_path / name).mkdir()
        mask = np.zeros((64, 64, 3), np.uint8)
        mask[:32], mask[:8] = (255, 0, 0), (255, 255, 255)
        Image.fromarray(mask if array is None else array).save(tmp_path / name / "t1.png")
    return tmp_path


def test_the_papers_folder_is_read(pairs: Path) -> None:
    folder = FolderTiles(pairs, mpp=1.0)
    (row,) = folder.rows
    assert row.shares == (0.5, 0.375, 0.125)
    assert np.array_equal(np.bincount(folder.read(row).labels.ravel()), [2048, 1536, 512])


def test_pixel_size_of_bare_pairs_is_asked_for(pairs: Path) -> None:
    with pytest.raises(SettingsError, match="--mpp"):
        FolderTiles(pairs)


def test_another_colour_names_file_and_place(pairs: Path) -> None:
    mask = np.zeros((64, 64, 3), np.uint8)
    mask[5, 9] = (255, 1, 0)
    Image.fromarray(mask).save(pairs / "Mask" / "t1.png")
    with pytest.raises(AnnotationError, match=r"t1\.png: 1 pixels .* x 9, y 5, is \(255, 1, 0\)"):
        FolderTiles(pairs, mpp=1.0)


def test_a_mask_of_another_size_is_refused(pairs: Path) -> None:
    Image.new("RGB", (32, 64)).save(pairs / "Mask" / "t1.png")
    with pytest.raises(AnnotationError, match="is 32 x 64 px, its image 64 x 64"):
        FolderTiles(pairs, mpp=1.0)


def test_a_damaged_picture_is_named(pairs: Path) -> None:
    path = pairs / "Original" / "t1.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(AnnotationError, match=r"t1\.png cannot be read"):
        FolderTiles(pairs, mpp=1.0)


def test_a_lone_picture_is_named(pairs: Path) -> None:
    Image.new("RGB", (64, 64)).save(pairs / "Mask" / "t2.png")
    with pytest.raises(AnnotationError, match=r"t2\.png"):
        FolderTiles(pairs, mpp=1.0)


def study(patients: int, per_patient: int = 1, institutions: int = 3) -> list[AnnotatedSlide]:
    return [
        AnnotatedSlide(
            Path(f"p{p}-{s}.svs"), Path("x"), f"p{p}", f"site {p % institutions}", f"d{p % 2}"
        )
        for p in range(patients)
        for s in range(per_patient)
    ]


@given(
    patients=st.integers(2, 60),
    per_patient=st.integers(1, 3),
    seed=st.integers(0, 9),
    share=st.sampled_from([0.1, 0.2, 0.5]),
)
@settings(max_examples=60, deadline=None)
def test_patients_are_never_torn(patients: int, per_patient: int, seed: int, share: float) -> None:
    slides = study(patients, per_patient)
    splits = split_study(slides, SplitSettings(validation=share, seed=seed))
    by_patient = {(slide.patient, splits.of_slide[slide.name]) for slide in slides}
    assert len(by_patient) == patients
    validating = sum(split is Split.VALIDATION for _, split in by_patient)
    assert abs(validating - share * patients) <= 1
    assert splits == split_study(slides, SplitSettings(validation=share, seed=seed))


def test_every_stratum_gives_its_share() -> None:
    slides = study(120)
    splits = split_study(slides, SplitSettings(validation=0.2))
    drawn = Counter(
        (s.institution, s.diagnosis) for s in slides if splits.of_slide[s.name] is Split.VALIDATION
    )
    assert len(drawn) == 6
    assert set(drawn.values()) <= {3, 4, 5}


def test_held_out_institutions_are_tested_on_whole() -> None:
    slides = study(30)
    splits = split_study(slides, SplitSettings(hold_out=("site 1",)))
    for slide in slides:
        assert (splits.of_slide[slide.name] is Split.TEST) == (slide.institution == "site 1")


def test_a_study_may_be_a_test_set_and_nothing_else() -> None:
    slides = [replace(slide, role=Split.TEST) for slide in study(5)]
    assert set(split_study(slides, SplitSettings()).of_slide.values()) == {Split.TEST}


def test_the_papers_split_leaks_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    splits = split_study(study(1), SplitSettings(by=SplitUnit.TILE))
    assert "leak" in caplog.text or "too good" in caplog.text
    drawn = [splits.of("p0-0", x, y) for x in range(0, 6400, 64) for y in range(0, 640, 64)]
    assert np.mean([split is Split.VALIDATION for split in drawn]) == pytest.approx(0.2, abs=0.03)


def test_splits_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No slide is left"):
        split_study(study(1), SplitSettings())
    with pytest.raises(SettingsError, match="No slide is from Atlantis"):
        split_study(study(9), SplitSettings(hold_out=("Atlantis",)))
    torn = [
        AnnotatedSlide(Path("a.svs"), Path("x"), "p1", role=Split.TRAIN),
        AnnotatedSlide(Path("b.svs"), Path("x"), "p1", role=Split.TEST),
        AnnotatedSlide(Path("c.svs"), Path("x"), "p2", role=Split.VALIDATION),
    ]
    with pytest.raises(SettingsError, match="two splits: p1"):
        split_study(torn, SplitSettings())


def test_a_split_without_tracts_is_refused(tmp_path: Path) -> None:
    tissue_only = features()[:1]
    sources = [
        source(write_slide(tmp_path, "a")),
        source(write_slide(tmp_path, "b", found=tissue_only)),
    ]
    splits = Splits(SplitSettings(), {"a": Split.TRAIN, "b": Split.VALIDATION})
    rows = SlideTiles(sources, splits, TileSettings(mpp=1.0, size_px=640)).rows
    with pytest.raises(SettingsError, match="validation holds no portal"):
        check_classes_present(rows)
    train, validation = summarize_splits(rows)
    assert train.shares[2] == pytest.approx((true_labels() == 2).mean(), abs=1e-6)
    assert validation.shares[2] == 0


def write_cases(folder: Path, rows: list[dict]) -> Path:
    with (folder / "cases.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, sorted({key for row in rows for key in row}))
        table.writeheader()
        table.writerows(rows)
    return folder / "cases.csv"


def test_a_table_of_cases_is_read(tmp_path: Path) -> None:
    for name in "ab":
        write_slide(tmp_path, name)
    rows = [
        {
            "slide": "a.png",
            "patient": "p",
            "institution": "Monza",
            "role": "train",
            "override_mpp": 1,
        },
        {"slide": "b.png", "role": "clinical"},
    ]
    (only,) = read_study(write_cases(tmp_path, rows))
    assert (only.patient, only.institution, only.role, only.mpp) == ("p", "Monza", "train", 1.0)
    assert only.annotations == tmp_path / "a.geojson"


def test_slides_without_annotation_and_annotations_without_slide(tmp_path: Path) -> None:
    write_slide(tmp_path, "a")
    (tmp_path / "b.geojson").write_text("[]")
    with pytest.raises(AnnotationError, match=r"without a slide: b\.geojson"):
        read_study(tmp_path)
    (tmp_path / "b.geojson").rename(tmp_path / "a.geojson")
    write_slide(tmp_path, "c")
    (tmp_path / "c.geojson").unlink()
    with pytest.raises(AnnotationError, match=r"without annotation: c\.png"):
        read_study(tmp_path)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"slide": "none.svs"}, "not there"),
        ({"slide": "a.png", "override_mpp": "100"}, "line 2.*override_mpp"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: dict, problem: str) -> None:
    write_slide(tmp_path, "a")
    with pytest.raises(SettingsError, match=problem):
        read_study(write_cases(tmp_path, [row]))


@pytest.mark.parametrize("wrong", [{"mpp": 0.0}, {"size_px": 100}, {"min_tissue": 0.0}])
def test_tiles_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(SettingsError):
        TileSettings(**wrong)
