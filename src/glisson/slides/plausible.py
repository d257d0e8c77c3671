"""Checks of declared sizes against plausible limits, before any memory or time is spent."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from glisson.errors import DamagedSlide, UnsupportedSlide
from glisson.slides.slide import SlideInfo

_MOST_SIDE_PX = 1 << 22
_MOST_SIDE_MM = 400.0
"""Whole-mount slides measure 150 to 200 mm."""
_MOST_TIMES_SMALLER = 100_000
"""Even a file of well compressed empty glass has a thousandth of its pixels' bytes."""
MOST_TILE_PX = 1 << 26
"""Pixels in one tile or strip: 200 MB."""
_MOST_XML_BYTES = 64 << 20


def check_size(info: SlideInfo) -> None:
    """Reject implausible sizes.

    Raises:
        UnsupportedSlide: a side over 4 million pixels or 400 mm, or without pixels.
    """
    size, pixel = info.size_l0, info.pixel_size
    sides_mm = (size.width * pixel.x_um / 1000, size.height * pixel.y_um / 1000)
    fits = max(sides_mm) <= _MOST_SIDE_MM and max(size.width, size.height) <= _MOST_SIDE_PX
    if not fits or min(size.width, size.height) < 1:
        raise UnsupportedSlide(
            f"{info.name} declares {size.width} x {size.height} px, "
            f"{sides_mm[0]:.0f} x {sides_mm[1]:.0f} mm, which no slide has. If the µm per pixel "
            "are wrong, give them with --mpp."
        )


def check_declared(
    path: Path, width_px: int, height_px: int, file_bytes: int | None = None
) -> None:
    """Reject a file that is too small for its declared pixels.

    Args:
        path: the file; with `file_bytes` it need not exist.
        width_px: declared width.
        height_px: declared height.
        file_bytes: size of a file that is not local.

    Raises:
        DamagedSlide: the RGB pixels have over 100,000 times the file's bytes.
    """
    size = path.stat().st_size if file_bytes is None else file_bytes
    if 3 * width_px * height_px > _MOST_TIMES_SMALLER * size:
        raise DamagedSlide(
            f"{path} declares {width_px} x {height_px} px and is far too small to hold them. "
            "Copy it again from its source."
        )


def parse_xml(xml: str, where: str) -> ElementTree.Element:
    """Parse an XML text and return its root; reject entities, which can grow without bound.

    Raises:
        DamagedSlide: invalid XML, over 64 MiB, or with a document type.
    """
    if len(xml) > _MOST_XML_BYTES or "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise DamagedSlide(
            f"{where}: its XML is too large or declares entities. Convert it to another format."
        )
    try:
        return ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError) as error:
        raise DamagedSlide(f"{where}: its XML cannot be read: {error}.") from error
