"""Operations on nearly empty masks against those on whole grids; fields that need no look."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from glisson.artefacts import ArtefactSettings, focus, sparse
from glisson.artefacts.boxes import find_cells, map_cells, widen
from glisson.frames import Frame, PixelSize
from glisson.slides import InMemorySlide
from glisson.tissue import TissueMap, morphology
from glisson.tissue.grid import window_of

MPP = 4.0


def blots(seed: int, share: float, shape: tuple[int, int] = (301, 277)) -> NDArray[np.bool_]:
    """Some noise, and blots that reach the border."""
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), 6)
    wide = smooth > np.quantile(smooth, 1 - share)
    return np.asarray(wide | (rng.random(shape) < share / 10))


MASKS = [
    blots(1, 0.02),
    blots(2, 0.3),
    blots(3, 0.9),
    np.zeros((5, 7), bool),
    np.ones((9, 4), bool),
]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("radius_um", [4.0, 40.0, 160.0])
@pytest.mark.parametrize("name", ["dilate", "erode"])
def test_discs_are_those_of_a_whole_grid(
    mask: NDArray[np.bool_], radius_um: float, name: str
) -> None:
    expected = getattr(morphology, name)(mask, radius_um, MPP)
    assert np.array_equal(getattr(sparse, name)(mask, radius_um, MPP), expected)


def test_cells_cover_what_is_set_and_nothing_else() -> None:
    mask = blots(5, 0.05)
    seen = np.zeros(mask.shape, int)
    for box in find_cells(mask, 64):
        seen[window_of(box)] += 1
        assert max(box.width_px, box.height_px) <= 64
    assert seen.max() == 1
    assert seen[mask].all()
    values = np.random.default_rng(0).random(mask.shape, np.float32)
    blurred = cv2.blur(values, (9, 9))
    found = map_cells(mask, 64, 4, lambda part: cv2.blur(values[part], (9, 9)), np.float32)
    assert np.allclose(found, np.where(mask, blurred, 0), atol=1e-6)
    assert widen(next(find_cells(mask, 64)), 10**6, mask.shape).width_px == mask.shape[1]


def _lattice(rows: int, columns: int) -> tuple[InMemorySlide, TissueMap]:
    mask = np.ones((50 * rows, 50 * columns), bool)
    slide = InMemorySlide(np.zeros((4, 4, 3), np.uint8), PixelSize(1.0, 1.0))
    tissue = TissueMap(mask, Frame(PixelSize(1.0, 1.0), MPP), mask * np.uint8(0), (245, 245, 245))
    return slide, tissue


@pytest.mark.parametrize("seed", range(40))
def test_fields_that_are_left_out_change_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slides sharp, blurred in part, near the limits, and unknown in part."""
    rng = np.random.default_rng(seed)
    slide, tissue = _lattice(7, 9)
    truth = rng.normal(rng.uniform(0.1, 0.8), 0.15, (7, 9))
    truth[:3, :3] -= rng.choice([0.0, 0.3])
    truth = np.where(rng.random(truth.shape) < rng.choice([0, 0.3]), np.nan, np.maximum(truth, 0))
    read: list[tuple[int, int]] = []

    def sharpness(slide: object, tissue: object, cell: focus._Cell, settings: object) -> float:
        read.append((cell.rows.start // 50, cell.columns.start // 50))
        return float(truth[read[-1]])

    monkeypatch.setattr(focus, "_measure_sharpness", sharpness)
    found = focus.find_blurred(slide, tissue, ArtefactSettings())
    assert len(read) == len(set(read))
    monkeypatch.setattr(focus, "_choose_apart", _none)
    assert np.array_equal(found, focus.find_blurred(slide, tissue, ArtefactSettings()))


def test_a_sharp_slide_is_read_in_three_quarters(monkeypatch: pytest.MonkeyPatch) -> None:
    slide, tissue = _lattice(8, 8)
    read: list[Callable[[], None]] = []
    monkeypatch.setattr(focus, "_measure_sharpness", lambda *each: read.append(each[2]) or 0.8)
    assert not focus.find_blurred(slide, tissue, ArtefactSettings()).any()
    assert len(read) == 48


def _none(cells: list[focus._Cell], *_: object) -> NDArray[np.bool_]:
    return np.zeros(len(cells), bool)
