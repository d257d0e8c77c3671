"""Slides that are broken, each in its way, and the reason that a run has to give for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

CRASHING = "crash"
"""How the name of a slide begins that makes the reader abort (faults/sitecustomize.py)."""


@dataclass(frozen=True)
class Fault:
    """A way to break a slide.

    Attributes:
        name: of the slides that are broken so.
        break_it: makes `path` from the bytes of a good slide.
        reason: a pattern of what the run has to say, on a cluster or here.
        ending: of the file's name.
    """

    name: str
    break_it: Callable[[Path, bytes], None]
    reason: str
    ending: str = ".svs"


def _truncated(path: Path, good: bytes) -> None:
    path.write_bytes(good[: len(good) // 3])


def _empty(path: Path, good: bytes) -> None:
    path.write_bytes(b"")


def _random(path: Path, good: bytes) -> None:
    path.write_bytes(np.random.default_rng(len(good)).bytes(len(good)))


def _wrong_suffix(path: Path, good: bytes) -> None:
    Image.new("RGB", (300, 200), (230, 190, 210)).save(path, format="PNG")


def _no_pixel_size(path: Path, good: bytes) -> None:
    path.write_bytes(good.replace(b"|MPP = 2", b"|XPP = 2"))


def _absurd_pixel_size(path: Path, good: bytes) -> None:
    path.write_bytes(good.replace(b"|MPP = 2", b"|MPP = 9"))


def _damaged_inside(path: Path, good: bytes) -> None:
    """Every tile of the finest level overwritten: opens, and cannot be read."""
    path.write_bytes(good)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    with path.open("r+b") as file:
        for offset, count in places:
            file.seek(offset)
            file.write(bytes(count))


def _dangling(path: Path, good: bytes) -> None:
    path.symlink_to(path.with_name("moved-elsewhere.svs"))


def _good(path: Path, good: bytes) -> None:
    path.write_bytes(good)


def _grey(path: Path, good: bytes) -> None:
    pixels = np.random.default_rng(len(good)).integers(0, 4000, (600, 600), np.uint16)
    tifffile.imwrite(path, pixels, resolution=(5000, 5000), resolutionunit="CENTIMETER")


def _absurd_size(path: Path, good: bytes) -> None:
    """Says that it is 4,000,000 px wide and high, with the tiles of a small one."""
    path.write_bytes(good)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for tag in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[tag].overwrite(4_000_000)


def _folder(path: Path, good: bytes) -> None:
    path.mkdir()


DELETED = Fault("deleted", _good, "does not exist|cannot be read: No such file")
"""Good until it is deleted while the run works."""

FAULTS = (
    Fault("truncated", _truncated, "is not a slide|truncated|cannot be read"),
    Fault("empty", _empty, "is empty"),
    Fault("random", _random, "is not a slide"),
    Fault("wrong-suffix", _wrong_suffix, "is not a slide"),
    Fault("no-pixel-size", _no_pixel_size, "does not say how large its pixels are"),
    Fault("absurd-pixel-size", _absurd_pixel_size, "9 x 9 µm, outside"),
    Fault("damaged-inside", _damaged_inside, "of its tissue cannot be read|cannot be read"),
    Fault("dangling", _dangling, "does not exist"),
    Fault("grey", _grey, "pixels|does not say how large", ".tif"),
    Fault("absurd-size", _absurd_size, "cannot be read|is not a slide|damaged"),
    Fault("folder", _folder, "holds no DICOM|is a folder|no slide"),
    Fault(CRASHING, _good, "every worker that took it died|its process crashed"),
    DELETED,
)


def broken_slides(folder: Path, good: list[Path], count: int) -> dict[Path, Fault]:
    """`count` broken slides among the good ones, every fault once and the cheap ones again."""
    again = FAULTS[: count - len(FAULTS)]
    found: dict[Path, Fault] = {}
    for number, fault in enumerate((*FAULTS, *again)):
        path = folder / f"{fault.name}-{number}{fault.ending}"
        if not path.exists() and not path.is_symlink():
            fault.break_it(path, good[number].read_bytes() + b" " * number)
        found[path] = fault
    return found
