"""The identity of slide, model and software, which decide a result."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from glisson.model import ModelBundle
from glisson.record import ModelRecord
from glisson.slides.dicom_folder import find_dicom_file
from glisson.storage import Place, read, stat_url
from glisson.version import __version__

_SAMPLE_BYTES = 1 << 20
_PACKAGES = ("numpy", "openslide-python", "openslide-bin", "openvino", "shapely")


@dataclass(frozen=True)
class SlideIdentity:
    """A slide's file as it was when its results were made.

    Attributes:
        file: its name, or the slide's pseudonym.
        bytes: its size.
        sha256_of_ends: of its first and last MiB.
    """

    file: str
    bytes: int
    sha256_of_ends: str


def read_identity(path: Path, pseudonym: str | None = None) -> SlideIdentity:
    """Return file name, size and a hash of the first and last MiB, which tell slides apart.

    Of a slide in several files the identity is that of one file: the index of MIRAX, the first
    level of DICOM. A pseudonym replaces the file name, as a hash of the name could be guessed.
    """
    path = find_dicom_file(path) if path.is_dir() else path
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        ends = file.read(_SAMPLE_BYTES)
        if size_bytes > _SAMPLE_BYTES:
            file.seek(max(_SAMPLE_BYTES, size_bytes - _SAMPLE_BYTES))
            ends += file.read(_SAMPLE_BYTES)
    return _make_identity(pseudonym or path.name, size_bytes, ends)


def read_remote_identity(slide: Place, pseudonym: str | None = None) -> SlideIdentity | None:
    """Return the identity of a slide on a store, read from its ends; its local copy has the same.

    Return None for a local slide, and for a DICOM folder, whose first level only a download finds.

    Raises:
        StorageError: the store fails or denies access.
    """
    if isinstance(slide, Path) or (stored := stat_url(slide)).is_folder:
        return None
    first = min(_SAMPLE_BYTES, stored.bytes)
    ends = read(slide, 0, first)
    ends += read(slide, max(first, stored.bytes - _SAMPLE_BYTES), stored.bytes)
    return _make_identity(pseudonym or slide.name, stored.bytes, ends)


def _make_identity(name: str, size_bytes: int, ends: bytes) -> SlideIdentity:
    return SlideIdentity(name, size_bytes, hashlib.sha256(ends).hexdigest())


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
