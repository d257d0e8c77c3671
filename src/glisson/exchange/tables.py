"""Tables that a statistician opens: one row a biopsy, one row a tract."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from glisson.files import atomic_path

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_BIOPSY_COLUMNS = (
    "tissue_area_mm2", "portal_area_mm2", "lobule_area_mm2", "portal_fraction", "portal_percent",
    "unreadable_area_mm2", "fragment_count", "tract_count_total", "tract_count_complete",
    "tract_count_partial", "tract_count_reason",
)  # fmt: skip
_TRACT_COLUMNS = (
    "number", "fragment_number", "area_um2", "perimeter_um", "equivalent_diameter_um",
    "probability", "edge_contact_fraction", "complete", "bridging", "centroid_x_l0",
    "centroid_y_l0",
)  # fmt: skip


def write_tables(out: Path, slides: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Write `biopsies.csv` and `tracts.csv` from the content of each `biopsy.json`.

    Args:
        out: folder.
        slides: (name, record) of each slide with a result.
    """
    slides = list(slides)
    _write(
        out / "biopsies.csv",
        ("slide", "file", *_BIOPSY_COLUMNS, "model", "warnings"),
        (_biopsy_row(name, record) for name, record in slides),
    )
    _write(
        out / "tracts.csv",
        ("slide", *_TRACT_COLUMNS),
        (
            [name, *(tract[column] for column in _TRACT_COLUMNS)]
            for name, record in slides
            for tract in record["tracts"]
        ),
    )


def _biopsy_row(name: str, record: dict[str, Any]) -> list[Any]:
    model = record["model"]
    return [
        name,
        record["slide"]["file"],
        *(record["biopsy"][column] for column in _BIOPSY_COLUMNS),
        f"{model['name']} {model['version']}",
        " ".join(record["warnings"]),
    ]


def _write(path: Path, header: tuple[str, ...], rows: Iterable[list[Any]]) -> None:
    with (
        atomic_path(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Any) -> Any:
    """A value that a spreadsheet takes for data: text never becomes a formula."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
