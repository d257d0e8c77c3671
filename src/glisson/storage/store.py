"""Read from and write to stores by fsspec: retry failures, then raise one clear error.

Only the first address imports fsspec; runs on local files never do.
"""

from __future__ import annotations

import glob
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from glisson.errors import GlissonError, MissingExtra, NotStored, SettingsError, StorageError
from glisson.storage.url import Url, redact_secrets

logger = logging.getLogger(__name__)

TRIES = 4
FIRST_WAIT_S = 1.0
"""Wait before the second try; each later wait is twice as long."""

ANSWER_S = 120.0
SLOWEST_BYTES_PER_S = 70e3
"""Longest wait for an answer: 8 MiB at this rate, by which a slide takes hours."""

_STAMPS = (
    *("ETag", "etag", "checksum", "md5Hash", "content_md5", "generation", "mtime"),
    *("LastModified", "last_modified", "Last-Modified", "modified", "created"),
)
"""Keys by which stores give a file's hash or time, in the order of trust."""

Answer = TypeVar("Answer")


class _NoRanges(Exception):
    """The server sends only whole files."""


_FINAL = (
    *(PermissionError, IsADirectoryError, NotADirectoryError),
    *(NotImplementedError, ValueError, TypeError, ImportError, _NoRanges),
)
"""Errors that a retry does not mend."""


@dataclass(frozen=True)
class Stored:
    """A file or folder on a store.

    Attributes:
        url: its address.
        is_folder: True if files lie below it.
        bytes: the file's size.
        stamp: the store's hash or time of the file; it changes with the file.
    """

    url: Url
    is_folder: bool
    bytes: int
    stamp: str


def stat_url(url: Url) -> Stored:
    """Look up the file or folder at an address.

    Raises:
        NotStored: the address does not exist.
        StorageError: the store does not answer, or refuses.
    """

    def look(fs: Any, path: str, limit: Mapping[str, float]) -> Stored:
        fs.invalidate_cache()
        info = fs.info(path, **limit)
        folder = url.address.endswith("/")
        if not folder and info.get("type") == "file" and info.get("size") is None:
            raise _NoRanges("its server does not say how many bytes it has (Content-Length)")
        return _make_stored(url, {**info, "type": "directory"} if folder else info)

    return _call(url, "read", look)


def list_folder(url: Url) -> list[Stored]:
    """List the files and folders directly in a folder, by name.

    Raises:
        StorageError: as `stat_url`.
    """
    return _list(url, lambda fs, path, limit: fs.ls(path, detail=True, **limit))


def find_files(url: Url) -> list[Stored]:
    """List every file in a folder and below, by name; an absent folder has no files.

    Raises:
        StorageError: as `stat_url`.
    """
    try:
        return _list(url, lambda fs, path, limit: fs.find(path, detail=True, **limit).values())
    except NotStored:
        return []


def is_pattern(url: Url) -> bool:
    """Return whether an address has wildcards; in web addresses `?` begins the query."""
    is_web = url.scheme in ("http", "https")
    return glob.has_magic(url.address.replace("?", "") if is_web else url.address)


def glob_files(pattern: Url) -> list[Stored]:
    """List the matches of a pattern such as `s3://bucket/scans/**/*.svs`, by name.

    Raises:
        StorageError: as `stat_url`.
    """
    parts = pattern.address.split("/")
    fixed = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    root = Url("/".join(parts[:fixed]))

    def matches(fs: Any, path: str, limit: Mapping[str, float]) -> Any:
        whole = "/".join([path.rstrip("/"), *parts[fixed:]])
        return fs.glob(whole, detail=True, **limit).values()

    return _list(root, matches)


def read(url: Url, start: int, end: int) -> bytes:
    """Read bytes `start` to `end` of a file; a short answer is an error.

    Raises:
        NotStored: the file does not exist.
        StorageError: the store does not answer, refuses, or sends only whole files.
    """

    def get(fs: Any, path: str, limit: Mapping[str, float]) -> bytes:
        found = bytes(fs.cat_file(path, start=start, end=end, **limit))
        if len(found) > end - start:
            raise _NoRanges("its server sends only whole files, no parts (HTTP ranges)")
        if len(found) < end - start:
            raise OSError(f"the store sent {len(found)} of {end - start} bytes")
        return found

    return b"" if end <= start else _call(url, "read", get)


def write(path: Path, url: Url) -> None:
    """Upload a file; it appears on the store whole or not at all.

    Raises:
        StorageError: as `stat_url`.
    """

    def upload(fs: Any, there: str, limit: Mapping[str, float]) -> None:
        if limit:
            limit = {"timeout": ANSWER_S + path.stat().st_size / SLOWEST_BYTES_PER_S}
        else:  # a file system without asyncio, where folders must exist
            fs.makedirs(str(PurePosixPath(there).parent), exist_ok=True)
        fs.put_file(str(path), there, **limit)

    _call(url, "written", upload)


def remove(url: Url) -> None:
    """Remove a file, if it exists.

    Raises:
        StorageError: as `stat_url`.
    """
    with suppress(NotStored):
        _call(url, "removed", lambda fs, path, limit: fs.rm_file(path, **limit))


