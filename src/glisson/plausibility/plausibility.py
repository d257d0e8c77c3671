"""The verdict on a slide, with measured values and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from glisson.plausibility.parenchyma import Parenchyma

Verdict = Literal["plausible", "not H&E", "perhaps not liver", "not assessable"]


@dataclass(frozen=True)
class Measure:
    """A measured value and its limit.

    Attributes:
        name: key in files.
        value: measured value; None if it could not be measured.
        limit: limit of plausible values.
        bound: whether the limit is the `least` or the `most` that is plausible.
    """

    name: str
    value: float | None
    limit: float
    bound: Literal["least", "most"]

    @property
    def is_broken(self) -> bool:
        """Return whether the value lies beyond its limit; an unknown value does not."""
        if self.value is None:
            return False
        return self.value < self.limit if self.bound == "least" else self.value > self.limit


@dataclass(frozen=True)
class Plausibility:
    """The verdict whether a slide can be H&E of liver.

    Attributes:
        verdict: `plausible`, `not H&E`, `perhaps not liver`, or `not assessable` where the stain
            is plausible and too few fields are in focus to judge the organ.
        reasons: sentences with the reasons against H&E of liver, or for `not assessable`.
        measures: measured values with their limits.
        parenchyma: measurements of the fields; None if the stain decided.
        doubts: sentences on a pale stain or a wrong pixel size, which withhold nothing.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    measures: tuple[Measure, ...]
    parenchyma: Parenchyma | None
    doubts: tuple[str, ...] = ()

    @property
    def is_withheld(self) -> bool:
        """Return whether adequacy and fibrosis stage are withheld."""
        return self.verdict in ("not H&E", "perhaps not liver")

    @property
    def warning(self) -> str | None:
        """Return a warning for the user; None if nothing is withheld."""
        if not self.is_withheld:
            return None
        what = {
            "not H&E": "This does not look like H&E",
            "perhaps not liver": "This does not look like liver",
        }[self.verdict]
        return (
            f"{what}. {' '.join(self.reasons)} Adequacy and stage are withheld; unless it is H&E "
            "of liver, no other number holds either."
        )
