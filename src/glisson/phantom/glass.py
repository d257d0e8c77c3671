"""What goes wrong on a slide: pen, dust, folds, bubbles, padding, defocus, thickness bands.

Artefacts are planned in µm and multiply the light that reaches the camera, so they lie on
tissue and glass alike. None of them changes the truth, apart from padding, which hides it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.phantom.canvas import Canvas, Field, noise

Polygon = NDArray[np.float64]


@dataclass(frozen=True)
class Stroke:
    """A pen stroke or a fold: a polyline with a width.

    Attributes:
        line_um: (N, 2) µm.
        width_um: full width.
        transmission: RGB share of light that passes.
    """

    line_um: Polygon
    width_um: float
    transmission: tuple[float, float, float]


@dataclass(frozen=True)
class Artefacts:
    """The artefacts of one slide, or of one training tile.

    Attributes:
        pens: pen strokes.
        folds: folded bands; their transmission is not used, tissue is doubled instead.
        specks_um: (N, 3) dust: x, y, radius.
        bubbles_um: (N, 3) rings: x, y, radius.
        padding_um: rectangles (x, y, width, height) without a scan.
        padding_rgb: their colour.
        chatter: relative contrast of thickness bands.
        defocus_um: blur, standard deviation.
    """

    pens: tuple[Stroke, ...] = ()
    folds: tuple[Stroke, ...] = ()
    specks_um: Polygon | None = None
    bubbles_um: Polygon | None = None
    padding_um: tuple[tuple[float, float, float, float], ...] = ()
    padding_rgb: tuple[int, int, int] = (0, 0, 0)
    chatter: float = 0.0
    defocus_um: float = 0.0


PEN_INKS = (
    (0.25, 0.35, 0.75), (0.12, 0.12, 0.14), (0.15, 0.55, 0.35), (0.80, 0.15, 0.20),
    (0.15, 0.45, 0.80), (0.35, 0.75, 0.40),
)  # fmt: skip


def draw_artefacts(
    rng: np.random.Generator, low_um: Polygon, high_um: Polygon, rate: float = 1.0
) -> Artefacts:
    """Random artefacts in a rectangle; `rate` scales how common they are."""
    area_mm2 = float(np.prod(high_um - low_um)) * 1e-6

    def some(chance: float, most: int = 2) -> int:
        return int(rng.integers(1, most + 1)) if rng.random() < chance * rate else 0

    return Artefacts(
        pens=tuple(_pen(rng, low_um, high_um) for _ in range(some(0.10))),
        folds=tuple(_fold(rng, low_um, high_um) for _ in range(some(0.12))),
        specks_um=_specks(rng, low_um, high_um, min(area_mm2 * 6, 300) * rate),
        bubbles_um=_circles(rng, low_um, high_um, some(0.05), (80, 500)),
        chatter=float(rng.uniform(0.04, 0.14)) if rng.random() < 0.12 * rate else 0.0,
        defocus_um=float(rng.uniform(0.4, 2.2)) if rng.random() < 0.2 * rate else 0.0,
    )


def apply(canvas: Canvas, rgb: Field, background: NDArray[np.float32], what: Artefacts) -> Field:
    """Artefacts over a rendered canvas; (H, W, 3) float32, 0 to 255."""
    rgb = _folded(canvas, rgb, background, what.folds)
    if what.chatter:
        rgb = _chattered(canvas, rgb, background, what.chatter)
    for pen in what.pens:
        rgb = rgb * _ink(canvas, pen)
    rgb = _specked(canvas, rgb, what.specks_um)
    rgb = _bubbled(canvas, rgb, what.bubbles_um)
    if what.defocus_um:
        rgb = cv2.GaussianBlur(rgb, (0, 0), what.defocus_um / canvas.mpp)
    return np.asarray(rgb, dtype=np.float32)


def padded_mask(canvas: Canvas, what: Artefacts) -> NDArray[np.bool_]:
    """Where nothing was scanned."""
    mask = np.zeros(canvas.shape, np.uint8)
    for x, y, width, height in what.padding_um:
        corner = np.rint(canvas.px_from_um(np.array([[x, y], [x + width, y + height]]))).astype(int)
        (left, top), (right, bottom) = np.maximum(corner, 0)
        mask[top:bottom, left:right] = 1
    return mask.astype(bool)


def _pen(rng: np.random.Generator, low: Polygon, high: Polygon) -> Stroke:
    start, end = rng.uniform(low, high), rng.uniform(low, high)
    middle = (start + end) / 2 + rng.normal(0, 0.15, 2) * (high - low)
    t = np.linspace(0, 1, 30)[:, None]
    line = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    ink = np.clip(np.array(PEN_INKS[rng.integers(len(PEN_INKS))]) + rng.normal(0, 0.05, 3), 0.03, 1)
    strength = rng.uniform(0.4, 1.2)
    red, green, blue = ink**strength
    return Stroke(line, float(rng.uniform(60, 900)), (float(red), float(green), float(blue)))


def _fold(rng: np.random.Generator, low: Polygon, high: Polygon) -> Stroke:
    start = rng.uniform(low, high)
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(150, 900)
    end = start + length * np.array([np.cos(angle), np.sin(angle)])
    middle = (start + end) / 2 + rng.normal(0, 40, 2)
    t = np.linspace(0, 1, 30)[:, None]
    line = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    return Stroke(line, float(rng.uniform(12, 90)), (1.0, 1.0, 1.0))


def _specks(rng: np.random.Generator, low: Polygon, high: Polygon, mean: float) -> Polygon:
    count = rng.poisson(mean)
    radius = np.clip(rng.lognormal(np.log(3), 0.8, count), 0.8, 25)
    return np.column_stack([rng.uniform(low, high, (count, 2)), radius])


def _circles(
    rng: np.random.Generator,
    low: Polygon,
    high: Polygon,
    count: int,
    radius_um: tuple[float, float],
) -> Polygon:
    return np.column_stack([rng.uniform(low, high, (count, 2)), rng.uniform(*radius_um, count)])


def _stroke_cover(canvas: Canvas, stroke: Stroke, feather_um: float) -> Field:
    mask = np.zeros(canvas.shape, np.uint8)
    line = np.round(canvas.px_from_um(stroke.line_um) * 16 - 8).astype(np.int32)
    width = max(1, min(32000, round(stroke.width_um / canvas.mpp)))
    cv2.polylines(mask, [line], False, 255, width, cv2.LINE_8, 4)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), feather_um / canvas.mpp)


def _ink(canvas: Canvas, pen: Stroke) -> Field:
    cover = _stroke_cover(canvas, pen, 8.0)
    cover = np.clip(cover * (0.9 + 0.12 * noise(canvas, 120, 90)), 0, 1.2)
    return np.exp(cover[..., None] * np.log(np.asarray(pen.transmission, np.float32)))


def _folded(
    canvas: Canvas, rgb: Field, background: NDArray[np.float32], folds: tuple[Stroke, ...]
) -> Field:
    """A fold shows the section twice: what lies beside it is laid over it."""
    for fold in folds:
        cover = _stroke_cover(canvas, fold, 1.2)
        if float(cover.max()) < 0.02:
            continue
        shift = round(fold.width_um / canvas.mpp)
        other = np.roll(rgb, (shift, shift // 2), axis=(0, 1)) / background
        rgb = rgb * (np.clip(other, 0.02, 1) ** cover[..., None])
    return rgb


def _chattered(
    canvas: Canvas, rgb: Field, background: NDArray[np.float32], contrast: float
) -> Field:
    x_um, y_um = canvas.centres_um()
    angle = canvas.seed % 7
    phase = (x_um[None] * np.cos(angle) + y_um[:, None] * np.sin(angle)) / 110
    factor = 1 + contrast * np.sin(phase + 0.8 * noise(canvas, 500, 91))
    share = np.clip(rgb / background, 1e-3, 1)
    return np.asarray(background * share ** factor[..., None], dtype=np.float32)


def _specked(canvas: Canvas, rgb: Field, specks_um: Polygon | None) -> Field:
    light = np.full(canvas.shape, 255, np.uint8)
    for x, y, radius in _within(canvas, specks_um):
        centre = (round(x * 16 - 8), round(y * 16 - 8))
        axes = (round(radius * 16), round(radius * (0.4 + (x * 7.3) % 0.6) * 16))
        grey = int(30 + (y * 13.7) % 160)
        angle = (x * 31.7) % 180
        cv2.ellipse(light, centre, axes, angle, 0, 360, grey, -1, cv2.LINE_AA, 4)
    return rgb * (cv2.GaussianBlur(light, (3, 3), 0).astype(np.float32) / 255)[..., None]


def _bubbled(canvas: Canvas, rgb: Field, bubbles_um: Polygon | None) -> Field:
    light = np.ones(canvas.shape, np.float32)
    for x, y, radius in _within(canvas, bubbles_um):
        centre = (round(x * 16 - 8), round(y * 16 - 8))
        width = max(2, round(8 / canvas.mpp))
        cv2.circle(light, centre, round(radius * 16), 0.35, width, cv2.LINE_8, 4)
        cv2.circle(light, centre, round((radius - width) * 16), 1.1, width // 2, cv2.LINE_8, 4)
    return rgb * cv2.GaussianBlur(light, (0, 0), 2 / canvas.mpp)[..., None]


def _within(canvas: Canvas, circles_um: Polygon | None) -> Polygon:
    """Circles that touch the canvas, in its pixels."""
    if circles_um is None or len(circles_um) == 0:
        return np.zeros((0, 3))
    px = np.column_stack([canvas.px_from_um(circles_um[:, :2]), circles_um[:, 2] / canvas.mpp])
    reach = px[:, 2:] + 12
    limit = (canvas.width_px, canvas.height_px)
    touching = ((px[:, :2] > -reach) & (px[:, :2] < limit + reach)).all(axis=1)
    return np.asarray(px[touching])
