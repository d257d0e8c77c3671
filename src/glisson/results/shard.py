"""Parts of a run for job arrays, and the run put together again."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from glisson.errors import SettingsError
from glisson.results.folder import read_json

FOLDER = "shards"

_MOST_NAMED = 20
_MOST_DIFFERENCES = 3
_SHORT = 40
"""Characters of a value that is told in an error: hashes and the model's story have more."""

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

    def as_record(self, names: Sequence[str]) -> dict[str, Any]:
        """Which part it is, and of what: the names of all slides of the run, in order."""
        listed = json.dumps(list(names)).encode()
        return {
            "number": self.number,
            "count": self.count,
            "run_slides_total": len(names),
            "run_slides_sha256": hashlib.sha256(listed).hexdigest(),
        }


def read_shards(out: Path, named: object = None) -> list[dict[str, Any]]:
    """What every shard of a run wrote, in order.

    Args:
        out: the folder of the run.
        named: what errors call it; the same if left out.

    Raises:
        SettingsError: there are none, some are missing, they are of different runs, or do not
            hold every slide once.
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


_Number = Annotated[int, Field(strict=True)]


class _Part(BaseModel):
    """Which part of what; older versions did not say of what."""

    number: _Number
    count: Annotated[_Number, Field(ge=1, le=999_999)]
    run_slides_total: Annotated[_Number, Field(ge=1, le=999_999_999)] | None = None
    run_slides_sha256: str | None = None


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
    number: _Number
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
    _check_all_ended(out, shards)
    _check_alike(out, shards)
    _check_no_slide_twice(out, shards)
    for each in shards:
        _check_has_its_slides(out, each)


def _check_all_ended(out: object, shards: Sequence[dict[str, Any]]) -> None:
    counts = {each["shard"]["count"] for each in shards}
    if len(counts) > 1:
        several = ", ".join(map(str, sorted(counts)))
        raise SettingsError(
            f"{out}/{FOLDER} holds parts of runs of {several} shards. Delete those of the older."
        )
    missing = set(range(1, counts.pop() + 1)) - {each["shard"]["number"] for each in shards}
    if missing:
        raise SettingsError(
            f"{out}: {len(missing)} shard(s) have not been run: {_listed(sorted(missing))}."
        )
    stopped = [each["shard"]["number"] for each in shards if each["status"] != "finished"]
    if stopped:
        raise SettingsError(f"{out}: shard(s) {_listed(stopped)} were interrupted. Run them again.")


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:_MOST_NAMED]))


def _check_alike(out: object, shards: Sequence[dict[str, Any]]) -> None:
    first, *others = shards
    found = {each["shard"]["number"]: _differences(first, each) for each in others}
    differing = [number for number, what in found.items() if what]
    if differing:
        what = list(dict.fromkeys(each for number in differing for each in found[number]))
        raise SettingsError(
            f"{out}: shard(s) {_listed(differing)} differ from shard {first['shard']['number']} in "
            f"{', '.join(what[:_MOST_DIFFERENCES])}. Run again whichever is wrong, with the same "
            "slides and options as the others."
        )


def _differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In what two shards differ, as far as both say it."""
    first, second = _same_in_all(one), _same_in_all(other)
    return [
        _difference(what, first[what], second[what])
        for what in first
        if what in second and first[what] != second[what]
    ]


def _same_in_all(summary: dict[str, Any]) -> dict[str, Any]:
    """What all shards of a run have alike, by what errors call it."""
    part = summary["shard"]
    slides = {
        "the number of slides": part.get("run_slides_total"),
        "the list of slides": part.get("run_slides_sha256"),
    }
    facts = {what: value for what, value in slides.items() if value is not None}
    facts["--pseudonyms"] = summary["pseudonyms"]
    facts |= {f"the setting {name}": value for name, value in summary["settings"].items()}
    return facts | {f"the model's {name}": value for name, value in summary["model"].items()}


def _difference(what: str, one: object, other: object) -> str:
    is_short = max(len(str(one)), len(str(other))) <= _SHORT
    return f"{what} ({other}, not {one})" if is_short else what


def _check_no_slide_twice(out: object, shards: Sequence[dict[str, Any]]) -> None:
    held_by: dict[str, list[int]] = defaultdict(list)
    for each in shards:
        for entry in each["slides"]:
            held_by[entry["name"].casefold()].append(each["shard"]["number"])
    for name, numbers in held_by.items():
        if len(numbers) > 1:
            raise SettingsError(
                f"{out}: the slide {name} is listed {len(numbers)} times, by shard(s) "
                f"{_listed(sorted(set(numbers)))}: they were not given the same slides. Run every "
                "shard again with the same slides and options; what is done stays."
            )


def _check_has_its_slides(out: object, summary: dict[str, Any]) -> None:
    part = summary["shard"]
    if part.get("run_slides_total") is None:
        return
    own = Shard(part["number"], part["count"]).of(range(1, part["run_slides_total"] + 1))
    numbers = [entry["number"] for entry in summary["slides"]]
    if len(numbers) != len(own) or numbers != list(own):
        raise SettingsError(
            f"{out}: shard {part['number']} does not list its {len(own)} slide(s), each once. Run "
            "it again with the same slides and options."
        )
