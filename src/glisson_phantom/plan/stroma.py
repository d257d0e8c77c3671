"""Connective tissue of one tract or septum: how dense, how loose, how packed with cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

HYALINE_SHARE = 0.06
MYXOID_SHARE = 0.04
PACKED_SHARE = 0.08
"""Of tracts in biopsies; packed ones by inflammation."""
_MOST = 0.85
"""Share of all three together at most."""


@dataclass(frozen=True)
class Stroma:
    """What a tract is made of, beside what the preparation makes of all tracts.

    Attributes:
        hyaline: dense smooth collagen almost without nuclei, 0 to 1.
        myxoid: loose, oedematous ground with wisps of fibres, 0 to 1.
        packed: a sheet of inflammatory cells that hides the collagen, 0 to 1.
        eosin: factor on the collagen's eosin.
        haematoxylin: factor on the collagen's haematoxylin.
        cells: factor on the darkness of inflammatory cells.
        ragged: how uneven the limiting plate is; 0 is crisp.
    """

    hyaline: float = 0.0
    myxoid: float = 0.0
    packed: float = 0.0
    eosin: float = 1.0
    haematoxylin: float = 1.0
    cells: float = 1.0
    ragged: float = 1.0


PLAIN_STROMA = Stroma()


def draw_stroma(rng: np.random.Generator, infiltrate: float, difficult: float = 1.0) -> Stroma:
    """Draw the stroma of one tract; most are plain and differ in their border only.

    Args:
        rng: source of randomness.
        infiltrate: inflammation of the tract, 0 to 1.
        difficult: how common hyaline, myxoid and packed stroma are, as a multiple of biopsies.
    """
    crisp = rng.random() < 0.35
    plain = Stroma(ragged=float(rng.uniform(0, 0.3) if crisp else rng.uniform(0.5, 1.4)))
    shares = difficult * np.array(
        [HYALINE_SHARE, MYXOID_SHARE, PACKED_SHARE * max(infiltrate, 0.25)]
    )
    shares *= _MOST / max(float(shares.sum()), _MOST)
    chance = rng.random()
    for share, draw in zip(shares, (_hyaline, _myxoid, _packed), strict=True):
        if chance < share:
            return draw(rng, plain)
        chance -= share
    return plain


def draw_unusual_stroma(rng: np.random.Generator, infiltrate: float) -> Stroma:
    """Draw hyaline, myxoid or packed stroma, as large tracts often show it."""
    return draw_stroma(rng, infiltrate, difficult=100.0)


def _hyaline(rng: np.random.Generator, plain: Stroma) -> Stroma:
    """Collagen from pale to strongly eosinophilic, smooth or faintly fibrillar."""
    return replace(
        plain,
        hyaline=float(rng.uniform(0.5, 1.0)),
        eosin=float(rng.uniform(0.65, 1.7)),
        haematoxylin=float(rng.uniform(0.3, 1.4)),
    )


def _myxoid(rng: np.random.Generator, plain: Stroma) -> Stroma:
    """Oedema from near white over bluish grey to pale pink."""
    return replace(
        plain,
        myxoid=float(rng.uniform(0.5, 1.0)),
        eosin=float(rng.uniform(0.12, 0.95)),
        haematoxylin=float(rng.uniform(0.3, 1.3)),
    )


def _packed(rng: np.random.Generator, plain: Stroma) -> Stroma:
    """A sheet of lymphocytes, pale or dark."""
    return replace(
        plain,
        packed=float(rng.uniform(0.5, 1.0)),
        eosin=float(rng.uniform(0.5, 1.2)),
        cells=float(rng.uniform(0.5, 1.1)),
    )
