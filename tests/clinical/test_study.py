"""A study from its tables to its folder, as its users run it."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

import glisson
from glisson import clinical
from glisson.cli.app import app
from glisson.clinical import StudySettings
from glisson.clinical.analyses import Study, analyse
from glisson.clinical.cases import StudyCases, read_cases
from glisson.clinical.methods import describe_methods
from glisson.clinical.notes import list_notes
from glisson.clinical.run import StudyResult
from glisson.clinical.scales import SCALES, find_scale, read_stage
from glisson.dataset.study import SYNTHETIC_FILE
from glisson.errors import MissingExtra, OutputError, SettingsError, StudyError
from glisson.exchange.tables import write_tables
from glisson.record import BiopsyRecord
from tests.records import content, record

Rows = list[dict[str, Any]]
FAST = StudySettings(resamples=200)
runner = CliRunner()


def write(path: Path, rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def series(n: int = 30, seed: int = 0) -> tuple[Rows, Rows]:
    """Cases and the model's results of a made-up series."""
    rng = np.random.default_rng(seed)
    cases, results = [], []
    for i in range(n):
        stage = i % 5
        length, counted = rng.normal(19, 4), stage < 3
        true = max(1, round(0.9 * length + rng.normal(0, 2)))
        cases.append({
            "slide": f"case-{i}.svs", "patient": f"p{i}", "role": "clinical", "stage": stage,
            "report_tract_count": true + rng.integers(-1, 2) if counted else "",
            "second_reader_tract_count": true + rng.integers(-3, 3) if counted else "",
            "manual_length_cm": round(length / 10, 1), "synthetic": True,
        })  # fmt: skip
        results.append({
            "slide": f"case-{i}", "file": f"case-{i}.svs", "tissue_area_mm2": length * 1.02,
            "portal_percent": round(rng.lognormal(1.5 + 0.5 * stage, 0.4), 2),
            "tract_count_total": true + rng.integers(-2, 3) if counted else "",
            "tract_count_reason": "" if counted else "tracts bridge", "length_mm": length * 1.01,
        })  # fmt: skip
    return cases, results


def run(
    folder: Path, cases: Rows, results: Rows | None, settings: StudySettings = FAST
) -> StudyResult:
    table = write(folder / "cases.csv", cases)
    if results is None:
        return glisson.study(table, folder / "study", settings=settings)
    write(folder / "results" / "biopsies.csv", results)
    return glisson.study(table, folder / "study", folder / "results", settings)


def joined(folder: Path, cases: Rows, results: Rows, role: str | None = None) -> StudyCases:
    """Only the cases, as a study reads them."""
    table = write(folder / "cases.csv", cases)
    biopsies = write(folder / "results" / "biopsies.csv", results)
    return read_cases(table, biopsies, find_scale("ludwig"), role=role)


