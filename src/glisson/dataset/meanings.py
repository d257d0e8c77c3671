"""What the classes of an annotation file mean for training: one small table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from glisson.errors import AnnotationError, SettingsError

UNCLASSIFIED = "(unclassified)"


class Meaning(StrEnum):
    """What an annotated area says.

    TISSUE: the outline of all tissue; lobule inside, glass outside. REGION: all that lies inside
    was looked at, all that lies outside was not. IGNORE: no loss and no score sees it. CANDIDATE:
    nobody has decided whether it is a portal tract; ignored where no other area says more.
    SKIP: says nothing at all.
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


@dataclass(frozen=True)
class MeaningTable:
    """Names, with `*` as in file names, and what they mean; case does not matter.

    Attributes:
        own: the user's rows, which come before the usual ones.
    """

    own: tuple[tuple[str, Meaning], ...] = ()

    def of(self, class_name: str) -> Meaning | None:
        """Meaning of a QuPath class; of `Portal tract: x` as of `Portal tract`; else None."""
        name = (class_name or UNCLASSIFIED).casefold()
        for each in (name, name.split(":")[0].strip()):
            for pattern, meaning in (*self.own, *_USUAL.items()):
                if fnmatchcase(each, pattern.casefold()):
                    return meaning
        return None

    def check(self, class_names: Iterable[str], where: str) -> None:
        """Refuse classes that are not in the table.

        Raises:
            AnnotationError: names them, and how to give them a meaning.
        """
        names = {name or UNCLASSIFIED for name in class_names}
        unknown = sorted(name for name in names if self.of(name) is None)
        if unknown:
            raise AnnotationError(
                f"{where}: no meaning is known for {', '.join(map(repr, unknown))}. Say what it "
                f"is, such as --class '{unknown[0]}=portal' ({', '.join(Meaning)})."
            )


def parse_meanings(rows: Iterable[str]) -> MeaningTable:
    """A table from rows such as `BileDuct=portal`.

    Raises:
        SettingsError: a row is no NAME=MEANING.
    """
    return MeaningTable(tuple(_row(row) for row in rows))


def _row(text: str) -> tuple[str, Meaning]:
    name, _, meaning = text.rpartition("=")
    if not name.strip() or meaning.strip().casefold() not in set(Meaning):
        raise SettingsError(
            f"'{text}' is not NAME=MEANING; a meaning is one of {', '.join(Meaning)}."
        )
    return name.strip(), Meaning(meaning.strip().casefold())
