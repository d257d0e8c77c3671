"""The page on all slides: means, figures, corrections by hand, and how large it may get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from glisson.artefacts import Kind
from glisson.classes import CANDIDATE_COLOUR, PORTAL, TISSUE_COLOUR
from glisson.pages.page import read_part
from glisson.record import BiopsyRecord
from glisson.report.cohort import HEADINGS, view_cohort
from glisson.report.figures import MOST_BARS
from glisson.report.inputs import ReportSlide
from glisson.report.numbers import mean_sd
from glisson.report.pictures import PICTURE_BYTES, embed_overview
from glisson.report.tract_table import MOST_ROWS
from tests.records import record as typed
from tests.records import tract
from tests.report.test_page import HOSTILE, page, record, thumbnails


def report_slide(name: str, **biopsy: Any) -> ReportSlide:
    made = record()
    made["biopsy"] |= biopsy
    return ReportSlide(name, typed(made), None, None)


def edited(**numbers: tuple[float | None, float | None]) -> BiopsyRecord:
    """The record of outlines that were corrected by hand."""
    changes = {
        key: {"before": before, "after": after, "change": None}
        for key, (before, after) in numbers.items()
    }
    return typed(record(5) | {
        "source": "edited",
        "edited": {"file": HOSTILE, "sha256": "0"},
        "warnings": ["No tissue is drawn; that of the class map is taken."],
        "comparison": {
            "tracts_added": 3, "tracts_removed": 1, "tracts_changed": 0, "tracts_unchanged": 2,
            "tracts": [], "biopsy": changes,
        },
    })  # fmt: skip


def test_means_are_of_the_slides_that_have_the_number(tmp_path: Path) -> None:
    slides = [
        report_slide("a", tract_count_total=4, portal_percent=6.0),
        report_slide("b", tract_count_total=8, portal_percent=8.0),
        report_slide("bridged", tract_count_total=None, portal_percent=40.0),
        report_slide("empty", tissue_area_mm2=0.0, tract_count_total=0, portal_percent=None),
        ReportSlide("failed", None, None, "cannot be read"),
    ]
    means = dict(zip(HEADINGS, view_cohort(slides).means, strict=False))
    assert means["portal tracts"] == "6.0 ± 2.8 (n = 2)"
    assert means["portal, % of tissue"] == "18.0 ± 19.1"
    text, _ = page(tmp_path, slides)
    assert "mean ± SD, n = 3" in text


def test_a_mean_needs_two() -> None:
    assert mean_sd([5.0], ".1f") == "–"
    assert mean_sd([5.0, 7.0], ".1f") == "6.0 ± 1.4"


def test_a_slide_without_tissue_is_no_point() -> None:
    slides = [report_slide(name) for name in "ab"]
    empty = report_slide("c", tissue_area_mm2=0.0, length_per_section_mm=0.0)
    scatters = view_cohort([*slides, empty]).scatters
    assert [point.name for point in scatters[0].points] == ["a", "b"]


def test_tissue_area_is_drawn_against_length() -> None:
    slides = [
        report_slide("short", length_mm=5.0, tissue_area_mm2=3.0),
        report_slide("long", length_mm=20.0, tissue_area_mm2=12.0),
    ]
    scatter = view_cohort(slides).scatters[1]
    short, long = scatter.points
    assert short.x_px < long.x_px
    assert short.y_px > long.y_px
    assert long.says == "20.0 mm, 12.00 mm²"
    assert scatter.corners == ()


def test_many_slides_are_counted_in_bins() -> None:
    slides = [report_slide(f"s{k}", portal_percent=2.0 + k % 10) for k in range(MOST_BARS + 10)]
    bars = view_cohort(slides).bars
    assert bars is not None
    assert len(bars.bars) < 15
    assert sum(int(bar.value) for bar in bars.bars) == MOST_BARS + 10
    assert bars.bars[0].name == "0 to 1 %"


def test_a_correction_stands_beside_the_models_numbers(tmp_path: Path) -> None:
    corrected = edited(tract_count_total=(3, 5), portal_percent=(7.0, None))
    slide = ReportSlide("core", typed(record()), None, None, edited=corrected)
    text, reader = page(tmp_path, [slide, report_slide("other")])
    assert "Corrected by hand" in text
    assert "3 added, 1 removed, 0 changed, 2 unchanged" in text
    assert '<th scope="row">portal tracts</th><td>3</td><td>5</td>' in text
    assert '<th scope="row">portal, % of tissue</th><td>7.0</td><td>–</td>' in text
    assert "No tissue is drawn" in text
    assert text.count("corrected, see below") == 1
    assert len(reader.all("script")) == 1


def test_numbers_of_corrected_outlines_are_never_called_the_models(tmp_path: Path) -> None:
    text, _ = page(tmp_path, [ReportSlide("core.edited", edited(), None, None)])
    assert "not the model&#39;s" in text


def test_a_thousand_slides_leave_no_room_for_large_overviews(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grain = rng.integers(0, 255, (300, 600, 3)).astype(np.uint8)  # as hard to pack as can be
    Image.fromarray(grain).save(tmp_path / "overview.png")
    for slides in (10, 100, 1000):
        picture = embed_overview(tmp_path / "overview.png", slides) or ""
        assert len(picture) <= 4 / 3 * PICTURE_BYTES / slides + 40
    slide = ReportSlide("core", typed(record()), tmp_path / "overview.png", None)
    text, _ = page(tmp_path, [slide] * 2 + [ReportSlide("x", None, None, "failed")] * 998)
    assert text.count("The overview is left out here") == 2


def test_of_very_many_slides_only_failures_have_a_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson.report.page.MOST_SECTIONS", 5)
    count = 6
    slides = [report_slide(f"slide {number}") for number in range(1, count)]
    text, _ = page(tmp_path, [*slides, ReportSlide("bad", None, None, "cannot be read")])
    assert text.count('<section class="slide"') == 1
    assert f'href="#s{count}"' in text
    assert f'id="s{count}"' in text
    assert 'href="#s1"' not in text
    assert "left out of a page of so many" in text
    whole, _ = page(tmp_path, slides)
    assert whole.count('<section class="slide"') == 5
    assert "a page of so many" not in whole


def test_a_broken_overview_costs_only_the_picture(tmp_path: Path) -> None:
    (tmp_path / "overview.png").write_bytes(b"\x89PNG\r\n\x1a\n cut short")
    text, reader = page(
        tmp_path, [ReportSlide("core", typed(record()), tmp_path / "overview.png", None)]
    )
    assert reader.all("img") == []
    assert "AASLD 2009" in text


def test_tables_of_tracts_do_not_grow_without_end(tmp_path: Path) -> None:
    large = record(MOST_ROWS + 100)
    large["tracts"][-1] = tract(MOST_ROWS + 100, 0.3)
    text, reader = page(tmp_path, [ReportSlide("core", typed(large), None, None)])
    rows = [a for a in reader.all("th") if a["scope"] == "row" and "data-sort" in a]
    assert len(rows) == MOST_ROWS
    assert rows[-1]["data-sort"] == str(MOST_ROWS + 100)  # of low confidence: kept
    assert "100 more are in tracts.csv" in text
    assert len(text) < 5e6


def test_doubtful_tracts_get_a_picture_first(tmp_path: Path) -> None:
    doubtful = record(3)
    doubtful["tracts"][2] = tract(3, 0.4)
    folder = thumbnails(tmp_path, 3, size=2_000)
    failed = [ReportSlide("x", None, None, "failed")] * 999  # so the share is one picture
    _, reader = page(tmp_path, [ReportSlide("core", typed(doubtful), None, None, folder), *failed])
    assert [a["alt"] for a in reader.all("img")] == ["Tract 3, outlined"]


def test_unreadable_tissue_is_a_fact(tmp_path: Path) -> None:
    text, _ = page(tmp_path, [report_slide("a", unreadable_area_mm2=0.25)])
    assert "<dt>unreadable, mm²</dt><dd>0.250</dd>" in text
    text, _ = page(tmp_path, [report_slide("a", unreadable_area_mm2=0.0)])
    assert "unreadable" not in text


def test_a_name_that_is_no_text_still_makes_a_page(tmp_path: Path) -> None:
    text, _ = page(tmp_path, [ReportSlide("core \udcff", typed(record()), None, None)])
    assert "core ?" in text


def test_pictures_are_there_when_printed(tmp_path: Path) -> None:
    folder = thumbnails(tmp_path, 3)
    _, reader = page(tmp_path, [ReportSlide("core", typed(record()), None, None, folder)])
    assert reader.all("img")
    assert not any("loading" in a for a in reader.all("img"))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.DUST])
def test_the_legend_has_the_overviews_colours(kind: Kind) -> None:
    style = read_part("glisson.report", "style.css") + read_part("glisson.pages", "style.css")
    assert f".{kind.value}::before {{ border-top: 3px dashed {hexed(kind.colour)}; }}" in style
    assert f".candidate::before {{ border-top: 3px dashed {hexed(CANDIDATE_COLOUR)}; }}" in style
    assert f".complete::before {{ border-color: {hexed(PORTAL.colour)}; }}" in style
    assert f"border-top: 3px solid {hexed(TISSUE_COLOUR)}" in style


def hexed(colour: tuple[int, int, int]) -> str:
    return "#" + bytes(colour).hex()
