"""What a run is asked for: slides, tables of slides, and pseudonyms."""

from __future__ import annotations

from glisson.inputs.pseudonyms import with_pseudonyms
from glisson.inputs.slide_list import AskedSlide, asked_slides

__all__ = ["AskedSlide", "asked_slides", "with_pseudonyms"]
