"""Changes of position, shape, stain, light and sharpness that a laboratory could make.

All work on a batch where it lies, with a generator of the same device: one displacement field
serves image and labels, and the same seed gives the same batch on every device of one kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_DYES = torch.tensor([[0.52, 0.74, 0.43], [0.20, 0.83, 0.48], [0.27, 0.57, 0.78]])
"""Haematoxylin, eosin and a remainder, as optical densities (docs/phantom.md)."""


_GRID = 5


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a tile; ranges are even, chances are per tile.

    Attributes:
        turn: quarter turns and flips.
        rotate: chance of rotation and zoom.
        rotate_deg: rotation to either side.
        zoom: scale, to either side of 1.
        elastic: chance of a smooth displacement.
        elastic_reach: its largest value, as a part of the tile's side.
        elastic_nodes: nodes of its grid along a side; more make it finer.
        grid: chance that the columns and rows of a 5 x 5 grid change their widths.
        grid_reach: by how much, as a part of a column.
        stain: chance of other amounts of dye.
        stain_scale: range of the factors on the amounts.
        colour: chance of the changes of light and colour below.
        gain: of brightness, to either side of 1.
        tint: of each channel, likewise.
        contrast: likewise.
        saturation: likewise.
        hue: turn of the colour circle to either side, as a part of it.
        grey: chance of no colour at all.
        texture: chance of a random 3 x 3 filter over the three colours, mixed with the tile.
        blur: chance of blur.
        blur_px: widest sigma of the blur.
        noise: chance of noise.
        noise_level: highest deviation of the noise, of 0 to 1.
    """

    turn: bool = True
    rotate: float = 0.0
    rotate_deg: float = 45.0
    zoom: float = 0.0
    elastic: float = 0.0
    elastic_reach: float = 0.008
    elastic_nodes: int = 9
    grid: float = 0.0
    grid_reach: float = 0.15
    stain: float = 0.0
    stain_scale: tuple[float, float] = (0.72, 1.35)
    colour: float = 1.0
    gain: float = 0.0
    tint: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    grey: float = 0.0
    texture: float = 0.0
    blur: float = 0.0
    blur_px: float = 1.5
    noise: float = 0.0
    noise_level: float = 0.03


AUGMENTATIONS = {
    "none": Augmentation(turn=False),
    "paper": Augmentation(
        elastic=0.3, elastic_reach=0.017, elastic_nodes=33, grid=0.3, grid_reach=0.5, colour=0.8,
        gain=0.1, contrast=0.8, saturation=0.8, hue=0.1, blur=0.3, blur_px=3.0,
    ),
    "stain": Augmentation(
        rotate=0.5, zoom=0.15, elastic=0.5, grid=0.5, stain=0.75, gain=0.12, tint=0.06,
        contrast=0.2, saturation=0.2, grey=0.05, blur=0.33, noise=0.27,
    ),
    "wide": Augmentation(
        rotate=0.5, zoom=0.25, elastic=0.5, grid=0.5, stain=0.75, stain_scale=(0.6, 1.5),
        gain=0.18, tint=0.1, contrast=0.35, saturation=0.4, hue=0.03, grey=0.1, texture=0.3,
        blur=0.4, blur_px=1.8, noise=0.33, noise_level=0.04,
    ),
}  # fmt: skip
"""`paper`: kinds and strengths of the authors' published scripts (elastic of alpha 50 px and
sigma 4 px has a deviation of 2 px; grid limit 0.5; colour jitter 0.1, 0.8, 0.8, 0.1), quarter
turns and flips. `stain`: what measured better with tiles of slides. `wide`: for models that learn
from phantoms alone and will see what those never show."""


