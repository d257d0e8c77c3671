"""Whole studies of phantom slides, designed as the paper's.

Numbers of slides, institutions, scanners and diagnoses are those of Cazzaniga et al., npj
Digital Medicine 2025 (Tables 2 and 3, Results). Its training rows hold 272 slides of 223
patients: here 49 Monza patients are scanned a second time, on another Monza scanner. Its
clinical series names 32 of 35 diagnoses: the other three are drawn as near-normal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from glisson.errors import SettingsError
from glisson_phantom.biopsy import PhantomSettings
from glisson_phantom.plan.disease import DIAGNOSES
from glisson_phantom.sites import SITES

Design = Literal["paper"]
CaseRole = Literal["train", "test", "clinical"]

TRAINING_DIAGNOSES = {"aih": 85, "pbc": 54, "normal": 25, "dili": 16, "masld": 15, "gvhd": 10,
                      "psc": 10, "infectious": 5, "iron": 3}  # fmt: skip
TEST_DIAGNOSES = {
    "barcelona-hamamatsu": {"aih": 5},
    "buenos-aires-micro-visioneer": {"aih": 4},
    "coimbra-roche": {"aih": 5},
    "maastricht-3dhistech": {"aih": 2, "pbc": 3},
    "monza-leica": {"gvhd": 5},
    "palermo-philips": {"pbc": 5},
}
CLINICAL_DIAGNOSES = {"aih": 4, "dili": 8, "masld": 6, "pbc": 2, "ductal-plate": 3, "psc": 3,
                      "vascular": 6, "normal": 3}  # fmt: skip
CLINICAL_STAGES = (8, 10, 8, 5, 4)
"""Cases by stage 0 to 4: 26 of 35 below 3, as in the paper; how they divide is a design value."""
_RESCANNED = 49
_FEMALE = 0.596
_LENGTH_MM = (19.4, 5.5)


@dataclass(frozen=True)
class Case:
    """One slide of a study.

    Attributes:
        slide: file name without its suffix.
        patient: key; the same patient may have two slides.
        role: training, external test or clinical series.
        site: key of `SITES`.
        age: years.
        sex: `F` or `M`.
        settings: what to draw.
    """

    slide: str
    patient: str
    role: CaseRole
    site: str
    age: int
    sex: str
    settings: PhantomSettings


def plan_cohort(
    design: Design = "paper", seed: int = 0, share: float = 1.0, mpp: float | None = None
) -> list[Case]:
    """Every case of a study.

    Args:
        design: which study.
        seed: the same seed gives the same study.
        share: part of each site's slides to keep, at least one each; 1 for all.
        mpp: level-0 µm/px of every slide instead of its scanner's own.

    Raises:
        SettingsError: no such design, or a share that is not above 0 and at most 1.
    """
    if design != "paper":
        raise SettingsError(f"There is no design '{design}'; choose 'paper'.")
    if not 0 < share <= 1:
        raise SettingsError(f"The share of slides is {share}; give more than 0 and at most 1.")
    rng = np.random.default_rng([seed, 0xC0])
    cases = [*_training(rng, seed, mpp), *_test(rng, seed, mpp), *_clinical(rng, seed, mpp)]
    return list(_some(cases, share))


def _some(cases: list[Case], share: float) -> Iterator[Case]:
    """The first cases of every role and site."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.role, case.site), []).append(case)
    for group in groups.values():
        yield from group[: max(1, round(share * len(group)))]


def _training(rng: np.random.Generator, seed: int, mpp: float | None) -> list[Case]:
    """223 patients over five scanners; the last slides of two Monza scanners are rescans."""
    sites = [(key, site) for key, site in SITES.items() if site.role == "train"]
    places = [key for key, site in sites for _ in range(site.slides)]
    rescans = [i for i, key in enumerate(places) if key in ("monza-hamamatsu", "monza-3dhistech")]
    rescans = rescans[-_RESCANNED:]
    diagnoses = _shuffled(rng, TRAINING_DIAGNOSES)
    cases: list[Case] = []
    for index, site in enumerate(places):
        if index not in rescans:
            cases.append(_case(rng, "train", len(cases) + 1, site, diagnoses.pop(), seed, mpp))
    first = [case for case in cases if case.site == "monza-aperio"]
    for index, case in zip(rescans, first, strict=False):
        cases.append(_rescanned(case, places[index], mpp))
    return cases


