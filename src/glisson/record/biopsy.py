"""The record of a slide: the content of `biopsy.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from glisson.frames import BoxL0, PixelSize, Size
from glisson.measurement import (
    Adequacy,
    BiopsyMeasurements,
    CandidateMeasurements,
    Comparison,
    FragmentMeasurements,
    TractMeasurements,
)
from glisson.plausibility import Measure, Parenchyma, Plausibility, Verdict
from glisson.record.parts import ModelRecord, Part, Record, SettingsRecord
from glisson.slides import SlideInfo

PixelSizeUm = Annotated[float, Field(ge=0.05, le=5)]
_ABSENT_EARLIER: dict[str, dict[str, Any]] = {
    "biopsy": {
        "portal_percent_uncertainty": None,
        "uncounted_area_count": None,
        "counted_definition": "",
    },
    "tracts": {"width_um": None, "is_counted": True},
}
"""Measurements that came before `format_version`, and what earlier results stand for."""


class SlideRecord(Part):
    """The slide.

    Attributes:
        name: without its ending, or its pseudonym.
        file: name of the file, or the pseudonym.
        bytes: size of all its files; absent with a pseudonym.
        files: number of its files; absent with a pseudonym.
        sha256_of_samples: of blocks spread over all its files; absent with a pseudonym.
        sha256_of_ends: of one file's first and last MiB; in results of earlier versions.
        pseudonyms: true where a pseudonym stands for the name; else absent.
        format: the reader, and the scanner's format.
        series: number of the image in its file, from 0; absent where the file holds one.
        width_l0: level-0 pixels.
        height_l0: level-0 pixels.
        pixel_width_um: µm per level-0 pixel.
        pixel_height_um: µm per level-0 pixel.
        pixel_size_source: whether the file says it, or a person.
        bounds_l0: the scanned part, as the file says it.
        synthetic: whether a program drew the slide.
        damaged_l0: what could not be read.
    """

    name: str
    file: str
    bytes: NonNegativeInt | None = None
    files: NonNegativeInt | None = None
    sha256_of_samples: str | None = None
    sha256_of_ends: str | None = None
    pseudonyms: bool = False
    format: str
    series: NonNegativeInt | None = None
    width_l0: PositiveInt
    height_l0: PositiveInt
    pixel_width_um: PixelSizeUm
    pixel_height_um: PixelSizeUm
    pixel_size_source: Literal["file", "override"]
    bounds_l0: BoxL0 | None
    synthetic: bool = False
    damaged_l0: tuple[BoxL0, ...] = ()


def _kinds_on(
    number: int, on_artefact: Mapping[int, tuple[str, ...]] | None
) -> tuple[str, ...] | None:
    return None if on_artefact is None else on_artefact[number]


@dataclass(frozen=True)
class TractRecord(TractMeasurements):
    """One portal tract.

    Attributes:
        on_artefact: kinds of artefacts on it; null in results of outlines corrected by hand.
        qupath_id: id of the outline that a person corrected or drew; several, of merged outlines,
            are joined by " + ". Null in the model's results, where QuPath's names are PT 1, PT 2.
        qupath_name: the outline's name in QuPath, which a person may have given; joined likewise.
    """

    on_artefact: tuple[str, ...] | None = None
    qupath_id: str | None = None
    qupath_name: str | None = None

    @classmethod
    def of(
        cls, tract: TractMeasurements, on_artefact: Mapping[int, tuple[str, ...]] | None = None
    ) -> TractRecord:
        """Add to a measured tract the kinds of artefacts on it, given by the tract's number."""
        return cls(**vars(tract), on_artefact=_kinds_on(tract.number, on_artefact))


@dataclass(frozen=True)
class CandidateRecord(CandidateMeasurements):
    """A portal area that waits for a person's decision.

    Attributes:
        on_artefact: as of a tract.
    """

    on_artefact: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        candidate: CandidateMeasurements,
        on_artefact: Mapping[int, tuple[str, ...]] | None = None,
    ) -> CandidateRecord:
        """Add to a measured candidate the kinds of artefacts on it, as `TractRecord.of`."""
        return cls(**vars(candidate), on_artefact=_kinds_on(candidate.number, on_artefact))


class CandidatesRecord(Part):
    """The candidates, and the model's limits that they are below.

    Attributes:
        count: number of candidates.
        area_mm2: of all of them.
        areas: every candidate.
        min_tract_probability: of a tract's mean probability.
        min_sure_area_um2: of a tract's sure area.
        sure_probability: from which a pixel is part of the sure area.
    """

    count: NonNegativeInt = 0
    area_mm2: NonNegativeFloat = 0.0
    areas: tuple[CandidateRecord, ...] = ()
    min_tract_probability: float | None = None
    min_sure_area_um2: float | None = None
    sure_probability: float | None = None


class ArtefactAreaRecord(Part):
    """One kind of artefact.

    Attributes:
        count: number of areas.
        on_tissue_mm2: on tissue, which stays in every measurement.
        off_tissue_mm2: taken out of the tissue.
        on_tissue_percent: of the tissue, 0 to 100.
    """

    count: NonNegativeInt
    on_tissue_mm2: NonNegativeFloat
    off_tissue_mm2: NonNegativeFloat
    on_tissue_percent: NonNegativeFloat


