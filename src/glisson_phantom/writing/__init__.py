"""Writing slides as scanners do, band by band."""

from __future__ import annotations

from glisson_phantom.writing.write import PyramidStyle, write_pyramid

__all__ = ["PyramidStyle", "write_pyramid"]
