"""Training tiles: a random field of a random biopsy, with exact labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND
from glisson_phantom.draw import draw_tissue
from glisson_phantom.features import Feature
from glisson_phantom.light.glass import padded_mask, soil
from glisson_phantom.light.scanner import draw_scanner, scan
from glisson_phantom.light.stain import colour
from glisson_phantom.plan.disease import draw_disease
from glisson_phantom.plan.glass import Artefacts, draw_artefacts, out_of_focus
from glisson_phantom.plan.layout import Layout, lay_out
from glisson_phantom.plan.needle import draw_core
from glisson_phantom.plan.preparation import draw_stain, draw_texture
from glisson_phantom.plan.shapes import Points, turn
from glisson_phantom.truth import commonest, joined
from glisson_phantom.world import Canvas

_CORE_UM = 3200.0


@dataclass(frozen=True)
class Tile:
    """A synthetic field.

    Attributes:
        rgb: (N, N, 3) uint8.
        labels: (N, N) uint8 class indices.
        mpp: µm per pixel.
        features: (N, N) uint32 flags of `Feature`.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    mpp: float
    features: NDArray[np.uint32]


def render_tile(
    seed: int,
    size_px: int = 256,
    mpp: float = 1.0,
    diagnosis: str | None = None,
    artefacts: float = 1.0,
    drawn_mpp: float = 0.5,
    rare: float = 1.0,
    difficult_tracts: float = 1.0,
) -> Tile:
    """One tile; the same seed gives the same bytes.

    Args:
        seed: chooses everything that is not fixed by the other arguments.
        size_px: side of the tile.
        mpp: µm per pixel.
        diagnosis: key of `DIAGNOSES`, or None to draw one.
        artefacts: how common pen, dust, folds, blur and padding are; 0 for none.
        drawn_mpp: µm per pixel of the drawing, about; nuclei keep their shape up to 1.
        rare: how common collapse, capsule and clots are, as a multiple of biopsies.
        difficult_tracts: how common are tracts of dense collagen, loose stroma or packed cells,
            with large vessels or a thin rim round a wide vein, and central veins that look like
            portal ones, as a multiple of biopsies.
    """
    rng = np.random.default_rng([seed, 0x71])
    disease = draw_disease(rng, diagnosis)
    texture, stain = draw_texture(rng), draw_stain(rng)
    width_um = rng.uniform(450, 1400)
    core = draw_core(rng, _CORE_UM, width_um, angle=rng.uniform(0, 6.28))
    layout = lay_out(rng, disease, core, rare, difficult_tracts)
    side_um = size_px * mpp
    centre = _focus(rng, layout, width_um / 2) + rng.uniform(-0.35, 0.35, 2) * side_um
    fine = _finer_by(mpp, drawn_mpp)
    canvas = _canvas(centre, size_px * fine, mpp / fine, seed)
    section = draw_tissue(canvas, layout, disease, texture)
    background = np.asarray(stain.background_rgb, np.float32)
    light = colour(canvas, section.dyes, stain, texture.thickness)
    what = _tile_artefacts(rng, canvas, side_um, artefacts)
    light = soil(canvas, light, background, what, section.features)
    pixels = scan(light, canvas.mpp, (size_px, size_px), draw_scanner(rng), rng)
    labels = commonest(section.labels, fine)
    tile = Tile(pixels, labels, mpp, joined(section.features, labels, fine))
    return _hidden_by_padding(canvas, tile, what, fine)


def _finer_by(mpp: float, drawn_mpp: float) -> int:
    """Pixels of the drawing along one of the tile: one, or an even number."""
    ratio = mpp / drawn_mpp
    return 2 * round(ratio / 2) if ratio >= 1.5 else 1


def _hidden_by_padding(canvas: Canvas, tile: Tile, what: Artefacts, fine: int) -> Tile:
    hidden = padded_mask(canvas, what)[::fine, ::fine]
    tile.rgb[hidden] = what.padding_rgb
    tile.labels[hidden] = BACKGROUND.index
    tile.features[hidden] = Feature.PADDING
    return tile


def _canvas(centre_um: Points, size_px: int, mpp: float, seed: int) -> Canvas:
    corner = np.floor((centre_um - size_px * mpp / 2) / mpp) * mpp
    return Canvas(float(corner[0]), float(corner[1]), size_px, size_px, mpp, seed)


def _focus(rng: np.random.Generator, layout: Layout, reach_um: float) -> Points:
    """What the tile looks at: mostly tracts, then what is taken for them, then the rest."""
    line = layout.cores[0].centreline_um
    middle = line[rng.integers(2, len(line) - 2)]

    def inside(spots: list[Points]) -> list[Points]:
        return [s for s in spots if np.min(np.hypot(*(line - s).T)) < reach_um + 30]

    lesions = layout.lesions
    choices = [
        (0.42, inside([tract.centre_um for tract in layout.tracts])),
        (0.14, inside([vein.profile.centre_um for vein in layout.central_veins])),
        (0.10, inside([*lesions.foci_um[:, :2], *lesions.granulomas_um[:, :2]])),
        (0.06, inside([band.mean(axis=0) for band in (*lesions.collapse_um, *lesions.capsule_um)])),
        (0.04, [*lesions.crush_um[:, :2], *(clot.mean(axis=0) for clot in lesions.clots_um)]),
        (0.10, list(layout.cores[0].outline_um)),
        (0.04, [middle + rng.uniform(900, 2000) * turn(rng.uniform(0, 6.28))]),
    ]
    chance = rng.random()
    for share, spots in choices:
        if chance < share and spots:
            return np.asarray(spots[rng.integers(len(spots))])
        chance -= share
    return np.asarray(middle)


def _tile_artefacts(
    rng: np.random.Generator, canvas: Canvas, side_um: float, rate: float
) -> Artefacts:
    """A tile has fewer artefacts than a slide, but all kinds of them."""
    low = canvas.low_um
    what = draw_artefacts(rng, low, low + side_um, 0.5 * rate)
    if rng.random() < 0.15 * rate:
        sigma_um = float(np.clip(rng.lognormal(np.log(0.8), 0.4), 0.3, 2.0))
        what = replace(what, blurs=out_of_focus(what.blurs, sigma_um))
    if rng.random() > 0.06 * rate:
        return what
    corner = low + rng.uniform(-0.5, 0.8, 2) * side_um
    size = rng.uniform(0.3, 1.5, 2) * side_um
    rgb = (0, 0, 0) if rng.random() < 0.5 else (255, 255, 255)
    box = (float(corner[0]), float(corner[1]), float(size[0]), float(size[1]))
    return replace(what, padding_um=(box,), padding_rgb=rgb)
