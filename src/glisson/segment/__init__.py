"""Windows over tissue, predicted and stitched into one class map."""

from __future__ import annotations

from glisson.segment.class_map import ClassCrop, ClassMap
from glisson.segment.engine import segment_slide
from glisson.segment.settings import SegmentSettings

__all__ = ["ClassCrop", "ClassMap", "SegmentSettings", "segment_slide"]
