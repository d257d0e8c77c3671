"""Settings of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glisson.clinical.scales import find_scale
from glisson.errors import SettingsError

LEAST_RESAMPLES = 200
"""Fewer draws leave at most five beyond each end of a 95 % interval."""


@dataclass(frozen=True)
class StudySettings:
    """Settings of a study.

    Attributes:
        scale: key of the scale of the stages.
        columns: name of a column in cases.csv, by Glisson's name.
        role: role of the rows to use; by default `clinical` if a row has this role, else all.
        resamples: number of draws of the bootstrap.
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
