"""The slides of a study with their annotations, patients and institutions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from glisson.dataset.meanings import MeaningTable
from glisson.errors import AnnotationError, SettingsError
from glisson.files.csv_tables import read_rows, unescape_cell
from glisson.slides import SLIDE_ENDINGS

CASES_FILE = "cases.csv"
ANNOTATIONS = ("{slide}.geojson", "{file}.geojson", "{slide}.geojson.gz", "{slide}.json")
UNKNOWN = "unknown"
UNKNOWN_PATIENT = UNKNOWN
"""Patient of tiles that name none: they cannot be counted by patient."""

SYNTHETIC_FILE = "SYNTHETIC.md"
SYNTHETIC = (
    "SYNTHETIC slides: what a model learned on phantoms it finds on phantoms; agreement that was "
    "built into the generator proves nothing about patients."
)
_HEAD_BYTES = 1 << 16
_FIELD = re.compile(r"\{[^{}]*\}|[{}]")
CLINICAL = "clinical"
"""Role of cases that measurements are compared on, and that no model is trained or scored on."""


class Split(StrEnum):
    """What a slide or a tile is used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class AnnotatedSlide:
    """One slide of a study.

    Attributes:
        slide: the slide file.
        annotations: its GeoJSON.
        patient: who it is from; slides of one patient stay in one split.
        institution: where it was scanned.
        diagnosis: for stratification and tables.
        role: split that the study itself gives it, or None.
        mpp: µm per level-0 pixel where the file has none, or None.
        patient_named: whether the study names the patient; else the slide's name stands for it.
    """

    slide: Path
    annotations: Path
    patient: str
    institution: str = UNKNOWN
    diagnosis: str = UNKNOWN
    role: Split | None = None
    mpp: float | None = None
    patient_named: bool = True

    @property
    def name(self) -> str:
        """The slide's name without its suffix."""
        return slide_name(self.slide)


@dataclass(frozen=True)
class AnnotationSettings:
    """Where a study's annotations are, and what they mean.

    Attributes:
        names: of the file beside a slide, in order of preference; `{slide}` stands for the
            slide's name without suffix, `{file}` for its name with suffix.
        meanings: of the annotation classes.
    """

    names: Sequence[str] = ANNOTATIONS
    meanings: MeaningTable = field(default_factory=MeaningTable)