def augment(
    images: Tensor, labels: Tensor, how: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """(N, 3, H, W) float images in 0 to 1 and (N, H, W) uint8 labels, changed at random."""
    if how.turn:
        images, labels = _turned(images, labels, generator)
    if how.rotate or how.elastic or how.grid:
        images, labels = _bent(images, labels, how, generator)
    if how.stain:
        images = _restained(images, how, generator)
    images = _relit(images, how, generator)
    if how.texture:
        images = _filtered(images, how, generator)
    images = _blurred(images, how, generator)
    return images.clamp(0, 1), labels


def _drawn(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Even between 0 and 1, on the generator's device."""
    return torch.rand(shape, generator=generator, device=generator.device)


def _even(shape: tuple[int, ...], reach: float, generator: torch.Generator) -> Tensor:
    """Even between -reach and reach."""
    return reach * (2 * _drawn(shape, generator) - 1)


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device)


def _chosen(images: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """(N, 1, 1, 1) bool, True with this chance for each tile."""
    return _drawn((len(images), 1, 1, 1), generator) < chance


def _turned(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Each tile by one of the eight turns and flips of a square."""
    eighths = torch.randint(8, (len(images),), generator=generator, device=generator.device)
    drawn = eighths.tolist()
    pairs = [_turned_one(*pair) for pair in zip(images, labels, drawn, strict=True)]
    return torch.stack([image for image, _ in pairs]), torch.stack([label for _, label in pairs])


def _turned_one(image: Tensor, label: Tensor, which: int) -> tuple[Tensor, Tensor]:
    image, label = torch.rot90(image, which % 4, (1, 2)), torch.rot90(label, which % 4, (0, 1))
    return (image.flip(2), label.flip(1)) if which >= 4 else (image, label)


def _bent(
    images: Tensor, labels: Tensor, how: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rotation, zoom, elastic and grid distortion in one sampling; mirrored at the border."""
    count = len(images)
    where = functional.affine_grid(
        _rotations(count, how, generator), list(images.shape), align_corners=False
    )
    where = where + _elastic(images, how, generator) + _stretch(images, how, generator)
    images = _sampled(images, where, "bilinear")
    labels = _sampled(labels[:, None].float(), where, "nearest")[:, 0].to(labels.dtype)
    return images, labels


def _rotations(count: int, how: Augmentation, generator: torch.Generator) -> Tensor:
    chosen = _drawn((count,), generator) < how.rotate
    angle = _even((count,), math.radians(how.rotate_deg), generator) * chosen
    scale = 1 + _even((count,), how.zoom, generator) * chosen
    cosine, sine, zero = scale * angle.cos(), scale * angle.sin(), torch.zeros_like(scale)
    rows = [torch.stack([cosine, -sine, zero], 1), torch.stack([sine, cosine, zero], 1)]
    return torch.stack(rows, 1)


def _elastic(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """(N, H, W, 2) displacement in units of half a tile, smooth between random nodes."""
    count, side = len(images), how.elastic_nodes
    chosen = _drawn((count, 1, 1, 1), generator) < how.elastic
    coarse = _even((count, 2, side, side), 2 * how.elastic_reach, generator) * chosen
    fine = functional.interpolate(coarse, images.shape[2:], mode="bicubic", align_corners=True)
    return fine.permute(0, 2, 3, 1)


def _stretch(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """(N, H, W, 2) displacement in units of half a tile: columns and rows of other widths."""
    count, _, height, width = images.shape
    chosen = _drawn((count, 1, 1), generator) < how.grid
    widths = 1 + _even((count, 2, _GRID), how.grid_reach, generator) * chosen
    edges = functional.pad(widths.cumsum(2) / widths.sum(2, keepdim=True), (1, 0))
    moved = 2 * (edges - torch.linspace(0, 1, _GRID + 1, device=edges.device))
    across = functional.interpolate(moved[:, :1], width, mode="linear", align_corners=True)
    down = functional.interpolate(moved[:, 1:], height, mode="linear", align_corners=True)
    both = across.expand(-1, height, -1), down.transpose(1, 2).expand(-1, -1, width)
    return torch.stack(both, dim=-1)


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
    scale = low + (high - low) * _drawn((count, 1, 1, 3), generator)
    shift = _even((count, 1, 1, 3), 0.02, generator)
    changed = (amounts * scale + shift) @ dyes
    density = torch.where(_chosen(images, how.stain, generator), changed, density)
    return torch.pow(10.0, -density).permute(0, 3, 1, 2).clamp(0, 1)


def _relit(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    one, three = (len(images), 1, 1, 1), (len(images), 3, 1, 1)
    gain = (1 + _even(one, how.gain, generator)) * (1 + _even(three, how.tint, generator))
    contrast = 1 + _even(one, how.contrast, generator)
    saturation = 1 + _even(one, how.saturation, generator)
    saturation = torch.where(_chosen(images, how.grey, generator), 0.0, saturation)
    turned = _hues_turned(len(images), how.hue, generator)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    changed = (mean + (images - mean) * contrast) * gain
    grey = changed.mean(dim=1, keepdim=True)
    changed = grey + (changed - grey) * saturation
    if how.hue:
        changed = torch.einsum("nij,njhw->nihw", turned, changed)
    return torch.where(_chosen(images, how.colour, generator), changed, images)


def _hues_turned(count: int, reach: float, generator: torch.Generator) -> Tensor:
    """(N, 3, 3) turns of colours about the grey axis."""
    angle = _even((count, 1, 1), 2 * math.pi * reach, generator)
    axis = 1 / math.sqrt(3)
    cross = axis * torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=angle.device)
    return (
        torch.eye(3, device=angle.device) * angle.cos()
        + cross * angle.sin()
        + (1 - angle.cos()) / 3
    )


def _filtered(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Random local filters that keep shapes and change textures (RandConv, Xu et al. 2021)."""
    count, _, height, width = images.shape
    filters = _normal((count * 3, 3, 3, 3), generator) / math.sqrt(27)
    mixed = 0.35 + 0.65 * _drawn((count, 1, 1, 1), generator)
    padded = functional.pad(images - 0.5, (1, 1, 1, 1), mode="reflect")
    flat = padded.reshape(1, count * 3, height + 2, width + 2)
    found = functional.conv2d(flat, filters, groups=count).view_as(images)
    low, high = found.amin((1, 2, 3), keepdim=True), found.amax((1, 2, 3), keepdim=True)
    found = (found - low) / (high - low).clamp_min(1e-3)
    changed = mixed * images + (1 - mixed) * found
    return torch.where(_chosen(images, how.texture, generator), changed, images)


def _blurred(images: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Blur of one width a batch, and noise, each on its share of the tiles."""
    sigma = 0.3 + (how.blur_px - 0.3) * float(_drawn((1,), generator))
    chosen = _chosen(images, how.blur, generator)
    if bool(chosen.any()):
        images = torch.where(chosen, _gaussian(images, sigma), images)
    chosen = _chosen(images, how.noise, generator)
    if bool(chosen.any()):
        level = how.noise_level * _drawn((len(images), 1, 1, 1), generator)
        noise = _normal(tuple(images.shape), generator) * level
        images = torch.where(chosen, images + noise, images)
    return images


def _gaussian(images: Tensor, sigma: float) -> Tensor:
    reach = max(1, math.ceil(2.5 * sigma))
    x = torch.arange(-reach, reach + 1, dtype=torch.float32, device=images.device)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    images = functional.pad(images, (reach, reach, reach, reach), mode="reflect")
    images = functional.conv2d(images, kernel[:, :, :, None], groups=3)
    return functional.conv2d(images, kernel[:, :, None, :], groups=3)