def analysed(
    folder: Path, cases: Rows, results: Rows | None, settings: StudySettings = FAST, sep: str = ","
) -> Study:
    """Only the analyses, which take a quarter of the time of a study with its figures."""
    table = write(folder / "cases.csv", cases, sep)
    biopsies = write(folder / "results" / "biopsies.csv", results) if results else None
    scale = find_scale(settings.scale)
    return analyse(read_cases(table, biopsies, scale, settings.columns), scale, settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    return run(tmp_path_factory.mktemp("made"), *series())


def test_numbers_against_others_from_the_written_cases(made: StudyResult) -> None:
    folder = made.page.parent
    found = json.loads((folder / "study.json").read_text(encoding="utf-8"))["analyses"]
    rows = read(folder / "tables" / "joined-cases.csv")
    counted = [row for row in rows if "model_report" in row["analyses"]]
    assert len(counted) == found["model_report"]["slides"] == 18
    model = [float(row["model_tract_count"]) for row in counted]
    report = [float(row["report_tract_count"]) for row in counted]
    kappa = found["model_report"]["result"]["kappa_linear"]["value"]
    labels = range(int(min(model + report)), int(max(model + report)) + 1)
    assert kappa == pytest.approx(
        cohen_kappa_score(model, report, labels=list(labels), weights="linear")
    )
    stages = [float(row["stage"]) for row in rows]
    percent = [float(row["portal_percent"]) for row in rows]
    rho = found["correlations"]["result"]["spearman"]["coefficient"]["value"]
    assert rho == pytest.approx(stats.spearmanr(percent, stages).statistic)


def test_every_promised_file_is_there(made: StudyResult) -> None:
    folder = made.page.parent
    names = {path.name for path in (folder / "figures").iterdir()}
    stems = ("portal-by-stage", "counts", "area-length", "bland-altman-length",
             "bland-altman-model-report", "bland-altman-model-second",
             "bland-altman-report-second")  # fmt: skip
    assert names == {f"{stem}.{kind}" for stem in stems for kind in ("svg", "png")}
    estimates = read(folder / "tables" / "estimates.csv")
    bias = next(row for row in estimates if row["statistic"] == "bland_altman.bias")
    assert (bias["analysis"], bias["unit"], bias["slides"]) == ("length", "mm", "30")
    assert {row["unit"] for row in estimates} == {"", "mm", "tracts", "%"}


def test_the_page_is_whole_and_says_synthetic(made: StudyResult) -> None:
    text = made.page.read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!#)', text.replace('xlink:href="#', "")), "self-contained"
    ids = Counter(re.findall(r'\bid="([^"]+)"', text))
    assert max(ids.values()) == 1
    for target in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text):
        assert "".join(target) in ids
    assert text.count("synthetic") > 5
    assert made.notes[0].startswith("Synthetic")
    for path in made.page.parent.glob("figures/*.svg"):
        assert "<svg" in path.read_text(encoding="utf-8")
    assert "Synthetic" in (made.page.parent / "methods.md").read_text(encoding="utf-8")


def test_every_row_of_every_table_says_synthetic(made: StudyResult) -> None:
    tables = list((made.page.parent / "tables").glob("*.csv"))
    assert len(tables) > 5
    for table in tables:
        assert {row["synthetic"] for row in read(table)} == {"True"}, table.name


@pytest.mark.parametrize("folder", ["", "results"])
def test_a_folder_may_say_synthetic_for_its_tables(tmp_path: Path, folder: str) -> None:
    cases, results = series(10)
    for case in cases:
        del case["synthetic"]
    assert not joined(tmp_path, cases, results).synthetic
    (tmp_path / folder / SYNTHETIC_FILE).touch()
    assert joined(tmp_path, cases, results).synthetic


def test_slides_that_call_themselves_drawn_make_a_study_synthetic(tmp_path: Path) -> None:
    cases, results = series(10)
    for case in cases:
        del case["synthetic"]
    rows = [result | {"synthetic": "False"} for result in results]
    assert not joined(tmp_path, cases, rows).synthetic
    rows[3]["synthetic"] = "True"
    assert joined(tmp_path, cases, rows).synthetic


def test_the_same_study_gives_the_same_bytes(tmp_path: Path, made: StudyResult) -> None:
    again = run(tmp_path, *series()).page.parent
    before = made.page.parent
    for name in ("study.json", "study.html", "methods.md", "figures/counts.svg",
                 "figures/portal-by-stage.png", "tables/estimates.csv"):  # fmt: skip
        assert (again / name).read_bytes() == (before / name).read_bytes(), name


def test_no_second_reader(tmp_path: Path, made: StudyResult) -> None:
    cases, results = series()
    for case in cases:
        case["second_reader_tract_count"] = ""
    study = analysed(tmp_path, cases, results)
    assert study.model_second.refusal
    assert dict(study.model_second.entered.left_out)["no count by the second reader"] == 18
    assert study.report_gain.result is None
    assert study.model_report.result
    before = (made.page.parent / "methods.md").read_text(encoding="utf-8")
    now = describe_methods(study)
    for words in ("second reader", "bootstrap of their difference"):
        assert words in " ".join(before.split())
        assert words not in " ".join(now.split())


