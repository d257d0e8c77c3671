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

from glisson.classes import CLASSES, PORTAL
from glisson.errors import SettingsError
from glisson.files.atomic import atomic_path
from glisson.frames import BoxPx, Frame, PixelSize, Size
from glisson.masks.blocks import BLOCK_PX, BlockIndex, assemble_crop, find_boxes
from glisson.regions import LabelMap
from glisson.slides.plausible import check_declared, parse_xml

_TILE_PX = BLOCK_PX
_COARSEST_PX = 2048

Labels = NDArray[np.uint8]


class SizedLabelMap(LabelMap, Protocol):
    """A class map that knows its slide's size."""

    @property
    def size_px(self) -> Size:
        """The slide on the map's grid."""
        ...


def write_class_map(path: Path, class_map: SizedLabelMap) -> None:
    """Write classes as uint8 indices, 0 background, 1 lobule, 2 portal.

    Written tile by tile: memory does not grow with the slide. Each coarser level keeps
    every second pixel, so that indices stay indices.

    Raises:
        OutputError: the file cannot be written.
    """
    size = class_map.size_px
    steps = _steps(size)
    with (
        atomic_path(path) as unfinished,
        tifffile.TiffWriter(unfinished, ome=True, bigtiff=False) as tiff,
    ):
        for number, step in enumerate(steps):
            tiff.write(
                _tiles(class_map, size, step),
                shape=(-(-size.height // step), -(-size.width // step)),
                dtype=np.uint8,
                tile=(_TILE_PX, _TILE_PX),
                photometric="minisblack",
                compression="adobe_deflate",
                subifds=len(steps) - 1 if number == 0 else None,
                subfiletype=0 if number == 0 else 1,
                metadata=_metadata(class_map) if number == 0 else None,
                software="Glisson",
            )


@dataclass(frozen=True)
class StoredCrop:
    """A rectangle of a class map that was read back.

    Attributes:
        labels: (H, W) uint8 class indices.
        portal_probability: (H, W) float32; 1 in portal and 0 elsewhere, as files hold classes.
    """

    labels: Labels
    portal_probability: NDArray[np.float32]


class StoredClassMap:
    """A class map from a file, kept in compressed blocks where tissue is.

    Attributes:
        frame: the grid.
        size_px: the slide on that grid.
    """

    def __init__(self, frame: Frame, size_px: Size, blocks: dict[BlockIndex, bytes]) -> None:
        self.frame = frame
        self.size_px = size_px
        self._blocks = blocks

    def boxes(self) -> tuple[BoxPx, ...]:
        """Disjoint boxes that hold all tissue."""
        return find_boxes(self._blocks)

    def crop(self, box_px: BoxPx) -> StoredCrop:
        """Classes inside a box, which may reach beyond the slide."""
        labels = assemble_crop(box_px, self._block, np.uint8)
        return StoredCrop(labels, (labels == PORTAL.index).astype(np.float32))

    def _block(self, index: BlockIndex) -> Labels | None:
        packed = self._blocks.get(index)
        if packed is None:
            return None
        return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(BLOCK_PX, BLOCK_PX)


def read_class_map(path: Path, pixel_size: PixelSize) -> StoredClassMap:
    """Read a class map that `write_class_map` wrote, tile by tile.

    Args:
        path: the OME-TIFF.
        pixel_size: µm per level-0 pixel of the slide.

    Raises:
        SettingsError: the file is missing, or is no class map of Glisson.
    """
    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            frame = Frame(pixel_size, _mpp(tiff.ome_metadata or ""))
            if page.dtype != np.uint8 or (page.tilelength, page.tilewidth) != (_TILE_PX, _TILE_PX):
                raise ValueError("its tiles are not those of a class map")
            check_declared(path, page.imagewidth, page.imagelength)
            return StoredClassMap(frame, Size(page.imagewidth, page.imagelength), _blocks(page))
    except Exception as error:  # tifffile raises struct.error, KeyError, TypeError ...
        raise SettingsError(
            f"{path} cannot be read as a class map: {error}. Segment the slide again."
        ) from error


def _mpp(ome_xml: str) -> float:
    """µm per pixel, as the file says."""
    for element in parse_xml(ome_xml, "the class map").iter():
        if element.tag.endswith("Pixels"):
            return float(element.attrib["PhysicalSizeX"])
    raise ValueError("it names no pixel size")


def _blocks(page: tifffile.TiffPage) -> dict[BlockIndex, bytes]:
    """Tiles that hold tissue, packed, by (row, column)."""
    blocks: dict[BlockIndex, bytes] = {}
    for tile, place, _ in page.segments():
        if tile is None or not tile.any():
            continue
        block = np.zeros((_TILE_PX, _TILE_PX), np.uint8)
        labels = tile.reshape(tile.shape[-3:-1])
        block[: labels.shape[0], : labels.shape[1]] = labels
        blocks[place[-3] // _TILE_PX, place[-2] // _TILE_PX] = zlib.compress(block.tobytes(), 1)
    return blocks


def _steps(size: Size) -> list[int]:
    steps = [1]
    while max(size.width, size.height) // steps[-1] > _COARSEST_PX:
        steps.append(steps[-1] * 2)
    return steps


def _metadata(class_map: SizedLabelMap) -> dict[str, object]:
    frame = class_map.frame
    names = ", ".join(f"{c.index} {c.name}" for c in CLASSES)
    return {
        "axes": "YX",
        "UUID": _uuid(class_map),
        "Name": "Glisson class map",
        "PhysicalSizeX": frame.mpp,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": frame.mpp,
        "PhysicalSizeYUnit": "µm",
        "Description": f"Class indices: {names}",
    }


def _uuid(class_map: SizedLabelMap) -> str:
    """A UUID that follows from the classes, so that the same map is the same bytes."""
    digest = hashlib.sha256()  # processors have instructions for it: twice as fast as BLAKE2
    for box in class_map.boxes():
        digest.update(repr(box).encode())
        digest.update(class_map.crop(box).labels.tobytes())
    return f"urn:uuid:{uuid.UUID(bytes=digest.digest()[:16], version=4)}"


def _tiles(class_map: SizedLabelMap, size: Size, step: int) -> Iterator[bytes]:
    """Full tiles of a level, packed; that of glass is packed once, however much of it there is."""
    side = _TILE_PX * step
    glass = _packed(np.zeros((_TILE_PX, _TILE_PX), np.uint8))
    occupied = class_map.boxes()
    for top in range(0, size.height, side):
        for left in range(0, size.width, side):
            box = BoxPx(left, top, side, side)
            if any(_overlap(box, other) for other in occupied):
                yield _packed(_cut(class_map.crop(box).labels[::step, ::step], side, step))
            else:
                yield glass


def _packed(labels: Labels) -> bytes:
    """Classes come in runs: looking for nothing else takes half of the time, and packs better."""
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    return packer.compress(labels.tobytes()) + packer.flush()


def _cut(labels: Labels, side: int, step: int) -> Labels:
    """Padded to a full tile where a crop ends with the map."""
    wanted = side // step
    if labels.shape == (wanted, wanted):
        return labels
    return np.pad(labels, ((0, wanted - labels.shape[0]), (0, wanted - labels.shape[1])))


def _overlap(one: BoxPx, other: BoxPx) -> bool:
    return (
        one.x_px < other.x_px + other.width_px
        and other.x_px < one.x_px + one.width_px
        and one.y_px < other.y_px + other.height_px
        and other.y_px < one.y_px + one.height_px
    )
