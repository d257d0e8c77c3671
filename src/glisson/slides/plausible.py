"""What a file declares, compared with what can be: before memory and time are spent on it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from glisson.errors import DamagedSlide, UnsupportedSlide
from glisson.slides.slide import SlideInfo

_MOST_SIDE_PX = 1 << 22
_MOST_SIDE_MM = 400.0
"""Whole-mount slides have 150 to 200 mm."""
_MOST_TIMES_SMALLER = 100_000
"""A file of the best compressed glass has a thousandth of its pixels' bytes."""
MOST_TILE_PX = 1 << 26
"""Pixels that are packed in one piece: 200 MB."""
_MOST_XML_BYTES = 64 << 20


def check_size(info: SlideInfo) -> None:
    """Refuse sizes that no slide has.

    Raises:
        UnsupportedSlide: more than 4 million pixels or 400 mm a side, or none at all.
    """
    size, pixel = info.size_l0, info.pixel_size
    sides_mm = (size.width * pixel.x_um / 1000, size.height * pixel.y_um / 1000)
    fits = max(sides_mm) <= _MOST_SIDE_MM and max(size.width, size.height) <= _MOST_SIDE_PX
    if not fits or min(size.width, size.height) < 1:
        raise UnsupportedSlide(
            f"{info.name} says that it has {size.width} x {size.height} px, "
            f"{sides_mm[0]:.0f} x {sides_mm[1]:.0f} mm. No slide has; if its µm per pixel are "
            "wrong, give them with --mpp."
        )


def check_declared(
    path: Path, width_px: int, height_px: int, file_bytes: int | None = None
) -> None:
    """Refuse a file that is too small for the pixels that it declares.

    Args:
        path: what the file is called by, and where it is unless `file_bytes` tells its size.
        width_px: declared.
        height_px: declared.
        file_bytes: of a file elsewhere.

    Raises:
        DamagedSlide: RGB pixels of more than 100,000 times its bytes.
    """
    size = path.stat().st_size if file_bytes is None else file_bytes
    if 3 * width_px * height_px > _MOST_TIMES_SMALLER * size:
        raise DamagedSlide(
            f"{path} says that it has {width_px} x {height_px} px, and is far too small to hold "
            "them. Copy it again from its source."
        )


def xml_root(xml: str, where: str) -> ElementTree.Element:
    """Root of an XML text, without entities, which can grow without bound.

    Raises:
        DamagedSlide: not XML, larger than 64 MiB, or with a document type.
    """
    if len(xml) > _MOST_XML_BYTES or "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise DamagedSlide(f"{where}: its XML is too large or declares entities; it is not read.")
    try:
        return ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError) as error:
        raise DamagedSlide(f"{where}: its XML cannot be read: {error}.") from error
