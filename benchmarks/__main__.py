"""Glisson, the floor and the peers on one slide, in turn: `make bench`.

Everything runs in processes of its own on the same processor cores: the drawn slide (SYNTHETIC)
on disk to outlines on disk, start-up included. Medians of several rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers import HERE, PEERS, Peer, install_peer
from benchmarks.peers.weights import write_weights
from benchmarks.processes import CommandCost, measure_command
from benchmarks.slides import STANDARD, make_slide
from benchmarks.table import SAME_TILES, SHIPPED, write_results
from glisson.model import find_model

GLISSON = Path(sys.executable).with_name("glisson")
FLOOR_SIDE_PX = 256


@dataclass
class Contestant:
    """A program that the benchmark times.

    Attributes:
        name: label in the table.
        command: function from an output folder and threads to a command line.
        tiles: function from output folder and printed text to the number of predicted windows.
        mpp: µm/px of the windows.
        side_px: side of the windows.
        writes: description of the output files.
        is_peer: whether the program is another than Glisson.
    """

    name: str
    command: Callable[[Path, int], list[str | Path]]
    tiles: Callable[[Path, str], int]
    mpp: float
    side_px: int
    writes: str = "outlines, measurements, class map, report"
    is_peer: bool = False
    runs: dict[int, list[CommandCost]] = field(default_factory=dict)
    windows: int = 0


def main() -> None:
    """Run the rounds and write the table, the JSON and the plot."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("bench-out"))
    options.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options.add_argument("--peer-threads", type=int, nargs="+", default=[1])
    options.add_argument("--no-peers", action="store_true", help="only Glisson and the floor")
    options.add_argument("--environments", type=Path, default=None, help="of the peers")
    options.add_argument(
        "--peers-from", type=Path, help="take the peers of an earlier run's JSON, run none"
    )
    chosen = options.parse_args()
    folder: Path = chosen.folder
    slide = make_slide(folder, STANDARD)
    contestants = _list_glisson(slide, folder)
    if not chosen.no_peers and chosen.peers_from is None:
        write_weights(find_model(None), folder / "weights")
        homes = chosen.environments or folder / "environments"
        contestants += [_make_peer(peer, slide, folder, homes) for peer in PEERS]
    floors = {count: _measure_floor(slide, count) for count in chosen.threads}
    for number in range(chosen.rounds):
        for threads in chosen.threads:
            for contestant in contestants:
                if contestant.is_peer and threads not in chosen.peer_threads:
                    continue
                _run_once(contestant, folder, threads)
                last = contestant.runs[threads][-1]
                print(
                    f"round {number + 1}, {threads} thread(s), {contestant.name}: "
                    f"{last.wall_s:.1f} s, {last.peak_mb:.0f} MB",
                    flush=True,
                )
    record = _assemble_record(contestants, floors, chosen.threads)
    if chosen.peers_from is not None:
        record["runs"] += _read_peers(chosen.peers_from)
    write_results(record, chosen.results)


def _read_peers(path: Path) -> list[dict[str, Any]]:
    """Read the peers' rows of an earlier run, and add that run's name."""
    earlier = json.loads(path.read_text("utf-8"))
    rows = [row for row in earlier["runs"] if not row["name"].startswith("Glisson")]
    return [row | {"measured": row.get("measured", path.stem)} for row in rows]


def _run_once(contestant: Contestant, folder: Path, threads: int) -> None:
    out = folder / "runs" / contestant.name.split()[0].lower()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    result = measure_command(contestant.command(out, threads), range(threads))
    contestant.runs.setdefault(threads, []).append(result)
    contestant.windows = contestant.tiles(out, result.output)


def _list_glisson(slide: Path, folder: Path) -> list[Contestant]:
    """List Glisson's default, f32, and the peers' tiles: 1 µm/px, 256 px, no overlap."""
    spec = find_model(None).spec
    side_px = spec.windows.side_px if spec.windows else spec.window_px
    as_peers = _make_one_um_bundle(folder / "one-um-model")

    def command(*more: str | Path) -> Callable[[Path, int], list[str | Path]]:
        return lambda out, threads: [
            GLISSON,
            "segment",
            slide,
            "-o",
            out,
            "--threads",
            str(threads),
            *more,
        ]

    def windows(out: Path, _: str) -> int:
        record = json.loads((out / slide.stem / "biopsy.json").read_text("utf-8"))
        return int(record["windows"])

    return [
        Contestant(SHIPPED, command(), windows, spec.mpp, side_px),
        Contestant("Glisson, f32", command("--precision", "f32"), windows, spec.mpp, side_px),
        Contestant(SAME_TILES, command("--model", as_peers), windows, 1.0, 256),
    ]


def _make_one_um_bundle(folder: Path) -> Path:
    """Copy the shipped bundle, for 1 µm/px and windows of 256 px without overlap."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(find_model(None).folder, folder)
    path = folder / "model.json"
    spec = json.loads(path.read_text("utf-8"))
    spec |= {"mpp": 1.0, "windows": {"side_px": FLOOR_SIDE_PX, "overlap_px": 0}}
    path.write_text(json.dumps(spec), "utf-8")
    return folder


def _make_peer(peer: Peer, slide: Path, folder: Path, homes: Path) -> Contestant:
    python = install_peer(peer, homes)
    script, weights = HERE / peer.script, folder / "weights"
    return Contestant(
        peer.name,
        lambda out, threads: [python, script, slide, weights, out],
        lambda out, printed: int(json.loads(printed.strip().splitlines()[-1])["tiles"]),
        1.0,
        FLOOR_SIDE_PX,
        peer.writes,
        is_peer=True,
    )


def _measure_floor(slide: Path, threads: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.floor", slide, "1.0", str(FLOOR_SIDE_PX)]
    found = measure_command([*command, str(threads)], range(threads))
    ms: dict[str, float] = json.loads(found.output.strip().splitlines()[-1])
    return ms


def _assemble_record(
    contestants: list[Contestant], floors: dict[int, dict[str, float]], threads: list[int]
) -> dict[str, Any]:
    """Assemble the figures; `benchmarks.table` adds the ratios."""
    return {
        "synthetic": True,
        "slide": f"{STANDARD.width_l0} x {STANDARD.height_l0} px of 0.25 µm, two drawn cores",
        "processor": _name_processor(),
        "floors_ms_a_tile": {str(count): floor for count, floor in floors.items()},
        "runs": [
            _summarise(contestant, count)
            for contestant in contestants
            for count in threads
            if count in contestant.runs
        ],
    }


def _summarise(contestant: Contestant, threads: int) -> dict[str, Any]:
    runs = contestant.runs[threads]
    return {
        "name": contestant.name,
        "threads": threads,
        "windows": contestant.windows,
        "window_px": contestant.side_px,
        "mpp": contestant.mpp,
        "writes": contestant.writes,
        "wall_s": round(statistics.median(run.wall_s for run in runs), 2),
        "all_wall_s": [round(run.wall_s, 2) for run in runs],
        "cpu_s": round(statistics.median(run.cpu_s for run in runs), 2),
        "peak_mb": round(max(run.peak_mb for run in runs)),
    }


def _name_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = "unknown"
    return f"{name}, {os.cpu_count()} threads"


if __name__ == "__main__":
    main()
