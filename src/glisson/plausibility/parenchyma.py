"""Look for hepatocytes in small fields of 1 µm/px, spread evenly over the tissue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glisson.artefacts.focus import fine_contrast
from glisson.artefacts.settings import ArtefactSettings
from glisson.frames import RegionUm
from glisson.plausibility.nuclei import Field, look_at_fields
from glisson.plausibility.settings import PlausibilitySettings
from glisson.slides import Slide
from glisson.tissue import TissueMap

_COARSEST_MPP = 1.1
"""µm per level-0 pixel beyond which the shape of nuclei is lost."""
_LEAST_NUCLEI = 5
"""Round nuclei in a field, on average, by which their size is judged."""


@dataclass(frozen=True)
class Parenchyma:
    """Measurements of a slide's fields.

    Attributes:
        fields_read: number of completely read fields.
        field_count: number of fields in focus, which were measured.
        liver_share: share of the measured fields that look like hepatocytes, 0 to 1; None
            without fields.
        round_share: mean share of the nuclear area in single round nuclei, 0 to 1; None likewise.
        aligned: median alignment of edges, 0 to 1; None likewise.
        nucleus_um2: area of round nuclei that half of their area lies below; None with fewer than
            five in a field.
    """

    fields_read: int
    field_count: int
    liver_share: float | None = None
    round_share: float | None = None
    aligned: float | None = None
    nucleus_um2: float | None = None


def measure_parenchyma(
    slide: Slide, tissue: TissueMap, settings: PlausibilitySettings
) -> Parenchyma:
    """Read at most `settings.most_fields` fields, and measure the fields in focus.

    Raises:
        SlideError: as `slide.read` raises it.
    """
    pixel = slide.info.pixel_size
    if max(pixel.x_um, pixel.y_um) > _COARSEST_MPP:
        return Parenchyma(0, 0)
    patches = [
        patch.rgb
        for region_um in choose_regions(tissue, settings)
        if (patch := slide.read(region_um, settings.field_mpp)).readable.all()
    ]
    return measure_patches(patches, tissue.background_rgb, settings)


def measure_patches(
    patches: Sequence[NDArray[np.uint8]],
    glass_rgb: tuple[int, int, int],
    settings: PlausibilitySettings,
) -> Parenchyma:
    """Measure (H, W, 3) uint8 fields of a slide at `settings.field_mpp`."""
    # A field without contrast has NaN, which is not sharp.
    fields = [
        Field.of(rgb, glass_rgb, settings.field_mpp)
        for rgb in patches
        if fine_contrast(rgb, ArtefactSettings()) >= settings.least_sharpness
    ]
    looks = look_at_fields(fields, settings)
    if not looks:
        return Parenchyma(len(patches), 0)
    shows_liver = [
        look.round_share >= settings.least_round_share and look.aligned <= settings.most_aligned
        for look in looks
    ]
    return Parenchyma(
        len(patches),
        len(looks),
        float(np.mean(shows_liver)),
        float(np.mean([look.round_share for look in looks])),
        float(np.median([look.aligned for look in looks])),
        _find_typical_area([look.nuclei_um2 for look in looks]),
    )


def _find_typical_area(fields_um2: Sequence[NDArray[np.float64]]) -> float | None:
    """Return the area that half of the nuclei's area lies below: noise is many, and small."""
    areas_um2 = np.sort(np.concatenate(fields_um2))
    if len(areas_um2) < _LEAST_NUCLEI * len(fields_um2):
        return None
    passed = np.cumsum(areas_um2)
    return float(areas_um2[np.searchsorted(passed, passed[-1] / 2)])


def choose_regions(tissue: TissueMap, settings: PlausibilitySettings) -> list[RegionUm]:
    """Choose cells of a lattice that are mostly tissue, and evenly spaced if there are too many."""
    mpp = tissue.frame.mpp
    step = max(1, round(settings.field_um / mpp))
    rows, columns = (max(1, length // step) for length in tissue.mask.shape)
    whole = tissue.mask[: rows * step, : columns * step].astype(np.float32)
    share = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    found = np.argwhere(share >= settings.least_tissue)
    chosen = np.linspace(0, len(found) - 1, min(len(found), settings.most_fields)).round()
    return [
        RegionUm(column * step * mpp, row * step * mpp, settings.field_um, settings.field_um)
        for row, column in found[chosen.astype(int)].tolist()
    ]
