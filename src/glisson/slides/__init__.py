"""Slides in any format, read at a µm/px."""

from __future__ import annotations

from glisson.slides.dicom_folder import (
    HEADER_BYTES,
    find_dicom_slides,
    find_series_starts,
    is_dicom_folder,
)
from glisson.slides.memory import InMemorySlide
from glisson.slides.open import (
    LISTED_SUFFIXES,
    SLIDE_SUFFIXES,
    TIFF_SUFFIXES,
    open_slide,
    strip_ending,
)
from glisson.slides.slide import Patch, Slide, SlideInfo
from glisson.slides.synthetic import SYNTHETIC
from glisson.slides.tiff_slide import open_ome_pyramid

__all__ = [
    "HEADER_BYTES",
    "LISTED_SUFFIXES",
    "SLIDE_SUFFIXES",
    "SYNTHETIC",
    "TIFF_SUFFIXES",
    "InMemorySlide",
    "Patch",
    "Slide",
    "SlideInfo",
    "find_dicom_slides",
    "find_series_starts",
    "is_dicom_folder",
    "open_ome_pyramid",
    "open_slide",
    "strip_ending",
]
