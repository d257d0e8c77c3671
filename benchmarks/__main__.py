"""Time and memory of one biopsy, slide on disk to results on disk: `make bench`."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from glisson.phantom import PhantomSettings
from glisson.run import make_phantom

CORE = PhantomSettings(seed=11, length_mm=20.0, width_mm=1.0, stage=1, mpp=0.25)


def main() -> None:
    """Make the slide once, segment it several times, print medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path("bench-out"))
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--threads", type=int, default=None)
    chosen = options.parse_args()
    slide = chosen.folder / "core-20mm.svs"
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if not slide.exists():
        started = time.perf_counter()
        make_phantom(slide, CORE, workers=os.cpu_count() or 1)
        print(f"slide drawn in {time.perf_counter() - started:.0f} s")
    seconds = [segment_once(slide, chosen.folder, chosen.threads) for _ in range(chosen.runs)]
    record = json.loads((chosen.folder / "core-20mm" / "biopsy.json").read_text("utf-8"))
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{record['slide']['width_l0']} x {record['slide']['height_l0']} px of 0.25 µm")
    print(f"{record['biopsy']['tissue_area_mm2']:.1f} mm² tissue (SYNTHETIC)")
    print(f"median {statistics.median(seconds):.1f} s of {chosen.runs}, start-up included")
    print(f"peak memory {peak_mb:.0f} MB")
    print("stages:", json.dumps(record["seconds_per_stage"]))


def segment_once(slide: Path, out: Path, threads: int | None) -> float:
    """Wall seconds of one `glisson segment` in a process of its own."""
    command = [sys.executable, "-c", "from glisson.cli import main; main()", "segment"]
    command += [str(slide), "-o", str(out), "--overwrite"]
    command += ["--threads", str(threads)] if threads else []
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
