"""Studies: slides with annotations, patients and institutions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from glisson.dataset.meanings import MeaningTable
from glisson.errors import AnnotationError, SettingsError
from glisson.files.csv_tables import point_decimal, read_rows, unescape_cell
from glisson.slides import SLIDE_SUFFIXES

CASES_FILE = "cases.csv"
ANNOTATIONS = ("{slide}.geojson", "{file}.geojson", "{slide}.geojson.gz", "{slide}.json")
UNKNOWN = "unknown"
UNKNOWN_PATIENT = UNKNOWN
"""Patient of tiles without patient, which no count of patients includes."""

SYNTHETIC_FILE = "SYNTHETIC.md"
SYNTHETIC = (
    "SYNTHETIC slides: what a model learned on phantoms it finds on phantoms; agreement that was "
    "built into the generator proves nothing about patients."
)
_HEAD_BYTES = 1 << 16
_FIELD = re.compile(r"\{[^{}]*\}|[{}]")
CLINICAL = "clinical"
"""Role of cases for the comparison of measurements; models are not trained or scored on them."""


class Split(StrEnum):
    """Use of a slide or tile."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class AnnotatedSlide:
    """Slide of a study.

    Attributes:
        slide: the slide file.
        annotations: its GeoJSON.
        patient: identifier; slides of one patient lie in one split.
        institution: where the slide was scanned.
        diagnosis: for strata and tables.
        role: split that the study gives the slide, or None.
        mpp: µm per level-0 pixel, if the file has none; else None.
        patient_named: whether the study names the patient; else `patient` is the slide's name.
        force: whether to accept annotations that lie beside the tissue.
    """

    slide: Path
    annotations: Path
    patient: str
    institution: str = UNKNOWN
    diagnosis: str = UNKNOWN
    role: Split | None = None
    mpp: float | None = None
    patient_named: bool = True
    force: bool = False

    @property
    def name(self) -> str:
        """Return the slide's name without its suffix."""
        return slide_name(self.slide)


@dataclass(frozen=True)
class AnnotationSettings:
    """Names and meanings of a study's annotations.

    Attributes:
        names: of the file beside a slide, in order of preference; `{slide}` stands for the
            slide's name without suffix, `{file}` for its name with suffix.
        meanings: of the annotation classes.
        force: accept annotations that lie beside the tissue, as those of a shifted copy do.
    """

    names: Sequence[str] = ANNOTATIONS
    meanings: MeaningTable = field(default_factory=MeaningTable)
    force: bool = False

    def read_study(self, path: Path) -> list[AnnotatedSlide]:
        """Read a study, as the function `read_study`, whose slides have `force`."""
        return [replace(slide, force=self.force) for slide in read_study(path, self.names)]


