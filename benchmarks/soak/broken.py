"""Slides with various faults, and the reason that a run has to give for each fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

CRASHING = "crash"
"""Prefix of slides' names that make the reader abort (faults/sitecustomize.py)."""


@dataclass(frozen=True)
class Fault:
    """A way to break a slide.

    Attributes:
        name: prefix of the slides' names.
        break_it: function that makes `path` from the bytes of a good slide.
        reason: pattern of the run's reason, on a cluster or on this machine.
        ending: ending of the file's name.
    """

    name: str
    break_it: Callable[[Path, bytes], None]
    reason: str
    ending: str = ".svs"


def _truncate(path: Path, good: bytes) -> None:
    path.write_bytes(good[: len(good) // 3])


def _write_nothing(path: Path, good: bytes) -> None:
    path.write_bytes(b"")


def _write_random_bytes(path: Path, good: bytes) -> None:
    path.write_bytes(np.random.default_rng(len(good)).bytes(len(good)))


def _write_png(path: Path, good: bytes) -> None:
    Image.new("RGB", (300, 200), (230, 190, 210)).save(path, format="PNG")


def _remove_pixel_size(path: Path, good: bytes) -> None:
    path.write_bytes(good.replace(b"|MPP = 2", b"|XPP = 2"))


def _enlarge_pixel_size(path: Path, good: bytes) -> None:
    path.write_bytes(good.replace(b"|MPP = 2", b"|MPP = 9"))


def _erase_tiles(path: Path, good: bytes) -> None:
    """Overwrite the tiles of the finest level: the slide opens, but reading fails."""
    path.write_bytes(good)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    with path.open("r+b") as file:
        for offset, count in places:
            file.seek(offset)
            file.write(bytes(count))


def _link_to_nothing(path: Path, good: bytes) -> None:
    path.symlink_to(path.with_name("moved-elsewhere.svs"))


def _copy(path: Path, good: bytes) -> None:
    path.write_bytes(good)


def _write_grey(path: Path, good: bytes) -> None:
    pixels = np.random.default_rng(len(good)).integers(0, 4000, (600, 600), np.uint16)
    tifffile.imwrite(path, pixels, resolution=(5000, 5000), resolutionunit="CENTIMETER")


def _enlarge_size(path: Path, good: bytes) -> None:
    """Declare 4,000,000 px of width and height over the tiles of a small slide."""
    path.write_bytes(good)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for tag in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[tag].overwrite(4_000_000)


def _make_folder(path: Path, good: bytes) -> None:
    path.mkdir()


DELETED = Fault("deleted", _copy, "does not exist|cannot be read: No such file")
"""A good slide that the soak test deletes during the run."""

FAULTS = (
    Fault("truncated", _truncate, "is not a slide|truncated|cannot be read"),
    Fault("empty", _write_nothing, "is empty"),
    Fault("random", _write_random_bytes, "is not a slide"),
    Fault("wrong-suffix", _write_png, "is not a slide"),
    Fault("no-pixel-size", _remove_pixel_size, "does not say how large its pixels are"),
    Fault("absurd-pixel-size", _enlarge_pixel_size, "9 x 9 µm, outside"),
    Fault("damaged-inside", _erase_tiles, "of its tissue cannot be read|cannot be read"),
    Fault("dangling", _link_to_nothing, "does not exist"),
    Fault("grey", _write_grey, "pixels|does not say how large", ".tif"),
    Fault("absurd-size", _enlarge_size, "cannot be read|is not a slide|damaged"),
    Fault("folder", _make_folder, "holds no DICOM|is a folder|no slide"),
    Fault(CRASHING, _copy, "every worker that took it died|its process crashed"),
    DELETED,
)


def make_broken_slides(folder: Path, good: list[Path], count: int) -> dict[Path, Fault]:
    """Make `count` broken slides: every fault once, and the first faults again."""
    again = FAULTS[: count - len(FAULTS)]
    found: dict[Path, Fault] = {}
    for number, fault in enumerate((*FAULTS, *again)):
        path = folder / f"{fault.name}-{number}{fault.ending}"
        if not path.exists() and not path.is_symlink():
            fault.break_it(path, good[number].read_bytes() + b" " * number)
        found[path] = fault
    return found
