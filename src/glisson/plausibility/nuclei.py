"""Measure the share of single round nuclei in a field's nuclear area, and its edges' alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.plausibility.settings import PlausibilitySettings
from glisson.tissue.density import Floats, blur, density
from glisson.tissue.tissue_map import Mask

_TISSUE_OD = 0.06
"""Mean OD over 2 µm from which a pixel is tissue; sinusoids and fat below it are not."""
_STAINED_OD = 0.08
"""Green OD from which a ratio of two channels is more than noise."""
_NUCLEUS_BLUR_UM = 0.8
_DIRECTION_UM = 12.0
"""µm, standard deviation of the neighbourhood of a direction: about a hepatocyte."""
_REDUCED = 4
_LEAST_OD = 0.04
"""Haematoxylin OD over the cytoplasm's that is more than noise."""
_LEAST_PIECE_UM2 = 4.0
"""Smaller pieces have no shape at 1 µm/px."""
_SAMPLED = 7
"""Percentiles sample every n-th pixel."""


@dataclass(frozen=True)
class Field:
    """A field's optical density against the glass.

    Attributes:
        red: (H, W) OD.
        green: (H, W) OD.
        tissue: (H, W) bool.
        mpp: µm per pixel.
    """

    red: Floats
    green: Floats
    tissue: Mask
    mpp: float

    @classmethod
    def of(cls, rgb: NDArray[np.uint8], glass_rgb: tuple[int, int, int], mpp: float) -> Field:
        """Convert (H, W, 3) uint8 pixels to optical density."""
        od = np.maximum(density(rgb) - density(np.array(glass_rgb, np.uint8)), 0)
        red, green = (np.ascontiguousarray(od[..., channel]) for channel in (0, 1))
        tissue = blur(od.mean(axis=2, dtype=np.float32), 2.0 / mpp) > _TISSUE_OD
        return cls(red, green, tissue, mpp)

    def haematoxylin(self, cytoplasm: float) -> Floats:
        """Return the (H, W) red OD above that of cytoplasm with a given red over green ratio."""
        return blur(self.red - np.float32(cytoplasm) * self.green, _NUCLEUS_BLUR_UM / self.mpp)


@dataclass(frozen=True)
class FieldLook:
    """Measurements of a field.

    Attributes:
        round_share: share of the nuclear area in single round nuclei, 0 to 1; 0 without nuclei.
        nuclei_um2: areas of its round nuclei of any size.
        aligned: alignment of its edges, 0 to 1 (median coherence).
    """

    round_share: float
    nuclei_um2: NDArray[np.float64]
    aligned: float


def look_at_fields(
    fields: Sequence[Field], settings: PlausibilitySettings
) -> tuple[FieldLook, ...]:
    """Measure the fields of a slide, relative to the slide's cytoplasm and nuclei."""
    if not fields:
        return ()
    cytoplasm = _measure_cytoplasm_ratio(fields)
    limit = _measure_nuclear_limit(fields, cytoplasm)
    return tuple(
        FieldLook(
            *_measure_round(field, field.haematoxylin(cytoplasm) > limit, settings),
            aligned=_measure_alignment(field),
        )
        for field in fields
    )


def _measure_cytoplasm_ratio(fields: Sequence[Field]) -> float:
    """Measure red over green OD of the cytoplasm: a field's lower quartile, as nuclei have more.

    Taking the median over fields makes the ratio robust to ink and folds, as for the nuclei.
    """
    found = []
    for field in fields:
        red, green = (blur(od, 1.0 / field.mpp) for od in (field.red, field.green))
        stained = field.tissue & (green > _STAINED_OD)
        if stained.any():
            found.append(np.percentile((red[stained] / green[stained])[::_SAMPLED], 25))
    return float(np.median(found)) if found else 0.3


def _measure_nuclear_limit(fields: Sequence[Field], cytoplasm: float) -> float:
    """Measure the haematoxylin OD half-way from a field's median pixel to its darkest fiftieth."""
    found = [
        np.percentile(field.haematoxylin(cytoplasm)[field.tissue][::_SAMPLED], [50, 98]).mean()
        for field in fields
        if field.tissue.any()
    ]
    return max(float(np.median(found)), _LEAST_OD) if found else _LEAST_OD


def _measure_round(
    field: Field, nuclei: Mask, settings: PlausibilitySettings
) -> tuple[float, NDArray[np.float64]]:
    """Return the share of the nuclear area in single round nuclei, and all round pieces' areas."""
    area_px, elongation, filled = _measure_shapes(nuclei & field.tissue)
    area_um2 = area_px * field.mpp**2
    is_round = (elongation < settings.most_elongated) & (filled > settings.least_filled)
    least, most = settings.nucleus_um2
    is_single = is_round & (area_um2 >= least) & (area_um2 <= most)
    share = float(area_px[is_single].sum() / max(area_px.sum(), 1))
    return share, area_um2[is_round & (area_um2 >= _LEAST_PIECE_UM2)]


def _measure_shapes(
    mask: Mask,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Measure each piece's area in px, axis ratio, and area over its moments' ellipse."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    y, x = np.nonzero(mask)
    label = labels[y, x]

    def mean(values: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.bincount(label, values, count)[1:] / area

    area = np.bincount(label, minlength=count)[1:].astype(float)
    x, y = x.astype(float), y.astype(float)
    across, down = mean(x), mean(y)
    xx, yy = mean(x * x) - across**2 + 1 / 12, mean(y * y) - down**2 + 1 / 12
    xy = mean(x * y) - across * down
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    elongation = np.sqrt((middle + spread) / np.maximum(middle - spread, 1e-3))
    ellipse_px = 4 * np.pi * np.sqrt(np.maximum(xx * yy - xy**2, 1e-3))
    return area, elongation, area / ellipse_px


def _measure_alignment(field: Field) -> float:
    """Measure the coherence of green OD's structure tensor; muscle and collagen have more."""
    smooth = blur(field.green, 1.0 / field.mpp)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    xx, yy, xy = (
        blur(_shrink(np.asarray(a * b)), _DIRECTION_UM / field.mpp / _REDUCED)
        for a, b in ((dx, dx), (dy, dy), (dx, dy))
    )
    coherence = np.hypot(xx - yy, 2 * xy) / (xx + yy + np.float32(1e-9))
    tissue = _shrink(field.tissue.astype(np.float32)) > 0.5
    return float(np.median(coherence[tissue])) if tissue.any() else 0.0


def _shrink(values: Floats) -> Floats:
    """Average to a fourth of the rows and columns."""
    height, width = (max(1, length // _REDUCED) for length in values.shape)
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))
