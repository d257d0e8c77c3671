"""Flat slides whose classes can be read from their colours, and a model that reads them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from glisson.classes import CLASSES
from glisson.frames import BoxPx, Frame, PixelSize
from glisson.tissue import TissueMap

GLASS, LOBULE, PORTAL = (250, 250, 250), (220, 120, 180), (90, 40, 160)
COLOURS = np.array([GLASS, LOBULE, PORTAL], float)


class ColourModel:
    """A runtime that knows each class by its colour: the perfect model."""

    name = "colour"
    workers = 2
    windows_a_call = 3

    def __init__(self) -> None:
        self.windows = 0

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        self.windows += len(tiles)
        distance = np.abs(tiles[..., None, :].astype(float) - COLOURS).sum(-1)
        nearest = distance.argmin(-1)
        return np.eye(len(CLASSES), dtype=np.float32)[nearest].transpose(0, 3, 1, 2)


class ConstantModel:
    """A runtime that answers the same everywhere."""

    name = "constant"

    def __init__(
        self, probabilities: tuple[float, float, float], workers: int = 1, windows_a_call: int = 1
    ) -> None:
        self.workers, self.windows_a_call = workers, windows_a_call
        self._answer = np.array(probabilities, np.float32)[None, :, None, None]

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        shape = (len(tiles), len(CLASSES), *tiles.shape[1:3])
        return np.broadcast_to(self._answer, shape).astype(np.float32)


@dataclass(frozen=True)
class Crop:
    labels: np.ndarray
    portal_probability: np.ndarray


@dataclass(frozen=True)
class ArrayMap:
    """A class map held as one array."""

    frame: Frame
    labels: np.ndarray

    def boxes(self) -> tuple[BoxPx, ...]:
        return (BoxPx(0, 0, self.labels.shape[1], self.labels.shape[0]),)

    def crop(self, box_px: BoxPx) -> Crop:
        rows = slice(box_px.y_px, box_px.y_px + box_px.height_px)
        columns = slice(box_px.x_px, box_px.x_px + box_px.width_px)
        labels = self.labels[rows, columns]
        return Crop(labels, (labels == 2).astype(np.float32))


def coloured(labels: np.ndarray) -> np.ndarray:
    return COLOURS[labels].astype(np.uint8)


def everywhere(pixel_size: PixelSize, width_px: int, height_px: int, mpp: float) -> TissueMap:
    """A tissue map that calls the whole slide tissue."""
    mask = np.ones((height_px, width_px), bool)
    return TissueMap(mask, Frame(pixel_size, mpp), np.zeros(mask.shape, np.uint8), (255, 255, 255))


def disc(labels: np.ndarray, x: float, y: float, radius: float, value: int) -> None:
    rows, columns = np.indices(labels.shape) + 0.5
    labels[np.hypot(columns - x, rows - y) < radius] = value


def biopsy_labels(height: int = 700, width: int = 2400) -> np.ndarray:
    """A core with three whole tracts, one cut by the edge and one with a vein inside."""
    labels = np.zeros((height, width), np.uint8)
    labels[100:600, 100 : width - 100] = 1
    disc(labels, 400, 300, 60, 2)
    disc(labels, 900, 350, 90, 2)
    disc(labels, 900, 350, 20, 0)
    disc(labels, 1500, 330, 45, 2)
    cut = np.zeros_like(labels)
    disc(cut, 1900, 570, 80, 2)
    labels[(cut == 2) & (labels == 1)] = 2
    return labels


def some_mask(seed: int) -> np.ndarray:
    """A mask of any size, speckled or in blots."""
    rng = np.random.default_rng(seed)
    noise = rng.random(rng.integers(1, 50, 2)).astype(np.float32)
    noise = cv2.blur(noise, (3, 3)) if seed % 2 else noise
    return np.asarray(noise < rng.random())
