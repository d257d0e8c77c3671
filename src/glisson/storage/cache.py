"""Slides of a store on the local disk, up to a size: those that were not used for long go first.

Several runs may share a cache. A slide is fetched under another name and renamed when it is whole;
one in use is never removed.

    slides/<key>/           a slide's files; the key is made of addresses, sizes and stamps, so that
                            a changed slide is another one
    parts/<key>.<bytes>/    being fetched; what a killed run left is gone on with
    held/                   locked files (locks.py)
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glisson.errors import GlissonError, OutputError, SettingsError, StorageError
from glisson.storage.companions import SlideFiles, slide_files
from glisson.storage.download import Progress, fetch
from glisson.storage.locks import Holds

logger = logging.getLogger(__name__)

DEFAULT_GB = 50.0
FOLDER_VARIABLE = "GLISSON_CACHE"
SIZE_VARIABLE = "GLISSON_CACHE_GB"

_LONGEST_WAIT_S = 3600.0
_LOOK_AGAIN_S = 1.0
_LEFT_FREE_BYTES = 64 << 20


@dataclass(frozen=True)
class _Kept:
    """A folder of the cache."""

    path: Path
    key: str
    bytes: int


class SlideCache:
    """A cache in a folder, of so many bytes at most."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._slides, self._parts = folder / "slides", folder / "parts"
        self._holds = Holds(folder / "held")

    @contextmanager
    def held(self, slide: SlideFiles, told: Progress) -> Iterator[Path]:
        """The slide's local file or folder, fetched if need be; it stays while it is held.

        Args:
            slide: its files on the store.
            told: bytes that are there and bytes of all, as they come.

        Raises:
            StorageError: it cannot be fetched, has changed meanwhile, or finds no room.
            OutputError: the cache's folder cannot be written to.
        """
        key = _key(slide)
        with self._written():
            for folder in (self._slides, self._parts, self._folder / "held"):
                folder.mkdir(parents=True, exist_ok=True)
            with self._holds.alone():
                hold = self._holds.take(key)
        try:
            with self._written():
                found = self._present(key, slide, told)
            yield found / slide.name
        finally:
            _touch(self._slides / key)
            self._holds.release(hold)

    def _present(self, key: str, slide: SlideFiles, told: Progress) -> Path:
        """The folder of a slide that is held already."""
        final = self._slides / key
        made = self._there_or_begun(final, slide, told)
        if made is None:
            return final
        part, making = made
        try:
            fetch(slide, part, told)
            self._check_unchanged(key, slide, part)
            with self._holds.alone():
                part.rename(final)
                _touch(final)
        finally:
            self._holds.release(making)
        return final

    def _there_or_begun(
        self, final: Path, slide: SlideFiles, told: Progress
    ) -> tuple[Path, Any] | None:
        """None where the slide is there; else a folder to fetch it to, and the hold on that.

        Waits while another run fetches it, or slides in use leave no room.
        """
        if slide.bytes > self._most_bytes:
            raise StorageError(
                f"{slide.url} has {_gb(slide.bytes)}, more than the whole cache of "
                f"{_gb(self._most_bytes)}. Allow more with --cache-gb."
            )
        deadline = time.monotonic() + _LONGEST_WAIT_S
        while True:
            with self._holds.alone():
                if self._is_whole(final, slide):
                    return None
                begun = self._begun(final.name, slide)
            if begun is not None:
                return begun
            if time.monotonic() > deadline:
                raise StorageError(
                    f"{slide.url} found no room in {self._folder} for {_LONGEST_WAIT_S:.0f} s: "
                    "other runs use its slides. Allow more with --cache-gb, or give each run a "
                    "--cache of its own."
                )
            told(0, slide.bytes)
            time.sleep(_LOOK_AGAIN_S)

    def _is_whole(self, final: Path, slide: SlideFiles) -> bool:
        if not final.exists():
            return False
        sizes = [(final / file.path, file.stored.bytes) for file in slide.files]
        if all(path.is_file() and path.stat().st_size == size for path, size in sizes):
            _touch(final)
            return True
        self._remove(final)
        return False

    def _begun(self, key: str, slide: SlideFiles) -> tuple[Path, Any] | None:
        making = self._holds.take_only(key)
        if making is None:
            return None
        part = self._parts / f"{key}.{slide.bytes}"
        try:
            if self._make_room(part, slide):
                part.mkdir(exist_ok=True)
                return part, making
        except BaseException:
            self._holds.drop(making)
            raise
        self._holds.drop(making)
        return None

    def _make_room(self, part: Path, slide: SlideFiles) -> bool:
        """Remove what was not used for longest until a slide fits; whether it does.

        Where all that may go would not suffice, nothing goes.
        """
        others = [each for each in self._kept() if each.path != part]
        used = sum(each.bytes for each in others)
        idle = [each for each in others if not self._holds.is_held(each.key)]
        if not self._fits(used, part, slide, freed=sum(each.bytes for each in idle)):
            if len(idle) < len(others):
                return False
            raise StorageError(
                f"{slide.url} has {_gb(slide.bytes)}, for which the disk of {self._folder} has no "
                "room. Free some space or choose another folder with --cache."
            )
        for each in idle:
            if self._fits(used, part, slide):
                break
            logger.info("%s is removed from the cache.", each.path)
            self._remove(each.path)
            used -= each.bytes
        return self._fits(used, part, slide)

    def _fits(self, used: int, part: Path, slide: SlideFiles, freed: int = 0) -> bool:
        """Whether there is room for a slide, once `freed` bytes of what is used have gone."""
        free = shutil.disk_usage(self._folder).free - _LEFT_FREE_BYTES + freed
        missing = slide.bytes - (_bytes_in(part) if part.exists() else 0)
        return used - freed + slide.bytes <= self._most_bytes and missing <= free

    def _kept(self) -> list[_Kept]:
        """Slides and parts, those that were not used for longest first."""
        found = [_Kept(path, path.name, _bytes_in(path)) for path in self._slides.iterdir()]
        for path in self._parts.iterdir():
            key, _, size = path.name.partition(".")
            if size.isdigit():
                found.append(_Kept(path, key, int(size)))
            else:  # begun to be removed by a run that was killed
                shutil.rmtree(path, ignore_errors=True)
        return sorted(found, key=lambda each: each.path.stat().st_mtime_ns)

    def _remove(self, path: Path) -> None:
        """At once for everybody; the bytes go after."""
        gone = self._parts / f"gone-{uuid.uuid4().hex}"
        path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _check_unchanged(self, key: str, slide: SlideFiles, part: Path) -> None:
        if _key(slide_files(slide.url)) != key:
            self._remove(part)
            raise StorageError(f"{slide.url} was changed while it was fetched. Run again.")

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except GlissonError:
            raise
        except OSError as error:
            raise OutputError(
                f"The cache {self._folder} cannot be written to: {error.strerror or error}. "
                "Free some space or choose another folder with --cache, then run again."
            ) from error


