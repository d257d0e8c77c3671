"""The state of a results folder: which slides it holds, done or without a result.

The slides' own folders are the only state. Tables, report, QuPath project and `run.json` are made
from what this module reads, by `glisson.results.summary`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from glisson.errors import ResultError, SettingsError
from glisson.files.json_files import read_json
from glisson.record import BiopsyRecord, ModelRecord, SettingsRecord
from glisson.results.folder import (
    BIOPSY,
    FAILED,
    INCOMPLETE,
    SlideRequest,
    read_manifest,
    refuse_links,
)
from glisson.results.identity import hash_json
from glisson.results.reading import is_set_aside

_OF_THE_SLIDE = ("mpp", "series", "sections")
"""Settings that describe a slide rather than how it is measured: they may differ by slide."""
_MOST_DIFFERENCES = 3
_SHORT = 40
"""Characters up to which an error shows a value; hashes and a model's story have more."""

Method = Mapping[str, Any]
"""All that must be alike in slides of one table, by the words that messages use."""


class _Failure(BaseModel):
    """The content of a `failed.json`, which may have been edited."""

    status: Literal["failed", "waiting"]
    error: str
    when: datetime
    request: SlideRequest


class _Done(BaseModel):
    """The keys of a `manifest.json` that tables need; those of earlier versions lack them."""

    started: datetime | None = None
    ended: datetime | None = None
    because: str | None = None
    request: SlideRequest | None = None


class _Named(BaseModel):
    """Whether a slide has a pseudonym."""

    pseudonyms: bool = False


class ResultBasis(BaseModel):
    """The keys of a `biopsy.json` that tell how it was made; the others are many, and not read."""

    source: str = "model"
    slide: _Named
    model: ModelRecord
    settings: SettingsRecord
    versions: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class SlideState:
    """One slide of a results folder.

    Attributes:
        name: of the slide's folder.
        folder: where its results are.
        request: the slide as the newest run was given it.
        record: the content of `biopsy.json`; None without a result.
        error: why there is no result, or None.
        is_waiting: whether a run still has to do the slide.
        because: why earlier results were replaced, or None.
        started: when the work began, or None where that is not known.
        ended: when it ended, likewise.
    """

    name: str
    folder: Path
    request: SlideRequest
    record: BiopsyRecord | None = None
    error: str | None = None
    is_waiting: bool = False
    because: str | None = None
    started: datetime | None = None
    ended: datetime | None = None

    @cached_property
    def method(self) -> Method:
        """Return what the slides of a table must have alike; empty without a result."""
        return {} if self.record is None else find_method(self.record)


def read_states(out: Path) -> list[SlideState]:
    """Read the slides of a results folder, sorted by name.

    Corrected results and results that were set aside are no slides of their own.
    """
    names = (path.name for path in out.iterdir() if path.is_dir() and path.name[:1] != ".")
    found = (_read_state(out / name) for name in sorted(names, key=lambda n: (n.casefold(), n)))
    return [state for state in found if state is not None]


def _read_state(folder: Path) -> SlideState | None:
    """Read one folder; return None where it is not that of a slide of this results folder."""
    if is_set_aside(folder):
        return None
    try:
        refuse_links(folder)
    except ResultError as error:
        return _blame(folder, str(error))
    return _read_own_state(folder)


def _read_own_state(folder: Path) -> SlideState | None:
    manifest = read_manifest(folder)
    try:
        has_failed = (folder / FAILED).is_file()
        failure = _Failure.model_validate(read_json(folder / FAILED)) if has_failed else None
    except (OSError, ValueError) as error:
        return _blame(folder, f"{folder / FAILED} cannot be read: {error}. Run the slide again.")
    if failure is not None and (failure.status == "failed" or manifest is None):
        return SlideState(
            folder.name,
            folder,
            failure.request,
            error=failure.error,
            is_waiting=failure.status == "waiting",
            ended=failure.when,
        )
    if not (folder / BIOPSY).is_file():
        return None
    if manifest is None:
        return _blame(folder, f"{folder.name}: {INCOMPLETE}. Run the slide again.")
    try:
        record = BiopsyRecord.read(folder)
    except ResultError as error:
        return _blame(folder, str(error))
    if record.source == "edited":
        return None
    done = _Done()
    with suppress(ValidationError):
        done = _Done.model_validate(manifest)
    request = done.request or SlideRequest(record.slide.file, pseudonyms=record.slide.pseudonyms)
    facts = done.model_dump(exclude={"request"})
    return SlideState(folder.name, folder, request, record, **facts)


