"""Where a run's results are: a folder here, or one on a store with a working copy here.

A store has no rename. A slide's new results are made here and written there file by file: first its
old manifest goes, its new one comes last, and between the two it is not done. A folder that holds
no manifest but the mark of an upload is what a killed run left, and is written over.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glisson.errors import NotStored, OutputError, StorageError
from glisson.files.atomic import make_temporary_prefix, remove_abandoned
from glisson.results.folder import (
    BIOPSY,
    FAILED,
    MANIFEST,
    SlideRequest,
    prepare_output,
    read_json,
    update_request,
    write_failure,
)
from glisson.storage import (
    Place,
    Stored,
    Url,
    all_files_in,
    bring,
    cache_folder,
    files_and_folders_in,
    put,
    remove,
    write,
)
from glisson.storage.folders import small_files

RUN = "run.json"
FAILURES = "failures.csv"
WAITING = "Not done yet: no run has reached this slide."

_MARK = ".unfinished"
_PROBE = ".glisson"
_QUPATH = "qupath"
_QUPATH_DATA = "data"
_EDITED = ".edited"
_SET_ASIDE = re.compile(r"\.edited-\d+")
_NOT_OF_A_SLIDE = re.compile(r"(.*)\.edited(-\d+)?")
"""Corrected results, and results set aside, where the folder of the first part is there too."""


class Results:
    """A run's results in a folder of this machine.

    Attributes:
        here: the folder.
        place: the same; on a store, where the results go.
    """

    def __init__(self, here: Path, place: Place | None = None) -> None:
        self.here = here
        self.place = here if place is None else place

    def other_records(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Read the `biopsy.json` of slides that have results and are not among the named."""
        others = _others([path.name for path in self.here.iterdir() if path.is_dir()], names)
        return records_at(self.place, others)

    def list_waiting(self, requests: Mapping[str, SlideRequest]) -> None:
        """Note slides that have neither a result nor a failure as not done yet."""
        for name, request in requests.items():
            if not (self.here / name).exists():
                write_failure(self.here / name, request, WAITING, waits=True)

    def put_failure(self, name: str, request: SlideRequest, error: str) -> None:
        """Write why a slide has no result."""
        write_failure(self.here / name, request, error)

    def confirm(self, name: str, request: SlideRequest) -> None:
        """Note that a slide's earlier results hold for what the newest run was given."""
        update_request(self.here / name, request)
        (self.here / name / FAILED).unlink(missing_ok=True)

    def bring_all(self) -> None:
        """Copy every slide's results to `here`: they are there."""

    def put_run(self) -> None:
        """Copy the files of the whole folder to `place`: they are there."""


@contextmanager
def results_at(place: Place, cache: Path | None = None) -> Iterator[Results]:
    """A run's results where they were asked for, proven to be writable.

    Args:
        place: a folder, or its address on a store.
        cache: the folder for what is kept here of a store, where a working copy is made.

    Raises:
        OutputError: it cannot be written to.
    """
    if isinstance(place, Path):
        prepare_output(place)
        yield Results(place)
        return
    with _new_folder(cache_folder(cache) / "results") as here:
        results = StoredResults(here, place)
        results.check()
        yield results


def records_at(place: Place, names: Sequence[str], file: str = BIOPSY) -> dict[str, dict[str, Any]]:
    """Read a JSON file of the named slides' folders, by name; look into no other folder.

    Files that cannot be read are left out.

    Raises:
        OutputError: the store does not answer, or refuses.
    """
    if isinstance(place, Url):
        return _records_on_store(place, names, file)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        with suppress(OSError, ValueError):  # mostly, that there is none
            found[name] = read_json(place / name / file)
    return found


