"""Download a file from the web into a folder of this machine.

The standard library does it, so that a plain installation needs no extra. Proxies come from
`http_proxy`, `https_proxy` and `no_proxy`, or from the system's settings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from glisson.errors import NotStored, SettingsError, StorageError
from glisson.files.atomic import atomic_path
from glisson.storage.url import Url, redact_secrets
from glisson.version import __version__

ANSWER_S: Final = 30.0
"""Timeout of a connection, and of the next bytes."""

WHOLE_S: Final = 3600.0
"""Timeout of a whole download."""

_CHUNK_BYTES = 1 << 18
_HANDLERS = (
    ProxyHandler,
    UnknownHandler,
    HTTPHandler,
    HTTPSHandler,
    HTTPRedirectHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
)
"""Handlers of the web alone: no redirect can open files or FTP."""

Progress = Callable[[int, int | None], None]
"""Progress callback: bytes so far, and bytes of the file or None if the server does not say."""


def download(url: Url, target: Path, most_bytes: int, progress: Progress | None = None) -> None:
    """Download a file; `target` appears whole or not at all.

    Args:
        url: an address that begins with http or https.
        target: the file to write.
        most_bytes: size limit; the download of a larger file stops at once.
        progress: callback after each chunk.

    Raises:
        SettingsError: an address of another kind, or one that holds a password.
        NotStored: the server has no such file.
        StorageError: no network, no answer in time, a refusal, a broken or too large file.
        OutputError: the target cannot be written.
    """
    if url.scheme not in ("http", "https") or "@" in url.address.partition("://")[2].split("/")[0]:
        raise SettingsError(
            f"{url} cannot be downloaded: give an address that begins with http:// or https:// "
            "and holds no password, or the file itself."
        )
    with atomic_path(target) as unfinished, unfinished.open("wb") as file:
        for chunk in _read_chunks(url, most_bytes, progress):
            file.write(chunk)


def _read_chunks(url: Url, most_bytes: int, progress: Progress | None) -> Iterator[bytes]:
    """Yield a file's bytes; raise errors of the tree for those of the network."""
    try:
        with _open_url(url) as answer:
            yield from _read_answer(answer, most_bytes, progress)
    except StorageError as error:
        raise StorageError(f"{url} cannot be downloaded: {error}") from None
    except HTTPError as error:
        error.close()
        raise _explain_status(url, error.code) from None
    except (OSError, HTTPException, ValueError) as error:
        raise _explain_silence(url, error) from None


def _open_url(url: Url) -> HTTPResponse:
    opener = OpenerDirector()
    for handler in _HANDLERS:
        opener.add_handler(handler())
    opener.addheaders = [("User-Agent", f"glisson/{__version__}")]
    answer = opener.open(Request(url.address), timeout=ANSWER_S)
    if not isinstance(answer, HTTPResponse):
        raise StorageError("the server gave no readable answer.")
    return answer


def _read_answer(
    answer: HTTPResponse, most_bytes: int, progress: Progress | None
) -> Iterator[bytes]:
    """Yield an answer's bytes; reject an answer that is too large, too short or too slow."""
    header = answer.headers.get("Content-Length", "")
    all_bytes = int(header) if header.isdecimal() else None
    _check_size(all_bytes or 0, most_bytes)
    done_bytes, until = 0, time.monotonic() + WHOLE_S
    while chunk := answer.read1(_CHUNK_BYTES):
        done_bytes += len(chunk)
        _check_size(done_bytes, most_bytes)
        if time.monotonic() > until:
            raise StorageError(f"it took longer than {WHOLE_S / 60:.0f} minutes. Try again.")
        if progress is not None:
            progress(done_bytes, all_bytes)
        yield chunk
    if all_bytes is not None and done_bytes != all_bytes:
        raise StorageError(
            f"the connection ended after {done_bytes} of {all_bytes} bytes. Try again."
        )


def _check_size(found_bytes: int, most_bytes: int) -> None:
    if found_bytes > most_bytes:
        raise StorageError(
            f"it has more than {most_bytes} bytes, so it is another file. Check the address."
        )


def _explain_status(url: Url, status: int) -> StorageError:
    if status in (404, 410):
        return NotStored(f"{url} does not exist (the server answers {status}). Check the address.")
    reasons = {
        401: "the server asks for a password",
        403: "the server refuses",
        407: "the proxy asks for a password: give it in http_proxy and https_proxy",
    }
    reason = reasons.get(status, "the server fails; try again later")
    return StorageError(f"{url} cannot be downloaded: {reason} (it answers {status}).")


def _explain_silence(url: Url, error: Exception) -> StorageError:
    cause = error.reason if isinstance(error, URLError) else error
    said = redact_secrets(" ".join(str(cause).split()), url).rstrip(".") or type(cause).__name__
    if isinstance(cause, SSLCertVerificationError):
        advice = (
            "If a proxy of your institution opens encrypted traffic, set SSL_CERT_FILE to the "
            "file of its certificate."
        )
    else:
        advice = "Check the network, and the proxy in http_proxy, https_proxy and no_proxy."
    return StorageError(f"{url} cannot be downloaded: {said}. {advice}")
