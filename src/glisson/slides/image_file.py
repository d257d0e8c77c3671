"""Plain PNG, JPEG and TIFF images as slides; the user gives their pixel size."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from glisson.errors import DamagedSlide, GlissonError, UnsupportedSlide
from glisson.slides.memory import InMemorySlide
from glisson.slides.pixel_size import choose_pixel_size

# At level DEBUG Pillow logs the values of TIFF tags, which may hold patients' names.
logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.INFO)

MOST_PIXELS = 178_956_970
"""Pillow's own limit against decompression bombs."""
_FORMATS = ("PNG", "JPEG", "TIFF")


def open_image(
    path: Path,
    mpp: float | tuple[float, float] | None,
    size_um: tuple[float, float] | None = None,
) -> InMemorySlide:
    """Read a plain image as a slide in memory; transparent pixels become white.

    Args:
        path: the image.
        mpp: as `open_slide`.
        size_um: µm per pixel (x, y) that the file gives, or None.

    Raises:
        UnsupportedSlide: not an image, not 8-bit colour, or larger than 178 megapixels.
        DamagedSlide: the image ends early.
        MissingPixelSize: no `mpp`.
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            _check(path, image)
            pixel_size, source = choose_pixel_size(size_um, mpp, path.name)
            name = f"image:{(image.format or 'unknown').lower()}"
            rgb = np.asarray(_flatten(image))
    except GlissonError:
        raise
    except UnidentifiedImageError as error:
        raise UnsupportedSlide(
            f"{path} is neither a slide that OpenSlide reads nor an OME-TIFF, PNG, JPEG or TIFF."
        ) from error
    except Image.DecompressionBombError as error:
        raise UnsupportedSlide(
            f"{path} has more than {MOST_PIXELS / 1e6:.0f} megapixels, too many for a plain "
            "image; convert it to a pyramidal TIFF, for example with libvips."
        ) from error
    except Exception as error:  # Pillow's readers raise ValueError, struct.error, KeyError ...
        raise DamagedSlide(
            f"{path} cannot be read: {error}. Copy it again from its source."
        ) from error
    return InMemorySlide(
        rgb, pixel_size, path.stem, path=path, format=name, pixel_size_source=source
    )


def _check(path: Path, image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise UnsupportedSlide(
            f"{path} has {image.width} x {image.height} pixels, too many for a plain image; "
            "convert it to a pyramidal TIFF, for example with libvips."
        )
    if image.mode not in ("RGB", "RGBA", "P", "CMYK", "YCbCr"):
        raise UnsupportedSlide(
            f"{path} holds {image.mode} pixels; Glisson needs a colour image of 8 bits per channel."
        )


def _flatten(image: Image.Image) -> Image.Image:
    """Return the image in RGB, on white where it is transparent."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    over = image.convert("RGBA")
    white = Image.new("RGBA", over.size, "white")
    return Image.alpha_composite(white, over).convert("RGB")
