from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from glisson.dataset import Split, Splits, SplitSettings, TileSettings, write_tiles
from glisson.dataset.tile_folder import FolderTiles
from glisson.errors import SettingsError
from glisson.evaluation import evaluate_tiles
from glisson.evaluation.gallery import best_and_worst
from glisson.evaluation.tables import Scored, table_one, table_two
from glisson.evaluation.tiles import score_tiles
from glisson.model import find_model
from tests.dataset.scene import source, write_slide
from tests.scenes import ColourModel, ConstantModel

INSTITUTIONS = {"a": "Monza", "b": "Monza", "c": "Palermo", "d": "Coimbra"}
SPLITS = {"a": Split.TRAIN, "b": Split.VALIDATION, "c": Split.TEST, "d": Split.TEST}


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> FolderTiles:
    folder = tmp_path_factory.mktemp("evaluation")
    slides = [
        source(write_slide(folder / "slides", name), institution=place)
        for name, place in INSTITUTIONS.items()
    ]
    settings = TileSettings(mpp=2.0, size_px=64)
    written = write_tiles(folder / "tiles", slides, Splits(SplitSettings(), SPLITS), settings)
    assert not written.failed
    return FolderTiles(folder / "tiles")


def test_the_perfect_model_is_perfect(tiles: FolderTiles) -> None:
    scored = Scored("2 µm/px", score_tiles(ColourModel(), find_model(), tiles))
    for table in table_one([scored]):
        for row in table.rows[:8]:
            assert all(float(cell[:5]) > 0.99 for cell in row[1:]), row


def test_a_model_that_knows_only_lobule(tiles: FolderTiles) -> None:
    scored = score_tiles(ConstantModel((0.1, 0.8, 0.1)), find_model(), tiles)
    whole = sum(tile.counts for tile in scored)
    patch, pooled = table_one([Scored("2 µm/px", scored)])
    rows = {row[0]: row[1:] for row in pooled.rows}
    assert all(cell.startswith("0.000") for cell in rows["Portal, Dice"])
    assert whole[2].sum() == whole[2, 1], "all portal pixels were called lobule"
    assert {row[0]: row[1] for row in patch.rows}["Portal, Dice"] == "0.000"


def test_table_two_has_every_institution_and_the_total(tiles: FolderTiles) -> None:
    scored = Scored("2 µm/px", score_tiles(ColourModel(), find_model(), tiles))
    table = table_two(scored)
    assert [row[0] for row in table.rows] == ["Coimbra", "Palermo", "All"]
    counts = [int(row[1]) for row in table.rows]
    assert counts[2] == counts[0] + counts[1]
    assert "(1)" in table.rows[0][2]
    assert "(2)" in table.rows[2][2]


def test_everything_is_written(tiles: FolderTiles, tmp_path: Path) -> None:
    model = ConstantModel((0.1, 0.2, 0.7))
    evaluation = evaluate_tiles(tmp_path, find_model(), model, tiles, ["SYNTHETIC, <all> of it"])
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
        score_tiles(ColourModel(), find_model(), Other())


def test_the_gallery_takes_one_tile_a_slide_first(tiles: FolderTiles) -> None:
    scored = score_tiles(ConstantModel((0.1, 0.2, 0.7)), find_model(), tiles)
    best, worst = best_and_worst(scored, 4)
    assert {tile.row.slide for tile in best} == set("abcd")
    assert np.nanmean([t.scores.dice[2] for t in best]) >= np.nanmean(
        [t.scores.dice[2] for t in worst]
    )
