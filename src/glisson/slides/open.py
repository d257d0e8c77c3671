"""Open a slide of any format."""

from __future__ import annotations

from pathlib import Path

from glisson.errors import SlideError, SlideNotFound, UnsupportedSlide
from glisson.slides.dicom_folder import find_dicom_file
from glisson.slides.image_file import open_image
from glisson.slides.openslide_slide import OpenSlideSlide
from glisson.slides.slide import Slide
from glisson.slides.tiff_file import is_generic_tiff, open_tiff

TIFF_SUFFIXES = {".tif", ".tiff", ".btf"}
_OPENSLIDE_SUFFIXES = {".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".vms", ".vmu", ".svslide", ".czi"}
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg"}
LISTED_SUFFIXES = TIFF_SUFFIXES | _OPENSLIDE_SUFFIXES
"""Suffixes by which a folder's files are slides; pictures and DICOM need a closer look."""
SLIDE_SUFFIXES = LISTED_SUFFIXES | _IMAGE_SUFFIXES | {".dcm"}
"""Suffixes of all files that `open_slide` accepts."""


def strip_ending(name: str) -> str:
    """Remove a slide's ending from its file name, `.ome.tif` in one piece.

    Other endings stay: in S12.1 and 20.1234 the dot is part of the name.

    Args:
        name: file name without folders.
    """
    stem, dot, ending = name.rpartition(".")
    known = stem and f"{dot}{ending}".lower() in SLIDE_SUFFIXES
    return stem.removesuffix(".ome") if known else name


def open_slide(
    path: Path | str,
    mpp: float | tuple[float, float] | None = None,
    series: int | None = None,
) -> Slide:
    """Open a slide: every format of OpenSlide, TIFF, OME-TIFF, and plain images with `mpp`.

    Args:
        path: the slide file, or the folder of a DICOM slide.
        mpp: level-0 µm per pixel, or (x, y); overrides what the file says.
        series: number of the image in a TIFF of several, from 0; None for the only scan.

    Raises:
        SlideNotFound: the file does not exist.
        SlideError: the user may not read the file.
        UnsupportedSlide: no reader knows the format, pixels are not 8-bit RGB, a folder
            holds no DICOM slide or several, or a file holds several scans and no `series` says
            which, or no image `series`.
        DamagedSlide: the file is truncated or incomplete.
        MissingPixelSize: neither the file nor `mpp` gives the pixel size.
        AbsurdPixelSize: the pixel size is outside 0.05 to 5 µm/px.
    """
    path = Path(path)
    _check_exists(path)
    suffix = path.suffix.lower()
    if not path.is_dir() and (suffix in TIFF_SUFFIXES or is_generic_tiff(path)):
        return open_tiff(path, mpp, series)
    if series:
        raise UnsupportedSlide(
            f"{path} holds one scan; Glisson chooses among the images of a TIFF alone. Leave out "
            "--series."
        )
    if path.is_dir():
        return OpenSlideSlide(find_dicom_file(path), mpp, path.name.removesuffix(".dcm"))
    if suffix in _IMAGE_SUFFIXES:
        return open_image(path, mpp)
    try:
        return OpenSlideSlide(path, mpp)
    except UnsupportedSlide:
        if suffix == ".dcm":
            raise
        raise UnsupportedSlide(_explain_unsupported(path)) from None


def _check_exists(path: Path) -> None:
    try:
        size_bytes = path.stat().st_size
    except (OSError, ValueError) as error:  # also a name too long, or with a NUL in it
        raise SlideNotFound(f"{path} does not exist. Check the name and the folder.") from error
    if path.is_dir():
        return
    if size_bytes == 0:
        raise UnsupportedSlide(f"{path} is empty. Copy it again from its source.")
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise SlideError(
            f"{path} cannot be read: {error.strerror or error}. Check the permissions of the file."
        ) from error


def _explain_unsupported(path: Path) -> str:
    if path.suffix.lower() == ".mrxs":
        return (
            f"{path} cannot be read as a MIRAX slide; the folder {path.stem}/ with all of its "
            "files must lie beside it."
        )
    return (
        f"{path} is not a slide: OpenSlide does not know it. Give a whole slide image "
        "(.svs .ndpi .mrxs .tif .scn .bif .dcm ...), an OME-TIFF, or a PNG or JPEG with --mpp."
    )
