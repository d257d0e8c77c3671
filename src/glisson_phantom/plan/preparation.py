"""The preparation of a section by a laboratory: texture, stain, thickness and glass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Texture:
    """The look of hepatocytes and collagen in one preparation.

    Attributes:
        cell_pitch_um: distance between hepatocytes.
        sinusoid_um: width of open sinusoids.
        sinusoid_open: share of sinusoids that are open.
        red_cells: red cells in sinusoids, 0 to 1.
        membrane: visibility of cell borders, 0 to 1.
        granularity: contrast of the cytoplasm's grain.
        clear_cells: share of pale, glycogen-rich hepatocytes.
        mosaic: contrast between cells.
        zonation: contrast between zones and patches of the lobule.
        nuclear_darkness: factor on nuclear haematoxylin.
        nuclear_scale: factor on nuclear diameters.
        collagen_eosin: eosin of collagen over that of hepatocytes.
        collagen_haematoxylin: the same for haematoxylin.
        fibre_contrast: contrast between collagen bundles.
        looseness: white clefts and pale places in tracts, 0 to 1.
        displacement: share of the stroma that gives way to packed inflammatory cells, 0 to 1.
        thickness: relative standard deviation of the section's thickness.
    """

    cell_pitch_um: float
    sinusoid_um: float
    sinusoid_open: float
    red_cells: float
    membrane: float
    granularity: float
    clear_cells: float
    mosaic: float
    zonation: float
    nuclear_darkness: float
    nuclear_scale: float
    collagen_eosin: float
    collagen_haematoxylin: float
    fibre_contrast: float
    looseness: float
    displacement: float
    thickness: float


@dataclass(frozen=True)
class Stain:
    """Colours of the stain, as optical density (-log10 of transmission).

    Attributes:
        haematoxylin: unit vector of optical density, RGB.
        eosin: the same for eosin.
        haematoxylin_strength: factor on the concentration.
        eosin_strength: the same for eosin.
        background_rgb: glass, 0 to 255.
    """

    haematoxylin: Rgb
    eosin: Rgb
    haematoxylin_strength: float
    eosin_strength: float
    background_rgb: Rgb


@dataclass(frozen=True)
class Laboratory:
    """The habits of one laboratory's stain, around which its slides vary.

    Attributes:
        haematoxylin: mean vector.
        eosin: mean vector.
        strength: logarithm of both dyes' strength.
        balance: logarithm of haematoxylin over eosin.
        background_rgb: glass, or None for any.
        spread: difference between slides, as a share of that between laboratories.
    """

    haematoxylin: Rgb
    eosin: Rgb
    strength: float
    balance: float
    background_rgb: Rgb | None
    spread: float = 0.35


BACKGROUNDS: tuple[Rgb, ...] = (
    (249, 248, 253), (243, 242, 245), (223, 221, 226), (236, 235, 240), (249, 249, 249),
    (238, 229, 227), (255, 255, 255), (242, 242, 242), (220, 221, 221),
)  # fmt: skip
"""Glass colours measured on real liver slides."""

_HAEMATOXYLIN = np.array([0.54, 0.73, 0.38]), np.array([0.045, 0.025, 0.025])
_EOSIN = np.array([0.12, 0.84, 0.50]), np.array([0.07, 0.06, 0.09])
_STRENGTH = 0.26
_BALANCE = 0.15


def draw_texture(rng: np.random.Generator) -> Texture:
    """Draw a preparation; half of them are compact: smooth cytoplasm, closed sinusoids.

    Without compact preparations a model takes smooth real lobules for the stroma of tracts.
    """
    wide, compact = rng.random() < 0.12, rng.random() < 0.5
    return Texture(
        cell_pitch_um=float(rng.uniform(20.0, 24.0)),
        sinusoid_um=float(rng.uniform(5, 10) if wide else rng.uniform(1.2, 4.0)),
        sinusoid_open=float(rng.uniform(0.0, 0.3) if compact else rng.uniform(0.15, 0.9)),
        red_cells=float((0.35 if compact else 1.0) * rng.uniform(0, 1) ** 1.5),
        membrane=float(rng.uniform(0, 1) ** (2 if compact else 1)),
        granularity=float(rng.uniform(0.0, 0.12) if compact else rng.uniform(0.08, 0.32)),
        clear_cells=float(rng.uniform(0, 1) ** (5 if compact else 2)),
        mosaic=float(rng.uniform(0.01, 0.09) if compact else rng.uniform(0.07, 0.25)),
        zonation=float(rng.uniform(0.02, 0.065)),
        nuclear_darkness=float(rng.uniform(0.62, 1.25)),
        nuclear_scale=float(rng.uniform(0.88, 1.12)),
        collagen_eosin=float(rng.uniform(0.5, 1.2)),
        collagen_haematoxylin=float(rng.uniform(0.65, 1.45)),
        fibre_contrast=float(rng.uniform(0.08, 0.32)),
        looseness=float(rng.uniform(0, 1)),
        displacement=float(rng.uniform(0.3, 0.8)),
        thickness=float(rng.uniform(0.01, 0.09)),
    )


def draw_stain(rng: np.random.Generator, laboratory: Laboratory | None = None) -> Stain:
    """Draw a stain; both dyes share most of their strength (measured: r = 0.88)."""
    habits = laboratory or draw_laboratory(rng)
    spread = habits.spread
    shared = habits.strength + spread * rng.normal(0, _STRENGTH)
    balance = habits.balance + spread * rng.normal(0, _BALANCE)
    return Stain(
        haematoxylin=_unit(
            np.array(habits.haematoxylin) + spread * rng.normal(0, _HAEMATOXYLIN[1])
        ),
        eosin=_unit(
            np.clip(np.array(habits.eosin) + spread * rng.normal(0, _EOSIN[1]), 0.02, None)
        ),
        haematoxylin_strength=float(np.exp(shared + balance / 2)),
        eosin_strength=float(np.exp(shared - balance / 2)),
        background_rgb=_draw_glass(rng, habits.background_rgb),
    )


def draw_laboratory(rng: np.random.Generator) -> Laboratory:
    """Draw a laboratory; laboratories differ as much as measured slides do."""
    faded = np.log(0.5) if rng.random() < 0.06 else 0.0
    return Laboratory(
        haematoxylin=_triple(rng.normal(*_HAEMATOXYLIN)),
        eosin=_triple(np.clip(rng.normal(*_EOSIN), 0.02, None)),
        strength=float(rng.normal(0.12, _STRENGTH) + faded),
        balance=float(rng.normal(0, _BALANCE)),
        background_rgb=None,
    )


def _draw_glass(rng: np.random.Generator, rgb: Rgb | None) -> Rgb:
    base = np.array(BACKGROUNDS[rng.integers(len(BACKGROUNDS))] if rgb is None else rgb)
    tint = rng.uniform(-14, 0, 3) if rgb is None and rng.random() < 0.12 else np.zeros(3)
    return _triple(np.clip(base + tint + rng.normal(0, 2.0, 3), 195, 255))


def _unit(vector: np.ndarray) -> Rgb:
    return _triple(vector / np.linalg.norm(vector))


def _triple(vector: np.ndarray) -> Rgb:
    first, second, third = (float(value) for value in vector)
    return first, second, third
