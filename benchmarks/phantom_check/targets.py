"""Measured ranges of real liver, and the share of phantoms inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

GOAL = 0.8
_FACTOR = 2.0


@dataclass(frozen=True)
class Target:
    """A range of real liver.

    Attributes:
        name: key of the measurement.
        low: 5th percentile or minimum of real liver.
        middle: median of real liver.
        high: 95th percentile or maximum.
    """

    name: str
    low: float
    middle: float
    high: float

    def overlap(self, values: np.ndarray) -> float:
        """Return the share of values inside the range."""
        return float(np.mean((values >= self.low) & (values <= self.high)))


def read_targets() -> list[Target]:
    """Read the ranges of `targets.json` that fields or plans allow to measure."""
    known = json.loads(Path(__file__).with_name("targets.json").read_text("utf-8"))
    return [
        *_colour_targets(known["colour"]),
        *_portal_targets(known["colour"]["portal_over_lobule_mean_od"]),
        *_texture_targets(known["texture_lobule_at_1um"], "1"),
        *_texture_targets(known["texture_lobule_at_2um"], "2"),
        *_power_targets(known["texture_lobule_at_1um"]),
        *_cell_targets(known["cells"]),
        *_architecture_targets(known["architecture"]),
    ]


def _colour_targets(known: dict[str, Any]) -> list[Target]:
    triples = (
        ("cytoplasm OD", "cyt_od_RGB"),
        ("nucleus OD", "nuc_od_RGB"),
        ("H vector", "H_unit"),
        ("E vector", "E_unit"),
    )
    found = [
        Target(f"{name} {c}", *(known[key][p][k] for p in ("p05", "p50", "p95")))
        for name, key in triples
        for k, c in enumerate("RGB")
    ]
    found += [Target(f"nucleus / cytoplasm {c}", *known["nuc_over_cyt_od"][c]) for c in "RGB"]
    for name, key in (("R / G", "cyt_R_over_G"), ("B / G", "cyt_B_over_G")):
        low, high = known[key]["sample"]
        found.append(Target(f"cytoplasm {name}", low, known[key]["tiles"][1], high))
    return found


def _portal_targets(known: dict[str, Any]) -> list[Target]:
    """Return ranges of tracts' mean optical density over the lobule's, from extremes."""
    names = {"infiltrate": "infiltrate", "quiet portal": "loose_collagen"}
    return [
        Target(f"{name} / lobule {c}", low, (low + high) / 2, high)
        for name, key in names.items()
        for c in "RG"
        for low, high in [known[f"{key}_{c}"]]
    ]


def _texture_targets(known: dict[str, Any], mpp: str) -> list[Target]:
    names = {
        "OD sd": "OD_sd",
        "mean |dOD|": "mean_abs_dOD",
        "Laplacian variance": "laplacian_var_255",
        "local sd 16 µm": "local_sd_16um",
    }
    return [Target(f"{name} at {mpp} µm/px", *known[key]) for name, key in names.items()]


def _power_targets(known: dict[str, Any]) -> list[Target]:
    """Return a range of a factor of two round every published value."""
    pairs = zip(known["rel_power_bands_um"], known["rel_power"], strict=True)
    return [Target(f"power {band} µm", v / _FACTOR, v, v * _FACTOR) for band, v in pairs]


def _cell_targets(known: dict[str, Any]) -> list[Target]:
    names = {
        "hepatocyte nucleus diameter µm": "hepatocyte_nucleus_diam_um",
        "all nuclei per mm²": "all_nuclei_per_mm2_lobule",
        "hepatocyte nuclei per mm²": "hepatocytes_per_mm2",
        "infiltrate nuclei per mm²": "infiltrate_nuclei_per_mm2",
        "quiet portal nuclei per mm²": "stroma_nuclei_per_mm2",
    }
    return [Target(name, *known[key]) for name, key in names.items()]


def _architecture_targets(known: dict[str, Any]) -> list[Target]:
    names = {
        "core width mm": "core_width_mm",
        "core length mm": "core_length_mm",
        "portal profiles per mm²": "portal_profiles_per_mm2",
        "portal fraction, stage 0": "portal_area_fraction_normal",
    }
    return [Target(name, *known[key]) for name, key in names.items()]
