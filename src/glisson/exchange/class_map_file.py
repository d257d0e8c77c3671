"""The class map as a tiled, pyramidal OME-TIFF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray

from glisson.classes import CLASSES
from glisson.files import atomic_path
from glisson.frames import BoxPx, Frame, Size
from glisson.regions import LabelMap

_TILE_PX = 512
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
    size, frame = class_map.size_px, class_map.frame
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
                metadata=_metadata(frame) if number == 0 else None,
                software="Glisson",
            )


def _steps(size: Size) -> list[int]:
    steps = [1]
    while max(size.width, size.height) // steps[-1] > _COARSEST_PX:
        steps.append(steps[-1] * 2)
    return steps


def _metadata(frame: Frame) -> dict[str, object]:
    names = ", ".join(f"{c.index} {c.name}" for c in CLASSES)
    return {
        "axes": "YX",
        "Name": "Glisson class map",
        "PhysicalSizeX": frame.mpp,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": frame.mpp,
        "PhysicalSizeYUnit": "µm",
        "Description": f"Class indices: {names}",
    }


def _tiles(class_map: SizedLabelMap, size: Size, step: int) -> Iterator[Labels]:
    """Full tiles of a level; glass costs nothing but zeros."""
    side = _TILE_PX * step
    empty = np.zeros((_TILE_PX, _TILE_PX), np.uint8)
    occupied = class_map.boxes()
    for top in range(0, size.height, side):
        for left in range(0, size.width, side):
            box = BoxPx(left, top, side, side)
            if not any(_overlap(box, other) for other in occupied):
                yield empty
                continue
            yield np.ascontiguousarray(_cut(class_map.crop(box).labels[::step, ::step], side, step))


def _cut(labels: Labels, side: int, step: int) -> Labels:
    """Padded to a full tile where a crop ends with the map."""
    wanted = side // step
    return np.pad(labels, ((0, wanted - labels.shape[0]), (0, wanted - labels.shape[1])))


def _overlap(one: BoxPx, other: BoxPx) -> bool:
    return (
        one.x_px < other.x_px + other.width_px
        and other.x_px < one.x_px + one.width_px
        and one.y_px < other.y_px + other.height_px
        and other.y_px < one.y_px + one.height_px
    )
