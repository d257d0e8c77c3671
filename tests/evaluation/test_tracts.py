from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from shapely import Polygon

from glisson.dataset import Split, open_labelled
from glisson.evaluation.tract_tables import cause_table, content_table, size_table, tract_table
from glisson.evaluation.tracts import MERGED, UNEXPLAINED, TractScore, compare, match_tracts
from glisson.frames import Frame, PixelSize
from glisson.regions import Candidate, Regions, Tract
from tests.dataset.scene import TRACTS_PX, box, feature, features, source, write_slide


def regions(*polygons: Polygon) -> Regions:
    tracts = tuple(
        Tract(n, 1, each, each, 0.0, True, False, 1.0) for n, each in enumerate(polygons, 1)
    )
    return Regions(Frame(PixelSize(1, 1), 1.0), (), tracts, True, None)


def compared(folder: Path, found: Regions, drawn: list[dict] | None = None) -> TractScore:
    with open_labelled(source(write_slide(folder, found=drawn))) as labelled:
        return compare(labelled, found, Split.TEST)


FIRST, SECOND = (shapely.box(*each) for each in TRACTS_PX)
ELSEWHERE = shapely.box(450, 100, 520, 170)


def test_tracts_found_missed_and_false(tmp_path: Path) -> None:
    score = compared(tmp_path, regions(FIRST.buffer(3), ELSEWHERE))
    assert (score.drawn, score.found, score.matched) == (2, 2, 1)
    assert score.tissue_mm2 == pytest.approx(512 * 512 * 1e-6)
    row = tract_table([score]).rows[0]
    assert row[5:8] == ("0.500", "0.500", "0.500")
    assert float(row[8]) == pytest.approx(1 / score.tissue_mm2, abs=0.01)


def test_a_candidate_is_no_tract_and_scores_nothing(tmp_path: Path) -> None:
    """Drawn, it is neither missed nor right; found, it counts as nothing at all."""
    drawn = [*features(), feature("Portal tract?", box(450, 100, 520, 170))]
    plain = compared(tmp_path / "plain", regions(FIRST, ELSEWHERE))
    score = compared(tmp_path / "asked", regions(FIRST, ELSEWHERE), drawn)
    assert (plain.drawn, plain.found, plain.matched) == (2, 2, 1)
    assert (score.drawn, score.found, score.matched) == (2, 1, 1)
    assert score.tissue_mm2 == pytest.approx(plain.tissue_mm2 - 70 * 70 * 1e-6)
    unsure = Candidate(1, 1, SECOND, SECOND, 0.0, True, False, 0.6)
    found = replace(regions(FIRST), candidates=(unsure,))
    assert compared(tmp_path / "found", found).found == 1


def test_a_tract_drawn_over_a_candidate_is_scored(tmp_path: Path) -> None:
    over = [feature(name, box(450, 100, 520, 170)) for name in ("Portal tract?", "Portal tract")]
    score = compared(tmp_path, regions(ELSEWHERE), [*features(), *over])
    assert (score.drawn, score.found, score.matched) == (3, 1, 1)


def test_counts_that_are_one_off_and_counts_that_cannot_be_given(tmp_path: Path) -> None:
    right = compared(tmp_path, regions(FIRST, SECOND, ELSEWHERE))
    bridging = replace(compared(tmp_path, regions()), countable=False)
    wrong = compared(tmp_path, regions())
    assert tract_table([right, bridging, wrong]).rows[0][9] == "1 of 2"


def test_recall_by_the_size_drawn_and_precision_by_the_size_found(tmp_path: Path) -> None:
    """The drawn ones have 6,624 and 8,400 µm², the false one 1,500."""
    sliver = shapely.box(450, 300, 500, 330)
    rows = size_table([compared(tmp_path, regions(FIRST, sliver))]).rows
    assert {row[1]: row[2:] for row in rows} == {
        "under 5,000": ("0", "–", "1", "0.000"),
        "5,000 to 10,000": ("2", "0.500", "1", "1.000"),
        "10,000 to 50,000": ("0", "–", "0", "–"),
        "50,000 or more": ("0", "–", "0", "–"),
    }


def test_what_was_ignored_counts_for_nothing(tmp_path: Path) -> None:
    drawn = [*features(), feature("Ignore*", box(440, 90, 530, 180))]
    score = compared(tmp_path, regions(FIRST, SECOND, ELSEWHERE), drawn)
    assert (score.drawn, score.found, score.matched) == (2, 2, 2)


def test_outside_a_region_nothing_counts(tmp_path: Path) -> None:
    drawn = [*features(), feature("Region", box(100, 100, 250, 250))]
    score = compared(tmp_path, regions(FIRST, SECOND, ELSEWHERE), drawn)
    assert (score.drawn, score.found, score.matched) == (1, 1, 1)
    assert score.tissue_mm2 == pytest.approx(150 * 150 * 1e-6)


