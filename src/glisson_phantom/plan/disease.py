"""Diagnoses as ranges of what they do to a liver, and random livers within the ranges.

The ranges are design values read off the descriptions pathologists work with; sources of the
measured ones are in `docs/phantom.md`. Fields are named in `Disease`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

Range = tuple[float, float]


@dataclass(frozen=True)
class Disease:
    """The disease of one liver. Amounts are 0 to 1 where no unit is named.

    Attributes:
        diagnosis: key of `DIAGNOSES`.
        stage: fibrosis 0 to 4 (Ludwig).
        infiltrate: portal inflammation, 0 none to 1 marked.
        sheets: how evenly infiltrates are packed, 0 in clumps to 1 in sheets.
        plasma_cells: share of plasma cells in infiltrates.
        eosinophils: share of eosinophils in infiltrates.
        follicles: chance that an inflamed tract holds a lymphoid follicle.
        interface: how far inflammation crosses the limiting plate.
        foci_per_mm2: clusters of inflammatory cells in the lobule.
        lobular_lymphocytes: lymphocytes strung along sinusoids.
        apoptotic_per_mm2: acidophil bodies.
        granulomas_per_mm2: epithelioid granulomas in the lobule.
        portal_granuloma: chance of a granuloma in a tract.
        fat: share of hepatocytes with a large droplet.
        fat_zone: where fat is, -1 periportal to 1 perivenular.
        fat_size: factor on the diameters of large droplets.
        large_fat: how far fields of packed large droplets reach, pushing cells away.
        small_fat: small vacuoles in the cytoplasm.
        ballooning: swollen pale hepatocytes in zone 3.
        glycogen_nuclei: share of empty hepatocyte nuclei.
        ductular_reaction: strings of small ducts at the rim of tracts.
        duct_loss: share of interlobular ducts that are gone.
        duct_damage: flattened, uneven duct epithelium.
        florid_duct: chance of a large inflamed duct in a tract.
        onion_skin: concentric collagen round ducts.
        tract_scale: factor on tract diameters.
        perivenular_scar: collagen round central veins.
        pericellular_scar: chicken-wire collagen in zone 3.
        necrosis: reach of confluent necrosis round central veins.
        collapse: chance that necrosis bridges two veins.
        perivenulitis: lymphocytes round central veins.
        congestion: wide, blood-filled sinusoids in zone 3.
        lipofuscin: brown granules in zone 3.
        iron: golden-brown granules in zone 1.
        cholestasis: bile plugs in zone 3.
        rosettes: hepatocytes round small lumina.
        regeneration: thick plates and nodules without septa.
    """

    diagnosis: str
    stage: int
    infiltrate: float = 0.0
    sheets: float = 0.0
    plasma_cells: float = 0.0
    eosinophils: float = 0.0
    follicles: float = 0.0
    interface: float = 0.0
    foci_per_mm2: float = 0.0
    lobular_lymphocytes: float = 0.0
    apoptotic_per_mm2: float = 0.0
    granulomas_per_mm2: float = 0.0
    portal_granuloma: float = 0.0
    fat: float = 0.0
    fat_zone: float = 0.0
    fat_size: float = 1.0
    large_fat: float = 0.0
    small_fat: float = 0.0
    ballooning: float = 0.0
    glycogen_nuclei: float = 0.0
    ductular_reaction: float = 0.0
    duct_loss: float = 0.0
    duct_damage: float = 0.0
    florid_duct: float = 0.0
    onion_skin: float = 0.0
    tract_scale: float = 1.0
    perivenular_scar: float = 0.0
    pericellular_scar: float = 0.0
    necrosis: float = 0.0
    collapse: float = 0.0
    perivenulitis: float = 0.0
    congestion: float = 0.0
    lipofuscin: float = 0.0
    iron: float = 0.0
    cholestasis: float = 0.0
    rosettes: float = 0.0
    regeneration: float = 0.0


@dataclass(frozen=True)
class Diagnosis:
    """A disease as ranges.

    Attributes:
        name: as in a report.
        stages: relative frequency of stages 0 to 4.
        ranges: lowest and highest value by field of `Disease`.
    """

    name: str
    stages: tuple[float, float, float, float, float]
    ranges: Mapping[str, Range] = field(default_factory=dict)


COMMON: Mapping[str, Range] = {
    "infiltrate": (0.0, 0.2),
    "sheets": (0.0, 1.0),
    "plasma_cells": (0.02, 0.15),
    "eosinophils": (0.0, 0.02),
    "foci_per_mm2": (0.0, 0.8),
    "lobular_lymphocytes": (0.0, 0.06),
    "fat": (0.0, 0.03),
    "fat_size": (0.8, 1.2),
    "small_fat": (0.0, 0.3),
    "glycogen_nuclei": (0.0, 0.03),
    "perivenular_scar": (0.0, 0.15),
    "congestion": (0.0, 0.15),
    "lipofuscin": (0.0, 0.5),
    "iron": (0.0, 0.05),
}
"""Ranges of what any liver may show a little of."""

DIAGNOSES: Mapping[str, Diagnosis] = {
    "normal": Diagnosis("near-normal liver", (1, 0, 0, 0, 0)),
    "aih": Diagnosis("autoimmune hepatitis", (0.1, 0.25, 0.3, 0.2, 0.15), {
        "infiltrate": (0.45, 1.0), "plasma_cells": (0.3, 0.6), "eosinophils": (0.0, 0.06),
        "follicles": (0.0, 0.2), "interface": (0.3, 1.0), "foci_per_mm2": (1.0, 7.0),
        "lobular_lymphocytes": (0.05, 0.4), "apoptotic_per_mm2": (0.5, 6.0),
        "necrosis": (0.0, 0.6), "collapse": (0.0, 0.3), "perivenulitis": (0.0, 0.7),
        "rosettes": (0.1, 0.6), "ductular_reaction": (0.0, 0.3), "tract_scale": (1.0, 1.25),
    }),
    "pbc": Diagnosis("primary biliary cholangitis", (0.15, 0.35, 0.25, 0.15, 0.1), {
        "infiltrate": (0.25, 0.9), "plasma_cells": (0.1, 0.35), "eosinophils": (0.0, 0.06),
        "follicles": (0.1, 0.45), "interface": (0.0, 0.5), "foci_per_mm2": (0.0, 2.0),
        "portal_granuloma": (0.05, 0.35), "granulomas_per_mm2": (0.0, 0.5),
        "florid_duct": (0.1, 0.45), "duct_loss": (0.1, 0.7), "duct_damage": (0.2, 0.8),
        "ductular_reaction": (0.1, 0.7), "cholestasis": (0.0, 0.15), "tract_scale": (1.0, 1.3),
    }),
    "psc": Diagnosis("primary sclerosing cholangitis", (0.1, 0.3, 0.25, 0.2, 0.15), {
        "infiltrate": (0.05, 0.5), "interface": (0.0, 0.25), "onion_skin": (0.5, 1.0),
        "duct_loss": (0.1, 0.6), "duct_damage": (0.2, 0.7), "ductular_reaction": (0.2, 0.8),
        "cholestasis": (0.0, 0.4), "tract_scale": (1.05, 1.35),
    }),
    "gvhd": Diagnosis("graft-versus-host disease", (0.45, 0.4, 0.1, 0.05, 0.0), {
        "infiltrate": (0.0, 0.3), "eosinophils": (0.0, 0.06), "duct_loss": (0.2, 0.8),
        "duct_damage": (0.6, 1.0), "apoptotic_per_mm2": (0.5, 5.0), "iron": (0.1, 0.7),
        "cholestasis": (0.0, 0.6), "tract_scale": (0.75, 1.0), "foci_per_mm2": (0.0, 1.5),
    }),
    "dili": Diagnosis("drug-induced liver injury", (0.45, 0.35, 0.15, 0.05, 0.0), {
        "infiltrate": (0.1, 0.7), "eosinophils": (0.05, 0.25), "interface": (0.0, 0.5),
        "foci_per_mm2": (1.0, 10.0), "lobular_lymphocytes": (0.05, 0.5),
        "apoptotic_per_mm2": (1.0, 10.0), "necrosis": (0.2, 1.0), "collapse": (0.0, 0.5),
        "granulomas_per_mm2": (0.0, 0.8), "cholestasis": (0.0, 0.9), "small_fat": (0.0, 0.8),
        "ductular_reaction": (0.0, 0.4), "perivenulitis": (0.0, 0.5),
    }),
    "masld": Diagnosis("metabolic steatotic liver disease", (0.25, 0.25, 0.2, 0.2, 0.1), {
        "infiltrate": (0.0, 0.4), "fat": (0.08, 0.75), "fat_zone": (0.2, 1.0),
        "fat_size": (0.8, 1.7), "large_fat": (0.0, 1.0), "small_fat": (0.2, 1.0),
        "ballooning": (0.0, 0.7), "glycogen_nuclei": (0.02, 0.2),
        "foci_per_mm2": (0.3, 4.0), "granulomas_per_mm2": (0.0, 0.4),
        "pericellular_scar": (0.0, 0.7), "perivenular_scar": (0.0, 0.6),
        "apoptotic_per_mm2": (0.0, 2.0), "ductular_reaction": (0.0, 0.3),
    }),
    "vascular": Diagnosis("vascular liver disease", (0.4, 0.35, 0.15, 0.1, 0.0), {
        "congestion": (0.4, 1.0), "perivenular_scar": (0.2, 0.9), "necrosis": (0.0, 0.3),
        "regeneration": (0.0, 0.8), "tract_scale": (0.75, 1.05), "pericellular_scar": (0.0, 0.4),
        "lipofuscin": (0.1, 0.8),
    }),
    "iron": Diagnosis("iron overload", (0.35, 0.3, 0.2, 0.1, 0.05), {
        "iron": (0.5, 1.0), "infiltrate": (0.0, 0.25), "lipofuscin": (0.1, 0.6),
    }),
    "infectious": Diagnosis("infectious disease", (0.5, 0.35, 0.15, 0.0, 0.0), {
        "infiltrate": (0.1, 0.6), "foci_per_mm2": (1.0, 8.0), "lobular_lymphocytes": (0.05, 0.5),
        "granulomas_per_mm2": (0.3, 2.0), "apoptotic_per_mm2": (0.5, 4.0),
        "portal_granuloma": (0.0, 0.2), "necrosis": (0.0, 0.2),
    }),
    "ductal-plate": Diagnosis("ductal plate malformation", (0.0, 0.4, 0.4, 0.2, 0.0), {
        "infiltrate": (0.0, 0.25), "ductular_reaction": (0.7, 1.3), "duct_damage": (0.0, 0.3),
        "tract_scale": (1.1, 1.5), "cholestasis": (0.0, 0.2),
    }),
}  # fmt: skip
"""Frequencies of stages and ranges by diagnosis; other ranges are those of `COMMON`."""

_MIX = {"normal": 0.12, "aih": 0.26, "pbc": 0.16, "psc": 0.07, "gvhd": 0.09, "dili": 0.09,
        "masld": 0.13, "vascular": 0.05, "iron": 0.03,
        "infectious": 0.03, "ductal-plate": 0.02}  # fmt: skip
"""Frequency of random diagnoses: heavy on those that the paper studies."""

_FATTY_TOO = 0.2
"""Share of other diseased livers that are also fatty: a quarter of adults are (Younossi et al.,
Hepatology 2016;64:73)."""
_FAT = ("fat", "fat_zone", "fat_size", "large_fat", "small_fat")


def draw_disease(
    rng: np.random.Generator, diagnosis: str | None = None, stage: int | None = None
) -> Disease:
    """Draw the disease of one liver; `diagnosis` and `stage` fix themselves where given."""
    shares = np.array(list(_MIX.values()))
    key = diagnosis or str(rng.choice(list(_MIX), p=shares / shares.sum()))
    chosen = DIAGNOSES[key]
    frequency = np.array(chosen.stages) / sum(chosen.stages)
    random_stage = int(rng.choice(5, p=frequency))
    ranges = {**COMMON, **chosen.ranges}
    values = {
        amount.name: float(rng.uniform(*ranges[amount.name]))
        for amount in fields(Disease)
        if amount.name in ranges and amount.name != "large_fat"
    }
    values |= _draw_more_fat(rng, key)
    return Disease(key, random_stage if stage is None else stage, **values)


def _draw_more_fat(rng: np.random.Generator, diagnosis: str) -> dict[str, float]:
    """Draw large droplets, and steatosis beside another disease.

    A generator of its own leaves all other random values as they are without fat.
    """
    (own,) = rng.spawn(1)
    if diagnosis == "masld":
        names: tuple[str, ...] = ("large_fat",)
    elif diagnosis != "normal" and own.random() < _FATTY_TOO:
        names = _FAT
    else:
        names = ()
    return {name: float(own.uniform(*DIAGNOSES["masld"].ranges[name])) for name in names}
