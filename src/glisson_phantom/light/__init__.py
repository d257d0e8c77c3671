"""Turning dyes into pixels: stain, artefacts on the glass, scanner."""
