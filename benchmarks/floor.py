"""Lower bound of the time a window, in milliseconds: `floor.py SLIDE MPP SIDE THREADS`.

Measures the model's forward pass alone, and reading alone at the slide's nearest level, each with
all allowed threads. Prints JSON.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openslide

from glisson.model import find_model
from glisson.model.runtimes.on_openvino import OpenVinoRuntime

_CALLS = 48
_ROUNDS = 5


def main() -> None:
    """Measure both."""
    slide, mpp, side_px, threads = Path(sys.argv[1]), *map(float, sys.argv[2:4]), int(sys.argv[4])
    print(
        json.dumps(
            {
                "forward_ms": measure_forward_ms(int(side_px), threads),
                "read_ms": measure_read_ms(slide, mpp, int(side_px), threads),
            }
        )
    )


def measure_forward_ms(side_px: int, threads: int) -> float:
    """Measure the shipped model on a window, from bytes to probabilities."""
    runtime = OpenVinoRuntime(find_model(None), "auto", threads)
    noise = np.random.default_rng(0).integers(0, 255, (1, side_px, side_px, 3)).astype(np.uint8)
    return _measure_median_ms(lambda: runtime.predict(noise), threads)


def measure_read_ms(slide: Path, mpp: float, side_px: int, threads: int) -> float:
    """Measure how OpenSlide reads windows, each at another place."""
    with openslide.OpenSlide(slide) as handle:
        level = handle.get_best_level_for_downsample(
            mpp / float(handle.properties["openslide.mpp-x"]) + 0.01
        )
        scale = handle.level_downsamples[level]
        size_px = round(side_px * mpp / float(handle.properties["openslide.mpp-x"]) / scale)
        places = _list_places(handle, round(size_px * scale))
        return _measure_median_ms(
            lambda: handle.read_region(next(places), level, (size_px, size_px)), threads
        )


def _list_places(handle: openslide.OpenSlide, step_l0: int) -> Iterator[tuple[int, int]]:
    width, height = handle.dimensions
    lattice = itertools.product(
        range(0, height - step_l0, step_l0), range(0, width - step_l0, step_l0)
    )
    return itertools.cycle([(x, y) for y, x in lattice])


def _measure_median_ms(call: Callable[[], object], threads: int) -> float:
    """Measure the wall time a call, with `threads` concurrent calls."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: call(), range(2 * threads)))
        rounds = []
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            list(pool.map(lambda _: call(), range(_CALLS)))
            rounds.append((time.perf_counter() - started) / _CALLS * 1000)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
