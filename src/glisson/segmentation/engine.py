"""Read, predict and stitch windows at the same time."""

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
from glisson.segmentation.windows import grow_tissue, tissue_in, windows_over
from glisson.slides import Slide
from glisson.tissue import TissueMap

_CALLS_AHEAD = 3


@dataclass(frozen=True)
class _Prediction:
    """A window's place, (C, H, W) probabilities and (H, W) readable pixels."""

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

    The map is background outside tissue and where the slide is unreadable.

    Args:
        slide: an open slide.
        tissue: area to predict.
        runtime: the model.
        settings: the windows.
        on_progress: progress callback; takes the numbers of finished windows and of all windows.
    """
    settings = settings or SegmentSettings()
    frame = Frame(slide.info.pixel_size, settings.mpp)
    class_map = ClassMap(frame, frame.size_px(slide.info.size_l0))
    tissue = grow_tissue(tissue, settings.reach_um)
    windows = windows_over(tissue, frame, class_map.size_px, settings.window_px, settings.stride_px)
    class_map.windows = len(windows)
    weight = taper(settings.window_px, settings.stride_px)
    stitcher = Stitcher(class_map, windows, weight, partial(tissue_in, tissue, frame))
    for done, window in enumerate(_predict_windows(slide, frame, windows, runtime), 1):
        stitcher.add(window.box_px, window.probabilities, window.readable)
        if on_progress is not None:
            on_progress(done, len(windows))
    return class_map


def _predict_windows(
    slide: Slide, frame: Frame, windows: Sequence[BoxPx], runtime: Runtime
) -> Iterator[_Prediction]:
    """Read and predict windows in the runtime's workers, and yield them in order.

    A few calls run ahead of the next result, so that no worker is idle while windows are stitched.
    A limit on their number keeps memory from growing with the slide.
    """
    several = runtime.windows_a_call
    calls = [windows[first : first + several] for first in range(0, len(windows), several)]

    def predict(boxes_px: Sequence[BoxPx]) -> list[_Prediction]:
        patches = [slide.read(frame.region_um(box), frame.mpp) for box in boxes_px]
        found = runtime.predict(np.stack([patch.rgb for patch in patches]))
        return [
            _Prediction(box, probabilities, patch.readable)
            for box, probabilities, patch in zip(boxes_px, found, patches, strict=True)
        ]

    with ThreadPoolExecutor(runtime.workers, thread_name_prefix="window") as workers:
        pending: deque[Future[list[_Prediction]]] = deque()
        try:
            for call in calls:
                pending.append(workers.submit(predict, call))
                if len(pending) >= _CALLS_AHEAD * runtime.workers:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            workers.shutdown(wait=True, cancel_futures=True)
