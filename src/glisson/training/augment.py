"""Changes of position, shape, stain, light and sharpness that a laboratory could make.

Every function works on a batch on its own device, with a generator of the same device. One
displacement field serves image and labels. The same seed gives the same batch on every device of
a kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

_DYES = torch.tensor([[0.52, 0.74, 0.43], [0.20, 0.83, 0.48], [0.27, 0.57, 0.78]])
"""Haematoxylin, eosin and a remainder, as optical densities (docs/phantom.md)."""

_GRID = 5


@dataclass(frozen=True)
class Augmentation:
    """Changes of a tile; ranges are uniform, chances are per tile.

    Attributes:
        turn: quarter turns and flips.
        rotate: chance of rotation and zoom.
        rotate_deg: largest rotation, in degrees to either side.
        zoom: largest change of scale, to either side of 1.
        elastic: chance of a smooth displacement.
        elastic_reach: largest displacement, as a part of the tile's side.
        elastic_nodes: nodes of the displacement's grid along a side; more make it finer.
        grid: chance that the columns and rows of a 5 x 5 grid change their widths.
        grid_reach: largest change, as a part of a column.
        stain: chance of other amounts of dye.
        stain_scale: range of the factors on the amounts.
        colour: chance of the changes of light and colour below.
        gain: change of brightness, to either side of 1.
        tint: change of each channel, likewise.
        contrast: change of contrast, likewise.
        saturation: change of saturation, likewise.
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
turns and flips. `stain`: the best in our measurements with tiles of slides. `wide`: for models
that learn from phantoms alone and must work on what those never show."""


def augment(
    images: Tensor, labels: Tensor, settings: Augmentation, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Change (N, 3, H, W) float images in 0 to 1, and (N, H, W) uint8 labels, at random."""
    if settings.turn:
        images, labels = _turn(images, labels, generator)
    if settings.rotate or settings.elastic or settings.grid:
        images, labels = _warp(images, labels, settings, generator)
    if settings.stain:
        images = _change_stain(images, settings, generator)
    images = _change_light(images, settings, generator)
    if settings.texture:
        images = _mix_filters(images, settings, generator)
    images = _blur_tiles(images, settings, generator)
    images = _add_noise(images, settings, generator)
    return images.clamp(0, 1), labels


