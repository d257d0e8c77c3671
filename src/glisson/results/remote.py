"""Where a run's results are: a folder here, or one on an object store with a working copy here.

A store has no rename. A slide's new results are made here and uploaded file by file: the old
manifest is removed first, and the new manifest comes last. In between the slide is not done. A
folder with the mark of an upload and without a manifest is what a killed run left; the next run
overwrites it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glisson.errors import NotStored, OutputError, StorageError
from glisson.files.json_files import read_json
from glisson.results.folder import (
    BIOPSY,
    FAILED,
    MANIFEST,
    SlideRequest,
    prepare_output,
    update_request,
    write_failure,
)
from glisson.storage import (
    Place,
    Stored,
    Url,
    download_files,
    find_files,
    get_cache_folder,
    list_folder,
    read_files,
    remove,
    temporary_folder,
    upload_files,
    write,
)

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
"""Name of a folder of corrected results, or of results set aside, beside the slide's own folder."""


class Results:
    """The results of a run in a folder of this machine.

    Attributes:
        here: the folder.
        place: the same; on a store, where the results go.
    """

    def __init__(self, here: Path, place: Place | None = None) -> None:
        self.here = here
        self.place = here if place is None else place

    def read_other_records(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Read the `biopsy.json` of slides that have results and are not among the named."""
        folders = [path.name for path in self.here.iterdir() if path.is_dir()]
        return read_records(self.place, _find_others(folders, names))

    def note_waiting(self, requests: Mapping[str, SlideRequest]) -> None:
        """Write `failed.json` for slides that have no folder yet: they wait for a run."""
        for name, request in requests.items():
            if not (self.here / name).exists():
                write_failure(self.here / name, request, WAITING, is_waiting=True)

    def note_failure(self, name: str, request: SlideRequest, error: str) -> None:
        """Write why a slide has no result."""
        write_failure(self.here / name, request, error)

    def note_kept(self, name: str, request: SlideRequest) -> None:
        """Write what the newest run was given about a slide whose earlier results hold."""
        update_request(self.here / name, request)
        (self.here / name / FAILED).unlink(missing_ok=True)

    def download_all(self) -> None:
        """Copy every slide's results to `here`: they are there."""

    def upload_run(self) -> None:
        """Copy the tables, report and project to `place`: they are there."""


@contextmanager
def open_results(place: Place, cache: Path | None = None) -> Iterator[Results]:
    """Open the results of a run, and prove that they can be written.

    Args:
        place: a folder, or its address on a store.
        cache: the cache folder, where a working copy is made.

    Raises:
        OutputError: `place` cannot be written to.
    """
    if isinstance(place, Path):
        prepare_output(place)
        yield Results(place)
        return
    with _make_copy(place, cache) as results:
        results.check()
        yield results


def read_records(
    place: Place, names: Sequence[str], file: str = BIOPSY
) -> dict[str, dict[str, Any]]:
    """Read a JSON file of the named slides' folders, by name; look into no other folder.

    Files that cannot be read are left out.

    Raises:
        OutputError: the store does not answer, or refuses.
    """
    if isinstance(place, Url):
        return _read_records_on_store(place, names, file)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        with suppress(OSError, ValueError):  # most often the file does not exist
            found[name] = read_json(place / name / file)
    return found


def _read_records_on_store(url: Url, names: Sequence[str], file: str) -> dict[str, dict[str, Any]]:
    with _as_output(url):
        there = {each.url.name for each in _list(url) if each.is_folder}
        wanted = [name for name in names if name in there]
        contents = read_files([url / name / file for name in wanted])
    found: dict[str, dict[str, Any]] = {}
    for name, content in zip(wanted, contents, strict=True):
        with suppress(ValueError, RecursionError):
            record = json.loads(content or b"")
            found |= {name: record} if isinstance(record, dict) else {}
    return found


@contextmanager
def open_working_copy(here: Path, place: Url, cache: Path | None) -> Iterator[StoredResults]:
    """Yield the run's working copy of results on a store; on another machine, a copy of its own."""
    if here.is_dir():
        yield StoredResults(here, place)
        return
    with _make_copy(place, cache) as results:
        yield results


class StoredResults(Results):
    """The results of a run on a store, with a working copy of the needed files.

    Every method raises OutputError where the store cannot be read or written.
    """

    def __init__(self, here: Path, place: Url) -> None:
        super().__init__(here, place)
        self._url = place

    def check(self) -> None:
        """Prove that files can be written to the store and removed there."""
        with _as_output(self._url):
            write(self._make_empty_file(), self._url / _PROBE)
            remove(self._url / _PROBE)

    def read_other_records(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Read the `biopsy.json` of slides that have results and are not among the named."""
        return read_records(self._url, _find_others(self._list_folders(), names))

    def note_waiting(self, requests: Mapping[str, SlideRequest]) -> None:
        """Write `failed.json` for slides that have no folder yet: they wait for a run."""
        there = set(self._list_folders())
        new = {name: request for name, request in requests.items() if name not in there}
        super().note_waiting(new)
        with _as_output(self._url):
            self._upload([self.here / name / FAILED for name in new])

    def note_failure(self, name: str, request: SlideRequest, error: str) -> None:
        """Write why a slide has no result."""
        super().note_failure(name, request, error)
        with _as_output(self._url):
            self._upload([self.here / name / FAILED])

    def note_kept(self, name: str, request: SlideRequest) -> None:
        """Write what the newest run was given about a slide whose earlier results hold."""
        failure = self.here / name / FAILED
        with _as_output(self._url):
            if update_request(self.here / name, request):
                self._upload([self.here / name / MANIFEST])
            if failure.is_file():
                failure.unlink()
                remove(self._url / name / FAILED)

    def download_slide(self, name: str) -> None:
        """Copy a slide's results to `here`, and replace what was here.

        Of an upload that was interrupted, copy no results.
        """
        if (self.here / name).exists():  # a retry after a lost process: nothing was uploaded
            shutil.rmtree(self.here / name)
        folder = self._url / name
        with _as_output(folder):
            there = {_relative_path(each, folder): each for each in find_files(folder)}
            if MANIFEST not in there and _MARK in there:
                there = {path: each for path, each in there.items() if path == FAILED}
            there.pop(_MARK, None)
            download_files((stored, self.here / name / path) for path, stored in there.items())

    def download_all(self) -> None:
        """Copy every slide's results, corrected results, and the QuPath project to `here`."""
        folders = self._list_folders()
        for name in folders:
            with _as_output(self._url / name):
                if name == _QUPATH:
                    self._download_project(self._url / name)
                elif name.endswith(_EDITED):
                    self._download_corrected(self._url / name)
        for name in _find_others(folders, ()):
            if not (self.here / name / MANIFEST).is_file():
                self._download_if_slide(name)

    def _download_if_slide(self, name: str) -> None:
        with _as_output(self._url / name):
            files = {each.url.name for each in _list(self._url / name)}
        if not files & {MANIFEST, FAILED, BIOPSY, _MARK}:
            return
        self.download_slide(name)
        if not (self.here / name).exists():
            super().note_waiting({name: SlideRequest(name)})

    def upload_slide(self, name: str) -> None:
        """Write a slide's results to the store, the manifest last.

        An upload that fails removes the working copy, so that tables hold stored results alone.
        """
        try:
            self._upload_slide(name)
        except BaseException:
            shutil.rmtree(self.here / name, ignore_errors=True)
            raise

    def _upload_slide(self, name: str) -> None:
        here, folder = self.here / name, self._url / name
        own = {path.relative_to(here).as_posix(): path for path in _list_files(here)}
        with _as_output(folder):
            self._upload_edited(name)
            before = {_relative_path(each, folder) for each in find_files(folder)}
            write(self._make_empty_file(), folder / _MARK)
            remove(folder / MANIFEST)
            upload_files((path, folder / each) for each, path in own.items() if each != MANIFEST)
            for path in sorted(before - set(own) - {_MARK}):
                remove(folder / path)
            write(here / MANIFEST, folder / MANIFEST)
            remove(folder / _MARK)

    def upload_run(self) -> None:
        """Copy the tables, report and project to the store, `run.json` last."""
        with _as_output(self._url):
            files = [path for path in self.here.iterdir() if path.is_file()]
            files += _list_files(self.here / _QUPATH)
            self._upload([path for path in files if path.name not in (RUN, _PROBE)])
            if not (self.here / FAILURES).exists():
                remove(self._url / FAILURES)
            self._upload([self.here / RUN])

    def _list_folders(self) -> list[str]:
        with _as_output(self._url):
            return [each.url.name for each in _list(self._url) if each.is_folder]

    def _upload(self, files: Sequence[Path]) -> None:
        upload_files((path, self._url / path.relative_to(self.here).as_posix()) for path in files)

    def _upload_edited(self, name: str) -> None:
        """Upload results with edited outlines under a free name on the store."""
        for path in sorted(self.here.iterdir()):
            if not path.name.startswith(name) or not _SET_ASIDE.fullmatch(path.name[len(name) :]):
                continue
            number = 1
            while find_files(aside := self._url / f"{name}{_EDITED}-{number}"):
                number += 1
            upload_files(
                (each, aside / each.relative_to(path).as_posix()) for each in _list_files(path)
            )
            shutil.rmtree(path)

    def _download_project(self, folder: Url) -> None:
        """Copy the project's own files; of QuPath's data of images, make the folders alone."""
        data = f"{_QUPATH_DATA}/"
        found = {_relative_path(each, folder): each for each in find_files(folder)}
        for path in found:
            if path.startswith(data):
                (self.here / _QUPATH / data / path.split("/")[1]).mkdir(parents=True, exist_ok=True)
        own = {path: each for path, each in found.items() if "/" not in path}
        own |= {p: e for p, e in found.items() if p.startswith(("scripts/", "classifiers/"))}
        download_files((stored, self.here / _QUPATH / path) for path, stored in own.items())

    def _download_corrected(self, folder: Url) -> None:
        download_files(
            (each, self.here / folder.name / each.url.name)
            for each in _list(folder)
            if each.url.name in (BIOPSY, MANIFEST)
        )

    def _make_empty_file(self) -> Path:
        path = self.here / _PROBE
        path.write_bytes(b"")
        return path


@contextmanager
def _make_copy(place: Url, cache: Path | None) -> Iterator[StoredResults]:
    """Yield results on a store with an empty working copy; remove the copy at the end."""
    with temporary_folder(get_cache_folder(cache) / "results", "run") as here:
        prepare_output(here)
        yield StoredResults(here, place)


@contextmanager
def _as_output(url: Url) -> Iterator[None]:
    """Turn an error of the store into one that ends the run: every slide would meet it."""
    try:
        yield
    except StorageError as error:
        raise OutputError(f"Results cannot be kept at {url}: {error}") from None


def _list(url: Url) -> list[Stored]:
    try:
        return list_folder(url)
    except NotStored:
        return []


def _find_others(found: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the folders that may be those of other slides than the named."""
    known = {name.casefold() for name in (*names, _QUPATH)}
    others = [name for name in found if name.casefold() not in known and name[:1] != "."]
    there = set(found)
    bases = {name: match[1] for name in others if (match := _NOT_OF_A_SLIDE.fullmatch(name))}
    return [name for name in others if bases.get(name) not in there]


def _relative_path(stored: Stored, folder: Url) -> str:
    return stored.url.address.removeprefix(folder.address.rstrip("/") + "/")


def _list_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]