class _Row(BaseModel):
    """One line of cases.csv; further columns are for others."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    slide: str = Field(min_length=1)
    patient: str = ""
    institution: str = UNKNOWN
    diagnosis: str = UNKNOWN
    role: str = ""
    annotations: str = ""
    override_mpp: float | None = Field(default=None, ge=0.05, le=5)

    @field_validator("role")
    @classmethod
    def _lower(cls, role: str) -> str:
        return role.casefold()


def is_synthetic(path: Path) -> bool:
    """Whether a study, or a folder of tiles, says that its slides are synthetic."""
    folder = path if path.is_dir() else path.parent
    return (folder / SYNTHETIC_FILE).exists()


def slide_name(path: Path) -> str:
    """File name without its suffix, `.ome.tif` in one piece."""
    return path.with_suffix("").name.removesuffix(".ome")


def read_study(path: Path, annotations: Sequence[str] = ANNOTATIONS) -> list[AnnotatedSlide]:
    """Read a study: a `cases.csv`, or a folder that holds one, or a folder of slides.

    Without a table every slide is its own patient. Rows of role `clinical` are left out.

    Args:
        path: table or folder.
        annotations: names to look for beside a slide, first found first taken; `{slide}` stands
            for the slide's name without suffix, `{file}` for the whole of it.

    Raises:
        SettingsError: no such file, a row that does not parse, a slide twice, an unknown role, no
            row that is not clinical, or a name in `annotations` with another field in braces.
        AnnotationError: slides without annotation, or annotations without slide; all are named.
    """
    table = path / CASES_FILE if path.is_dir() else path
    if not table.exists() and not path.is_dir():
        raise SettingsError(f"{path} does not exist. Give a folder of slides or a {CASES_FILE}.")
    slides = _from_table(table, annotations) if table.exists() else _from_folder(path, annotations)
    if not slides:
        raise SettingsError(f"{path} holds no annotated slide.")
    _check_unique(slides, path)
    return slides


def _from_table(table: Path, annotations: Sequence[str]) -> list[AnnotatedSlide]:
    wanted = _wanted(_rows(table), table)
    missing = [row.slide for row in wanted if not (table.parent / row.slide).exists()]
    if missing:
        raise SettingsError(f"{table} names slides that are not there: {_some(missing)}.")
    found = [(row, _annotations_of(table.parent / row.slide, row, annotations)) for row in wanted]
    bare = [row.slide for row, file in found if file is None]
    if bare:
        raise AnnotationError(_without(bare, annotations))
    return [_annotated(table.parent, row, file) for row, file in found if file is not None]


def _rows(table: Path) -> list[_Row]:
    return [_parsed(row, f"{table}, line {line}") for line, row in read_rows(table)]


def _wanted(rows: list[_Row], table: Path) -> list[_Row]:
    """Rows for models; a role that nobody knows is a slip that would lose slides silently."""
    strange = sorted({row.role for row in rows} - {"", CLINICAL, *Split})
    wanted = [row for row in rows if row.role in ("", *Split)]
    if strange or (rows and not wanted):
        raise SettingsError(
            f"{table}: no model can use the role {_some(strange or [CLINICAL])}. Roles are "
            f"{', '.join(Split)}, {CLINICAL} (left out), or leave the column empty."
        )
    return wanted


def _parsed(row: dict[str, str], where: str) -> _Row:
    told = {key: unescape_cell(cell) for key, cell in row.items() if key and cell}
    try:
        return _Row.model_validate(told)
    except ValidationError as error:
        problem = error.errors()[0]
        raise SettingsError(f"{where}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}.") \
            from error  # fmt: skip


def _annotated(folder: Path, row: _Row, annotations: Path) -> AnnotatedSlide:
    slide = folder / row.slide
    return AnnotatedSlide(
        slide=slide,
        annotations=annotations,
        patient=row.patient or slide_name(slide),
        institution=row.institution,
        diagnosis=row.diagnosis,
        role=Split(row.role) if row.role else None,
        mpp=row.override_mpp,
        patient_named=bool(row.patient),
    )


def _annotations_of(slide: Path, row: _Row, patterns: Sequence[str]) -> Path | None:
    names = [row.annotations] if row.annotations else list(patterns)
    paths = [slide.parent / _filled(name, slide) for name in names]
    return next((path for path in paths if path.exists()), None)


def _filled(name: str, slide: Path) -> str:
    """The name with `{slide}` and `{file}` filled in; a format of their own could be a trap."""
    fields = _FIELD.findall(name)
    if set(fields) - {"{slide}", "{file}"} or "\0" in name:
        raise SettingsError(
            f"The annotations' name '{name}' has a field that does not exist. In braces may stand "
            f"{{slide}} ({slide_name(slide)}) and {{file}} ({slide.name})."
        )
    values = {"{slide}": slide_name(slide), "{file}": slide.name}
    return _FIELD.sub(lambda field: values[field[0]], name)


def _from_folder(folder: Path, patterns: Sequence[str]) -> list[AnnotatedSlide]:
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SLIDE_ENDINGS)
    rows = [_Row(slide=path.name) for path in paths]
    found = {row: _annotations_of(folder / row.slide, row, patterns) for row in rows}
    bare = [row.slide for row, file in found.items() if file is None]
    if bare:
        raise AnnotationError(_without(bare, patterns))
    _check_no_idle(folder, paths, patterns)
    return [_annotated(folder, row, file) for row, file in found.items() if file is not None]


def _check_no_idle(folder: Path, slides: Sequence[Path], patterns: Sequence[str]) -> None:
    """Refuse annotations of no slide, for a slide may be misspelt."""
    ends = tuple(pattern.replace("{slide}", "").replace("{file}", "") for pattern in patterns)
    owners = tuple(f"{slide_name(path)}." for path in slides)
    idle = [
        path.name
        for path in sorted(folder.iterdir())
        if path.name.endswith(ends) and not path.name.startswith((*owners, "."))
        if _is_annotation(path)
    ]
    if idle:
        raise AnnotationError(
            f"Annotations without a slide: {_some(idle)}. Name each as its slide, or move it away."
        )


def _is_annotation(path: Path) -> bool:
    """Whether a file is one by its name, or, as any program writes .json, by how it begins."""
    if path.suffix != ".json":
        return True
    try:
        with path.open("rb") as file:
            return b'"Feature' in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _check_unique(slides: list[AnnotatedSlide], path: Path) -> None:
    twice = [name for name, count in Counter(s.name for s in slides).items() if count > 1]
    if twice:
        raise SettingsError(f"{path} names slides twice: {_some(twice)}.")


def _without(slides: list[str], patterns: Sequence[str]) -> str:
    return (
        f"{len(slides)} slides without annotation: {_some(slides)}. Looked for "
        f"{' or '.join(patterns)} beside each; export it from QuPath, name its file in the column "
        "'annotations', or leave the slide out."
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