def test_nothing_countable_and_figures_of_an_earlier_study_go(
    tmp_path: Path, made: StudyResult
) -> None:
    shutil.copytree(made.page.parent, tmp_path / "study")
    assert list((tmp_path / "study" / "figures").glob("*count*"))
    cases, results = series()
    for case in cases:
        case["stage"] = 3 + int(case["stage"]) % 2
    found = run(tmp_path, cases, results)
    assert all(pair.result is None for pair in found.study.count_pairs)
    assert dict(found.study.model_report.entered.left_out) == {"not countable: Ludwig ≥ 3": 30}
    assert found.study.difference.result
    assert found.study.from_f3.refusal, "nobody below stage 3"
    assert found.study.from_f4.result
    assert not list((found.page.parent / "figures").glob("*count*"))
    methods = (found.page.parent / "methods.md").read_text(encoding="utf-8")
    assert "kappa" not in methods.casefold()
    assert "DeLong" in methods


def test_few_cases_have_numbers_without_intervals(tmp_path: Path) -> None:
    assert analysed(tmp_path, *series(8)).model_report.entered.slides == 6
    few = analysed(tmp_path / "few", *series(5))
    kappa = few.model_report.result.kappa_linear if few.model_report.result else None
    assert kappa is not None
    assert np.isnan(kappa.low)
    one = run(tmp_path / "one", *series(1))
    assert all(each.result is None for each in one.study.analyses.values())
    assert one.page.exists()
    assert "95 %" not in (one.page.parent / "methods.md").read_text(encoding="utf-8")


def test_repeated_patients_are_named_and_counted(tmp_path: Path) -> None:
    cases, results = series()
    cases[1]["patient"] = cases[0]["patient"]
    study = analysed(tmp_path, cases, results)
    assert any("p0: case-0.svs, case-1.svs" in note for note in list_notes(study))
    assert (study.length.entered.slides, study.length.entered.patients) == (30, 29)
    ccc = study.length.result.ccc if study.length.result else None
    assert ccc is not None
    assert "patients" in ccc.interval


def test_a_missing_patient_is_a_patient_of_its_own(tmp_path: Path) -> None:
    cases, results = series(10)
    for case in cases:
        case["patient"] = "" if case["stage"] else "p"
    found = joined(tmp_path, cases, results)
    assert found.unnamed_patients == 8
    assert list(found.repeated_patients) == ["p"]


def test_per_section_columns_are_taken_where_they_are(tmp_path: Path) -> None:
    cases, results = series()
    for result in results:
        count = result["tract_count_total"]
        result["section_count"] = 2
        result["tract_count_per_section"] = "" if count == "" else count / 2
        result["length_per_section_mm"] = 7.5
    found = joined(tmp_path, cases, results)
    first = found.cases[0]
    assert first.model_tract_count == results[0]["tract_count_total"] / 2
    assert first.model_length_mm == 7.5
    assert first.tissue_area_mm2 == results[0]["tissue_area_mm2"], "no such column"
    assert found.per_section == ("tract_count", "length_mm")


def test_methods_say_what_was_done_to_counts(tmp_path: Path) -> None:
    cases, results = series()
    for result in results:
        count = result["tract_count_total"]
        result["tract_count_per_section"] = "" if count == "" else count / 2
    results[0]["tract_count_per_section"] = ""
    methods = describe_methods(analysed(tmp_path, cases, results))
    for words in (
        "The model's counts are of one section", "Counts with a fraction are rounded",
        "The model gave no count for 1 other slide,", "(n = 30) was compared by Lin's coefficient, "
        "ICC(2,1) and ICC(3,1)", "also as ratios", "corrected for ties (n = 30)",
    ):  # fmt: skip
        assert words in methods
    for case in cases:
        case["stage"] = ""
    assert "No stage was known" in describe_methods(analysed(tmp_path, cases, results))


