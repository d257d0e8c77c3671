"""A whole phantom biopsy on a slide: planned at once, drawn chunk by chunk."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from glisson.classes import BACKGROUND
from glisson.errors import SettingsError
from glisson.frames import Frame, PixelSize, Size
from glisson.masks.blocks import BLOCK_PX
from glisson_phantom.draw import draw_tissue
from glisson_phantom.features import Feature
from glisson_phantom.light.glass import add_artefacts, padding_mask, shows_on_glass
from glisson_phantom.light.scanner import Scanner, add_noise, draw_scanner, glass_colour, scan
from glisson_phantom.light.stain import colour
from glisson_phantom.plan.disease import DIAGNOSES, Disease, draw_disease
from glisson_phantom.plan.glass import Artefacts
from glisson_phantom.plan.layout import Layout
from glisson_phantom.plan.needle import Gauge, Shape
from glisson_phantom.plan.preparation import Stain, Texture, draw_stain, draw_texture
from glisson_phantom.plan.slide import arrange, plan_artefacts
from glisson_phantom.sites import SITES
from glisson_phantom.truth import reduce_features, reduce_labels
from glisson_phantom.world import Canvas

Pixels = NDArray[np.uint8]

_CANVAS_MPP = 0.5
_TRUTH_FACTOR = 2
_CHUNK_PX = BLOCK_PX * _TRUTH_FACTOR
_MARGIN_UM = 12.0
_DEBRIS_UM = 80.0


@dataclass(frozen=True)
class PhantomSettings:
    """Choices about a phantom biopsy.

    Attributes:
        seed: the same seed gives the same slide.
        length_mm: summed length of the cores of one section.
        width_mm: mean width of the cores, or None for a random width that fits the gauge.
        gauge: needle, or None for a random one.
        shape: `straight`, `curved` or `u`, or None for a random shape.
        pieces: passes of the needle, one above the other.
        breaks: breaks a pass, or None for a random number.
        ribbons: sections of the same cores on the slide.
        diagnosis: key of `DIAGNOSES`, or None for a random diagnosis.
        stage: fibrosis stage 0 to 4, or None for a random stage that fits the diagnosis.
        site: key of `SITES` for stain and scanner, or None for random ones.
        mpp: level-0 µm per pixel.
        artefacts: frequency of pen, dust, folds and bubbles; 0 for none, 1 as on real slides.
    """

    seed: int = 0
    length_mm: float = 15.0
    width_mm: float | None = None
    gauge: Gauge | None = None
    shape: Shape | None = None
    pieces: int = 1
    breaks: int | None = None
    ribbons: int = 1
    diagnosis: str | None = None
    stage: int | None = None
    site: str | None = None
    mpp: float = 0.5
    artefacts: float = 1.0

    def __post_init__(self) -> None:
        """Reject values that cannot be drawn."""
        _check_range("length_mm", self.length_mm, 0.2, 400)
        _check_range("width_mm", self.width_mm, 0.2, 4)
        _check_range("pieces", self.pieces, 1, 20)
        _check_range("breaks", self.breaks, 0, 40)
        _check_range("ribbons", self.ribbons, 1, 8)
        _check_range("stage", self.stage, 0, 4)
        _check_range("mpp", self.mpp, 0.1, 2.0)
        _check_range("artefacts", self.artefacts, 0, 10)
        _check_choice("diagnosis", self.diagnosis, DIAGNOSES)
        _check_choice("site", self.site, SITES)
        _check_choice("gauge", self.gauge, get_args(Gauge))
        _check_choice("shape", self.shape, get_args(Shape))


def _check_range(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise SettingsError(f"Phantom setting {name} is {value}; give a value of {low} to {high}.")


def _check_choice(name: str, value: str | None, allowed: Any) -> None:
    if value is not None and value not in allowed:
        raise SettingsError(
            f"Phantom setting {name} is '{value}'; choose one of {', '.join(sorted(allowed))}."
        )


@dataclass(frozen=True)
class Chunk:
    """Pixels and truth of a square of a slide.

    Attributes:
        pixels: (H, W, 3) uint8, level 0.
        labels: (h, w) uint8 class indices on the truth's grid, about 1 µm/px.
        features: (h, w) uint32 flags of `Feature`.
    """

    pixels: Pixels
    labels: Pixels
    features: NDArray[np.uint32]


@dataclass(frozen=True)
class PhantomBiopsy:
    """One synthetic biopsy slide.

    Attributes:
        settings: the choices.
        disease: disease of the liver.
        texture: look of the preparation.
        stain: colours of the dyes and the glass.
        layout: places of all structures, in µm from the slide's corner.
        artefacts: pen, dust, folds, bubbles and unscanned areas.
        scanner: optics, tone, noise and compression.
        size_l0: level-0 pixels.
    """

    settings: PhantomSettings
    disease: Disease
    texture: Texture
    stain: Stain
    layout: Layout
    artefacts: Artefacts
    scanner: Scanner
    size_l0: Size

    @property
    def pixel_size(self) -> PixelSize:
        """Return the µm per level-0 pixel."""
        return PixelSize(self.settings.mpp, self.settings.mpp)

    @property
    def truth_frame(self) -> Frame:
        """Return the truth's grid, about 1 µm/px: two canvas pixels."""
        return Frame(self.pixel_size, self._canvas_mpp * _TRUTH_FACTOR)

    @property
    def centreline_length_mm(self) -> float:
        """Return the cores' length along their centrelines, tip to tip, summed over ribbons."""
        return sum(core.length_um for core in self.layout.cores) / 1000

    @property
    def _canvas_factor(self) -> int:
        """Return the level-0 pixels per canvas pixel: details below 0.5 µm are not drawn."""
        return max(1, round(_CANVAS_MPP / self.settings.mpp))

    @property
    def _canvas_mpp(self) -> float:
        return self.settings.mpp * self._canvas_factor

    @property
    def columns(self) -> int:
        """Return the number of chunks side by side."""
        return -(-self.size_l0.width // (_CHUNK_PX * self._canvas_factor))

    @property
    def rows(self) -> int:
        """Return the number of chunks one above the other."""
        return -(-self.size_l0.height // (_CHUNK_PX * self._canvas_factor))

    def draw_chunks(self, workers: int = 1) -> Iterator[Chunk]:
        """Draw all chunks in reading order, at most two per worker ahead of the caller."""
        places = [(row, column) for row in range(self.rows) for column in range(self.columns)]
        if workers == 1:
            yield from (self.draw_chunk(*place) for place in places)
            return
        context = multiprocessing.get_context("spawn")
        waiting: deque[Future[Chunk]] = deque()
        with ProcessPoolExecutor(workers, context, _start_worker, (self,)) as pool:
            for place in places:
                waiting.append(pool.submit(_draw_in_worker, *place))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def draw_chunk(self, row: int, column: int) -> Chunk:
        """Draw one chunk, beyond the slide's edge too."""
        canvas = self._canvas(row, column)
        rng = np.random.default_rng([self.settings.seed, row, column, 0xC4])
        draw = self._draw_tissue if self._has_tissue(canvas.pad(_MARGIN_UM)) else self._draw_glass
        return self._hide_padding(canvas, draw(canvas, rng))

    def view(self, centre_um: NDArray[np.float64], side_um: float) -> Chunk:
        """Draw a square field round a point, as the slide shows it there."""
        mpp = self._canvas_mpp
        side_px = 2 * round(side_um / mpp / 2)
        x_um, y_um = np.floor((centre_um - side_um / 2) / mpp) * mpp
        canvas = Canvas(float(x_um), float(y_um), side_px, side_px, mpp, self.settings.seed)
        return self._draw_tissue(canvas, np.random.default_rng([self.settings.seed, 0x5E]))

    def _canvas(self, row: int, column: int) -> Canvas:
        side_um = _CHUNK_PX * self._canvas_mpp
        return Canvas(
            column * side_um,
            row * side_um,
            _CHUNK_PX,
            _CHUNK_PX,
            self._canvas_mpp,
            self.settings.seed,
        )

    def _draw_tissue(self, canvas: Canvas, rng: np.random.Generator) -> Chunk:
        wide = canvas.pad(_MARGIN_UM)
        section = draw_tissue(wide, self.layout, self.disease, self.texture)
        light = colour(wide, section.dyes, self.stain, self.texture.thickness)
        light = add_artefacts(wide, light, self._background, self.artefacts, section.features)
        factor, margin = self._canvas_factor, (wide.width_px - canvas.width_px) // 2
        size_px = (wide.height_px * factor, wide.width_px * factor)
        pixels = scan(light, wide.mpp, size_px, self.scanner, rng)
        inner = slice(margin * factor, (margin + canvas.width_px) * factor)
        own = slice(margin, margin + canvas.width_px)
        labels = reduce_labels(section.labels[own, own], _TRUTH_FACTOR)
        features = reduce_features(section.features[own, own], labels, _TRUTH_FACTOR)
        return Chunk(np.ascontiguousarray(pixels[inner, inner]), labels, features)

    def _draw_glass(self, canvas: Canvas, rng: np.random.Generator) -> Chunk:
        """Draw glass without tissue, most of a slide: artefacts and noise, but no optics."""
        glass = glass_colour(self._background, self.scanner)
        light = np.tile(glass, (*canvas.shape, 1))
        features = np.zeros(canvas.shape, np.uint32)
        if shows_on_glass(canvas, self.artefacts):
            light = add_artefacts(canvas, light, glass, self.artefacts, features)
        side = _CHUNK_PX * self._canvas_factor
        if self._canvas_factor > 1:
            light = cv2.resize(light, (side, side), interpolation=cv2.INTER_LINEAR)
        nothing = np.full((BLOCK_PX, BLOCK_PX), BACKGROUND.index, np.uint8)
        flags = reduce_features(features, nothing, _TRUTH_FACTOR)
        return Chunk(add_noise(light, self.scanner, rng), nothing, flags)

    @cached_property
    def _background(self) -> NDArray[np.float32]:
        return np.asarray(self.stain.background_rgb, np.float32)

    @cached_property
    def _tissue(self) -> shapely.STRtree:
        """Return an index of the cores with the debris round them, and the clots."""
        polygons = [
            shapely.Polygon(core.outline_um).buffer(_DEBRIS_UM) for core in self.layout.cores
        ]
        polygons += [shapely.Polygon(clot).buffer(40) for clot in self.layout.lesions.clots_um]
        return shapely.STRtree(polygons)

    def _has_tissue(self, canvas: Canvas) -> bool:
        frame = shapely.box(*canvas.low_um, *canvas.high_um)
        return len(self._tissue.query(frame, "intersects")) > 0

    def _hide_padding(self, canvas: Canvas, chunk: Chunk) -> Chunk:
        hidden = padding_mask(canvas, self.artefacts)
        if hidden.any():
            factor = self._canvas_factor
            chunk.pixels[hidden.repeat(factor, 0).repeat(factor, 1)] = self.artefacts.padding_rgb
            coarse = hidden[::_TRUTH_FACTOR, ::_TRUTH_FACTOR]
            chunk.labels[coarse] = BACKGROUND.index
            chunk.features[coarse] = Feature.PADDING
        return chunk


_worker_biopsy: list[PhantomBiopsy] = []
"""The biopsy that this worker process draws: sent once, not with every chunk."""


def _start_worker(biopsy: PhantomBiopsy) -> None:
    cv2.setNumThreads(1)
    threadpool_limits(1)  # one process a core: BLAS threads beside them halve the speed
    _worker_biopsy[:] = [biopsy]


def _draw_in_worker(row: int, column: int) -> Chunk:
    return _worker_biopsy[0].draw_chunk(row, column)


def plan_biopsy(settings: PhantomSettings) -> PhantomBiopsy:
    """Decide everything about a biopsy, without drawing."""
    rng = np.random.default_rng([settings.seed, 0xB10])
    site = SITES[settings.site] if settings.site else None
    disease = draw_disease(rng, settings.diagnosis, settings.stage)
    texture = draw_texture(rng)
    stain = draw_stain(rng, site.laboratory if site else None)
    scanner = site.scanner if site else draw_scanner(rng)
    layout, size_um = arrange(rng, disease, settings)
    artefacts = plan_artefacts(
        rng, size_um, layout.cores, settings.artefacts, site.padding_rgb if site else None
    )
    width, height = np.ceil(size_um / settings.mpp).astype(int)
    size = Size(int(width), int(height))
    return PhantomBiopsy(settings, disease, texture, stain, layout, artefacts, scanner, size)
