"""Reading from and writing to a store by fsspec: asked again when it fails, then one clear error.

fsspec is imported when the first address is met, never for files of this machine.
"""

from __future__ import annotations

import glob
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from glisson.errors import MissingExtra, NotStored, SettingsError, StorageError
from glisson.storage.url import Url, without_secrets

logger = logging.getLogger(__name__)

TRIES = 4
FIRST_WAIT_S = 1.0
"""Before the second try; each further wait is twice as long."""

ANSWER_S = 120.0
SLOWEST_BYTES_PER_S = 70e3
"""Longest wait for one answer, as for a piece of 8 MiB at a rate by which a slide takes hours."""

_STAMPS = (
    "ETag", "etag", "checksum", "md5Hash", "content_md5", "generation", "mtime", "LastModified",
    "last_modified", "Last-Modified", "modified", "created",
)  # fmt: skip

Answer = TypeVar("Answer")


class _NoRanges(Exception):
    """The server sends whole files alone."""


_FINAL = (PermissionError, IsADirectoryError, NotADirectoryError, NotImplementedError, ValueError,
          TypeError, ImportError, _NoRanges)  # fmt: skip
"""Errors that asking again does not mend."""


@dataclass(frozen=True)
class Stored:
    """A file or folder on a store.

    Attributes:
        url: where.
        is_folder: whether there are files below it.
        bytes: the file's size.
        stamp: differs when the file was changed: the store's hash or time of it.
    """

    url: Url
    is_folder: bool
    bytes: int
    stamp: str


def look_at(url: Url) -> Stored:
    """What lies at an address.

    Raises:
        NotStored: nothing.
        StorageError: the store does not answer, or refuses.
    """

    def look(fs: Any, path: str, limit: Mapping[str, float]) -> Stored:
        fs.invalidate_cache()
        info = fs.info(path, **limit)
        folder = url.address.endswith("/")
        return _stored(url, {**info, "type": "directory"} if folder else info)

    return _asked(url, "read", look)


def files_and_folders_in(url: Url) -> list[Stored]:
    """What lies directly in a folder, by name.

    Raises:
        StorageError: as `look_at`.
    """
    return _listed(url, lambda fs, path, limit: fs.ls(path, detail=True, **limit))


def all_files_in(url: Url) -> list[Stored]:
    """Every file in a folder and below, by name; none where there is no such folder.

    Raises:
        StorageError: as `look_at`.
    """
    try:
        return _listed(url, lambda fs, path, limit: fs.find(path, detail=True, **limit).values())
    except NotStored:
        return []


def is_pattern(url: Url) -> bool:
    """Whether an address has wildcards; in the web `?` is none."""
    text = url.address
    return glob.has_magic(text.replace("?", "")) if url.scheme in ("http", "https") else (
        glob.has_magic(text)
    )  # fmt: skip


def matching(pattern: Url) -> list[Stored]:
    """What matches a pattern such as `s3://bucket/scans/**/*.svs`, by name.

    Raises:
        StorageError: as `look_at`.
    """
    parts = pattern.address.split("/")
    fixed = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    root = Url("/".join(parts[:fixed]))

    def matches(fs: Any, path: str, limit: Mapping[str, float]) -> Any:
        whole = "/".join([path.rstrip("/"), *parts[fixed:]])
        return fs.glob(whole, detail=True, **limit).values()

    return _listed(root, matches)


def read(url: Url, start: int, end: int) -> bytes:
    """Bytes `start` to `end` of a file, all of them.

    Raises:
        NotStored: no such file.
        StorageError: the store does not answer, or refuses, or sends whole files alone.
    """

    def get(fs: Any, path: str, limit: Mapping[str, float]) -> bytes:
        found = bytes(fs.cat_file(path, start=start, end=end, **limit))
        if len(found) > end - start:
            raise _NoRanges("its server hands out whole files alone, no parts (HTTP ranges)")
        if len(found) < end - start:
            raise OSError(f"{len(found)} of {end - start} bytes came")
        return found

    return b"" if end <= start else _asked(url, "read", get)


def write(path: Path, url: Url) -> None:
    """Put a file on the store; it is there whole or not at all.

    Raises:
        StorageError: as `look_at`.
    """

    def put(fs: Any, there: str, limit: Mapping[str, float]) -> None:
        if limit:
            limit = {"timeout": ANSWER_S + path.stat().st_size / SLOWEST_BYTES_PER_S}
        else:  # a file system, where folders have to be made
            fs.makedirs(str(PurePosixPath(there).parent), exist_ok=True)
        fs.put_file(str(path), there, **limit)

    _asked(url, "written", put)


def remove(url: Url) -> None:
    """Remove a file; one that is not there is removed already.

    Raises:
        StorageError: as `look_at`.
    """

    def gone(fs: Any, path: str, limit: Mapping[str, float]) -> None:
        fs.rm_file(path, **limit)

    try:
        _asked(url, "removed", gone)
    except NotStored:
        logger.debug("%s was not there.", url)


