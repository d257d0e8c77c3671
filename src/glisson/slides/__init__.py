"""Slides in any format, read at a µm/px."""

from __future__ import annotations

from glisson.slides.memory import InMemorySlide
from glisson.slides.open import open_slide
from glisson.slides.slide import Patch, Slide, SlideInfo
from glisson.slides.writing import PyramidStyle, write_pyramid

__all__ = [
    "InMemorySlide",
    "Patch",
    "PyramidStyle",
    "Slide",
    "SlideInfo",
    "open_slide",
    "write_pyramid",
]
