"""A whole phantom biopsy on a slide, rendered band by band, with its truth."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from glisson.classes import BACKGROUND
from glisson.errors import SettingsError
from glisson.frames import Frame, PixelSize, Size
from glisson.phantom.canvas import Canvas
from glisson.phantom.glass import Artefacts, apply, draw_artefacts, padded_mask
from glisson.phantom.layout import Layout, Polygon, draw_core, draw_layout
from glisson.phantom.render import bare_glass, render
from glisson.phantom.scanner import Scanner, draw_scanner, scan
from glisson.phantom.stain import colour
from glisson.phantom.style import Style, draw_style
from glisson.phantom.tile import reduced

Pixels = NDArray[np.uint8]

_CANVAS_MPP = 0.5
_CHUNK_PX = 1024
_MARGIN_UM = 64.0
_GLASS_UM = 1000.0
_DEBRIS_UM = 80.0


@dataclass(frozen=True)
class PhantomSettings:
    """What to ask of a phantom biopsy.

    Attributes:
        seed: the same seed gives the same slide.
        length_mm: summed length of the cores.
        width_mm: mean width of the cores, or None to draw one (needles of 14G to 19G).
        pieces: number of cores, one above the other.
        stage: fibrosis stage 0 to 4, or None to draw one.
        mpp: level-0 µm per pixel.
        artefacts: how common pen, dust, folds and bubbles are; 0 for none, 1 as on real slides.
    """

    seed: int = 0
    length_mm: float = 15.0
    width_mm: float | None = None
    pieces: int = 1
    stage: int | None = None
    mpp: float = 0.5
    artefacts: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        _require(0.2 <= self.length_mm <= 400, "length_mm", self.length_mm, "0.2 to 400")
        _require(1 <= self.pieces <= 20, "pieces", self.pieces, "1 to 20")
        _require(self.stage is None or 0 <= self.stage <= 4, "stage", self.stage, "0 to 4")
        _require(0.1 <= self.mpp <= 2.0, "mpp", self.mpp, "0.1 to 2 µm/px")
        _require(0 <= self.artefacts <= 10, "artefacts", self.artefacts, "0 to 10")


def _require(holds: bool, name: str, value: object, allowed: str) -> None:
    if not holds:
        raise SettingsError(f"Phantom setting {name} is {value}; give a value of {allowed}.")


@dataclass(frozen=True)
class PhantomBiopsy:
    """One synthetic biopsy slide.

    Attributes:
        settings: what was asked for.
        style: disease, preparation and stain.
        layout: where everything is, in µm from the slide's corner.
        artefacts: what lies on the glass.
        scanner: the scanner's look.
        size_l0: level-0 pixels.
    """

    settings: PhantomSettings
    style: Style
    layout: Layout
    artefacts: Artefacts
    scanner: Scanner
    size_l0: Size

    @property
    def pixel_size(self) -> PixelSize:
        """µm per level-0 pixel."""
        return PixelSize(self.settings.mpp, self.settings.mpp)

    @property
    def truth_frame(self) -> Frame:
        """Grid of the truth, about 1 µm/px: two canvas pixels."""
        return Frame(self.pixel_size, self.settings.mpp * self._canvas_factor * 2)

    @property
    def centreline_length_mm(self) -> float:
        """Summed length of the cores along their centrelines, tip to tip."""
        lengths_um = [
            np.hypot(*np.diff(line, axis=0).T).sum() for line in self.layout.centrelines_um
        ]
        return float(sum(lengths_um)) / 1000

    def bands(self, workers: int = 1) -> Iterator[tuple[Pixels, Pixels]]:
        """Pixels (h, W, 3) and truth labels, band by band from the top."""
        jobs = self._chunks()
        columns = self._columns
        if workers == 1:
            yield from _joined(map(self._chunk, jobs), columns, self.size_l0)
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
            yield from _joined(self._chunks_by(pool, jobs, workers), columns, self.size_l0)

    def _chunks_by(
        self, pool: ProcessPoolExecutor, jobs: list[Canvas], workers: int
    ) -> Iterator[tuple[Pixels, Pixels]]:
        """Chunks in order, few of them ahead of what is asked for: memory stays a band's."""
        waiting: deque[Future[tuple[Pixels, Pixels]]] = deque()
        for job in jobs:
            waiting.append(pool.submit(_chunk_of, self, job))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    @property
    def _canvas_factor(self) -> int:
        """Level-0 pixels per canvas pixel: details finer than 0.5 µm are not drawn."""
        return max(1, round(_CANVAS_MPP / self.settings.mpp))

    @property
    def _columns(self) -> int:
        return -(-self.size_l0.width // (_CHUNK_PX * self._canvas_factor))

    def _chunks(self) -> list[Canvas]:
        mpp = self.settings.mpp * self._canvas_factor
        rows = -(-self.size_l0.height // (_CHUNK_PX * self._canvas_factor))
        side_um = _CHUNK_PX * mpp
        return [
            Canvas(column * side_um, row * side_um, _CHUNK_PX, _CHUNK_PX, mpp, self.settings.seed)
            for row in range(rows)
            for column in range(self._columns)
        ]

    def _chunk(self, canvas: Canvas) -> tuple[Pixels, Pixels]:
        wide = canvas.padded(_MARGIN_UM)
        margin = round((canvas.x_um - wide.x_um) / canvas.mpp)
        has_core = self._has_core(wide)
        drawn = render(wide, self.layout, self.style) if has_core else bare_glass(wide)
        background = np.asarray(self.style.stain.background_rgb, np.float32)
        light = colour(wide, drawn.dyes, self.style.stain) if has_core else _glass(wide, background)
        light = apply(wide, light, background, self.artefacts)
        rng = np.random.default_rng([self.settings.seed, int(canvas.x_um), int(canvas.y_um)])
        factor = self._canvas_factor
        size_px = (wide.height_px * factor, wide.width_px * factor)
        pixels = scan(light, wide.mpp, size_px, self.scanner, rng, compress=False)
        inner = slice(margin * factor, (margin + _CHUNK_PX) * factor)
        pixels = np.ascontiguousarray(pixels[inner, inner])
        labels = drawn.labels[margin : margin + _CHUNK_PX, margin : margin + _CHUNK_PX].copy()
        return self._with_padding(canvas, pixels, labels)

    def _has_core(self, canvas: Canvas) -> bool:
        """Whether a core, with the debris round it, reaches into a canvas."""
        low = canvas.x_um, canvas.y_um
        high = low[0] + canvas.width_px * canvas.mpp, low[1] + canvas.height_px * canvas.mpp
        frame = shapely.box(*low, *high)
        return any(
            shapely.Polygon(core).distance(frame) < _DEBRIS_UM for core in self.layout.cores_um
        )

    def _with_padding(
        self, canvas: Canvas, pixels: Pixels, labels: Pixels
    ) -> tuple[Pixels, Pixels]:
        hidden = padded_mask(canvas, self.artefacts)
        if hidden.any():
            labels[hidden] = BACKGROUND.index
            factor = self._canvas_factor
            pixels[hidden.repeat(factor, 0).repeat(factor, 1)] = self.artefacts.padding_rgb
        return pixels, reduced(labels, 2)


def _glass(canvas: Canvas, background: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light through bare glass."""
    light = np.empty((*canvas.shape, 3), np.float32)
    light[:] = background
    return light


def _chunk_of(biopsy: PhantomBiopsy, canvas: Canvas) -> tuple[Pixels, Pixels]:
    return biopsy._chunk(canvas)


def _joined(
    chunks: Iterator[tuple[Pixels, Pixels]], columns: int, size_l0: Size
) -> Iterator[tuple[Pixels, Pixels]]:
    """Chunks put side by side into bands and cut to the slide."""
    left = size_l0.height
    row: list[tuple[Pixels, Pixels]] = []
    for chunk in chunks:
        row.append(chunk)
        if len(row) < columns:
            continue
        pixels = np.concatenate([image for image, _ in row], axis=1)
        labels = np.concatenate([truth for _, truth in row], axis=1)
        yield np.ascontiguousarray(pixels[:left, : size_l0.width]), labels
        left -= pixels.shape[0]
        row = []


def plan_biopsy(settings: PhantomSettings) -> PhantomBiopsy:
    """Decide everything about a biopsy; nothing is drawn yet."""
    rng = np.random.default_rng([settings.seed, 0xB10])
    style = draw_style(rng, settings.stage)
    cores, size_um = _lay_out_cores(rng, settings)
    layout = draw_layout(rng, style.disease, cores)
    artefacts = Artefacts()
    if settings.artefacts:
        artefacts = draw_artefacts(rng, np.zeros(2), size_um, settings.artefacts)
    scanner = replace(draw_scanner(rng), jpeg_quality=85)
    width, height = np.ceil(size_um / settings.mpp).astype(int)
    return PhantomBiopsy(settings, style, layout, artefacts, scanner, Size(int(width), int(height)))


def _lay_out_cores(
    rng: np.random.Generator, settings: PhantomSettings
) -> tuple[list[tuple[Polygon, Polygon]], Polygon]:
    """Cores one below the other, and the slide's width and height in µm."""
    cores: list[tuple[Polygon, Polygon]] = []
    top_um = _GLASS_UM
    for share in rng.dirichlet([8.0] * settings.pieces):
        width_um = 1000 * (settings.width_mm or rng.uniform(0.6, 1.2))
        outline, line = draw_core(rng, 1000 * settings.length_mm * share, width_um, (0, 0), 0.05)
        shift = np.array([_GLASS_UM, top_um]) - outline.min(axis=0)
        cores.append((outline + shift, line + shift))
        top_um = float(cores[-1][0][:, 1].max()) + 700
    right_um = max(float(outline[:, 0].max()) for outline, _ in cores)
    return cores, np.array([right_um + _GLASS_UM, top_um - 700 + _GLASS_UM])