def _blame(folder: Path, error: str) -> SlideState:
    """Return the state of a slide that has to be done because its files cannot be used."""
    return SlideState(folder.name, folder, SlideRequest(folder.name), error=error, is_waiting=True)


def make_method(model: ModelRecord, settings: SettingsRecord, version: str | None) -> Method:
    """Return what decides a slide's numbers beside the slide: settings, model and version.

    Args:
        model: of the result.
        settings: of the result.
        version: of Glisson.
    """
    method: dict[str, Any] = {"the version of Glisson": version}
    method |= {
        f"the setting {key}": value
        for key, value in settings.content().items()
        if key not in _OF_THE_SLIDE
    }
    method |= {f"the model's {k}": v for k, v in model.content().items() if k != "runtime"}
    return method


def find_method(record: BiopsyRecord | ResultBasis) -> Method:
    """Return what decided a record's numbers, as `make_method`."""
    return make_method(record.model, record.settings, record.versions.get("glisson"))


def parse_bases(records: Mapping[str, dict[str, Any]]) -> dict[str, ResultBasis]:
    """Parse how slides were measured; leave out JSON objects that are no results of a model."""
    found: dict[str, ResultBasis] = {}
    for name, content in records.items():
        with suppress(ValidationError):
            found[name] = ResultBasis.model_validate(content)
    return {name: basis for name, basis in found.items() if basis.source == "model"}


def hash_method(method: Method) -> str:
    """Return eight digits of a hash that differ where the method does."""
    return hash_json(dict(method))[:8]


def describe_differences(method: Method, others: Iterable[Method]) -> str:
    """Name in what other slides differ from a method, at most three things."""
    found: dict[str, None] = {}
    for other in others:
        for what in {**method, **other}:
            ours, theirs = method.get(what), other.get(what)
            if ours != theirs:
                is_short = max(len(str(ours)), len(str(theirs))) <= _SHORT
                found[f"{what} ({theirs}, not {ours})" if is_short else what] = None
    return ", ".join(list(found)[:_MOST_DIFFERENCES])


def check_alike(
    out: object, method: Method, others: Mapping[str, Method], advice: str, keep_old: bool
) -> None:
    """Reject slides that were measured in another way, unless they are to be kept.

    Args:
        out: the results folder, as errors call it.
        method: of the slides that decide.
        others: methods of other slides, by name.
        advice: what to do instead of keeping them.
        keep_old: whether the user wants to keep them.

    Raises:
        SettingsError: names how many differ, and in what.
    """
    differing = {name: other for name, other in others.items() if other != method}
    if not differing or keep_old:
        return
    raise SettingsError(
        f"{out} holds {len(differing)} slide(s) ({_join(sorted(differing))}) that differ in "
        f"{describe_differences(method, differing.values())}. One table must not mix them. "
        f"{advice} --keep-old keeps them beside the others, with a column that tells them apart."
    )


def find_common_method(states: Sequence[SlideState]) -> Method | None:
    """Return the method of most slides, of two as frequent the newer; None without results."""
    done = sorted((each for each in states if each.record), key=lambda each: str(each.ended or ""))
    if not done:
        return None
    counts = Counter(hash_method(each.method) for each in done)
    newest = {hash_method(each.method): each.method for each in done}
    order = list(newest)
    chosen = max(order, key=lambda known: (counts[known], order.index(known)))
    return newest[chosen]


def list_warnings(states: Sequence[SlideState]) -> tuple[str, ...]:
    """Say which slides of a folder are not done, and which were measured in another way."""
    found = []
    waiting = [each.name for each in states if each.is_waiting]
    if waiting:
        found.append(
            f"{len(waiting)} slide(s) are not done yet: {_join(waiting)}. Run the same command "
            "again; finished slides stay."
        )
    method = find_common_method(states)
    differing = [each for each in states if each.record and each.method != method]
    if method is not None and differing:
        found.append(
            f"{len(differing)} of {sum(bool(each.record) for each in states)} slides differ in "
            f"{describe_differences(method, (each.method for each in differing))}: "
            f"{_join([each.name for each in differing])}. The column `settings` of the tables "
            "tells them apart; their numbers must not be compared as they are."
        )
    return tuple(found)


def _join(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
