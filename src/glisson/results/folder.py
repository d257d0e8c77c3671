"""The folder of a slide's results: written beside its place, moved there whole.

A slide is done only when its manifest, which is written last, is there.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from glisson.errors import GlissonError, OutputError, ResultError
from glisson.files.atomic import (
    find_free_name,
    is_unfinished,
    open_unfinished,
    remove_abandoned,
)
from glisson.files.hashing import hash_file
from glisson.files.json_files import read_json, write_json

MANIFEST = "manifest.json"
FAILED = "failed.json"
TRACTS = "tracts.geojson"
BIOPSY = "biopsy.json"
CLASS_MAP = "classes.ome.tif"
OVERVIEW = "overview.png"
THUMBNAILS = "thumbnails"

_LEAST_FREE_BYTES = 64 << 20
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_MOST_TRIES = 5


def prepare_output(out: Path) -> None:
    """Make the output folder and prove that it can be written to.

    Raises:
        OutputError: it is a file, cannot be made or written to, or its disk is full.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; give a folder to write results to with -o.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"Results cannot be written to {out}: {reason}. Choose another folder with -o."
        ) from error
    free_bytes = shutil.disk_usage(out).free
    if free_bytes < _LEAST_FREE_BYTES:
        raise OutputError(
            f"Only {free_bytes >> 20} MiB are free on the disk of {out}; "
            f"free at least {_LEAST_FREE_BYTES >> 20} MiB or choose another folder with -o."
        )


def sweep_output(out: Path) -> None:
    """Remove the unfinished files that killed runs of this machine left in a results folder."""
    project = out / "qupath"
    remove_abandoned(out, project, project / "scripts", project / "classifiers")


@dataclass(frozen=True)
class SlideRequest:
    """The facts that a run was given about a slide, as the files of its folder keep them.

    Attributes:
        file: the slide's file name, or its pseudonym.
        path: of the slide; None for a slide with a pseudonym.
        patient: whose it is, for the tables.
        institution: where it is from, for the tables.
        pseudonyms: whether `file` is a pseudonym.
    """

    file: str
    path: str | None = None
    patient: str | None = None
    institution: str | None = None
    pseudonyms: bool = False


@dataclass(frozen=True)
class Origin:
    """What decided a slide's results.

    Attributes:
        settings_hash: of all that decides the result.
        parts: the hashes it was made of, so that a later run can say what changed.
        request: the slide as the run was given it; None for corrected results.
        because: why earlier results were replaced, or None.
    """

    settings_hash: str
    parts: dict[str, str] = field(default_factory=dict)
    request: SlideRequest | None = None
    because: str | None = None


@contextmanager
def slide_folder(out: Path, name: str, origin: Origin) -> Iterator[Path]:
    """Yield a folder for one slide's results; move it to `out/name` on success.

    Whatever ends the work early, Ctrl-C included, leaves no trace of the folder.

    Raises:
        OutputError: the results cannot be written.
    """
    started = now()
    final = (out / name).absolute()
    try:
        with open_unfinished(final) as unfinished:
            yield unfinished
            _write_manifest(unfinished, origin, started)
            _put_in_place(unfinished, final)
    except OSError as error:
        if isinstance(error, GlissonError) or not _is_of_output(error, final):
            raise  # the slide's, and not the disk's that all results go to
        raise _cannot_be_written(name, out, error) from error


def now() -> str:
    """Return the time in UTC, to the second, as the records write it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _cannot_be_written(name: str, out: Path, error: OSError) -> OutputError:
    return OutputError(
        f"Results of {name} cannot be written to {out}: {error.strerror or error}. "
        "Free some space or choose another folder with -o, then run again."
    )


def _is_of_output(error: OSError, final: Path) -> bool:
    """Return whether results could not be written; else the slide could not be read."""
    if error.errno in _DISK_ERRORS:
        return True
    if not isinstance(error.filename, str | bytes):
        return False
    path = Path(os.fsdecode(error.filename)).absolute()
    if not path.is_relative_to(final.parent):
        return False
    first = path.relative_to(final.parent).parts[:1]
    return any(part == final.name or is_unfinished(part, final.name) for part in first)


NEW = "new"
INCOMPLETE = "its results are incomplete"


def find_redo_reason(folder: Path, parts: dict[str, str]) -> str | None:
    """Return why a slide has to be done, again or for the first time (`new`), or None.

    Results count when they are complete, undamaged and of the same slide, model, settings and
    version. Outlines that were corrected in place are not damage.

    Args:
        folder: the slide's result folder.
        parts: hashes of what decides the result now.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return INCOMPLETE if holds_results(folder) else NEW
    before = manifest.get("made_from", {})
    changed = [name for name, value in parts.items() if before.get(name) != value]
    if changed:
        return f"changed: {', '.join(changed)}"
    damaged = [
        name
        for name, value in manifest.get("files", {}).items()
        if name != TRACTS and not _is_unchanged(folder / name, value)
    ]
    missing = [] if (folder / TRACTS).is_file() else [TRACTS]
    return f"missing or damaged: {', '.join(damaged + missing)}" if damaged or missing else None


