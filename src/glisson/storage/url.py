"""Addresses on object stores and web servers; Glisson uses secrets in them and never shows them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from glisson.errors import SettingsError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters or more: C:// is a drive
_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>]+")
_CHAIN = re.compile(r"::[A-Za-z][A-Za-z0-9+.-]+://")
_WEB = ("http", "https")
_BUCKETS = ("s3", "s3a", "gs", "gcs")
_AZURE = ("az", "abfs", "abfss")
_SSH = ("sftp", "ssh")
_ALLOWED = (*_WEB, *_BUCKETS, *_AZURE, *_SSH, "memory")
"""Schemes that reach the named server only; fsspec has others that run code or call third ones."""


@dataclass(frozen=True, repr=False)
class Url:
    """An address on a store or web server, such as `s3://bucket/scans/a.svs`.

    Its text has no passwords and signatures; only `address` has them.

    Raises:
        SettingsError: the scheme is not allowed, addresses are chained by `::`, or an address of
            a bucket holds keys, which its store would ignore.
    """

    address: str

    def __post_init__(self) -> None:
        _check_chain(self.address)
        if self.scheme not in _ALLOWED:
            raise SettingsError(
                f"{self}: Glisson does not read {self.scheme}:// addresses. Give a path, or an "
                "address of s3://, gs://, az://, abfs://, sftp://, http:// or https://."
            )
        if self.scheme in _BUCKETS and "@" in self._host:
            raise SettingsError(
                f"{self}: Glisson does not use keys in an address. Give them as the store's own "
                "tools take them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile."
            )

    def __str__(self) -> str:
        return _redact(self.address)

    def __repr__(self) -> str:
        return f"Url({self})"

    @property
    def scheme(self) -> str:
        """Scheme, such as `s3`."""
        return self.address.split("://", 1)[0].lower()

    @property
    def name(self) -> str:
        """Name of the file or folder."""
        last = self._bare.rstrip("/").rsplit("/", 1)[-1]
        return unquote(last).rsplit("/", 1)[-1] if self.scheme in _WEB else last

    @property
    def stem(self) -> str:
        """Name without its last suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Last suffix of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> Url:
        """Folder, without a signature, which is valid for a single file."""
        return Url(self._bare.rstrip("/").rsplit("/", 1)[0])

    def __truediv__(self, relative: str) -> Url:
        """Join as paths do; `..` leads to the parent."""
        joined = f"{self._bare.rstrip('/')}/{relative}"
        if not {".", ".."} & set(relative.split("/")):
            return Url(joined)  # normalising would change keys such as a//b
        start, _, below = joined.partition("://")
        host, _, path = below.partition("/")
        return Url(f"{start}://{host}{posixpath.normpath('/' + path)}")

    @property
    def secrets(self) -> tuple[str, ...]:
        """User, password and signature, the longest first."""
        user = self._host.rpartition("@")[0]
        password = user.partition(":")[2]
        own = (user, self.address.partition("?")[2]) if self.scheme in _WEB else ()
        return tuple(sorted(filter(None, (password, *own)), key=len, reverse=True))

    def as_path(self) -> Path:
        """Return bucket and key as a path, for programs that accept only files; none exists."""
        return Path("/" + _redact(self._bare).partition("://")[2])

    @property
    def _bare(self) -> str:
        """Address without a query; only in web addresses does `?` begin a query."""
        return self.address.split("?", 1)[0] if self.scheme in _WEB else self.address

    @property
    def _host(self) -> str:
        return self.address.partition("://")[2].split("/", 1)[0]


Place: TypeAlias = Path | Url
"""Local path or address of a slide, a table or results."""


def parse_place(given: str | Path | Url) -> Place:
    """Parse a local path or an address; `file://` gives a path.

    Raises:
        SettingsError: as `Url`.
    """
    if not isinstance(given, str):
        return given
    _check_chain(given)
    if _ADDRESS.match(given) is None:
        return Path(given)
    if given.lower().startswith("file://"):
        return Path(url2pathname(urlsplit(given).path))
    return Url(given)


def resolve_place(where: Place) -> Place:
    """Return a path resolved, its links followed; an address unchanged."""
    return where.resolve() if isinstance(where, Path) else where


def make_absolute(where: Place) -> Place:
    """Return a path made absolute, its links kept; an address unchanged."""
    return where.absolute() if isinstance(where, Path) else where


def redact_secrets(text: str, url: Url) -> str:
    """Hide the secrets of `url`, and those of every address, in a library's message."""
    text = _IN_TEXT.sub(lambda found: _redact(found[0]), text)
    for secret in url.secrets:
        text = text.replace(secret, "...")
    return text


def _check_chain(address: str) -> None:
    """Reject chained addresses: fsspec would read the first by instructions from the second."""
    if _CHAIN.search(address):
        first = _redact(address.split("::", 1)[0])
        raise SettingsError(f"{first}: Glisson does not read chained addresses (::). Name a file.")


def _redact(address: str) -> str:
    """Remove user and password, and the query, which may be a signature."""
    scheme, mark, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    user, _, server = host.rpartition("@")
    if ":" in user or scheme.lower() not in (*_AZURE, *_SSH):
        host = server  # Azure names the container before the @, SSH the user
    query = path.find("?")
    if query >= 0 and (scheme.lower() in _WEB or "=" in path[query:]):
        path = path[:query]
    return f"{scheme}{mark}{host.split('?')[0]}{slash}{path}"
