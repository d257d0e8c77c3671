from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import shift
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score
from torchmetrics.functional.classification import multiclass_f1_score, multiclass_jaccard_index

from glisson.scores import (
    LEAST_PATIENTS,
    BoundaryScores,
    boundary_scores,
    confusion,
    mean_of_scores,
    pool_scores,
    scores_of,
    sum_by_key,
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
    few = [confusion(*pair(seed)) for seed in range(LEAST_PATIENTS)]
    many = [confusion(*pair(seed)) for seed in range(64)]
    widths = []
    for counts in (few, many):
        pooled = pool_scores(counts)
        assert pooled.mean_dice.low <= pooled.mean_dice.value <= pooled.mean_dice.high
        assert pooled.mean_dice.value == pytest.approx(scores_of(sum(counts)).mean_dice)
        widths.append(pooled.mean_dice.high - pooled.mean_dice.low)
    assert widths[1] < 0.7 * widths[0]
    assert pool_scores(few) == pool_scores(few)


@pytest.mark.parametrize("patients", range(1, LEAST_PATIENTS + 1))
def test_few_patients_give_no_interval(patients: int) -> None:
    pooled = pool_scores([confusion(*pair(seed)) for seed in range(patients)])
    for each in (pooled.mean_dice, pooled.mean_iou, *pooled.dice, *pooled.iou):
        assert math.isnan(each.low) == math.isnan(each.high) == (patients < LEAST_PATIENTS)
        assert 0 < each.value < 1


def test_many_patients_are_drawn_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """All draws at once would be 80 MB here; held in parts they are the same draws."""
    many = [confusion(*pair(seed % 8)) for seed in range(5000)]
    tracemalloc.start()
    pooled = pool_scores(many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
    few = many[:20]
    whole = pool_scores(few)
    monkeypatch.setattr("glisson.scores.bootstrap._WEIGHTS_AT_ONCE", 700)
    assert pool_scores(few) == whole
    assert pooled.patients == 5000


def test_slides_of_a_patient_are_added_up() -> None:
    counts = [confusion(*pair(seed)) for seed in range(3)]
    pooled = sum_by_key(["a", "b", "a"], counts)
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
    assert one == BoundaryScores(0, math.inf, one_sided=True)


def test_an_ignored_strip_is_no_border() -> None:
    """Both masks, cut along the strip's sides, would agree there whatever they look like."""
    truth, found = np.zeros((2, 200, 200), bool)
    truth[40:160, 40:160] = True
    found[70:130, 20:180] = True
    known = np.ones_like(truth)
    open_ = boundary_scores(truth, found, 1.0)
    known[:, 90:110] = False
    strip = boundary_scores(truth, found, 1.0, known=known)
    cut = boundary_scores(truth & known, found & known, 1.0)
    assert open_ is not None
    assert strip is not None
    assert cut is not None
    assert cut.surface_dice > strip.surface_dice + 0.1
    assert strip.surface_dice == pytest.approx(open_.surface_dice, abs=0.03)


@given(seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_what_lies_in_unknown_pixels_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = [disc(20, 40), disc(24, 60)]
    known = np.ones((100, 100), bool)
    known[:, rng.integers(20, 50) : rng.integers(50, 80)] = False
    noise = rng.random((100, 100)) < 0.5
    wanted = boundary_scores(*masks, 1.0, known=known)
    assert wanted == boundary_scores(*(np.where(known, m, noise) for m in masks), 1.0, known=known)


def test_a_tile_that_is_all_portal() -> None:
    """Without a border there is nothing to compare, but no side lacks portal area either."""
    everywhere, nothing = np.ones((100, 100), bool), np.zeros((100, 100), bool)
    assert boundary_scores(everywhere, everywhere, 1.0) is None
    assert boundary_scores(everywhere, disc(20), 1.0) == BoundaryScores(0, math.inf)
    assert boundary_scores(everywhere, nothing, 1.0) == BoundaryScores(0, math.inf, one_sided=True)
    hidden = ~disc(25)
    assert boundary_scores(disc(30), nothing, 1.0, known=disc(40) & hidden) is not None
    assert boundary_scores(disc(20), nothing, 1.0, known=hidden) is None, "area that nobody knows"


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