def slide_cache(folder: Path | None = None, most_gb: float | None = None) -> SlideCache:
    """The cache as given, else by `GLISSON_CACHE` and `GLISSON_CACHE_GB`, else the system's place.

    Args:
        folder: where.
        most_gb: in 10^9 bytes.

    Raises:
        SettingsError: a size that is none.
    """
    text = str(most_gb) if most_gb is not None else os.environ.get(SIZE_VARIABLE, str(DEFAULT_GB))
    try:
        most_bytes = int(float(text) * 1e9)
    except (ValueError, OverflowError):
        most_bytes = 0
    if most_bytes <= 0:
        raise SettingsError(f"A cache of {text} GB holds nothing; give --cache-gb, such as 50.")
    return SlideCache(cache_folder(folder), most_bytes)


def cache_folder(given: Path | None = None) -> Path:
    """As given, by the environment, or the system's place for such."""
    if given is not None:
        return given
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE])
    import platformdirs

    return Path(platformdirs.user_cache_dir("glisson"))


def _key(slide: SlideFiles) -> str:
    facts = [[str(f.stored.url), f.path, f.stored.bytes, f.stored.stamp] for f in slide.files]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _touch(path: Path) -> None:
    """Say that it was used now; finer than the system's own clock of files."""
    now = time.time_ns()
    if path.exists():
        os.utime(path, ns=(now, now))


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _gb(number: int) -> str:
    return f"{number / 1e9:.3g} GB"
