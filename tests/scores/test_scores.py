from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import shift
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score
from torchmetrics.functional.classification import multiclass_f1_score, multiclass_jaccard_index

from glisson.scores import (
    boundary_scores,
    confusion,
    mean_of_scores,
    pooled_by,
    pooled_scores,
    scores_of,
)

IGNORED = 255


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, (40, 30)).astype(np.uint8)
    found = np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 3, truth.shape))
    truth[rng.random(truth.shape) < 0.1] = IGNORED
    return truth, found.astype(np.uint8)


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_against_scikit_learn_and_torchmetrics(seed: int) -> None:
    truth, found = pair(seed)
    known = truth != IGNORED
    counts = confusion(truth, found)
    assert np.array_equal(counts, confusion_matrix(truth[known], found[known], labels=[0, 1, 2]))
    scores = scores_of(counts)
    assert scores.dice == pytest.approx(f1_score(truth[known], found[known], average=None))
    assert scores.iou == pytest.approx(jaccard_score(truth[known], found[known], average=None))
    both = torch.from_numpy(found).long(), torch.from_numpy(truth).long()
    kind = {"num_classes": 3, "average": "none", "ignore_index": IGNORED}
    assert scores.dice == pytest.approx(multiclass_f1_score(*both, **kind).tolist(), abs=1e-6)
    assert scores.iou == pytest.approx(multiclass_jaccard_index(*both, **kind).tolist(), abs=1e-6)


def test_absent_classes() -> None:
    truth = np.zeros((4, 4), np.uint8)
    nobody = scores_of(confusion(truth, truth))
    assert nobody.dice[0] == 1
    assert math.isnan(nobody.dice[2])
    assert nobody.mean_dice == 1, "an absent class is left out"
    one_side = scores_of(confusion(truth, np.full_like(truth, 2)))
    assert one_side.dice[2] == 0
    assert mean_of_scores([nobody, one_side]).dice[0] == 0.5
    assert mean_of_scores([nobody, one_side]).dice[2] == 0


def test_pooling_differs_from_the_mean_of_patches() -> None:
    """A large perfect tile and a small hopeless one."""
    large = confusion(np.full(900, 2, np.uint8), np.full(900, 2, np.uint8))
    small = confusion(np.full(100, 2, np.uint8), np.full(100, 1, np.uint8))
    assert mean_of_scores([scores_of(large), scores_of(small)]).dice[2] == 0.5
    assert scores_of(large + small).dice[2] == pytest.approx(2 * 900 / 1900)


def test_intervals_hold_the_score_and_narrow_with_patients() -> None:
    few = [confusion(*pair(seed)) for seed in range(4)]
    many = [confusion(*pair(seed)) for seed in range(64)]
    widths = []
    for counts in (few, many):
        pooled = pooled_scores(counts)
        assert pooled.mean_dice.low <= pooled.mean_dice.value <= pooled.mean_dice.high
        assert pooled.mean_dice.value == pytest.approx(scores_of(sum(counts)).mean_dice)
        widths.append(pooled.mean_dice.high - pooled.mean_dice.low)
    assert widths[1] < 0.7 * widths[0]
    assert pooled_scores(few) == pooled_scores(few)


def test_one_patient_gives_no_interval() -> None:
    assert math.isnan(pooled_scores([confusion(*pair(0))]).mean_dice.low)


def test_slides_of_a_patient_are_added_up() -> None:
    counts = [confusion(*pair(seed)) for seed in range(3)]
    pooled = pooled_by(["a", "b", "a"], counts)
    assert np.array_equal(pooled["a"], counts[0] + counts[2])


def disc(radius: float, x: float = 50, side: int = 100) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side]
    return (rows - 50) ** 2 + (columns - x) ** 2 <= radius**2


@pytest.mark.parametrize("mpp", [0.5, 2.0])
def test_borders_of_growing_discs(mpp: float) -> None:
    scores = boundary_scores(disc(20), disc(26), mpp, tolerance_um=5)
    assert scores is not None
    assert scores.hd95_um == pytest.approx(6 * mpp, abs=1.1 * mpp)
    assert scores.surface_dice == (1 if mpp == 0.5 else 0)


def test_equal_empty_and_one_sided_borders() -> None:
    nothing = np.zeros((100, 100), bool)
    same = boundary_scores(disc(20), disc(20), 1.0)
    assert same is not None
    assert (same.surface_dice, same.hd95_um) == (1, 0)
    assert boundary_scores(nothing, nothing, 1.0) is None
    one = boundary_scores(disc(20), nothing, 1.0)
    assert one is not None
    assert (one.surface_dice, one.hd95_um) == (0, math.inf)


@given(radius=st.floats(5, 20), move=st.floats(0, 25))
@settings(max_examples=30, deadline=None)
def test_borders_do_not_care_for_order_or_place(radius: float, move: float) -> None:
    truth, found = disc(radius, 35), disc(radius, 35 + move)
    one, other = boundary_scores(truth, found, 1.0), boundary_scores(found, truth, 1.0)
    assert one == other
    moved = boundary_scores(
        shift(truth, (3, 9), order=0).astype(bool), shift(found, (3, 9), order=0).astype(bool), 1.0
    )
    assert moved == one
