"""Changes of stain, light and sharpness that a laboratory or a scanner could make.

All work on a batch in memory, with the batch's own generator: reproducible, and free of
image libraries that are no longer maintained.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

_DYES = torch.tensor([[0.52, 0.74, 0.43], [0.20, 0.83, 0.48], [0.27, 0.57, 0.78]])
"""Haematoxylin, eosin and a remainder, as optical densities (docs/phantom.md)."""


def augment(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """(N, 3, H, W) float images in 0 to 1 and (N, H, W) labels, changed at random."""
    images, labels = _turned(images, labels, generator)
    images = _restained(images, generator)
    images = _relit(images, generator)
    images = _blurred(images, generator)
    return images.clamp(0, 1), labels


def _uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)


def _turned(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    turns = int(torch.randint(4, (1,), generator=generator))
    flip = bool(torch.randint(2, (1,), generator=generator))
    images, labels = torch.rot90(images, turns, (2, 3)), torch.rot90(labels, turns, (1, 2))
    return (images.flip(3), labels.flip(2)) if flip else (images, labels)


def _restained(images: Tensor, generator: torch.Generator) -> Tensor:
    """Dye amounts scaled and shifted in optical density (after Tellez et al. 2019)."""
    count = images.shape[0]
    dyes = _DYES / _DYES.norm(dim=1, keepdim=True)
    density = -torch.log10(images.clamp_min(1 / 255)).permute(0, 2, 3, 1)
    amounts = density @ torch.linalg.inv(dyes)
    scale = _uniform((count, 1, 1, 3), 0.72, 1.35, generator)
    shift = _uniform((count, 1, 1, 3), -0.02, 0.02, generator)
    changed = (amounts * scale + shift) @ dyes
    chosen = torch.rand((count, 1, 1, 1), generator=generator) < 0.75
    density = torch.where(chosen, changed, density)
    return torch.pow(10.0, -density).permute(0, 3, 1, 2).clamp(0, 1)


def _relit(images: Tensor, generator: torch.Generator) -> Tensor:
    count = images.shape[0]
    gain = _uniform((count, 1, 1, 1), 0.86, 1.1, generator)
    gain = gain * _uniform((count, 3, 1, 1), 0.94, 1.06, generator)
    contrast = _uniform((count, 1, 1, 1), 0.8, 1.2, generator)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (mean + (images - mean) * contrast) * gain
    grey = images.mean(dim=1, keepdim=True).expand_as(images)
    faded = torch.rand((count, 1, 1, 1), generator=generator) < 0.05
    return torch.where(faded, grey, images)


def _blurred(images: Tensor, generator: torch.Generator) -> Tensor:
    """A third of the batches is blurred, a third made noisy."""
    choice = float(torch.rand(1, generator=generator))
    if choice < 0.33:
        sigma = float(_uniform((1,), 0.3, 1.5, generator))
        return _gaussian(images, sigma)
    if choice < 0.6:
        noise = torch.randn(images.shape, generator=generator)
        return images + noise * float(_uniform((1,), 0.0, 0.03, generator))
    return images


def _gaussian(images: Tensor, sigma: float) -> Tensor:
    reach = max(1, math.ceil(2.5 * sigma))
    x = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    images = functional.pad(images, (reach, reach, reach, reach), mode="reflect")
    images = functional.conv2d(images, kernel[:, :, None, :], groups=3)
    return functional.conv2d(images, kernel[:, :, :, None], groups=3)
