"""A study of phantom slides: every slide with its truth, one table, and nothing drawn twice."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import openslide

from glisson.exchange import read_geojson
from glisson.phantom import plan_cohort
from glisson.run import phantom_cohort
from glisson.run.phantom_cohort import make_cohort


def test_a_cohort_is_written_once(tmp_path: Path) -> None:
    wanted = ("monza-aperio", "palermo-philips")
    cases = {case.site: case for case in plan_cohort("paper", share=0.001)}
    small = [
        replace(
            cases[site],
            settings=replace(
                cases[site].settings, length_mm=0.6, pieces=1, ribbons=1, mpp=0.5, stage=1
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


def test_readers_count_below_stage_3_even_where_the_rule_refuses() -> None:
    case = next(case for case in plan_cohort("paper") if case.role == "clinical")
    facts = {
        "centreline_length_mm": 20.0, "stage": 2, "diagnosis": "psc",
        "biopsy": {"tract_count_total": None}, "tracts": [{}] * 60,
    }  # fmt: skip
    row = phantom_cohort._row(case, Path("a.svs"), facts)
    assert 60 / case.settings.ribbons * 0.6 < row["report_tract_count"]