def _draw(shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Draw uniform numbers between 0 and 1, on the generator's device."""
    return torch.rand(shape, generator=generator, device=generator.device)


def _draw_around_0(shape: tuple[int, ...], reach: float, generator: Generator) -> Tensor:
    """Draw uniform numbers between -reach and reach."""
    return reach * (2 * _draw(shape, generator) - 1)


def _draw_normal(shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device)


def _choose_tiles(images: Tensor, chance: float, generator: Generator) -> Tensor:
    """Draw (N, 1, 1, 1) bool, True with this chance for each tile."""
    return _draw((len(images), 1, 1, 1), generator) < chance


def _turn(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Turn each tile by one of the eight turns and flips of a square."""
    eighths = torch.randint(8, (len(images),), generator=generator, device=generator.device)
    turned_images, turned_labels = [], []
    for image, label, eighth in zip(images, labels, eighths.tolist(), strict=True):
        image = torch.rot90(image, eighth % 4, (1, 2))
        label = torch.rot90(label, eighth % 4, (0, 1))
        turned_images.append(image.flip(2) if eighth >= 4 else image)
        turned_labels.append(label.flip(1) if eighth >= 4 else label)
    return torch.stack(turned_images), torch.stack(turned_labels)


def _warp(
    images: Tensor, labels: Tensor, settings: Augmentation, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Rotate, zoom and distort in one sampling, mirrored at the border."""
    count = (len(images),)
    chosen = _draw(count, generator) < settings.rotate
    angle = _draw_around_0(count, math.radians(settings.rotate_deg), generator) * chosen
    scale = 1 + _draw_around_0(count, settings.zoom, generator) * chosen
    cosine, sine, zero = scale * angle.cos(), scale * angle.sin(), torch.zeros_like(scale)
    rows = [torch.stack([cosine, -sine, zero], 1), torch.stack([sine, cosine, zero], 1)]
    places = functional.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    places = places + draw_elastic(images, settings, generator)
    places = places + draw_stretch(images, settings, generator)
    images = _sample(images, places, "bilinear")
    labels = _sample(labels[:, None].float(), places, "nearest")[:, 0].to(labels.dtype)
    return images, labels


def draw_elastic(images: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Draw (N, H, W, 2) displacements in half tiles, smooth between random nodes."""
    count, nodes = len(images), settings.elastic_nodes
    chosen = _draw((count, 1, 1, 1), generator) < settings.elastic
    reach = 2 * settings.elastic_reach
    coarse = _draw_around_0((count, 2, nodes, nodes), reach, generator) * chosen
    fine = functional.interpolate(coarse, images.shape[2:], mode="bicubic", align_corners=True)
    return fine.permute(0, 2, 3, 1)


def draw_stretch(images: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Draw (N, H, W, 2) displacements in half tiles that change widths of columns and rows."""
    count, _, height, width = images.shape
    chosen = _draw((count, 1, 1), generator) < settings.grid
    widths = 1 + _draw_around_0((count, 2, _GRID), settings.grid_reach, generator) * chosen
    edges = functional.pad(widths.cumsum(2) / widths.sum(2, keepdim=True), (1, 0))
    moves = 2 * (edges - torch.linspace(0, 1, _GRID + 1, device=edges.device))
    across = functional.interpolate(moves[:, :1], width, mode="linear", align_corners=True)
    down = functional.interpolate(moves[:, 1:], height, mode="linear", align_corners=True)
    both = across.expand(-1, height, -1), down.transpose(1, 2).expand(-1, -1, width)
    return torch.stack(both, dim=-1)


def _sample(values: Tensor, places: Tensor, mode: str) -> Tensor:
    return functional.grid_sample(
        values, places, mode=mode, padding_mode="reflection", align_corners=False
    )


def _change_stain(images: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Scale and shift the amounts of dye in optical density (after Tellez et al. 2019)."""
    count = len(images)
    dyes = (_DYES / _DYES.norm(dim=1, keepdim=True)).to(images.device)
    density = -torch.log10(images.clamp_min(1 / 255)).permute(0, 2, 3, 1)
    amounts = density @ torch.linalg.inv(dyes)
    low, high = settings.stain_scale
    scale = low + (high - low) * _draw((count, 1, 1, 3), generator)
    shift = _draw_around_0((count, 1, 1, 3), 0.02, generator)
    changed = (amounts * scale + shift) @ dyes
    density = torch.where(_choose_tiles(images, settings.stain, generator), changed, density)
    return torch.pow(10.0, -density).permute(0, 3, 1, 2).clamp(0, 1)


def _change_light(images: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Change brightness, tint, contrast, saturation and hue."""
    one, three = (len(images), 1, 1, 1), (len(images), 3, 1, 1)
    gain = 1 + _draw_around_0(one, settings.gain, generator)
    gain = gain * (1 + _draw_around_0(three, settings.tint, generator))
    contrast = 1 + _draw_around_0(one, settings.contrast, generator)
    saturation = 1 + _draw_around_0(one, settings.saturation, generator)
    saturation = torch.where(_choose_tiles(images, settings.grey, generator), 0.0, saturation)
    hue_turns = _draw_hue_turns(len(images), settings.hue, generator)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    changed = (mean + (images - mean) * contrast) * gain
    grey = changed.mean(dim=1, keepdim=True)
    changed = grey + (changed - grey) * saturation
    if settings.hue:
        changed = torch.einsum("nij,njhw->nihw", hue_turns, changed)
    return torch.where(_choose_tiles(images, settings.colour, generator), changed, images)


def _draw_hue_turns(count: int, reach: float, generator: Generator) -> Tensor:
    """Draw (N, 3, 3) turns of colours about the grey axis."""
    angle = _draw_around_0((count, 1, 1), 2 * math.pi * reach, generator)
    axis = 1 / math.sqrt(3)
    cross = axis * torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=angle.device)
    return (
        torch.eye(3, device=angle.device) * angle.cos()
        + cross * angle.sin()
        + (1 - angle.cos()) / 3
    )


def _mix_filters(images: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Mix in random local filters, which keep shapes (RandConv, Xu et al. 2021)."""
    count, _, height, width = images.shape
    filters = _draw_normal((count * 3, 3, 3, 3), generator) / math.sqrt(27)
    share = 0.35 + 0.65 * _draw((count, 1, 1, 1), generator)
    padded = functional.pad(images - 0.5, (1, 1, 1, 1), mode="reflect")
    flat = padded.reshape(1, count * 3, height + 2, width + 2)
    filtered = functional.conv2d(flat, filters, groups=count).view_as(images)
    low, high = filtered.amin((1, 2, 3), keepdim=True), filtered.amax((1, 2, 3), keepdim=True)
    filtered = (filtered - low) / (high - low).clamp_min(1e-3)
    changed = share * images + (1 - share) * filtered
    return torch.where(_choose_tiles(images, settings.texture, generator), changed, images)


def _blur_tiles(images: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Blur a share of the tiles, all of a batch with the same width."""
    sigma = 0.3 + (settings.blur_px - 0.3) * float(_draw((1,), generator))
    chosen = _choose_tiles(images, settings.blur, generator)
    if not bool(chosen.any()):
        return images
    reach = max(1, math.ceil(2.5 * sigma))
    x = torch.arange(-reach, reach + 1, dtype=torch.float32, device=images.device)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    blurred = functional.pad(images, (reach, reach, reach, reach), mode="reflect")
    blurred = functional.conv2d(blurred, kernel[:, :, :, None], groups=3)
    blurred = functional.conv2d(blurred, kernel[:, :, None, :], groups=3)
    return torch.where(chosen, blurred, images)


def _add_noise(images: Tensor, settings: Augmentation, generator: Generator) -> Tensor:
    """Add noise to a share of the tiles."""
    chosen = _choose_tiles(images, settings.noise, generator)
    if not bool(chosen.any()):
        return images
    level = settings.noise_level * _draw((len(images), 1, 1, 1), generator)
    noise = _draw_normal(tuple(images.shape), generator) * level
    return torch.where(chosen, images + noise, images)