def _listed(root: Url, find: Callable[[Any, str, Mapping[str, float]], Any]) -> list[Stored]:
    """What a store finds below an address now, by name."""

    def look(fs: Any, path: str, limit: Mapping[str, float]) -> list[Stored]:
        fs.invalidate_cache()
        return _below(root, path, find(fs, path, limit))

    return _asked(root, "listed", look)


def _asked(url: Url, what: str, ask: Callable[[Any, str, Mapping[str, float]], Answer]) -> Answer:
    """The store's answer; asked several times when it does not come or is broken."""
    fs, path = _opened(url)
    limit = {"timeout": ANSWER_S} if fs.async_impl else {}
    for again in range(1, TRIES):
        try:
            return ask(fs, path, limit)
        except Exception as error:  # noqa: BLE001  every store raises types of its own
            if _is_final(error):
                raise _failure(url, what, error) from None
            wait_s = FIRST_WAIT_S * 2 ** (again - 1)
            logger.warning("%s cannot be %s (%s); asked again in %.0f s.", url, what,
                           _text(error, url), wait_s)  # fmt: skip
            time.sleep(wait_s)
    try:
        return ask(fs, path, limit)
    except Exception as error:  # noqa: BLE001
        raise _failure(url, what, error) from None


def _opened(url: Url) -> tuple[Any, str]:
    """The file system of fsspec, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtra(f"{url} needs fsspec: pip install 'glisson[cloud]'") from None
    try:
        fs, path = url_to_fs(url.address)
    except ImportError as error:
        raise MissingExtra(
            f"{url}: {error}. pip install 'glisson[cloud]' brings what s3:// needs; other stores "
            "need the package that is named."
        ) from None
    except Exception as error:  # noqa: BLE001
        raise SettingsError(
            f"{url} cannot be used: {_text(error, url)}. Give a path, or an address such as "
            "s3://bucket/folder/."
        ) from None
    return fs, path


def _is_final(error: Exception) -> bool:
    if isinstance(error, FileNotFoundError):
        # fsspec says so of a web server that did not answer, too.
        no_answer = isinstance(error.__cause__, OSError)  # TimeoutError is one
        return not no_answer and _web_status(error) < 500
    return isinstance(error, _FINAL)


def _web_status(error: FileNotFoundError) -> int:
    """What a web server answered; 404 of other stores."""
    status = getattr(error.__cause__, "status", 404)
    return status if isinstance(status, int) else 404


def _failure(url: Url, what: str, error: Exception) -> StorageError:
    if isinstance(error, FileNotFoundError) and _is_final(error):
        if _web_status(error) not in (401, 403):
            return NotStored(f"{url} does not exist. Check the name and the folder.")
        error = PermissionError("the server refuses")
    if isinstance(error, PermissionError):
        advice = "Check the credentials that the store's own tools use, and what they may do."
    elif _is_final(error):
        advice = "Copy it to this machine and give its path."
    else:
        advice = f"It was tried {TRIES} times. Check the network and the store, then run again."
    return StorageError(f"{url} cannot be {what}: {_text(error, url)}. {advice}")


def _text(error: BaseException, url: Url) -> str:
    """What an error says, without secrets; its kind where it says nothing."""
    said = without_secrets(" ".join(str(error).split()), url).rstrip(".")
    if not said and isinstance(error, TimeoutError):
        return "no answer in time"
    return said or type(error).__name__


def _below(root: Url, path: str, found: Any) -> list[Stored]:
    """What was found under a path, by its address; stores answer without the scheme."""
    start = path.rstrip("/") + "/"
    stored = []
    for info in found:
        name = info["name"] if info["name"].startswith(start) else "/" + info["name"]
        relative = name.removeprefix(start).rstrip("/")
        if name.startswith(start) and relative:  # a folder may list itself
            _check_stays_below(root, relative)
            stored.append(_stored(_child(root, relative), info))
    return sorted(stored, key=lambda each: each.url.address)


def _child(root: Url, relative: str) -> Url:
    return Url(f"{root.address.rstrip('/')}/{relative}")


def _check_stays_below(root: Url, relative: str) -> None:
    """A key may hold anything; as a path it must not lead out of its folder."""
    parts = relative.replace("\\", "/").split("/")
    if ".." in parts or relative.startswith("/"):
        raise StorageError(f"{root} holds a file whose name leads elsewhere: {relative!r}.")


def _stored(url: Url, info: Mapping[str, Any]) -> Stored:
    stamps = (str(info[name]) for name in _STAMPS if info.get(name) not in (None, ""))
    return Stored(
        url, info.get("type") == "directory", int(info.get("size") or 0), next(stamps, "")
    )
