"""Training tiles: a random field of a random biopsy, with exact labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND, CLASSES
from glisson.phantom.canvas import Canvas
from glisson.phantom.glass import Artefacts, apply, draw_artefacts, padded_mask
from glisson.phantom.layout import Layout, Polygon, draw_core, draw_layout
from glisson.phantom.render import render
from glisson.phantom.scanner import draw_scanner, scan
from glisson.phantom.stain import colour
from glisson.phantom.style import draw_style


@dataclass(frozen=True)
class Tile:
    """A synthetic field.

    Attributes:
        rgb: (N, N, 3) uint8.
        labels: (N, N) uint8 class indices.
        mpp: µm per pixel.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    mpp: float


def render_tile(seed: int, size_px: int = 256, mpp: float = 1.0) -> Tile:
    """One tile; the same seed gives the same bytes."""
    rng = np.random.default_rng([seed, 0x71])
    style = draw_style(rng)
    width_um = rng.uniform(450, 1400)
    core = draw_core(rng, 3200, width_um, (0, 0), angle=rng.uniform(0, 2 * np.pi))
    layout = draw_layout(rng, style.disease, [core])
    side_um = size_px * mpp
    centre = _focus(rng, layout, width_um / 2) + rng.uniform(-0.35, 0.35, 2) * side_um
    fine = 2 * max(1, round(mpp / 0.5 / 2)) if mpp >= 0.75 else max(1, round(mpp / 0.5))
    canvas = _canvas(centre, size_px * fine, mpp / fine, seed)
    rendering = render(canvas, layout, style)
    background = np.asarray(style.stain.background_rgb, np.float32)
    rgb = colour(canvas, rendering.dyes, style.stain, thickness=rng.uniform(0.02, 0.15))
    what = _tile_artefacts(rng, canvas, side_um)
    rgb = apply(canvas, rgb, background, what)
    pixels = scan(rgb, canvas.mpp, (size_px, size_px), draw_scanner(rng), rng)
    labels = reduced(rendering.labels, fine)
    hidden = cv2.resize(
        padded_mask(canvas, what).astype(np.uint8), (size_px, size_px), interpolation=cv2.INTER_AREA
    )
    pixels[hidden > 0] = what.padding_rgb
    labels[hidden > 0] = BACKGROUND.index
    return Tile(pixels, labels, mpp)


def _canvas(centre_um: Polygon, size_px: int, mpp: float, seed: int) -> Canvas:
    corner = np.floor((centre_um - size_px * mpp / 2) / mpp) * mpp
    return Canvas(float(corner[0]), float(corner[1]), size_px, size_px, mpp, seed)


def _focus(rng: np.random.Generator, layout: Layout, reach_um: float) -> Polygon:
    """What the tile looks at: mostly tracts, then what is taken for them, then the rest."""
    line = layout.centrelines_um[0]
    middle = line[rng.integers(2, len(line) - 2)]
    choice = rng.random()
    tracts = [t.polygons_um[0].mean(0) for t in layout.tracts]
    tracts = [t for t in tracts if np.min(np.hypot(*(line - t).T)) < reach_um + 30]
    veins = [np.array([v.x_um, v.y_um]) for v in layout.central_veins]
    veins = [v for v in veins if np.min(np.hypot(*(line - v).T)) < reach_um]
    if choice < 0.45 and tracts:
        return np.asarray(tracts[rng.integers(len(tracts))])
    if choice < 0.60 and veins:
        return np.asarray(veins[rng.integers(len(veins))])
    if choice < 0.68 and len(layout.foci_um):
        return np.asarray(layout.foci_um[rng.integers(len(layout.foci_um)), :2])
    if choice < 0.78:
        return np.asarray(layout.cores_um[0][rng.integers(len(layout.cores_um[0]))])
    if choice < 0.82:
        return np.asarray(middle + rng.uniform(900, 2000) * _direction(rng))
    return np.asarray(middle)


def _direction(rng: np.random.Generator) -> Polygon:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _tile_artefacts(rng: np.random.Generator, canvas: Canvas, side_um: float) -> Artefacts:
    low = np.array([canvas.x_um, canvas.y_um])
    what = draw_artefacts(rng, low, low + side_um)
    if rng.random() > 0.06:
        return what
    corner = low + rng.uniform(-0.5, 0.8, 2) * side_um
    size = rng.uniform(0.3, 1.5, 2) * side_um
    rgb = (0, 0, 0) if rng.random() < 0.5 else (255, 255, 255)
    box = (float(corner[0]), float(corner[1]), float(size[0]), float(size[1]))
    return replace(what, padding_um=(box,), padding_rgb=rgb)


def reduced(labels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The commonest class in every block of `factor` x `factor` pixels."""
    height, width = labels.shape[0] // factor, labels.shape[1] // factor
    blocks = labels.reshape(height, factor, width, factor)
    shares = [(blocks == c.index).sum(axis=(1, 3), dtype=np.int32) for c in CLASSES]
    return np.argmax(shares, axis=0).astype(np.uint8)
