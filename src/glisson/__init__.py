"""Glisson: portal tracts of H&E liver biopsies, found, outlined, counted and measured."""

from __future__ import annotations

__version__ = "0.1.0"