def _test(rng: np.random.Generator, seed: int, mpp: float | None) -> list[Case]:
    wanted = [(site, key) for site, kinds in TEST_DIAGNOSES.items()
              for key, count in kinds.items() for _ in range(count)]  # fmt: skip
    return [
        _case(rng, "test", number, site, diagnosis, seed, mpp)
        for number, (site, diagnosis) in enumerate(wanted, 1)
    ]


def _clinical(rng: np.random.Generator, seed: int, mpp: float | None) -> list[Case]:
    stages = rng.permutation(np.repeat(np.arange(5), CLINICAL_STAGES))
    return [
        _case(rng, "clinical", number, "monza-leica", diagnosis, seed, mpp, int(stage))
        for number, (diagnosis, stage) in enumerate(
            zip(_shuffled(rng, CLINICAL_DIAGNOSES), stages, strict=True), 1
        )
    ]


def _shuffled(rng: np.random.Generator, counts: dict[str, int]) -> list[str]:
    keys = [key for key, count in counts.items() for _ in range(count)]
    return [keys[index] for index in rng.permutation(len(keys))]


_ROLE_NUMBER = {"train": 1, "test": 2, "clinical": 3}


def _case(
    rng: np.random.Generator,
    role: CaseRole,
    number: int,
    site: str,
    diagnosis: str,
    seed: int,
    mpp: float | None,
    stage: int | None = None,
) -> Case:
    frequency = np.array(DIAGNOSES[diagnosis].stages)
    drawn_stage = int(rng.choice(5, p=frequency / frequency.sum()))
    settings = PhantomSettings(
        seed=1_000_000 * seed + 10_000 * _ROLE_NUMBER[role] + number,
        length_mm=round(float(np.clip(rng.normal(*_LENGTH_MM), 6, 34)), 1),
        pieces=int(rng.choice([1, 2], p=[0.65, 0.35])),
        ribbons=int(rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08])),
        diagnosis=diagnosis,
        stage=drawn_stage if stage is None else stage,
        site=site,
        mpp=mpp or SITES[site].mpp,
    )
    age = int(np.clip(rng.normal(50.2, 15), 8, 85))
    sex = "F" if rng.random() < _FEMALE else "M"
    name = f"{role}-{number:03d}"
    return Case(f"{name}-{site}", f"{role}-patient-{number:03d}", role, site, age, sex, settings)


def _rescanned(case: Case, site: str, mpp: float | None) -> Case:
    """The same section on another scanner: the same seed draws the same tissue."""
    settings = PhantomSettings(
        **{**case.settings.__dict__, "site": site, "mpp": mpp or SITES[site].mpp}
    )
    name = f"{case.patient.replace('patient-', '')}-again-{site}"
    return Case(name, case.patient, case.role, site, case.age, case.sex, settings)


@dataclass(frozen=True)
class Readings:
    """What people would have written down, with their errors.

    Attributes:
        report_tract_count: count in the report, or None where tracts bridge (stage 3 or more).
        second_reader_tract_count: the same by a second reader.
        manual_length_cm: length measured with a ruler, to 0.1 cm.
    """

    report_tract_count: int | None
    second_reader_tract_count: int | None
    manual_length_cm: float


def draw_readings(seed: int, tract_count: int, stage: int, length_mm: float) -> Readings:
    """Draw the readings of one case, from its portal tracts and its true length.

    `tract_count` are the portal tracts of one section by their contents (`triad.py`), partial
    ones included, as the paper counts them. Counting errs by about a tenth and by one or two
    tracts, the second reader more than the first; a ruler errs by 4 % and rounds. Design values:
    agreement built in here proves nothing about patients.
    """
    rng = np.random.default_rng([seed, 0x5EAD])
    report = max(0, round(float(tract_count * rng.normal(1.0, 0.07) + rng.normal(0, 0.9))))
    second = max(0, round(float(tract_count * rng.normal(0.97, 0.11) + rng.normal(0, 1.3))))
    length_cm = round(float(length_mm / 10 * rng.normal(0.98, 0.04)), 1)
    length_cm = max(length_cm, 0.1)
    return Readings(report, second, length_cm) if stage < 3 else Readings(None, None, length_cm)
