"""Writers of slides in the formats of scanners, which work band by band."""

from __future__ import annotations

from glisson_phantom.writing.write import PyramidStyle, write_pyramid

__all__ = ["PyramidStyle", "write_pyramid"]
