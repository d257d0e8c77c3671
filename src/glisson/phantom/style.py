"""What one phantom biopsy looks like: disease, stain and preparation.

Ranges come from the table of measured liver histology in `docs/phantom.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Disease:
    """How sick the liver is.

    Attributes:
        stage: fibrosis 0 to 4 (Ludwig).
        infiltrate: portal inflammation, 0 none to 1 marked.
        interface: how far inflammation crosses the limiting plate, 0 to 1.
        lobular_foci_per_mm2: clusters of inflammatory cells in the lobule.
        steatosis: share of hepatocytes with a large fat droplet, 0 to 0.6.
        small_fat: share of cytoplasm with small vacuoles, 0 to 1.
        ductular_reaction: 0 to 1.
        perivenular_scar: 0 to 1.
        necrosis: 0 to 1, confluent loss of hepatocytes around central veins.
        pigment: brown granules, 0 to 1.
    """

    stage: int
    infiltrate: float
    interface: float
    lobular_foci_per_mm2: float
    steatosis: float
    small_fat: float
    ductular_reaction: float
    perivenular_scar: float
    necrosis: float
    pigment: float


@dataclass(frozen=True)
class Texture:
    """How hepatocytes and collagen look in this preparation.

    Attributes:
        cell_pitch_um: distance between hepatocytes.
        sinusoid_um: width of open sinusoids.
        sinusoid_open: share of cell borders that are open sinusoids.
        congestion: red cells in sinusoids, 0 to 1.
        membrane: visibility of cell borders, 0 to 1.
        granularity: contrast of the cytoplasm's grain.
        clear_cells: share of pale, glycogen-rich hepatocytes.
        mosaic: contrast between cells.
        nuclear_darkness: factor on nuclear haematoxylin.
        collagen_eosin: eosin of collagen over that of hepatocytes.
        collagen_haematoxylin: the same for haematoxylin.
        looseness: white clefts in tracts, 0 to 1.
        nuclear_scale: factor on nuclear diameters.
    """

    cell_pitch_um: float
    sinusoid_um: float
    sinusoid_open: float
    congestion: float
    membrane: float
    granularity: float
    clear_cells: float
    mosaic: float
    nuclear_darkness: float
    collagen_eosin: float
    collagen_haematoxylin: float
    looseness: float
    nuclear_scale: float


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
class Style:
    """Everything that is one choice per biopsy."""

    disease: Disease
    texture: Texture
    stain: Stain


BACKGROUNDS: tuple[Rgb, ...] = (
    (249, 248, 253), (243, 242, 245), (223, 221, 226), (236, 235, 240), (249, 249, 249),
    (238, 229, 227), (255, 255, 255), (242, 242, 242), (220, 221, 221),
)  # fmt: skip
"""Glass colours measured on real liver slides."""


def draw_style(rng: np.random.Generator, stage: int | None = None) -> Style:
    """A random biopsy's style; `stage` fixes the fibrosis stage."""
    return Style(draw_disease(rng, stage), draw_texture(rng), draw_stain(rng))


def draw_disease(rng: np.random.Generator, stage: int | None = None) -> Disease:
    """A random disease; portal inflammation none 20, mild 30, moderate 30, marked 20 %."""
    grade = rng.choice(4, p=[0.2, 0.3, 0.3, 0.2])
    infiltrate = float(np.clip(grade / 3 + rng.normal(0, 0.08), 0, 1))
    steatosis = float(rng.beta(0.5, 3.5) * 0.8) if rng.random() < 0.5 else 0.0
    return Disease(
        stage=int(rng.choice(5, p=[0.25, 0.25, 0.2, 0.15, 0.15])) if stage is None else stage,
        infiltrate=infiltrate,
        interface=float(np.clip(infiltrate * rng.uniform(0, 1.2), 0, 1)),
        lobular_foci_per_mm2=float(rng.exponential(3.0)) if rng.random() < 0.6 else 0.0,
        steatosis=steatosis,
        small_fat=float(rng.uniform(0, 1) ** 2 * (0.3 + (steatosis > 0))),
        ductular_reaction=float(rng.uniform(0, 1) ** 3),
        perivenular_scar=float(rng.uniform(0, 1) ** 3),
        necrosis=float(rng.uniform(0, 1)) if rng.random() < 0.12 else 0.0,
        pigment=float(rng.uniform(0, 1) ** 2),
    )


def draw_texture(rng: np.random.Generator) -> Texture:
    """A random preparation."""
    return Texture(
        cell_pitch_um=float(rng.uniform(18.5, 25)),
        sinusoid_um=float(rng.uniform(6, 11) if rng.random() < 0.12 else rng.uniform(1.0, 4.0)),
        sinusoid_open=float(rng.uniform(0.15, 0.6)),
        congestion=float(rng.uniform(0, 1) ** 2),
        membrane=float(rng.uniform(0, 1)),
        granularity=float(rng.uniform(0.06, 0.22)),
        clear_cells=float(rng.uniform(0, 1) ** 2),
        mosaic=float(rng.uniform(0.03, 0.12)),
        nuclear_darkness=float(rng.uniform(0.75, 1.35)),
        collagen_eosin=float(rng.uniform(0.55, 0.98)),
        collagen_haematoxylin=float(rng.uniform(0.4, 1.1)),
        looseness=float(rng.uniform(0, 1)),
        nuclear_scale=float(rng.uniform(0.88, 1.18)),
    )


def draw_stain(rng: np.random.Generator) -> Stain:
    """A random stain and glass; both dyes share most of their strength (r = 0.88 measured)."""
    shared = rng.normal(0, 0.33)
    faded = np.log(0.45) if rng.random() < 0.08 else 0.0
    haematoxylin = rng.normal([0.52, 0.74, 0.43], [0.05, 0.035, 0.05])
    eosin = np.clip(rng.normal([0.20, 0.83, 0.48], [0.10, 0.06, 0.11]), 0.02, None)
    return Stain(
        haematoxylin=_unit(haematoxylin),
        eosin=_unit(eosin),
        haematoxylin_strength=float(np.exp(shared + faded + rng.normal(0, 0.16))),
        eosin_strength=float(np.exp(shared + faded + rng.normal(0, 0.18))),
        background_rgb=_draw_background(rng),
    )


def _draw_background(rng: np.random.Generator) -> Rgb:
    base = np.array(BACKGROUNDS[rng.integers(len(BACKGROUNDS))], dtype=float)
    if rng.random() < 0.12:  # tinted or dark glass
        base = base * rng.uniform(0.78, 1.0) * rng.uniform(0.94, 1.0, 3)
    red, green, blue = np.clip(base + rng.normal(0, 2, 3), 120, 255)
    return float(red), float(green), float(blue)


def _unit(vector: np.ndarray) -> Rgb:
    red, green, blue = vector / np.linalg.norm(vector)
    return float(red), float(green), float(blue)
