"""Which slides a model learns from, is chosen by, and is tested on."""

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
    "validation scores are too good (the paper's own split). Use it to compare with the paper "
    "only."
)
SLIDE_LEAK = (
    "Split by slide: slides of one patient lie in training and validation, so the validation "
    "scores are too good. Split by patient to know how good the model is."
)
UNNAMED_PATIENTS = (
    "Slides that name no patient count as a patient each: where two are of one patient, the "
    "validation scores are too good. Name the patients in cases.csv."
)


class SplitUnit(StrEnum):
    """What is kept together."""

    PATIENT = "patient"
    SLIDE = "slide"
    TILE = "tile"


@dataclass(frozen=True)
class SplitSettings:
    """How a study is split.

    Attributes:
        by: what is kept together; `slide` may leak, `tile` is the paper's split and does.
        validation: part of what is not held out that validates (the paper: 0.2).
        hold_out: institutions kept whole for the external test.
        seed: of the draw.
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
    """The split of every slide; of every tile, where tiles are drawn one by one.

    Attributes:
        settings: how they were drawn.
        of_slide: split by slide name; where tiles are drawn one by one, all that is not test
            trains, for no slide is left that the model has not seen.
    """

    settings: SplitSettings
    of_slide: dict[str, Split]

    def of(self, slide: str, x_px: int, y_px: int) -> Split:
        """Split of a tile of a slide; unknown slides train."""
        split = self.of_slide.get(slide, Split.TRAIN)
        if self.settings.by is not SplitUnit.TILE or split is Split.TEST:
            return split
        key = f"{self.settings.seed} {slide} {x_px} {y_px}".encode()
        drawn = zlib.crc32(key) / 2**32
        return Split.VALIDATION if drawn < self.settings.validation else Split.TRAIN


def split_study(slides: Sequence[AnnotatedSlide], settings: SplitSettings) -> Splits:
    """Split a study; roles that the study gives are kept.

    Held-out institutions and slides of role `test` are the external test set, which may be all
    there is: a study to evaluate on. Of the rest every n-th patient validates, the patients being
    ordered by institution and diagnosis and at random within: each stratum gives its share.

    Raises:
        SettingsError: an institution that no slide has, an empty split, or a patient in two:
            with a split by patient in any two, with others in the test set and another.
    """
    _check_institutions(slides, settings.hold_out)
    of_slide = {s.name: Split.TEST for s in slides if s.role is Split.TEST}
    of_slide |= {s.name: Split.TEST for s in slides if s.institution in settings.hold_out}
    rest = [s for s in slides if s.name not in of_slide]
    drawn = _validating([s for s in rest if s.role is None or not _has_roles(rest)], settings)
    for slide in rest:
        own = slide.role if _has_roles(rest) else None
        chosen = Split.VALIDATION if _unit(slide, settings) in drawn else Split.TRAIN
        of_slide[slide.name] = Split.TRAIN if settings.by is SplitUnit.TILE else own or chosen
    splits = Splits(settings, of_slide)
    if rest and settings.by is not SplitUnit.TILE:
        _check_filled(of_slide)
    _check_patients(slides, splits)
    if leak := leak_of(slides, splits):
        logger.warning(leak)
    return splits


def leak_of(slides: Sequence[AnnotatedSlide], splits: Splits) -> str | None:
    """Why scores of validation are too good, or may be; None where they are not."""
    if splits.settings.by is SplitUnit.TILE:
        return LEAK
    if _torn(slides, splits):
        return SLIDE_LEAK
    return None if all(slide.patient_named for slide in slides) else UNNAMED_PATIENTS


def torn_patients(pairs: Iterable[tuple[str, Split]]) -> dict[str, set[Split]]:
    """Patients that lie in several splits, with these; of pairs of patient and split."""
    found: dict[str, set[Split]] = defaultdict(set)
    for patient, split in pairs:
        found[patient].add(split)
    return {patient: found[patient] for patient in sorted(found) if len(found[patient]) > 1}


def _torn(slides: Sequence[AnnotatedSlide], splits: Splits) -> dict[str, set[Split]]:
    return torn_patients((s.patient, splits.of_slide.get(s.name, Split.TRAIN)) for s in slides)


def _has_roles(slides: Sequence[AnnotatedSlide]) -> bool:
    """Whether the study itself names validation slides; `train` alone leaves the draw to us."""
    return any(slide.role is Split.VALIDATION for slide in slides)


def _unit(slide: AnnotatedSlide, settings: SplitSettings) -> str:
    return slide.name if settings.by is SplitUnit.SLIDE else slide.patient


def _validating(slides: Sequence[AnnotatedSlide], settings: SplitSettings) -> set[str]:
    """Units drawn for validation: a systematic sample of the ordered strata."""
    strata: dict[tuple[str, str], list[str]] = defaultdict(list)
    seen: set[str] = set()
    for slide in sorted(slides, key=lambda s: s.name):
        unit = _unit(slide, settings)
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
    strange = [name for name in wanted if name not in known]
    if strange:
        raise SettingsError(
            f"No slide is from {', '.join(strange)}; the study has {', '.join(known)}."
        )


def _check_filled(of_slide: dict[str, Split]) -> None:
    for split in (Split.TRAIN, Split.VALIDATION):
        if split not in of_slide.values():
            raise SettingsError(
                f"No slide is left for {split}: {len(of_slide)} slides are too few, or too many "
                "institutions are held out. Add slides, or use --split tile and know the leak."
            )


def _check_patients(slides: Sequence[AnnotatedSlide], splits: Splits) -> None:
    """Refuse a patient in two splits; the test set is external whatever else is kept together."""
    found = _torn(slides, splits)
    by_patient = splits.settings.by is SplitUnit.PATIENT
    torn = [patient for patient, where in found.items() if by_patient or Split.TEST in where]
    if torn:
        raise SettingsError(
            f"Patients in two splits: {', '.join(torn[:5])}. Give all of a patient's slides one "
            "role, and hold out every institution that the patient was seen at."
        )
