"""A classifier of phantom and real fields, split by image so that it cannot memorise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score

from benchmarks.phantom_check import measures
from benchmarks.phantom_check.fields import Field

_COLOUR_WORDS = ("OD R", "OD G", "OD B", "R / G", "B / G", "vector", "cytoplasm")


@dataclass(frozen=True)
class Realness:
    """Success of a classifier of phantom and real fields.

    Attributes:
        auc: mean area under the curve over the splits; 0.5 is chance.
        telling: most important measurements, the first above all.
        easiest: sources of the phantom fields that the classifier recognises most surely.
    """

    auc: float
    telling: tuple[str, ...]
    easiest: tuple[str, ...]


def describe(field: Field) -> dict[str, float]:
    """Take all measurements of a field."""
    small = measures.halve(field.rgb)
    grey = small.astype(np.float32).mean(axis=2)
    found = measures.measure_colours(field) | measures.measure_cells(field)
    found |= measures.measure_texture(small, 1.0) | measures.measure_band_powers(small, 1.0)
    for low, high in ((1, 10), (25, 50), (90, 99)):
        a, b = np.percentile(grey, (low, high))
        found[f"grey {low} to {high} %"] = float(b - a)
    found.pop("fat droplet diameter µm")
    return found


Described = list[dict[str, float]]


def classify(
    real: list[Described], phantoms: Described, sources: list[str], texture_only: bool
) -> Realness:
    """Train on one real image and half of the phantoms, test on the others; both ways."""
    keys = [k for k in phantoms[0] if not (texture_only and _is_colour(k))]
    tables = [_tabulate(crops, keys) for crops in real]
    halves = [_tabulate(phantoms[half::2], keys) for half in (0, 1)]
    aucs, importance, surely = [], np.zeros(len(keys)), []
    for first, second in ((0, 1), (1, 0)):
        model = RandomForestClassifier(200, class_weight="balanced", random_state=0, n_jobs=-1)
        model.fit(*_label(tables[first], halves[first]))
        x, y = _label(tables[second], halves[second])
        score = model.predict_proba(x)[:, 1]
        aucs.append(roc_auc_score(y, score))
        drop = permutation_importance(model, x, y, scoring="roc_auc", n_repeats=2, random_state=0)
        importance += drop.importances_mean
        surely += list(zip(score[y == 0], sources[second::2], strict=True))
    best = np.argsort(-importance)[:6]
    return Realness(
        float(np.mean(aucs)),
        tuple(keys[k] for k in best),
        tuple(source for _, source in sorted(surely)[:8]),
    )


def _is_colour(key: str) -> bool:
    return any(word in key for word in _COLOUR_WORDS)


def _tabulate(described: Described, keys: list[str]) -> np.ndarray:
    return np.nan_to_num(
        np.array([[values[key] for key in keys] for values in described]), nan=-1.0
    )


def _label(real: np.ndarray, phantom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([real, phantom]), np.repeat([1, 0], [len(real), len(phantom)])
