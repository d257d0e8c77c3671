"""The eleven rows of the paper's Table 3: institution, scanner, stain and glass.

Counts, formats and pixel sizes are the paper's (npj Digital Medicine 2025, Table 3). How each
stains and scans is invented within the measured ranges of `docs/phantom.md`: nobody has
published it, and the names only say which row of the study a synthetic slide stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from glisson_phantom.light.scanner import Scanner
from glisson_phantom.plan.preparation import Laboratory
from glisson_phantom.writing import PyramidStyle

Role = Literal["train", "test"]


@dataclass(frozen=True)
class Site:
    """One institution with one scanner.

    Attributes:
        institution: as in the paper.
        scanner_name: vendor.
        role: training and validation, or external test.
        slides: number of slides in the paper.
        magnification: as in the paper, such as `20X`.
        mpp: native µm/px.
        suffix: ending of the institution's files.
        written_as: style of Glisson's files: the same vendor's where Glisson can write it.
        laboratory: stain and glass.
        scanner: optics, tone, noise and compression.
        padding_rgb: colour of unscanned areas, or None where everything is scanned.
    """

    institution: str
    scanner_name: str
    role: Role
    slides: int
    magnification: str
    mpp: float
    suffix: str
    written_as: PyramidStyle
    laboratory: Laboratory
    scanner: Scanner
    padding_rgb: tuple[int, int, int] | None = None


BLACK = (0, 0, 0)
WHITE = (255, 255, 255)

SITES: Mapping[str, Site] = {
    "monza-aperio": Site(
        "Monza", "Aperio", "train", 71, "20X", 0.4940, ".svs", "aperio",
        Laboratory((0.52, 0.74, 0.40), (0.14, 0.83, 0.50), 0.15, 0.0, (243, 242, 245)),
        Scanner(0.30, 0.35, 0.9, 1.00, (1.0, 1.0, 1.0), 1.05, jpeg_quality=80)),
    "monza-hamamatsu": Site(
        "Monza", "Hamamatsu", "train", 30, "20X", 0.4416, ".ndpi", "tiff",
        Laboratory((0.52, 0.74, 0.40), (0.18, 0.82, 0.48), 0.10, 0.05, (236, 235, 240)),
        Scanner(0.25, 0.15, 1.4, 0.95, (1.0, 0.99, 1.01), 0.95, jpeg_quality=78)),
    "monza-3dhistech": Site(
        "Monza", "3DHISTECH", "train", 64, "67X", 0.1725, ".mrxs", "tiff",
        Laboratory((0.53, 0.74, 0.39), (0.14, 0.84, 0.48), 0.05, 0.0, (249, 248, 253)),
        Scanner(0.15, 0.0, 1.8, 1.05, (1.0, 1.0, 1.0), 1.0, jpeg_quality=80), BLACK),
    "hannover-aperio": Site(
        "Hannover", "Aperio", "train", 64, "40X", 0.2513, ".svs", "aperio",
        Laboratory((0.56, 0.72, 0.38), (0.08, 0.86, 0.45), 0.32, -0.05, (242, 242, 242)),
        Scanner(0.25, 0.40, 1.0, 1.00, (1.0, 1.0, 0.99), 1.1, white_clip=243, jpeg_quality=70)),
    "milan-epredia": Site(
        "Milan", "Epredia", "train", 43, "20X", 0.2425, ".mrxs", "tiff",
        Laboratory((0.50, 0.75, 0.41), (0.20, 0.80, 0.54), -0.10, 0.10, (249, 249, 249)),
        Scanner(0.30, 0.0, 1.5, 1.08, (1.01, 1.0, 0.99), 0.95, jpeg_quality=80), WHITE),
    "barcelona-hamamatsu": Site(
        "Barcelona", "Hamamatsu", "test", 5, "40X", 0.2200, ".ndpi", "tiff",
        Laboratory((0.49, 0.76, 0.40), (0.22, 0.80, 0.52), 0.20, 0.12, (223, 221, 226)),
        Scanner(0.22, 0.20, 1.3, 0.92, (1.0, 0.98, 1.0), 0.95, jpeg_quality=80)),
    "buenos-aires-micro-visioneer": Site(
        "Buenos Aires", "Micro Visioneer", "test", 4, "10X", 0.5860, ".tif", "tiff",
        Laboratory((0.55, 0.73, 0.38), (0.11, 0.84, 0.40), 0.00, -0.10, (238, 229, 227)),
        Scanner(0.60, 0.0, 2.2, 1.10, (1.02, 1.0, 0.98), 0.9, stripes=0.8, jpeg_quality=85)),
    "coimbra-roche": Site(
        "Coimbra", "Roche", "test", 5, "40X", 0.2500, ".tiff", "tiff",
        Laboratory((0.51, 0.74, 0.42), (0.06, 0.87, 0.47), 0.25, -0.12, (249, 248, 253)),
        Scanner(0.25, 0.25, 1.0, 1.00, (0.99, 1.0, 1.01), 1.15, jpeg_quality=85)),
    "maastricht-3dhistech": Site(
        "Maastricht", "3DHISTECH", "test", 5, "20X", 0.2425, ".mrxs", "tiff",
        Laboratory((0.54, 0.73, 0.41), (0.16, 0.82, 0.56), 0.40, 0.05, (243, 242, 245)),
        Scanner(0.28, 0.0, 1.6, 0.97, (1.0, 1.0, 1.0), 1.0, jpeg_quality=75), BLACK),
    "monza-leica": Site(
        "Monza", "Leica", "test", 5, "40X", 0.2621, ".svs", "aperio",
        Laboratory((0.52, 0.74, 0.40), (0.15, 0.83, 0.48), 0.10, 0.0, (255, 255, 255)),
        Scanner(0.22, 0.45, 0.8, 1.00, (1.0, 1.0, 1.0), 1.05, white_clip=246, jpeg_quality=82)),
    "palermo-philips": Site(
        "Palermo", "Philips", "test", 5, "40X", 0.2500, ".tiff", "philips",
        Laboratory((0.47, 0.76, 0.44), (0.24, 0.78, 0.46), -0.18, 0.15, (220, 221, 221)),
        Scanner(0.28, 0.50, 0.9, 1.05, (1.0, 1.01, 1.0), 1.0, white_clip=242, jpeg_quality=80),
        WHITE),
}  # fmt: skip
"""By `institution-scanner`."""
