from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glisson.dataset import (
    IGNORED,
    UNKNOWN_PATIENT,
    AnnotationSettings,
    Split,
    Splits,
    SplitSettings,
    TileSettings,
    write_tiles,
)
from glisson.dataset.tile_folder import FolderTiles
from glisson.errors import OutputError, SettingsError
from glisson.evaluation import (
    EvaluationSettings,
    Subject,
    evaluate,
    evaluate_model,
    evaluate_models,
)
from glisson.evaluation.gallery import best_and_worst, draw_gallery
from glisson.evaluation.tables import (
    FEW_PATIENTS,
    Scored,
    border_table,
    drift_table,
    has_drift,
    table_one,
    table_two,
)
from glisson.evaluation.tiles import TileScore, _score_boundary, score_tiles
from glisson.model import ModelBundle, find_model
from glisson.scores import BoundaryScores, boundary_scores
from tests.dataset.scene import source, write_slide
from tests.scenes import ColourModel, ConstantModel

INSTITUTIONS = {"a": "Monza", "b": "Monza", "c": "Palermo", "d": "Coimbra"}
SPLITS = {"a": Split.TRAIN, "b": Split.VALIDATION, "c": Split.TEST, "d": Split.TEST}


def model_at(mpp: float = 2.0, name: str = "m") -> ModelBundle:
    bundle = find_model()
    return replace(bundle, spec=bundle.spec.model_copy(update={"mpp": mpp, "name": name}))


def cut(folder: Path, mpp: float) -> FolderTiles:
    slides = [
        source(write_slide(folder / "slides", name), institution=place)
        for name, place in INSTITUTIONS.items()
    ]
    settings = TileSettings(mpp=mpp, size_px=64)
    written = write_tiles(folder / "tiles", slides, Splits(SplitSettings(), SPLITS), settings)
    assert not written.failed
    return FolderTiles(folder / "tiles")


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> FolderTiles:
    return cut(tmp_path_factory.mktemp("evaluation"), 2.0)


@pytest.fixture(scope="module")
def coarse_tiles(tmp_path_factory: pytest.TempPathFactory) -> FolderTiles:
    return cut(tmp_path_factory.mktemp("coarse"), 4.0)


@pytest.fixture(scope="module")
def scored(tiles: FolderTiles) -> list[TileScore]:
    return score_tiles(ConstantModel((0.1, 0.2, 0.7)), model_at(), tiles)


def changed(scores: list[TileScore], **facts: object) -> list[TileScore]:
    return [replace(each, row=each.row.model_copy(update=facts)) for each in scores]


def test_the_perfect_model_is_perfect(tiles: FolderTiles) -> None:
    scored = Scored("2 µm/px", score_tiles(ColourModel(), model_at(), tiles))
    for table in table_one([scored]):
        for row in table.rows[:8]:
            assert all(float(cell[:5]) > 0.99 for cell in row[1:]), row


def test_a_model_that_knows_only_lobule(tiles: FolderTiles) -> None:
    scored = score_tiles(ConstantModel((0.1, 0.8, 0.1)), model_at(), tiles)
    whole = sum(tile.counts for tile in scored)
    patch, pooled = table_one([Scored("2 µm/px", scored)])
    rows = {row[0]: row[1:] for row in pooled.rows}
    assert all(cell.startswith("0.000") for cell in rows["Portal, Dice"])
    assert whole[2].sum() == whole[2, 1], "all portal pixels were called lobule"
    assert {row[0]: row[1] for row in patch.rows}["Portal, Dice"] == "0.000"


def test_table_two_has_every_institution_and_the_total(tiles: FolderTiles) -> None:
    scored = Scored("2 µm/px", score_tiles(ColourModel(), model_at(), tiles))
    table = table_two(scored)
    assert [row[0] for row in table.rows] == ["Coimbra", "Palermo", "All"]
    counts = [int(row[1]) for row in table.rows]
    assert counts[2] == counts[0] + counts[1]
    assert "(1)" in table.rows[0][2]
    assert "(2)" in table.rows[2][2]


