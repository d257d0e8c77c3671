"""Predict windows over tissue and stitch them into a class map."""

from __future__ import annotations

from glisson.segmentation.beside import segment_beside_artefacts
from glisson.segmentation.class_map import ClassCrop, ClassMap
from glisson.segmentation.engine import segment_slide
from glisson.segmentation.settings import SegmentSettings

__all__ = ["ClassCrop", "ClassMap", "SegmentSettings", "segment_beside_artefacts", "segment_slide"]
