"""Changes of position, shape, stain, light and sharpness that a laboratory could make.

All work on a batch in memory, with the batch's own generator: one displacement field serves
image and labels, and the same seed gives the same batch on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_DYES = torch.tensor([[0.52, 0.74, 0.43], [0.20, 0.83, 0.48], [0.27, 0.57, 0.78]])
"""Haematoxylin, eosin and a remainder, as optical densities (docs/phantom.md)."""


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a tile; ranges are even, chances are per tile.

    Attributes:
        turn: quarter turns and flips.
        bend: chance of rotation, elastic and grid distortion.
        rotate_deg: rotation to either side.
        zoom: scale, to either side of 1.
        elastic: smooth displacement, as a part of the tile's side.
        grid: displacement of the nodes of a 5 x 5 grid, likewise.
        stain: chance that the amounts of the dyes change.
        stain_scale: lowest and highest factor of a dye.
        gain: of brightness, to either side of 1.
        tint: of each channel, likewise.
        contrast: likewise.
        saturation: likewise.
        grey: chance of no colour at all.
        blur: chance of blur.
        blur_px: widest sigma of the blur.
        noise: chance of noise.
        noise_level: highest deviation of the noise, of 0 to 1.
    """

    turn: bool = True
    bend: float = 0.0
    rotate_deg: float = 0.0
    zoom: float = 0.0
    elastic: float = 0.0
    grid: float = 0.0
    stain: float = 0.0
    stain_scale: tuple[float, float] = (0.72, 1.35)
    gain: float = 0.0
    tint: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    grey: float = 0.0
    blur: float = 0.0
    blur_px: float = 1.5
    noise: float = 0.0
    noise_level: float = 0.03


AUGMENTATIONS = {
    "none": Augmentation(turn=False),
    "paper": Augmentation(
        bend=0.5, rotate_deg=45, elastic=0.008, grid=0.02, gain=0.15, tint=0.03, contrast=0.15,
        saturation=0.2, blur=0.2, blur_px=1.2,
    ),
    "stain": Augmentation(
        bend=0.5, rotate_deg=45, zoom=0.15, elastic=0.008, grid=0.02, stain=0.75, gain=0.12,
        tint=0.06, contrast=0.2, saturation=0.2, grey=0.05, blur=0.33, noise=0.27,
    ),
}  # fmt: skip
"""`paper`: the kinds that Cazzaniga et al. 2025 name, whose strengths they do not state."""


