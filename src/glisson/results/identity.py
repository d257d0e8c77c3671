"""Which slide, which model, which software: what a result rests on."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from glisson.model import ModelBundle
from glisson.slides.dicom_folder import find_dicom_file
from glisson.storage import Place, look_at, read
from glisson.version import __version__

_SAMPLE_BYTES = 1 << 20
_PACKAGES = ("numpy", "openslide-python", "openslide-bin", "openvino", "shapely")


def slide_identity(path: Path, pseudonym: str | None = None) -> dict[str, Any]:
    """Size and a hash of the first and last MiB: enough to tell slides apart, and quick.

    A slide that is several files is known by one: MIRAX by its index, DICOM by its first level.
    A pseudonym stands for the file's name, which could be guessed from a hash of it.
    """
    path = find_dicom_file(path) if path.is_dir() else path
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        ends = file.read(_SAMPLE_BYTES)
        if size_bytes > _SAMPLE_BYTES:
            file.seek(max(_SAMPLE_BYTES, size_bytes - _SAMPLE_BYTES))
            ends += file.read(_SAMPLE_BYTES)
    return _identity(pseudonym or path.name, size_bytes, ends)


def identity_from_afar(slide: Place, pseudonym: str | None = None) -> dict[str, Any] | None:
    """The identity of a slide on a store, by its ends alone: what its copy here would have.

    None of a DICOM folder, whose first level is not known before it is here, and of a slide here.

    Raises:
        StorageError: the store does not answer, or refuses.
    """
    if isinstance(slide, Path) or (stored := look_at(slide)).is_folder:
        return None
    first = min(_SAMPLE_BYTES, stored.bytes)
    ends = read(slide, 0, first)
    ends += read(slide, max(first, stored.bytes - _SAMPLE_BYTES), stored.bytes)
    return _identity(pseudonym or slide.name, stored.bytes, ends)


def _identity(name: str, size_bytes: int, ends: bytes) -> dict[str, Any]:
    return {"file": name, "bytes": size_bytes, "sha256_of_ends": hashlib.sha256(ends).hexdigest()}


def model_identity(bundle: ModelBundle) -> dict[str, Any]:
    """Name, version and file hashes of a model bundle."""
    spec = bundle.spec
    return {
        "name": spec.name,
        "version": spec.version,
        "min_tract_probability": spec.min_tract_probability,
        "tract_evidence": spec.tract_evidence.model_dump(),
        "windows": None if spec.windows is None else spec.windows.model_dump(),
        "files_sha256": dict(sorted(spec.files.items())),
        "trained_on": spec.trained_on,
        "intended_use": spec.intended_use,
    }


def software_versions() -> dict[str, str]:
    """Versions of Glisson and of what decides its numbers."""
    found = {"glisson": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        found[package] = metadata.version(package)
    return found


def hash_of(record: dict[str, Any]) -> str:
    """Return the SHA-256 of settings, model and slide identity: equal means the same result."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
