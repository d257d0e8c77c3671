"""Arrangement of cores and their ribbons on the slide, and artefacts on the glass."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from glisson_phantom.plan.disease import Disease
from glisson_phantom.plan.glass import Artefacts, draw_artefacts
from glisson_phantom.plan.layout import Layout, lay_out
from glisson_phantom.plan.needle import (
    FRAGMENTS,
    WIDTH_MM,
    Core,
    Gauge,
    NeedlePass,
    Shape,
    draw_core,
)
from glisson_phantom.plan.shapes import Points

_GLASS_UM = 1000.0
_BETWEEN_UM = 700.0
_GAUGES: tuple[Gauge, ...] = ("14G", "16G", "17G", "18G", "19G", "transjugular")
_GAUGE_SHARES = (0.05, 0.45, 0.15, 0.2, 0.05, 0.1)


class Wanted(Protocol):
    """The settings that the arrangement reads; see `PhantomSettings`."""

    @property
    def length_mm(self) -> float: ...  # noqa: D102
    @property
    def width_mm(self) -> float | None: ...  # noqa: D102
    @property
    def gauge(self) -> Gauge | None: ...  # noqa: D102
    @property
    def shape(self) -> Shape | None: ...  # noqa: D102
    @property
    def pieces(self) -> int: ...  # noqa: D102
    @property
    def breaks(self) -> int | None: ...  # noqa: D102
    @property
    def ribbons(self) -> int: ...  # noqa: D102


def arrange(rng: np.random.Generator, disease: Disease, wanted: Wanted) -> tuple[Layout, Points]:
    """Lay out all structures in µm from the slide's corner; return the slide's size too."""
    gauge = wanted.gauge or _GAUGES[rng.choice(len(_GAUGES), p=_GAUGE_SHARES)]
    cores = _draw_passes(rng, disease, wanted, gauge)
    first = lay_out(rng, disease, cores)
    step_um = np.array([0.0, _extent(cores)[1][1] - _GLASS_UM + _BETWEEN_UM])
    layout = first
    for number in range(1, wanted.ribbons):
        layout = layout.join(first.next_section(rng, number * step_um))
    return layout, _extent(list(layout.cores))[1] + _GLASS_UM


def _draw_passes(
    rng: np.random.Generator, disease: Disease, wanted: Wanted, gauge: Gauge
) -> list[Core]:
    """Draw passes of the needle below each other; their lengths sum to `length_mm`."""
    shares = rng.dirichlet([8.0] * wanted.pieces)
    cores: list[Core] = []
    top_um = _GLASS_UM
    for share in shares:
        width_um = 1000 * (wanted.width_mm or rng.uniform(*WIDTH_MM[gauge]))
        breaks = wanted.breaks
        if breaks is None:
            breaks = int(rng.poisson(FRAGMENTS[gauge] * (1.8 if disease.stage == 4 else 0.8)))
        shape = wanted.shape or _draw_shape(rng, share * wanted.length_mm)
        length_um = 1000 * share * wanted.length_mm
        pieces = draw_core(rng, NeedlePass(length_um, width_um, shape, breaks=breaks))
        low, _ = _extent(pieces)
        pieces = [core.move(np.array([_GLASS_UM, top_um]) - low) for core in pieces]
        cores += pieces
        top_um = float(_extent(pieces)[1][1]) + _BETWEEN_UM
    return cores


def _draw_shape(rng: np.random.Generator, length_mm: float) -> Shape:
    if length_mm < 8:
        return "straight" if rng.random() < 0.7 else "curved"
    shapes: tuple[Shape, ...] = ("straight", "curved", "u")
    return shapes[rng.choice(3, p=[0.6, 0.33, 0.07])]


def _extent(cores: list[Core]) -> tuple[Points, Points]:
    """Return the lowest and highest x and y of outlines."""
    points = np.concatenate([core.outline_um for core in cores])
    return points.min(axis=0), points.max(axis=0)


def plan_artefacts(
    rng: np.random.Generator,
    size_um: Points,
    cores: tuple[Core, ...],
    rate: float,
    padding_rgb: tuple[int, int, int] | None,
) -> Artefacts:
    """Draw the artefacts of a slide; unscanned areas surround the cores."""
    artefacts = Artefacts()
    if rate:
        artefacts = draw_artefacts(rng, np.zeros(2), size_um, rate)
        if rng.random() < 0.06 * rate:
            artefacts = artefacts.defocus(float(rng.uniform(0.4, 1.4)))
    if padding_rgb is None:
        return artefacts
    padding_um = _frame_scan(size_um, list(cores))
    return replace(artefacts, padding_um=padding_um, padding_rgb=padding_rgb)


def _frame_scan(
    size_um: Points, cores: list[Core]
) -> tuple[tuple[float, float, float, float], ...]:
    """Return rectangles outside the scanned area, which reaches 600 µm beyond the tissue."""
    low, high = _extent(cores)
    (left, top), (right, bottom) = np.maximum(low - 600, 0), np.minimum(high + 600, size_um)
    width, height = size_um
    far = 10_000.0
    return (
        (0.0, 0.0, width + far, float(top)),
        (0.0, float(bottom), width + far, height - bottom + far),
        (0.0, 0.0, float(left), height + far),
        (float(right), 0.0, width - right + far, height + far),
    )