def augment(
    images: Tensor, labels: Tensor, how: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """(N, 3, H, W) float images in 0 to 1 and (N, H, W) uint8 labels, changed at random."""
    if how.turn:
        images, labels = _turned(images, labels, generator)
    if how.bend:
        images, labels = _bent(images, labels, how, generator)
    if how.stain:
        images = _restained(images, how, generator)
    images = _relit(images, how, generator)
    images = _blurred(images, how, generator)
    return images.clamp(0, 1), labels


def _even(shape: tuple[int, ...], reach: float, generator: torch.Generator) -> Tensor:
    """Even between -reach and reach."""
    return reach * (2 * torch.rand(shape, generator=generator) - 1)


def _chosen(images: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """(N, 1, 1, 1) bool, True with this chance for each tile."""
    drawn = torch.rand((len(images), 1, 1, 1), generator=generator) < chance
    return drawn.to(images.device)


def _turned(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Each tile by one of the eight turns and flips of a square."""
    drawn = torch.randint(8, (len(images),), generator=generator).tolist()
    pairs = [_turned_one(*pair) for pair in zip(images, labels, drawn, strict=True)]
    return torch.stack([image for image, _ in pairs]), torch.stack([label for _, label in pairs])


def _turned_one(image: Tensor, label: Tensor, which: int) -> tuple[Tensor, Tensor]:
    image, label = torch.rot90(image, which % 4, (1, 2)), torch.rot90(label, which % 4, (0, 1))
    return (image.flip(2), label.flip(1)) if which >= 4 else (image, label)


def _bent(
    images: Tensor, labels: Tensor, how: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rotation, zoom, elastic and grid distortion in one sampling; mirrored at the border."""
    count, _, height, width = images.shape
    straight = functional.affine_grid(
        torch.eye(2, 3).expand(count, 2, 3), [count, 3, height, width], align_corners=False
    )
    bent = functional.affine_grid(
        _rotations(count, how, generator), [count, 3, height, width], align_corners=False
    )
    bent = bent + _displacement(images, 9, how.elastic, "bicubic", generator)
    bent = bent + _displacement(images, 5, how.grid, "bilinear", generator)
    chosen = torch.rand((count, 1, 1, 1), generator=generator) < how.bend
    where = torch.where(chosen, bent, straight).to(images.device)
    images = _sampled(images, where, "bilinear")
    labels = _sampled(labels[:, None].float(), where, "nearest")[:, 0].to(labels.dtype)
    return images, labels


def _rotations(count: int, how: Augmentation, generator: torch.Generator) -> Tensor:
    angle = _even((count,), math.radians(how.rotate_deg), generator)
    scale = 1 + _even((count,), how.zoom, generator)
    cosine, sine, zero = scale * angle.cos(), scale * angle.sin(), torch.zeros(count)
    rows = [torch.stack([cosine, -sine, zero], 1), torch.stack([sine, cosine, zero], 1)]
    return torch.stack(rows, 1)


def _displacement(
    images: Tensor, nodes: int, reach: float, between: str, generator: torch.Generator
) -> Tensor:
    """(N, H, W, 2) in units of half a tile, from a coarse grid of nodes."""
    coarse = _even((len(images), 2, nodes, nodes), 2 * reach, generator)
    fine = functional.interpolate(coarse, images.shape[2:], mode=between, align_corners=True)
    return fine.permute(0, 2, 3, 1)


def _sampled(values: Tensor, where: Tensor, mode: str) -> Tensor:
    return functional.grid_sample(
        values, where, mode=mode, padding_mode="reflection", align_corners=False
    )


def _restained(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Dye amounts scaled and shifted in optical density (after Tellez et al. 2019)."""
    count = len(images)
    dyes = (_DYES / _DYES.norm(dim=1, keepdim=True)).to(images.device)
    density = -torch.log10(images.clamp_min(1 / 255)).permute(0, 2, 3, 1)
    amounts = density @ torch.linalg.inv(dyes)
    low, high = how.stain_scale
    scale = low + (high - low) * torch.rand((count, 1, 1, 3), generator=generator)
    shift = _even((count, 1, 1, 3), 0.02, generator)
    changed = (amounts * scale.to(images.device) + shift.to(images.device)) @ dyes
    density = torch.where(_chosen(images, how.stain, generator), changed, density)
    return torch.pow(10.0, -density).permute(0, 3, 1, 2).clamp(0, 1)


def _relit(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    one, three = (len(images), 1, 1, 1), (len(images), 3, 1, 1)
    gain = (1 + _even(one, how.gain, generator)) * (1 + _even(three, how.tint, generator))
    contrast = (1 + _even(one, how.contrast, generator)).to(images.device)
    saturation = (1 + _even(one, how.saturation, generator)).to(images.device)
    saturation = torch.where(_chosen(images, how.grey, generator), 0.0, saturation)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (mean + (images - mean) * contrast) * gain.to(images.device)
    grey = images.mean(dim=1, keepdim=True)
    return grey + (images - grey) * saturation


def _blurred(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Blur of one width a batch, and noise, each on its share of the tiles."""
    sigma = 0.3 + (how.blur_px - 0.3) * float(torch.rand(1, generator=generator))
    chosen = _chosen(images, how.blur, generator)
    if bool(chosen.any()):
        images = torch.where(chosen, _gaussian(images, sigma), images)
    chosen = _chosen(images, how.noise, generator)
    if bool(chosen.any()):
        level = how.noise_level * torch.rand((len(images), 1, 1, 1), generator=generator)
        noise = torch.randn(images.shape, generator=generator) * level
        images = torch.where(chosen, images + noise.to(images.device), images)
    return images


def _gaussian(images: Tensor, sigma: float) -> Tensor:
    reach = max(1, math.ceil(2.5 * sigma))
    x = torch.arange(-reach, reach + 1, dtype=torch.float32, device=images.device)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    images = functional.pad(images, (reach, reach, reach, reach), mode="reflect")
    images = functional.conv2d(images, kernel[:, :, :, None], groups=3)
    return functional.conv2d(images, kernel[:, :, None, :], groups=3)
