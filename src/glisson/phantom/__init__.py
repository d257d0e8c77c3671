"""Synthetic liver biopsies with exact ground truth."""

from __future__ import annotations

from glisson.phantom.tile import Tile, render_tile

__all__ = ["Tile", "render_tile"]
