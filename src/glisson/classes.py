"""The classes of a liver biopsy: index, name and colours."""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class TissueClass:
    """One class of the class map.

    Attributes:
        index: value in class maps and channel of the model's output.
        name: key used in files and tables.
        qupath_name: classification shown in QuPath.
        colour: RGB of outlines and of the QuPath class.
        mask_colour: RGB in the paper's mask files (Cazzaniga et al. 2025).
    """

    index: int
    name: str
    qupath_name: str
    colour: Rgb
    mask_colour: Rgb


BACKGROUND = TissueClass(0, "background", "Background", (160, 160, 160), (0, 0, 0))
LOBULE = TissueClass(1, "lobule", "Lobule", (90, 140, 220), (255, 0, 0))
PORTAL = TissueClass(2, "portal", "Portal tract", (255, 160, 0), (255, 255, 255))
CLASSES = (BACKGROUND, LOBULE, PORTAL)

PARTIAL_COLOUR: Rgb = (0, 120, 220)
"""A partial tract in the overview; thumbnails and QuPath show it like any other tract."""

UNCOUNTED_QUPATH_NAME = f"{PORTAL.qupath_name}: not counted"
UNCOUNTED_COLOUR: Rgb = (150, 80, 30)
"""A portal area that does not count as a tract: portal in the class map and in training."""

CANDIDATE_QUPATH_NAME = "Portal tract?"
CANDIDATE_COLOUR: Rgb = (0, 190, 60)
"""A portal area without a decision: the class map has no class for it and calls it lobule."""

TISSUE_QUPATH_NAME = "Tissue"
TISSUE_COLOUR: Rgb = (120, 120, 120)
"""Tissue is lobule and portal together: a region to draw, not a class of its own."""
