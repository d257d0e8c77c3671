"""Time and memory by tissue, slide size, tracts and threads: `python -m benchmarks.curves`."""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.processes import CommandCost, measure_command
from benchmarks.slides import GIANT, STANDARD, BenchSlide, PlacedCore, make_slide

GLISSON = Path(sys.executable).with_name("glisson")
TRACTS = (10, 100, 1_000, 2_500, 5_000, 10_000)
_CORE_PITCH_L0 = 20_000
_COLOUR = "#7a1f4b"


def main() -> None:
    """Measure every curve, and write figures and plots."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("bench-out"))
    options.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options.add_argument("--rounds", type=int, default=1)
    chosen = options.parse_args()
    rows = [
        _measure_slide(curve, slide, chosen.folder, threads, chosen.rounds)
        for curve, slide, threads in _list_points()
    ]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    path = chosen.results / f"{today}-curves.json"
    chosen.results.mkdir(parents=True, exist_ok=True)
    tracts = [_measure_steps(count) for count in TRACTS]
    found = {"slides": rows, "tracts": tracts}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    _plot(rows, tracts, path.with_suffix(".png"))


def _list_points() -> Iterator[tuple[str, BenchSlide, int]]:
    """Yield (curve, slide, threads)."""
    for share in (0.06, 0.3, 1.0):
        yield (
            "tissue",
            BenchSlide(f"tissue-{share:g}", 60_000, 20_600, (PlacedCore(600, 800, share),)),
            2,
        )
    for cores in (2, 6, 12, 24):
        yield "tissue", _place_cores(cores), 2
    for side in (62_000, 100_000, 150_000, 200_000):
        yield "slide", BenchSlide(f"side-{side}", side, side, STANDARD.cores), 2
    yield "slide", GIANT, 2
    for threads in (1, 2):
        yield "threads", STANDARD, threads


def _place_cores(cores: int) -> BenchSlide:
    """Plan a slide with cores in two columns."""
    rows = -(-cores // 2)
    placed = tuple(
        PlacedCore(600 + 60_000 * (number % 2), 800 + _CORE_PITCH_L0 * (number // 2))
        for number in range(cores)
    )
    return BenchSlide(f"cores-{cores}", 120_000, 1_000 + _CORE_PITCH_L0 * rows, placed)


def _measure_slide(
    curve: str, slide: BenchSlide, folder: Path, threads: int, rounds: int
) -> dict[str, Any]:
    path = make_slide(folder, slide)
    out = folder / "runs" / "curves"
    runs = [_segment_once(path, out, threads) for _ in range(rounds)]
    record = json.loads((out / path.stem / "biopsy.json").read_text("utf-8"))
    row = {
        "curve": curve,
        "slide": slide.name,
        "threads": threads,
        "slide_mm2": slide.width_l0 * slide.height_l0 * 0.25**2 * 1e-6,
        "tissue_mm2": round(record["biopsy"]["tissue_area_mm2"], 2),
        "tracts": len(record["tracts"]),
        "windows": record["windows"],
        "wall_s": round(statistics.median(run.wall_s for run in runs), 2),
        "cpu_s": round(statistics.median(run.cpu_s for run in runs), 2),
        "peak_mb": round(max(run.peak_mb for run in runs)),
        "seconds_per_stage": record["seconds_per_stage"],
    }
    print(json.dumps(row), flush=True)
    return row


def _measure_steps(count: int) -> dict[str, Any]:
    """Measure processor seconds after the model, with `count` tracts on 400 mm²."""
    command = [sys.executable, "-m", "benchmarks.tracts", str(count)]
    row: dict[str, Any] = json.loads(subprocess.check_output(command))
    print(json.dumps(row), flush=True)
    return row


def _segment_once(path: Path, out: Path, threads: int) -> CommandCost:
    shutil.rmtree(out, ignore_errors=True)
    command = [GLISSON, "segment", path, "-o", out, "--threads", str(threads)]
    return measure_command(command, range(threads))


def _plot(rows: list[dict[str, Any]], tracts: list[dict[str, Any]], path: Path) -> None:
    figure, axes = plt.subplots(2, 3, figsize=(13, 7))
    for column, (curve, x, label) in enumerate(
        (("tissue", "tissue_mm2", "tissue, mm²"), ("slide", "slide_mm2", "slide, mm²"))
    ):
        chosen = [row for row in rows if row["curve"] == curve and _has_same_tissue(row)]
        for line, (y, unit) in enumerate((("wall_s", "s"), ("peak_mb", "MB at the peak"))):
            _plot_line(axes[line, column], [r[x] for r in chosen], [r[y] for r in chosen])
            axes[line, column].set(xlabel=label, ylabel=unit)
    threads = [row for row in rows if row["curve"] == "threads"]
    axes[0, 2].bar(
        [str(r["threads"]) for r in threads], [r["wall_s"] for r in threads], color=_COLOUR
    )
    axes[0, 2].set(xlabel="threads", ylabel="s, 33 mm² of tissue")
    for step in ("outlines_s", "measuring_s", "geojson_s"):
        axes[1, 2].plot(
            [r["tracts"] for r in tracts],
            [r[step] for r in tracts],
            "o-",
            label=step.removesuffix("_s"),
        )
    axes[1, 2].legend()
    axes[1, 2].set(xlabel="tracts on 400 mm²", ylabel="processor s", ylim=(0, None), xlim=(0, None))
    figure.suptitle("glisson segment, two threads, drawn slides (SYNTHETIC)", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _has_same_tissue(row: dict[str, Any]) -> bool:
    """Return whether a slide belongs on its curve: the giant slide has more tissue."""
    return row["curve"] != "slide" or row["slide"] != GIANT.name


def _plot_line(axis: Any, x: list[float], y: list[float]) -> None:
    axis.plot(x, y, "o-", color=_COLOUR)
    axis.set(xlim=(0, 1.05 * max(x)), ylim=(0, 1.05 * max(y)))


if __name__ == "__main__":
    main()
