"""Plain PNG, JPEG and TIFF images as slides; they never say how large their pixels are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from glisson.errors import DamagedSlide, UnsupportedSlide
from glisson.slides.memory import InMemorySlide
from glisson.slides.pixel_size import chosen_pixel_size

_MOST_PIXELS = 1 << 28
_FORMATS = ("PNG", "JPEG", "TIFF")


def open_image(path: Path, mpp: float | tuple[float, float] | None) -> InMemorySlide:
    """A plain image as a slide in memory.

    Raises:
        UnsupportedSlide: not an image, not 8-bit colour, or larger than 268 megapixels.
        DamagedSlide: the image ends early.
        MissingPixelSize: no `mpp`.
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            _check(path, image)
            pixel_size, source = chosen_pixel_size(None, mpp, path.name)
            rgb = np.asarray(image.convert("RGB"))
            name = f"image:{(image.format or 'unknown').lower()}"
    except UnidentifiedImageError as error:
        raise UnsupportedSlide(
            f"{path} is neither a slide that OpenSlide reads nor an OME-TIFF, PNG, JPEG or TIFF."
        ) from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DamagedSlide(
            f"{path} cannot be read: {error}. Copy it again from its source."
        ) from error
    return InMemorySlide(
        rgb, pixel_size, path.stem, path=path, format=name, pixel_size_source=source
    )


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
