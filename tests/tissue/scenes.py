"""Synthetic slides at 4 µm/px with H&E colours measured on liver biopsies, and their truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.frames import PixelSize
from glisson.slides import InMemorySlide

MPP = 4.0
CYTOPLASM_OD = np.array([0.108, 0.283, 0.174])
NUCLEI_OD = np.array([0.207, 0.402, 0.215])
INKS = {
    "blue": (30, 60, 170),
    "black": (40, 38, 42),
    "green": (30, 130, 70),
    "red": (200, 30, 40),
}
GLASS = {
    "white": (249, 248, 253),
    "saturated": (255, 255, 255),
    "grey": (223, 221, 226),
    "dark": (185, 184, 188),
    "pink": (238, 229, 227),
    "pinker": (245, 228, 235),
    "yellow": (250, 245, 220),
}


@dataclass(frozen=True)
class Scene:
    """(H, W, 3) uint8 pixels, and the truth as (H, W) masks."""

    rgb: NDArray[np.uint8]
    tissue: NDArray[np.bool_]
    ink: NDArray[np.bool_]

    def slide(self) -> InMemorySlide:
        return InMemorySlide(self.rgb, PixelSize(MPP, MPP))


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], um: float) -> NDArray:  # type: ignore[type-arg]
    """Unit-sd noise with structures of a size in µm."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), um / MPP / 2)
    return noise / noise.std()


def core_mask(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """A needle core about 0.9 mm wide across the slide, rough at its edges, plus fragments."""
    height, width = shape
    y, x = np.mgrid[:height, :width]
    centre = height * 0.45 + 25 * np.sin(x / 130)
    rough = 6 * smooth_noise(rng, shape, 120)
    core = (np.abs(y - centre) < 112 + rough) & (x > 60) & (x < width - 60)
    round_piece = (x - width * 0.6) ** 2 + (y - height * 0.9) ** 2 < 45**2
    return np.asarray(core | round_piece)


def tissue_od(rng: np.random.Generator, shape: tuple[int, int], strength: float) -> NDArray:  # type: ignore[type-arg]
    """Cytoplasm that varies cell by cell, with nuclei and a lymphocyte-rich patch."""
    cells = 1 + 0.15 * smooth_noise(rng, shape, 24) + 0.10 * smooth_noise(rng, shape, 300)
    nuclei = np.clip(smooth_noise(rng, shape, 14) - 0.8, 0, 1)
    od = cells[..., None] * CYTOPLASM_OD + nuclei[..., None] * NUCLEI_OD
    return strength * np.maximum(od, 0.3 * CYTOPLASM_OD)


def scene(
    glass: str = "white",
    strength: float = 1.0,
    seed: int = 0,
    shape: tuple[int, int] = (440, 700),
    noise: float = 1.5,
    mask: NDArray[np.bool_] | None = None,
) -> Scene:
    """Tissue on glass, with sensor noise in grey levels and JPEG compression."""
    rng = np.random.default_rng(seed)
    mask = core_mask(rng, shape) if mask is None else mask
    od = tissue_od(rng, mask.shape, strength)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)[..., None]
    light = np.array(GLASS[glass]) * 10 ** -(od * soft)
    return Scene(_expose(rng, light, noise), mask, np.zeros_like(mask))


def empty(glass: str = "white", **options: float) -> Scene:
    """Glass and nothing else."""
    nothing = np.zeros((300, 400), bool)
    return scene(glass, mask=nothing, **options)  # type: ignore[arg-type]


def with_stripes(base: Scene, amplitude: float = 0.03) -> Scene:
    """Uneven light: a vignette and scanner stripes of the same strength."""
    height, width = base.tissue.shape
    y, x = np.mgrid[:height, :width]
    light = 1 - amplitude * (np.sin(x / 35) > 0) - amplitude * (y / height) ** 2
    return replace(base, rgb=_bytes(base.rgb * light[..., None]))


