"""Masks in forms that cost as much as the tissue: runs of pixels, pieces, blocks."""
