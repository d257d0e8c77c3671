"""Connective tissue of one tract or septum: dense, loose or packed with cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

HYALINE_SHARE = 0.06
MYXOID_SHARE = 0.04
PACKED_SHARE = 0.08
"""Share of tracts in biopsies; that of packed stroma grows with inflammation."""
_MOST = 0.85
"""Largest share of all three together."""


@dataclass(frozen=True)
class Stroma:
    """The connective tissue of a tract, relative to that of the preparation.

    Attributes:
        hyaline: dense smooth collagen almost without nuclei, 0 to 1.
        myxoid: loose, oedematous ground with wisps of fibres, 0 to 1.
        packed: a sheet of inflammatory cells that hides the collagen, 0 to 1.
        eosin: factor on the collagen's eosin.
        haematoxylin: factor on the collagen's haematoxylin.
        cells: factor on the darkness of inflammatory cells.
        ragged: unevenness of the limiting plate; 0 is crisp.
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
    """Draw the stroma of one tract; most stroma is plain and differs in the border only.

    Args:
        rng: source of randomness.
        infiltrate: inflammation of the tract, 0 to 1.
        difficult: frequency of hyaline, myxoid and packed stroma, as a multiple of biopsies.
    """
    crisp = rng.random() < 0.35
    plain = Stroma(ragged=float(rng.uniform(0, 0.3) if crisp else rng.uniform(0.5, 1.4)))
    shares = difficult * np.array(
        [HYALINE_SHARE, MYXOID_SHARE, PACKED_SHARE * max(infiltrate, 0.25)]
    )
    shares *= _MOST / max(float(shares.sum()), _MOST)
    chance = rng.random()
    for share, draw in zip(shares, (_make_hyaline, _make_myxoid, _make_packed), strict=True):
        if chance < share:
            return draw(rng, plain)
        chance -= share
    return plain


def draw_unusual_stroma(rng: np.random.Generator, infiltrate: float) -> Stroma:
    """Draw hyaline, myxoid or packed stroma, as large tracts often show it."""
    return draw_stroma(rng, infiltrate, difficult=100.0)


def _make_hyaline(rng: np.random.Generator, plain: Stroma) -> Stroma:
    """Make collagen dense: pale to strongly eosinophilic, smooth or faintly fibrillar."""
    return replace(
        plain,
        hyaline=float(rng.uniform(0.5, 1.0)),
        eosin=float(rng.uniform(0.65, 1.7)),
        haematoxylin=float(rng.uniform(0.3, 1.4)),
    )


def _make_myxoid(rng: np.random.Generator, plain: Stroma) -> Stroma:
    """Make the stroma oedematous: near white, bluish grey or pale pink."""
    return replace(
        plain,
        myxoid=float(rng.uniform(0.5, 1.0)),
        eosin=float(rng.uniform(0.12, 0.95)),
        haematoxylin=float(rng.uniform(0.3, 1.3)),
    )


def _make_packed(rng: np.random.Generator, plain: Stroma) -> Stroma:
    """Fill the stroma with a sheet of pale or dark lymphocytes."""
    return replace(
        plain,
        packed=float(rng.uniform(0.5, 1.0)),
        eosin=float(rng.uniform(0.5, 1.2)),
        cells=float(rng.uniform(0.5, 1.1)),
    )
