"""What a study is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glisson.clinical.scales import find_scale
from glisson.errors import SettingsError

LEAST_RESAMPLES = 200
"""Fewer draws leave five or less beyond each end of a 95 % interval."""


@dataclass(frozen=True)
class StudySettings:
    """Settings of a study.

    Attributes:
        scale: key of the scale of the stages.
        columns: the name in cases.csv of a column, by ours.
        role: rows to take; by default `clinical` where a row has that role, else all.
        resamples: draws of the bootstrap.
        seed: of the draws.

    Raises:
        SettingsError: an unknown scale, or too few draws.
    """

    scale: str = "ludwig"
    columns: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None
    resamples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        find_scale(self.scale)
        if self.resamples < LEAST_RESAMPLES:
            raise SettingsError(
                f"{self.resamples} draws are too few for an interval; give at least "
                f"{LEAST_RESAMPLES} with --resamples."
            )