def write_features(folder: Path, **outlines: shapely.Geometry) -> None:
    drawn = [
        feature(name.replace("_", " "), shapely.geometry.mapping(part))
        for name, outline in outlines.items()
        for part in shapely.get_parts(outline)
    ]
    document = {"type": "FeatureCollection", "features": drawn}
    (folder / "a.features.geojson").write_text(json.dumps(document))


def test_recall_of_tracts_with_two_of_the_triad(tmp_path: Path) -> None:
    """One duct alone does not make a tract; what lies in a false tract is nobody's."""
    write_features(
        tmp_path,
        Bile_duct=shapely.union(FIRST.centroid.buffer(8), SECOND.centroid.buffer(8)),
        Portal_vein=shapely.union(FIRST.centroid.buffer(8), ELSEWHERE.centroid.buffer(8)),
    )
    score = compared(tmp_path, regions(FIRST, ELSEWHERE))
    assert score.with_triad == (True, False)
    assert score.causes == {UNEXPLAINED: 1}
    assert score.aside == ()
    table = content_table([score])
    assert table is not None
    assert [row[1:] for row in table.rows] == [
        ("two of the triad", "1", "1.000", "2", "0.500", "0.667", "2", "1 of 1"),
        ("less", "1", "0.000", "", "", "", "", ""),
    ]


def test_what_is_found_on_less_than_a_tract_is_neither_right_nor_false(tmp_path: Path) -> None:
    """Whole, or a piece of it: the second tract drawn holds one duct and nothing else."""
    ducts = shapely.union(FIRST.centroid.buffer(8), SECOND.centroid.buffer(8))
    write_features(tmp_path, Bile_duct=ducts, Portal_vein=FIRST.centroid.buffer(8))
    left, top, right, bottom = SECOND.bounds
    piece = shapely.box(left, top, (left + right) / 2, bottom)
    for second in (SECOND, piece):
        score = compared(tmp_path, regions(FIRST, second, ELSEWHERE))
        assert [score.found, len(score.aside)] == [3, 1]
        table = content_table([score])
        assert table is not None
        assert table.rows[0][4:7] == ("2", "0.500", "0.667")


def test_counts_by_width_are_compared_with_counts_by_contents(tmp_path: Path) -> None:
    """Of three found two count; one drawn holds two of the triad."""
    ducts = shapely.union(FIRST.centroid.buffer(8), SECOND.centroid.buffer(8))
    write_features(tmp_path, Bile_duct=ducts, Portal_vein=FIRST.centroid.buffer(8))
    found = regions(FIRST, SECOND, ELSEWHERE)
    for uncounted, within in ((0, "0 of 1"), (1, "1 of 1"), (3, "1 of 1")):
        tracts = tuple(
            replace(tract, is_counted=number >= uncounted)
            for number, tract in enumerate(found.tracts)
        )
        score = compared(tmp_path, replace(found, tracts=tracts))
        assert (score.found, score.counted) == (3, 3 - uncounted)
        table = content_table([score])
        assert table is not None
        assert table.rows[0][7:] == (str(3 - uncounted), within)


def test_false_tracts_are_named_by_what_they_lie_on(tmp_path: Path) -> None:
    write_features(tmp_path, Central_vein=ELSEWHERE.buffer(5))
    left, right = shapely.box(128, 128, 150, 220), shapely.box(70, 500, 130, 560)
    score = compared(tmp_path, regions(ELSEWHERE, left, right))
    assert score.causes == {"Central vein": 1, MERGED: 1, UNEXPLAINED: 1}
    table = cause_table([score])
    assert table is not None
    assert {row[0]: row[3] for row in table.rows} == dict.fromkeys(score.causes, "1")


def test_a_phantom_without_features_has_causes_all_the_same(tmp_path: Path) -> None:
    write_features(tmp_path)
    assert compared(tmp_path, regions(ELSEWHERE)).causes == {UNEXPLAINED: 1}


def test_without_features_no_causes(tmp_path: Path) -> None:
    score = compared(tmp_path, regions(ELSEWHERE))
    assert cause_table([score]) is None
    assert content_table([score]) is None


@pytest.mark.parametrize(("move", "pairs"), [(0, 1), (33, 1), (34, 0), (200, 0)])
def test_half_of_the_union_is_the_limit(move: float, pairs: int) -> None:
    """A square of 100 moved by a third has an IoU of one half."""
    square = shapely.box(0, 0, 100, 100)
    moved = shapely.affinity.translate(square, move)
    assert len(match_tracts([square], [moved])) == pairs