def segmented(number: int) -> BiopsyRecord:
    """The record of a slide that `glisson segment` wrote."""
    facts = content(tracts=12, length_mm=18.0 + number)
    facts["slide"]["file"] = f"{number}.svs"
    facts["biopsy"] |= {
        "tissue_area_mm2": 20.0 + number,
        "tissue_area_per_section_mm2": 10 + number / 2,
        "portal_percent": 10.0,
        "length_per_section_mm": 9.0 + number**2,
    }
    return record(facts)


def test_the_table_of_segment_alone(tmp_path: Path) -> None:
    """Area and length of the model are compared; the rest says what it lacks, and where from."""
    write_tables(tmp_path, [(f"s{number}", segmented(number)) for number in range(8)])
    found = clinical.study(tmp_path / "biopsies.csv", tmp_path / "study", settings=FAST)
    made = [name for name, each in found.study.analyses.items() if each.result]
    assert made == ["area_model_length"]
    assert found.study.area_model_length.entered.slides == 8
    assert found.study.model_report.refusal == "No case enters: no count in the report."
    absent = "report_tract_count, second_reader_tract_count, manual_length_cm"
    assert any(absent in note for note in found.notes)


def test_cases_with_empty_cells_of_the_model_are_not_measured(tmp_path: Path) -> None:
    cases, results = series(12)
    rows = [case | {key: each for key, each in result.items() if key not in ("slide", "file")}
            for case, result in zip(cases, results, strict=True)]  # fmt: skip
    rows[0] |= dict.fromkeys((key for key in results[0] if key not in ("slide", "file")), "")
    study = analysed(tmp_path, rows, None)
    assert dict(study.length.entered.left_out) == {"no result of the model": 1}
    assert "measurements were available for 11." in describe_methods(study)


def test_a_slide_without_tissue_has_no_count_and_no_length(tmp_path: Path) -> None:
    cases, results = series(12)
    results[0] |= {"tract_count_total": 0, "length_mm": 0.0, "tissue_area_mm2": 0.0}
    first, *others = joined(tmp_path, cases, results).cases
    assert math.isnan(first.model_tract_count)
    assert math.isnan(first.model_length_mm)
    assert first.uncounted == "no liver tissue was found"
    assert not any(math.isnan(case.model_length_mm) for case in others)


@pytest.mark.parametrize("spelling", [lambda n: f"case-{n}", lambda n: f"slides/case-{n}.svs",
                                      lambda n: f"case-{n}.tif"])  # fmt: skip
def test_slides_are_found_by_name(tmp_path: Path, spelling: Callable[[int], str]) -> None:
    cases, results = series(10)
    for number, case in enumerate(cases):
        case["slide"] = spelling(number)
    assert all(case.measured for case in joined(tmp_path, cases, results).cases)


@pytest.mark.parametrize("case", ["S12", "S12.2", "S12.2.svs", "S12.svs", "20.1234", "1.svs"])
def test_no_slide_gets_the_result_of_another(tmp_path: Path, case: str) -> None:
    """What follows a dot is an ending only where slides end so."""
    cases, results = series(10)
    cases[0]["slide"] = case
    results[0] |= {"slide": "S12.1", "file": "S12.1.svs"}
    others = [{**results[0], "slide": name, "file": name} for name in ("20.5678", "S12.1.1")]
    found = joined(tmp_path, cases, [*results, *others])
    assert not found.cases[0].measured
    assert found.unused_results == ("S12.1", "20.5678", "S12.1.1")


@pytest.mark.parametrize("spelling", ["S12.1", "S12.1.svs", "a/S12.1.SVS", "S12.1.ome.tif"])
@pytest.mark.parametrize(("slide", "file"), [("S12.1", "S12.1.svs"), ("S12.1.ndpi", "S12.1.ndpi"),
                                             ("S12.1", ""), ("S12.1.ome", "S12.1.ome.tif"),
                                             ("S12.1", "S12.1")])  # fmt: skip
