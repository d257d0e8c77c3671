"""Plots of the check: ranges of every target, and the power spectrum."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.phantom_check.measures import BANDS_UM
from benchmarks.phantom_check.targets import Target

mpl.use("Agg")
from matplotlib import pyplot as plt

_TITLE = "SYNTHETIC phantoms against measured real liver"


def plot_ranges(path: Path, targets: list[Target], values: dict[str, np.ndarray]) -> None:
    """Plot the phantoms' 5 to 95 % as bars on real ranges scaled to 0 to 1."""
    shown = [t for t in targets if t.name in values]
    figure, axes = plt.subplots(figsize=(8, 0.22 * len(shown) + 1), layout="constrained")
    axes.axvspan(0, 1, color="#cfe3cf", label="real, 5 to 95 %")
    for row, target in enumerate(shown):
        scaled = (values[target.name] - target.low) / (target.high - target.low)
        low, middle, high = np.clip(np.percentile(scaled, (5, 50, 95)), -1.5, 2.5)
        axes.plot([low, high], [row, row], color="#7a3b69", lw=3, solid_capstyle="butt")
        axes.plot(middle, row, "o", color="#7a3b69", ms=4)
    axes.set_yticks(range(len(shown)), [t.name for t in shown], fontsize=7)
    axes.set_xlim(-1.5, 2.5)
    axes.invert_yaxis()
    axes.set_title(_TITLE, fontsize=9)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def plot_spectrum(
    path: Path,
    targets: list[Target],
    values: dict[str, np.ndarray],
    known: dict[str, np.ndarray],
) -> None:
    """Plot the share of power by wavelength."""
    names = [f"power {a}-{b} µm" for a, b in BANDS_UM]
    by_name = {t.name: t.middle for t in targets}
    x = [np.sqrt(a * b) for a, b in BANDS_UM]
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    spread = np.array([np.percentile(values[n], (5, 50, 95)) for n in names])
    axes.fill_between(x, spread[:, 0], spread[:, 2], color="#7a3b69", alpha=0.25)
    axes.plot(x, spread[:, 1], color="#7a3b69", label="phantom, median and 5 to 95 %")
    axes.plot(x, [by_name[n] for n in names], "o-", color="#2d6a2d", label="published, real liver")
    if names[0] in known:
        medians = [np.median(known[n]) for n in names]
        label = "real cores at hand, same method"
        axes.plot(x, medians, "s--", color="#b5651d", label=label)
    axes.set(xscale="log", yscale="log", xlabel="wavelength, µm", ylabel="share of power")
    axes.invert_xaxis()
    axes.set_title(_TITLE, fontsize=9)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
