"""JPEG frames inside DICOM pixel data, spooled so that memory holds one batch at a time."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
from array import array
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import imagecodecs

from glisson_phantom.writing.pyramid import Pixels

_ITEM = (0xFFFE, 0xE000)
_SEQUENCE_END = (0xFFFE, 0xE0DD)
_PIXEL_DATA = (0x7FE0, 0x0010)
_UNDEFINED_LENGTH = 0xFFFFFFFF
_ITEM_HEADER_BYTES = 8
_MOST_BASIC_OFFSET = (1 << 32) - 1
_BATCH = 64


@dataclass(frozen=True)
class SpooledFrames:
    """A file of encoded frames as DICOM items.

    Attributes:
        path: the file.
        lengths: bytes of each frame, even as DICOM requires.
        digest: SHA-256 of the frames, in hex.
    """

    path: Path
    lengths: array[int]
    digest: str

    @property
    def encoded_bytes(self) -> int:
        """Return the bytes of all frames."""
        return sum(self.lengths)

    @property
    def offsets(self) -> Iterator[int]:
        """Yield the bytes from the first item to each frame's item."""
        offset = 0
        for length in self.lengths:
            yield offset
            offset += _ITEM_HEADER_BYTES + length

    @property
    def needs_extended_offsets(self) -> bool:
        """Return whether the offsets need more than 32 bits."""
        return self.path.stat().st_size > _MOST_BASIC_OFFSET

    def pack_extended_tables(self) -> tuple[bytes, bytes]:
        """Return the values of ExtendedOffsetTable and ExtendedOffsetTableLengths."""
        return _pack("Q", self.offsets), _pack("Q", self.lengths)


def jpeg_frames(tiles: Iterator[Pixels], quality: int) -> Iterator[bytes]:
    """Encode tiles as baseline JPEG in YCbCr 4:2:2, which DICOM calls YBR_FULL_422."""

    def encode(tile: Pixels) -> bytes:
        return bytes(
            imagecodecs.jpeg8_encode(
                tile, level=quality, colorspace="RGB", outcolorspace="YCBCR", subsampling=(2, 1)
            )
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # In batches, because `map` consumes its whole input before it yields anything.
        while batch := list(islice(tiles, _BATCH)):
            yield from pool.map(encode, batch)


def spool_frames(frames: Iterable[bytes], path: Path) -> SpooledFrames:
    """Write frames as consecutive items to `path`."""
    lengths, digest = array("Q"), hashlib.sha256()
    with path.open("wb") as file:
        for frame in frames:
            even = frame + b"\0" * (len(frame) % 2)
            file.write(_header(_ITEM, len(even)) + even)
            digest.update(even)
            lengths.append(len(even))
    return SpooledFrames(path, lengths, digest.hexdigest())


def write_pixel_data(file: BinaryIO, frames: SpooledFrames) -> None:
    """Append the PixelData element: the offset table, the frames, the end mark."""
    group, element = _PIXEL_DATA
    file.write(struct.pack("<HH2sHI", group, element, b"OB", 0, _UNDEFINED_LENGTH))
    # DICOM requires an empty basic table beside an extended table.
    table = b"" if frames.needs_extended_offsets else _pack("I", frames.offsets)
    file.write(_header(_ITEM, len(table)) + table)
    with frames.path.open("rb") as spooled:
        shutil.copyfileobj(spooled, file, 1 << 20)
    file.write(_header(_SEQUENCE_END, 0))


def _header(tag: tuple[int, int], length: int) -> bytes:
    return struct.pack("<HHI", *tag, length)


def _pack(code: str, values: Iterable[int]) -> bytes:
    numbers = list(values)
    return struct.pack(f"<{len(numbers)}{code}", *numbers)
