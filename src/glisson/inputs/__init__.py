"""The inputs of a run: slides, tables of slides, and pseudonyms."""

from __future__ import annotations

from glisson.inputs.pseudonyms import assign_pseudonyms
from glisson.inputs.slide_list import SlideEntry, list_slides

__all__ = ["SlideEntry", "assign_pseudonyms", "list_slides"]
