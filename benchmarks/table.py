"""The benchmark's figures as JSON, as a table and as a plot."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SHIPPED, SAME_TILES = "Glisson as shipped", "Glisson at 1 µm/px"
_HEAD = "| | threads | windows | wall s | CPU s | peak MB | ms a tile | times the floor |"


def write_results(record: dict[str, Any], folder: Path) -> Path:
    """Write `<date>.json`, `<date>.md` and `<date>.png`, and print the table."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    record = {"date": today} | add_ratios(record)
    path = folder / f"{today}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    table = format_table(record)
    path.with_suffix(".md").write_text(table, encoding="utf-8")
    _plot(record, path.with_suffix(".png"))
    print(table)
    return path


def add_ratios(record: dict[str, Any]) -> dict[str, Any]:
    """Add ratios to the measured record.

    A tile is 256 px at 1 µm/px, as peers use. The tissue needs `tiles_needed` tiles, and Glisson's
    time is divided by that number whatever its windows; a peer's time by the tiles it predicted.
    The floor is the time to read the same number of tiles and to predict them.
    """
    rows = record["runs"]
    needed = next(row["windows"] for row in rows if row["name"] == SAME_TILES)
    for row in rows:
        tiles = needed if row["name"].startswith("Glisson") else row["windows"]
        floor = record["floors_ms_a_tile"][str(row["threads"])]
        floor_ms = floor["forward_ms"] + floor["read_ms"]
        row["ms_per_tile"] = round(1000 * row["wall_s"] / tiles, 2)
        row["ratio_to_floor"] = round(row["ms_per_tile"] / floor_ms, 3)
    shipped = [row for row in rows if row["name"] == SHIPPED]
    return {
        "ratio_to_floor": max(row["ratio_to_floor"] for row in shipped),
        "ratio_to_floor_same_tiles": max(
            row["ratio_to_floor"] for row in rows if row["name"] == SAME_TILES
        ),
        "ratio_to_peers": _compare_with_peers(rows, SHIPPED),
        "ratio_to_peers_same_tiles": _compare_with_peers(rows, SAME_TILES),
        "peak_mb": max(row["peak_mb"] for row in shipped),
        "ms_per_tile": min(row["ms_per_tile"] for row in shipped),
        "tiles_needed": needed,
    } | record


def _compare_with_peers(rows: list[dict[str, Any]], name: str) -> dict[str, float]:
    """Divide Glisson's wall time by each peer's on the same threads: below 1 is faster."""
    ours = {row["threads"]: row["wall_s"] for row in rows if row["name"] == name}
    return {
        f"{row['name']}, {row['threads']} thread(s)": round(ours[row["threads"]] / row["wall_s"], 3)
        for row in rows
        if not row["name"].startswith("Glisson")
    }


def format_table(record: dict[str, Any]) -> str:
    """Format a Markdown table of all runs."""
    lines = [f"SYNTHETIC slide: {record['slide']}. {record['processor']}. {record['date']}.", ""]
    lines += [_HEAD, "|---" * (_HEAD.count("|") - 1) + "|"]
    for row in record["runs"]:
        lines.append(
            f"| {row['name']} | {row['threads']} | {row['windows']} of {row['window_px']} px at "
            f"{row['mpp']:g} µm/px | {row['wall_s']:.1f} | {row['cpu_s']:.1f} | {row['peak_mb']} "
            f"| {row['ms_per_tile']:.1f} | {row['ratio_to_floor']:.2f} |"
        )
    lines += ["", "Medians. ms a tile: wall time over the tiles of 256 µm that cover the tissue"]
    lines += [f"({record['tiles_needed']}; for a peer, those it predicted). Floor: as many tiles"]
    lines += ["through the model, and read, and nothing else."]
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
