"""The class map as a tiled, pyramidal OME-TIFF."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, CLASSES, PORTAL
from glisson.errors import SettingsError
from glisson.files.atomic import atomic_path
from glisson.frames import BoxPx, Frame, PixelSize, Size
from glisson.masks.blocks import BLOCK_PX, BlockIndex, assemble_crop, find_boxes
from glisson.regions import LabelMap
from glisson.slides.plausible import check_declared, parse_xml

_TILE_PX = BLOCK_PX
_COARSEST_PX = 2048
_UM_PER_CM = 1e4
_GLASS_COLOUR = (255, 255, 255)

Labels = NDArray[np.uint8]


class SizedLabelMap(LabelMap, Protocol):
    """A class map with its slide's size."""

    @property
    def size_px(self) -> Size:
        """Return the slide's size on the map's grid."""
        ...


def write_class_map(path: Path, class_map: SizedLabelMap) -> None:
    """Write classes as uint8 indices, 0 background, 1 lobule, 2 portal.

    The file is written by tiles, so that memory does not grow with the slide. Each coarser level
    has every second pixel, so that indices stay indices. A palette shows the indices as colours,
    and the TIFF resolution repeats the µm per pixel of the OME metadata.

    Raises:
        OutputError: the file cannot be written.
    """
    size = class_map.size_px
    steps = _list_steps(size)
    with (
        atomic_path(path) as unfinished,
        tifffile.TiffWriter(unfinished, ome=True, bigtiff=False) as tiff,
    ):
        for number, step in enumerate(steps):
            tiff.write(
                _encode_tiles(class_map, size, step),
                shape=(-(-size.height // step), -(-size.width // step)),
                dtype=np.uint8,
                tile=(_TILE_PX, _TILE_PX),
                photometric="palette",
                colormap=_make_palette(),
                resolution=(_UM_PER_CM / (class_map.frame.mpp * step),) * 2,
                resolutionunit="CENTIMETER",
                compression="adobe_deflate",
                subifds=len(steps) - 1 if number == 0 else None,
                subfiletype=0 if number == 0 else 1,
                metadata=_make_metadata(class_map) if number == 0 else None,
                software="Glisson",
            )


@dataclass(frozen=True)
class StoredCrop:
    """A rectangle of a class map.

    Attributes:
        labels: (H, W) uint8 class indices.
        portal_probability: (H, W) float32; 1 in portal and 0 elsewhere, since files hold no
            probabilities.
    """

    labels: Labels
    portal_probability: NDArray[np.float32]


class StoredClassMap:
    """A class map from a file, held in compressed blocks where tissue is.

    Attributes:
        frame: the grid.
        size_px: the slide on that grid.
    """

    def __init__(self, frame: Frame, size_px: Size, blocks: dict[BlockIndex, bytes]) -> None:
        self.frame = frame
        self.size_px = size_px
        self._blocks = blocks

    def boxes(self) -> tuple[BoxPx, ...]:
        """Return disjoint boxes that hold all tissue."""
        return find_boxes(self._blocks)

    def crop(self, box_px: BoxPx) -> StoredCrop:
        """Return the classes inside a box, which may reach beyond the slide."""
        labels = assemble_crop(box_px, self._block, np.uint8)
        return StoredCrop(labels, (labels == PORTAL.index).astype(np.float32))

    def _block(self, index: BlockIndex) -> Labels | None:
        packed = self._blocks.get(index)
        if packed is None:
            return None
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(BLOCK_PX, BLOCK_PX)


def read_class_map(path: Path, pixel_size: PixelSize) -> StoredClassMap:
    """Read a class map that `write_class_map` wrote, by tiles.

    Args:
        path: the OME-TIFF.
        pixel_size: µm per level-0 pixel of the slide.

    Raises:
        SettingsError: the file is missing, or is no class map of Glisson's.
    """
    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            frame = Frame(pixel_size, _read_mpp(tiff.ome_metadata or ""))
            if page.dtype != np.uint8 or (page.tilelength, page.tilewidth) != (_TILE_PX, _TILE_PX):
                raise ValueError("its tiles are not those of a class map")
            check_declared(path, page.imagewidth, page.imagelength)
            return StoredClassMap(
                frame, Size(page.imagewidth, page.imagelength), _read_blocks(page)
            )
    except Exception as error:  # tifffile raises struct.error, KeyError, TypeError ...
        raise SettingsError(
            f"{path} cannot be read as a class map: {error}. Segment the slide again."
        ) from error


def _read_mpp(ome_xml: str) -> float:
    """Return the file's µm per pixel."""
    for element in parse_xml(ome_xml, "the class map").iter():
        if element.tag.endswith("Pixels"):
            return float(element.attrib["PhysicalSizeX"])
    raise ValueError("it names no pixel size")


def _read_blocks(page: tifffile.TiffPage) -> dict[BlockIndex, bytes]:
    """Return the tiles that hold tissue, compressed, by (row, column)."""
    blocks: dict[BlockIndex, bytes] = {}
    for tile, place, _ in page.segments():
        if tile is None or not tile.any():
            continue
        block = np.zeros((_TILE_PX, _TILE_PX), np.uint8)
        labels = tile.reshape(tile.shape[-3:-1])
        block[: labels.shape[0], : labels.shape[1]] = labels
        blocks[place[-3] // _TILE_PX, place[-2] // _TILE_PX] = zlib.compress(block.tobytes(), 1)
    return blocks


def _make_palette() -> NDArray[np.uint16]:
    """Return TIFF's (3, 256) 16-bit colours: glass is white, classes have their own colours."""
    palette = np.zeros((3, 256), np.uint16)
    for each in CLASSES:
        colour = _GLASS_COLOUR if each is BACKGROUND else each.colour
        palette[:, each.index] = np.array(colour, np.uint16) * 257
    return palette


def _list_steps(size: Size) -> list[int]:
    """List each level's distance between pixels."""
    steps = [1]
    while max(size.width, size.height) // steps[-1] > _COARSEST_PX:
        steps.append(steps[-1] * 2)
    return steps


def _make_metadata(class_map: SizedLabelMap) -> dict[str, object]:
    frame = class_map.frame
    names = ", ".join(f"{c.index} {c.name}" for c in CLASSES)
    return {
        "axes": "YX",
        "UUID": _make_uuid(class_map),
        "Name": "Glisson class map",
        "PhysicalSizeX": frame.mpp,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": frame.mpp,
        "PhysicalSizeYUnit": "µm",
        "Description": f"Class indices: {names}",
    }


def _make_uuid(class_map: SizedLabelMap) -> str:
    """Derive a UUID from the classes, so that the same map gives the same bytes."""
    digest = hashlib.sha256()  # processors have instructions for it: twice as fast as BLAKE2
    for box in class_map.boxes():
        digest.update(repr(box).encode())
        digest.update(class_map.crop(box).labels.tobytes())
    return f"urn:uuid:{uuid.UUID(bytes=digest.digest()[:16], version=4)}"


def _encode_tiles(class_map: SizedLabelMap, size: Size, step: int) -> Iterator[bytes]:
    """Yield a level's full tiles, compressed; the tile of glass is compressed only once."""
    side = _TILE_PX * step
    glass = _compress(np.zeros((_TILE_PX, _TILE_PX), np.uint8))
    occupied = class_map.boxes()
    for top in range(0, size.height, side):
        for left in range(0, size.width, side):
            box = BoxPx(left, top, side, side)
            if any(_do_overlap(box, other) for other in occupied):
                yield _compress(_pad(class_map.crop(box).labels[::step, ::step], side, step))
            else:
                yield glass


def _compress(labels: Labels) -> bytes:
    """Compress classes as runs: that takes half of the time and gives smaller files."""
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    return packer.compress(labels.tobytes()) + packer.flush()


def _pad(labels: Labels, side: int, step: int) -> Labels:
    """Pad to a full tile at the map's edge."""
    wanted = side // step
    if labels.shape == (wanted, wanted):
        return labels
    return np.pad(labels, ((0, wanted - labels.shape[0]), (0, wanted - labels.shape[1])))


def _do_overlap(one: BoxPx, other: BoxPx) -> bool:
    return (
        one.x_px < other.x_px + other.width_px
        and other.x_px < one.x_px + one.width_px
        and one.y_px < other.y_px + other.height_px
        and other.y_px < one.y_px + one.height_px
    )
