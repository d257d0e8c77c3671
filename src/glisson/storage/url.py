"""Addresses of what lies on a store; a secret in one is used and never shown."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from glisson.errors import SettingsError

_START = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two letters or more: C:// is a drive
_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>]+")
_WEB = ("http", "https")


@dataclass(frozen=True, repr=False)
class Url:
    """An address that fsspec understands, such as `s3://bucket/scans/a.svs`.

    As text it is without passwords and signatures; `address` alone has them.
    """

    address: str

    def __post_init__(self) -> None:
        """Refuse keys where no store would look for them."""
        if self.scheme in ("s3", "s3a", "gs", "gcs") and "@" in self._host:
            raise SettingsError(
                f"{self}: keys in an address are not used. Give them as the store's own tools "
                "take them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile."
            )

    def __str__(self) -> str:
        return _shown(self.address)

    def __repr__(self) -> str:
        return f"Url({self})"

    @property
    def scheme(self) -> str:
        """Such as `s3`."""
        return self.address.split("://", 1)[0].lower()

    @property
    def name(self) -> str:
        """Of the file or folder."""
        last = self._bare.rstrip("/").rsplit("/", 1)[-1]
        return unquote(last).rsplit("/", 1)[-1] if self.scheme in _WEB else last

    @property
    def stem(self) -> str:
        """The name without its last suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The name's last suffix, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> Url:
        """The folder; a signature is of one file and is not taken along."""
        return Url(self._bare.rstrip("/").rsplit("/", 1)[0])

    def __truediv__(self, relative: str) -> Url:
        """What lies below, or beside by `..`, as in a path."""
        joined = f"{self._bare.rstrip('/')}/{relative}"
        if not {".", ".."} & set(relative.split("/")):
            return Url(joined)  # a key may hold anything else as it is
        start, _, below = joined.partition("://")
        host, _, path = below.partition("/")
        return Url(f"{start}://{host}{posixpath.normpath('/' + path)}")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown: user, password and signature, the longest first."""
        user = self._host.rpartition("@")[0]
        password = user.partition(":")[2]
        own = (user, self.address.partition("?")[2]) if self.scheme in _WEB else ()
        return tuple(sorted(filter(None, (password, *own)), key=len, reverse=True))

    def as_path(self) -> Path:
        """Bucket and key as a path, for programs that know files alone; nothing is there."""
        return Path("/" + _shown(self._bare).partition("://")[2])

    @property
    def _bare(self) -> str:
        """Without a query; elsewhere than in the web `?` is a letter like others."""
        return self.address.split("?", 1)[0] if self.scheme in _WEB else self.address

    @property
    def _host(self) -> str:
        return self.address.partition("://")[2].split("/", 1)[0]


Place: TypeAlias = Path | Url
"""Where a slide, a table or results are."""


def place(given: str | Path | Url) -> Place:
    """A path or an address, as its text says; `file://` is a path.

    Raises:
        SettingsError: an address that holds keys which its store does not use.
    """
    if not isinstance(given, str):
        return given
    if _START.match(given) is None:
        return Path(given)
    if given.lower().startswith("file://"):
        return Path(url2pathname(urlsplit(given).path))
    return Url(given)


def absolute(where: Place) -> Place:
    """The same however it was named: links followed, relative to nothing."""
    return where.resolve() if isinstance(where, Path) else where


def full_path(where: Place) -> Place:
    """The same from any folder, links kept; an address as it is."""
    return where.absolute() if isinstance(where, Path) else where


def without_secrets(text: str, url: Url) -> str:
    """A library's message about an address, with every address in it as it may be shown."""
    text = _IN_TEXT.sub(lambda found: _shown(found[0]), text)
    for secret in url.secrets:
        text = text.replace(secret, "...")
    return text


def _shown(address: str) -> str:
    """Without user and password, and without a query, where signatures are."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    user, _, server = host.rpartition("@")
    if ":" in user or scheme.lower() not in ("abfs", "abfss", "sftp", "ssh", "smb"):
        host = server  # of Azure the container stands there, of others the user's name alone
    query = path.find("?")
    if query >= 0 and (scheme.lower() in _WEB or "=" in path[query:]):
        path = path[:query]
    return f"{scheme}://{host.split('?')[0]}{slash}{path}"
