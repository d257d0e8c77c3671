"""Read, predict and stitch, at the same time."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from glisson.frames import BoxPx, Frame
from glisson.model.runtime import Runtime
from glisson.segmentation.class_map import ClassMap
from glisson.segmentation.settings import SegmentSettings
from glisson.segmentation.stitch import Stitcher, taper
from glisson.segmentation.windows import grown, tissue_in, windows_over
from glisson.slides import Patch, Slide
from glisson.tissue import TissueMap

_BATCHES_AHEAD = 3


@dataclass(frozen=True)
class _Window:
    box_px: BoxPx
    patch: Patch


def segment_slide(
    slide: Slide,
    tissue: TissueMap,
    runtime: Runtime,
    settings: SegmentSettings | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ClassMap:
    """Predict the class of every tissue pixel.

    Outside tissue, and where the slide cannot be read, the map is background.

    Args:
        slide: an open slide.
        tissue: where to look.
        runtime: the model.
        settings: the windows.
        on_progress: called with windows done and in all.
    """
    settings = settings or SegmentSettings()
    frame = Frame(slide.info.pixel_size, settings.mpp)
    class_map = ClassMap(frame, frame.size_px(slide.info.size_l0))
    tissue = grown(tissue, settings.reach_um)
    windows = windows_over(tissue, frame, class_map.size_px, settings.window_px, settings.stride_px)
    stitcher = Stitcher(class_map, windows, taper(settings.window_px, settings.stride_px))
    done = 0
    for batch in _read_ahead(slide, frame, windows, settings):
        probabilities = runtime.predict(np.stack([window.patch.rgb for window in batch]))
        for window, values in zip(batch, probabilities, strict=True):
            mask = tissue_in(tissue, frame, window.box_px)
            stitcher.add(window.box_px, values, mask, window.patch.readable)
        done += len(batch)
        if on_progress is not None:
            on_progress(done, len(windows))
    return class_map


def _read_ahead(
    slide: Slide, frame: Frame, windows: tuple[BoxPx, ...], settings: SegmentSettings
) -> Iterator[list[_Window]]:
    """Batches of windows, in order, a few of them read before they are asked for."""

    def read(box_px: BoxPx) -> _Window:
        return _Window(box_px, slide.read(frame.region_um(box_px), frame.mpp))

    ahead = _BATCHES_AHEAD * settings.batch
    with ThreadPoolExecutor(settings.readers, thread_name_prefix="read") as readers:
        waiting: deque[Future[_Window]] = deque()
        coming = iter(windows)
        try:
            waiting.extend(readers.submit(read, box) for box in itertools.islice(coming, ahead))
            while waiting:
                count = min(settings.batch, len(waiting))
                batch = [waiting.popleft().result() for _ in range(count)]
                waiting.extend(
                    readers.submit(read, box) for box in itertools.islice(coming, len(batch))
                )
                yield batch
        finally:
            readers.shutdown(wait=True, cancel_futures=True)
