"""The images that an OME-TIFF's XML names, each with its own pages and pixel size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import tifffile

from glisson.errors import UnsupportedSlide
from glisson.slides.plausible import parse_xml
from glisson.slides.tiff_image import Page, TiffImage, TiffLevel, join_levels, with_problem
from glisson.slides.units import find_um_per_unit

_MOST_IMAGES = 1000
_COLOURS = {0xFF0000FF: "r", 0x00FF00FF: "g", 0x0000FFFF: "b"}
_LETTERS = {"red": "r", "green": "g", "blue": "b", "r": "r", "g": "g", "b": "b"}
_FLUORESCENT = ("Fluor", "EmissionWavelength", "ExcitationWavelength")


def list_ome_images(tiff: tifffile.TiffFile, path: Path) -> list[TiffImage]:
    """List the images of an OME-TIFF whose pixels lie in this file.

    Raises:
        DamagedSlide: the XML cannot be read.
        UnsupportedSlide: the pixels lie in other files, or there are over 1,000 images.
    """
    root = parse_xml(tiff.ome_metadata or "", path.name)
    elements = [each for each in root if _tag(each) == "Image"]
    if len(elements) > _MOST_IMAGES:
        raise UnsupportedSlide(f"{path} names {len(elements)} images. Export the scan alone.")
    own = _OwnFile(root, path)
    found = []
    for number, element in enumerate(elements):
        pixels = next((each for each in element if _tag(each) == "Pixels"), None)
        if pixels is None or not own.holds(pixels):
            continue
        planes = _find_planes(tiff, pixels)
        if planes:
            found.append(_make_image(number, element.get("Name") or "", pixels, planes))
    if not found:
        raise UnsupportedSlide(
            f"{path} holds the description of images whose pixels lie in other files. "
            "Convert all of them to one file, for example with bfconvert."
        )
    return found


class _OwnFile:
    """Tells which pixels lie in this file: an OME-TIFF may refer to others by UUID and name."""

    def __init__(self, root: Element, path: Path) -> None:
        self._uuid = root.get("UUID")
        self._name = path.name.casefold()
        self._known = {each.text for each in root.iter() if _tag(each) == "UUID"}

    def holds(self, pixels: Element) -> bool:
        """Return whether an image's pixels lie in this file; a file may have been renamed."""
        for each in pixels.iter():
            if _tag(each) == "UUID" and each.text != self._uuid:
                alone = self._uuid is None and len(self._known) == 1
                if not alone and each.get("FileName", "").casefold() != self._name:
                    return False
        return True


def _find_planes(tiff: tifffile.TiffFile, pixels: Element) -> list[Page]:
    """Return an image's pages in the order of its channels; of a stack, all its pages."""
    samples = max((int(c.get("SamplesPerPixel", 1)) for c in _channels(pixels)), default=1)
    total = len(tiff.pages)
    planes: dict[int, Page] = {}
    for data in (each for each in pixels if _tag(each) == "TiffData"):
        first = int(data.get("IFD", 0))
        default = 1 if "IFD" in data.attrib else total
        count = int(data.get("PlaneCount", data.get("NumPlanes", default)))
        place = int(data.get("FirstC", 0)) // samples
        if int(data.get("FirstZ", 0)) or int(data.get("FirstT", 0)):
            place = len(planes) + place
        for step in range(min(count, max(total - first, 0))):
            planes[place + step] = tiff.pages[first + step]
    return [planes[place] for place in sorted(planes)]


def _make_image(number: int, name: str, pixels: Element, planes: Sequence[Page]) -> TiffImage:
    order, problem = _order_colours(pixels, planes)
    pages = [planes[place] for place in order]
    finest = TiffLevel(tuple(pages))
    reduced = [
        TiffLevel(tuple(level))
        for level in zip(*(page.pages or () for page in pages), strict=False)
    ]
    image = TiffImage(
        number, name, join_levels(finest, reduced), _parse_size(pixels), problem=problem
    )
    return with_problem(image)


def _order_colours(pixels: Element, planes: Sequence[Page]) -> tuple[list[int], str | None]:
    """Return which planes are red, green and blue, and why they are no colour picture, or None."""
    if len(planes) == 1:
        return [0], None
    stack = [int(pixels.get(f"Size{axis}", 1)) for axis in "ZT"]
    if max(stack) > 1:
        return [0], f"is a stack of {stack[0]} layers and {stack[1]} times; export one plane of it"
    channels = list(_channels(pixels))
    if len(planes) != 3:
        return [0], f"holds {len(planes)} channels in planes of their own, instead of RGB"
    if any(_is_fluorescent(channel) for channel in channels):
        return [0], "holds fluorescence channels, and Glisson measures H&E"
    for letters in (
        [_LETTERS.get((channel.get("Name") or "").strip().casefold()) for channel in channels],
        [_COLOURS.get(int(channel.get("Color", 0)) & 0xFFFFFFFF) for channel in channels],
    ):
        if sorted(map(str, letters)) == ["b", "g", "r"]:
            return [letters.index(letter) for letter in "rgb"], None
    names = [channel.get("Name") for channel in channels]
    if any(name and not re.fullmatch(r"(?i)(channel|c|ch)?[ :_-]*\d*", name) for name in names):
        return [0], f"holds the channels {', '.join(map(str, names))}, which do not say RGB"
    return [0, 1, 2], None


def _is_fluorescent(channel: Element) -> bool:
    kinds = (channel.get("ContrastMethod"), channel.get("IlluminationType"))
    modes = ("Fluorescence", "Epifluorescence")
    return any(key in channel.attrib for key in _FLUORESCENT) or any(k in modes for k in kinds)


def _channels(pixels: Element) -> Iterator[Element]:
    return (each for each in pixels if _tag(each) == "Channel")


def _parse_size(pixels: Element) -> tuple[float, float] | None:
    """Return µm per pixel (x, y) of an image; None if it gives no length."""
    sizes = []
    for axis in "XY":
        um = find_um_per_unit(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        try:
            size = float(pixels.get(f"PhysicalSize{axis}", ""))
        except ValueError:
            return None
        if um is None:
            return None
        sizes.append(float(f"{size * um:.10g}"))  # 1/25.4 mil is 1 µm
    return sizes[0], sizes[1]


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
