"""The benchmark's figures as JSON, as a table and as a plot."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

_HEAD = "| | threads | windows | wall s | CPU s | peak MB | ms a tile | times the floor |"


def write_results(record: dict[str, Any], folder: Path) -> Path:
    """`<date>.json`, `<date>.md` and `<date>.png`; prints the table."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    record = {"date": today} | record
    path = folder / f"{today}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    table = table_of(record)
    path.with_suffix(".md").write_text(table, encoding="utf-8")
    _plot(record, path.with_suffix(".png"))
    print(table)
    return path


def table_of(record: dict[str, Any]) -> str:
    """A Markdown table of every run."""
    lines = [f"SYNTHETIC slide: {record['slide']}. {record['processor']}. {record['date']}.", ""]
    lines += [_HEAD, "|---" * _HEAD.count("| ") + "|"]
    for row in record["runs"]:
        floor = "" if row["ratio_to_floor"] is None else f"{row['ratio_to_floor']:.2f}"
        lines.append(
            f"| {row['name']} | {row['threads']} | {row['windows']} of {row['window_px']} px at "
            f"{row['mpp']:g} µm/px | {row['wall_s']:.1f} | {row['cpu_s']:.1f} | {row['peak_mb']} "
            f"| {row['ms_per_tile']:.1f} | {floor} |"
        )
    lines += ["", "Medians; ms a tile: wall time over the area of its windows in tiles of 256 µm."]
    lines += ["Floor: the same windows through the model, and read, and nothing else."]
    return "\n".join(lines) + "\n"


def _plot(record: dict[str, Any], path: Path) -> None:
    rows = record["runs"]
    figure, (time, memory) = plt.subplots(1, 2, figsize=(11, 0.42 * len(rows) + 1.2), sharey=True)
    names = [f"{row['name']}, {row['threads']} thread{'s'[: row['threads'] > 1]}" for row in rows]
    colours = ["#7a1f4b" if row["name"].startswith("Glisson") else "#8a8f98" for row in rows]
    time.barh(names, [row["wall_s"] for row in rows], color=colours)
    time.set_xlabel("s, slide on disk to outlines on disk")
    memory.barh(names, [row["peak_mb"] for row in rows], color=colours)
    memory.set_xlabel("MB at the peak")
    time.invert_yaxis()
    figure.suptitle(f"One slide, two drawn cores (SYNTHETIC), {record['date']}", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
