"""Measure phantom tiles against real liver: tables, plots, and a real-or-phantom classifier."""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.phantom_check import architecture, measures, realness
from benchmarks.phantom_check.fields import Field, read_real_fields, render_fields
from benchmarks.phantom_check.plots import plot_ranges, plot_spectrum
from benchmarks.phantom_check.targets import GOAL, Target, read_targets

Values = dict[str, np.ndarray]


def main() -> None:
    """Print the table and write it, with plots, to a folder."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-n", "--tiles", type=int, default=240)
    options.add_argument("--first-seed", type=int, default=5_000_000)
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options.add_argument("-o", "--out", type=Path, default=Path("phantom-check"))
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    console = Console(record=True, width=110)
    fields = render_fields(chosen.tiles, chosen.first_seed, chosen.workers)
    real = read_real_fields()
    values = measure(fields) | architecture.measure_plans(80)
    known = measure([field for crops in real.values() for field in crops])
    targets = read_targets()
    report = {t.name: _compare(t, values, known) for t in targets if t.name in values}
    _print_table(console, report)
    plot_ranges(chosen.out / "ranges.png", targets, values)
    plot_spectrum(chosen.out / "spectrum.png", targets, values, known)
    report_all = {"targets": report, "realness": _print_realness(console, real, fields, chosen.out)}
    (chosen.out / "phantom-check.json").write_text(
        json.dumps(report_all, indent=1, ensure_ascii=False, default=float)
    )
    console.save_text(str(chosen.out / "phantom-check.txt"))


def measure(fields: list[Field]) -> Values:
    """Take all measurements of all fields that they apply to."""
    found: dict[str, list[float]] = defaultdict(list)
    for field in fields:
        for name, value in _measure_field(field).items():
            if np.isfinite(value):
                found[name].append(value)
    return {name: np.array(v) for name, v in found.items() if len(v) >= 5}


def _measure_field(field: Field) -> dict[str, float]:
    found: dict[str, float] = {}
    if field.tissue_share > 0.9:
        found |= measures.measure_colours(field)
    if field.lobule_share > 0.95:
        small = measures.halve(field.rgb)
        found |= measures.measure_texture(small, 1.0)
        found |= measures.measure_texture(measures.halve(small), 2.0)
        found |= measures.measure_band_powers(small, 1.0) | measures.measure_cells(field)
    return found | measures.measure_portal(field)


def _compare(target: Target, values: Values, known: Values) -> dict[str, object]:
    mine = values[target.name]
    theirs = known.get(target.name)
    return {
        "real": [target.low, target.middle, target.high],
        "phantom": [float(v) for v in np.percentile(mine, (5, 50, 95))],
        "n": len(mine),
        "overlap": target.overlap(mine),
        "cores at hand": None if theirs is None else float(np.median(theirs)),
    }


def _print_table(console: Console, report: dict[str, dict[str, object]]) -> None:
    table = Table(title="SYNTHETIC phantoms in the ranges of real liver", box=None)
    table.add_column("")
    for heading in ("real 5 / 50 / 95 %", "phantom 5 / 50 / 95 %", "n", "inside", "cores at hand"):
        table.add_column(heading, justify="right")
    for name, row in report.items():
        overlap = float(str(row["overlap"]))
        shown = f"{overlap:.0%}" if overlap >= GOAL else f"[bold red]{overlap:.0%}[/]"
        at_hand = row["cores at hand"]
        table.add_row(
            name,
            _format_three(row["real"]),
            _format_three(row["phantom"]),
            str(row["n"]),
            shown,
            "" if at_hand is None else f"{at_hand:.3g}",
        )
    console.print(table)
    reached = sum(float(str(row["overlap"])) >= GOAL for row in report.values())
    console.print(f"{reached} of {len(report)} have at least {GOAL:.0%} of phantom tiles inside.")
    console.print("Single values (power) count as inside within a factor of two.")


def _format_three(values: object) -> str:
    return " / ".join(f"{v:.3g}" for v in values)  # type: ignore[attr-defined]


def _print_realness(
    console: Console, real: dict[str, list[Field]], fields: list[Field], out: Path
) -> dict[str, object]:
    if len(real) < 2:
        console.print("Real cores are not at hand: no real-or-phantom classifier.")
        return {}
    phantoms = [field for field in fields if field.tissue_share > 0.95]
    described = [realness.describe(field) for field in phantoms]
    known = [[realness.describe(field) for field in crops] for crops in real.values()]
    sources = [field.source for field in phantoms]
    report: dict[str, object] = {}
    for name, texture_only in (("all measurements", False), ("texture and cells only", True)):
        found = realness.classify(known, described, sources, texture_only)
        console.print(
            f"real or phantom, {name}: AUC {found.auc:.3f}; most by {', '.join(found.telling)}"
        )
        report[name] = {"auc": found.auc, "telling": found.telling}
        sheet = out / f"easiest-{'texture' if texture_only else 'all'}.png"
        _write_sheet(sheet, real, phantoms, found.easiest)
    return report


def _write_sheet(
    path: Path, real: dict[str, list[Field]], phantoms: list[Field], easiest: tuple[str, ...]
) -> None:
    """Draw real fields above the phantoms that the classifier recognises most surely."""
    by_source = {field.source: field.rgb for field in phantoms}
    crops = [
        field.rgb for crops in real.values() for field in crops[:: max(1, len(crops) // 4)][:4]
    ]
    recognised = [by_source[source] for source in easiest]
    rows = [crops[:4], crops[4:8], recognised[:4], recognised[4:8]]
    sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows if len(row) == 4])
    cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
