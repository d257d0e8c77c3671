"""The identity of slide, model and software, which decide a result."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from glisson.errors import SlideError
from glisson.model import ModelBundle
from glisson.record import ModelRecord
from glisson.slides.files import MIRAX_ENDINGS, list_slide_files
from glisson.storage import Place, find_slide_files, read, stat_url
from glisson.version import __version__

_BLOCK_BYTES = 1 << 16
_BLOCKS = 32
"""Blocks that are hashed of a slide in one file: 2 MiB, spread over the file."""
_LEAST_BLOCKS = 4
"""Blocks of each file of a slide in many."""
_PACKAGES = ("numpy", "openslide-python", "openslide-bin", "openvino", "shapely")


Stamp = tuple[tuple[int, int], ...]
"""Size and time of change of each of a slide's files."""


@dataclass(frozen=True)
class SlideIdentity:
    """A slide's files as they were when its results were made.

    Attributes:
        file: name of the file to open, or the slide's pseudonym.
        bytes: size of all files.
        files: number of files.
        sha256_of_samples: of the size of every file, and of blocks spread over it.
    """

    file: str
    bytes: int
    files: int
    sha256_of_samples: str


@dataclass(frozen=True)
class _File:
    """A file here or on a store: its size, and how to read from `start` to `end`."""

    size_bytes: int
    read: Callable[[int, int], bytes]


def read_identity(path: Path, pseudonym: str | None = None) -> SlideIdentity:
    """Return what tells slides apart: name, sizes, and a hash of samples of all files.

    A pseudonym replaces the file name, as a hash of the name could be guessed.
    """
    paths = list_slide_files(path)
    files = [_File(each.stat().st_size, partial(_read_local, each)) for each in paths]
    return _make_identity(pseudonym or paths[0].name, files)


def read_remote_identity(slide: Place, pseudonym: str | None = None) -> SlideIdentity | None:
    """Return the identity of a slide on a store; its local copy has the same.

    Return None for a local slide, and for a DICOM slide, whose files only a download finds.

    Raises:
        StorageError: the store fails or denies access.
    """
    if isinstance(slide, Path) or slide.suffix.lower() == ".dcm" or stat_url(slide).is_folder:
        return None
    main, *others = find_slide_files(slide).files
    if slide.suffix.lower() == ".mrxs":
        others = [each for each in others if each.stored.url.suffix.lower() in MIRAX_ENDINGS]
    others.sort(key=lambda each: each.path.split("/"))
    stored = [main.stored, *(each.stored for each in others)]
    files = [_File(each.bytes, partial(read, each.url)) for each in stored]
    return _make_identity(pseudonym or slide.name, files)


def read_stamp(path: Path) -> Stamp:
    """Return sizes and times of change of a slide's files here; empty if one cannot be read."""
    try:
        found = [each.stat() for each in list_slide_files(path)]
    except (OSError, ValueError, SlideError):
        return ()
    return tuple((each.st_size, each.st_mtime_ns) for each in found)


def read_time_of_copy(path: Path) -> float:
    """Return when the newest of a slide's files was written or copied, in seconds since 1970."""
    found = [each.stat() for each in list_slide_files(path)]
    return max(max(each.st_mtime, each.st_ctime) for each in found)


def _make_identity(name: str, files: Sequence[_File]) -> SlideIdentity:
    sha256 = hashlib.sha256()
    blocks = max(_LEAST_BLOCKS, _BLOCKS // len(files))
    for file in files:
        sha256.update(f"{file.size_bytes}\n".encode())
        for start, end in _choose_blocks(file.size_bytes, blocks):
            sha256.update(file.read(start, end))
    return SlideIdentity(
        name, sum(each.size_bytes for each in files), len(files), sha256.hexdigest()
    )


def _choose_blocks(size_bytes: int, blocks: int) -> list[tuple[int, int]]:
    """Return start and end of the blocks to hash, spread evenly from first to last byte."""
    if size_bytes <= blocks * _BLOCK_BYTES:
        return [(0, size_bytes)]
    last = size_bytes - _BLOCK_BYTES
    starts = [last * number // (blocks - 1) for number in range(blocks)]
    return [(start, start + _BLOCK_BYTES) for start in starts]


def _read_local(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def describe_model(bundle: ModelBundle) -> ModelRecord:
    """Return name, version, limits and file hashes of a model bundle."""
    spec = bundle.spec
    return ModelRecord(
        name=spec.name,
        version=spec.version,
        min_tract_probability=spec.min_tract_probability,
        tract_evidence=spec.tract_evidence,
        windows=spec.windows,
        files_sha256=dict(sorted(spec.files.items())),
        trained_on=spec.trained_on,
        intended_use=spec.intended_use,
    )


def list_versions() -> dict[str, str]:
    """Return the versions of Glisson and of the packages that decide its numbers."""
    found = {"glisson": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        found[package] = metadata.version(package)
    return found


def hash_json(record: Mapping[str, object]) -> str:
    """Return the SHA-256 of settings, model and slide identity: equal means the same result."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
