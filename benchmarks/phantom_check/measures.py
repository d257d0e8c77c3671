"""Colour, texture and cells of a field, by the same method for real and phantom fields."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from scipy import ndimage

from benchmarks.phantom_check.fields import MPP, Field

_EDGES_UM = (200, 100, 50, 25, 16, 12, 8, 6, 4, 3, 2)
BANDS_UM = tuple(itertools.pairwise(_EDGES_UM))
_INFLAMED_PER_MM2 = 5000.0
_QUIET_PER_MM2 = 3500.0


def optical_density(rgb: np.ndarray) -> np.ndarray:
    """Convert bytes to optical density, (H, W, 3) -log10(v / 255)."""
    return -np.log10(np.clip(rgb.astype(np.float32), 1, 255) / 255)


def halve(rgb: np.ndarray) -> np.ndarray:
    """Halve the size by area means."""
    return cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def segment_tissue(od: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of tissue (not white) and of nuclei (dense in red, by Otsu)."""
    smooth = cv2.GaussianBlur(od, (0, 0), 0.8)
    glass = np.percentile(smooth.mean(axis=2), 1)
    tissue = smooth[..., 1] > glass + 0.09
    red = smooth[..., 0]
    limit = _find_threshold(red[tissue]) if tissue.sum() > 1000 else 1.0
    nuclei = (red > limit) & tissue
    nuclei = cv2.morphologyEx(nuclei.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return tissue, ndimage.binary_fill_holes(nuclei)


def _find_threshold(values: np.ndarray) -> float:
    top = float(np.percentile(values, 99.8)) + 1e-6
    scaled = np.clip(values / top * 255, 0, 255).astype(np.uint8).reshape(1, -1)
    limit, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(limit) / 255 * top


def measure_colours(field: Field) -> dict[str, float]:
    """Measure median optical densities of cytoplasm and nuclei, and their ratios."""
    od = optical_density(field.rgb)
    tissue, nuclei = segment_tissue(od)
    wide = ndimage.binary_dilation(nuclei, iterations=2)
    core = ndimage.binary_erosion(nuclei, iterations=1)
    cytoplasm = np.median(od[tissue & ~wide], axis=0)
    nucleus = np.median(od[core], axis=0) if core.sum() > 200 else np.full(3, np.nan)
    found = {f"cytoplasm OD {c}": float(v) for c, v in zip("RGB", cytoplasm, strict=True)}
    found |= {f"nucleus OD {c}": float(v) for c, v in zip("RGB", nucleus, strict=True)}
    found |= {
        f"nucleus / cytoplasm {c}": float(n / v)
        for c, n, v in zip("RGB", nucleus, cytoplasm, strict=True)
    }
    found["cytoplasm R / G"] = float(cytoplasm[0] / cytoplasm[1])
    found["cytoplasm B / G"] = float(cytoplasm[2] / cytoplasm[1])
    return found | estimate_stain_vectors(od, tissue)


def estimate_stain_vectors(od: np.ndarray, tissue: np.ndarray) -> dict[str, float]:
    """Estimate unit vectors as Macenko (ISBI 2009): extreme angles in the plane of variance."""
    points = od[tissue & (od.min(axis=2) > 0.03)]
    _, vectors = np.linalg.eigh(np.cov(points.T))
    plane = vectors[:, [2, 1]] * np.sign(vectors[:, [2, 1]].sum(axis=0) + 1e-9)
    angle = np.arctan2(*(points @ plane).T[::-1])
    ends = [plane @ np.array([np.cos(a), np.sin(a)]) for a in np.percentile(angle, (1, 99))]
    ends = [np.abs(end) / np.linalg.norm(end) for end in ends]
    ends.sort(key=lambda end: -end[0])
    dyes = zip(("H", "E"), ends, strict=True)
    return {f"{n} vector {c}": float(v) for n, end in dyes for c, v in zip("RGB", end, strict=True)}


def measure_texture(rgb: np.ndarray, mpp: float) -> dict[str, float]:
    """Measure contrast and sharpness of mean optical density at `mpp`."""
    od = optical_density(rgb).mean(axis=2)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = np.abs(np.diff(od, axis=0)).mean() / 2 + np.abs(np.diff(od, axis=1)).mean() / 2
    side = round(16 / mpp)
    local = cv2.blur(od * od, (side, side)) - cv2.blur(od, (side, side)) ** 2
    unit = f"at {mpp:g} µm/px"
    return {
        f"OD sd {unit}": float(od.std()),
        f"mean |dOD| {unit}": float(slope),
        f"Laplacian variance {unit}": float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        f"local sd 16 µm {unit}": float(np.sqrt(np.clip(local, 0, None)).mean()),
    }


def measure_band_powers(rgb: np.ndarray, mpp: float) -> dict[str, float]:
    """Measure the radial power of mean optical density by wavelength; the bands sum to 1.

    Power is averaged over each ring of frequencies. Sums instead of means would put the real cores
    at hand far from the published shares.
    """
    od = optical_density(rgb).mean(axis=2)
    window = np.outer(np.hanning(od.shape[0]), np.hanning(od.shape[1]))
    power = np.abs(np.fft.fft2((od - od.mean()) * window)) ** 2
    fy, fx = (np.fft.fftfreq(n, mpp) for n in od.shape)
    frequency = np.hypot(fy[:, None], fx[None])
    bands = [power[(frequency >= 1 / a) & (frequency < 1 / b)].mean() for a, b in BANDS_UM]
    total = sum(bands) + 1e-12
    return {
        f"power {a}-{b} µm": float(p / total) for (a, b), p in zip(BANDS_UM, bands, strict=True)
    }


def measure_cells(field: Field) -> dict[str, float]:
    """Measure sizes and densities of nuclei in a field of lobule, and sizes of fat droplets."""
    od = optical_density(field.rgb)
    tissue, nuclei = segment_tissue(od)
    sizes = measure_nuclei(nuclei)
    area_mm2 = field.rgb.shape[0] * field.rgb.shape[1] * MPP**2 * 1e-6
    round_ones = [d for d, is_round in sizes if is_round and 4.5 < d < 13]
    droplets = measure_droplets(tissue)
    return {
        "hepatocyte nucleus diameter µm": float(np.median(round_ones)) if round_ones else np.nan,
        "all nuclei per mm²": count_nuclei(nuclei) / area_mm2,
        "hepatocyte nuclei per mm²": len(round_ones) / area_mm2,
        "fat droplet diameter µm": float(np.median(droplets)) if len(droplets) > 25 else np.nan,
    }


def measure_nuclei(nuclei: np.ndarray) -> list[tuple[float, bool]]:
    """Measure every piece: (equivalent diameter in µm, whether it is round)."""
    outlines, _ = cv2.findContours(
        nuclei.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    found = []
    for outline in outlines:
        area = cv2.contourArea(outline) + cv2.arcLength(outline, True) / 2
        hull = cv2.contourArea(cv2.convexHull(outline)) + 1e-9
        if area < 20 or len(outline) < 6:
            continue
        (_, _), axes, _ = cv2.fitEllipse(outline)
        is_round = min(axes) > 0.68 * max(axes) and cv2.contourArea(outline) > 0.88 * hull
        found.append((2 * np.sqrt(area / np.pi) * MPP, is_round))
    return found


def count_nuclei(nuclei: np.ndarray) -> int:
    """Count peaks of the distance to the border, which separates touching nuclei."""
    return int(ndimage.label(_find_middles(nuclei, 9, 1.8))[1])


def _find_middles(nuclei: np.ndarray, apart_px: int, least_px: float) -> np.ndarray:
    """Find peaks of the distance to the border, by least distances apart and to the border."""
    distance = cv2.GaussianBlur(
        cv2.distanceTransform(nuclei.astype(np.uint8), cv2.DIST_L2, 5), (0, 0), 1.0
    )
    return np.asarray(
        (distance == ndimage.maximum_filter(distance, apart_px)) & (distance > least_px)
    )


def measure_droplets(tissue: np.ndarray) -> list[float]:
    """Measure the diameters of round white holes of 3 to 60 µm, in µm."""
    outlines, _ = cv2.findContours(
        (~tissue).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    found = []
    for outline in outlines:
        area, length = cv2.contourArea(outline), cv2.arcLength(outline, True)
        diameter = 2 * np.sqrt(area / np.pi) * MPP
        if 3 < diameter < 60 and 4 * np.pi * area / (length**2 + 1e-9) > 0.75:
            found.append(float(diameter))
    return found


def measure_portal(field: Field) -> dict[str, float]:
    """Measure the nuclei per mm² of a tract, and its optical density over the lobule's.

    The densest 80 µm of an inflamed tract count, and all of a quiet tract.
    """
    if field.labels is None or (field.labels == 2).mean() < 0.12:
        return {}
    od = optical_density(field.rgb)
    inside = (field.labels == 2).astype(np.float32)
    found = _map_nuclei(od) * inside
    whole = float(found.sum() / (inside.sum() * MPP**2 * 1e-6))
    if whole > _INFLAMED_PER_MM2:
        return _measure_densest(od, field.labels, inside, found)
    if whole < _QUIET_PER_MM2:
        colour = _compare_with_lobule(od[inside > 0].mean(axis=0), od, field.labels, "quiet portal")
        return {"quiet portal nuclei per mm²": whole} | colour
    return {}


def _measure_densest(
    od: np.ndarray, labels: np.ndarray, inside: np.ndarray, found: np.ndarray
) -> dict[str, float]:
    side = (round(80 / MPP),) * 2
    dense = np.where(cv2.blur(inside, side) > 0.97, cv2.blur(found, side), 0)
    if not dense.any():
        return {}
    row, column = np.unravel_index(dense.argmax(), dense.shape)
    colour = _compare_with_lobule(cv2.blur(od, side)[row, column], od, labels, "infiltrate")
    return {"infiltrate nuclei per mm²": float(dense.max()) / (MPP**2 * 1e-6)} | colour


def _map_nuclei(od: np.ndarray) -> np.ndarray:
    """Mark the middle of every nucleus by 1, (H, W) float32, touching nuclei too."""
    _, nuclei = segment_tissue(od)
    return np.asarray(_find_middles(nuclei, 7, 1.2).astype(np.float32))


def _compare_with_lobule(
    od_of_part: np.ndarray, od: np.ndarray, labels: np.ndarray, name: str
) -> dict[str, float]:
    """Divide a part's red and green optical density by the lobule's, if the field has lobule."""
    lobule = labels == 1
    if lobule.mean() < 0.12:
        return {}
    ratio = od_of_part / od[lobule].mean(axis=0)
    return {f"{name} / lobule R": float(ratio[0]), f"{name} / lobule G": float(ratio[1])}
