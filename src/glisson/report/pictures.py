"""Pictures inside the page, kept small enough that it can be sent by mail.

The pictures of a page hold at most about 9 MB: every slide has the same share of `PICTURE_BYTES`
for its overview, and of `THUMBNAIL_BYTES` for its tracts. An overview that is too large is made
smaller, and left out where that is not enough; tracts beyond the share go without a picture (all
of them still lie in the results folder).
"""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

logger = logging.getLogger(__name__)

PICTURE_BYTES = 3_900_000
"""All overviews; a third more in the page, as base64."""
THUMBNAIL_BYTES = 2_600_000
"""All pictures of tracts; likewise."""

_MOST_A_SLIDE = 500_000
_LEAST_BYTES_A_PIXEL = 0.005
"""Of an empty JPEG: larger sizes need not be tried."""
_SIDES_PX = (1600, 1300, 1000, 800, 640, 480, 320)
_QUALITY = 80


def embed_overview(path: Path | None, slide_count: int) -> str | None:
    """Return an overview as a data URI, as large as its share of the page allows.

    None stands for a missing overview, one that cannot be read, and one that fits at no size.
    """
    whole = _open(path)
    if whole is None:
        return None
    share = min(_MOST_A_SLIDE, PICTURE_BYTES // max(1, slide_count))
    for side_px in _SIDES_PX:
        small = whole.copy()
        small.thumbnail((side_px, side_px), Image.Resampling.BOX)
        if small.width * small.height * _LEAST_BYTES_A_PIXEL <= share:
            jpeg = io.BytesIO()
            small.save(jpeg, format="JPEG", quality=_QUALITY, optimize=True)
            if len(jpeg.getvalue()) <= share:
                return _uri(jpeg.getvalue())
    return None


def embed_thumbnails(folder: Path | None, names: Iterable[str], slide_count: int) -> dict[str, str]:
    """Return data URIs by file name, in the order given, until the slide's share is used up."""
    if folder is None:
        return {}
    left = min(_MOST_A_SLIDE, THUMBNAIL_BYTES // max(1, slide_count))
    found: dict[str, str] = {}
    for name in names:
        path = folder / name
        if path.is_file() and path.stat().st_size <= left and _open(path, ("JPEG",)) is not None:
            data = path.read_bytes()
            left -= len(data)
            found[name] = _uri(data)
    return found


def _open(path: Path | None, formats: tuple[str, ...] = ("JPEG", "PNG")) -> Image.Image | None:
    """Decode a picture of the results; the report goes without a link, or what cannot be read.

    A link in a stranger's results may lead to any file of this machine.
    """
    if path is None or not path.is_file():
        return None
    try:
        if any(part.is_symlink() for part in (path, path.parent)):
            raise OSError("it is a symbolic link")
        with Image.open(path, formats=formats) as picture:
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        logger.warning("%s cannot be read, and is not in the report: %s", path, error)
        return None


def _uri(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()
