"""Drawing of a layout: dyes on a canvas, with class and features of every pixel."""

from __future__ import annotations

from glisson_phantom.draw.section import Section
from glisson_phantom.draw.tissue import draw_tissue

__all__ = ["Section", "draw_tissue"]
