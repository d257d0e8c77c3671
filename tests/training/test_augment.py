from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from glisson.training.augment import (
    AUGMENTATIONS,
    Augmentation,
    augment,
    draw_elastic,
    draw_stretch,
)

SIDE = 128


def batch(count: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels in blobs, and images that show them: 0, a half, or all of the light."""
    coarse = torch.rand((count, 1, 7, 7), generator=torch.Generator().manual_seed(4))
    smooth = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic")[:, 0]
    labels = (smooth > 0.4).to(torch.uint8) + (smooth > 0.6).to(torch.uint8)
    return labels[:, None].expand(-1, 3, -1, -1).float() / 2, labels


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_image_and_labels_move_together(name: str) -> None:
    images, labels = batch()
    shape_only = replace(
        AUGMENTATIONS[name], stain=0, gain=0, tint=0, contrast=0, saturation=0, hue=0, grey=0,
        texture=0, blur=0, noise=0,
    )  # fmt: skip
    moved, moved_labels = augment(images, labels, shape_only, seeded())
    seen = (2 * moved.mean(dim=1)).round().to(torch.uint8)
    assert (seen == moved_labels).float().mean() > 0.96, "but for pixels on a border"
    if name != "none":
        assert (moved_labels != labels).float().mean() > 0.1


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_the_same_seed_gives_the_same_batch(name: str) -> None:
    images, labels = batch(4)
    one = augment(images, labels, AUGMENTATIONS[name], seeded(5))
    two = augment(images, labels, AUGMENTATIONS[name], seeded(5))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert 0 <= float(one[0].min()) <= float(one[0].max()) <= 1


def test_nothing_is_changed_by_none() -> None:
    images, labels = batch(2)
    same, same_labels = augment(images, labels, AUGMENTATIONS["none"], seeded())
    assert torch.allclose(same, images, atol=1e-6)
    assert torch.equal(same_labels, labels)


def test_the_papers_elastic_field_has_its_deviation() -> None:
    """Alpha 50 px and sigma 4 px: a deviation of 50 x 0.577 / (2 x sqrt(pi) x 4) = 2.0 px."""
    images = torch.zeros(64, 3, 256, 256)
    field = draw_elastic(images, replace(AUGMENTATIONS["paper"], elastic=1.0), seeded()) * 128
    assert float(field.std()) == pytest.approx(2.0, abs=0.3)


def test_a_stretched_grid_keeps_order_and_edges() -> None:
    images = torch.zeros(32, 3, 64, 64)
    moved = draw_stretch(images, Augmentation(grid=1.0, grid_reach=0.5), seeded())
    place = torch.linspace(-1, 1, 64) + moved[:, 0, :, 0]
    assert (place.diff(dim=1) > 0).all()
    assert torch.allclose(place[:, [0, -1]], torch.tensor([-1.0, 1.0]), atol=1e-5)
    assert float(moved.abs().max()) > 0.05


def test_filters_change_textures_and_keep_borders_in_place() -> None:
    images, labels = batch()
    filtered, same = augment(images, labels, Augmentation(turn=False, texture=1.0), seeded(2))
    assert torch.equal(same, labels)
    assert float((filtered - images).abs().mean()) > 0.02
    edges = _steps(images.mean(1)) > 0.1
    assert float(_steps(filtered.mean(1))[edges].mean()) > 4 * float(
        _steps(filtered.mean(1))[~_near(edges)].mean()
    )


def _steps(light: torch.Tensor) -> torch.Tensor:
    """(N, H - 1, W) change from row to row."""
    return light.diff(dim=1).abs()


def _near(edges: torch.Tensor) -> torch.Tensor:
    grown = torch.nn.functional.max_pool2d(edges[:, None].float(), 5, stride=1, padding=2)
    return grown[:, 0] > 0


def test_hues_turn_about_grey() -> None:
    grey = torch.full((8, 3, 4, 4), 0.4)
    labels = torch.zeros((8, 4, 4), dtype=torch.uint8)
    how = Augmentation(turn=False, hue=0.1)
    assert torch.allclose(augment(grey, labels, how, seeded())[0], grey, atol=1e-6)
    red = grey.clone()
    red[:, 0] = 0.7
    turned = augment(red, labels, how, seeded())[0]
    assert torch.allclose(turned.mean(dim=1), red.mean(dim=1), atol=1e-5)
    assert float((turned - red).abs().max()) > 0.03