def _records_on_store(url: Url, names: Sequence[str], file: str) -> dict[str, dict[str, Any]]:
    with _as_output(url):
        there = {each.url.name for each in _entries(url) if each.is_folder}
        wanted = [name for name in names if name in there]
        contents = small_files([url / name / file for name in wanted])
    found: dict[str, dict[str, Any]] = {}
    for name, content in zip(wanted, contents, strict=True):
        with suppress(ValueError, RecursionError):
            record = json.loads(content or b"")
            found |= {name: record} if isinstance(record, dict) else {}
    return found


@contextmanager
def working_copy(here: Path, place: Url, cache: Path | None) -> Iterator[StoredResults]:
    """The run's working copy of results on a store; on another machine, one for a single slide."""
    if here.is_dir():
        yield StoredResults(here, place)
        return
    with _new_folder(cache_folder(cache) / "results") as folder:
        yield StoredResults(folder, place)


class StoredResults(Results):
    """A run's results on a store, with a working copy of what is needed of them.

    Every method raises OutputError where the store cannot be read or written.
    """

    def __init__(self, here: Path, place: Url) -> None:
        super().__init__(here, place)
        self._url = place

    def check(self) -> None:
        """Prove that the store can be written to, and what is there be removed."""
        with _as_output(self._url):
            write(self._empty_file(), self._url / _PROBE)
            remove(self._url / _PROBE)

    def bring_slide(self, name: str) -> None:
        """Have a slide's results here as they are on the store, whatever was here."""
        if (self.here / name).exists():  # of a try that was lost before they were stored
            shutil.rmtree(self.here / name)
        folder = self._url / name
        with _as_output(folder):
            there = {_below(each, folder): each for each in all_files_in(folder)}
            if MANIFEST not in there and _MARK in there:
                return
            there.pop(_MARK, None)
            bring((stored, self.here / name / path) for path, stored in there.items())

    def bring_all(self) -> None:
        """Copy every slide's results, corrected ones, and the QuPath project to `here`."""
        with _as_output(self._url):
            folders = [each.url for each in _entries(self._url) if each.is_folder]
        for folder in folders:
            with _as_output(folder):
                if folder.name == _QUPATH:
                    self._bring_project(folder)
                elif folder.name.endswith(_EDITED):
                    self._bring_corrected(folder)
            if folder.name in _others([each.name for each in folders], ()):
                self._bring_if_slide(folder)

    def _bring_if_slide(self, folder: Url) -> None:
        if (self.here / folder.name / MANIFEST).is_file():
            return
        with _as_output(folder):
            names = {each.url.name for each in _entries(folder)}
        if names & {MANIFEST, FAILED, BIOPSY}:
            self.bring_slide(folder.name)

    def other_records(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Read the `biopsy.json` of slides that have results and are not among the named."""
        with _as_output(self._url):
            found = [each.url.name for each in _entries(self._url) if each.is_folder]
        return records_at(self._url, _others(found, names))

    def list_waiting(self, requests: Mapping[str, SlideRequest]) -> None:
        """Note slides that have neither a result nor a failure as not done yet."""
        with _as_output(self._url):
            there = {each.url.name for each in _entries(self._url)}
        new = {name: request for name, request in requests.items() if name not in there}
        super().list_waiting(new)
        with _as_output(self._url):
            self._put([self.here / name / FAILED for name in new])

    def put_failure(self, name: str, request: SlideRequest, error: str) -> None:
        """Write why a slide has no result."""
        super().put_failure(name, request, error)
        with _as_output(self._url):
            self._put([self.here / name / FAILED])

    def confirm(self, name: str, request: SlideRequest) -> None:
        """Note that a slide's earlier results hold for what the newest run was given."""
        if update_request(self.here / name, request):
            with _as_output(self._url):
                self._put([self.here / name / MANIFEST])
        if (self.here / name / FAILED).is_file():
            (self.here / name / FAILED).unlink()
            with _as_output(self._url):
                remove(self._url / name / FAILED)

    def put_slide(self, name: str) -> None:
        """Write a slide's results to the store, the manifest last."""
        here, folder = self.here / name, self._url / name
        own = {path.relative_to(here).as_posix(): path for path in _files(here)}
        with _as_output(folder):
            self._put_aside(name)
            before = {_below(each, folder) for each in all_files_in(folder)}
            write(self._empty_file(), folder / _MARK)
            remove(folder / MANIFEST)
            put((path, folder / each) for each, path in own.items() if each != MANIFEST)
            for path in sorted(before - set(own) - {_MARK}):
                remove(folder / path)
            write(here / MANIFEST, folder / MANIFEST)
            remove(folder / _MARK)

    def put_run(self) -> None:
        """Copy the files of the whole folder to the store, `run.json` last."""
        with _as_output(self._url):
            files = [path for path in self.here.iterdir() if path.is_file()]
            files += _files(self.here / _QUPATH)
            self._put([path for path in files if path.name not in (RUN, _PROBE)])
            if not (self.here / FAILURES).exists():
                remove(self._url / FAILURES)
            self._put([self.here / RUN])

    def _put(self, files: Sequence[Path]) -> None:
        put((path, self._url / path.relative_to(self.here).as_posix()) for path in files)

    def _put_aside(self, name: str) -> None:
        """Results whose outlines somebody corrected, under a name that is free on the store."""
        for path in sorted(self.here.iterdir()):
            if not path.name.startswith(name) or not _SET_ASIDE.fullmatch(path.name[len(name) :]):
                continue
            number = 1
            while all_files_in(aside := self._url / f"{name}{_EDITED}-{number}"):
                number += 1
            put((each, aside / each.relative_to(path).as_posix()) for each in _files(path))
            shutil.rmtree(path)

    def _bring_project(self, folder: Url) -> None:
        """The project's own files; of what QuPath keeps of images, the folders' names alone."""
        data = f"{_QUPATH_DATA}/"
        found = {_below(each, folder): each for each in all_files_in(folder)}
        for path in found:
            if path.startswith(data):
                (self.here / _QUPATH / data / path.split("/")[1]).mkdir(parents=True, exist_ok=True)
        own = {path: each for path, each in found.items() if "/" not in path}
        own |= {p: e for p, e in found.items() if p.startswith(("scripts/", "classifiers/"))}
        bring((stored, self.here / _QUPATH / path) for path, stored in own.items())

    def _bring_corrected(self, folder: Url) -> None:
        bring(
            (each, self.here / folder.name / each.url.name)
            for each in _entries(folder)
            if each.url.name in (BIOPSY, MANIFEST)
        )

    def _empty_file(self) -> Path:
        path = self.here / _PROBE
        path.write_bytes(b"")
        return path


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A new folder, removed at the end; those that killed runs left go first."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder)
        here = Path(tempfile.mkdtemp(prefix=make_temporary_prefix("run"), dir=folder))
    except OSError as error:
        raise OutputError(
            f"Results cannot be made in {folder}: {error.strerror or error}. Choose another "
            "folder with --cache."
        ) from error
    try:
        prepare_output(here)
        yield here
    finally:
        shutil.rmtree(here, ignore_errors=True)


@contextmanager
def _as_output(url: Url) -> Iterator[None]:
    """Whatever is wrong with the store of results stops the run: every slide would meet it."""
    try:
        yield
    except StorageError as error:
        raise OutputError(f"Results cannot be kept at {url}: {error}") from None


def _entries(url: Url) -> list[Stored]:
    try:
        return files_and_folders_in(url)
    except NotStored:
        return []


def _others(found: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the folders that may be those of other slides than the named."""
    known = {name.casefold() for name in (*names, _QUPATH)}
    others = [name for name in found if name.casefold() not in known and name[:1] != "."]
    there = set(found)
    aside = {name for name in others if (base := _NOT_OF_A_SLIDE.fullmatch(name))
             and base[1] in there}  # fmt: skip
    return [name for name in others if name not in aside]


def _below(stored: Stored, folder: Url) -> str:
    return stored.url.address.removeprefix(folder.address.rstrip("/") + "/")


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]
