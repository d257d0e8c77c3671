"""Writing a slide in the style of one vendor."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import numpy as np

from glisson.files.atomic import atomic_folder, atomic_path
from glisson.frames import PixelSize, Size
from glisson_phantom.writing.aperio import write_aperio
from glisson_phantom.writing.dicom import LEVEL_FILES, write_dicom
from glisson_phantom.writing.ome import write_ome
from glisson_phantom.writing.philips import write_philips
from glisson_phantom.writing.pyramid import Padding, Pixels, SlideDetails, SpooledPyramid
from glisson_phantom.writing.tiff import write_generic

PyramidStyle = Literal["aperio", "tiff", "philips", "ome", "dicom"]

_WRITERS: dict[PyramidStyle, Callable[[Path, SpooledPyramid, SlideDetails], None]] = {
    "aperio": write_aperio,
    "tiff": write_generic,
    "philips": write_philips,
    "ome": write_ome,
    "dicom": write_dicom,
}


def write_pyramid(
    path: Path,
    bands: Iterable[Pixels] | Pixels,
    size: Size,
    pixel_size: PixelSize,
    style: PyramidStyle = "aperio",
    quality: int = 85,
    identity: str | None = None,
    comment: str = "",
) -> None:
    """Write a JPEG-tiled pyramid of levels 1/4/16 that readers open as that vendor's.

    Memory is bounded by a band: coarser levels are spooled to temporary files beside `path`
    uncompressed, the first at a sixteenth of the pixels. The same pixels and identity give
    the same bytes.

    Args:
        path: file to write; for `dicom` a folder, made or, if it holds such levels alone,
            replaced.
        bands: (h, W, 3) uint8 strips from the top, of any heights, or the whole image.
        size: level-0 pixels. `philips` fills it up with white to whole tiles of 256 px.
        pixel_size: µm per level-0 pixel.
        style: `aperio` (.svs), `tiff` (generic tiled TIFF), `philips` (.tiff), `ome`
            (.ome.tif) or `dicom` (a folder of .dcm files).
        quality: JPEG quality, 1 to 100.
        identity: what the UIDs in `ome` and `dicom` are derived from; by default the
            path's name without `.svs`, `.ome.tif` and the like.
        comment: what the file is to say in words, ASCII without `|`.

    Raises:
        SettingsError: the bands do not fill `size`.
        MissingExtra: `dicom` without pydicom.
        OutputError: the file cannot be written, or the folder holds something else.
    """
    strips = iter([bands]) if isinstance(bands, np.ndarray) else iter(bands)
    details = SlideDetails(pixel_size, quality, identity or _name_of(path), comment)
    with (
        _unfinished(path, style) as unfinished,
        tempfile.TemporaryDirectory(prefix=".pyramid-", dir=path.parent) as spool,
    ):
        padding: Padding = "white" if style == "philips" else "edge"
        _WRITERS[style](unfinished, SpooledPyramid(strips, size, Path(spool), padding), details)


def _unfinished(path: Path, style: PyramidStyle) -> AbstractContextManager[Path]:
    return atomic_folder(path, replaces=LEVEL_FILES) if style == "dicom" else atomic_path(path)


def _name_of(path: Path) -> str:
    return re.sub(r"(\.ome)?\.(svs|tiff?|dcm)$", "", path.name, flags=re.IGNORECASE)
