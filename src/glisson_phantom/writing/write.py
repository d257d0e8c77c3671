"""Writer of slides in the style of a vendor."""

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
    """Write a JPEG-tiled pyramid of levels 1/4/16 that readers open as the vendor's.

    Memory holds one band: temporary files beside `path` hold coarser levels, uncompressed, the
    first with a sixteenth of the pixels. The same pixels and identity give the same bytes.

    Args:
        path: file to write; for `dicom` a folder, which is created, or replaced if it holds
            nothing but such levels.
        bands: (h, W, 3) uint8 strips from the top, of any heights, or the whole image.
        size: level-0 pixels. `philips` adds white up to whole tiles of 256 px.
        pixel_size: µm per level-0 pixel.
        style: `aperio` (.svs), `tiff` (generic tiled TIFF), `philips` (.tiff), `ome`
            (.ome.tif) or `dicom` (a folder of .dcm files).
        quality: JPEG quality, 1 to 100.
        identity: source of the UIDs in `ome` and `dicom`; by default the path's name without
            `.svs`, `.ome.tif` and the like.
        comment: words for the file's description, ASCII without `|`.

    Raises:
        SettingsError: the bands do not fill `size`.
        MissingExtra: the style is `dicom` and pydicom is not installed.
        OutputError: the path is not writable, or the folder holds other files.
    """
    strips = iter([bands]) if isinstance(bands, np.ndarray) else iter(bands)
    details = SlideDetails(pixel_size, quality, identity or _strip_ending(path), comment)
    with (
        _open_unfinished(path, style) as unfinished,
        tempfile.TemporaryDirectory(prefix=".pyramid-", dir=path.parent) as spool,
    ):
        padding: Padding = "white" if style == "philips" else "edge"
        _WRITERS[style](unfinished, SpooledPyramid(strips, size, Path(spool), padding), details)


def _open_unfinished(path: Path, style: PyramidStyle) -> AbstractContextManager[Path]:
    return atomic_folder(path, replaces=LEVEL_FILES) if style == "dicom" else atomic_path(path)


def _strip_ending(path: Path) -> str:
    return re.sub(r"(\.ome)?\.(svs|tiff?|dcm)$", "", path.name, flags=re.IGNORECASE)
