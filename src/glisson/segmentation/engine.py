"""Read, predict and stitch, at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from glisson.frames import BoxPx, Frame
from glisson.model.runtimes.base import Probabilities, Runtime
from glisson.segmentation.class_map import ClassMap
from glisson.segmentation.settings import SegmentSettings
from glisson.segmentation.stitch import Mask, Stitcher, taper
from glisson.segmentation.windows import grown, tissue_in, windows_over
from glisson.slides import Slide
from glisson.tissue import TissueMap

_CALLS_AHEAD = 3


@dataclass(frozen=True)
class _Predicted:
    """A window's place, (C, H, W) probabilities, and where it could be read."""

    box_px: BoxPx
    probabilities: Probabilities
    readable: Mask


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
    class_map.windows = len(windows)
    weight = taper(settings.window_px, settings.stride_px)
    stitcher = Stitcher(class_map, windows, weight, partial(tissue_in, tissue, frame))
    for done, window in enumerate(_predicted(slide, frame, windows, runtime), 1):
        stitcher.add(window.box_px, window.probabilities, window.readable)
        if on_progress is not None:
            on_progress(done, len(windows))
    return class_map


def _predicted(
    slide: Slide, frame: Frame, windows: Sequence[BoxPx], runtime: Runtime
) -> Iterator[_Predicted]:
    """Windows in order, each read and predicted by one of the runtime's workers.

    A few calls are under way ahead of the one that is waited for, so that no worker rests while
    windows are stitched; no more, so that memory does not grow with the slide.
    """
    several = runtime.windows_a_call
    calls = [windows[first : first + several] for first in range(0, len(windows), several)]
    with ThreadPoolExecutor(runtime.workers, thread_name_prefix="window") as workers:
        under_way: deque[Future[list[_Predicted]]] = deque()
        try:
            for call in calls:
                under_way.append(workers.submit(_predict, slide, frame, call, runtime))
                if len(under_way) >= _CALLS_AHEAD * runtime.workers:
                    yield from under_way.popleft().result()
            while under_way:
                yield from under_way.popleft().result()
        finally:
            workers.shutdown(wait=True, cancel_futures=True)


def _predict(
    slide: Slide, frame: Frame, boxes_px: Sequence[BoxPx], runtime: Runtime
) -> list[_Predicted]:
    patches = [slide.read(frame.region_um(box), frame.mpp) for box in boxes_px]
    found = runtime.predict(np.stack([patch.rgb for patch in patches]))
    return [
        _Predicted(box, probabilities, patch.readable)
        for box, probabilities, patch in zip(boxes_px, found, patches, strict=True)
    ]
