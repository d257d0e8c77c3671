"""The verdict on a slide, with what was measured and the limits it was measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from glisson.plausibility.parenchyma import Parenchyma

Verdict = Literal["plausible", "not H&E", "perhaps not liver", "not assessable"]


@dataclass(frozen=True)
class Measure:
    """One measured value beside its limit.

    Attributes:
        name: key in files.
        value: what was measured; None where it could not be.
        limit: where it stops being plausible.
        bound: whether the limit is the `least` or the `most` that is plausible.
    """

    name: str
    value: float | None
    limit: float
    bound: Literal["least", "most"]

    @property
    def is_broken(self) -> bool:
        """Whether the value lies beyond its limit; an unknown one does not."""
        if self.value is None:
            return False
        return self.value < self.limit if self.bound == "least" else self.value > self.limit


@dataclass(frozen=True)
class Plausibility:
    """Whether a slide can be H&E of liver.

    Attributes:
        verdict: `plausible`, `not H&E`, `perhaps not liver`, or `not assessable` where the stain
            is plausible and too few fields are in focus to judge the organ.
        reasons: sentences on what speaks against H&E of liver, or why it cannot be told.
        measures: what was measured, beside its limits.
        parenchyma: what the fields show; None where the stain decided.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    measures: tuple[Measure, ...]
    parenchyma: Parenchyma | None

    @property
    def is_withheld(self) -> bool:
        """Whether adequacy and words of stage are withheld."""
        return self.verdict in ("not H&E", "perhaps not liver")

    @property
    def warning(self) -> str | None:
        """One sentence for the user; None where nothing is withheld."""
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