def refuse_links(folder: Path) -> None:
    """Reject a slide's result folder that is a symbolic link, or holds one.

    A link in a folder from somebody else may lead to any file of this machine, which the report
    would then carry.

    Raises:
        ResultError: names the link.
    """
    inside = (
        Path(place) / name for place, *names in os.walk(folder) for part in names for name in part
    )
    link = next((path for path in (folder, *inside) if path.is_symlink()), None)
    if link is not None:
        raise ResultError(
            f"{link} is a symbolic link, which results must not hold: it may lead to any file of "
            "this machine. Delete it, or put a copy of the file in its place, then run again."
        )


def holds_results(folder: Path) -> bool:
    """Return whether a folder holds more than the note that its slide has no result."""
    return folder.is_dir() and any(path.name != FAILED for path in folder.iterdir())


def _is_unchanged(path: Path, sha256: str) -> bool:
    with suppress(ValueError):  # a name that none can be
        return path.is_file() and hash_file(path) == sha256
    return False


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Read a slide's manifest; return None where no valid manifest is there."""
    try:
        manifest = read_json(folder / MANIFEST)
    except (OSError, ValueError):
        return None
    parts = (manifest.get("made_from", {}), manifest.get("files", {}))
    return manifest if all(_is_text_by_text(part) for part in parts) else None


def _is_text_by_text(part: object) -> bool:
    return isinstance(part, dict) and all(isinstance(value, str) for value in part.values())


def _write_manifest(folder: Path, origin: Origin, started: str) -> None:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = {path.relative_to(folder).as_posix(): hash_file(path) for path in paths}
    content = {
        "status": "done",
        "settings_hash": origin.settings_hash,
        "made_from": origin.parts,
        "started": started,
        "ended": now(),
        "because": origin.because,
        "request": None if origin.request is None else asdict(origin.request),
        "files": files,
    }
    write_json(folder / MANIFEST, content)


def update_request(folder: Path, request: SlideRequest) -> bool:
    """Note in the manifest what the newest run was given about a slide; return if it changed."""
    manifest = read_manifest(folder)
    if manifest is None or manifest.get("request") == asdict(request):
        return False
    write_json(folder / MANIFEST, manifest | {"request": asdict(request)})
    return True


def write_failure(
    folder: Path, request: SlideRequest, error: str, is_waiting: bool = False
) -> None:
    """Write `failed.json`: which slide has no result, why, and since when.

    Args:
        folder: the slide's result folder, which may hold older results.
        request: the slide.
        error: why it has no result.
        is_waiting: whether no run has tried the slide yet.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as problem:
        raise _cannot_be_written(folder.name, folder.parent, problem) from problem
    status = "waiting" if is_waiting else "failed"
    content = {"status": status, "error": error, "when": now(), "request": asdict(request)}
    write_json(folder / FAILED, content)


def _put_in_place(unfinished: Path, final: Path) -> None:
    """Move results to their place; remove earlier results, unless they were edited.

    Files that somebody put beside the earlier results move along.

    Another run may put the same slide there at the same moment: the later results stay.
    """
    for _ in range(_MOST_TRIES):
        with _move_away(final, unfinished):
            try:
                unfinished.rename(final)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
            else:
                return
    raise OutputError(f"{final} is written by another run again and again. Stop one of the two.")


@contextmanager
def _move_away(final: Path, new: Path) -> Iterator[None]:
    """Move earlier results aside, and remove them in the end; edited results stay there."""
    if not final.exists():
        yield
    elif _was_edited(final):
        final.rename(find_free_name(final, "edited"))
        yield
    elif foreign := _list_foreign(final):
        _copy_foreign(final, foreign, new)
        # A name that no sweep removes: after a kill here the only copies are in it.
        aside = find_free_name(final, "edited")
        with suppress(FileNotFoundError):  # another run moved them
            final.rename(aside)
        yield
        shutil.rmtree(aside, ignore_errors=True)
    else:
        with open_unfinished(final) as aside:
            with suppress(FileNotFoundError):
                final.rename(aside / "old")
            yield


def _list_foreign(folder: Path) -> list[Path]:
    """List the files of a result folder that Glisson did not write, relative to it."""
    manifest = read_manifest(folder) or {}
    own = {MANIFEST, FAILED, *manifest.get("files", {})}
    found = (
        (Path(place) / name).relative_to(folder)
        for place, folders, files in os.walk(folder)
        for name in (*files, *(each for each in folders if (Path(place) / each).is_symlink()))
    )
    return [path for path in found if path.as_posix() not in own and not is_unfinished(path.name)]


def _copy_foreign(old: Path, foreign: Sequence[Path], new: Path) -> None:
    """Copy files to the new results; a file of a new result's name gets another name."""
    for path in foreign:
        target = new / path
        if target.is_file() and _is_same(target, old / path):
            continue
        if os.path.lexists(target):
            target = find_free_name(target.with_suffix(""), "yours", path.suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(old / path, target, follow_symlinks=False)


def _is_same(first: Path, second: Path) -> bool:
    return second.is_file() and hash_file(first) == hash_file(second)


def _was_edited(folder: Path) -> bool:
    """Return whether the outlines differ from those that the manifest recorded."""
    manifest = read_manifest(folder)
    tracts = folder / TRACTS
    if manifest is None or not tracts.is_file():
        return holds_results(folder)
    return bool(manifest.get("files", {}).get(TRACTS) != hash_file(tracts))
