"""Which slide, which model, which software: what a result rests on."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from glisson import __version__
from glisson.model import ModelBundle
from glisson.slides.dicom_folder import dicom_file_in

_SAMPLE_BYTES = 1 << 20
_PACKAGES = ("numpy", "openslide-python", "openslide-bin", "openvino", "shapely", "rasterio")


def slide_identity(path: Path, pseudonym: str | None = None) -> dict[str, Any]:
    """Size and a hash of the first and last MiB: enough to tell slides apart, and quick.

    A slide that is several files is known by one: MIRAX by its index, DICOM by its first level.
    A pseudonym stands for the file's name, which could be guessed from a hash of it.
    """
    path = dicom_file_in(path) if path.is_dir() else path
    size_bytes = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLE_BYTES))
        if size_bytes > _SAMPLE_BYTES:
            file.seek(max(_SAMPLE_BYTES, size_bytes - _SAMPLE_BYTES))
            digest.update(file.read(_SAMPLE_BYTES))
    name = pseudonym or path.name
    return {"file": name, "bytes": size_bytes, "sha256_of_ends": digest.hexdigest()}


def model_identity(bundle: ModelBundle) -> dict[str, Any]:
    """Name, version and file hashes of a model bundle."""
    spec = bundle.spec
    return {
        "name": spec.name,
        "version": spec.version,
        "min_tract_probability": spec.min_tract_probability,
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
