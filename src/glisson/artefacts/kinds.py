"""The kinds of artefacts, with their names and colours."""

from __future__ import annotations

from enum import StrEnum

from glisson.classes import Rgb


class Kind(StrEnum):
    """A kind of artefact; its value is the key in files."""

    PEN = "pen"
    DUST = "dust"
    BUBBLE = "bubble"
    FOLD = "fold"
    DEFOCUS = "defocus"

    @property
    def label(self) -> str:
        """Return the name for people."""
        return "out of focus" if self is Kind.DEFOCUS else self.value

    @property
    def qupath_name(self) -> str:
        """Return the class in QuPath."""
        return f"Artefact: {self.label}"

    @property
    def colour(self) -> Rgb:
        """Return the RGB of outlines, distinct from those of tracts and tissue."""
        return _COLOURS[self]


_COLOURS: dict[Kind, Rgb] = {
    Kind.PEN: (110, 60, 190),
    Kind.DUST: (90, 90, 90),
    Kind.BUBBLE: (0, 140, 140),
    Kind.FOLD: (200, 0, 60),
    Kind.DEFOCUS: (170, 0, 170),
}