def test_everything_is_written(tiles: FolderTiles, tmp_path: Path) -> None:
    model = ConstantModel((0.1, 0.2, 0.7))
    evaluation = evaluate_model(
        tmp_path, Subject(model_at(), model, tiles, "TILES", ("SYNTHETIC, <all> of it",))
    )
    page = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    assert "SYNTHETIC, &lt;all&gt; of it" in page
    assert page.count("data:image/png") == 2
    for table in evaluation.tables:
        text = (tmp_path / f"{table.name}.csv").read_text(encoding="utf-8")
        rows = list(csv.reader(text.splitlines()))
        assert {len(row) for row in rows} == {len(table.header)}
        assert f"| {table.rows[0][0]} |" in (tmp_path / f"{table.name}.md").read_text("utf-8")
    with (tmp_path / "tiles.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(tiles.rows)


def test_tiles_of_another_pixel_size_are_refused(tiles: FolderTiles) -> None:
    wrong = tiles.rows[0].model_copy(update={"mpp": 1.0})

    class Other:
        rows = (wrong,)

        def read(self, row: object) -> object:
            raise AssertionError("not reached")

    with pytest.raises(SettingsError, match="2 µm/px, the tiles have 1"):
        score_tiles(ColourModel(), model_at(), Other())


def test_the_gallery_takes_one_tile_a_slide_first(tiles: FolderTiles) -> None:
    scored = score_tiles(ConstantModel((0.1, 0.2, 0.7)), model_at(), tiles)
    best, worst = best_and_worst(scored, 4)
    assert {tile.row.slide for tile in best} == set("abcd")
    assert np.nanmean([t.scores.dice[2] for t in best]) >= np.nanmean(
        [t.scores.dice[2] for t in worst]
    )


def test_tiles_without_patients_have_no_interval(scored: list[TileScore]) -> None:
    one, two = changed(scored, patient=UNKNOWN_PATIENT), scored
    result = [Scored("bare", one), Scored("named", two)]
    _, table = table_one(result)
    patients = dict(zip(table.header, table.rows[-1], strict=True))
    assert patients["train (bare)"] == "–"
    assert patients["test (named)"] == "2"
    assert FEW_PATIENTS in table.note
    assert not any(" to " in cell for row in table.rows for cell in row), "2 patients are too few"
    assert table_two(result[0]).rows[0][2] == "–"


def test_intervals_come_with_enough_patients(scored: list[TileScore]) -> None:
    tiles = [
        replace(each, row=each.row.model_copy(update={"patient": f"p{number % 6}"}))
        for number, each in enumerate(changed(scored, split=Split.TEST))
    ]
    _, table = table_one([Scored("six", tiles)])
    assert " to " in table.rows[0][1]
    bare = [*tiles[:-1], *changed(tiles[-1:], patient=UNKNOWN_PATIENT)]
    _, table = table_one([Scored("one is not named", bare)])
    assert " to " not in table.rows[0][1]
    assert table.rows[-1][1] == "–"


def test_cases_are_patients(scored: list[TileScore]) -> None:
    """Both slides of the test set are of one patient."""
    table = table_two(Scored("2 µm/px", changed(scored, patient="p", diagnosis="AIH")))
    assert [row[2] for row in table.rows] == ["AIH (1)"] * 3


def test_drift_on_an_external_test_set_alone(scored: list[TileScore]) -> None:
    table = drift_table(Scored("2 µm/px", changed(scored, split=Split.TEST)))
    assert [row[0] for row in table.rows] == ["Coimbra", "Monza", "Palermo"]
    assert table.header[-1] == "Dice against all tiles"
    assert "Reference of colour: all tiles; of Dice: all tiles" in table.note
    usual = drift_table(Scored("2 µm/px", scored))
    assert "of colour: the training tiles; of Dice: the validation tiles" in usual.note
    assert has_drift(Scored("several", changed(scored, split=Split.TEST)))
    assert not has_drift(Scored("one", changed(scored, split=Split.TEST, institution="Monza")))


def test_drift_is_on_the_page_of_an_external_test_set(tiles: FolderTiles, tmp_path: Path) -> None:
    external = FolderTiles(tiles.folder)
    external.rows = tuple(row for row in tiles.rows if row.split is Split.TEST)
    model = ConstantModel((0.1, 0.2, 0.7))
    found = evaluate_model(tmp_path, Subject(model_at(), model, external, "TILES"))
    assert "drift" in [table.name for table in found.tables]


def test_drift_draws_no_patients(scored: list[TileScore], monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(*_: object) -> None:
        raise AssertionError("2000 draws for a number without interval")

    monkeypatch.setattr("glisson.evaluation.tables.pool_scores", drawn)
    assert drift_table(Scored("2 µm/px", scored)).rows


def test_ignored_areas_cut_no_border() -> None:
    labels = np.ones((128, 128), np.uint8)
    labels[20:100, 20:100] = 2
    labels[:, 50:70] = IGNORED
    found = np.ones((128, 128), np.uint8)
    found[45:75, 10:110] = 2
    wanted = boundary_scores(labels == 2, found == 2, 2.0, known=labels != IGNORED)
    assert _score_boundary(labels, found, 2.0) == wanted


def test_tiles_all_over_portal_lack_it_on_no_side(scored: list[TileScore]) -> None:
    far = BoundaryScores(0.0, float("inf"))
    both = [replace(scored[0], boundary=far), replace(scored[0], boundary=None)]
    assert border_table([Scored("2 µm/px", both)]).rows[0][-1] == "0"
    one = [replace(scored[0], boundary=replace(far, one_sided=True))]
    assert border_table([Scored("2 µm/px", one)]).rows[0][-1] == "1"


def test_a_picture_that_cannot_be_written_is_an_error(
    tiles: FolderTiles,
    scored: list[TileScore],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cv2.imwrite", lambda *_: False)
    model = ConstantModel((0.1, 0.2, 0.7))
    with pytest.raises(OutputError, match=r"best\.png cannot be written"):
        draw_gallery(tmp_path / "best.png", scored[:1], tiles, model)
    assert not list(tmp_path.iterdir())


def test_pairs_share_table_one_and_borders(
    tiles: FolderTiles, coarse_tiles: FolderTiles, tmp_path: Path
) -> None:
    bundles = [model_at(2.0), model_at(4.0)]
    subjects = [
        Subject(bundles[0], ColourModel(), tiles, "TILES", ("SYNTHETIC", "leaks")),
        Subject(bundles[1], ColourModel(), coarse_tiles, "COARSE", ("SYNTHETIC",)),
    ]
    found = evaluate_models(tmp_path, bundles, iter(subjects))
    assert list(found.evaluations) == ["2 µm/px", "4 µm/px"]
    assert found.warnings == ("SYNTHETIC", "2 µm/px: leaks")
    assert [table.name for table in found.tables] == [
        "table-1-patch-mean", "table-1-pooled", "borders",
    ]  # fmt: skip
    splits = ("train", "validation", "test")
    header = [f"{split} ({mpp} µm/px)" for mpp in (2, 4) for split in splits]
    for name in ("table-1-patch-mean", "table-1-pooled"):
        text = (tmp_path / f"{name}.csv").read_text(encoding="utf-8")
        assert next(csv.reader(text.splitlines()))[1:] == header
        assert (tmp_path / f"{name}.md").exists()
    assert len((tmp_path / "borders.csv").read_text(encoding="utf-8").splitlines()) == 7
    page = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    for folder in ("2um", "4um"):
        assert f'href="{folder}/evaluation.html"' in page
        assert (tmp_path / folder / "evaluation.html").exists()
        assert (tmp_path / folder / "tiles.csv").exists()


@pytest.mark.parametrize(
    ("names", "folders"), [(("a", "b"), {"a", "b"}), (("a", "A"), {"a-1", "A-2"})]
)
def test_models_of_one_pixel_size_go_by_name(
    tiles: FolderTiles, tmp_path: Path, names: tuple[str, str], folders: set[str]
) -> None:
    bundles = [model_at(2.0, name) for name in names]
    subjects = [Subject(bundle, ColourModel(), tiles, "TILES") for bundle in bundles]
    evaluate_models(tmp_path, bundles, subjects)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == folders


def test_one_pair_needs_no_folder_of_its_own(tiles: FolderTiles, tmp_path: Path) -> None:
    bundle = model_at()
    found = evaluate_models(tmp_path, [bundle], [Subject(bundle, ColourModel(), tiles, "TILES")])
    assert (tmp_path / "tiles.csv").exists()
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    assert "table-2" in [table.name for table in found.tables]


def trained_on(run: Path, record: str) -> ModelBundle:
    (run / "model").mkdir(parents=True)
    (run / "train.json").write_text(record)
    return replace(model_at(), folder=run / "model")


def test_slides_that_were_trained_on_are_told(tiles: FolderTiles, tmp_path: Path) -> None:
    bundle = trained_on(tmp_path / "run", json.dumps({"training_slides": list("abcd")}))
    found = evaluate_model(tmp_path / "out", Subject(bundle, ColourModel(), tiles, "TILES"))
    (warning,) = found.warnings
    assert "3 in all (b, c, d)" in warning
    page = (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")
    assert "b, c, d" in page


@pytest.mark.parametrize(
    "record", ['{"training_slides": ["a"]}', "{}", "[]", '{"training_slides": 3}', "not JSON"]
)
def test_other_records_tell_nothing(tiles: FolderTiles, tmp_path: Path, record: str) -> None:
    bundle = trained_on(tmp_path / "run", record)
    assert (
        evaluate_model(tmp_path / "out", Subject(bundle, ColourModel(), tiles, "TILES")).warnings
        == ()
    )


@pytest.mark.parametrize(
    "settings",
    [
        EvaluationSettings(size_px=128),
        EvaluationSettings(split=SplitSettings(seed=3)),
        EvaluationSettings(split=SplitSettings(hold_out=("Monza",))),
        EvaluationSettings(annotations=AnnotationSettings(("{slide}.x.geojson",))),
    ],
)
def test_settings_that_tiles_cannot_heed_are_rejected(
    tiles: FolderTiles, tmp_path: Path, settings: EvaluationSettings
) -> None:
    with pytest.raises(SettingsError, match="cannot be applied"):
        evaluate(tiles.folder, tmp_path, settings=settings)


def test_each_data_has_its_model_and_bare_tiles_their_pixel_size(
    tiles: FolderTiles, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="2 DATA and 1 models"):
        evaluate([tiles.folder, tiles.folder], tmp_path)
    with pytest.raises(SettingsError, match="--mpp is given 1 times"):
        evaluate(tiles.folder, tmp_path, settings=EvaluationSettings(mpps=[2.0]))
