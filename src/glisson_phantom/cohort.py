"""Plans of whole studies of phantom slides, designed as the paper's.

Numbers of slides, institutions, scanners and diagnoses are those of Cazzaniga et al., npj
Digital Medicine 2025 (Tables 2 and 3, Results). Its training rows hold 272 slides of 223
patients: here 49 Monza patients are scanned a second time, on another Monza scanner. Its
clinical series names 32 of 35 diagnoses: the other three are drawn as near-normal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        settings: of its phantom.
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
    """Plan every case of a study.

    Args:
        design: which study.
        seed: the same seed gives the same study.
        share: part of each site's slides, at least one each; 1 for all.
        mpp: level-0 µm/px of every slide instead of its scanner's own.

    Raises:
        SettingsError: the design is unknown, or the share is not above 0 and at most 1.
    """
    if design != "paper":
        raise SettingsError(f"There is no design '{design}'; choose 'paper'.")
    if not 0 < share <= 1:
        raise SettingsError(f"The share of slides is {share}; give more than 0 and at most 1.")
    planner = _Planner(np.random.default_rng([seed, 0xC0]), seed, mpp)
    cases = [*planner.plan_training(), *planner.plan_test(), *planner.plan_clinical()]
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.role, case.site), []).append(case)
    return [case for group in groups.values() for case in _take_share(group, share)]


def _take_share(group: list[Case], share: float) -> list[Case]:
    return group[: max(1, round(share * len(group)))]


_ROLE_NUMBER = {"train": 1, "test": 2, "clinical": 3}


@dataclass(frozen=True)
class _Planner:
    """Random decisions about the cases of one study, in a fixed order.

    Attributes:
        rng: source of randomness, shared by all cases.
        seed: seed of the study.
        mpp: level-0 µm/px of every slide, or None for each scanner's own.
    """

    rng: np.random.Generator
    seed: int
    mpp: float | None

    def plan_training(self) -> list[Case]:
        """Plan 223 patients on five scanners, and rescans on two Monza scanners."""
        sites = [(key, site) for key, site in SITES.items() if site.role == "train"]
        places = [key for key, site in sites for _ in range(site.slides)]
        again = [i for i, key in enumerate(places) if key in ("monza-hamamatsu", "monza-3dhistech")]
        again = again[-_RESCANNED:]
        diagnoses = self._shuffle(TRAINING_DIAGNOSES)
        cases: list[Case] = []
        for index, site in enumerate(places):
            if index not in again:
                cases.append(self._plan("train", len(cases) + 1, site, diagnoses.pop()))
        first = [case for case in cases if case.site == "monza-aperio"]
        for index, case in zip(again, first, strict=False):
            cases.append(self._rescan(case, places[index]))
        return cases

    def plan_test(self) -> list[Case]:
        """Plan the external test slides."""
        wanted = [
            (site, key)
            for site, counts in TEST_DIAGNOSES.items()
            for key, count in counts.items()
            for _ in range(count)
        ]
        return [
            self._plan("test", number, site, diagnosis)
            for number, (site, diagnosis) in enumerate(wanted, 1)
        ]

    def plan_clinical(self) -> list[Case]:
        """Plan the clinical series, whose stages are fixed."""
        stages = self.rng.permutation(np.repeat(np.arange(5), CLINICAL_STAGES))
        pairs = zip(self._shuffle(CLINICAL_DIAGNOSES), stages, strict=True)
        return [
            self._plan("clinical", number, "monza-leica", diagnosis, int(stage))
            for number, (diagnosis, stage) in enumerate(pairs, 1)
        ]

    def _shuffle(self, counts: dict[str, int]) -> list[str]:
        keys = [key for key, count in counts.items() for _ in range(count)]
        return [keys[index] for index in self.rng.permutation(len(keys))]

    def _plan(
        self, role: CaseRole, number: int, site: str, diagnosis: str, stage: int | None = None
    ) -> Case:
        rng = self.rng
        frequency = np.array(DIAGNOSES[diagnosis].stages)
        random_stage = int(rng.choice(5, p=frequency / frequency.sum()))
        settings = PhantomSettings(
            seed=1_000_000 * self.seed + 10_000 * _ROLE_NUMBER[role] + number,
            length_mm=round(float(np.clip(rng.normal(*_LENGTH_MM), 6, 34)), 1),
            pieces=int(rng.choice([1, 2], p=[0.65, 0.35])),
            ribbons=int(rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08])),
            diagnosis=diagnosis,
            stage=random_stage if stage is None else stage,
            site=site,
            mpp=self.mpp or SITES[site].mpp,
        )
        age = int(np.clip(rng.normal(50.2, 15), 8, 85))
        sex = "F" if rng.random() < _FEMALE else "M"
        slide, patient = f"{role}-{number:03d}-{site}", f"{role}-patient-{number:03d}"
        return Case(slide, patient, role, site, age, sex, settings)

    def _rescan(self, case: Case, site: str) -> Case:
        """Plan the same section on another scanner: the same seed draws the same tissue."""
        settings = replace(case.settings, site=site, mpp=self.mpp or SITES[site].mpp)
        slide = f"{case.patient.replace('patient-', '')}-again-{site}"
        return replace(case, slide=slide, site=site, settings=settings)


@dataclass(frozen=True)
class Readings:
    """Readings as people would report them, with their errors.

    Attributes:
        report_tract_count: count in the report, or None where tracts bridge (stage 3 or more).
        second_reader_tract_count: the same by a second reader.
        manual_length_cm: length measured with a ruler, to 0.1 cm.
    """

    report_tract_count: int | None
    second_reader_tract_count: int | None
    manual_length_cm: float


def draw_readings(seed: int, tract_count: int, stage: int, length_mm: float) -> Readings:
    """Draw the readings of one case.

    Readers miscount by about a tenth and by one or two tracts, the second reader more than the
    first; a ruler errs by 4 % and rounds. These are design values: agreement that is built in
    here proves nothing about patients.

    Args:
        seed: of the case.
        tract_count: portal tracts of one section by their contents (`triad.py`), partial tracts
            included, as the paper counts.
        stage: fibrosis stage; from 3 on tracts bridge and nobody counts them.
        length_mm: true length of one section.
    """
    rng = np.random.default_rng([seed, 0x5EAD])
    report = max(0, round(float(tract_count * rng.normal(1.0, 0.07) + rng.normal(0, 0.9))))
    second = max(0, round(float(tract_count * rng.normal(0.97, 0.11) + rng.normal(0, 1.3))))
    length_cm = round(float(length_mm / 10 * rng.normal(0.98, 0.04)), 1)
    length_cm = max(length_cm, 0.1)
    return Readings(report, second, length_cm) if stage < 3 else Readings(None, None, length_cm)
