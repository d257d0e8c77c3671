"""Parts of a run for job arrays, and the run put together again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from glisson.errors import SettingsError
from glisson.run.folder import read_json

FOLDER = "shards"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """One of several parts of a run: `number` counts from 1."""

    number: int
    count: int

    def __post_init__(self) -> None:
        """Refuse parts that are none."""
        if not 1 <= self.number <= self.count:
            raise SettingsError(
                f"Shard {self.number}/{self.count}: give 1/{self.count} to "
                f"{self.count}/{self.count}."
            )

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From `2/8`."""
        match = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
        if match is None:
            raise SettingsError(f"--shard is '{text}'; give it as 2/8, the second of eight parts.")
        return cls(int(match[1]), int(match[2]))

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Every `count`-th item, so that large slides that lie together are dealt out."""
        return items[self.number - 1 :: self.count]

    def summary_path(self, out: Path) -> Path:
        """Where its part of `run.json` goes."""
        width = len(str(self.count))
        return out / FOLDER / f"run-{self.number:0{width}d}-of-{self.count}.json"


def read_shards(out: Path, named: object = None) -> list[dict[str, Any]]:
    """What every shard of a run wrote, in order.

    Args:
        out: the folder of the run.
        named: what errors call it; the same if left out.

    Raises:
        SettingsError: there are none, some are missing, or they are of different runs.
    """
    named = out if named is None else named
    paths = sorted((out / FOLDER).glob("run-*-of-*.json"))
    if not paths:
        raise SettingsError(
            f"{named} holds no shards. Run `glisson segment ... -o {named} --shard 1/N` to N/N "
            "first."
        )
    found = sorted(map(_read, paths), key=lambda each: each["shard"]["number"])
    _check_whole(named, found)
    return found


class _Part(BaseModel):
    number: int
    count: Annotated[int, Field(ge=1, le=999_999)]


class RunModel(BaseModel):
    """What a run says of its model."""

    name: str
    version: str
    trained_on: str


def _stays(name: str) -> str:
    if name in (".", ".."):
        raise ValueError("leads elsewhere")
    return name


FolderName = Annotated[str, Field(pattern=r"^[^/\\\x00]+$"), AfterValidator(_stays)]
"""A slide's name in a summary: that of a folder beside the others, not elsewhere."""


class _Entry(BaseModel):
    """A slide of a shard."""

    name: FolderName
    path: str | None
    number: int
    outcome: str
    because: str | None
    error: str | None
    patient: str | None
    institution: str | None


class _Summary(BaseModel):
    """What is used of a shard's summary."""

    status: str
    started: datetime
    shard: _Part
    model: RunModel
    settings: dict[str, Any]
    slides_total: int
    slides: list[_Entry]
    pseudonyms: bool


def _read(path: Path) -> dict[str, Any]:
    """A shard's summary, which somebody may have changed or cut short."""
    try:
        summary = read_json(path)
        _Summary.model_validate(summary)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}. Run its shard again.") from error
    return summary


def _check_whole(out: object, shards: Sequence[dict[str, Any]]) -> None:
    counts = {each["shard"]["count"] for each in shards}
    if len(counts) > 1:
        several = ", ".join(map(str, sorted(counts)))
        raise SettingsError(
            f"{out}/{FOLDER} holds parts of runs of {several} shards. Delete those of the older."
        )
    missing = set(range(1, counts.pop() + 1)) - {each["shard"]["number"] for each in shards}
    if missing:
        numbers = ", ".join(map(str, sorted(missing)[:20]))
        raise SettingsError(f"{out}: {len(missing)} shard(s) have not been run: {numbers}.")
    stopped = [each["shard"]["number"] for each in shards if each["status"] != "finished"]
    if stopped:
        numbers = ", ".join(map(str, stopped[:20]))
        raise SettingsError(f"{out}: shard(s) {numbers} were interrupted. Run them again.")
    if len({each["pseudonyms"] for each in shards}) > 1:
        raise SettingsError(
            f"{out}: some of the shards were run with --pseudonyms, others without."
        )
    if len({(each["model"]["name"], each["model"]["version"]) for each in shards}) > 1:
        raise SettingsError(f"{out}: the shards were run with different models.")
