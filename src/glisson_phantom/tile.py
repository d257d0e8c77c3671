"""Training tiles: a random field of a random biopsy, with exact labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glisson.classes import BACKGROUND
from glisson_phantom.draw import draw_tissue
from glisson_phantom.features import Feature
from glisson_phantom.light.glass import add_artefacts, padding_mask
from glisson_phantom.light.scanner import compress_jpeg, draw_scanner, scan
from glisson_phantom.light.stain import colour
from glisson_phantom.plan.disease import draw_disease
from glisson_phantom.plan.glass import Artefacts, draw_artefacts
from glisson_phantom.plan.layout import Layout, lay_out
from glisson_phantom.plan.needle import NeedlePass, draw_core
from glisson_phantom.plan.preparation import draw_stain, draw_texture
from glisson_phantom.plan.shapes import Points, unit_vector
from glisson_phantom.truth import reduce_features, reduce_labels
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


@dataclass(frozen=True)
class TileLook:
    """Choices about a tile beside its seed, size and scale.

    Attributes:
        diagnosis: key of `DIAGNOSES`, or None to draw one at random.
        artefacts: frequency of pen, dust, folds, blur and padding; 0 for none.
        drawn_mpp: approximate µm per pixel of the drawing; nuclei keep their shape up to 1.
        rare_lesions: frequency of collapse, capsule and clots, as a multiple of that in biopsies.
        difficult_tracts: frequency of structures that models confuse, as a multiple of that in
            biopsies: tracts of dense collagen, loose stroma or packed cells, with large vessels or
            a thin rim round a wide vein, and central veins that look like portal veins.
    """

    diagnosis: str | None = None
    artefacts: float = 1.0
    drawn_mpp: float = 0.5
    rare_lesions: float = 1.0
    difficult_tracts: float = 1.0


_AS_BIOPSIES = TileLook()


def render_tile(
    seed: int, size_px: int = 256, mpp: float = 1.0, look: TileLook = _AS_BIOPSIES
) -> Tile:
    """Draw one tile; the same arguments give the same bytes.

    Args:
        seed: fixes everything that the other arguments leave open.
        size_px: side of the tile.
        mpp: µm per pixel.
        look: diagnosis, frequencies and resolution of the drawing.
    """
    rng = np.random.default_rng([seed, 0x71])
    disease = draw_disease(rng, look.diagnosis)
    texture, stain = draw_texture(rng), draw_stain(rng)
    width_um = rng.uniform(450, 1400)
    core = draw_core(rng, NeedlePass(_CORE_UM, width_um, angle=rng.uniform(0, 6.28)))
    layout = lay_out(rng, disease, core, look.rare_lesions, look.difficult_tracts)
    side_um = size_px * mpp
    centre_um = _choose_centre(rng, layout, width_um / 2)
    centre_um = centre_um + rng.uniform(-0.35, 0.35, 2) * side_um
    factor = _drawing_factor(mpp, look.drawn_mpp)
    canvas = _place_canvas(centre_um, size_px * factor, mpp / factor, seed)
    section = draw_tissue(canvas, layout, disease, texture)
    light = colour(canvas, section.dyes, stain, texture.thickness)
    artefacts = _draw_tile_artefacts(rng, canvas, side_um, look.artefacts)
    glass = np.asarray(stain.background_rgb, np.float32)
    light = add_artefacts(canvas, light, glass, artefacts, section.features)
    scanner = draw_scanner(rng)
    pixels = scan(light, canvas.mpp, (size_px, size_px), scanner, rng)
    labels = reduce_labels(section.labels, factor)
    features = reduce_features(section.features, labels, factor)
    tile = Tile(compress_jpeg(pixels, scanner.jpeg_quality), labels, mpp, features)
    hidden = padding_mask(canvas, artefacts)[::factor, ::factor]
    tile.rgb[hidden] = artefacts.padding_rgb
    tile.labels[hidden] = BACKGROUND.index
    tile.features[hidden] = Feature.PADDING
    return tile


def _drawing_factor(mpp: float, drawn_mpp: float) -> int:
    """Return the pixels of the drawing along one pixel of the tile: 1 or an even number."""
    ratio = mpp / drawn_mpp
    return 2 * round(ratio / 2) if ratio >= 1.5 else 1


def _place_canvas(centre_um: Points, size_px: int, mpp: float, seed: int) -> Canvas:
    corner_um = np.floor((centre_um - size_px * mpp / 2) / mpp) * mpp
    return Canvas(float(corner_um[0]), float(corner_um[1]), size_px, size_px, mpp, seed)


def _choose_centre(rng: np.random.Generator, layout: Layout, reach_um: float) -> Points:
    """Choose the tile's centre: mostly a tract, then its doubles, then any other place."""
    line = layout.cores[0].centreline_um
    middle = line[rng.integers(2, len(line) - 2)]

    def select_inside(spots_um: list[Points]) -> list[Points]:
        return [s for s in spots_um if np.min(np.hypot(*(line - s).T)) < reach_um + 30]

    lesions = layout.lesions
    bands = [band.mean(axis=0) for band in (*lesions.collapse_um, *lesions.capsule_um)]
    choices = [
        (0.42, select_inside([tract.centre_um for tract in layout.tracts])),
        (0.14, select_inside([vein.profile.centre_um for vein in layout.central_veins])),
        (0.10, select_inside([*lesions.foci_um[:, :2], *lesions.granulomas_um[:, :2]])),
        (0.06, select_inside(bands)),
        (0.04, [*lesions.crush_um[:, :2], *(clot.mean(axis=0) for clot in lesions.clots_um)]),
        (0.10, list(layout.cores[0].outline_um)),
        (0.04, [middle + rng.uniform(900, 2000) * unit_vector(rng.uniform(0, 6.28))]),
    ]
    chance = rng.random()
    for share, spots_um in choices:
        if chance < share and spots_um:
            return np.asarray(spots_um[rng.integers(len(spots_um))])
        chance -= share
    return np.asarray(middle)


def _draw_tile_artefacts(
    rng: np.random.Generator, canvas: Canvas, side_um: float, rate: float
) -> Artefacts:
    """Draw a tile's artefacts: all kinds that slides have, at half their frequency."""
    low_um = canvas.low_um
    artefacts = draw_artefacts(rng, low_um, low_um + side_um, 0.5 * rate)
    if rng.random() < 0.15 * rate:
        artefacts = artefacts.defocus(float(np.clip(rng.lognormal(np.log(0.8), 0.4), 0.3, 2.0)))
    if rng.random() > 0.06 * rate:
        return artefacts
    x_um, y_um = low_um + rng.uniform(-0.5, 0.8, 2) * side_um
    width_um, height_um = rng.uniform(0.3, 1.5, 2) * side_um
    rgb = (0, 0, 0) if rng.random() < 0.5 else (255, 255, 255)
    box_um = (float(x_um), float(y_um), float(width_um), float(height_um))
    return replace(artefacts, padding_um=(box_um,), padding_rgb=rgb)
