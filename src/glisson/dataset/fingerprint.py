"""Fingerprints of slides, by which a later run sees whether a slide has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from glisson.dataset.study import AnnotatedSlide
from glisson.errors import SlideError

Fingerprint = dict[str, str | int | float | None]


def fingerprint_slide(source: AnnotatedSlide) -> Fingerprint:
    """Return facts that change when a slide or its annotations change, but not when they move.

    Raises:
        SlideError: a file of the slide, or its annotations, cannot be read.
    """
    try:
        stats = [path.stat() for path in _list_files(source.slide)]
        annotations = source.annotations.read_bytes()
    except OSError as error:
        raise SlideError(
            f"{source.name} cannot be read: {error}. Restore the slide and its annotations, then "
            "run again."
        ) from error
    return {
        "annotations_sha256": hashlib.sha256(annotations).hexdigest(),
        "slide_bytes": sum(stat.st_size for stat in stats),
        "slide_modified_ns": max(stat.st_mtime_ns for stat in stats),
        "mpp": source.mpp,
    }


def _list_files(slide: Path) -> list[Path]:
    """Return the slide's file and the files of its folder, where MIRAX and DICOM keep pixels."""
    folder = slide.with_suffix("") if slide.suffix.lower() == ".mrxs" else slide
    return [slide, *(sorted(folder.iterdir()) if folder.is_dir() else ())]