class _Row(BaseModel):
    """Row of cases.csv; other columns are skipped."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    slide: str = Field(min_length=1)
    patient: str = ""
    institution: str = UNKNOWN
    diagnosis: str = UNKNOWN
    role: str = ""
    annotations: str = ""
    override_mpp: Annotated[
        Annotated[float, Field(ge=0.05, le=5)] | None, BeforeValidator(point_decimal)
    ] = None

    @field_validator("role")
    @classmethod
    def _lower(cls, role: str) -> str:
        return role.casefold()


def is_synthetic(path: Path) -> bool:
    """Return whether a study or a folder of tiles declares its slides synthetic."""
    folder = path if path.is_dir() else path.parent
    return (folder / SYNTHETIC_FILE).exists()


def slide_name(path: Path) -> str:
    """Return the file name without its suffix; `.ome.tif` is one suffix."""
    return path.with_suffix("").name.removesuffix(".ome")


def read_study(path: Path, annotations: Sequence[str] = ANNOTATIONS) -> list[AnnotatedSlide]:
    """Read a study: a `cases.csv`, a folder with a `cases.csv`, or a folder of slides.

    Without a table every slide is its own patient. Rows of role `clinical` are skipped.

    Args:
        path: table or folder.
        annotations: names of the annotations beside a slide, as in `AnnotationSettings`.

    Raises:
        SettingsError: no such file; an invalid row or role; a slide twice; only clinical rows; a
            name in `annotations` with an unknown field in braces.
        AnnotationError: names the slides without annotations, or the annotations without slide.
    """
    table = path / CASES_FILE if path.is_dir() else path
    if not table.exists() and not path.is_dir():
        raise SettingsError(f"{path} does not exist. Give a folder of slides or a {CASES_FILE}.")
    if table.exists():
        slides = _pair(table.parent, _read_rows(table), annotations)
    else:
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in SLIDE_SUFFIXES)
        slides = _pair(path, [_Row(slide=file.name) for file in files], annotations)
        _check_no_orphans(path, files, annotations)
    if not slides:
        raise SettingsError(f"{path} holds no annotated slide.")
    twice = [name for name, count in Counter(s.name for s in slides).items() if count > 1]
    if twice:
        raise SettingsError(f"{path} names slides twice: {_abridge(twice)}.")
    return slides


def _read_rows(table: Path) -> list[_Row]:
    """Read the rows for models; reject unknown roles, which would lose slides silently."""
    rows = [_parse_row(row, f"{table}, line {line}") for line, row in read_rows(table)]
    unknown = sorted({row.role for row in rows} - {"", CLINICAL, *Split})
    usable = [row for row in rows if row.role in ("", *Split)]
    if unknown or (rows and not usable):
        raise SettingsError(
            f"{table}: no model can use the role {_abridge(unknown or [CLINICAL])}. Roles are "
            f"{', '.join(Split)}, {CLINICAL} (left out), or leave the column empty."
        )
    missing = [row.slide for row in usable if not (table.parent / row.slide).exists()]
    if missing:
        raise SettingsError(f"{table} names slides that are not there: {_abridge(missing)}.")
    return usable


def _parse_row(row: dict[str, str], where: str) -> _Row:
    cells = {key: unescape_cell(cell) for key, cell in row.items() if key and cell}
    try:
        return _Row.model_validate(cells)
    except ValidationError as error:
        problem = error.errors()[0]
        column = ".".join(map(str, problem["loc"]))
        raise SettingsError(f"{where}: {column}: {problem['msg']}.") from error


def _pair(folder: Path, rows: Sequence[_Row], patterns: Sequence[str]) -> list[AnnotatedSlide]:
    """Pair each slide with the first of its annotations that exists."""
    slides, bare = [], []
    for row in rows:
        slide = folder / row.slide
        names = [row.annotations] if row.annotations else patterns
        paths = [slide.parent / _fill_in(name, slide) for name in names]
        annotations = next((path for path in paths if path.exists()), None)
        if annotations is None:
            bare.append(row.slide)
            continue
        slides.append(
            AnnotatedSlide(
                slide=slide,
                annotations=annotations,
                patient=row.patient or slide_name(slide),
                institution=row.institution,
                diagnosis=row.diagnosis,
                role=Split(row.role) if row.role else None,
                mpp=row.override_mpp,
                patient_named=bool(row.patient),
            )
        )
    if bare:
        raise AnnotationError(
            f"{len(bare)} slides without annotation: {_abridge(bare)}. Looked for "
            f"{' or '.join(patterns)} beside each; export it from QuPath, name its file in the "
            "column 'annotations', or leave the slide out."
        )
    return slides


def _fill_in(name: str, slide: Path) -> str:
    """Replace `{slide}` and `{file}`; `str.format` would also read attributes of objects."""
    fields = _FIELD.findall(name)
    if set(fields) - {"{slide}", "{file}"} or "\0" in name:
        raise SettingsError(
            f"The annotations' name '{name}' has a field that does not exist. In braces may stand "
            f"{{slide}} ({slide_name(slide)}) and {{file}} ({slide.name})."
        )
    values = {"{slide}": slide_name(slide), "{file}": slide.name}
    return _FIELD.sub(lambda field: values[field[0]], name)


def _check_no_orphans(folder: Path, slides: Sequence[Path], patterns: Sequence[str]) -> None:
    """Reject annotations without a slide, whose name may be misspelt."""
    ends = tuple(pattern.replace("{slide}", "").replace("{file}", "") for pattern in patterns)
    owners = tuple(f"{slide_name(path)}." for path in slides)
    orphans = [
        path.name
        for path in sorted(folder.iterdir())
        if path.name.endswith(ends) and not path.name.startswith((*owners, "."))
        if _is_annotation(path)
    ]
    if orphans:
        raise AnnotationError(
            f"Annotations without a slide: {_abridge(orphans)}. Name each as its slide, or move "
            "it away."
        )


def _is_annotation(path: Path) -> bool:
    """Return whether a file holds annotations; only `.json` files must be opened to tell."""
    if path.suffix != ".json":
        return True
    try:
        with path.open("rb") as file:
            return b'"Feature' in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _abridge(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
