"""The report: what it shows, that hostile text stays text, and how large it gets."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from glisson.artefacts.kinds import Kind
from glisson.classes import CANDIDATE_COLOUR, PARTIAL_COLOUR, PORTAL, UNCOUNTED_COLOUR
from glisson.record import BiopsyRecord
from glisson.report import ReportRun, ReportSlide, write_report
from glisson.report.cohort import HEADINGS
from glisson.report.pictures import PICTURE_BYTES, THUMBNAIL_BYTES
from tests.records import content, tract
from tests.records import record as typed

RUN = ReportRun("2025-01-01 10:00 UTC", "0.1.0", "m 1", "phantoms", "For research.")
HOSTILE = "</script><img src=x onerror=alert(1)>\" ' & {{ 7*7 }} core.svs"
VOID = {"meta", "img"}


class Reader(HTMLParser):
    """Elements with their attributes, in order; open ones are checked against closing ones."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def record(tracts: int = 3, length_mm: float = 12.0) -> dict[str, Any]:
    """The content of a `biopsy.json` with a warning, and tissue out of focus."""
    made = content(tracts, length_mm)
    made["slide"]["file"] = HOSTILE
    return made | {
        "warnings": ["12 % of the tissue is out of focus: counts there need a look."],
        "artefacts": {"artefact_area_mm2": {"defocus": {
            "count": 1, "on_tissue_mm2": 0.3, "off_tissue_mm2": 0.0, "on_tissue_percent": 12.0}}},
        "seconds_per_stage": {"tissue": 1.0},
    }  # fmt: skip


def page(tmp_path: Path, slides: list[ReportSlide]) -> tuple[str, Reader]:
    path = tmp_path / "report.html"
    write_report(path, RUN, slides)
    text = path.read_text("utf-8")
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return text, reader


def slide(name: str = "core", **more: Any) -> ReportSlide:
    return ReportSlide(name, typed(record()), None, None, **more)


def test_everything_that_is_known_is_shown_and_the_rest_left_out(tmp_path: Path) -> None:
    text, _ = page(tmp_path, [slide()])
    for words in ("out of focus", "AASLD 2009", "compromised", "12.00 of 20 mm", "7.0", "20,001"):
        assert words in text
    for words in ("nearest tract", "mean width", "unreadable", "per section", "None", "nan"):
        assert words not in text


def test_candidates_have_a_table_of_their_own(tmp_path: Path) -> None:
    unsure = record()
    areas = [tract(1, 0.6, on_artefact=["fold"]), tract(2, 0.7)]
    unsure["candidates"] = {"count": 2, "area_mm2": 0.04, "areas": areas}
    text, _ = page(tmp_path, [slide("old"), ReportSlide("new", typed(unsure), None, None)])
    assert text.count("2 candidates, in no count, area or percentage") == 1
    table = text.split('aria-label="Candidates of new"')[1].split("</table>")[0]
    assert "C1</th>" in table
    assert "on a fold" in table
    assert "low confidence" not in table, "that is said of counted tracts"
    assert "<dt>candidates, not counted</dt><dd>2</dd>" in text
    assert "3 outlined areas" in text
    cells = [
        re.findall(r"<td[^>]*>([^<]*)</td>", row)[HEADINGS.index("candidates")]
        for row in re.findall(r'<tr><th scope="row"><a href.*?</tr>', text, re.DOTALL)
    ]
    assert cells == ["–", "2"], "an older result does not say"


def test_drawn_slides_are_called_synthetic_and_others_are_not(tmp_path: Path) -> None:
    drawn = record()
    drawn["slide"]["synthetic"] = True
    text, _ = page(tmp_path, [slide("real"), ReportSlide("drawn", typed(drawn), None, None)])
    assert "1 of the slides was drawn by a program" in text
    assert 'drawn <span class="soft">(synthetic)' in text
    assert "real <span" not in text
    assert "SYNTHETIC" not in page(tmp_path, [slide("real")])[0]


def test_an_implausible_slide_begins_with_a_notice_and_is_in_no_mean(tmp_path: Path) -> None:
    skin = record()
    warning = "This does not look like liver. 9% of 33 fields."
    skin["plausibility"] = {"verdict": "perhaps not liver", "withheld": True, "warning": warning}
    skin["warnings"].insert(0, warning)
    slides = [slide("one"), slide("two"), ReportSlide("skin", typed(skin), None, None)]
    text, reader = page(tmp_path, slides)
    assert text.count(warning) == 1
    assert [a["class"] for a in reader.all("div") if "implausible" in a.get("class", "")] == [
        "notice implausible"
    ]
    assert "withheld: perhaps not liver" in text
    assert "mean ± SD, n = 2" in text


def test_an_old_record_without_newer_keys_makes_a_page(tmp_path: Path) -> None:
    old = record()
    for key in ("format_version", "adequacy", "artefacts"):
        del old[key]
    for key in ("portal_percent_uncertainty", "uncounted_area_count", "counted_definition"):
        del old["biopsy"][key]
    for each in old["tracts"]:
        del each["width_um"], each["is_counted"]
    stored = BiopsyRecord.parse(json.dumps(old).encode(), "biopsy.json")
    text, _ = page(tmp_path, [ReportSlide("old", stored, None, None)] * 2)
    assert "Adequacy" not in text
    assert "not counted" not in text


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    failed = ReportSlide(HOSTILE, None, None, f"{HOSTILE} cannot be read")
    text, reader = page(tmp_path, [slide(HOSTILE), slide(HOSTILE), failed])
    assert len(reader.all("script")) == 1
    assert all("onerror" not in attributes for _, attributes in reader.elements)
    assert "49 core" not in text
    assert {a["src"][:5] for a in reader.all("img")} <= {"data:"}


