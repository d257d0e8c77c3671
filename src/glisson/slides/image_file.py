"""Plain PNG, JPEG and TIFF images as slides; they never say how large their pixels are."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from glisson.errors import DamagedSlide, GlissonError, UnsupportedSlide
from glisson.frames import PixelSize
from glisson.slides.base import Pixels
from glisson.slides.memory import InMemorySlide
from glisson.slides.pixel_size import chosen_pixel_size
from glisson.slides.slide import PixelSizeSource

# Pillow logs the values of a TIFF's tags, patients' names among them, to whoever asks for DEBUG.
logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.INFO)

_MOST_PIXELS = 178_956_970
"""Pillow's own limit for what may be a bomb."""
_FORMATS = ("PNG", "JPEG", "TIFF")


def open_image(path: Path, mpp: float | tuple[float, float] | None) -> InMemorySlide:
    """A plain image as a slide in memory.

    Raises:
        UnsupportedSlide: not an image, not 8-bit colour, or larger than 178 megapixels.
        DamagedSlide: the image ends early.
        MissingPixelSize: no `mpp`.
    """
    try:
        rgb, pixel_size, source, name = _read(path, mpp)
    except GlissonError:
        raise
    except UnidentifiedImageError as error:
        raise UnsupportedSlide(
            f"{path} is neither a slide that OpenSlide reads nor an OME-TIFF, PNG, JPEG or TIFF."
        ) from error
    except Image.DecompressionBombError as error:
        raise UnsupportedSlide(
            f"{path} has more than {_MOST_PIXELS / 1e6:.0f} megapixels, too many for a plain "
            "image; convert it to a pyramidal TIFF, for example with libvips."
        ) from error
    except Exception as error:  # Pillow's readers raise ValueError, struct.error, KeyError ...
        raise DamagedSlide(
            f"{path} cannot be read: {error}. Copy it again from its source."
        ) from error
    return InMemorySlide(
        rgb, pixel_size, path.stem, path=path, format=name, pixel_size_source=source
    )


def _read(
    path: Path, mpp: float | tuple[float, float] | None
) -> tuple[Pixels, PixelSize, PixelSizeSource, str]:
    """Pixels, their size and where it comes from, and the reader's name."""
    with Image.open(path, formats=_FORMATS) as image:
        _check(path, image)
        pixel_size, source = chosen_pixel_size(None, mpp, path.name)
        name = f"image:{(image.format or 'unknown').lower()}"
        return np.asarray(image.convert("RGB")), pixel_size, source, name


def _check(path: Path, image: Image.Image) -> None:
    if image.width * image.height > _MOST_PIXELS:
        raise UnsupportedSlide(
            f"{path} has {image.width} x {image.height} pixels, too many for a plain image; "
            "convert it to a pyramidal TIFF, for example with libvips."
        )
    if image.mode not in ("RGB", "RGBA", "P", "CMYK", "YCbCr"):
        raise UnsupportedSlide(
            f"{path} holds {image.mode} pixels; a colour image of 8 bits a channel is needed."
        )
