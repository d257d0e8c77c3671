"""Units of length that image files name, in µm."""

from __future__ import annotations

import unicodedata

_UM_PER_SYMBOL = {
    "m": 1e6,
    "dm": 1e5,
    "cm": 1e4,
    "mm": 1e3,
    "μm": 1.0,
    "um": 1.0,
    "nm": 1e-3,
    "pm": 1e-6,
    "Å": 1e-4,
    "in": 25_400.0,
    "ft": 304_800.0,
    "yd": 914_400.0,
    "thou": 25.4,
    "mil": 25.4,
    "li": 25_400 / 12,
    "pt": 25_400 / 72,
}
"""OME's symbols, whose case counts; the two signs for micro are the same after NFKC."""
_UM_PER_WORD = {
    "meter": 1e6,
    "centimeter": 1e4,
    "millimeter": 1e3,
    "micrometer": 1.0,
    "micron": 1.0,
    "μ": 1.0,
    "nanometer": 1e-3,
    "angstrom": 1e-4,
    "ångström": 1e-4,
    "inch": 25_400.0,
    "inches": 25_400.0,
    '"': 25_400.0,
    "foot": 304_800.0,
    "yard": 914_400.0,
}


def find_um_per_unit(unit: str) -> float | None:
    """Return the µm of a unit of length; None for an unknown unit, such as `pixel`."""
    symbol = unicodedata.normalize("NFKC", unit).strip()
    if symbol in _UM_PER_SYMBOL:
        return _UM_PER_SYMBOL[symbol]
    word = symbol.casefold().replace("metre", "meter")
    return _UM_PER_WORD.get(word) or _UM_PER_WORD.get(word.removesuffix("s"))
