"""Splits of a study into training, validation and test slides."""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from glisson.dataset.study import AnnotatedSlide, Split
from glisson.errors import SettingsError

logger = logging.getLogger(__name__)

LEAK = (
    "Split by tile: neighbouring tiles of one patient lie in training and validation, so the "
    "validation scores are too good (the paper's own split). Use it only to compare with the "
    "paper."
)
SLIDE_LEAK = (
    "Split by slide: slides of one patient lie in training and validation, so the validation "
    "scores are too good. Split by patient to measure how good the model is."
)
UNNAMED_PATIENTS = (
    "Each slide without patient counts as a patient: if two are of one patient, the "
    "validation scores are too good. Name the patients in cases.csv."
)


class SplitUnit(StrEnum):
    """Unit that lies in one split as a whole."""

    PATIENT = "patient"
    SLIDE = "slide"
    TILE = "tile"


@dataclass(frozen=True)
class SplitSettings:
    """Settings of a split.

    Attributes:
        by: unit that lies in one split; `slide` may leak, `tile` (the paper's split) does leak.
        validation: fraction of the units outside the test set that validates (the paper: 0.2).
        hold_out: institutions whose slides are the external test set.
        seed: of the random draw.
    """

    by: SplitUnit = SplitUnit.PATIENT
    validation: float = 0.2
    hold_out: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.validation < 1:
            raise SettingsError(f"A validation share of {self.validation:g}: give 0 to 1.")


@dataclass(frozen=True)
class Splits:
    """Splits of all slides, or of all tiles in a split by tile.

    Attributes:
        settings: of the split.
        of_slide: split by slide name. In a split by tile every slide outside the test set
            trains, because the model sees a part of it.
    """

    settings: SplitSettings
    of_slide: dict[str, Split]

    def of(self, slide: str, x_px: int, y_px: int) -> Split:
        """Return the split of a tile; slides without split train."""
        split = self.of_slide.get(slide, Split.TRAIN)
        if self.settings.by is not SplitUnit.TILE or split is Split.TEST:
            return split
        key = f"{self.settings.seed} {slide} {x_px} {y_px}".encode()
        position = zlib.crc32(key) / 2**32
        return Split.VALIDATION if position < self.settings.validation else Split.TRAIN


def split_study(slides: Sequence[AnnotatedSlide], settings: SplitSettings) -> Splits:
    """Split a study; roles in the study take precedence.

    Held-out institutions and slides of role `test` form the external test set, which may hold
    every slide. Of the others every n-th patient validates. The patients are ordered by
    institution and diagnosis, and at random within these strata, so each stratum has its share.

    Raises:
        SettingsError: an unknown institution; an empty split; a patient in two splits (a split
            by slide or tile rejects only a patient in the test set and another split).
    """
    _check_institutions(slides, settings.hold_out)
    of_slide = {s.name: Split.TEST for s in slides if s.role is Split.TEST}
    of_slide |= {s.name: Split.TEST for s in slides if s.institution in settings.hold_out}
    rest = [s for s in slides if s.name not in of_slide]
    # `train` alone leaves the draw to Glisson; a named validation slide does not.
    has_roles = any(slide.role is Split.VALIDATION for slide in rest)
    pool = [s for s in rest if s.role is None or not has_roles]
    validation = _draw_validation_units(pool, settings)
    for slide in rest:
        own = slide.role if has_roles else None
        drawn = Split.VALIDATION if _name_unit(slide, settings) in validation else Split.TRAIN
        of_slide[slide.name] = Split.TRAIN if settings.by is SplitUnit.TILE else own or drawn
    splits = Splits(settings, of_slide)
    if rest and settings.by is not SplitUnit.TILE:
        _check_not_empty(of_slide)
    _check_patients(slides, splits)
    if leak := find_leak(slides, splits):
        logger.warning(leak)
    return splits


def find_leak(slides: Sequence[AnnotatedSlide], splits: Splits) -> str | None:
    """Return why validation scores are or may be too good, or None."""
    if splits.settings.by is SplitUnit.TILE:
        return LEAK
    if _find_shared(slides, splits):
        return SLIDE_LEAK
    return None if all(slide.patient_named for slide in slides) else UNNAMED_PATIENTS


def find_shared_patients(pairs: Iterable[tuple[str, Split]]) -> dict[str, set[Split]]:
    """Return the patients in several splits, and these splits, from (patient, split) pairs."""
    by_patient: dict[str, set[Split]] = defaultdict(set)
    for patient, split in pairs:
        by_patient[patient].add(split)
    return {name: by_patient[name] for name in sorted(by_patient) if len(by_patient[name]) > 1}


def _find_shared(slides: Sequence[AnnotatedSlide], splits: Splits) -> dict[str, set[Split]]:
    return find_shared_patients(
        (s.patient, splits.of_slide.get(s.name, Split.TRAIN)) for s in slides
    )


def _name_unit(slide: AnnotatedSlide, settings: SplitSettings) -> str:
    return slide.name if settings.by is SplitUnit.SLIDE else slide.patient


def _draw_validation_units(slides: Sequence[AnnotatedSlide], settings: SplitSettings) -> set[str]:
    """Draw a systematic sample of the units in the ordered strata."""
    strata: dict[tuple[str, str], list[str]] = defaultdict(list)
    seen: set[str] = set()
    for slide in sorted(slides, key=lambda s: s.name):
        unit = _name_unit(slide, settings)
        if unit not in seen:
            strata[slide.institution, slide.diagnosis].append(unit)
            seen.add(unit)
    rng = np.random.default_rng(settings.seed)
    ordered = [unit for _, units in sorted(strata.items()) for unit in rng.permutation(units)]
    step = 1 / settings.validation
    positions = np.arange(rng.uniform(0, step), len(ordered), step).astype(int)
    if not len(positions) and len(ordered) > 1:
        positions = rng.integers(len(ordered), size=1)
    return {ordered[position] for position in positions}


def _check_institutions(slides: Sequence[AnnotatedSlide], wanted: Sequence[str]) -> None:
    known = sorted({slide.institution for slide in slides})
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SettingsError(
            f"No slide is from {', '.join(unknown)}; the study has {', '.join(known)}."
        )


def _check_not_empty(of_slide: dict[str, Split]) -> None:
    for split in (Split.TRAIN, Split.VALIDATION):
        if split not in of_slide.values():
            raise SettingsError(
                f"No slide is left for {split}: {len(of_slide)} slides are too few, or too many "
                "institutions are held out. Add slides, or use --split tile, which leaks."
            )


def _check_patients(slides: Sequence[AnnotatedSlide], splits: Splits) -> None:
    """Reject a patient in two splits; split by slide or tile, only if one is the test set."""
    shared = _find_shared(slides, splits)
    by_patient = splits.settings.by is SplitUnit.PATIENT
    wrong = [patient for patient, where in shared.items() if by_patient or Split.TEST in where]
    if wrong:
        raise SettingsError(
            f"Patients in two splits: {', '.join(wrong[:5])}. Give all of a patient's slides one "
            "role, and hold out every institution that the patient was seen at."
        )
