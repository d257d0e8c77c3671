"""Segment a slide, and find its artefacts in another thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from glisson.artefacts import Artefacts, find_artefacts
from glisson.model.runtimes.base import Runtime
from glisson.segmentation.class_map import ClassMap
from glisson.segmentation.engine import segment_slide
from glisson.segmentation.settings import SegmentSettings
from glisson.segmentation.windows import grow_tissue, tissue_in
from glisson.slides import Slide
from glisson.tissue import TissueMap


def segment_beside_artefacts(
    slide: Slide,
    tissue: TissueMap,
    runtime: Runtime,
    settings: SegmentSettings,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[ClassMap, Artefacts]:
    """Predict the class map of the tissue without pen, and find the artefacts.

    A thread finds artefacts while others predict, so the model sees pen, too; its predictions on
    pen are removed from the map afterwards.

    Raises:
        SlideError: as `slide.read` raises it.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="artefacts") as beside:
        search = beside.submit(find_artefacts, slide, tissue)
        class_map = segment_slide(slide, tissue, runtime, settings, on_progress)
        artefacts = search.result()
    if (artefacts.tissue.mask != tissue.mask).any():
        inside = grow_tissue(artefacts.tissue, settings.reach_um)
        class_map.clear_outside(partial(tissue_in, inside, class_map.frame))
    return class_map, artefacts
