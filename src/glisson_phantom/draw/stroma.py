"""Collagen: wavy bundles, white clefts, spindle nuclei along them."""

from __future__ import annotations

import cv2
import numpy as np

from glisson_phantom.draw import nuclei
from glisson_phantom.draw.lobule import HEPATOCYTE_EOSIN, HEPATOCYTE_HAEMATOXYLIN, stamp_nuclei
from glisson_phantom.draw.section import Section, blur
from glisson_phantom.draw.stroma_map import StromaMap
from glisson_phantom.world import Field, scatter


def weave_fibres(section: Section, along: Field, frequency: float, stream: int) -> Field:
    """Draw wavy, broken fibres of uneven width along level lines of a field, about -1 to 1."""
    phase = along * np.float32(frequency)
    phase += np.float32(0.5) * section.noise(26, stream)
    phase += np.float32(0.4) * section.noise(9, stream + 1)
    step = np.mod(phase * np.float32(_STEPS_A_FIBRE), np.float32(_FIBRES.size)).astype(np.int32)
    strength = np.clip(np.float32(0.5) + np.float32(0.6) * section.noise(34, stream + 2), 0, 1.2)
    return np.take(_FIBRES, step, mode="clip") * strength


def _draw_fibre_table() -> Field:
    """Draw a line of smooth random values, a bundle and a gap every `_STEPS_A_FIBRE` entries."""
    values = np.random.default_rng(5).normal(0, 1, 4096)
    sigma = 0.28 * _STEPS_A_FIBRE
    kernel = np.exp(-0.5 * (np.arange(-40, 41) / sigma) ** 2)
    smooth = np.convolve(np.concatenate([values[-40:], values, values[:40]]), kernel, "valid")
    return np.asarray(np.clip(smooth / smooth.std(), -2, 2), dtype=np.float32)


_STEPS_A_FIBRE = 16
_FIBRES = _draw_fibre_table()


def draw_collagen(
    section: Section,
    cover: Field,
    eosin: float | None = None,
    stream: int = 40,
    stroma: StromaMap | None = None,
) -> Field:
    """Draw collagen over `cover`; return a field whose level lines are the course of its fibres.

    Args:
        section: changed in place.
        cover: (H, W) 0 to 1.
        eosin: strength relative to hepatocytes' cytoplasm; None for the preparation's own.
        stream: number of the random stream.
        stroma: hyaline, myxoid and packed places of tracts, whose fibres follow the border.
    """
    texture = section.texture
    along = np.float32(8) * section.noise(85, stream)
    if stroma is not None:
        along += np.float32(0.085) * section.ground.portal
    body = _weave(section, along, stream, stroma)
    strength = texture.collagen_eosin if eosin is None else eosin
    red = np.float32(HEPATOCYTE_EOSIN * strength) * body * _draw_pallor(section, stream)
    blue = np.float32(HEPATOCYTE_HAEMATOXYLIN * texture.collagen_haematoxylin) * body
    if stroma is not None:
        red, blue = red * stroma.eosin, blue * stroma.haematoxylin
    section.dyes.cover(cover, red, blue)
    return along


def _weave(section: Section, along: Field, stream: int, stroma: StromaMap | None) -> Field:
    """Draw the density of the weave, about 1: bundles and clefts."""
    weave = np.float32(section.texture.fibre_contrast) * weave_fibres(
        section, along, 1.0, stream + 1
    )
    clefts = _draw_clefts(section, along, stream)
    if stroma is not None:
        smooth = np.maximum(stroma.hyaline, stroma.packed)
        weave *= 1 - np.float32(0.8) * smooth
        clefts *= 1 - smooth
    body = 1 + weave + np.float32(0.15) * section.noise(46, stream + 4)
    body += np.float32(0.07) * section.noise(5, stream + 5)
    body -= clefts
    if stroma is not None and stroma.myxoid.any():
        body += stroma.myxoid * (_weave_wisps(section, along, stream) - body)
    return np.clip(body, 0.04, 2.4)


def _weave_wisps(section: Section, along: Field, stream: int) -> Field:
    """Draw myxoid ground: nearly empty, with thin strands and broad white spaces."""
    strands = np.clip(weave_fibres(section, along, 0.8, stream + 11) - np.float32(0.5), 0, 1.5)
    gaps = section.noise(34, stream + 14) + weave_fibres(section, along, 0.4, stream + 16)
    spaces = np.clip(np.float32(0.8) * gaps - np.float32(0.4), 0, 1)
    ground = np.float32(0.75) + np.float32(0.2) * section.noise(70, stream + 15)
    return ground + np.float32(0.9) * strands - np.float32(0.55) * spaces


def _draw_pallor(section: Section, stream: int) -> Field:
    """Draw patches of loose stroma, some hundred µm wide, that take less eosin.

    Measured, loose collagen has 0.9 to 1.15 times the lobule's red optical density and 0.76 to 0.8
    times its green one.
    """
    uneven = np.clip(np.float32(0.4) + np.float32(0.6) * section.noise(260, stream + 9), 0, 1)
    return 1 - np.float32(0.45 * section.texture.looseness) * uneven


def _draw_clefts(section: Section, along: Field, stream: int) -> Field:
    """Draw white gaps between bundles where the stroma is loose."""
    loose = np.clip(
        section.texture.looseness + np.float32(0.6) * section.noise(70, stream + 6), 0, 1
    )
    gaps = np.float32(0.8) * weave_fibres(section, along, 0.45, stream + 8) + np.float32(
        0.7
    ) * section.noise(15, stream + 7)
    return np.float32(0.9) * np.clip((gaps - np.float32(0.95)) * np.float32(1.6), 0, 1) * loose


def draw_spindle_nuclei(
    section: Section, cover: Field, along: Field, stroma: StromaMap | None = None
) -> None:
    """Draw fibroblasts along the fibres, 800 to 2,600 per mm² as measured; few if hyaline."""
    points = scatter(section.canvas, 17.0, 1.0, 48)
    chance = 0.08 + 0.28 * points.draw(4)
    if stroma is not None:
        chance *= 1 - 0.85 * section.at(stroma.hyaline, points.points_um)
    points = points.keep((section.at(cover, points.points_um) > 0.6) & (points.draw(2) < chance))
    smooth = blur(along, section.canvas, 3.0)
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3)
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    angle = np.arctan2(
        -section.at(slope_x, points.points_um), section.at(slope_y, points.points_um)
    )
    variant = np.mod(angle / np.pi + 0.08 * (points.draw(5) - 0.5), 1.0)
    stamp_nuclei(section, nuclei.SPINDLE, points, 0.75 + 0.5 * points.draw(3), variant)
