"""Philips TIFF: whole tiles, and the pixel size in an XML description."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import tifffile

from glisson.frames import PixelSize
from glisson_phantom.writing.pyramid import Level, SlideDetails, SpooledPyramid
from glisson_phantom.writing.tiff import is_big, write_level

# Readers recognise the format by the first words.
_SOFTWARE = "Philips DP v1.0 style, written by Glisson"
# Group, element and type of each attribute, as scanners write them.
_TAGS = {
    "DICOM_MANUFACTURER": ("0x0008", "0x0070", "IString"),
    "DICOM_DERIVATION_DESCRIPTION": ("0x0008", "0x2111", "IString"),
    "DICOM_PIXEL_SPACING": ("0x0028", "0x0030", "IDoubleArray"),
    "PIM_DP_SCANNED_IMAGES": ("0x301D", "0x1003", "IDataObjectArray"),
    "PIM_DP_IMAGE_TYPE": ("0x301D", "0x1004", "IString"),
    "PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE": ("0x1001", "0x8B01", "IDataObjectArray"),
    "PIIM_PIXEL_DATA_REPRESENTATION_NUMBER": ("0x1001", "0x8B02", "IUInt16"),
    "PIIM_PIXEL_DATA_REPRESENTATION_COLUMNS": ("0x2001", "0x115E", "IUInt32"),
    "PIIM_PIXEL_DATA_REPRESENTATION_ROWS": ("0x2001", "0x115D", "IUInt32"),
    "PIIM_DP_PIXEL_DATA_REPRESENTATION_POSITION": ("0x101D", "0x100B", "IDoubleArray"),
}


def write_philips(path: Path, pyramid: SpooledPyramid, details: SlideDetails) -> None:
    """Write a Philips TIFF, which OpenSlide calls `philips`.

    As in scanners' files, whole tiles make up every level, and padding fills what the slide does
    not reach; so a level's scale comes from its pixel spacing, not from its size.
    """
    text = _describe(pyramid.levels, details)
    with tifffile.TiffWriter(path, bigtiff=is_big(pyramid.size_l0)) as tiff:
        for level in pyramid.levels:
            tags = {"description": text, "software": _SOFTWARE} if level.number == 0 else {}
            with pyramid.tiles(level) as tiles:
                write_level(tiff, tiles, level.padded_size, level, details.quality, **tags)


def _describe(levels: tuple[Level, ...], details: SlideDetails) -> str:
    pixel_size = details.pixel_size
    root = Element("DataObject", ObjectType="DPUfsImport")
    _add(root, "DICOM_MANUFACTURER", "Glisson")
    image = SubElement(_add_array(root, "PIM_DP_SCANNED_IMAGES"), "DataObject")
    image.set("ObjectType", "DPScannedImage")
    _add(image, "PIM_DP_IMAGE_TYPE", "WSI")
    if details.comment:
        _add(image, "DICOM_DERIVATION_DESCRIPTION", details.comment)
    _add(image, "DICOM_PIXEL_SPACING", _format_spacing(pixel_size, 1))
    representations = _add_array(image, "PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE")
    for level in levels:
        _add_level(representations, level, pixel_size)
    return ElementTree.tostring(root, encoding="unicode")


def _add_level(parent: Element, level: Level, pixel_size: PixelSize) -> None:
    size = level.padded_size
    entry = SubElement(parent, "DataObject", ObjectType="PixelDataRepresentation")
    _add(entry, "DICOM_PIXEL_SPACING", _format_spacing(pixel_size, level.downsample))
    _add(entry, "PIIM_DP_PIXEL_DATA_REPRESENTATION_POSITION", '"0" "0" "0"')
    _add(entry, "PIIM_PIXEL_DATA_REPRESENTATION_COLUMNS", str(size.width))
    _add(entry, "PIIM_PIXEL_DATA_REPRESENTATION_NUMBER", str(level.number))
    _add(entry, "PIIM_PIXEL_DATA_REPRESENTATION_ROWS", str(size.height))


def _format_spacing(pixel_size: PixelSize, downsample: int) -> str:
    """Format mm per pixel, rows before columns as in DICOM."""
    row_mm, column_mm = (um * downsample / 1000 for um in (pixel_size.y_um, pixel_size.x_um))
    return f'"{row_mm:.12f}" "{column_mm:.12f}"'


def _add_array(parent: Element, name: str) -> Element:
    return SubElement(_add(parent, name), "Array")


def _add(parent: Element, name: str, text: str | None = None) -> Element:
    group, element, kind = _TAGS[name]
    added = SubElement(parent, "Attribute", Name=name, Group=group, Element=element, PMSVR=kind)
    added.text = text
    return added