def test_nothing_is_fetched_and_the_policy_forbids_it(tmp_path: Path) -> None:
    text, reader = page(tmp_path, [slide(), slide("two")])
    policy = next(m["content"] for m in reader.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert not re.findall(r"https?://|url\(|@import", text)
    assert not any("style" in a or any(k.startswith("on") for k in a) for _, a in reader.elements)


def test_low_confidence_and_artefacts_mark_a_tract(tmp_path: Path) -> None:
    doubtful = record()
    doubtful["tracts"] = [tract(1, 0.55, on_artefact=["fold"]), tract(2), tract(3, None)]
    text, _ = page(tmp_path, [ReportSlide("core", typed(doubtful), None, None)])
    assert "1 tract is of low confidence (mean probability below 0.85): 1." in text
    assert text.count(">low confidence<") == 1
    assert text.count(">on a fold<") == 1


def test_tables_have_headers_and_pictures_have_words(tmp_path: Path) -> None:
    folder = thumbnails(tmp_path, 3)
    _, reader = page(tmp_path, [slide(thumbnails=folder)] * 2)
    assert all(a.get("scope") in ("col", "row") for a in reader.all("th"))
    assert all(a.get("alt") for a in reader.all("img"))
    assert all(a.get("aria-label") for a in reader.all("svg"))
    assert len(reader.all("svg")) == 3
    assert len([a for a in reader.all("img") if "Tract" in a["alt"]]) == 6


def thumbnails(tmp_path: Path, count: int, size: int = 7000) -> Path:
    folder = tmp_path / "thumbnails"
    folder.mkdir(exist_ok=True)
    data = io.BytesIO()
    Image.new("RGB", (16, 16)).save(data, format="JPEG")
    for number in range(1, count + 1):
        (folder / f"PT-{number:03d}.jpg").write_bytes(data.getvalue().ljust(size, b"\xff"))
    return folder


def test_only_pictures_get_into_the_page(tmp_path: Path) -> None:
    """A stranger's results may hold links to, or copies of, any file of this machine."""
    folder = thumbnails(tmp_path, 3)
    secret = tmp_path / "secret"
    secret.write_bytes(b"a password")
    (folder / "PT-001.jpg").unlink()
    (folder / "PT-001.jpg").symlink_to(secret)
    (folder / "PT-002.jpg").write_bytes(secret.read_bytes())
    picture = tmp_path / "private.jpg"
    (folder / "PT-003.jpg").rename(picture)
    (folder / "PT-003.jpg").symlink_to(picture)
    text, reader = page(tmp_path, [slide(thumbnails=folder)])
    assert base64.b64encode(secret.read_bytes()).decode()[:12] not in text
    assert not [a for a in reader.all("img") if "Tract" in a["alt"]]


def test_thirty_slides_stay_below_ten_megabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grain = rng.integers(0, 255, (400, 1000, 3)).astype(np.uint8)  # as hard to pack as can be
    Image.fromarray(grain).save(tmp_path / "overview.png")
    folder = thumbnails(tmp_path, 60)
    slides = [
        ReportSlide(f"core {k}", typed(record(60)), tmp_path / "overview.png", None, folder)
        for k in range(30)
    ]
    text, reader = page(tmp_path, slides)
    assert len(text) < 10e6
    embedded = sum(len(a["src"]) for a in reader.all("img"))
    assert embedded < 4 / 3 * (PICTURE_BYTES + THUMBNAIL_BYTES) * 1.05
    assert "without a picture here" in text
    assert not any("open" in a for a in reader.all("details") if a.get("class") == "slide")


def test_figures_place_slides_by_their_numbers(tmp_path: Path) -> None:
    short, long = record(3, 5.0), record(12, 22.0)
    text, reader = page(
        tmp_path,
        [
            ReportSlide("short", typed(short), None, None),
            ReportSlide("long", typed(long), None, None),
        ],
    )
    circles = [(float(a["cx"]), float(a["cy"])) for a in reader.all("circle")]
    assert circles[0][0] < circles[1][0]
    assert circles[0][1] > circles[1][1]
    assert "AASLD 2009: 20 mm, 11 tracts" in text


def test_portal_percent_has_its_uncertainty(tmp_path: Path) -> None:
    known = record()
    known["biopsy"]["portal_percent_uncertainty"] = 0.52
    text, _ = page(tmp_path, [ReportSlide("a", typed(known), None, None), slide("b")])
    assert text.count("7.0 ± 0.5") == 1


def test_the_legend_has_the_colours_of_the_outlines() -> None:
    style = (resources.files("glisson.report") / "templates" / "style.css").read_text("utf-8")
    colours = {
        "complete": PORTAL.colour,
        "partial": PARTIAL_COLOUR,
        "uncounted": UNCOUNTED_COLOUR,
        "candidate": CANDIDATE_COLOUR,
        **{kind.value: kind.colour for kind in Kind if f".{kind.value}::" in style},
    }
    for name, (red, green, blue) in colours.items():
        rule = style.split(f".{name}::before {{", 1)[1].split("}", 1)[0]
        assert f"#{red:02x}{green:02x}{blue:02x}" in rule, name
