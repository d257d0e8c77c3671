"""The published values of the paper's tables 1 and 2 (Cazzaniga et al. 2025)."""

from __future__ import annotations

from glisson.pages import Table

CITATION = "Cazzaniga et al., npj Digital Medicine 8 (2025)"

PAPER_TABLE_1 = Table(
    "paper-table-1",
    f"Table 1 as published ({CITATION}): real slides, tiles of one patient in training and "
    "validation",
    ("", "train (2 µm/px)", "validation (2 µm/px)", "test (2 µm/px)", "train (1 µm/px)",
     "validation (1 µm/px)", "test (1 µm/px)"),
    (
        ("Mean, Dice", "0.92", "0.91", "0.90", "0.92", "0.92", "0.91"),
        ("Mean, IoU", "0.86", "0.85", "0.84", "0.86", "0.85", "0.84"),
        ("Background, Dice", "0.98", "0.98", "0.96", "0.94", "0.94", "0.93"),
        ("Background, IoU", "0.97", "0.96", "0.93", "0.89", "0.89", "0.87"),
        ("Lobule, Dice", "0.97", "0.95", "0.94", "0.96", "0.96", "0.93"),
        ("Lobule, IoU", "0.91", "0.90", "0.91", "0.93", "0.93", "0.91"),
        ("Portal, Dice", "0.83", "0.81", "0.79", "0.85", "0.84", "0.83"),
        ("Portal, IoU", "0.71", "0.69", "0.67", "0.74", "0.74", "0.73"),
    ),
)  # fmt: skip

PAPER_TABLE_2 = Table(
    "paper-table-2",
    f"Table 2 as published ({CITATION}): real slides",
    ("", "Tiles", "Cases", "Inference, s", "Dice", "IoU"),
    (
        ("Barcelona", "1186", "AIH (5)", "7", "0.92", "0.86"),
        ("Buenos Aires", "950", "AIH (5)", "5", "0.91", "0.85"),
        ("Coimbra", "1187", "AIH (5)", "6", "0.93", "0.88"),
        ("Monza", "1744", "GVHD (5)", "9", "0.92", "0.84"),
        ("Maastricht", "1107", "AIH (2), PBC (3)", "6", "0.91", "0.84"),
        ("Palermo", "1605", "PBC (5)", "5", "0.89", "0.82"),
        ("All", "8789", "AIH (16), PBC (8), GVHD (5)", "38", "0.91", "0.84"),
    ),
    "The rows' tiles add up to 7779, not to the published total of 8789.",
)