def test_a_dot_in_the_name_is_no_ending(
    tmp_path: Path, spelling: str, slide: str, file: str
) -> None:
    cases, results = series(10)
    cases[0]["slide"], results[0]["slide"], results[0]["file"] = spelling, slide, file
    found = joined(tmp_path, cases, results)
    assert found.cases[0].measured
    assert found.unused_results == ()


def test_slides_without_results_and_results_without_cases(tmp_path: Path) -> None:
    cases, results = series(12)
    study = analysed(tmp_path, cases[:11], results[1:])
    assert dict(study.length.entered.left_out) == {"no result of the model": 1}
    assert "1 slide has results but no case here, such as case-11." in list_notes(study)


def test_a_table_of_another_program(tmp_path: Path) -> None:
    """Semicolons, decimal commas, own names, words for missing, the model's columns beside."""
    cases, results = series(12)
    rows = [case | {key: each for key, each in result.items() if key not in ("slide", "file")}
            for case, result in zip(cases, results, strict=True)]  # fmt: skip
    for row in rows:
        row["Stadium"] = f"F{row.pop('stage')}"
        row["manual_length_cm"] = str(row["manual_length_cm"]).replace(".", ",")
        row["report_tract_count"] = row["report_tract_count"] or "n/a"
    settings = StudySettings("metavir", {"stage": "Stadium"}, resamples=200)
    found = analysed(tmp_path, rows, None, settings, ";")
    assert [case.stage for case in found.cases.cases[:3]] == [0, 1, 2]
    assert found.cases.cases[0].manual_length_mm == pytest.approx(cases[0]["manual_length_cm"] * 10)
    assert found.model_report.entered.slides == 8


def test_roles(tmp_path: Path) -> None:
    cases, results = series(12)
    cases[0]["role"], cases[1]["role"] = "train", "test"
    found = joined(tmp_path, cases, results)
    assert (len(found.cases), found.role, found.other_roles) == (10, "clinical", 2)
    assert len(joined(tmp_path, cases, results, "Train").cases) == 1
    for case in cases:
        del case["role"]
    assert len(joined(tmp_path, cases, results).cases) == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": 7}, "7' is no stage of Ludwig"),
        ({"report_tract_count": -2}, "line 2: report_tract_count is '-2'"),
        ({"manual_length_cm": "long"}, "line 2: manual_length_cm is 'long'"),
        ({"slide": "case-1.svs"}, "names case-1.svs twice"),
        ({"slide": ""}, "line 2"),
        ({"report_tract_count": "inf"}, "line 2: report_tract_count is 'inf'"),
        ({"stage": "none"}, "stage 'none' is no stage of Ludwig"),
    ],
)
def test_wrong_cells_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    cases, results = series(10)
    cases[0] |= change
    with pytest.raises(SettingsError, match=re.escape(message)):
        run(tmp_path, cases, results)


def test_cells_under_the_wrong_names_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("slide,manual_length_cm,report_tract_count\n\na,1,9,12\n")
    with pytest.raises(SettingsError, match="line 3 has more cells than the header"):
        read_cases(table, None, find_scale("ludwig"))
    table.write_text("slide,stage,stage\na,1,2\n")
    with pytest.raises(SettingsError, match="two columns 'stage'"):
        read_cases(table, None, find_scale("ludwig"))
    table.write_text("slide,stage\na,1,,\n")
    assert len(read_cases(table, None, find_scale("ludwig")).cases) == 1


def test_the_output_folder_is_made_before_the_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson.clinical.run.analyse", lambda *given: pytest.fail("too late"))
    (tmp_path / "study").touch()
    with pytest.raises(OutputError, match="-o"):
        run(tmp_path, *series(10))


