"""Steatosis: droplets that fill hepatocytes, and may touch but never overlap."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from glisson_phantom.draw.cells import Cells
from glisson_phantom.draw.large_fat import LargeDroplets
from glisson_phantom.draw.section import Points, Section, blur
from glisson_phantom.features import Feature
from glisson_phantom.world import Field, normal

_SMALLEST_UM = 0.5
_LARGEST_UM = 27.0
_FRACTION_BITS = 4


@dataclass(frozen=True)
class Droplets:
    """Fat droplets of a section.

    Attributes:
        centres_um: (M, 2).
        radii_um: (M,).
        soft: (M,) whether a droplet lies out of focus.
        radius_of_cell_um: (N,) radius of the main droplet in each hepatocyte, 0 for none.
    """

    centres_um: Points
    radii_um: NDArray[np.float64]
    soft: NDArray[np.bool_]
    radius_of_cell_um: NDArray[np.float64]


def place_droplets(
    section: Section, cells: Cells, necrosis: NDArray[np.float64], large: LargeDroplets
) -> Droplets:
    """Place one droplet in some cells and small droplets beside it, outside large droplets.

    Diameters are lognormal as measured on 510 real tiles (median 5.1, 95 % below 15 µm), and
    larger where steatosis is heavy (median 9.4 to 16).
    """
    share = _fat_share(section, cells) * (necrosis < 0.5)
    fatty = cells.scatter.draw(10) < share
    heavy = np.clip(share * 2.2, 0, 1)
    median_um = section.disease.fat_size * (7.0 + 11.0 * heavy)
    diameter = np.exp(np.log(median_um) + (0.55 - 0.15 * heavy) * normal(cells.scatter.draw(11)))
    radius = np.where(fatty, np.clip(diameter / 2, 1.2, _LARGEST_UM), 0.0)
    jitter = np.stack([cells.scatter.draw(31) - 0.5, cells.scatter.draw(32) - 0.5], 1) * 7.0
    centres = cells.scatter.points_um + jitter
    small_um, small_radii = _place_satellites(cells, centres, share)
    both = np.concatenate([centres[fatty], small_um])
    radii = _shrink_radii(both, np.concatenate([radius[fatty], small_radii]))
    radii = np.minimum(radii, large.room_um(both))
    of_cell = np.zeros(len(cells.scatter))
    of_cell[fatty] = radii[: int(fatty.sum())]
    soft = (both.sum(axis=1) * 7.31) % 1.0 < 0.18
    some = radii > _SMALLEST_UM
    return Droplets(both[some], radii[some], soft[some], of_cell)


def _fat_share(section: Section, cells: Cells) -> NDArray[np.float64]:
    """Return (N,) chance of a droplet: by zone, and in patches with soft borders."""
    disease = section.disease
    if disease.fat < 0.005:
        return np.zeros(len(cells.scatter))
    points = cells.scatter.points_um
    patch = 0.8 * section.at(section.noise(520, 28), points) + 0.45 * section.at(
        section.noise(150, 35), points
    )
    zone = 2.2 * disease.fat_zone * (cells.zone - 0.5)
    share = disease.fat * np.exp(0.9 * (patch + zone))
    free = section.at(section.ground.portal, points) < -3
    return np.asarray(np.clip(share, 0, 0.93) * free)


def _place_satellites(
    cells: Cells, centres_um: Points, share: NDArray[np.float64]
) -> tuple[Points, NDArray[np.float64]]:
    """Place small droplets round the main droplets."""
    spots, radii = [], []
    for number in range(3):
        chosen = cells.scatter.draw(33 + number) < 0.75 * share
        angle = 2 * np.pi * cells.scatter.draw(36 + number)[chosen]
        reach = 5.0 + 7.0 * cells.scatter.draw(39 + number)[chosen]
        spots.append(
            centres_um[chosen] + reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
        )
        radii.append(0.9 + 2.6 * cells.scatter.draw(42 + number)[chosen] ** 2)
    return np.concatenate(spots), np.concatenate(radii)


def _shrink_radii(centres_um: Points, radii_um: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shrink radii until neighbours at most touch."""
    if len(centres_um) < 2:
        return radii_um
    nearest = cKDTree(centres_um).query(centres_um, k=min(7, len(centres_um)))
    distance, index = map(np.asarray, nearest)
    for column in range(1, distance.shape[1]):
        other = radii_um[index[:, column]]
        share = radii_um / (radii_um + other + 1e-9)
        radii_um = np.minimum(radii_um, np.maximum(0.96 * distance[:, column] * share, 0.6))
    return radii_um


def draw_droplets(section: Section, droplets: Droplets) -> None:
    """Draw white discs with a thin dark rim, some out of focus."""
    if len(droplets.centres_um) == 0:
        return
    soft = droplets.soft
    sharp = _draw_discs(section, droplets.centres_um[~soft], droplets.radii_um[~soft])
    dim = blur(
        _draw_discs(section, droplets.centres_um[soft], droplets.radii_um[soft]),
        section.canvas,
        1.6,
    )
    _clear_droplets(section, sharp, np.maximum(sharp, dim * np.float32(0.85)))


def draw_large_droplets(section: Section, large: LargeDroplets) -> None:
    """Draw large droplets over nuclei, pigment and bile, which they push away."""
    if len(large.centres_um):
        cover = _draw_discs(section, large.centres_um, large.radii_um)
        _clear_droplets(section, cover, cover)


def _clear_droplets(section: Section, sharp: Field, cover: Field) -> None:
    rim = np.clip(blur(sharp, section.canvas, 0.8) * (1 - sharp) * np.float32(2.4), 0, 1)
    section.dyes.fade(1 - np.float32(0.99) * cover)
    section.dyes.eosin += np.float32(0.10) * rim
    section.dyes.haematoxylin += np.float32(0.06) * rim
    dense = blur(cover, section.canvas, 14.0) > 0.22
    section.mark(Feature.STEATOSIS, dense)


def _draw_discs(section: Section, centres_um: Points, radii_um: NDArray[np.float64]) -> Field:
    """Draw nearly round discs, whose shape depends on their place in the world alone."""
    picture = np.zeros(section.canvas.shape, np.uint8)
    one = 1 << _FRACTION_BITS
    radii = radii_um / section.canvas.mpp * one
    spots = np.rint(section.canvas.px_from_um(centres_um) * one - one / 2).astype(int)
    for (x, y), radius, x_um in zip(spots.tolist(), radii, centres_um[:, 0], strict=True):
        axes = (round(radius * (0.94 + 0.1 * (x_um * 0.37 % 1))), round(radius))
        turn = x_um * 53 % 180
        cv2.ellipse(picture, (x, y), axes, turn, 0, 360, 255, -1, cv2.LINE_AA, _FRACTION_BITS)
    return picture.astype(np.float32) * np.float32(1 / 255)
