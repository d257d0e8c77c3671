"""Flags for what a pixel shows besides its class: the structures that models confuse."""

from __future__ import annotations

from enum import IntFlag


class Feature(IntFlag):
    """Flags of a pixel; several may hold at once."""

    CENTRAL_VEIN = 1 << 0
    SUBLOBULAR_VEIN = 1 << 1
    PERIVENULAR_SCAR = 1 << 2
    INFLAMED_LOBULE = 1 << 3
    GRANULOMA = 1 << 4
    NECROSIS = 1 << 5
    STEATOSIS = 1 << 6
    CAPSULE = 1 << 7
    CRUSH = 1 << 8
    TEAR = 1 << 9
    CLOT = 1 << 10
    DEBRIS = 1 << 11
    FOLD = 1 << 12
    PEN = 1 << 13
    DUST = 1 << 14
    BUBBLE = 1 << 15
    DEFOCUS = 1 << 16
    CHATTER = 1 << 17
    PADDING = 1 << 18

    @classmethod
    def of_lobule(cls) -> Feature:
        """Return the flags that only lobule can have."""
        return (
            cls.CENTRAL_VEIN
            | cls.SUBLOBULAR_VEIN
            | cls.PERIVENULAR_SCAR
            | cls.INFLAMED_LOBULE
            | cls.GRANULOMA
            | cls.NECROSIS
            | cls.STEATOSIS
            | cls.CAPSULE
        )

    @property
    def title(self) -> str:
        """Return the name as QuPath and tables show it, such as `Central vein`."""
        return str(self.name).replace("_", " ").capitalize()
