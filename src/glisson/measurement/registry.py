"""The registry: how every number of a record is called, written and shown.

A field of a record's block carries its row of the registry as an annotation, so that a new
measurement is two edits: its field in `measurements.py`, and the line that computes it. The JSON
Schema, CSV columns, terminal, report, QuPath's measurements and docs/measure.md follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Flag, auto
from functools import cache
from typing import Any, get_type_hints

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

DASH = "–"


class Tables(Flag):
    """The tables that show a measurement.

    Attributes:
        CSV: `biopsies.csv`, `tracts.csv` or `candidates.csv`.
        SUMMARY: a row a slide: on the terminal, and first in the report.
        COMPARISON: two measurements of a slide side by side: model and correction, truth and model.
        REPORT: the slide's own section of the report.
    """

    CSV = auto()
    SUMMARY = auto()
    COMPARISON = auto()
    REPORT = auto()
    EVERY = CSV | SUMMARY | COMPARISON | REPORT


@dataclass(frozen=True)
class Measurement:
    """A row of the registry.

    Attributes:
        description: what is measured, as docs/measure.md and the JSON Schema say it.
        label: name in tables, without the unit.
        unit: as tables write it; empty for counts and ratios.
        style: format of the value in tables.
        short: label on the terminal, where columns are narrow; empty for `label`.
        qupath: name among QuPath's measurements; empty for none.
        tables: where the measurement is shown.
        uncertainty: key of its uncertainty, which is shown behind the value.
        is_compared: whether a correction lists its change.
        key: its field.
    """

    description: str
    label: str = ""
    unit: str = ""
    style: str = ""
    short: str = ""
    qupath: str = ""
    tables: Tables = Tables.CSV
    uncertainty: str = ""
    is_compared: bool = True
    key: str = ""

    @property
    def heading(self) -> str:
        """Label and unit."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    @property
    def narrow_heading(self) -> str:
        """Short label, and unit below it."""
        return self.short or f"{self.label}\n{self.unit}"

    @property
    def is_count(self) -> bool:
        """Whether the value is a whole number of things."""
        return not self.unit and self.style == ".0f"

    @property
    def mean_style(self) -> str:
        """Format of the mean over slides; of counts it has a decimal."""
        return ".1f" if self.is_count else self.style

    @property
    def fine_style(self) -> str:
        """Format with one more decimal, so that a small change shows; counts have none."""
        return self.style if self.is_count else f".{int(self.style[-2]) + 1}f"

    def value_of(self, block: object) -> Any:
        """Return the value in a block of a record."""
        return getattr(block, self.key)

    def text(self, value: float | None) -> str:
        """Format a value; a dash stands for None."""
        return DASH if value is None else format(value, self.style)

    def text_of(self, block: object) -> str:
        """Format the value in a block of a record, with its uncertainty."""
        spread = getattr(block, self.uncertainty) if self.uncertainty else None
        text = self.text(self.value_of(block))
        return text if spread is None else f"{text} ± {self.text(spread)}"

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"description": self.description}


@cache
def measurements_of(block: type) -> tuple[Measurement, ...]:
    """List the registry's rows of a block's fields, in order.

    Args:
        block: `BiopsyMeasurements`, `TractMeasurements`, `CandidateMeasurements` or
            `FragmentMeasurements`.

    Raises:
        TypeError: a field has no row.
    """
    hints = get_type_hints(block, include_extras=True)
    return tuple(_row(block, field.name, hints[field.name]) for field in fields(block))


def _row(block: type, key: str, hint: object) -> Measurement:
    for metadata in getattr(hint, "__metadata__", ()):
        if isinstance(metadata, Measurement):
            return replace(metadata, key=key)
    raise TypeError(f"{block.__name__}.{key} has no row in the registry: annotate the field.")


def list_shown(block: type, table: Tables) -> tuple[Measurement, ...]:
    """List the rows that a table shows."""
    return tuple(row for row in measurements_of(block) if table in row.tables)


def heading_of(block: type, key: str) -> str:
    """Return the heading of a field: its label and unit."""
    return next(row.heading for row in measurements_of(block) if row.key == key)


def qupath_measurements(block: object) -> Mapping[str, float | None]:
    """Return the values of a block by QuPath's names, of those that have one."""
    kind: type = type(block)
    rows = measurements_of(kind)
    return {row.qupath: row.value_of(block) for row in rows if row.qupath}
