"""A study of phantom slides: every slide with its truth, one table, and nothing drawn twice."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import openslide

from glisson.dataset import AnnotatedSlide, Split, open_labelled
from glisson.evaluation.tracts import compare
from glisson.exchange import read_geojson
from glisson_phantom import MadePhantom, plan_cohort
from glisson_phantom.output import study
from glisson_phantom.output.phantom_slide import read_facts
from glisson_phantom.output.study import make_cohort
from tests.conftest import PHANTOM


def test_a_cohort_is_written_once(tmp_path: Path) -> None:
    wanted = ("monza-aperio", "palermo-philips")
    cases = {case.site: case for case in plan_cohort("paper", share=0.001)}
    small = [
        replace(
            cases[site],
            settings=replace(
                cases[site].settings, length_mm=0.6, pieces=1, ribbons=1, mpp=1.0, stage=1
            ),
        )
        for site in wanted
    ]
    table = make_cohort(tmp_path, small)
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert [row["scanner"] for row in rows] == ["Aperio", "Philips"]
    assert all(row["synthetic"] == "True" and float(row["manual_length_cm"]) > 0 for row in rows)
    vendors = [openslide.OpenSlide.detect_format(tmp_path / row["slide"]) for row in rows]
    assert vendors == ["aperio", "philips"]
    assert "prove nothing" in (tmp_path / "SYNTHETIC.md").read_text("utf-8")
    drawn = read_geojson(tmp_path / rows[0]["slide"].replace(".svs", ".reader-2.geojson"))
    assert drawn.areas
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.svs")}
    make_cohort(tmp_path, small)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.svs")}


def test_readers_count_by_contents_below_stage_3_even_where_the_rule_refuses() -> None:
    case = next(case for case in plan_cohort("paper") if case.role == "clinical")
    facts = {
        "centreline_length_mm": 20.0, "stage": 2, "diagnosis": "psc",
        "biopsy": {"tract_count_total": None}, "tracts": [{}] * 600, "portal_tract_count": 60,
    }  # fmt: skip
    row = study._row(case, Path("a.svs"), facts)
    count = row["report_tract_count"] * case.settings.ribbons
    assert 60 * 0.6 < count < 60 * 1.4


def test_truth_says_which_areas_are_tracts_and_evaluation_agrees(
    shared_phantom: MadePhantom,
) -> None:
    """The reader draws every portal area; two of the triad make a tract."""
    made = shared_phantom
    facts = json.loads(made.path.with_suffix(".truth.json").read_text("utf-8"))
    holds = [tract["is_counted"] for tract in facts["tracts"]]
    assert 0 < sum(holds) < len(holds)
    assert facts["portal_tract_count"] == sum(holds)
    assert holds == [tract["triad_kinds"] >= 2 for tract in facts["tracts"]]
    assert facts["biopsy"]["tract_count_total"] == sum(holds)
    outlines = read_geojson(made.truth_path).areas
    assert [area.class_name == "Portal tract" for area in outlines[1:]] == holds
    by_name = {area.name: area.class_name for area in outlines}
    read = read_geojson(made.path.with_suffix(".reader-1.geojson")).areas
    assert {area.class_name for area in read[1:]} == {"Portal tract", "Portal tract: not counted"}
    assert all(by_name[area.name] == area.class_name for area in read)
    source = AnnotatedSlide(made.path, made.truth_path, "p")
    with open_labelled(source) as labelled:
        score = compare(labelled, made.regions, Split.TEST)
    assert sum(score.with_triad) == sum(holds)


def test_a_slide_whose_truth_does_not_know_contents_is_drawn_again(
    shared_phantom: MadePhantom, tmp_path: Path
) -> None:
    facts_path = shared_phantom.path.with_suffix(".truth.json")
    assert read_facts(shared_phantom.path, PHANTOM) is not None
    facts = json.loads(facts_path.read_text("utf-8"))
    del facts["portal_tract_count"]
    path = tmp_path / shared_phantom.path.name
    path.touch()
    path.with_suffix(".truth.json").write_text(json.dumps(facts))
    assert read_facts(path, PHANTOM) is None