def with_ink(base: Scene, ink: str, crossing: bool) -> Scene:
    """A stroke 0.8 mm wide with feathered sides, over the tissue or below it."""
    height, width = base.tissue.shape
    drawn = np.zeros((height, width), np.uint8)
    if crossing:
        cv2.line(drawn, (width // 3, 0), (width // 3 + 60, height), 1, 100)
    else:
        cv2.line(drawn, (20, height - 50), (width // 2 - 60, height - 30), 1, 50)
    cover = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), 3)[..., None]
    od = -np.log10(np.array(INKS[ink]) / 255.0)
    stroke = drawn.astype(bool)
    rgb = _bytes(base.rgb * 10 ** -(od * cover))
    return Scene(rgb, base.tissue & ~stroke, stroke)


def with_dust(base: Scene, seed: int = 1) -> Scene:
    """Dark specks of 8 to 40 µm on the glass."""
    rng = np.random.default_rng(seed)
    rgb = base.rgb.copy()
    height, width = base.tissue.shape
    for _ in range(120):
        place = (int(rng.integers(width)), int(rng.integers(height)))
        if not base.tissue[place[1], place[0]]:
            cv2.circle(rgb, place, int(rng.integers(1, 6)), (90, 88, 92), -1, cv2.LINE_AA)
    return replace(base, rgb=np.where(base.tissue[..., None], base.rgb, rgb))


def with_edge(base: Scene) -> Scene:
    """A cover slip's edge: a dark line with a magenta fringe, and a grey band beyond."""
    rgb = base.rgb.astype(np.float64)
    rgb[:, 14:18] *= 0.5
    rgb[:, 18:21] *= np.array([0.95, 0.82, 0.93])
    rgb[:, :14] *= 0.85
    return replace(base, rgb=_bytes(rgb))


def with_bubble(base: Scene) -> Scene:
    """An air bubble: a dark ring, its inside a little brighter."""
    rgb = base.rgb.copy()
    height = base.tissue.shape[0]
    cv2.circle(rgb, (180, height - 70), 50, (110, 108, 112), 4, cv2.LINE_AA)
    return replace(base, rgb=np.where(base.tissue[..., None], base.rgb, rgb))


def with_padding(base: Scene, value: int, width_px: int = 200) -> Scene:
    """Unscanned area of one value around the scanned one."""
    around = ((width_px // 2, width_px // 4), (width_px, 0))
    rgb = np.pad(base.rgb, (*around, (0, 0)), constant_values=value)
    return Scene(rgb, np.pad(base.tissue, around), np.pad(base.ink, around))


def with_fat(base: Scene, seed: int = 2) -> Scene:
    """Vacuoles of 20 to 56 µm over four fifths of the tissue; the truth keeps them."""
    rng = np.random.default_rng(seed)
    white = np.zeros(base.tissue.shape, np.uint8)
    inside = cv2.erode(base.tissue.astype(np.uint8), np.ones((9, 9)))
    y, x = np.nonzero(inside)
    for i in rng.choice(len(x), 3500, replace=False):
        radius = int(rng.integers(3, 8))
        box = white[y[i] - radius - 1 : y[i] + radius + 2, x[i] - radius - 1 : x[i] + radius + 2]
        if not box.any():
            cv2.circle(white, (int(x[i]), int(y[i])), radius, 1, -1)
    glass = np.median(base.rgb[~base.tissue], axis=0)
    return replace(base, rgb=_bytes(np.where(white[..., None] > 0, glass, base.rgb)))


def with_cleft(base: Scene, width_um: float = 160.0) -> Scene:
    """Torn across: a white cleft from edge to edge."""
    y, x = np.mgrid[: base.tissue.shape[0], : base.tissue.shape[1]]
    torn = np.abs(x - 380 - 12 * np.sin(y / 20)) < width_um / MPP / 2
    glass = np.median(base.rgb[~base.tissue], axis=0)
    rgb = np.where(torn[..., None], glass, base.rgb)
    return replace(base, rgb=_bytes(rgb), tissue=base.tissue & ~torn)


def _expose(rng: np.random.Generator, light: NDArray, noise: float) -> NDArray[np.uint8]:  # type: ignore[type-arg]
    grain = noise * rng.standard_normal(light.shape) if noise else 0.0
    rgb = _bytes(light + grain)
    ok, coded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert ok
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)


def _bytes(values: NDArray) -> NDArray[np.uint8]:  # type: ignore[type-arg]
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
