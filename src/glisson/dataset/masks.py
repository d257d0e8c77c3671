"""Masks as pictures, in the paper's three colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from glisson.classes import CLASSES
from glisson.dataset.labels import IGNORED, Labels
from glisson.errors import AnnotationError

_COLOURS = np.array([c.mask_colour for c in CLASSES], np.uint8)


def encode_mask(labels: Labels) -> NDArray[np.uint8]:
    """Paint (H, W) labels as (H, W, 3): black, red, white; ignored pixels are black."""
    return _COLOURS[np.where(labels == IGNORED, 0, labels)]


def decode_mask(picture: NDArray[np.uint8], where: str) -> Labels:
    """Return the (H, W) labels of an (H, W, 3) picture in the paper's colours.

    Raises:
        AnnotationError: another colour; the message names it and its place.
    """
    labels = np.full(picture.shape[:2], IGNORED, np.uint8)
    for index, colour in enumerate(_COLOURS):
        labels[(picture == colour).all(axis=2)] = index
    strange = np.argwhere(labels == IGNORED)
    if len(strange):
        y, x = strange[0]
        raise AnnotationError(
            f"{where}: {len(strange)} pixels are neither black, red nor white; the first, at "
            f"x {x}, y {y}, is {tuple(picture[y, x].tolist())}. Save masks as PNG, never as JPEG, "
            "and without smoothing."
        )
    return labels


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read an image file as (H, W, 3) uint8.

    Raises:
        AnnotationError: the file is missing or is no image.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise AnnotationError(f"{path} cannot be read as an image: {error}.") from error