def test_wrong_tables_are_named(tmp_path: Path) -> None:
    cases, results = series(10)
    with pytest.raises(SettingsError, match="has no result of any"):
        run(tmp_path, cases, [{**results[0], "slide": "x", "file": "x.svs"}])
    twins = [{**results[0], "slide": f"case-0{end}", "file": f"case-0{end}"}
             for end in (".svs", ".tif")]  # fmt: skip
    cases[0]["slide"] = "case-0"
    with pytest.raises(SettingsError, match=r"may be case-0\.svs or case-0\.tif"):
        run(tmp_path, cases, twins)
    with pytest.raises(SettingsError, match="no column 'Tracts'"):
        run(tmp_path, cases, results, StudySettings(columns={"report_tract_count": "Tracts"}))
    with pytest.raises(SettingsError, match="there is no column 'tracts'"):
        run(tmp_path, cases, results, StudySettings(columns={"tracts": "slide"}))
    with pytest.raises(SettingsError, match="role 'x'"):
        run(tmp_path, cases, results, StudySettings(role="x"))
    with pytest.raises(SettingsError, match="cannot be read"):
        glisson.study(tmp_path / "none.csv", tmp_path / "out")
    with pytest.raises(SettingsError, match="--resamples"):
        StudySettings(resamples=10)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="-o"):
        glisson.study(tmp_path / "cases.csv", tmp_path / "file" / "out")


def test_scales_map_to_metavir_in_order() -> None:
    for scale in SCALES.values():
        assert list(scale.numbers) == sorted(scale.numbers)
        assert scale.f3_from < scale.f4_from <= scale.numbers[-1]
        if scale.metavir:
            mapped = dict(zip(scale.numbers, scale.metavir, strict=True))
            assert list(mapped.values()) == sorted(mapped.values())
            assert min(n for n, to in mapped.items() if to >= 3) == scale.f3_from
            assert min(n for n, to in mapped.items() if to == 4) == scale.f4_from


def test_stages_as_people_write_them() -> None:
    ludwig, scheuer = find_scale("ludwig"), find_scale("Scheuer")
    assert [read_stage(text, ludwig) for text in ("3", "3.0", "F3", " stage 3", "3,0")] == [3] * 5
    assert read_stage("iv", scheuer) == 4
    for text in ("0", "2.5", "F", "-1", "nan"):
        with pytest.raises(StudyError, match="Scheuer"):
            read_stage(text, scheuer)
    with pytest.raises(SettingsError, match="ishak"):
        find_scale("knodell")


def test_ishak_counts_tracts_below_marked_bridges(tmp_path: Path) -> None:
    cases, results = series(35)
    for number, (case, result) in enumerate(zip(cases, results, strict=True)):
        case["stage"] = number % 7
        case["report_tract_count"] = result["tract_count_total"] = 10 + number % 9
    study = analysed(tmp_path, cases, results, StudySettings("ishak", resamples=200))
    assert {case.stage for case in study.model_report.entered.cases} == {0, 1, 2, 3}
    assert study.from_f4.result
    assert study.from_f4.result.positive == 10


def test_importing_is_light() -> None:
    code = (
        "import sys, glisson, glisson.cli.app, glisson.clinical;"
        "assert not {'statsmodels', 'matplotlib', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_extra_is_asked_for_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clinical, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"glisson\[study\]"):
        glisson.study(tmp_path / "none.csv", tmp_path / "out")


def test_the_command_line(tmp_path: Path) -> None:
    cases, results = series(12)
    for case in cases:
        case["Count"] = case.pop("report_tract_count")
    table = write(tmp_path / "cases.csv", cases)
    write(tmp_path / "results" / "biopsies.csv", results)
    arguments = ["study", table, "--results", tmp_path / "results", "-o", tmp_path / "study",
                 "--column", "report_tract_count=Count", "--resamples", "200"]  # fmt: skip
    found = runner.invoke(app, list(map(str, arguments)))
    assert found.exit_code == 0, found.output
    assert "(synthetic)" in found.output
    assert "κ quadratic: model, report" in found.output
    wrong = runner.invoke(app, [*map(str, arguments), "--column", "Count"])
    assert isinstance(wrong.exception, SettingsError)
    assert "OURS=YOURS" in str(wrong.exception)
