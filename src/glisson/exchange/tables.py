"""Tables that a statistician opens: one row a biopsy, one row a tract."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from glisson.files.atomic import atomic_path
from glisson.files.csv_tables import escape_cell
from glisson.measurement import STANDARDS

_BIOPSY_COLUMNS = (
    "tissue_area_mm2", "portal_area_mm2", "lobule_area_mm2", "portal_fraction", "portal_percent",
    "portal_percent_uncertainty",
    "interface_area_mm2", "interface_width_um", "lobule_beyond_interface_area_mm2",
    "unreadable_area_mm2", "fragment_count", "length_mm", "longest_fragment_length_mm",
    "mean_width_um", "minimum_width_um", "section_count", "section_count_given",
    "length_per_section_mm", "tissue_area_per_section_mm2", "tract_count_per_section",
    "tract_count_complete_per_section", "tract_count_total", "tract_count_complete",
    "tract_count_partial", "uncounted_area_count", "tract_count_reason",
)  # fmt: skip
_CANDIDATE_TOTALS = {"candidate_count": "count", "candidate_area_mm2": "area_mm2"}
_NEW_COLUMNS = {"portal_percent_uncertainty": None, "uncounted_area_count": None}
"""Empty for results of versions that did not measure them."""
_CASE_COLUMNS = ("patient", "institution")
_ADEQUACY_COLUMNS = tuple(f"adequacy_{standard.key}" for standard in STANDARDS)
_LAST_COLUMNS = ("plausibility", "model", "source", "synthetic", "warnings")
_TRACT_COLUMNS = (
    "number", "fragment_number", "area_um2", "perimeter_um", "equivalent_diameter_um",
    "circularity", "solidity", "major_axis_um", "minor_axis_um", "distance_to_edge_um",
    "nearest_tract_um", "probability", "edge_contact_fraction", "complete", "bridging",
    "width_um", "is_counted", "centroid_x_l0", "centroid_y_l0",
)  # fmt: skip
_NEW_TRACT_COLUMNS = {"width_um": None, "is_counted": None}
"""Empty likewise; those versions counted every tract."""
_CANDIDATE_COLUMNS = (
    "number", "fragment_number", "area_um2", "probability", "edge_contact_fraction", "complete",
    "centroid_x_l0", "centroid_y_l0",
)  # fmt: skip


Case = tuple[str | None, str | None]
"""Patient and institution."""


def write_tables(
    out: Path,
    slides: Iterable[tuple[str, dict[str, Any]]],
    ending: str = "",
    cases: Mapping[str, Case] | None = None,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Write `biopsies.csv`, `tracts.csv` and `candidates.csv` from each `biopsy.json`.

    Candidates have a table of their own, so that nobody counts one as a tract. Their columns are
    empty for results of versions that did not list candidates.

    Args:
        out: folder.
        slides: (name, record) of each slide with a result.
        ending: of the tables' names, such as `_edited`.
        cases: patient and institution by name; the columns are there where any slide has one.
        settings: for slides that were not all measured alike, what tells them apart, by name; the
            tables then have the column `settings`.

    Raises:
        OutputError: a table cannot be written.
    """
    slides, cases = list(slides), cases or {}
    told = any(value for case in cases.values() for value in case)
    columns = (*_BIOPSY_COLUMNS, *_CANDIDATE_TOTALS, *_ADEQUACY_COLUMNS, *_LAST_COLUMNS)
    _write(
        out / f"biopsies{ending}.csv",
        ("slide", "file", *(_CASE_COLUMNS if told else ()), *columns),
        (
            _biopsy_row(name, record, cases.get(name, (None, None)) if told else ())
            for name, record in slides
        ),
        settings,
    )
    _write(
        out / f"tracts{ending}.csv",
        ("slide", *_TRACT_COLUMNS),
        (
            [name, *((_NEW_TRACT_COLUMNS | tract)[column] for column in _TRACT_COLUMNS)]
            for name, record in slides
            for tract in record["tracts"]
        ),
        settings,
    )
    _write(
        out / f"candidates{ending}.csv",
        ("slide", *_CANDIDATE_COLUMNS),
        (
            [name, *(candidate[column] for column in _CANDIDATE_COLUMNS)]
            for name, record in slides
            for candidate in record.get("candidates", {}).get("areas", ())
        ),
        settings,
    )


def _biopsy_row(name: str, record: dict[str, Any], case: tuple[str | None, ...]) -> list[Any]:
    model = record["model"]
    return [
        name,
        record["slide"]["file"],
        *case,
        *((_NEW_COLUMNS | record["biopsy"])[column] for column in _BIOPSY_COLUMNS),
        *(record.get("candidates", {}).get(key) for key in _CANDIDATE_TOTALS.values()),
        *_verdicts(record),
        record.get("plausibility", {}).get("verdict", ""),
        f"{model['name']} {model['version']}",
        _source(record),
        record["slide"].get("synthetic", False),
        " ".join(record["warnings"]),
    ]


def _verdicts(record: dict[str, Any]) -> list[str]:
    verdict_of = {each["standard"]: each["verdict"] for each in record["adequacy"]}
    return [verdict_of.get(standard.key, "") for standard in STANDARDS]


def _source(record: dict[str, Any]) -> str:
    """`model`, or the file that outlines were corrected in."""
    edited = record.get("edited")
    return f"{record['source']}: {edited['file']}" if edited else str(record["source"])


def _write(
    path: Path,
    header: tuple[str, ...],
    rows: Iterable[list[Any]],
    settings: Mapping[str, str] | None,
) -> None:
    """Write a table whose rows begin with the slide's name; `settings` become the second column."""
    if settings is not None:
        header = (header[0], "settings", *header[1:])
        rows = ([row[0], settings.get(row[0], ""), *row[1:]] for row in rows)
    with (
        atomic_path(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([escape_cell(value) for value in row] for row in rows)
