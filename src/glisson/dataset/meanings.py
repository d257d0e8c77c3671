"""The meanings of annotation classes for training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from glisson.errors import AnnotationError, SettingsError

UNCLASSIFIED = "(unclassified)"


class Meaning(StrEnum):
    """Meaning of an annotated area.

    TISSUE: the outline of all tissue; lobule inside, glass outside. REGION: a person annotated
    everything inside and nothing outside. IGNORE: losses and scores leave the area out.
    CANDIDATE: an undecided portal tract; ignored unless another area covers it. SKIP: nothing.
    """

    TISSUE = "tissue"
    REGION = "region"
    LOBULE = "lobule"
    PORTAL = "portal"
    BACKGROUND = "background"
    IGNORE = "ignore"
    CANDIDATE = "candidate"
    SKIP = "skip"


_USUAL: Mapping[str, Meaning] = {
    "tissue": Meaning.TISSUE,
    "region*": Meaning.REGION,
    "lobule": Meaning.LOBULE,
    "parenchyma": Meaning.LOBULE,
    "portal tract": Meaning.PORTAL,
    "portal": Meaning.PORTAL,
    "portal area": Meaning.PORTAL,
    "portal space": Meaning.PORTAL,
    "bileduct": Meaning.PORTAL,  # the paper's own name for portal tracts (nutshell)
    "portal tract[?]": Meaning.CANDIDATE,  # a bare ? stands for any character
    "background": Meaning.BACKGROUND,
    "glass": Meaning.BACKGROUND,
    "ignore*": Meaning.IGNORE,
    "interface": Meaning.SKIP,
    "artefact*": Meaning.SKIP,  # found by Glisson, for people to look at
}
_CELLS = (
    "cell",
    "cells",
    "nucleus",
    "nuclei",
    "positive",
    "negative",
    "immune cell*",
    "inflammatory cell*",
    "lymphocyte*",
    "hepatocyte*",
    "cholangiocyte*",
    "neutrophil*",
    "eosinophil*",
    "macrophage*",
    "plasma cell*",
    "kupffer cell*",
    "stellate cell*",
    "endothelial cell*",
    "epithelial cell*",
    "tumor cell*",
    "tumour cell*",
)
"""Classes of cells, QuPath's own and usual ones. They say nothing on lobule and portal tracts."""


@dataclass(frozen=True)
class MeaningTable:
    """Table of class names, with `*` as in file names, and meanings; case does not matter.

    Attributes:
        own: the user's rows, which precede the usual rows.
    """

    own: tuple[tuple[str, Meaning], ...] = ()

    def of(self, class_name: str) -> Meaning | None:
        """Return the meaning of a QuPath class, or else of its parent class, or None."""
        name = (class_name or UNCLASSIFIED).casefold()
        for each in (name, name.split(":")[0].strip()):
            for pattern, meaning in (*self.own, *_USUAL.items()):
                if fnmatchcase(each, pattern.casefold()):
                    return meaning
        return Meaning.SKIP if _names_cells(name) else None

    def is_cell(self, class_name: str) -> bool:
        """Return whether a class is skipped because it names cells."""
        name = (class_name or UNCLASSIFIED).casefold()
        return self.of(class_name) is Meaning.SKIP and _names_cells(name)

    def check(self, class_names: Iterable[str], where: str) -> None:
        """Reject classes that are not in the table.

        Raises:
            AnnotationError: names the classes, and the option that gives them a meaning.
        """
        names = {name or UNCLASSIFIED for name in class_names}
        unknown = sorted(name for name in names if self.of(name) is None)
        if unknown:
            raise AnnotationError(
                f"{where}: no meaning is given for {', '.join(map(repr, unknown))}. Leave a class "
                f"out with --class '{unknown[0]}=skip', or give its meaning ({', '.join(Meaning)})."
            )


def _names_cells(name: str) -> bool:
    """Return whether a class, or its parent class, is one of cells; case matters."""
    names = name, name.split(":")[0].strip()
    return any(fnmatchcase(each, pattern) for each in names for pattern in _CELLS)


def parse_meanings(rows: Iterable[str]) -> MeaningTable:
    """Parse rows such as `BileDuct=portal` into a table.

    Raises:
        SettingsError: a row is not NAME=MEANING.
    """
    return MeaningTable(tuple(_parse_row(row) for row in rows))


def _parse_row(text: str) -> tuple[str, Meaning]:
    name, _, meaning = text.rpartition("=")
    if not name.strip() or meaning.strip().casefold() not in set(Meaning):
        raise SettingsError(
            f"'{text}' is not NAME=MEANING; a meaning is one of {', '.join(Meaning)}."
        )
    return name.strip(), Meaning(meaning.strip().casefold())
