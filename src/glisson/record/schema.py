"""JSON Schemas of the records, made from their types and shipped in `schemas/`."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from glisson.record.biopsy import BiopsyRecord
from glisson.record.parts import Record
from glisson.record.run import RunRecord

RECORDS: tuple[type[Record], ...] = (BiopsyRecord, RunRecord)


def schema_name(record: type[Record]) -> str:
    """Return the name of a record's schema file."""
    return record.FILE.replace(".json", ".schema.json")


def make_schema(record: type[Record]) -> dict[str, Any]:
    """Make the JSON Schema of a record from its type."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **record.model_json_schema(),
    }


def read_schema(record: type[Record]) -> dict[str, Any]:
    """Read the shipped JSON Schema of a record."""
    file = resources.files("glisson.record") / "schemas" / schema_name(record)
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema
