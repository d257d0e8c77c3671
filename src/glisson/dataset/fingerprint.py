"""What a slide's tiles were made from, to see later whether it is still the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from glisson.dataset.study import AnnotatedSlide
from glisson.errors import SlideError

Fingerprint = dict[str, str | int | float | None]


def fingerprint(source: AnnotatedSlide) -> Fingerprint:
    """Facts that change when a slide or its annotations do; where they lie does not matter.

    Raises:
        SlideError: a file of the slide, or its annotations, cannot be read.
    """
    try:
        stats = [path.stat() for path in _files(source.slide)]
        drawn = source.annotations.read_bytes()
    except OSError as error:
        raise SlideError(
            f"{source.name} cannot be read: {error}. See that the slide and its annotations are "
            "where they were, then run again."
        ) from error
    return {
        "annotations_sha256": hashlib.sha256(drawn).hexdigest(),
        "slide_bytes": sum(stat.st_size for stat in stats),
        "slide_modified_ns": max(stat.st_mtime_ns for stat in stats),
        "mpp": source.mpp,
    }


def _files(slide: Path) -> list[Path]:
    """The slide's file, and those in its folder where MIRAX and DICOM keep the pixels."""
    folder = slide.with_suffix("") if slide.suffix.lower() == ".mrxs" else slide
    return [slide, *(sorted(folder.iterdir()) if folder.is_dir() else ())]
