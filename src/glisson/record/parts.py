"""What both records are made of: how they are written and read, model and settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from glisson.errors import ResultError
from glisson.files.json_files import parse_json, write_json
from glisson.model.spec import TractEvidence, Windows

FORMAT_VERSION = 1
_MOST_PROBLEMS = 3


class Part(BaseModel):
    """A JSON object of a record.

    A key with a default may be absent from a file, and is written only where it was given.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    @model_serializer(mode="wrap")
    def _without_absent(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        given = self.model_fields_set | {"format_version"}
        return {key: value for key, value in write(self).items() if key in given}

    def content(self) -> dict[str, Any]:
        """Return the JSON object."""
        return self.model_dump()


class Record(Part):
    """A file of results."""

    FILE: ClassVar[str]
    """The file's name."""
    REPAIR: ClassVar[str]
    """Advice of an error where the file cannot be used."""

    format_version: Annotated[int, Field(ge=1, le=FORMAT_VERSION)] = FORMAT_VERSION

    def write(self, folder: Path) -> None:
        """Write the record into a folder, atomically.

        Raises:
            OutputError: it cannot be written.
        """
        write_json(folder / self.FILE, self.content())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the record of a folder.

        Raises:
            ResultError: as `parse`, or the file cannot be read.
        """
        path = folder / cls.FILE
        try:
            data = path.read_bytes()
        except OSError as error:
            why = error.strerror or error
            raise ResultError(f"{path} cannot be read: {why}. {cls.REPAIR}") from error
        return cls.parse(data, path)

    @classmethod
    def parse(cls, data: bytes, path: object) -> Self:
        """Read the record from a file's bytes.

        Args:
            data: JSON.
            path: of the file, for errors.

        Raises:
            ResultError: it is no JSON object, a newer Glisson wrote it, or a key is missing or
                has an invalid value.
        """
        try:
            content = parse_json(data)
        except ValueError as error:
            raise ResultError(f"{path} is invalid: {error}. {cls.REPAIR}") from error
        return cls.of_content(content, path)

    @classmethod
    def of_content(cls, content: dict[str, Any], path: object) -> Self:
        """Read the record from a JSON object, as `parse`."""
        version = content.get("format_version", FORMAT_VERSION)
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise ResultError(
                f"{path} was written by a newer Glisson: its format_version is {version}, and this "
                f"one reads up to {FORMAT_VERSION}. Update Glisson."
            )
        if "format_version" not in content:
            content = cls.upgrade(content)
        try:
            return cls.model_validate_json(json.dumps(content), strict=True)
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}"
                for each in error.errors()
            ]
            more = len(problems) - _MOST_PROBLEMS
            why = "; ".join(problems[:_MOST_PROBLEMS]) + (f" and {more} more" if more > 0 else "")
            raise ResultError(f"{path} is invalid: {why}. {cls.REPAIR}") from error

    @classmethod
    def upgrade(cls, content: dict[str, Any]) -> dict[str, Any]:
        """Add what files from before `format_version` may lack."""
        return content


class ModelRecord(Part):
    """The model of a result.

    Attributes:
        name: of the bundle.
        version: of the bundle.
        min_tract_probability: portal areas of a lower mean probability are no tracts.
        tract_evidence: what else makes a portal area a tract.
        windows: how whole slides are cut, where the bundle says it.
        files_sha256: of every file of the bundle.
        trained_on: the training data, in words.
        intended_use: in words.
        runtime: what ran it.
    """

    name: str
    version: str
    min_tract_probability: float | None = None
    tract_evidence: TractEvidence | None = None
    windows: Windows | None = None
    files_sha256: dict[str, str] = Field(default_factory=dict)
    trained_on: str = ""
    intended_use: str = ""
    runtime: str | None = None

    def without_runtime(self) -> ModelRecord:
        """Return the record without what ran the model."""
        kept = self.model_fields_set - {"runtime"}
        return ModelRecord(**{key: getattr(self, key) for key in kept})

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


class SettingsRecord(Part):
    """The settings that decide a result (`RunSettings`).

    Attributes:
        mpp: level-0 µm/px given for the slide; null for that of the file.
        series: number of the image given for a file of several; null for the only scan.
        overlap: of neighbouring windows, 0 to 0.75; null for that of the model.
        min_tract_area_um2: smaller portal areas are no tracts.
        interface_width_um: of the band of lobule round tracts.
        sections: of the same cores on the slide, as given; null to find out.
        precision: arithmetic of the model.
        runtime: as asked for.
    """

    mpp: float | None = None
    series: Annotated[int, Field(ge=0)] | None = None
    overlap: float | None = None
    min_tract_area_um2: Annotated[float, Field(ge=0)]
    interface_width_um: Annotated[float, Field(ge=0, le=500)] | None = None
    sections: Annotated[int, Field(ge=1, le=100)] | None = None
    precision: str | None = None
    runtime: str | None = None
