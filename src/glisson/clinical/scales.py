"""Scales of fibrosis: stages, sources and METAVIR equivalents."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from glisson.errors import SettingsError, StudyError


@dataclass(frozen=True)
class Stage:
    """Stage of a scale.

    Attributes:
        number: rank.
        label: written form.
        meaning: in a few words.
    """

    number: int
    label: str
    meaning: str


@dataclass(frozen=True)
class Scale:
    """Scale of fibrosis.

    Attributes:
        key: name in settings.
        name: name in text.
        stages: lowest first.
        f3_from: lowest stage with septa or bridges, equivalent to METAVIR F3; tracts can be
            counted at lower stages.
        f4_from: lowest stage equivalent to cirrhosis, METAVIR F4.
        metavir: METAVIR stage of each stage if a mapping is published, else None.
        citation: publication of the scale.
        mapping_citation: publication of the mapping, or the basis of the two thresholds.
    """

    key: str
    name: str
    stages: tuple[Stage, ...]
    f3_from: int
    f4_from: int
    metavir: tuple[int, ...] | None
    citation: str
    mapping_citation: str

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return the number of every stage."""
        return tuple(stage.number for stage in self.stages)

    def label(self, number: int) -> str:
        """Return the written form of a stage."""
        return next(stage.label for stage in self.stages if stage.number == number)

    def label_from(self, number: int) -> str:
        """Return the written form of "this stage or more"; the highest stage has no sign."""
        return ("" if number == self.stages[-1].number else "≥ ") + self.label(number)


_ROMAN = ("I", "II", "III", "IV")
_BY_NAME = "stage 3 is septal or bridging and stage 4 cirrhosis by the scale's own definition"

SCALES = {
    scale.key: scale
    for scale in (
        Scale(
            "ludwig",
            "Ludwig",
            (
                Stage(0, "0", "none; added by Cazzaniga et al. 2025, not in the original"),
                Stage(1, "1", "portal"),
                Stage(2, "2", "periportal"),
                Stage(3, "3", "septal or bridging"),
                Stage(4, "4", "cirrhosis"),
            ),
            3, 4, None,
            "Ludwig, Dickson, McDonald. Virchows Arch A 1978;379:103-112",
            _BY_NAME,
        ),
        Scale(
            "scheuer", "Scheuer",
            tuple(
                Stage(number, _ROMAN[number - 1], meaning)
                for number, meaning in enumerate(
                    ("florid duct lesion", "ductular proliferation", "scarring with septa",
                     "cirrhosis"), 1)
            ),
            3, 4, None,
            "Scheuer. Proc R Soc Med 1967;60:1257-1260",
            _BY_NAME,
        ),
        Scale(
            "batts-ludwig", "Batts-Ludwig",
            (
                Stage(0, "0", "none"),
                Stage(1, "1", "portal"),
                Stage(2, "2", "periportal, rare portal-portal septa"),
                Stage(3, "3", "septal, with distortion of the architecture"),
                Stage(4, "4", "cirrhosis"),
            ),
            3, 4, None,
            "Batts, Ludwig. Am J Surg Pathol 1995;19:1409-1417",
            _BY_NAME,
        ),
        Scale(
            "metavir", "METAVIR",
            (
                Stage(0, "F0", "none"),
                Stage(1, "F1", "portal, without septa"),
                Stage(2, "F2", "few septa"),
                Stage(3, "F3", "many septa, without cirrhosis"),
                Stage(4, "F4", "cirrhosis"),
            ),
            3, 4, (0, 1, 2, 3, 4),
            "The French METAVIR Cooperative Study Group. Hepatology 1994;20:15-20",
            "METAVIR itself",
        ),
        Scale(
            "ishak", "Ishak",
            (
                Stage(0, "0", "none"),
                Stage(1, "1", "some tracts, with or without short septa"),
                Stage(2, "2", "most tracts, with or without short septa"),
                Stage(3, "3", "most tracts, occasional portal-portal bridges"),
                Stage(4, "4", "marked portal-portal and portal-central bridges"),
                Stage(5, "5", "marked bridges with occasional nodules"),
                Stage(6, "6", "cirrhosis"),
            ),
            4, 5, (0, 1, 1, 2, 3, 4, 4),
            "Ishak et al. J Hepatol 1995;22:696-699",
            "Ishak to METAVIR as tabulated in Suk, Kim. World J Hepatol 2015;7:607-615, table 1",
        ),
    )
}  # fmt: skip


def find_scale(key: str) -> Scale:
    """Find a scale by its key.

    Raises:
        SettingsError: no scale has this key.
    """
    if key.casefold() not in SCALES:
        raise SettingsError(f"There is no scale '{key}'; choose one of {', '.join(SCALES)}.")
    return SCALES[key.casefold()]


def read_stage(text: str, scale: Scale) -> int:
    """Parse a stage in a common form: `3`, `3.0`, `F3`, `III`, `stage 3`.

    Raises:
        StudyError: the scale has no such stage.
    """
    written = text.strip().upper().removeprefix("STAGE").strip()
    number: float | None = None
    if written in _ROMAN:
        number = _ROMAN.index(written) + 1
    else:
        with suppress(ValueError):
            number = float(written.removeprefix("F").replace(",", "."))
    if number is None or number not in scale.numbers:
        names = ", ".join(stage.label for stage in scale.stages)
        raise StudyError(f"'{text}' is no stage of {scale.name}, which has {names}")
    return int(number)
