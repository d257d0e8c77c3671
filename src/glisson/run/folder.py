"""The results folder: written beside its place, moved there whole, done only by its manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glisson.errors import OutputError
from glisson.files import atomic_path, free_name

MANIFEST = "manifest.json"
TRACTS = "tracts.geojson"
BIOPSY = "biopsy.json"
CLASS_MAP = "classes.ome.tif"
OVERVIEW = "overview.png"
THUMBNAILS = "thumbnails"

_LEAST_FREE_BYTES = 64 << 20


def prepare_output(out: Path) -> None:
    """Make the output folder and prove that it can be written to.

    Raises:
        OutputError: it is a file, cannot be made or written to, or its disk is full.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; give a folder to write results to with -o.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"Results cannot be written to {out}: {reason}. Choose another folder with -o."
        ) from error
    free_bytes = shutil.disk_usage(out).free
    if free_bytes < _LEAST_FREE_BYTES:
        raise OutputError(
            f"Only {free_bytes >> 20} MiB are free on the disk of {out}; "
            f"free at least {_LEAST_FREE_BYTES >> 20} MiB or choose another folder with -o."
        )


@contextmanager
def slide_folder(out: Path, name: str, settings_hash: str) -> Iterator[Path]:
    """A folder to write one slide's results in; moved to `out/name` when all went well.

    Whatever ends the work early, Ctrl-C included, leaves no trace of it.
    """
    unfinished = Path(tempfile.mkdtemp(prefix=f".{name}.unfinished-", dir=out))
    try:
        yield unfinished
        _write_manifest(unfinished, settings_hash)
        unfinished.chmod(0o755)
        _put_in_place(unfinished, out / name)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"Results of {name} cannot be written to {out}: {error.strerror or error}. "
            "Free some space or choose another folder with -o, then run again."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def is_done(folder: Path, settings_hash: str) -> bool:
    """Whether a slide's results are complete and from the same settings, model and slide."""
    manifest = read_manifest(folder)
    if manifest is None or manifest.get("settings_hash") != settings_hash:
        return False
    return all((folder / name).is_file() for name in manifest.get("files", {}))


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """A slide's manifest, or None where there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """JSON as UTF-8 with sorted-by-writer keys, atomically; NaN is refused."""
    with atomic_path(path) as unfinished:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        unfinished.write_text(text + "\n", encoding="utf-8")


def _write_manifest(folder: Path, settings_hash: str) -> None:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}
    write_json(
        folder / MANIFEST, {"status": "done", "settings_hash": settings_hash, "files": files}
    )


def _put_in_place(unfinished: Path, final: Path) -> None:
    """Move results to their place; earlier ones go, unless somebody edited them."""
    if final.exists():
        if _was_edited(final):
            final.rename(free_name(final, "edited"))
        else:
            aside = Path(tempfile.mkdtemp(prefix=f".{final.name}.old-", dir=final.parent))
            final.rename(aside / "old")
            unfinished.rename(final)
            shutil.rmtree(aside, ignore_errors=True)
            return
    os.replace(unfinished, final)


def _was_edited(folder: Path) -> bool:
    """Whether the outlines differ from what the manifest recorded."""
    manifest = read_manifest(folder)
    tracts = folder / TRACTS
    if manifest is None or not tracts.is_file():
        return any(folder.iterdir())
    return bool(manifest.get("files", {}).get(TRACTS) != _sha256(tracts))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object that a run wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