class ArtefactsRecord(Part):
    """Artefacts by kind, and whether focus could be measured."""

    focus_measured: bool = False
    artefact_area_mm2: dict[str, ArtefactAreaRecord] = Field(default_factory=dict)


class PlausibilityRecord(Part):
    """The verdict whether the slide can be H&E of liver (`Plausibility`).

    Attributes:
        verdict: in words.
        reasons: sentences.
        measures: what was measured, beside its limits.
        parenchyma: of the fields; null where the stain decided.
        withheld: whether adequacy and words of stage are withheld.
        warning: sentence for the user; null where nothing is withheld.
        doubts: sentences on a pale stain or a wrong pixel size, which withhold nothing.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    parenchyma: Parenchyma | None = None
    withheld: bool = False
    warning: str | None = None
    doubts: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: Plausibility) -> PlausibilityRecord:
        """Record what `assess_plausibility` found."""
        return cls(**vars(found), withheld=found.is_withheld, warning=found.warning)


class EditedRecord(Part):
    """The file of corrected outlines: its name and hash."""

    file: str
    sha256: str


class ModelResultRecord(Part):
    """The model's result that outlines were corrected of: its hash and warnings."""

    settings_hash: str
    warnings: tuple[str, ...]


class BiopsyRecord(Record):
    """The content of `biopsy.json`.

    Attributes:
        format_version: of the file.
        glisson: what the results are for.
        source: `model`, or `edited` for outlines corrected by hand.
        edited: the file of corrected outlines; absent in a model's result.
        slide: facts of the slide.
        model: the model.
        model_result: what was corrected; absent in a model's result.
        settings: those that decide the result.
        settings_hash: of all that decides the result.
        warnings: sentences for the user.
        biopsy: measurements of the slide.
        fragments: measurements of every piece of tissue.
        tracts: measurements of every portal tract.
        artefacts: absent in results of corrected outlines.
        candidates: portal areas that wait for a person's decision.
        adequacy: verdicts of published standards.
        plausibility: whether the slide can be H&E of liver; absent in earlier results.
        comparison: what a correction changed; absent in a model's result.
        windows: windows that were predicted.
        seconds_per_stage: wall-clock seconds.
        cpu_seconds_per_stage: seconds of all threads.
        peak_memory_mb: of the process, in 10⁶ bytes; null where the system does not say it.
        versions: of Glisson and of what decides its numbers.
    """

    FILE: ClassVar[str] = "biopsy.json"
    REPAIR: ClassVar[str] = "Segment the slide again."

    glisson: str = ""
    source: Literal["model", "edited"] = "model"
    edited: EditedRecord | None = None
    slide: SlideRecord
    model: ModelRecord
    model_result: ModelResultRecord | None = None
    settings: SettingsRecord
    settings_hash: str
    warnings: tuple[str, ...]
    biopsy: BiopsyMeasurements
    fragments: tuple[FragmentMeasurements, ...] = ()
    tracts: tuple[TractRecord, ...]
    artefacts: ArtefactsRecord | None = None
    candidates: CandidatesRecord | None = None
    adequacy: tuple[Adequacy, ...] = ()
    plausibility: PlausibilityRecord | None = None
    comparison: Comparison | None = None
    windows: NonNegativeInt | None = None
    seconds_per_stage: dict[str, float] = Field(default_factory=dict)
    cpu_seconds_per_stage: dict[str, float] = Field(default_factory=dict)
    peak_memory_mb: float | None = None
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def implausible_warning(self) -> str | None:
        """Why the slide is not plausibly H&E of liver, or None."""
        return None if self.plausibility is None else self.plausibility.warning

    @property
    def candidate_areas(self) -> tuple[CandidateRecord, ...]:
        """Return the candidates; results of earlier versions list none."""
        return () if self.candidates is None else self.candidates.areas

    def as_slide(self) -> SlideInfo:
        """Return the slide's facts; the file itself need not be there."""
        slide = self.slide
        return SlideInfo(
            slide.name,
            Path(slide.file),
            slide.format,
            Size(slide.width_l0, slide.height_l0),
            PixelSize(slide.pixel_width_um, slide.pixel_height_um),
            slide.pixel_size_source,
            slide.bounds_l0,
            (1.0,),
            synthetic=slide.synthetic,
            series=slide.series,
        )

    @classmethod
    def upgrade(cls, content: dict[str, Any]) -> dict[str, Any]:
        """Add what files from before `format_version` may lack."""
        biopsy, tracts = content.get("biopsy"), content.get("tracts")
        if isinstance(biopsy, dict):
            content = content | {"biopsy": _ABSENT_EARLIER["biopsy"] | biopsy}
        if isinstance(tracts, list):
            added = _ABSENT_EARLIER["tracts"]
            content["tracts"] = [
                added | each if isinstance(each, dict) else each for each in tracts
            ]
        return content
