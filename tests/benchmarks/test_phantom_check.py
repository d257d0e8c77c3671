"""The check of phantoms measures what it says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from benchmarks.phantom_check import measures
from benchmarks.phantom_check.fields import Field
from benchmarks.phantom_check.targets import Target, read_targets


def test_discs_of_known_diameter_are_measured() -> None:
    mask = np.zeros((400, 400), np.uint8)
    for k in range(4):
        for j in range(4):
            cv2.circle(mask, (50 + 100 * k, 50 + 100 * j), 7, 1, -1)
    sizes = measures.measure_nuclei(mask > 0)
    assert len(sizes) == 16
    assert all(is_round for _, is_round in sizes)
    assert np.allclose([d for d, _ in sizes], 7.25, atol=0.5)
    assert measures.count_nuclei(mask > 0) == 16


def test_a_wave_falls_into_its_band() -> None:
    x = np.arange(256)
    wave = (140 + 40 * np.sin(2 * np.pi * x / 14)).astype(np.uint8)
    rgb = np.repeat(np.tile(wave, (256, 1))[..., None], 3, axis=2)
    powers = measures.measure_band_powers(rgb, 1.0)
    assert max(powers, key=lambda band: powers[band]) == "power 16-12 µm"


def test_stain_vectors_are_found_again() -> None:
    rng = np.random.default_rng(0)
    h, e = np.array([0.55, 0.73, 0.40]), np.array([0.15, 0.85, 0.50])
    h, e = h / np.linalg.norm(h), e / np.linalg.norm(e)
    amount = rng.gamma(2.0, 0.2, (200, 200, 2)) * (rng.random((200, 200, 1)) < [0.4, 0.7])
    od = (amount @ np.stack([h, e])).astype(np.float32)
    found = measures.estimate_stain_vectors(od, od.sum(axis=2) > 0.1)
    assert abs(found["H vector R"] - h[0]) < 0.05
    assert abs(found["E vector R"] - e[0]) < 0.05


def test_overlap_is_the_share_inside() -> None:
    target = Target("x", 1.0, 2.0, 3.0)
    assert target.overlap(np.array([0.0, 1.5, 2.5, 9.0])) == 0.5
    assert all(t.low < t.middle < t.high for t in read_targets())


def test_an_infiltrate_is_measured_beside_its_lobule() -> None:
    od = np.full((512, 512, 3), 0.2, np.float32)
    labels = np.ones((512, 512), np.uint8)
    labels[:, :256] = 2
    for row in range(8, 512, 16):
        for column in range(8, 250, 16):
            cv2.circle(od, (column, row), 5, (0.6, 0.3, 0.3), -1)
    rgb = np.round(255 * 10**-od).astype(np.uint8)
    found = measures.measure_portal(Field(rgb, labels, "drawn"))
    ours = od[:, 40:200].mean(axis=(0, 1)) / 0.2
    assert 1e6 / 8**2 <= found["infiltrate nuclei per mm²"] <= (11 / 10) ** 2 * 1e6 / 8**2
    assert found["infiltrate / lobule R"] == pytest.approx(ours[0], rel=0.05)
    assert found["infiltrate / lobule G"] == pytest.approx(ours[1], rel=0.05)