def _list(root: Url, find: Callable[[Any, str, Mapping[str, float]], Any]) -> list[Stored]:
    """List what `find` returns below an address, by name; stores answer without the scheme."""

    def look(fs: Any, path: str, limit: Mapping[str, float]) -> list[Stored]:
        fs.invalidate_cache()
        start = path.rstrip("/") + "/"
        found = []
        for info in find(fs, path, limit):
            name = info["name"] if info["name"].startswith(start) else "/" + info["name"]
            relative = name.removeprefix(start).rstrip("/")
            if not name.startswith(start) or not relative:  # a folder may list itself
                continue
            if ".." in relative.replace("\\", "/").split("/") or relative.startswith("/"):
                raise StorageError(f"{root} holds a file whose name leads elsewhere: {relative!r}.")
            found.append(_make_stored(Url(f"{root.address.rstrip('/')}/{relative}"), info))
        return sorted(found, key=lambda each: each.url.address)

    return _call(root, "listed", look)


def _call(url: Url, verb: str, ask: Callable[[Any, str, Mapping[str, float]], Answer]) -> Answer:
    """Call a store; retry if it does not answer or the answer is broken."""
    fs, path = _open_store(url)
    limit = {"timeout": ANSWER_S} if fs.async_impl else {}
    tries = 0
    while True:
        try:
            return ask(fs, path, limit)
        except GlissonError:  # a listed name that leads elsewhere
            raise
        except Exception as error:  # noqa: BLE001  every store raises types of its own
            tries += 1
            if tries == TRIES or _is_final(error):
                raise _explain(url, verb, error) from None
            wait_s = FIRST_WAIT_S * 2 ** (tries - 1)
            text = _describe(error, url)
            logger.warning("%s cannot be %s (%s); retry in %.0f s.", url, verb, text, wait_s)
            time.sleep(wait_s)


def _open_store(url: Url) -> tuple[Any, str]:
    """Open the file system of the address's scheme; return it and the path in it.

    `fsspec.core.url_to_fs` would follow chained addresses (`::`), even inside a stored key.
    """
    try:
        from fsspec import get_filesystem_class
    except ImportError:
        raise MissingExtra(f"{url} needs fsspec: pip install 'glisson[cloud]'") from None
    try:
        kind = get_filesystem_class(url.scheme)
        fs = kind(**kind._get_kwargs_from_urls(url.address))
        return fs, kind._strip_protocol(url.address)
    except ImportError as error:
        raise MissingExtra(
            f"{url}: {error}. pip install 'glisson[cloud]' brings what s3:// needs; for another "
            "store install the named package."
        ) from None
    except Exception as error:  # noqa: BLE001
        raise SettingsError(
            f"{url} cannot be used: {_describe(error, url)}. Give a path, or an address such as "
            "s3://bucket/folder/."
        ) from None


def _is_final(error: Exception) -> bool:
    if isinstance(error, FileNotFoundError):
        # fsspec raises it also if a web server does not answer.
        no_answer = isinstance(error.__cause__, OSError)  # TimeoutError is one
        return not no_answer and _web_status(error) < 500
    return isinstance(error, _FINAL)


def _web_status(error: FileNotFoundError) -> int:
    """Return the status of a web server's answer, 599 for a broken one; 404 for other stores."""
    is_web = type(error.__cause__).__module__.startswith("aiohttp")
    status = getattr(error.__cause__, "status", 599 if is_web else 404)
    return status if isinstance(status, int) else 404


def _explain(url: Url, verb: str, error: Exception) -> StorageError:
    if isinstance(error, FileNotFoundError) and _is_final(error):
        if _web_status(error) in (404, 410):
            return NotStored(f"{url} does not exist. Check the name and the folder.")
        if _web_status(error) not in (401, 403):
            answer = _describe(error.__cause__ or error, url)
            return StorageError(
                f"{url} cannot be {verb}: its server's answer makes no sense ({answer}). Check the "
                "address in a browser, or copy the file to this machine and give its path."
            )
        error = PermissionError("the server refuses")
    if isinstance(error, PermissionError):
        advice = "Check the credentials that the store's own tools use, and what they may do."
    elif _is_final(error):
        advice = "Copy it to this machine and give its path."
    else:
        advice = f"Glisson tried {TRIES} times. Check the network and the store, then run again."
    return StorageError(f"{url} cannot be {verb}: {_describe(error, url)}. {advice}")


def _describe(error: BaseException, url: Url) -> str:
    """Return the error's message without secrets, or its type name if it is empty."""
    text = redact_secrets(" ".join(str(error).split()), url).rstrip(".")
    if not text and isinstance(error, TimeoutError):
        return "no answer in time"
    return text or type(error).__name__


def _make_stored(url: Url, info: Mapping[str, Any]) -> Stored:
    stamps = (str(info[name]) for name in _STAMPS if info.get(name) not in (None, ""))
    size, is_folder = int(info.get("size") or 0), info.get("type") == "directory"
    return Stored(url, is_folder, size, next(stamps, ""))
