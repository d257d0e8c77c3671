"""Records write what they read; an invalid file is an error that names file and key."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest

from glisson.errors import ResultError
from glisson.measurement import (
    BiopsyMeasurements,
    Measurement,
    Tables,
    TractMeasurements,
    list_shown,
    measurements_of,
)
from glisson.record import BiopsyRecord, RunRecord
from glisson.record.schema import RECORDS, read_schema
from glisson.results import SlideResult
from tests.records import content, record

ROOT = Path(__file__).parents[2]
Edit = Callable[[dict[str, Any]], None]


def test_a_record_reads_what_it_wrote(tmp_path: Path) -> None:
    made = record(content())
    made.write(tmp_path)
    assert BiopsyRecord.read(tmp_path) == made
    assert json.loads((tmp_path / "biopsy.json").read_text("utf-8"))["format_version"] == 1


def test_keys_that_were_not_given_are_not_written() -> None:
    written = json.loads(json.dumps(record(content()).content()))
    given = content()
    assert written.keys() == given.keys()
    assert written["slide"] == given["slide"]
    assert written["settings"] == given["settings"]
    assert written["biopsy"] == given["biopsy"]


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        (lambda c: c["biopsy"].update(tissue_area_mm2=-1.0), "biopsy.tissue_area_mm2"),
        (lambda c: c["biopsy"].update(portal_percent=math.nan), "biopsy.portal_percent"),
        (lambda c: c["biopsy"].update(length_mm="12"), "biopsy.length_mm"),
        (lambda c: c["biopsy"].update(section_count=True), "biopsy.section_count"),
        (lambda c: c["biopsy"].pop("fragment_count"), "biopsy.fragment_count"),
        (lambda c: c["tracts"][1].update(area_um2=None), "tracts.1.area_um2"),
        (lambda c: c["slide"].update(pixel_width_um=9.0), "slide.pixel_width_um"),
        (lambda c: c.update(source="guessed"), "source"),
        (lambda c: c.update(format_version="1"), "format_version"),
    ],
)
def test_an_invalid_value_is_named(tmp_path: Path, edit: Edit, key: str) -> None:
    made = content()
    edit(made)
    (tmp_path / "biopsy.json").write_text(json.dumps(made), encoding="utf-8")
    with pytest.raises(ResultError, match=key.replace(".", r"\.")) as raised:
        BiopsyRecord.read(tmp_path)
    assert str(tmp_path / "biopsy.json") in str(raised.value)
    assert "Segment the slide again" in str(raised.value)


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(ResultError, match=r"format_version is 2.*Update Glisson"):
        BiopsyRecord.parse(json.dumps(content(format_version=2)).encode(), "biopsy.json")


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_an_error_of_the_tree(data: bytes) -> None:
    for kind in RECORDS:
        with pytest.raises(ResultError):
            kind.parse(data, "file")


def test_a_missing_file_is_an_error_of_the_tree(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="cannot be read"):
        RunRecord.read(tmp_path)


def test_a_failed_slide_has_no_measurements() -> None:
    failed = SlideResult("a", Path("a.svs"), "failed", None, None, "cannot be opened")
    with pytest.raises(ResultError, match=r"a has no result: cannot be opened"):
        _ = failed.biopsy
    done = SlideResult("a", Path("a.svs"), "done", None, record(content()))
    assert done.biopsy.tract_count_total == 3


@pytest.mark.parametrize("kind", RECORDS)
def test_the_schema_rejects_what_reading_rejects(kind: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(read_schema(kind))
    if kind is BiopsyRecord:
        jsonschema.validate(content(), read_schema(kind))
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(content(biopsy={}), read_schema(kind))


def test_schemas_and_tables_of_the_docs_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    spec = importlib.util.spec_from_file_location("generated", ROOT / "scripts/write_generated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path, text in module.generated_files().items():
        assert path.read_text("utf-8") == text, f"run python scripts/write_generated.py: {path}"


def test_shown_measurements_have_a_heading_and_a_format() -> None:
    for block in (BiopsyMeasurements, TractMeasurements):
        for table in (Tables.SUMMARY, Tables.COMPARISON, Tables.REPORT):
            assert all(row.label and row.style for row in list_shown(block, table))


def test_a_new_field_is_a_new_column() -> None:
    @dataclass
    class Block:
        duct_count: Annotated[int, Measurement("bile ducts", label="ducts", style=".0f")]

    (row,) = list_shown(Block, Tables.CSV)
    assert (row.key, row.heading, row.text_of(Block(3)), row.text(None)) == (
        "duct_count",
        "ducts",
        "3",
        "–",
    )


def test_a_field_without_a_row_is_an_error() -> None:
    @dataclass
    class Block:
        duct_count: int

    with pytest.raises(TypeError, match=r"Block\.duct_count has no row"):
        measurements_of(Block)
