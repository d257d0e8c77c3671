"""Artefacts over a coloured canvas; only unscanned areas change the class of pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson_phantom.features import Feature
from glisson_phantom.plan.glass import Artefacts, Blur, Stroke
from glisson_phantom.world import Canvas, Field, Mask, noise

Points = NDArray[np.float64]
Flags = NDArray[np.uint32]
_FOLD_SHIFT_UM = 35.0


def add_artefacts(
    canvas: Canvas,
    rgb: Field,
    background: NDArray[np.float32],
    artefacts: Artefacts,
    features: Flags,
) -> Field:
    """Add artefacts to a rendered canvas, and set their flags in `features`.

    Args:
        canvas: grid of the image.
        rgb: (H, W, 3) float32, 0 to 255.
        background: (3,) colour of the glass.
        artefacts: pen, dust, folds and the like.
        features: (H, W) uint32 flags of `Feature`, changed in place.
    """
    rgb = _add_folds(canvas, rgb, background, artefacts.folds, features)
    rgb = _add_chatter(canvas, rgb, background, artefacts, features)
    for pen in artefacts.pens:
        rgb = _add_pen(canvas, rgb, pen, features)
    rgb = _add_dust(canvas, rgb, artefacts.specks_um, features)
    rgb = _add_bubbles(canvas, rgb, artefacts.bubbles_um, features)
    for blur in artefacts.blurs:
        rgb = _add_defocus(canvas, rgb, blur, features)
    return rgb


def shows_on_glass(canvas: Canvas, artefacts: Artefacts) -> bool:
    """Return whether any artefact shows on bare glass here."""
    has_pen = any(canvas.touches(pen.line_um, pen.width_um + 40) for pen in artefacts.pens)
    circles = (artefacts.specks_um, artefacts.bubbles_um)
    return has_pen or any(len(_select_circles(canvas, circle)) for circle in circles)


def padding_mask(canvas: Canvas, artefacts: Artefacts) -> Mask:
    """Return the pixels that the scanner left out."""
    mask = np.zeros(canvas.shape, np.uint8)
    for x, y, width, height in artefacts.padding_um:
        corner = np.rint(canvas.px_from_um(np.array([[x, y], [x + width, y + height]]))).astype(int)
        (left, top), (right, bottom) = np.maximum(corner, 0)
        mask[top:bottom, left:right] = 1
    return mask.astype(bool)


def _mark(features: Flags, feature: Feature, where: Mask) -> None:
    features |= where.astype(np.uint32) * np.uint32(feature)


def _stroke_cover(canvas: Canvas, stroke: Stroke, feather_um: float) -> Field | None:
    """Return the cover of a stroke, 0 to 1, or None if the stroke is far away."""
    if not canvas.touches(stroke.line_um, stroke.width_um / 2 + 3 * feather_um):
        return None
    mask = np.zeros(canvas.shape, np.uint8)
    line = np.round(canvas.px_from_um(stroke.line_um) * 16 - 8).astype(np.int32)
    width = max(1, min(32000, round(stroke.width_um / canvas.mpp)))
    cv2.polylines(mask, [line], False, 255, width, cv2.LINE_8, 4)
    return cv2.GaussianBlur(mask, (0, 0), feather_um / canvas.mpp).astype(np.float32) / 255


def _add_pen(canvas: Canvas, rgb: Field, pen: Stroke, features: Flags) -> Field:
    cover = _stroke_cover(canvas, pen, 8.0)
    if cover is None:
        return rgb
    _mark(features, Feature.PEN, cover > 0.3)
    thick = cover * (np.float32(0.9) + np.float32(0.14) * noise(canvas, 120, 140))
    return rgb * cv2.exp(thick[..., None] * np.log(np.asarray(pen.transmission, np.float32)))


def _add_folds(
    canvas: Canvas,
    rgb: Field,
    background: NDArray[np.float32],
    folds: tuple[Stroke, ...],
    features: Flags,
) -> Field:
    """Add folds: the neighbouring tissue lies over the tissue, a little browner."""
    for fold in folds:
        cover = _stroke_cover(canvas, fold, 1.2)
        if cover is None or float(cover.max()) < 0.02:
            continue
        cover *= np.clip(1.2 + np.float32(0.5) * noise(canvas, 60, 141), 0, 1)
        shift = round(_FOLD_SHIFT_UM / canvas.mpp)
        other = np.clip(np.roll(rgb, (shift, shift // 2), axis=(0, 1)) / background, 0.02, 1)
        other *= np.array([0.97, 0.96, 0.93], np.float32)
        doubled = rgb * cv2.exp(np.log(other) * cover[..., None])
        tissue = (other.mean(axis=2) < 0.93) | (rgb.mean(axis=2) < 0.93 * background.mean())
        rgb = np.where(tissue[..., None], doubled, rgb)
        _mark(features, Feature.FOLD, (cover > 0.4) & tissue)
    return rgb


def _add_chatter(
    canvas: Canvas,
    rgb: Field,
    background: NDArray[np.float32],
    artefacts: Artefacts,
    features: Flags,
) -> Field:
    if not artefacts.chatter:
        return rgb
    x_um, y_um = canvas.centres_um()
    along = x_um[None] * np.cos(artefacts.chatter_angle) + y_um[:, None] * np.sin(
        artefacts.chatter_angle
    )
    phase = along * (2 * np.pi / artefacts.chatter_um) + 0.9 * noise(canvas, 500, 142)
    factor = (1 + artefacts.chatter * np.sin(phase)).astype(np.float32)
    _mark(features, Feature.CHATTER, np.abs(factor - 1) > 0.5 * artefacts.chatter)
    share = np.clip(rgb / background, 1e-3, 1)
    return background * cv2.exp(np.log(share) * factor[..., None])


def _add_dust(canvas: Canvas, rgb: Field, specks_um: Points | None, features: Flags) -> Field:
    """Add dust, dark and sharp or grey and out of focus."""
    specks = _select_circles(canvas, specks_um)
    if len(specks) == 0:
        return rgb
    light = np.full(canvas.shape, 255, np.uint8)
    for x, y, radius in specks:
        centre = (round(x * 16 - 8), round(y * 16 - 8))
        axes = (round(radius * 16), round(radius * (0.4 + (x * 7.3) % 0.6) * 16))
        grey = int(30 + (y * 13.7) % 160)
        cv2.ellipse(light, centre, axes, (x * 31.7) % 180, 0, 360, grey, -1, cv2.LINE_AA, 4)
    _mark(features, Feature.DUST, light < 200)
    sharp = cv2.GaussianBlur(light, (3, 3), 0).astype(np.float32)
    return rgb * (sharp * np.float32(1 / 255))[..., None]


def _add_bubbles(canvas: Canvas, rgb: Field, bubbles_um: Points | None, features: Flags) -> Field:
    """Add air under the cover slip: a dark and a bright rim, and blur within."""
    for x, y, radius in _select_circles(canvas, bubbles_um):
        light = np.ones(canvas.shape, np.float32)
        centre = (round(x * 16 - 8), round(y * 16 - 8))
        width = max(2, round(9 / canvas.mpp))
        cv2.circle(light, centre, round(radius * 16), 0.35, width, cv2.LINE_8, 4)
        inner = max(1, round((radius - width) * 16))
        cv2.circle(light, centre, inner, 1.12, max(1, width // 2), cv2.LINE_8, 4)
        inside = np.zeros(canvas.shape, np.uint8)
        cv2.circle(inside, centre, round(radius * 16), 1, -1, cv2.LINE_8, 4)
        soft = cv2.GaussianBlur(rgb, (0, 0), 2.5 / canvas.mpp)
        rgb = np.where(inside[..., None] > 0, soft, rgb)
        rgb = rgb * cv2.GaussianBlur(light, (0, 0), 2 / canvas.mpp)[..., None]
        _mark(features, Feature.BUBBLE, (inside > 0) | (light < 0.9))
    return rgb


def _add_defocus(canvas: Canvas, rgb: Field, blur: Blur, features: Flags) -> Field:
    x, y, radius = blur.circle_um
    reach = np.array([[x - radius, y - radius], [x + radius, y + radius]])
    if not canvas.touches(reach):
        return rgb
    x_um, y_um = canvas.centres_um()
    distance = np.hypot(x_um[None] - np.float32(x), y_um[:, None] - np.float32(y))
    share = np.clip((np.float32(radius) - distance) / 80.0, 0, 1).astype(np.float32)
    soft = cv2.GaussianBlur(rgb, (0, 0), blur.sigma_um / canvas.mpp)
    _mark(features, Feature.DEFOCUS, (share > 0.5) & (blur.sigma_um > 1.0))
    return rgb + share[..., None] * (soft - rgb)


def _select_circles(canvas: Canvas, circles_um: Points | None) -> Points:
    """Select circles that touch the canvas, in pixels of the canvas."""
    if circles_um is None or len(circles_um) == 0:
        return np.zeros((0, 3))
    px = np.column_stack([canvas.px_from_um(circles_um[:, :2]), circles_um[:, 2] / canvas.mpp])
    reach = px[:, 2:] + 12
    limit = (canvas.width_px, canvas.height_px)
    touching = ((px[:, :2] > -reach) & (px[:, :2] < limit + reach)).all(axis=1)
    return np.asarray(px[touching])
